/* Reasons: why a request was refused or an order ended, one a line: number, name, sentence. Numbers
 * are on the wire and never change or get reused. The order of checks is the order of the list
 * within each part; the first that fails is the reason given.
 *   1..99     the gateway: the message; no cl_ord_id is used up
 *   100..199  the core: the sender; then the order or request
 *   200..299  why an order was taken out (not refusals)
 *   300..399  the read side */
#ifndef KASHI_WIRE_REJECT_H
#define KASHI_WIRE_REJECT_H

#include <stdint.h>

#define REASON_LIST(X)                                                                             \
    X(0, NONE, "no error")                                                                         \
    X(1, MESSAGE_TOO_LARGE, "the message is larger than the gateway takes")                        \
    X(2, MALFORMED, "the message is not one well-formed msgpack value")                            \
    X(3, TRAILING_BYTES, "bytes follow the end of the message")                                    \
    X(4, NOT_A_MAP, "a request is a map with string keys, or an array of such maps")               \
    X(5, TOO_MANY_REQUESTS, "the message holds more requests than the gateway takes at once")      \
    X(6, UNKNOWN_TYPE, "the request type is not known")                                            \
    X(7, UNKNOWN_FIELD, "the request has a field that this type does not know")                    \
    X(8, DUPLICATE_FIELD, "a field stands twice in the request")                                   \
    X(9, MISSING_FIELD, "a required field is missing")                                             \
    X(10, WRONG_TYPE, "a field has the wrong type; numbers are integers")                          \
    X(11, OUT_OF_RANGE, "a field's value is out of its range")                                     \
    X(12, TEXT_TOO_LONG, "a text is longer than its field takes")                                  \
    X(13, UNKNOWN_SYMBOL, "the symbol does not name a registered class, region, tier and hour")    \
    X(14, UNKNOWN_NAME, "the value is not one of those that the field takes")                      \
    X(15, NOT_LOGGED_IN, "log in first")                                                           \
    X(16, TOO_FAST, "more messages a second than the gateway takes from one key")                  \
    X(17, EXCHANGE_UNREACHABLE, "the gateway has no link to the exchange; try again")              \
    X(18, ROLE_NOT_ALLOWED, "this key's roles do not allow the request")                           \
    X(19, REPLICA_UNREACHABLE, "the read side does not answer; try again")                         \
    X(20, OVERLOADED, "too many requests are waiting; try again")                                  \
    X(21, SILENT, "nothing was heard from the client within the heartbeat interval")               \
    X(100, UNKNOWN_KEY, "the key is not registered or was revoked")                                \
    X(101, SESSION_ENDED,                                                                          \
      "another login of this key ended the session; use a key for each program")                   \
    X(102, DUPLICATE, "cl_ord_id is not higher than the highest used with this key")               \
    X(103, RATE_EXCEEDED, "more requests a second than this key may send")                         \
    X(104, NOT_AUTHORIZED, "the account's role does not allow the request")                        \
    X(105, ACCOUNT_KILLED, "the account was stopped by the kill switch; cancels still work")       \
    X(106, INVALID_COMMAND, "the command is not well formed or not of this version")               \
    X(110, UNKNOWN_CONTRACT, "class, region or tier of the contract is not registered")            \
    X(111, NO_MARKET, "no market is open for this class and region")                               \
    X(112, MARKET_HALTED, "the market is halted; cancels still work")                              \
    X(113, GATE_CLOSED_FOR_HOUR, "the gate of this delivery hour has closed")                      \
    X(114, BEYOND_HORIZON, "the delivery hour lies beyond the trading horizon")                    \
    X(115, INVALID_SIDE, "side is buy or sell")                                                    \
    X(116, INVALID_ORD_TYPE, "order type is limit or market")                                      \
    X(117, INVALID_TIME_IN_FORCE, "time in force is gate, time, ioc or fok")                       \
    X(118, INVALID_STP, "self-trade prevention is newest, oldest or decrement")                    \
    X(119, MARKET_MUST_NOT_REST, "a market order is immediate-or-cancel or fill-or-kill")          \
    X(120, POST_ONLY_WITH_IMMEDIATE, "post-only does not go with an order that must not rest")     \
    X(121, MIN_QTY_WITH_FOK, "fill-or-kill already asks for the whole quantity")                   \
    X(122, MIN_QTY_WITH_POST_ONLY, "a post-only order has no fill on arrival to test min_qty on")  \
    X(123, EXPIRE_TIME_NOT_ALLOWED, "expire_time goes with time in force 'time' only")             \
    X(124, EXPIRE_TIME_PAST, "expire_time is not in the future")                                   \
    X(125, PRICE_OUT_OF_RANGE, "price is not within 1 .. 2147483646 ten-thousandths")              \
    X(126, QTY_OUT_OF_RANGE, "quantity is not within 1 .. 1000000000 GPUs")                        \
    X(127, QTY_NOT_IN_LOTS, "quantity is not a multiple of the class's lot")                       \
    X(128, QTY_ABOVE_LIMIT, "quantity is above the account's largest order")                       \
    X(129, MIN_QTY_OUT_OF_RANGE, "min_qty is above the quantity or not in lots")                   \
    X(130, NOT_SUPPORTED, "the market's mode does not take such a request")                        \
    X(131, RESOURCE_REQUIRED, "an offer names the resource that it delivers from")                 \
    X(132, RESOURCE_NOT_ALLOWED, "a bid does not name a resource")                                 \
    X(133, UNKNOWN_RESOURCE, "the resource is not registered")                                     \
    X(134, RESOURCE_MISMATCH, "the resource is of another class or region")                        \
    X(135, TIER_NOT_CERTIFIED, "the resource's evidence does not support this tier")               \
    X(136, NO_REFERENCE, "the contract has no reference price yet")                                \
    X(137, PRICE_OUTSIDE_BAND, "the price is outside the band around the reference")               \
    X(138, TOO_MANY_OPEN_ORDERS, "the account has as many open orders as it may")                  \
    X(139, POST_ONLY_WOULD_TRADE, "the post-only order would have traded on arrival")              \
    X(140, INSUFFICIENT_CAPACITY, "not that many GPUs of the resource are unsold in that hour")    \
    X(141, RESALE_NOT_ALLOWED, "this market does not allow resale")                                \
    X(142, INSUFFICIENT_FUNDS, "cash and credit do not cover the order's worst case")              \
    X(143, INSUFFICIENT_BOND, "cash and credit do not cover the offer's bond")                     \
    X(144, FULL, "a table of the exchange is full; try again later")                               \
    X(145, UNKNOWN_ORDER, "no such live order of this account, nor such a listed offer")           \
    X(146, NOTHING_TO_REPLACE, "price and quantity are those that the order has")                  \
    X(147, BUSY, "too many mass cancels are under way; try again")                                 \
    X(148, INVALID_RANGE, "the range of hours is empty")                                           \
    X(149, DISPLAY_QTY_OUT_OF_RANGE,                                                               \
      "display_qty is above the quantity, below a thousandth of it, or not in lots")               \
    X(150, DISPLAY_QTY_WITH_IMMEDIATE, "an order that must not rest has no display_qty")           \
    X(151, RESERVED_NOT_ALLOWED, "only a plain limit offer good till gate is reserved for jobs")   \
    X(152, RESERVED_OUT_OF_RANGE, "job_lead_hours is above the trading horizon")                   \
    X(153, RANGE_OUT_OF_RANGE, "a range has 1 to 840 hours")                                       \
    X(154, LEG_COUNT_OUT_OF_RANGE, "a SET has 1 to 64 legs")                                       \
    X(155, DUPLICATE_LEG, "two legs name the same contract")                                       \
    X(156, DISPLAY_QTY_WITH_SET, "a SET shows all of its quantity in every leg")                   \
    X(157, PRICE_WITH_SET, "a replaced SET keeps the limits of its legs: price_e4 is 0")           \
    X(158, LANE_COUNT_OUT_OF_RANGE, "a JOB has 1 to 32 lanes")                                     \
    X(159, FACTOR_OUT_OF_RANGE, "a lane's factor is not within 1 .. 1000000 ten-thousandths")      \
    X(160, NAME_INVALID, "the name is empty, too long or has characters that it may not have")     \
    X(161, NAME_TAKEN, "the name is already registered")                                           \
    X(162, UNKNOWN_CLASS, "the class is not registered")                                           \
    X(163, UNKNOWN_REGION, "the region is not registered")                                         \
    X(164, UNKNOWN_GROUP, "the ownership group is not registered")                                 \
    X(165, UNKNOWN_ACCOUNT, "the account is not registered")                                       \
    X(166, UNKNOWN_FEES, "the fee schedule is not registered")                                     \
    X(167, VALUE_OUT_OF_RANGE, "a value of the request is out of range")                           \
    X(168, KEY_TAKEN, "the public key is already registered")                                      \
    X(169, AMOUNT_OUT_OF_RANGE, "the amount is not positive or too large")                         \
    X(170, INSUFFICIENT_CASH, "the withdrawal is more than the account's free cash")               \
    X(171, NOT_SIMULATED, "time moves by command only on a simulated clock")                       \
    X(172, LAST_OPERATOR_KEY, "the last operator key cannot be revoked")                           \
    X(173, HOURS_OUT_OF_RANGE, "a JOB runs for 1 to 840 hours")                                    \
    X(174, WINDOW_TOO_SHORT, "the window is shorter than the job")                                 \
    X(175, INVALID_PLACEMENT, "placement is site, any or same")                                    \
    X(176, UNKNOWN_TRADE_GROUP, "no JOB of this ownership group traded in one resource under it")  \
    X(177, SAME_GROUP_NOT_ALLOWED, "same_group goes with placement 'same' only")                   \
    X(178, JOB_WITH_POST_ONLY, "a JOB holds no price in a book, so it cannot be post-only")        \
    X(179, JOB_WITH_MIN_QTY, "a JOB is filled whole or not at all: min_qty is 0")                  \
    X(180, JOB_WITH_DISPLAY_QTY, "a JOB is not shown: display_qty is 0")                           \
    X(181, JOB_TOO_LARGE, "price x GPUs x hours is above the largest amount of money")             \
    X(182, JOB_TOO_WIDE, "lanes and window hold more offers than one search may look at")          \
    X(183, DUPLICATE_LANE, "two lanes have the same class, region and tier")                       \
    X(184, AUCTION_COLLECTING, "an auction collects limit orders that may rest, nothing else")     \
    X(185, SELF_TRADE_TAKE, "the offer is of the taker's own ownership group")                     \
    X(186, QTY_ABOVE_OFFER, "more than the offer has left")                                        \
    X(187, TRIAL_TOO_WIDE, "fill-or-kill or min_qty would have to count more orders than it may")  \
    X(200, REQUESTED, "canceled on request")                                                       \
    X(201, MASS_CANCELED, "canceled by a mass cancel")                                             \
    X(202, DISCONNECTED, "canceled because the session ended or its link was lost")                \
    X(203, EXPIRED, "expired at its expire_time")                                                  \
    X(204, GATE_CLOSED, "expired at the gate of its delivery hour")                                \
    X(205, IMMEDIATE_REMAINDER, "the remainder of an immediate order was canceled")                \
    X(206, FOK_NOT_FILLED, "the whole quantity could not be filled at once")                       \
    X(207, MIN_QTY_NOT_MET, "less than min_qty could be filled on arrival")                        \
    X(208, SELF_TRADE, "it would have traded with its own ownership group")                        \
    X(209, BAND_REMAINDER, "trading on would have left the inner price band")                      \
    X(210, KILLED, "canceled by the kill switch")                                                  \
    X(211, NO_LIQUIDITY, "a market order found nothing on the other side")                         \
    X(212, REPLACED_AWAY, "the new quantity is not above what was already filled")                 \
    X(213, RESERVATION_ENDED, "the offer is no longer reserved for jobs and stands in its book")   \
    X(214, JOB_NOT_FILLED, "no lane and start within the limit has all of the JOB now")            \
    X(215, MODE_CHANGED, "the market's mode has changed to one in which such orders do not rest")  \
    X(300, LAGGING, "the read side has not yet reached min_seq; try again")                        \
    X(301, NOT_FOUND, "nothing is known under this id")                                            \
    X(302, NEVER_ENTERED, "the number was passed over and never reached the exchange")             \
    X(303, READ_TOO_WIDE, "the read asks for more than one answer holds")

#define REASON_ENUM(number, name, sentence) REASON_##name = number,
enum reject_reason { REASON_LIST(REASON_ENUM) };
#undef REASON_ENUM

/* The field that VALUE_OUT_OF_RANGE is about, by its name in the protocol. Numbers are on the tape: they
 * never change or get reused. 0: none. */
#define REJECT_FIELD_LIST(X)                                                                       \
    X(1, LOT, "lot")                                                                               \
    X(2, CARBON_FREE_BP, "carbon_free_bp")                                                         \
    X(3, LAUNCH_PRICE_G0_E4, "launch_price_g0_e4")                                                 \
    X(4, LAUNCH_PRICE_G50_E4, "launch_price_g50_e4")                                               \
    X(5, LAUNCH_PRICE_G80_E4, "launch_price_g80_e4")                                               \
    X(6, LAUNCH_PRICE_G100_E4, "launch_price_g100_e4")                                             \
    X(7, MODE, "mode")                                                                             \
    X(8, INNER_BAND_BP, "inner_band_bp")                                                           \
    X(9, OUTER_BAND_BP, "outer_band_bp")                                                           \
    X(10, OPENING_S, "opening_s")                                                                  \
    X(11, VOLATILITY_S, "volatility_s")                                                            \
    X(12, PERIOD_S, "period_s")                                                                    \
    X(13, RANDOM_END_S, "random_end_s")                                                            \
    X(14, VOLATILITY_MIN_QTY, "volatility_min_qty")                                                \
    X(15, ROLES, "roles")                                                                          \
    X(16, GPUS, "gpus")                                                                            \
    X(17, TIER, "tier")                                                                            \
    X(18, MAKER_BP, "maker_bp")                                                                    \
    X(19, TAKER_BP, "taker_bp")                                                                    \
    X(20, ORDER_QTY_LIMIT, "order_qty_limit")                                                      \
    X(21, RATE_LIMIT, "rate_limit")                                                                \
    X(22, PRICE_E4, "price_e4")                                                                    \
    X(23, DELTA_NS, "delta_ns")

#define REJECT_FIELD_ENUM(number, name, text) REJECT_FIELD_##name = number,
enum reject_field { REJECT_FIELD_NONE = 0, REJECT_FIELD_LIST(REJECT_FIELD_ENUM) };
#undef REJECT_FIELD_ENUM

/* "INSUFFICIENT_FUNDS"; "UNKNOWN" for a number that is none. Static storage. */
const char *reason_name(uint16_t reason);
/* The sentence, without a full stop. Static storage. */
const char *reason_sentence(uint16_t reason);
/* "lot"; "" for 0 and a number that is none. Static storage. */
const char *reject_field_name(uint8_t field);

#endif
