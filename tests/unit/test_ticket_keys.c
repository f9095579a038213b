/* Session tickets are good across two changes of keys, and not across three. */
#include "endpoint/certificate.h"
#include "endpoint/ticket_keys.h"
#include "endpoint/tls_pipe.h"
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct both {
    struct certificate certificate;
    SSL_CTX *client, *server;
    struct ticket_keys *ring;
};

static void both_free(struct both *b)
{
    SSL_CTX_free(b->client);
    SSL_CTX_free(b->server);
    ticket_keys_free(b->ring);
    certificate_free(&b->certificate);
}

static bool both_make(struct both *b, int version)
{
    struct error e = {.code = ERROR_NONE};
    struct tls_settings settings = {.min_version = version, .max_version = version};
    *b = (struct both){.client = NULL};
    if (!certificate_make(&b->certificate, CERTIFICATE_ECDSA_P256, &e))
        return false;
    b->client = context_new(&settings, TLS_CLIENT, NULL, &e);
    b->server = context_new(&settings, TLS_SERVER, &b->certificate, &e);
    b->ring = ticket_keys_new(0, &e);
    return b->client && b->server && b->ring && ticket_keys_use(b->ring, b->server);
}

static void move(struct tls_pipe *from, struct tls_pipe *to)
{
    tls_pipe_feed(to, tls_pipe_output(from));
    tls_pipe_output_taken(from);
}

/* One connection; *SESSION is what it was resumed from and becomes what it can be resumed with. */
static bool connect_once(struct both *b, SSL_SESSION **session)
{
    struct error e = {.code = ERROR_NONE};
    struct tls_pipe client = {.ssl = NULL}, server = {.ssl = NULL};
    uint8_t byte[16];
    size_t len;
    CHECK(tls_pipe_open(&client, b->client, TLS_CLIENT, "localhost", NULL, &e));
    CHECK(tls_pipe_open(&server, b->server, TLS_SERVER, NULL, NULL, &e));
    if (*session)
        SSL_set_session(client.ssl, *session);
    for (int i = 0; i < 4; i++) {
        tls_pipe_handshake(&client);
        move(&client, &server);
        tls_pipe_handshake(&server);
        move(&server, &client);
    }
    (void)tls_pipe_read(&client, byte, sizeof(byte), &len); /* TLS 1.3: the tickets */
    bool resumed = SSL_session_reused(server.ssl) == 1;
    CHECK(SSL_is_init_finished(server.ssl));
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(client.ssl);
    CHECK(SSL_SESSION_has_ticket(*session));
    tls_pipe_close(&client);
    tls_pipe_close(&server);
    tls_pipe_free(&client);
    tls_pipe_free(&server);
    return resumed;
}

static void rotate_and_resume(int version)
{
    for (unsigned changes = 0; changes <= 3; changes++) {
        struct both b;
        SSL_SESSION *session = NULL;
        CHECK(both_make(&b, version));
        CHECK(!connect_once(&b, &session));
        for (unsigned i = 0; i < changes; i++)
            CHECK(ticket_keys_rotate(b.ring));
        CHECK_EQ(changes < TICKET_KEYS, connect_once(&b, &session));
        /* The client was given a ticket of the newest key. */
        for (unsigned i = 0; i < TICKET_KEYS - 1; i++)
            CHECK(ticket_keys_rotate(b.ring));
        CHECK(connect_once(&b, &session));
        SSL_SESSION_free(session);
        both_free(&b);
    }
}

static void test_rotation(void)
{
    rotate_and_resume(VERSION_TLS1_2);
    rotate_and_resume(VERSION_TLS1_3);
}

/* The context of a server that was told to read its certificate again shares the ring. */
static void test_other_context(void)
{
    struct both b;
    struct error e = {.code = ERROR_NONE};
    struct tls_settings settings = {.min_version = VERSION_TLS1_3};
    SSL_SESSION *session = NULL;
    CHECK(both_make(&b, VERSION_TLS1_3));
    CHECK(!connect_once(&b, &session));
    SSL_CTX_free(b.server);
    b.server = context_new(&settings, TLS_SERVER, &b.certificate, &e);
    CHECK(b.server && ticket_keys_use(b.ring, b.server));
    CHECK(connect_once(&b, &session));
    SSL_SESSION_free(session);
    both_free(&b);
}

static void write_keys(const char *path, char letter, size_t len, mode_t mode)
{
    char bytes[256];
    memset(bytes, letter, sizeof(bytes));
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && fchmod(fd, mode) == 0);
    close(fd);
}

static void refused(struct ticket_keys *ring, const char *path, const char *why)
{
    struct error e = {.code = ERROR_NONE};
    CHECK(!ticket_keys_load(ring, path, NULL, &e));
    CHECK(strstr(e.text, why) != NULL);
}

static void test_file(void)
{
    char folder[] = "/tmp/ticket_keys.XXXXXX", path[64];
    struct both b;
    struct error e = {.code = ERROR_NONE};
    SSL_SESSION *session = NULL;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/keys", folder);
    CHECK(both_make(&b, VERSION_TLS1_3));
    refused(b.ring, path, "No such file");
    write_keys(path, 'a', 80, 0644);
    refused(b.ring, path, "chmod 600");
    write_keys(path, 'a', 79, 0600);
    refused(b.ring, path, "80, 160 or 240 bytes");
    write_keys(path, 'a', 80, 0600);
    CHECK(ticket_keys_load(b.ring, path, NULL, &e));
    CHECK(!connect_once(&b, &session));
    write_keys(path, 'b', 80, 0600);
    CHECK(ticket_keys_load(b.ring, path, NULL, &e));
    CHECK(!connect_once(&b, &session));
    CHECK(connect_once(&b, &session));
    unlink(path);
    rmdir(folder);
    SSL_SESSION_free(session);
    both_free(&b);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"tickets across changes of keys", test_rotation},
        {"tickets across a change of context", test_other_context},
        {"keys from a file", test_file},
    };
    return UNIT_RUN(tests);
}
