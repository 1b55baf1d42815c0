/* Fields of a request as options of the command line: one table (wire/codec_table.h) says what the
 * protocol takes and what `kashi` takes. Names: '_' is '-', and scaled integers are given in decimals
 * without the suffix: price_e4 is --price 16.40, expire_time_ns --expire-time 2026-11-21T13:30Z.
 * Any thread. */
#ifndef KASHI_CLIENT_FIELDS_H
#define KASHI_CLIENT_FIELDS_H

#include "client/arguments.h"
#include "wire/codec_table.h"

/* Fields of a request that are options, in order; NULL after the last.
 * for (uint32_t at = 0; (field = fields_next(type, &at)) != NULL;) */
const struct codec_field *fields_next(uint8_t request_type, uint32_t *at);
void fields_option_name(const struct codec_field *field, char name[ARGUMENTS_NAME_SIZE]);
const struct codec_field *fields_find(uint8_t request_type, const char *option);
/* What help calls the field's value: "buy|sell", "YUAN", …; "" for a flag. */
#define FIELDS_VALUE_SIZE 96
/* What the option is for, "" where its name says it. */
const char *fields_help(const struct codec_field *field);
void fields_value_name(const struct codec_field *field, char text[FIELDS_VALUE_SIZE]);

/* Fills a request (its type is set) from the options that are fields of it. Required fields that are
 * neither given nor hidden by the command are an error; hidden ones are left alone. */
int fields_fill(const struct arguments *arguments, int64_t now_ns, struct request *request,
                struct error *error);
/* Likewise, but of the fields only `needed` (NULL ends them) have to be given; what is not given stays as it is
 * in the request. */
int fields_fill_over(const struct arguments *arguments, const char *const *needed, int64_t now_ns,
                     struct request *request, struct error *error);

/* The text that the request has in a field as a refusal names it ("symbol", "legs[3].symbol"); NULL: the
 * field is none, or has no text. Its legs and lanes must still be there. */
const char *fields_text(const struct request *request, const char *name);

#endif
