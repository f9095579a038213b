/* A client that costs less than the server it measures.
 *
 * It speaks just enough TLS 1.3 (TLS_AES_128_GCM_SHA256, X25519) to make a server do all of its
 * work: its own key share is made once, no certificate or signature is checked, and what is
 * downloaded is counted but not decrypted.  So one core of it keeps more than one core of a server
 * busy, and what is measured is the server.  For measurements only: nothing here is secure.
 *
 * usage: load handshake PORT SECONDS CONNECTIONS PATH   full handshakes, one GET each
 *        load resume    PORT SECONDS CONNECTIONS PATH   the same with a ticket
 *        load download  PORT SECONDS CONNECTIONS PATH   one connection after the other, whole files
 *        load probe     PORT COUNT PAUSE_MS PATH        COUNT one after the other; how long each took
 *        load idle      PORT COUNT                      COUNT open ones, until standard input ends
 *        load stall     PORT COUNT                      the same, after half a ClientHello
 *        load updates   PORT COUNT                      one connection that changes its keys COUNT times
 *
 * Prints one line of name=value pairs.  Exit code 1 when a connection failed. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the plain hash functions: fetching costs more than hashing */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HASH        32
#define RECORD_MAX  (5 + 16384 + 256)
#define TICKET_MAX  2048
#define EVENTS      256
#define LATENCY_MAX 200000

enum stage { CONNECTING, SERVER_HELLO, SERVER_FLIGHT, ANSWER, RESTING };

struct direction {
    uint8_t secret[HASH], key[16], iv[12];
    uint64_t sequence;
};

struct ticket {
    uint8_t psk[HASH], identity[TICKET_MAX];
    size_t len;
    uint32_t age_add;
};

struct connection {
    int fd;
    enum stage stage;
    double began;
    SHA256_CTX transcript;
    uint8_t early[HASH], handshake[HASH], master[HASH], resumption[HASH];
    struct direction in, out;
    bool with_ticket, proven; /* a ticket was offered; the server took it */
    uint8_t record[RECORD_MAX];
    size_t have;
};

struct load {
    const char *mode, *path;
    struct sockaddr_in address;
    int poll;
    EVP_PKEY *own;
    uint8_t share[32];
    EVP_CIPHER_CTX *seal, *open;
    struct ticket ticket;
    bool resume, hold, stall;
    uint64_t done, failed, bytes, resumed;
    unsigned live, limit;
    double stop_at;
    double *latency;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- RFC 5869 and RFC 9846 7.1 on the plain hash functions ---- */

static void hmac(const uint8_t key[HASH], const uint8_t *data, size_t len, uint8_t out[HASH])
{
    uint8_t pad[64];
    SHA256_CTX c;
    for (int i = 0; i < 64; i++)
        pad[i] = (uint8_t)((i < HASH ? key[i] : 0) ^ 0x36);
    SHA256_Init(&c);
    SHA256_Update(&c, pad, sizeof(pad));
    SHA256_Update(&c, data, len);
    SHA256_Final(out, &c);
    for (int i = 0; i < 64; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    SHA256_Init(&c);
    SHA256_Update(&c, pad, sizeof(pad));
    SHA256_Update(&c, out, HASH);
    SHA256_Final(out, &c);
}

static void expand(const uint8_t secret[HASH], const char *label, const uint8_t *context,
                   size_t context_len, uint8_t *out, size_t out_len)
{
    uint8_t info[128], full[HASH];
    size_t label_len = strlen(label), at = 0;
    info[at++] = 0;
    info[at++] = (uint8_t)out_len;
    info[at++] = (uint8_t)(6 + label_len);
    memcpy(info + at, "tls13 ", 6);
    memcpy(info + at + 6, label, label_len);
    at += 6 + label_len;
    info[at++] = (uint8_t)context_len;
    memcpy(info + at, context, context_len);
    at += context_len;
    info[at++] = 1;
    hmac(secret, info, at, full);
    memcpy(out, full, out_len);
}

static void transcript_hash(const struct connection *c, uint8_t out[HASH])
{
    SHA256_CTX copy = c->transcript;
    SHA256_Final(out, &copy);
}

static void derive(const uint8_t secret[HASH], const char *label, const uint8_t hash[HASH],
                   uint8_t out[HASH])
{
    expand(secret, label, hash, HASH, out, HASH);
}

static void next_secret(const uint8_t from[HASH], const uint8_t input[HASH], uint8_t out[HASH])
{
    uint8_t salt[HASH], empty[HASH];
    SHA256((const uint8_t *)"", 0, empty);
    derive(from, "derived", empty, salt);
    hmac(salt, input, HASH, out);
}

static void set_keys(struct direction *d, const uint8_t secret[HASH])
{
    memcpy(d->secret, secret, HASH);
    expand(secret, "key", NULL, 0, d->key, sizeof(d->key));
    expand(secret, "iv", NULL, 0, d->iv, sizeof(d->iv));
    d->sequence = 0;
}

static void nonce_of(struct direction *d, uint8_t nonce[12])
{
    memcpy(nonce, d->iv, 12);
    for (int i = 0; i < 8; i++)
        nonce[11 - i] ^= (uint8_t)(d->sequence >> (8 * i));
    d->sequence++;
}

/* RECORD has LEN bytes with its header; the plaintext replaces what follows the header.  Returns
 * its length with the content type as its last byte, or 0. */
static size_t open_record(struct load *l, struct direction *d, uint8_t *record, size_t len)
{
    uint8_t nonce[12];
    int n = 0, last = 0;
    if (len < 5 + 17)
        return 0;
    size_t body = len - 5 - 16;
    nonce_of(d, nonce);
    if (EVP_DecryptInit_ex(l->open, NULL, NULL, d->key, nonce) != 1 ||
        EVP_DecryptUpdate(l->open, NULL, &n, record, 5) != 1 ||
        EVP_DecryptUpdate(l->open, record + 5, &n, record + 5, (int)body) != 1 ||
        EVP_CIPHER_CTX_ctrl(l->open, EVP_CTRL_AEAD_SET_TAG, 16, record + 5 + body) != 1 ||
        EVP_DecryptFinal_ex(l->open, record + 5 + body, &last) != 1)
        return 0;
    while (body > 0 && record[5 + body - 1] == 0)
        body--;
    return body;
}

static size_t seal_record(struct load *l, struct direction *d, uint8_t type, const void *plain,
                          size_t len, uint8_t *out)
{
    uint8_t nonce[12], inner[1024];
    int n = 0, last = 0;
    memcpy(inner, plain, len);
    inner[len++] = type;
    out[0] = 23, out[1] = 3, out[2] = 3;
    out[3] = (uint8_t)((len + 16) >> 8), out[4] = (uint8_t)(len + 16);
    nonce_of(d, nonce);
    if (EVP_EncryptInit_ex(l->seal, NULL, NULL, d->key, nonce) != 1 ||
        EVP_EncryptUpdate(l->seal, NULL, &n, out, 5) != 1 ||
        EVP_EncryptUpdate(l->seal, out + 5, &n, inner, (int)len) != 1 ||
        EVP_EncryptFinal_ex(l->seal, out + 5 + len, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(l->seal, EVP_CTRL_AEAD_GET_TAG, 16, out + 5 + len) != 1)
        return 0;
    return 5 + len + 16;
}

/* ---- the messages ---- */

struct writer {
    uint8_t *bytes;
    size_t at;
};

static void put(struct writer *w, const void *bytes, size_t len)
{
    memcpy(w->bytes + w->at, bytes, len);
    w->at += len;
}

static void put_number(struct writer *w, uint64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--)
        w->bytes[w->at++] = (uint8_t)(value >> (8 * i));
}

/* Fills in a length field of WIDTH bytes at AT with what has been written behind it. */
static void close_vector(struct writer *w, size_t at, int width)
{
    struct writer length = {w->bytes, at};
    put_number(&length, w->at - at - (size_t)width, width);
}

/* RFC 9846 4.3.11: the last extension; the binder covers all before it. */
static void put_ticket(struct load *l, struct connection *c, struct writer *w, size_t lengths[2])
{
    uint8_t binder_key[HASH], finished[HASH], empty[HASH], hash[HASH];
    SHA256((const uint8_t *)"", 0, empty);
    put_number(w, 41, 2);
    put_number(w, 2 + 2 + l->ticket.len + 4 + 2 + 1 + HASH, 2);
    put_number(w, 2 + l->ticket.len + 4, 2);
    put_number(w, l->ticket.len, 2);
    put(w, l->ticket.identity, l->ticket.len);
    put_number(w, l->ticket.age_add + 1u, 4); /* a millisecond old */
    size_t binders = w->at;
    put_number(w, 1 + HASH, 2);
    put_number(w, HASH, 1);
    w->at += HASH;
    close_vector(w, lengths[0], 2);
    close_vector(w, lengths[1], 3);
    SHA256(w->bytes + 5, binders - 5, hash);
    derive(c->early, "res binder", empty, binder_key);
    expand(binder_key, "finished", NULL, 0, finished, HASH);
    hmac(finished, hash, HASH, w->bytes + w->at - HASH);
}

static size_t client_hello(struct load *l, struct connection *c, uint8_t *out)
{
    static const uint8_t fixed[] = {
        0, 2, 0x13, 0x01, 1, 0, /* suite, compression */
    };
    static const uint8_t extensions[] = {
        0, 43, 0, 3,  2, 3,  4,                     /* supported_versions */
        0, 10, 0, 4,  0, 2,  0, 29,                 /* supported_groups */
        0, 13, 0, 8,  0, 6,  4, 3,  8, 4,   4,   1, /* signature_algorithms */
        0, 45, 0, 2,  1, 1,                         /* psk_key_exchange_modes */
        0, 0,  0, 14, 0, 12, 0, 0,  9, 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't',
    };
    uint8_t random[64], zero[HASH] = {0};
    struct writer w = {out, 0};
    c->with_ticket = l->resume && l->ticket.len > 0;
    hmac(zero, c->with_ticket ? l->ticket.psk : zero, HASH, c->early);
    RAND_bytes(random, sizeof(random));
    put(&w, "\x16\x03\x01\0\0\x01\0\0\0\x03\x03", 11);
    put(&w, random, 32);
    put_number(&w, 32, 1);
    put(&w, random + 32, 32);
    put(&w, fixed, sizeof(fixed));
    size_t lengths[2] = {w.at, 6};
    put_number(&w, 0, 2);
    put(&w, extensions, sizeof(extensions));
    put(&w, "\0\x33\0\x26\0\x24\0\x1d\0\x20", 10);
    put(&w, l->share, 32);
    close_vector(&w, lengths[0], 2);
    close_vector(&w, 6, 3);
    if (c->with_ticket)
        put_ticket(l, c, &w, lengths);
    close_vector(&w, 3, 2);
    SHA256_Init(&c->transcript);
    SHA256_Update(&c->transcript, out + 5, w.at - 5);
    return w.at;
}

/* The server's share and whether it took the ticket; false when it is no such ServerHello. */
static bool read_server_hello(const uint8_t *m, size_t len, uint8_t share[32], bool *proven)
{
    size_t at = 4 + 2 + 32;
    bool found = false;
    *proven = false;
    if (len < at + 1 || m[0] != 2)
        return false;
    at += 1u + m[at] + 3 + 2;
    while (at + 4 <= len) {
        unsigned type = (unsigned)m[at] << 8 | m[at + 1],
                 size = (unsigned)m[at + 2] << 8 | m[at + 3];
        at += 4;
        if (at + size > len)
            return false;
        if (type == 51 && size == 36)
            memcpy(share, m + at + 4, 32), found = true;
        *proven |= type == 41;
        at += size;
    }
    return found;
}

static bool agree(struct load *l, const uint8_t share[32], uint8_t out[32])
{
    size_t len = 32;
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, share, 32);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(l->own, NULL);
    bool ok = peer && ctx && EVP_PKEY_derive_init(ctx) == 1 &&
              EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
              EVP_PKEY_derive(ctx, out, &len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return ok;
}

static bool take_server_hello(struct load *l, struct connection *c, size_t len)
{
    uint8_t share[32], common[32], hash[HASH], secret[HASH], zero[HASH] = {0};
    if (c->record[0] != 22 || !read_server_hello(c->record + 5, len - 5, share, &c->proven) ||
        !agree(l, share, common))
        return false;
    SHA256_Update(&c->transcript, c->record + 5, len - 5);
    if (c->with_ticket && !c->proven)
        hmac(zero, zero, HASH, c->early);
    next_secret(c->early, common, c->handshake);
    transcript_hash(c, hash);
    derive(c->handshake, "s hs traffic", hash, secret);
    set_keys(&c->in, secret);
    derive(c->handshake, "c hs traffic", hash, secret);
    set_keys(&c->out, secret);
    return true;
}

static bool send_all(struct connection *c, const uint8_t *bytes, size_t len)
{
    return send(c->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* After the server's Finished: ours, and the request with it. */
static bool finish(struct load *l, struct connection *c)
{
    uint8_t hash[HASH], key[HASH], message[4 + HASH] = {20, 0, 0, HASH}, zero[HASH] = {0};
    uint8_t out[2048], server[HASH], client[HASH];
    char request[512];
    next_secret(c->handshake, zero, c->master);
    transcript_hash(c, hash);
    derive(c->master, "s ap traffic", hash, server);
    derive(c->master, "c ap traffic", hash, client);
    expand(c->out.secret, "finished", NULL, 0, key, HASH);
    hmac(key, hash, HASH, message + 4);
    size_t len = seal_record(l, &c->out, 22, message, sizeof(message), out);
    SHA256_Update(&c->transcript, message, sizeof(message));
    transcript_hash(c, hash);
    derive(c->master, "res master", hash, c->resumption);
    set_keys(&c->in, server);
    set_keys(&c->out, client);
    if (!l->hold) {
        int n = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n",
                         l->path);
        len += seal_record(l, &c->out, 23, request, (size_t)n, out + len);
    }
    return send_all(c, out, len);
}

/* The handshake messages of one record; *DONE after the Finished. */
static bool take_flight(struct load *l, struct connection *c, size_t len, bool *done)
{
    if (c->record[0] == 20)
        return true; /* the ChangeCipherSpec of RFC 9846 D.4 */
    size_t n = open_record(l, &c->in, c->record, len);
    if (n == 0 || c->record[5 + n - 1] != 22)
        return false;
    /* Finished is the last message and OpenSSL ends a record with it: its last 36 bytes. */
    SHA256_Update(&c->transcript, c->record + 5, n - 1);
    *done = n > 36 && memcmp(c->record + 5 + n - 1 - 36, "\x14\0\0\x20", 4) == 0;
    return true;
}

static void take_ticket(struct load *l, const struct connection *c, const uint8_t *m, size_t len)
{
    if (len < 4 + 9 || m[0] != 4)
        return;
    size_t nonce_len = m[12], at = 13 + nonce_len;
    if (at + 2 > len)
        return;
    size_t size = (size_t)m[at] << 8 | m[at + 1];
    if (at + 2 + size > len || size > TICKET_MAX)
        return;
    memcpy(l->ticket.identity, m + at + 2, size);
    l->ticket.len = size;
    l->ticket.age_add = (uint32_t)m[8] << 24 | (uint32_t)m[9] << 16 | (uint32_t)m[10] << 8 | m[11];
    expand(c->resumption, "resumption", m + 13, nonce_len, l->ticket.psk, HASH);
}

/* ---- connections ---- */

static void start(struct load *l, struct connection *c);

static void ended(struct load *l, struct connection *c, bool ok)
{
    double took = now() - c->began;
    close(c->fd);
    c->fd = -1;
    l->live--;
    l->failed += !ok;
    l->resumed += ok && c->proven;
    if (ok && l->done < LATENCY_MAX)
        l->latency[l->done] = took;
    l->done += ok;
}

/* While a ticket is wanted the answer is opened until one is found. */
static bool wants_ticket(const struct load *l, const struct connection *c)
{
    return l->resume && l->ticket.len == 0 && c->stage == ANSWER;
}

static void look_for_ticket(struct load *l, struct connection *c, size_t len)
{
    size_t n = wants_ticket(l, c) ? open_record(l, &c->in, c->record, len) : 0;
    if (n > 0 && c->record[5 + n - 1] == 22)
        take_ticket(l, c, c->record + 5, n - 1);
}

static bool take_record(struct load *l, struct connection *c, size_t len)
{
    bool done = false;
    switch (c->stage) {
    case SERVER_HELLO:
        c->stage = SERVER_FLIGHT;
        return take_server_hello(l, c, len);
    case SERVER_FLIGHT:
        if (!take_flight(l, c, len, &done))
            return false;
        if (!done)
            return true;
        c->stage = l->hold ? RESTING : ANSWER;
        if (l->hold)
            l->done++;
        return finish(l, c);
    case ANSWER:
        look_for_ticket(l, c, len);
        return true;
    case RESTING:
        return true;
    case CONNECTING:
    default:
        return false;
    }
}

/* Whole records out of what has come; each is worked on at the start of the buffer. */
static bool take_records(struct load *l, struct connection *c)
{
    while (c->have >= 5) {
        size_t len = 5 + ((size_t)c->record[3] << 8 | c->record[4]);
        if (len > RECORD_MAX)
            return false;
        if (c->have < len)
            return true;
        if (!take_record(l, c, len))
            return false;
        c->have -= len;
        memmove(c->record, c->record + len, c->have);
    }
    return true;
}

static void arrived(struct load *l, struct connection *c)
{
    static uint8_t waste[1 << 18];
    for (;;) {
        bool count_only = c->stage == ANSWER && !wants_ticket(l, c);
        ssize_t n = count_only ? recv(c->fd, waste, sizeof(waste), 0)
                               : recv(c->fd, c->record + c->have, RECORD_MAX - c->have, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            ended(l, c, n == 0 && c->stage == ANSWER);
            return;
        }
        l->bytes += (uint64_t)n;
        if (count_only)
            continue;
        c->have += (size_t)n;
        if (!take_records(l, c)) {
            ended(l, c, false);
            return;
        }
    }
}

static void connected(struct load *l, struct connection *c)
{
    uint8_t hello[4096];
    int error = 0;
    socklen_t size = sizeof(error);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
        ended(l, c, false);
        return;
    }
    size_t len = client_hello(l, c, hello);
    c->stage = SERVER_HELLO;
    epoll_ctl(l->poll, EPOLL_CTL_MOD, c->fd, &e);
    if (l->stall) {
        c->stage = RESTING;
        l->done++;
        len /= 2;
    }
    if (!send_all(c, hello, len))
        ended(l, c, false);
}

static void start(struct load *l, struct connection *c)
{
    int on = 1;
    memset(c, 0, offsetof(struct connection, record));
    c->have = 0;
    c->began = now();
    c->stage = CONNECTING;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct epoll_event e = {.events = EPOLLOUT, .data.ptr = c};
    if (epoll_ctl(l->poll, EPOLL_CTL_ADD, c->fd, &e) != 0)
        die("epoll");
    l->live++;
    if (connect(c->fd, (struct sockaddr *)&l->address, sizeof(l->address)) != 0 &&
        errno != EINPROGRESS)
        ended(l, c, false);
}

/* Handles what happens for at most WAIT milliseconds. */
static void turn(struct load *l, int wait)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(l->poll, events, EVENTS, wait);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (c->fd < 0)
            continue;
        if (c->stage == CONNECTING)
            connected(l, c);
        else
            arrived(l, c);
    }
}

/* ---- the modes ---- */

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(struct load *l, double began)
{
    double took = now() - began;
    size_t n = l->done < LATENCY_MAX ? (size_t)l->done : LATENCY_MAX;
    qsort(l->latency, n, sizeof(double), by_size);
    printf("done=%llu failed=%llu resumed=%llu seconds=%.3f per_second=%.1f bytes=%llu "
           "megabytes_per_second=%.1f cpu=%.3f p50_ms=%.3f p99_ms=%.3f max_ms=%.3f\n",
           (unsigned long long)l->done, (unsigned long long)l->failed,
           (unsigned long long)l->resumed, took, (double)l->done / took,
           (unsigned long long)l->bytes, (double)l->bytes / took / 1e6, cpu_seconds() / took,
           n ? l->latency[n / 2] * 1e3 : 0, n ? l->latency[n - 1 - n / 100] * 1e3 : 0,
           n ? l->latency[n - 1] * 1e3 : 0);
}

static struct connection *make_connections(unsigned count)
{
    struct connection *all = calloc(count, sizeof(*all));
    if (!all)
        die("memory");
    for (unsigned i = 0; i < count; i++)
        all[i].fd = -1;
    return all;
}

/* COUNT at a time, for some seconds. */
static void keep_busy(struct load *l, double seconds, unsigned count)
{
    struct connection *all = make_connections(count);
    double began = now(), stop = began + seconds;
    while (now() < stop) {
        for (unsigned i = 0; i < count; i++)
            if (all[i].fd < 0)
                start(l, &all[i]);
        turn(l, 100);
    }
    report(l, began);
    free(all);
}

static void probe(struct load *l, unsigned count, unsigned pause_ms)
{
    struct connection *one = make_connections(1);
    double began = now();
    for (unsigned i = 0; i < count; i++) {
        start(l, one);
        for (double limit = now() + 30; one->fd >= 0 && now() < limit;)
            turn(l, 100);
        if (one->fd >= 0)
            ended(l, one, false);
        usleep(pause_ms * 1000);
    }
    report(l, began);
    free(one);
}

static void hold(struct load *l, unsigned count)
{
    struct connection *all = make_connections(count);
    double began = now();
    for (unsigned i = 0; i < count; i++) {
        start(l, &all[i]);
        while (l->live > l->done + 256 && now() < began + 120)
            turn(l, 100);
    }
    while (l->done + l->failed < count && now() < began + 120)
        turn(l, 100);
    report(l, began);
    fflush(stdout);
    char c;
    while (read(STDIN_FILENO, &c, 1) > 0)
        continue;
    turn(l, 0);
    printf("live=%u\n", l->live);
    free(all);
}

/* RFC 9846 4.7.3: update_not_requested, each sealed with the keys that the one before announced. */
static void change_keys(struct load *l, unsigned count)
{
    static const uint8_t update[] = {24, 0, 0, 1, 0};
    struct connection *c = make_connections(1);
    uint8_t record[64], next[HASH];
    double began = now();
    start(l, c);
    while (c->fd >= 0 && c->stage != RESTING && now() < began + 30)
        turn(l, 100);
    unsigned sent = 0;
    for (; sent < count && c->fd >= 0 && now() < began + 30; sent++) {
        if (!send_all(c, record, seal_record(l, &c->out, 22, update, sizeof(update), record)))
            break;
        expand(c->out.secret, "traffic upd", NULL, 0, next, HASH);
        set_keys(&c->out, next);
        turn(l, 0);
    }
    for (double limit = now() + 5; c->fd >= 0 && now() < limit;)
        turn(l, 100);
    printf("sent=%u ended=%d\n", sent, c->fd < 0);
    free(c);
}

static void prepare(struct load *l, const char *port)
{
    struct rlimit files;
    size_t len = sizeof(l->share);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    l->address = (struct sockaddr_in){.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    l->poll = epoll_create1(0);
    l->own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    l->seal = EVP_CIPHER_CTX_new();
    l->open = EVP_CIPHER_CTX_new();
    l->latency = calloc(LATENCY_MAX, sizeof(double));
    if (l->poll < 0 || !l->own || !l->seal || !l->open || !l->latency ||
        EVP_PKEY_get_raw_public_key(l->own, l->share, &len) != 1 ||
        EVP_EncryptInit_ex(l->seal, EVP_aes_128_gcm(), NULL, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex(l->open, EVP_aes_128_gcm(), NULL, NULL, NULL) != 1)
        die("cannot begin");
}

int main(int argc, char **argv)
{
    static struct load l;
    const char *mode = argc > 3 ? argv[1] : "";
    bool busy = strcmp(mode, "handshake") == 0 || strcmp(mode, "resume") == 0 ||
                strcmp(mode, "download") == 0;
    bool probing = strcmp(mode, "probe") == 0;
    l.resume = strcmp(mode, "resume") == 0;
    l.stall = strcmp(mode, "stall") == 0;
    bool updates = strcmp(mode, "updates") == 0;
    l.hold = l.stall || updates || strcmp(mode, "idle") == 0;
    if ((!busy && !probing && !l.hold) || (!l.hold && argc < 6)) {
        fputs("usage: load handshake|resume|download PORT SECONDS CONNECTIONS PATH\n"
              "       load probe PORT COUNT PAUSE_MS PATH\n"
              "       load idle|stall|updates PORT COUNT\n",
              stderr);
        return 2;
    }
    prepare(&l, argv[2]);
    l.path = l.hold ? "/" : argv[5];
    unsigned first = (unsigned)strtoul(argv[3], NULL, 10);
    if (updates)
        change_keys(&l, first);
    else if (l.hold)
        hold(&l, first);
    else if (probing)
        probe(&l, first, (unsigned)strtoul(argv[4], NULL, 10));
    else
        keep_busy(&l, strtod(argv[3], NULL), (unsigned)strtoul(argv[4], NULL, 10));
    return l.failed ? 1 : 0;
}
