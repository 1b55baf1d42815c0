#include "settlement/pg.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* libpq takes what it is given in pieces of this size without copying too far ahead of the socket. */
#define COPY_PIECE_SIZE (64U << 10)

struct pg {
    PGconn *connection;
};

struct pg_rows {
    PGresult *result;
};

/* The server's words end with a newline. */
static int words_length(const char *words)
{
    size_t length = strlen(words);
    while (length > 0 && words[length - 1] == '\n') {
        length--;
    }
    return (int)length;
}

/* libpq's words may take several lines; a log line is one. */
static int fail(struct pg *pg, struct error *error)
{
    const char *words = PQerrorMessage(pg->connection);
    int code = PQstatus(pg->connection) == CONNECTION_BAD ? ERROR_LOST : ERROR_IO;
    error_set(error, code, "PostgreSQL: %.*s", words_length(words), words);
    for (char *at = error->text; *at != '\0'; at++) {
        if (*at == '\n' || *at == '\t') {
            *at = ' ';
        }
    }
    return code;
}

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

/* What KASHI needs of every session, whatever the server's defaults are. */
static const char session_settings[] = "SET client_min_messages = warning; SET TimeZone = 'UTC'; "
                                       "SET search_path = kashi, pg_catalog";

int pg_open(struct pg **pg, const char *url, struct error *error)
{
    const char *const keywords[] = {"dbname", "connect_timeout", "client_encoding",
                                    "application_name", NULL};
    const char *const values[] = {url, "5", "UTF8", "kashi-settlement", NULL};
    int rc;
    *pg = NULL;
    char *words = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &words);
    if (options == NULL) {
        rc = error_set(error, ERROR_INVALID, "database URL '%s': %.*s", url,
                       words != NULL ? words_length(words) : 0, words != NULL ? words : "");
        PQfreemem(words);
        return rc;
    }
    PQconninfoFree(options);
    struct pg *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return error_system(error, errno, "memory for a database connection");
    }
    made->connection = PQconnectdbParams(keywords, values, 1);
    if (made->connection == NULL) {
        rc = error_set(error, ERROR_IO, "no memory for a database connection");
        goto close;
    }
    if (PQstatus(made->connection) != CONNECTION_OK) {
        rc = fail(made, error);
        goto close;
    }
    PQsetNoticeReceiver(made->connection, ignore_notice, NULL);
    rc = pg_run(made, session_settings, error);
    if (rc < 0) {
        goto close;
    }
    *pg = made;
    return 0;

close:
    pg_close(made);
    return rc;
}

void pg_close(struct pg *pg)
{
    if (pg != NULL) {
        PQfinish(pg->connection);
        free(pg);
    }
}

static bool succeeded(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

int pg_run(struct pg *pg, const char *statements, struct error *error)
{
    PGresult *result = PQexec(pg->connection, statements);
    int rc = succeeded(result) ? 0 : fail(pg, error);
    PQclear(result);
    return rc;
}

int pg_query(struct pg *pg, const char *statement, const char *const *parameters,
             struct pg_rows **rows, struct error *error)
{
    int count = 0;
    while (parameters != NULL && parameters[count] != NULL) {
        count++;
        CHECK(count <= PG_PARAMETERS_MAX);
    }
    *rows = NULL;
    PGresult *result =
        PQexecParams(pg->connection, statement, count, NULL, parameters, NULL, NULL, 0);
    if (!succeeded(result)) {
        PQclear(result);
        return fail(pg, error);
    }
    struct pg_rows *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        PQclear(result);
        return error_system(error, errno, "memory for an answer of the database");
    }
    made->result = result;
    *rows = made;
    return 0;
}

int pg_rows_count(const struct pg_rows *rows)
{
    return PQntuples(rows->result);
}

int64_t pg_rows_affected(const struct pg_rows *rows)
{
    return strtoll(PQcmdTuples(rows->result), NULL, 10);
}

const char *pg_rows_text(const struct pg_rows *rows, int row, int column)
{
    CHECK(row < PQntuples(rows->result) && column < PQnfields(rows->result));
    return PQgetvalue(rows->result, row, column);
}

int64_t pg_rows_int(const struct pg_rows *rows, int row, int column)
{
    const char *text = pg_rows_text(rows, row, column);
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    CHECK(end != text && *end == '\0' && errno == 0);
    return number;
}

void pg_rows_free(struct pg_rows *rows)
{
    if (rows != NULL) {
        PQclear(rows->result);
        free(rows);
    }
}

int pg_copy(struct pg *pg, const char *statement, const void *bytes, size_t size,
            struct error *error)
{
    PGresult *result = PQexec(pg->connection, statement);
    bool ok = PQresultStatus(result) == PGRES_COPY_IN;
    PQclear(result);
    if (!ok) {
        return fail(pg, error);
    }
    for (size_t at = 0; ok && at < size; at += COPY_PIECE_SIZE) {
        size_t piece = size - at < COPY_PIECE_SIZE ? size - at : COPY_PIECE_SIZE;
        ok = PQputCopyData(pg->connection, (const char *)bytes + at, (int)piece) == 1;
    }
    ok = ok && PQputCopyEnd(pg->connection, NULL) == 1;
    int rc = ok ? 0 : fail(pg, error);
    while ((result = PQgetResult(pg->connection)) != NULL) {
        if (PQresultStatus(result) == PGRES_COPY_IN) {
            /* Only after a failed send, and then it would come back for ever. */
            PQclear(result);
            break;
        }
        if (rc == 0 && PQresultStatus(result) != PGRES_COMMAND_OK) {
            rc = fail(pg, error);
        }
        PQclear(result);
    }
    return rc;
}
