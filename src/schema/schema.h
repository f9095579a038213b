/* The wire format as data: every field that tlswire knows, its name, type, display and meaning, and the
 * blocks that say in which order fields stand on the wire.
 *
 * The rows stand in the *.def files of this folder; this header and schema.c include them with different
 * macros to get the enum, the table of fields, the labels and the blocks.  Field names, types and displays
 * are the ones that users of Wireshark's filters know; docs/architecture.md tells how to add a row. */
#ifndef TLSWIRE_SCHEMA_SCHEMA_H
#define TLSWIRE_SCHEMA_SCHEMA_H

#include "base/buf.h"
#include "schema/registries.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
    TYPE_NONE, /* a heading: no value of its own */
    TYPE_PROTOCOL,
    TYPE_BOOLEAN,
    TYPE_UINT8,
    TYPE_UINT16,
    TYPE_UINT24,
    TYPE_UINT32,
    TYPE_UINT64,
    TYPE_INT8,
    TYPE_INT16,
    TYPE_INT32,
    TYPE_INT64,
    TYPE_ABSOLUTE_TIME, /* value: nanoseconds since 1970, signed */
    TYPE_RELATIVE_TIME, /* value: nanoseconds, signed */
    TYPE_STRING,
    TYPE_BYTES,
    TYPE_IPV4,
    TYPE_IPV6,
    TYPE_ETHER,
    TYPE_OID,
    TYPE_FRAMENUM,
    TYPE_COUNT
};

/* How a number is shown: decimal 10, hexadecimal 0x000a, both ways round, or as a port. */
enum field_display {
    SHOW_NONE,
    SHOW_DEC,
    SHOW_HEX,
    SHOW_OCT,
    SHOW_DEC_HEX,
    SHOW_HEX_DEC,
    SHOW_PORT,
    SHOW_UTC,     /* times: in UTC */
    SHOW_LOCAL,   /* times: in the user's zone */
    SHOW_SECONDS, /* " seconds" after the number */
    SHOW_MILLISECONDS,
    SHOW_BYTES,  /* " bytes" after the number, " byte" after 1 */
    SHOW_BITS_8, /* booleans and masked numbers: width of the bit picture "..1. .... = " */
    SHOW_BITS_4,
    SHOW_BITS_12,
    SHOW_BITS_16,
    SHOW_BITS_24,
    SHOW_BITS_32,
    SHOW_UTF8,  /* strings on the wire in UTF-8; without it they are ASCII */
    SHOW_EMPTY, /* bytes that may be none: "<none>" in a cell, not "<MISSING>" */
};

struct field {
    const char *abbrev; /* "tls.handshake.type"; "" for a heading that has no name */
    const char *label;  /* "Handshake Type" */
    size_t label_len;
    uint64_t mask;     /* the bits that hold it; 0: all of them */
    uint16_t registry; /* enum registry, REG_NONE */
    uint16_t template; /* enum label_id: its text when that is not the usual "Label: value"; LABEL_USUAL */
    uint8_t type;    /* enum field_type */
    uint8_t display; /* enum field_display */
    bool more;       /* tshark 4.0.17 shows none like it: in its formats only when asked for */
    uint8_t abbrev_len;
    const char *meaning; /* one sentence, or NULL */
    const char *section; /* "RFC 9846 4.2.8", or NULL */
};

enum field_id {
    F_NONE,
#define PROTOCOL(id, abbrev, name, meaning, section)                              F_##id,
#define FIELD(id, abbrev, label, type, display, registry, mask, meaning, section) F_##id,
#define FIELD_AS(id, abbrev, label, type, display, registry, mask, template, meaning, section) \
    F_##id,
#define HEADING(id, template)                                           F_##id,
#define EXPERT_ROW(id, abbrev, severity, group, summary, text, meaning) F_expert_##id,
#include "schema/all.def"
    FIELD_COUNT
};

extern const struct field fields[FIELD_COUNT];

/* Looks a field up by its abbreviation, "ssl" for "tls" included; F_NONE when there is none.  Several ids may
 * share an abbreviation (one name, different displays): the first is returned, and field_same_name() gives
 * the next, F_NONE after the last. */
enum field_id field_find(const char *abbrev, size_t len);
enum field_id field_same_name(enum field_id id);
/* The protocol that a field belongs to: the nearest PROTOCOL row above it. */
enum field_id field_protocol(enum field_id id);
/* Name of the protocol that Wireshark registers a field under: "" for a protocol, a heading, and an
 * option of IP or TCP.  It looks through the table: not for the hot path. */
const char *field_parent(enum field_id id);

/* Completes WANT, of FIELD_COUNT bytes: who asks for a field that tshark 4.0.17 does not have, asks for the parts
 * that such fields stand in. */
void field_want_parts(uint8_t *want);

/* ---- labels: the texts of the tree that are more than "Label: value" -------------------------------- */

/* A label is a list of parts, each a text or a value looked up among the item's descendants. */
enum part_kind {
    PART_END,
    PART_TEXT,   /* text as it is */
    PART_USUAL,  /* the usual text of the item: bit picture, "Label: value" */
    PART_EXPERT, /* summary of expert `extra` with the item's value */
    PART_SHOWN, /* value of descendant `field` as the usual "Label: value" shows it, without "Label: " */
    PART_DEC,   /* value of descendant `field`, decimal */
    PART_HEX,   /* 0x…, `arg` digits at least */
    PART_TIMES, /* value of descendant `field` times `arg`, decimal */
    PART_NAME, /* name of descendant `field` in its own registry; else `text` with %u or %x for the number */
    PART_SELF_SHOWN,
    PART_SELF_DEC,
    PART_SELF_HEX,
    PART_SELF_TIMES,
    PART_SELF_NAME, /* name of bits arg>>8 … (arg&255 of them) of the item's own value in registry `field` */
    PART_EXTRA_DEC,  /* the item's `extra` */
    PART_EXTRA_HEX,  /* the same, `arg` digits at least, without 0x */
    PART_EXTRA_NAME, /* name of the item's `extra` in registry `field`; else `text` */
    PART_COUNT,      /* how many children of kind `field` */
    PART_PLURAL, /* `text` is the singular and, behind it, the plural; by the last number written */
    PART_LENGTH, /* the item's length in bytes */
    PART_LABEL,  /* the field's own label */
    PART_IF,     /* skip the next `arg` parts unless descendant `field` is there */
    PART_UNLESS, /* skip the next `arg` parts if descendant `field` is there */
    PART_IF_EXTRA,  /* skip the next `arg` parts unless `extra` is not 0 */
    PART_IF_LENGTH, /* skip the next `arg` parts unless the length is not 0 */
    PART_VALUE_TEXT, /* the text value of the item (strings and generated strings), unescaped for tree */
    PART_NOTE, /* text that the item's number names: value>>32 bytes at (uint32_t)value of the tape's text */
    PART_BITS, /* bit picture of `extra`, `arg` bits wide, its bits in mask `field` shown: "0101 .... = " */
    PART_SELF_FLAGS, /* names in registry `field` of the bits set in the value, from bit 0, with ", " between;
                       a name that repeats its forerunner is left out; `text` when no bit is set */
    PART_SELF_BITS, /* bits arg>>8 … (arg&255 of them) of the value, decimal */
    PART_OFFSET,    /* the item's offset in its source */
    PART_LAST,      /* the offset of its last byte */
    PART_PICTURE,   /* bit picture of the item's own value, as the usual text has it */
    PART_COVERS,    /* the bytes that the item covers, as hex with colons */
    PART_SELF_SPAN, /* the value as a span of time of a minute at least: " (2 hours, 5 minutes)" */
    PART_EXTRA_NOTE, /* text that ends at a NUL in the tape's text, from `extra` - 1 on; none when `extra` is 0 */
    PART_IF_BITS, /* skip the next `arg` parts unless the value has a bit of mask `field` */
};

struct part {
    uint8_t kind;
    uint16_t arg;
    uint16_t field; /* enum field_id, or enum registry where the kind says so */
    uint16_t
        len; /* of the text of a PART_TEXT, or of the first of a PART_PLURAL, whose second has `arg` bytes */
    const char *text; /* PEN_PAD stands behind those */
};

enum label_id {
    LABEL_USUAL,
#define LABEL(id, ...) LABEL_##id,
#include "schema/all.def"
    LABEL_COUNT
};

/* Parts of each label, ended by PART_END; labels[LABEL_USUAL] is NULL. */
extern const struct part *const labels[LABEL_COUNT];

/* ---- experts: remarks on a packet, as Wireshark's expert information; a row is a field F_expert_<id> too -------------------------------- */

enum severity {
    SEVERITY_CHAT = 0x00200000,
    SEVERITY_NOTE = 0x00400000,
    SEVERITY_WARN = 0x00600000,
    SEVERITY_ERROR = 0x00800000,
    SEVERITY_COMMENT = 0x00100000,
};

enum expert_group {
    GROUP_CHECKSUM = 0x01000000,
    GROUP_SEQUENCE = 0x02000000,
    GROUP_RESPONSE = 0x03000000,
    GROUP_REQUEST = 0x04000000,
    GROUP_UNDECODED = 0x05000000,
    GROUP_REASSEMBLE = 0x06000000,
    GROUP_MALFORMED = 0x07000000,
    GROUP_DEBUG = 0x08000000,
    GROUP_PROTOCOL = 0x09000000,
    GROUP_SECURITY = 0x0a000000,
    GROUP_COMMENTS = 0x0b000000,
    GROUP_DECRYPTION = 0x0c000000,
    GROUP_ASSUMPTION = 0x0d000000,
    GROUP_DEPRECATED = 0x0e000000,
};

enum expert_id {
    EXPERT_NONE,
#define EXPERT_ROW(id, abbrev, severity, group, summary, text, meaning) EXPERT_##id,
#include "schema/all.def"
    EXPERT_COUNT
};

struct expert {
    uint16_t field; /* its filterable field of type NONE, e.g. tcp.connection.syn */
    uint32_t severity;
    uint32_t group;
    const char
        *text; /* "%u" stands for the event's number, "%h" and "%l" for its upper and lower 32 bits,
                 "%x" for four hexadecimal digits, "{byte|bytes}" for the word that fits it */
};

extern const struct expert experts[EXPERT_COUNT];

/* What the remark says of NUMBER. */
void expert_text(struct buf *out, const struct expert *expert, uint64_t number);

/* ---- blocks: the order of fields on the wire, run by dissect/walk.c ---------------------------------- */

enum op {
    OP_END,  /* end of the block */
    OP_NUM,  /* number of `size` bytes, big-endian: an event */
    OP_KEEP, /* the same, kept as the register */
    OP_PEEK, /* the same without consuming: bit fields inside the number that follows or went before */
    OP_LEN,    /* a number, kept as the register, that is the length of the SCOPE that follows */
    OP_VECTOR, /* the same for a length that has to be within `arg` (least in the low 8 bits, most
                  above); when it is not there or too large, a remark says so and the block ends */
    OP_SCOPE,  /* open a scope of register bytes: nothing inside can read past it */
    OP_REST_SCOPE, /* open a scope of all that is left */
    OP_UNSCOPE,    /* close it; bytes left over are shown as trailing */
    OP_OPEN,       /* an item whose children follow; spans what is read until CLOSE */
    OP_OPEN_BYTES, /* the same with a value of `size` bytes; they are read by the children, or passed over */
    OP_CLOSE,
    OP_EACH, /* repeat until NEXT while bytes are left in the scope, `size` at least when it is not 0 */
    OP_NEXT,
    OP_BYTES,         /* `size` bytes as one value */
    OP_REST,          /* all bytes left in the scope as one value, when there are any */
    OP_REST_OR_EMPTY, /* the same, an event of length 0 when there are none; `arg`: its label */
    OP_IF_MORE,       /* skip to ENDIF when the scope is empty */
    OP_IF_EQ,         /* skip to ENDIF unless the register equals `arg` */
    OP_UNLESS_EQ,     /* skip to ENDIF if it does */
    OP_IF_NONZERO,    /* skip to ENDIF when the register is 0 */
    OP_IF_IN,     /* skip to ENDIF unless a bit of the context is in `arg` (enum walk_context) */
    OP_UNLESS_IN, /* skip to ENDIF if one is */
    OP_ENDIF,
    OP_SKIP,      /* pass over `size` bytes without an event */
    OP_SKIP_REST, /* pass over all bytes left in the scope */
    OP_CALL,      /* run escape hatch `arg` (enum call_id) */
    OP_RUN,       /* run block `arg`; the register is as before afterwards */
    OP_WHOLE,     /* all bytes left in the scope as one value, without consuming them */
    OP_PARTS, /* when more is asked for: block `arg` over what is left in the scope, under a heading of its own,
                 without consuming it; what does not fit is told there and harms nothing */
};

/* What a walk is about: the message, the version, the key exchange.  Bits for IF_IN and UNLESS_IN. */
enum walk_context {
    IN_CLIENT_HELLO = 1 << 0,
    IN_SERVER_HELLO = 1 << 1,
    IN_HELLO_RETRY_REQUEST = 1 << 2,
    IN_ENCRYPTED_EXTENSIONS = 1 << 3,
    IN_CERTIFICATE = 1 << 4,
    IN_CERTIFICATE_REQUEST = 1 << 5,
    IN_TICKET = 1 << 6,
    IN_TLS13 = 1 << 8,
    IN_TLS12 = 1 << 9, /* the version with pairs of hash and signature */
    IN_SSL3 = 1 << 7,
    IN_CLOCK = 1 << 10,    /* the random begins with a clock, as before TLS 1.3 */
    IN_DRAFT_21 = 1 << 11, /* a draft of TLS 1.3 up to this one: hellos of servers are shorter */
    KEY_ECDHE = 1 << 12,
    KEY_DHE = 1 << 13,
    KEY_RSA_EXCHANGE = 1 << 14,
    KEY_PSK = 1 << 15,      /* a shared key alone */
    KEY_WITH_PSK = 1 << 16, /* one of the others with a shared key */
    KEY_SIGNED = 1 << 17,   /* the server signs its parameters */
    KEY_JPAKE = 1 << 18,    /* the others exclude each other, too */
    KEY_PWD = 1 << 19,
    KEY_SRP = 1 << 20,
    KEY_KRB5 = 1 << 21,
    KEY_GOST = 1 << 22,
    KEY_SM2 = 1 << 23,
    IN_DRAFT_20 = 1 << 24, /* up to this one: tickets have no nonce */
    IN_DRAFT_18 = 1 << 25, /* up to this one: HelloRetryRequest has no cipher suite */
    IN_RAW_KEY =
        1 << 26, /* a Certificate of TLS 1.2 that is one raw public key, and no list (RFC 7250 3) */
    IN_OPENPGP = 1 << 27,
    IN_OTHER_CERTIFICATE = 1 << 28, /* certificates that are neither X.509 nor raw keys */
};

struct row {
    uint8_t op;
    uint8_t size;
    uint16_t field;
    uint32_t arg;
};

enum block_id {
    BLOCK_NONE,
#define BLOCK(id)           BLOCK_##id,
#define EXTENSION(code, id) BLOCK_ext_##id,
#define MESSAGE(code, id)   BLOCK_msg_##id,
#include "schema/all.def"
    BLOCK_COUNT
};

extern const struct row *const blocks[BLOCK_COUNT];

/* Block of a TLS extension or handshake message by its code point; BLOCK_NONE when there is none. */
enum block_id block_of_extension(uint16_t type);
enum block_id block_of_message(uint8_t type);

/* The escape hatches, implemented in dissect/calls.c. */
enum call_id {
#define CALL_ID(id) CALL_##id,
#include "schema/calls.def"
#undef CALL_ID
    CALL_COUNT
};

#endif
