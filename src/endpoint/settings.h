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

/* Who opens files for reading: a descriptor, or -1 with errno. */
struct file_opener {
    int (*open)(void *user, const char *path);
    void *user;
};

/* Where a certificate and its key are; `cert` NULL: nowhere. */
struct identity_files {
    const char *cert, *key; /* PEM chain, leaf first, DER or PKCS #12; key NULL: in cert */
    const char *cert_form, *key_form; /* "PEM", "DER", "P12"; NULL: as they look */
    const char *chain;                /* more certificates to send */
    const struct file_opener *opener; /* NULL: this process opens them */
    const char *pass;                 /* "pass:…", "env:…", "file:…", "fd:…", "stdin" */
};

/* An option that OpenSSL knows how to do (SSL_CONF_cmd): "-serverpref". */
struct tls_choice {
    const char *name, *value; /* value NULL: it takes none */
};

#define TLS_CHOICES 32
#define TLS_NAMES   128

/* A server name and what is shown to clients that ask for it. */
struct tls_name {
    const char *name;            /* "www.example.com", "*.example.com" */
    struct identity_files files; /* none: the server's own certificate */
};

/* What only servers have. */
struct server_settings {
    bool ask, demand; /* a certificate of the client; DEMAND: or there is no connection */
    int depth;        /* of its chain */
    bool no_ca_names; /* do not say which CAs are trusted */
    struct tls_name names[TLS_NAMES];
    unsigned name_count;
    bool name_fatal;               /* a server name that is not among them ends the handshake */
    bool no_certificate, no_cache; /* no session cache */
    bool no_dhe;
    const char *psk, *psk_identity, *psk_hint; /* psk: hexadecimal */
    unsigned max_early_data;                   /* bytes; 0: no early data */
    const char *status_file;                   /* OCSP response to staple, DER */
    const char *context;                       /* session id context; NULL: "tlswire" */
};

/* What only clients have. */
struct client_settings {
    const char *host, *address, *email; /* what the certificate must carry instead of the host */
    const char *ca_store;               /* URI of trusted certificates */
    bool no_default_trust;              /* trust nothing but what was named */
    unsigned depth;                     /* certificates between leaf and root; 0: OpenSSL's limit */
    unsigned time;                      /* check as of then, seconds since 1970; 0: now */
    unsigned security;              /* OpenSSL's level of what may be in a chain, + 1; 0: its own */
    unsigned verify_flags;          /* X509_V_FLAG_* */
    const char *purpose;            /* what the certificate must be good for: "sslserver" */
    const char *crl_file;           /* revoked certificates */
    bool status;                    /* ask for a stapled OCSP response */
    bool ct;                        /* ask for signed certificate timestamps */
    const char *ct_logs;            /* file of the logs that are known; NULL: OpenSSL's */
    const char *psk, *psk_identity; /* psk: hexadecimal */
    const char *psk_session;        /* file of a session to use as one */
    const char *session;            /* file of a session to resume */
    const char *early_file;         /* early data */
};

struct tls_settings {
    int min_version, max_version;
    unsigned without_versions; /* bit (version - 0x0300) set: never speak it */
    const char *ciphers;       /* TLS 1.2 and older, OpenSSL's cipher list language */
    const char *ciphersuites;  /* TLS 1.3, colon-separated */
    const char *groups;        /* colon-separated */
    const char *sigalgs;       /* colon-separated */
    const char *alpn;          /* comma-separated, most wanted first */
    bool alpn_soft;         /* server: a client that wants none of them gets none, and no alert */
    const char *servername; /* client: the SNI to send instead of the host */
    bool no_servername;     /* client: send none */
    struct identity_files own, second; /* the second of another kind of key */
    bool lax_keys;                     /* take key files that others may read */
    const char *ca_file, *ca_path;
    bool verify_required; /* a certificate that is not trusted ends the handshake */
    struct tls_choice choices[TLS_CHOICES];
    unsigned choice_count;
    struct server_settings server;
    struct client_settings client;
};

#endif
