/* The generated tables behind schema/oids.h. */
#ifndef TLSWIRE_SCHEMA_OIDS_PRIVATE_H
#define TLSWIRE_SCHEMA_OIDS_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

struct named_bytes {
    const char *bytes;
    uint8_t len;
    const char *name;
};

/* Sorted by their bytes. */
extern const struct named_bytes oid_table[];
extern const size_t oid_table_count;
extern const struct named_bytes ct_log_table[];
extern const size_t ct_log_table_count;
extern const struct named_bytes ct_key_table[]; /* `name` is the key, CT_KEY_SIZE bytes */
extern const size_t ct_key_table_count;

#endif
