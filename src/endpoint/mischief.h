/* Between OpenSSL and the socket: takes the records that a server sends, and does to them what
 * `--break` asks for and OpenSSL would never do.
 *
 * Which message is in which record OpenSSL tells (SSL_set_msg_callback), so that protected ones can be
 * named, too.  Where a protected message is to be changed, added or left out, the record is opened with
 * the connection's own secrets, and protected anew with sequence numbers of its own. */
#ifndef TLSWIRE_ENDPOINT_MISCHIEF_H
#define TLSWIRE_ENDPOINT_MISCHIEF_H

#include "endpoint/breakage.h"

enum mischief_end {
    MISCHIEF_GOES_ON,
    MISCHIEF_HOLDS,  /* keep the connection, say no more */
    MISCHIEF_ENDS,   /* FIN after what there is */
    MISCHIEF_RESETS, /* RST */
};

struct mischief;

/* NULL without memory, or when the choice leaves the wire alone.  SSL must outlive it. */
struct mischief *mischief_new(const struct breakage_choice *, SSL *);
void mischief_free(struct mischief *);
/* A line of the key log of this connection. */
void mischief_keylog(struct mischief *, const char *line);
/* What OpenSSL tells of what it sends (SSL_set_msg_callback): a header, a message. */
void mischief_listen(struct mischief *, int content_type, struct slice what);
/* Whole records from OpenSSL, which are copied. */
void mischief_take(struct mischief *, struct slice records);
/* The next piece to send, in one write of its own; valid until the next call of mischief_take. */
bool mischief_next(struct mischief *, struct slice *piece);
/* What is to become of the connection now; anything but MISCHIEF_GOES_ON is told once. */
enum mischief_end mischief_verdict(struct mischief *);
/* "broken on purpose: alert:Finished", or what stood in the way of that. */
const char *mischief_text(const struct mischief *);

#endif
