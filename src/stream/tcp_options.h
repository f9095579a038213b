/* The walk over the options of a TCP header (RFC 9293 3.1): one reader for all that look at them. */
#ifndef TLSWIRE_STREAM_TCP_OPTIONS_H
#define TLSWIRE_STREAM_TCP_OPTIONS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum tcp_option_kind {
    TCP_OPTION_END = 0,
    TCP_OPTION_NOP = 1,
    TCP_OPTION_MSS = 2,
    TCP_OPTION_WSCALE = 3,
    TCP_OPTION_SACK_PERM = 4,
    TCP_OPTION_SACK = 5,
    TCP_OPTION_ECHO = 6,
    TCP_OPTION_ECHO_REPLY = 7,
    TCP_OPTION_TIMESTAMPS = 8,
    TCP_OPTION_CC = 11,
    TCP_OPTION_CC_NEW = 12,
    TCP_OPTION_CC_ECHO = 13,
    TCP_OPTION_MD5 = 19,
    TCP_OPTION_QUICK_START = 27,
    TCP_OPTION_USER_TIMEOUT = 28,
    TCP_OPTION_AUTHENTICATION = 29,
    TCP_OPTION_MULTIPATH = 30,
    TCP_OPTION_FAST_OPEN = 34,
    TCP_OPTION_RIVERBED_PROBE = 76,
    TCP_OPTION_RIVERBED_PATH = 78,
    TCP_OPTION_ACC_ECN_0 = 172,
    TCP_OPTION_ACC_ECN_1 = 174,
    TCP_OPTION_EXPERIMENT_1 = 253,
    TCP_OPTION_EXPERIMENT_2 = 254,
};

/* Identifiers of experimental options (RFC 6994). */
enum tcp_experiment {
    TCP_EXPERIMENT_ACK_RATE = 0x00ac,
    TCP_EXPERIMENT_FAST_OPEN = 0xf989,
};

enum tcp_option_fault {
    TCP_OPTION_FINE,
    TCP_OPTION_SHORT, /* its length is below 2, or is not there: the options cannot be read further */
    TCP_OPTION_LONG, /* it would end past the end of the options: neither */
    TCP_OPTION_CUT, /* the capture ends inside it: `value` is what is there, `len` 0 if not even that is */
};

struct tcp_option {
    uint8_t kind;
    uint8_t len;    /* as the option says, kind and length included; 1 for END and NOP */
    uint8_t offset; /* in the options */
    enum tcp_option_fault fault;
    struct slice value; /* after kind and length */
};

struct tcp_option_walk {
    struct slice options; /* all of them, as far as captured */
    struct slice rest;    /* not read yet; empty after a fault */
    size_t missing;       /* bytes of options that were not captured */
};

/* DECLARED is the length that the header gives the options, at least options.len. */
static inline struct tcp_option_walk tcp_options_of(struct slice options, size_t declared)
{
    return (struct tcp_option_walk){.options = options,
                                    .rest = options,
                                    .missing = declared > options.len ? declared - options.len : 0};
}

/* Reads the next option; false when there is none.  END does not end the walk: what follows it should be zero,
 * and zeros read as END. */
static inline bool tcp_option_next(struct tcp_option_walk *w, struct tcp_option *out)
{
    if (w->rest.len == 0)
        return false;
    *out = (struct tcp_option){.offset = (uint8_t)(w->options.len - w->rest.len),
                               .value = slice_empty()};
    size_t left = w->rest.len;
    out->kind = slice_u8(&w->rest);
    out->len = 1;
    if (out->kind == TCP_OPTION_NOP || out->kind == TCP_OPTION_END)
        return true;
    out->len = slice_u8(&w->rest);
    if (left < 2 && w->missing > 0)
        out->fault = TCP_OPTION_CUT;
    else if (out->len < 2)
        out->fault = TCP_OPTION_SHORT;
    else if (out->len > left + w->missing)
        out->fault = TCP_OPTION_LONG;
    else if (out->len > left)
        out->fault = TCP_OPTION_CUT;
    out->value = slice_sub(w->rest, 0, out->len < 2 ? 0 : out->len - 2u);
    slice_skip(&w->rest, out->fault ? w->rest.len : out->value.len);
    return true;
}

#endif
