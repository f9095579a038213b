/* A certificate authority of one's own: a root made once and kept in a folder, and certificates for
 * any name, made when a client asks for it.
 *
 * The folder is private to its owner (0700); ca-key.pem holds the key with its certificate (0600),
 * ca.pem the certificate alone, to be trusted.  Two programs that make it at once end up with the
 * same one.  A folder or key that others own, or may change, is refused. */
#ifndef TLSWIRE_ENDPOINT_AUTHORITY_H
#define TLSWIRE_ENDPOINT_AUTHORITY_H

#include "base/error.h"
#include "endpoint/certificate.h"
#include "endpoint/leaf.h"

#include <openssl/ssl.h>

#define AUTHORITY_PATH  1024
#define AUTHORITY_NAMES 256 /* certificates that are kept for the next client that asks */
#define AUTHORITY_DAYS  1825

/* ---- authority_files.c: what is kept in the folder ---- */

/* Where it lives: $XDG_STATE_HOME/tlswire, or ~/.local/state/tlswire; false when neither is there. */
bool authority_folder(char path[AUTHORITY_PATH], struct error *);
/* Reads the root from FOLDER, or makes it there.  The caller frees *ROOT, also after a failure. */
bool authority_load(const char *folder, struct certificate *root, struct error *);
/* Puts a new root in the place of whatever FOLDER holds. */
bool authority_renew(const char *folder, struct certificate *root, struct error *);

/* ---- authority.c: certificates for names ---- */

struct authority;

/* Takes over ROOT's contents, also after a failure (NULL).  RSA: never ECDSA. */
struct authority *authority_new(struct certificate *root, bool rsa, struct error *);
/* One that lives as long as the program; fast to make. */
struct authority *authority_new_temporary(bool rsa, struct error *);
void authority_free(struct authority *);
const struct certificate *authority_root(const struct authority *);
/* From now on they are not good, but as TWIST says, which is borrowed. */
void authority_twist(struct authority *, const struct leaf_twist *twist);
/* Servers of CTX show a certificate for the name that the client asks for, else for localhost and
 * the address that it connected to; ECDSA P-256, or RSA for clients that know no other. */
void authority_serve(struct authority *, SSL_CTX *);
/* The subjectAltName for a server name, or without one (NULL or no host name) for localhost and
 * LOCAL's address: "DNS:example.com". */
struct sockaddr_storage;
void authority_names(const char *name, const struct sockaddr_storage *local, char *text,
                     size_t size);
/* The same for a name that must be a host's or an address; false for any other. */
bool authority_host(const char *name, char *text, size_t size);
/* Whether a client that has said its hello can do with an ECDSA P-256 certificate. */
bool authority_takes_ecdsa(SSL *);

#endif
