/* HTTP as far as a debugging server needs it, without a version of its own: a request that was read,
 * a response to write; HTTP/1 (answer_http1.c) and HTTP/2 (answer_http2.c) carry them. */
#ifndef TLSWIRE_ENDPOINT_HTTP_H
#define TLSWIRE_ENDPOINT_HTTP_H

#include "base/buf.h"
#include "endpoint/answer.h"

#define REQUEST_CEILING 16384 /* bytes of one request's head */

enum request_state { REQUEST_UNFINISHED, REQUEST_COMPLETE, REQUEST_BAD };

struct http_request {
    char method[16];
    char path[2048];     /* decoded, without what follows a '?'; starts with '/' */
    char accept[512];    /* "" when it was not said */
    unsigned status;     /* not 0: refuse it with this */
    bool http_1_1;       /* else 1.0 or older */
    bool close;          /* after this one */
    const char *carried; /* "HTTP/1.1", for the page */
};

struct http_response {
    unsigned status;
    const char *type; /* NULL: none is said */
    bool no_store;
    bool raw;            /* the file is a whole response with its head */
    char location[2100]; /* "" for most */
    struct buf body;     /* owned */
    int fd;              /* -1: the body is in `body`; owned */
    uint64_t size, sent; /* of the body */
};

/* Looks whether HEAD begins with the whole head of an HTTP/1 request; *LEN is its length then. */
enum request_state http_head(struct slice head, size_t *len);
/* Reads a head that is complete. */
void http_read_head(struct http_request *, struct slice head);
/* The target of a request ("/a%20b?c") as a path; false when it is none. */
bool http_read_target(struct http_request *, struct slice target);
/* Makes the response to a request; http_response_free in any case. */
void http_respond(struct answer *, const struct http_request *, struct http_response *);
void http_refuse(struct http_response *, unsigned status);
void http_response_free(struct http_response *);
const char *http_reason(unsigned status);
/* "Wed, 25 Nov 2026 10:00:00 GMT" */
void http_date(char *text, size_t size);
/* Reads the next bytes of the body; their number, 0 at its end, or -1. */
ssize_t http_body(struct http_response *, uint8_t *bytes, size_t size);

/* http_files.c */
bool http_files_prepare(struct answers *, struct error *);
void http_files_respond(struct answer *, const struct http_request *, struct http_response *);

/* A state that can ask for another turn of the loop, so that one connection that takes all that it
 * is given does not hold up the others.  It is the first member of the state, which calloc made. */
struct turn {
    uv_idle_t idle;
    void (*run)(struct answer *);
    struct answer *answer;
};
void turn_init(struct turn *, struct answer *, void (*run)(struct answer *));
void turn_ask(struct turn *);
/* Closes the handle, then frees the state. */
void turn_free(struct turn *);

#endif
