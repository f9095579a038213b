/* Proofs: the golden connections stand every check, and no byte of a handshake can be changed unnoticed.
 *
 * The messages come from the golden captures, decrypted by the engine, and go through the verifier again, one
 * byte changed in each run: records that are protected could not be changed on the wire without their keys. */
#include "packets.h"
#include "unit.h"

#include "stream/tls_verify.h"

#define MESSAGES 32
#define BYTES    32768

struct message {
    size_t at, len;
    bool from_client;
};

/* A handshake, and what the verifier needs to know of its connection. */
struct recorded {
    struct message messages[MESSAGES];
    size_t count, used;
    uint8_t bytes[BYTES];
    uint16_t version, suite;
    uint8_t client_random[32], server_random[32];
    int64_t time;
    int client; /* direction of the first message */
};

static struct recorded talk;
static struct dissection d;
static struct crypto_provider crypto;
static struct key_table keys;
static struct tcp_pool pool;
static struct arena plaintext;
static struct buf scratch, verdicts;
static uint8_t want[FIELD_COUNT];

static void want_proofs(void)
{
    memset(want, 0, sizeof want);
    for (enum field_id id = F_tlswire_verify_finished; id <= F_tlswire_verify_failed; id++)
        want[id] = 1;
}

/* Appends the messages of a packet. */
static void record(const struct dissection *seen)
{
    const struct tape *t = &seen->tape;
    for (uint32_t i = 0; i < t->count; i++) {
        struct slice bytes = event_covers(t, &t->events[i]);
        if (t->events[i].field != F_tls_handshake ||
            tape_find(t, i, F_tls_handshake_type) == TAPE_NONE)
            continue;
        CHECK(talk.count < MESSAGES && bytes.len <= BYTES - talk.used);
        if (talk.count == 0)
            talk.client = seen->tcp.direction;
        struct message *m = &talk.messages[talk.count++];
        *m = (struct message){talk.used, bytes.len, seen->tcp.direction == talk.client};
        struct slice rest = bytes, body = slice_sub(bytes, 4, SIZE_MAX);
        slice_read(&rest, talk.bytes + talk.used, bytes.len);
        talk.used += bytes.len;
        slice_skip(&body, 2);
        if (slice_at(bytes, 0) == 1)
            slice_read(&body, talk.client_random, 32);
        if (slice_at(bytes, 0) != 2)
            continue;
        slice_read(&body, talk.server_random, 32);
        slice_skip(&body, slice_u8(&body));
        talk.suite = slice_u16(&body);
        talk.time = seen->packet->time_ns;
    }
}

/* Reads the golden capture; false when it is not as expected. */
static bool take(const char *path, uint16_t version)
{
    struct kept_capture c;
    memset(&talk, 0, sizeof talk);
    talk.version = version;
    if (!keep_capture(&c, path))
        return false;
    struct engine *e = new_engine(NULL);
    engine_keys(e, buf_slice(&c.keys));
    for (size_t i = 0; i < c.count; i++)
        record(engine_packet(e, &c.packets[i].packet));
    engine_free(e);
    key_table_free(&keys);
    key_table_init(&keys);
    keylog_feed(&keys, buf_slice(&c.keys));
    keylog_finish(&keys);
    drop_capture(&c);
    CHECK(talk.count >= 6);
    return talk.count >= 6;
}

/* Puts what the tape says into VERDICTS, "[Finished: failed]" and so on. */
static void note_verdicts(void)
{
    for (uint32_t i = 0; i < d.tape.count; i++) {
        const struct event *e = &d.tape.events[i];
        if (e->field == F_tlswire_verify_reason || e->field == F_tlswire_verify_failed)
            continue;
        buf_char(&verdicts, '[');
        buf_str(&verdicts, fields[e->field].label);
        buf_str(&verdicts, ": ");
        buf_slice_put(&verdicts, event_bytes(&d.tape, e));
        buf_char(&verdicts, ']');
    }
}

/* Runs all messages but LEFT_OUT through the verifier. */
static const char *replay(size_t left_out)
{
    size_t memory = 0;
    struct packet packet = {.time_ns = talk.time, .has_time = true};
    struct tls_session session = {
        .version = talk.version,
        .suite = talk.suite,
        .client = 0,
        .has_client_random = true,
        .has_server_random = true,
    };
    memcpy(session.client_random, talk.client_random, 32);
    memcpy(session.server_random, talk.server_random, 32);
    struct tls_tools tools = {.crypto = &crypto,
                              .keys = &keys,
                              .pool = &pool,
                              .plaintext = &plaintext,
                              .scratch = &scratch,
                              .verify_memory = &memory};
    d.packet = &packet;
    buf_clear(&verdicts);
    for (size_t i = 0; i < talk.count; i++) {
        if (i == left_out)
            continue;
        const struct message *m = &talk.messages[i];
        struct slice bytes = slice_of(talk.bytes + m->at, m->len);
        d.tcp = (struct tcp_facts){.direction = m->from_client ? 0 : 1};
        tape_reset(&d.tape, want);
        arena_reset(&plaintext);
        tape_source(&d.tape, bytes, "Message");
        struct tls_reader reader = {.session = &session,
                                    .side = &session.side[d.tcp.direction],
                                    .d = &d,
                                    .tools = &tools,
                                    .bytes = bytes};
        struct tls_content content = {.bytes = bytes, .end = (uint32_t)m->len, .opened = true};
        tls_verify_message(&reader, &content, 0, (uint32_t)m->len);
        note_verdicts();
    }
    tls_verify_free(&session);
    CHECK_EQ(0, memory);
    buf_char(&verdicts, '\0');
    return verdicts.failed ? "" : (const char *)verdicts.data;
}

static size_t find_message(uint8_t type, bool from_client)
{
    for (size_t i = 0; i < talk.count; i++)
        if (talk.bytes[talk.messages[i].at] == type && talk.messages[i].from_client == from_client)
            return i;
    unit_fail(__FILE__, __LINE__, "the message is there");
    return 0;
}

static bool says(const char *all, const char *what)
{
    return strstr(all, what) != NULL;
}

/* Changes each byte of the message's body, from FIRST on, in turn; each time WHAT has to be said. */
static void change_each(uint8_t type, bool from_client, size_t first, size_t count,
                        const char *what)
{
    const struct message *m = &talk.messages[find_message(type, from_client)];
    size_t unnoticed = 0, end = count < m->len - 4 - first ? first + count : m->len - 4;
    for (size_t i = first; i < end; i++) {
        uint8_t *byte = &talk.bytes[m->at + 4 + i];
        *byte ^= 1;
        if (!says(replay(MESSAGES), what) && unnoticed++ == 0)
            printf("# message %u, byte %zu: %s not in %s\n", type, i, what,
                   (const char *)verdicts.data);
        *byte ^= 1;
    }
    CHECK_EQ(0, unnoticed);
    CHECK(end > first);
}

/* The last byte of the message's body. */
static void change_last(uint8_t type, bool from_client, const char *what)
{
    size_t len = talk.messages[find_message(type, from_client)].len - 4;
    change_each(type, from_client, len - 1, 1, what);
}

static void test_all_ok(void)
{
    static const struct {
        const char *path;
        uint16_t version;
    } captures[] = {{"tests/golden/lab_tls12.pcapng", 0x0303},
                    {"tests/golden/lab_tls13.pcapng", 0x0304},
                    {"tests/golden/lab_chacha.pcapng", 0x0304},
                    {"tests/golden/lab_retry.pcapng", 0x0304}};
    for (size_t i = 0; i < sizeof captures / sizeof captures[0]; i++) {
        if (!take(captures[i].path, captures[i].version))
            continue;
        const char *all = replay(MESSAGES);
        const char *first = strstr(all, "[Finished: ok]");
        CHECK(first && says(first + 1, "[Finished: ok]"));
        CHECK(says(all, "[Certificate Signatures: ok]") && says(all, "[Certificate Dates: ok]"));
        CHECK(says(all, "[Offered: ok]") && says(all, "[GREASE: ok]"));
        CHECK(says(all, captures[i].version == 0x0304 ? "[CertificateVerify: ok]"
                                                      : "[ServerKeyExchange Signature: ok]"));
        CHECK(!says(all, ": failed]"));
        if (says(all, ": failed]"))
            printf("# %s: %s\n", captures[i].path, all);
    }
    CHECK(says(replay(MESSAGES), "[Second ClientHello: ok]"));
}

/* Every byte of every message of TLS 1.3 and TLS 1.2 counts in a Finished. */
static void test_every_byte(uint16_t version)
{
    for (size_t i = 0; i < talk.count; i++) {
        uint8_t type = talk.bytes[talk.messages[i].at];
        if (version == 0x0304 && type == 4)
            continue; /* tickets come after the handshake */
        if (talk.messages[i].len > 4)
            change_each(type, talk.messages[i].from_client, 0, SIZE_MAX, "[Finished: failed]");
    }
}

static void test_tls13(void)
{
    if (!take("tests/golden/lab_tls13.pcapng", 0x0304))
        return;
    test_every_byte(0x0304);
    change_each(15, false, 4, SIZE_MAX, "[CertificateVerify: failed]");
    change_each(2, false, 35, 32, "[Session ID: failed]");
    change_each(2, false, 67, 1, "[Offered: failed]"); /* the suite */
    change_each(1, true, 2, 32, "[CertificateVerify: failed]");
    change_last(20, false, "[Finished: failed]");
    change_last(20, true, "[Finished: failed]");
}

static void test_tls12(void)
{
    if (!take("tests/golden/lab_tls12.pcapng", 0x0303))
        return;
    test_every_byte(0x0303);
    change_each(12, false, 4, 65, "[ServerKeyExchange Signature: failed]");
    change_last(12, false, "[ServerKeyExchange Signature: failed]");
    change_last(11, false, "[Certificate Signatures: failed]");
    change_each(2, false, 35, 3, "failed]");
}

static void test_downgrade(void)
{
    if (!take("tests/golden/lab_tls13.pcapng", 0x0304))
        return;
    const struct message *hello = &talk.messages[find_message(2, false)];
    talk.version = 0x0303;
    memcpy(talk.bytes + hello->at + 4 + 2 + 24, "DOWNGRD\1", 8);
    CHECK(says(replay(MESSAGES), "[Downgrade: failed]"));
}

static void test_grease(void)
{
    if (!take("tests/golden/lab_tls13.pcapng", 0x0304))
        return;
    const struct message *hello = &talk.messages[find_message(2, false)];
    memcpy(talk.bytes + hello->at + 4 + 67, "\x3a\x3a", 2);
    CHECK(says(replay(MESSAGES), "[GREASE: failed]"));
}

/* The second ClientHello: a byte of what may not change. */
static void test_retry(void)
{
    if (!take("tests/golden/lab_retry.pcapng", 0x0304))
        return;
    struct message *first = &talk.messages[0];
    talk.bytes[first->at + 4 + 5] ^= 1;
    CHECK(says(replay(MESSAGES), "[Second ClientHello: failed]"));
    talk.bytes[first->at + 4 + 5] ^= 1;
    CHECK(says(replay(MESSAGES), "[Second ClientHello: ok]"));
}

/* The capture's clock before and after the certificate's dates. */
static void test_dates(void)
{
    if (!take("tests/golden/lab_tls13.pcapng", 0x0304))
        return;
    talk.time += INT64_C(100) * 366 * 86400 * 1000000000;
    CHECK(says(replay(MESSAGES), "[Certificate Dates: failed]"));
    talk.time = 0;
    CHECK(says(replay(MESSAGES), "[Certificate Dates: failed]"));
}

/* What was not read is not called failed. */
static void test_missing(void)
{
    if (!take("tests/golden/lab_tls13.pcapng", 0x0304))
        return;
    const char *all = replay(find_message(1, true));
    CHECK(says(all, "[Finished: not checkable]") &&
          says(all, "[CertificateVerify: not checkable]"));
    CHECK(!says(all, ": failed]"));
    all = replay(find_message(2, false));
    CHECK(says(all, "[Finished: not checkable]") && !says(all, ": failed]"));
    key_table_free(&keys);
    key_table_init(&keys);
    all = replay(MESSAGES);
    CHECK(says(all, "[Finished: not checkable]") && says(all, "[CertificateVerify: ok]"));
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"the golden connections stand every check", test_all_ok},
        {"no byte of TLS 1.3 changes unnoticed", test_tls13},
        {"no byte of TLS 1.2 changes unnoticed", test_tls12},
        {"the mark of a downgrade", test_downgrade},
        {"GREASE that the server chose", test_grease},
        {"a second ClientHello that changed", test_retry},
        {"dates against the capture's clock", test_dates},
        {"what was not read has not failed", test_missing},
    };
    want_proofs();
    if (!tape_init(&d.tape))
        return 1;
    crypto_provider_init(&crypto);
    key_table_init(&keys);
    int result = UNIT_RUN(tests);
    tape_free(&d.tape);
    key_table_free(&keys);
    crypto_provider_free(&crypto);
    arena_free(&plaintext);
    buf_free(&scratch);
    buf_free(&verdicts);
    return result;
}
