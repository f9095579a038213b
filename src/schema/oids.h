/* Names of object identifiers and of certificate transparency logs. */
#ifndef TLSWIRE_SCHEMA_OIDS_H
#define TLSWIRE_SCHEMA_OIDS_H

#include "base/buf.h"
#include "base/slice.h"

/* Name of an object identifier in DER (its content alone); NULL when it has none. */
const char *oid_name(struct slice oid);
/* The same, or the name of the longest known beginning with the rest in numbers: "id-pkix.8.9". */
void oid_text(struct buf *out, struct slice oid);
/* "1.2.840.113549"; stops in front of an arc that is cut short or does not fit in 63 bits. */
void oid_dotted(struct buf *out, struct slice oid);

/* Name of a log by its 32-byte identifier (RFC 6962 3.2); NULL when it is not known. */
const char *ct_log_name(struct slice id);
#define CT_KEY_SIZE 65
/* Its key, a point of P-256, uncompressed; empty when it is not known. */
struct slice ct_log_key(struct slice id);

#endif
