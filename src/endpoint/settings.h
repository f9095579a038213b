/* What a user may ask of a TLS endpoint, as plain data: filled by the command line (or by a library
 * user), turned into an OpenSSL context by endpoint/context.h.
 *
 * All texts are borrowed and must outlive the contexts made from them; NULL means "the default".
 * Versions are wire numbers (0x0301 TLS 1.0 … 0x0304 TLS 1.3); 0 means the library's own limit. */
#ifndef TLSWIRE_ENDPOINT_SETTINGS_H
#define TLSWIRE_ENDPOINT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    VERSION_TLS1_0 = 0x0301,
    VERSION_TLS1_1 = 0x0302,
    VERSION_TLS1_2 = 0x0303,
    VERSION_TLS1_3 = 0x0304,
};

struct tls_settings {
    int min_version, max_version;
    unsigned without_versions; /* bit (version - 0x0300) set: never speak it */
    const char *ciphers;       /* TLS 1.2 and older, OpenSSL's cipher list language */
    const char *ciphersuites;  /* TLS 1.3, colon-separated */
    const char *groups;        /* colon-separated */
    const char *sigalgs;       /* colon-separated */
    const char *alpn;          /* comma-separated, most wanted first */
    const char *servername;    /* client: the SNI to send instead of the host */
    bool no_servername;        /* client: send none */
    const char *cert_file;     /* PEM chain, leaf first */
    const char *key_file;      /* PEM; NULL: in cert_file */
    const char *ca_file, *ca_path;
    bool verify_required; /* client: a certificate that is not trusted ends the handshake */
};

#endif
