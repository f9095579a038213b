/* Options that give long-lived keys: RSA private keys and pre-shared keys. */
#ifndef TLSWIRE_CLI_KEY_OPTIONS_H
#define TLSWIRE_CLI_KEY_OPTIONS_H

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key_ring.h"
#include "stream/tls.h"

#include <stdbool.h>

enum { KEY_OPTIONS_FILES = 256 };

/* Zeroed to begin with. */
struct key_options {
    struct key_ring *ring;              /* owned; NULL until a key was taken */
    char *files[KEY_OPTIONS_FILES];     /* owned: what to read private keys from */
    char *passwords[KEY_OPTIONS_FILES]; /* owned */
    size_t file_count;
    const char *password_file; /* of those that come without a password; NULL: none */
};

enum key_option { KEY_OPTION_OTHER, KEY_OPTION_TAKEN, KEY_OPTION_REFUSED };

/* Takes "name:value" of -o when it is about such keys.  KEY_OPTION_REFUSED: the error is set. */
enum key_option key_options_take(struct key_options *o, const char *argument, struct error *error);
/* Reads the private keys that were named.  A file that gives none is told on stderr, and does no
 * harm; false when a file of passwords cannot be read, and the error is set. */
bool key_options_load(struct key_options *o, struct error *error);
/* Says on stderr why such keys did not open connections, once each reason. */
void key_options_tell(const struct tls_key_stats *stats);
void key_options_free(struct key_options *o);

#endif
