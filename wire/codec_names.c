#include "wire/codec_names.h"

#include <stddef.h>

#include "wire/reject.h"

/* clang-format off */
/* The index is the value. */
#define N(text_) { text_, sizeof text_ - 1 }
#define NO_NAME  { NULL, 0 }

const struct codec_names codec_names_side = { 2, { N("buy"), N("sell") } };
const struct codec_names codec_names_aggressor = { 3, { N("buy"), N("sell"), N("none") } };
const struct codec_names codec_names_ord_type = { 2, { N("limit"), N("market") } };
const struct codec_names codec_names_tif = { 4, { N("gate"), N("time"), N("ioc"), N("fok") } };
const struct codec_names codec_names_stp = { 3, { N("newest"), N("oldest"), N("decrement") } };
const struct codec_names codec_names_tier = { 4, { N("G0"), N("G50"), N("G80"), N("G100") } };
const struct codec_names codec_names_placement = { 3, { N("site"), N("any"), N("same") } };
const struct codec_names codec_names_kind = { 4, { NO_NAME, N("range"), N("set"), N("job") } };
const struct codec_names codec_names_role = {
    4, { N("provider"), N("buyer"), N("analyst"), N("operator") } };
const struct codec_names codec_names_mode = {
    4, { N("none"), N("continuous"), N("auction"), N("listing") } };
const struct codec_names codec_names_auction = {
    4, { NO_NAME, N("opening"), N("periodic"), N("volatility") } };
const struct codec_names codec_names_phase = {
    9, { NO_NAME, N("opening"), N("periodic"), N("volatility"), N("continuous"), N("pre_open"),
         N("listing"), N("halted"), N("closed") } };
const struct codec_names codec_names_what = {
    9, { N("classes"), N("regions"), N("markets"), N("resources"), N("groups"), N("accounts"),
         N("keys"), N("fees"), N("gateways") } };
const struct codec_names codec_names_exec_type = {
    14, { NO_NAME, N("new"), N("replaced"), N("canceled"), N("expired"), N("restated"), N("trade"),
          N("rejected"), N("done"), N("mass_cancel"), N("sweep_done"), N("leg_canceled"),
          N("released"), N("miss") } };
const struct codec_names codec_names_ord_status = {
    7, { NO_NAME, N("new"), N("partially_filled"), N("filled"), N("canceled"), N("expired"),
         N("rejected") } };
const struct codec_names codec_names_index_kind = {
    4, { NO_NAME, N("indicative"), N("preliminary"), N("final") } };
const struct codec_names codec_names_liquidity = {
    4, { NO_NAME, N("maker"), N("taker"), N("auction") } };
const struct codec_names codec_names_leg_state = {
    4, { NO_NAME, N("live"), N("asleep"), N("ended") } };
#define FIELD(number_, name_, text_) N(text_),
const struct codec_names codec_names_field = { 24, { NO_NAME, REJECT_FIELD_LIST(FIELD) } };
/* clang-format on */
