/* What -brief, -debug and -keymatexport tell of a connection, on stderr. */
#ifndef TLSWIRE_CLI_SERVE_TELL_H
#define TLSWIRE_CLI_SERVE_TELL_H

#include "endpoint/hooks.h"

/* What was agreed on, in s_server's words. */
void serve_tell_brief(const struct endpoint_report *, struct ssl_st *);
/* Bytes as they went over the wire. */
void serve_tell_bytes(uint64_t id, enum endpoint_direction, struct slice);
/* Exported keying material (RFC 5705, RFC 9846 7.5). */
void serve_tell_exported(uint64_t id, struct ssl_st *, const char *label, unsigned len);

#endif
