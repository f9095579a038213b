/* Certificates, addresses, options, the status page, and TLS through memory. */
#include "base/buf.h"
#include "cli/openssl_options.c" /* the program is in no library */
#include "cli/serve_options.c"
#include "endpoint/authority.h"
#include "endpoint/certificate.h"
#include "endpoint/hooks.h"
#include "endpoint/http.h"
#include "endpoint/tls_pipe.h"
#include "unit.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

static void test_split(void)
{
    static const struct {
        const char *text;
        bool good;
        const char *host;
        uint16_t port;
    } rows[] = {
        {"localhost:4433", true, "localhost", 4433},
        {"4433", true, "", 4433},
        {":1", true, "", 1},
        {"[::1]:443", true, "::1", 443},
        {"*:0", true, "*", 0},
        {"a:65535", true, "a", 65535},
        {"a:65536", false, "", 0},
        {"a:", false, "", 0},
        {"a", false, "", 0},
        {"", false, "", 0},
        {"::1:443", false, "", 0},
        {"[::1]", false, "", 0},
        {"[::1:443", false, "", 0},
        {"a:1x", false, "", 0},
        {"a:-1", false, "", 0},
        {"a:0000000443", false, "", 0},
        {"0123456789abcdef:1", false, "", 0}, /* longer than the room for it */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char host[16];
        uint16_t port = 0;
        bool good = endpoint_split(rows[i].text, host, sizeof(host), &port);
        if (good != rows[i].good)
            printf("# '%s'\n", rows[i].text);
        CHECK_EQ(rows[i].good, good);
        if (good) {
            CHECK_STR(rows[i].host, host);
            CHECK_EQ(rows[i].port, port);
        }
    }
}

static void check_names(X509 *x509)
{
    CHECK_EQ(1, X509_check_host(x509, "localhost", 0, 0, NULL));
    CHECK_EQ(0, X509_check_host(x509, "example.com", 0, 0, NULL));
    CHECK_EQ(1, X509_check_ip_asc(x509, "127.0.0.1", 0));
    CHECK_EQ(1, X509_check_ip_asc(x509, "::1", 0));
    CHECK_EQ(0, X509_check_ip_asc(x509, "127.0.0.2", 0));
}

static void test_certificate(void)
{
    static const struct {
        enum certificate_kind kind;
        int key_type, bits;
    } kinds[] = {{CERTIFICATE_ECDSA_P256, EVP_PKEY_EC, 256},
                 {CERTIFICATE_RSA_2048, EVP_PKEY_RSA, 2048}};
    for (size_t i = 0; i < 2; i++) {
        struct error e = {.code = ERROR_NONE};
        struct certificate c = {NULL, NULL};
        int days = 0, seconds = 0, digest = 0;
        CHECK(certificate_make(&c, kinds[i].kind, &e));
        CHECK_EQ(kinds[i].key_type, EVP_PKEY_get_base_id(c.key));
        CHECK_EQ(kinds[i].bits, EVP_PKEY_get_bits(c.key));
        CHECK_EQ(1, X509_verify(c.x509, c.key));
        CHECK_EQ(2, X509_get_version(c.x509)); /* v3 */
        CHECK_EQ(16, ASN1_STRING_length(X509_get0_serialNumber(c.x509)));
        CHECK(X509_cmp_time(X509_get0_notBefore(c.x509), NULL) < 0);
        CHECK(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(c.x509),
                             X509_get0_notAfter(c.x509)));
        CHECK_EQ(31, days);
        CHECK_EQ(0, X509_check_ca(c.x509));
        CHECK((X509_get_key_usage(c.x509) & KU_DIGITAL_SIGNATURE) != 0);
        CHECK_EQ(XKU_SSL_SERVER, X509_get_extended_key_usage(c.x509));
        CHECK(X509_get_signature_info(c.x509, &digest, NULL, NULL, NULL));
        CHECK_EQ(NID_sha256, digest);
        check_names(c.x509);
        certificate_free(&c);
    }
}

static void test_authority_names(void)
{
    static const struct {
        const char *name, *local, *names;
    } rows[] = {
        {"Example.COM", NULL, "DNS:example.com"},
        {"example.com.", NULL, "DNS:example.com"},
        {"a", NULL, "DNS:a"},
        {"x_y.z-1.example", NULL, "DNS:x_y.z-1.example"},
        {"localhost", NULL, "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {"192.0.2.1", NULL, "IP:192.0.2.1"},
        {"2001:db8::1", NULL, "IP:2001:db8::1"},
        {NULL, "192.0.2.7", "DNS:localhost,IP:127.0.0.1,IP:::1,IP:192.0.2.7"},
        {NULL, "127.0.0.1", "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {"*.example", NULL, "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {"a,DNS:b", NULL, "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {"a..b", NULL, "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {".", NULL, "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {"", NULL, "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {"-a", NULL, "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {"a-.b", NULL, "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {"a\nb", NULL, "DNS:localhost,IP:127.0.0.1,IP:::1"},
        {"\xc3\xa9", NULL, "DNS:localhost,IP:127.0.0.1,IP:::1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sockaddr_in local = {.sin_family = AF_INET};
        struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
        char text[320];
        if (rows[i].local && inet_pton(AF_INET, rows[i].local, &local.sin_addr) == 1)
            memcpy(&address, &local, sizeof(local));
        authority_names(rows[i].name, rows[i].local ? &address : NULL, text, sizeof(text));
        CHECK_STR(rows[i].names, text);
    }
    char longest[256];
    char text[320];
    memset(longest, 'a', sizeof(longest));
    for (size_t i = 63; i < 253; i += 64)
        longest[i] = '.';
    longest[253] = '\0';
    authority_names(longest, NULL, text, sizeof(text));
    CHECK_EQ(4 + 253, strlen(text));
    longest[253] = 'a';
    longest[254] = '\0';
    authority_names(longest, NULL, text, sizeof(text));
    CHECK_STR("DNS:localhost,IP:127.0.0.1,IP:::1", text);
}

/* More names than are kept: every client gets its own, and one certificate is remembered. */
static void test_authority(void)
{
    static const struct tls_settings none = {.min_version = 0};
    struct error e = {.code = ERROR_NONE};
    struct authority *a = authority_new_temporary(false, &e);
    SSL_CTX *server = context_new(&none, TLS_SERVER, NULL, &e);
    SSL_CTX *client = context_new(&none, TLS_CLIENT, NULL, &e);
    CHECK(a && server && client);
    authority_serve(a, server);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(client), authority_root(a)->x509);
    for (unsigned i = 0; i < AUTHORITY_NAMES + 20; i++) {
        struct tls_pipe pipes[2] = {{.ssl = NULL}, {.ssl = NULL}};
        char name[32];
        snprintf(name, sizeof(name), "h%u.example", i);
        CHECK(tls_pipe_open(&pipes[0], client, TLS_CLIENT, name, name, &e));
        CHECK(tls_pipe_open(&pipes[1], server, TLS_SERVER, NULL, NULL, &e));
        tls_pipe_handshake(&pipes[0]);
        tls_pipe_feed(&pipes[1], tls_pipe_output(&pipes[0]));
        tls_pipe_handshake(&pipes[1]);
        tls_pipe_feed(&pipes[0], tls_pipe_output(&pipes[1]));
        CHECK_EQ(TLS_DONE, tls_pipe_handshake(&pipes[0]));
        CHECK_EQ(X509_V_OK, SSL_get_verify_result(pipes[0].ssl));
        for (int j = 0; j < 2; j++)
            tls_pipe_free(&pipes[j]);
    }
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    authority_free(a);
}

struct words {
    char line[256];
    char *list[16];
    int count;
};

/* Parses a line of words; W holds them, and the options borrow from it. */
static bool parse(struct words *w, const char *line, enum option_command command,
                  struct endpoint_options *o)
{
    struct error e = {.code = ERROR_NONE};
    snprintf(w->line, sizeof(w->line), "test %s", line);
    w->count = 0;
    for (char *at = w->line; at && w->count < 16;) {
        w->list[w->count++] = at;
        at = strchr(at, ' ');
        if (at)
            *at++ = '\0';
    }
    bool ok = openssl_options_parse(w->count, w->list, command, o, &e);
    if (!ok)
        printf("# %s\n", e.text);
    return ok;
}

static void test_options(void)
{
    struct endpoint_options o;
    struct words w;
    CHECK(parse(&w, "-accept [::1]:5 --tls1_2 -www --cipher=A:B", FOR_SERVE, &o));
    CHECK_STR("::1", o.host);
    CHECK_EQ(5, o.port);
    CHECK_EQ(VERSION_TLS1_2, o.tls.min_version);
    CHECK_EQ(VERSION_TLS1_2, o.tls.max_version);
    CHECK_STR("A:B", o.tls.ciphers);
    CHECK(o.answer.name == ANSWER_WWW && !o.quiet);
    CHECK(parse(&w, "example.com:443 -no_tls1_3 -curves P-256 -6 -max_protocol tlsv1.2",
                FOR_CONNECT, &o));
    CHECK_STR("example.com", o.host);
    CHECK_EQ(1u << 4, o.tls.without_versions);
    CHECK_STR("P-256", o.tls.groups);
    CHECK_EQ(AF_INET6, o.family);
    CHECK_EQ(VERSION_TLS1_2, o.tls.max_version);
    CHECK(parse(&w, "--no-capture --port 0", FOR_LAB, &o));
    CHECK(o.no_capture && o.port_given);
    CHECK_EQ(0, o.port);
}

static void test_bad_options(void)
{
    static const struct {
        enum option_command command;
        const char *word, *value, *says;
    } rows[] = {
        {FOR_SERVE, "-tls1_4", NULL, "did you mean -tls1_"},
        {FOR_SERVE, "--chiper", NULL, "did you mean -cipher?"},
        {FOR_SERVE, "-tfo", NULL, "not there yet"},
        {FOR_SERVE, "-connect", "a:1", "another subcommand"},
        {FOR_CONNECT, "-srpuser", "smtp", "not there yet"},
        {FOR_CONNECT, "-nextprotoneg", "h2", "use -alpn"},
        {FOR_CONNECT, "-accept", "1", "another subcommand"},
        {FOR_CONNECT, "-alpn", NULL, "needs a value"},
        {FOR_CONNECT, "nohost", NULL, "want host:port"},
        {FOR_CONNECT, "-port", "0", "port number"},
        {FOR_LAB, "-port", "70000", "port number"},
        {FOR_LAB, "-min_protocol", "SSLv3", "want TLSv1"},
        {FOR_LAB, "-www=1", NULL, "takes no value"},
        {FOR_LAB, "-color=blue", NULL, "auto, always or never"},
        {FOR_LAB, "extra", NULL, "too much"},
        {FOR_LAB, "-\x1b[31m", NULL, "\\x1b"},
        {FOR_LAB, "-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL,
         "not an option"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct endpoint_options o;
        struct error e = {.code = ERROR_NONE};
        char name[] = "test", word[128], value[32];
        char *words[] = {name, word, value};
        snprintf(word, sizeof(word), "%s", rows[i].word);
        snprintf(value, sizeof(value), "%s", rows[i].value ? rows[i].value : "");
        CHECK(!openssl_options_parse(rows[i].value ? 3 : 2, words, rows[i].command, &o, &e));
        CHECK_EQ(ERROR_USAGE, e.code);
        if (!strstr(e.text, rows[i].says))
            printf("# %s: %s\n", rows[i].word, e.text);
        CHECK(strstr(e.text, rows[i].says) != NULL);
    }
}

static void test_requests(void)
{
    static const struct {
        const char *text;
        enum request_state state;
    } rows[] = {
        {"", REQUEST_UNFINISHED},
        {"GET", REQUEST_UNFINISHED},
        {"GET / HTTP/1.0\r\n", REQUEST_UNFINISHED},
        {"GET / HTTP/1.0\r\n\r\n", REQUEST_COMPLETE},
        {"GET / HTTP/1.0\n\n", REQUEST_COMPLETE},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\nmore", REQUEST_COMPLETE},
        {"\x16\x03", REQUEST_BAD},
        {"get /", REQUEST_BAD},
    };
    size_t len = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_EQ(rows[i].state, http_head(slice_of_str(rows[i].text), &len));
    struct buf full = {.ceiling = 0};
    buf_fill(&full, 'A', REQUEST_CEILING);
    CHECK_EQ(REQUEST_BAD, http_head(buf_slice(&full), &len));
    buf_free(&full);
}

/* ---- TLS through memory ---- */

struct pair {
    SSL_CTX *contexts[2];
    struct tls_pipe pipes[2]; /* by enum tls_role */
    struct certificate certificate;
    unsigned keys[2];
};

static void count_key(void *user, const char *line)
{
    unsigned *count = user;
    *count += strstr(line, "SECRET") != NULL || strstr(line, "CLIENT_RANDOM") != NULL;
}

static bool pair_open(struct pair *p, const struct tls_settings *client,
                      const struct tls_settings *server, struct error *e)
{
    *p = (struct pair){.keys = {0, 0}};
    if (!certificate_make(&p->certificate, CERTIFICATE_ECDSA_P256, e))
        return false;
    p->contexts[TLS_CLIENT] = context_new(client, TLS_CLIENT, NULL, e);
    p->contexts[TLS_SERVER] = context_new(server, TLS_SERVER, &p->certificate, e);
    if (!p->contexts[0] || !p->contexts[1])
        return false;
    for (int i = 0; i < 2; i++) {
        tls_pipe_log_keys(p->contexts[i]);
        p->pipes[i].on_keylog = count_key;
        p->pipes[i].user = &p->keys[i];
    }
    return tls_pipe_open(&p->pipes[TLS_CLIENT], p->contexts[TLS_CLIENT], TLS_CLIENT, "localhost",
                         "localhost", e) &&
           tls_pipe_open(&p->pipes[TLS_SERVER], p->contexts[TLS_SERVER], TLS_SERVER, NULL, NULL, e);
}

static void pair_free(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        tls_pipe_free(&p->pipes[i]);
        SSL_CTX_free(p->contexts[i]);
    }
    certificate_free(&p->certificate);
}

/* Moves what FROM has to say to the other end, in pieces of PIECE bytes. */
static bool move(struct pair *p, enum tls_role from, size_t piece)
{
    enum tls_role to = from == TLS_CLIENT ? TLS_SERVER : TLS_CLIENT;
    struct slice bytes = tls_pipe_output(&p->pipes[from]);
    bool some = bytes.len > 0;
    while (bytes.len > 0) {
        CHECK(tls_pipe_feed(&p->pipes[to],
                            slice_take(&bytes, bytes.len < piece ? bytes.len : piece)));
        tls_pipe_handshake(&p->pipes[to]);
    }
    tls_pipe_output_taken(&p->pipes[from]);
    return some;
}

static void shake(struct pair *p, size_t piece)
{
    tls_pipe_handshake(&p->pipes[TLS_CLIENT]);
    for (int budget = 20; budget > 0; budget--) {
        bool moved = move(p, TLS_CLIENT, piece);
        if (!move(p, TLS_SERVER, piece) && !moved)
            break;
    }
}

static void test_handshakes(void)
{
    static const struct {
        struct tls_settings settings;
        const char *version, *group, *alpn;
        unsigned keys;
    } rows[] = {
        {{.alpn = "h2,http/1.1"}, "TLSv1.3", "x25519", "h2", 5},
        {{.groups = "P-384"}, "TLSv1.3", "secp384r1", "", 5},
        {{.max_version = VERSION_TLS1_2}, "TLSv1.2", "x25519", "", 1},
        {{.without_versions = 1u << 4}, "TLSv1.2", "x25519", "", 1},
        {{.min_version = VERSION_TLS1_1, .max_version = VERSION_TLS1_1},
         "TLSv1.1",
         "x25519",
         "",
         1},
        {{.min_version = VERSION_TLS1_0, .max_version = VERSION_TLS1_0}, "TLSv1", "x25519", "", 1},
    };
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        const struct tls_settings *s = &rows[i / 2].settings;
        struct error e = {.code = ERROR_NONE};
        struct pair p;
        struct endpoint_report r = {.id = 1};
        CHECK(pair_open(&p, s, s, &e));
        shake(&p, i % 2 ? 1 : 65536);
        tls_pipe_report(&p.pipes[TLS_SERVER], &r);
        CHECK(r.handshake_done);
        CHECK_STR(rows[i / 2].version, r.version);
        CHECK_STR(rows[i / 2].group, r.group);
        CHECK_STR(rows[i / 2].alpn, r.alpn);
        CHECK_STR("localhost", r.server_name);
        CHECK_EQ(rows[i / 2].keys, p.keys[TLS_SERVER]);
        CHECK_EQ(p.keys[TLS_SERVER], p.keys[TLS_CLIENT]);
        pair_free(&p);
    }
}

static void test_data_and_close(void)
{
    static const struct tls_settings none = {.min_version = 0};
    struct error e = {.code = ERROR_NONE};
    struct pair p;
    uint8_t bytes[64];
    size_t len = 0;
    CHECK(pair_open(&p, &none, &none, &e));
    shake(&p, 65536);
    CHECK(tls_pipe_write(&p.pipes[TLS_SERVER], slice_of_str("test\n")));
    tls_pipe_close(&p.pipes[TLS_SERVER]);
    tls_pipe_close(&p.pipes[TLS_SERVER]); /* once is enough */
    move(&p, TLS_SERVER, 65536);
    CHECK_EQ(TLS_DONE, tls_pipe_read(&p.pipes[TLS_CLIENT], bytes, sizeof(bytes), &len));
    CHECK(slice_is(slice_of(bytes, len), "test\n"));
    CHECK_EQ(TLS_CLOSED, tls_pipe_read(&p.pipes[TLS_CLIENT], bytes, sizeof(bytes), &len));
    CHECK_EQ(TLS_AGAIN, tls_pipe_read(&p.pipes[TLS_SERVER], bytes, sizeof(bytes), &len));
    pair_free(&p);
}

static void test_failures_in_words(void)
{
    static const struct {
        struct tls_settings client, server;
        const char *client_says, *server_says;
    } rows[] = {
        {{.max_version = VERSION_TLS1_2},
         {.min_version = VERSION_TLS1_3},
         "received alert 70: protocol version",
         "unsupported protocol (sent alert 70"},
        {{.max_version = VERSION_TLS1_2, .ciphers = "ECDHE-RSA-AES128-GCM-SHA256"},
         {.min_version = 0},
         "received alert 40",
         "no shared cipher (sent alert 40"},
        {{.alpn = "x"}, {.alpn = "h2"}, "received alert 120", "sent alert 120"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error e = {.code = ERROR_NONE};
        struct pair p;
        char text[256];
        CHECK(pair_open(&p, &rows[i].client, &rows[i].server, &e));
        tls_pipe_handshake(&p.pipes[TLS_CLIENT]);
        tls_pipe_feed(&p.pipes[TLS_SERVER], tls_pipe_output(&p.pipes[TLS_CLIENT]));
        CHECK_EQ(TLS_FAILED, tls_pipe_handshake(&p.pipes[TLS_SERVER]));
        tls_pipe_explain(&p.pipes[TLS_SERVER], text, sizeof(text));
        CHECK(strstr(text, rows[i].server_says) != NULL || (printf("# %s\n", text), false));
        tls_pipe_feed(&p.pipes[TLS_CLIENT], tls_pipe_output(&p.pipes[TLS_SERVER]));
        CHECK_EQ(TLS_FAILED, tls_pipe_handshake(&p.pipes[TLS_CLIENT]));
        tls_pipe_explain(&p.pipes[TLS_CLIENT], text, sizeof(text));
        CHECK(strstr(text, rows[i].client_says) != NULL || (printf("# %s\n", text), false));
        pair_free(&p);
    }
}

static void test_bad_settings(void)
{
    static const struct {
        struct tls_settings settings;
        const char *says;
    } rows[] = {
        {{.ciphers = "nonsense"}, "-cipher 'nonsense'"},
        {{.ciphersuites = "TLS_NONE"}, "-ciphersuites 'TLS_NONE'"},
        {{.groups = "P-1"}, "-groups 'P-1'"},
        {{.sigalgs = "x"}, "-sigalgs 'x'"},
        {{.alpn = "a,,b"}, "-alpn 'a,,b'"},
        {{.own.cert = "/nonexistent"}, "/nonexistent"},
        {{.own.key = "/nonexistent"}, "-key was given without -cert"},
        {{.ca_file = "/nonexistent"}, "-CAfile '/nonexistent'"},
        {{.min_version = VERSION_TLS1_3, .max_version = VERSION_TLS1_2}, "above the highest"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error e = {.code = ERROR_NONE};
        CHECK(context_new(&rows[i].settings, TLS_CLIENT, NULL, &e) == NULL);
        CHECK(strstr(e.text, rows[i].says) != NULL || (printf("# %s\n", e.text), false));
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"host and port", test_split},
        {"temporary certificates", test_certificate},
        {"names of certificates", test_authority_names},
        {"certificates for more names than are kept", test_authority},
        {"options", test_options},
        {"bad options say what is wrong", test_bad_options},
        {"HTTP request heads", test_requests},
        {"handshakes, whole and byte by byte", test_handshakes},
        {"data and close_notify", test_data_and_close},
        {"failures in words", test_failures_in_words},
        {"settings that do not work", test_bad_settings},
    };
    return UNIT_RUN(tests);
}
