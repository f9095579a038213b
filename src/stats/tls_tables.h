/* The tables of -z tls, shared by their files; nobody else includes it. */
#ifndef TLSWIRE_STATS_TLS_TABLES_H
#define TLSWIRE_STATS_TLS_TABLES_H

#include "schema/registries.h"
#include "stats/tls_sessions.h"

enum table_form {
    TABLE_SESSIONS,
    TABLE_VERSIONS,
    TABLE_CIPHERS,
    TABLE_SNI,
    TABLE_JA3,
    TABLE_JA4,
    TABLE_ALERTS,
    TABLE_CERTIFICATES,
    TABLE_TIMING,
    TABLE_ZEEK,
    TABLE_JSON,
};

struct tls_table {
    enum table_form form;
    struct tls_sessions sessions;
    bool has_start;
    int64_t start, stop; /* of the packets seen */
};

/* The registry's name, or 0x and four digits; "-" for a group or alert 0. */
void table_code(struct buf *out, enum registry registry, uint16_t code);

/* tls_zeek.c: one line a session for programs. */
void table_zeek(struct tls_table *t, struct buf *out);
void table_json(struct tls_table *t, struct buf *out);

#endif
