/* What an endpoint tells its owner while it runs: enough to write its bytes as packets, its secrets
 * as a key log, and a line per connection.
 *
 * Every hook may be NULL.  Connections are numbered from 1 for each endpoint.  Times are
 * nanoseconds since 1970 (CLOCK_REALTIME).  Texts and slices are borrowed for the length of the
 * call.  Texts that come from the peer are not escaped here; whoever prints them escapes them. */
#ifndef TLSWIRE_ENDPOINT_HOOKS_H
#define TLSWIRE_ENDPOINT_HOOKS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct ssl_st;

enum endpoint_direction { ENDPOINT_SENT, ENDPOINT_RECEIVED };

/* What is known of a connection; filled as it comes. */
struct endpoint_report {
    uint64_t id;
    struct sockaddr_storage local, peer;
    bool handshake_done;
    bool resumed;
    bool peer_said_close;  /* its close_notify came */
    bool truncated;        /* the peer ended the connection without it: what came may be a part */
    bool verified;         /* client: the certificate chain and name are good */
    unsigned early_data;   /* server: bytes that came before the handshake was finished */
    char version[16];      /* "TLSv1.3" */
    char cipher[64];       /* OpenSSL's name */
    char group[32];        /* key exchange group; empty when there is none */
    char server_name[256]; /* SNI */
    char alpn[256];
    char verify_result[96]; /* of the peer's certificate, in words */
    char peer_name[256];    /* server: the subject of the client's certificate; empty: none came */
    char note[64];          /* what else is to be said of it; empty: nothing */
    char error[256];        /* empty: none */
};

/* A message or record header, as OpenSSL saw it in the clear. */
struct endpoint_message {
    bool sent;
    int version, content_type; /* OpenSSL's: SSL3_RT_HEADER is a record's header */
    struct slice bytes;
};

struct endpoint_hooks {
    void *user;
    void (*on_open)(void *user, const struct endpoint_report *, int64_t time_ns);
    /* Bytes as they went to or came from the socket. */
    void (*on_bytes)(void *user, uint64_t id, enum endpoint_direction, struct slice,
                     int64_t time_ns);
    /* The end of one direction: FIN, or with RESET the abrupt end of both. */
    void (*on_end)(void *user, uint64_t id, enum endpoint_direction, bool reset, int64_t time_ns);
    void (*on_handshake)(void *user, const struct endpoint_report *);
    /* One line in the key log format (RFC 9850), without a line end.  A secret: do not print it. */
    void (*on_keylog)(void *user, uint64_t id, const char *line);
    /* Something went wrong; id 0 when it was not about one connection. */
    void (*on_error)(void *user, uint64_t id, const char *text);
    /* After on_handshake, for who wants to know more than the report says; borrowed. */
    void (*on_tls)(void *user, const struct endpoint_report *, struct ssl_st *);
    /* What TLS does now, in words. */
    void (*on_state)(void *user, uint64_t id, const char *text);
    void (*on_close)(void *user, const struct endpoint_report *, int64_t time_ns);
};

/* "192.0.2.1:443" or "[2001:db8::1]:443" into TEXT; "?" when it is neither family. */
void endpoint_address_text(const struct sockaddr_storage *, char *text, size_t size);
/* The port in host order, 0 when it has none. */
uint16_t endpoint_port(const struct sockaddr_storage *);
/* Splits "host:port", "[v6]:port", ":port" or "port" (host then empty).  PORT may be 0.
 * False when it is none of these. */
bool endpoint_split(const char *text, char *host, size_t host_size, uint16_t *port);
int64_t endpoint_now_ns(void);

#endif
