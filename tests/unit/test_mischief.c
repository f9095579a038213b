/* Servers that misbehave: names, single fields, records protected anew, and what comes of them in memory. */
#include "base/buf.h"
#include "endpoint/authority.h"
#include "endpoint/mischief.h"
#include "endpoint/mischief_edit.h"
#include "endpoint/sealer.h"
#include "endpoint/tls_pipe.h"
#include "unit.h"

#include <openssl/err.h>

static void test_names(void)
{
    static const struct {
        const char *name;
        bool good;
        enum spoken at;
        uint8_t alert;
    } rows[] = {
        {"expired", true, SPOKEN_ANYTHING, 0},
        {"bad-finished", true, SPOKEN_FINISHED, 0},
        {"stall:ServerHello", true, SPOKEN_SERVER_HELLO, 0},
        {"alert:Finished", true, SPOKEN_FINISHED, 80},
        {"alert:Finished/0", true, SPOKEN_FINISHED, 0},
        {"alert:CloseNotify/255", true, SPOKEN_CLOSE_NOTIFY, 255},
        {"alert:Finished/256", false, 0, 0},
        {"alert:Finished/", false, 0, 0},
        {"alert:Finished/4x", false, 0, 0},
        {"stall:Finished/40", false, 0, 0},
        {"stall:", false, 0, 0},
        {"stall:finished", false, 0, 0},
        {"stall", false, 0, 0},
        {"expired:Finished", false, 0, 0},
        {"Expired", false, 0, 0},
        {"", false, 0, 0},
        {":", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct breakage_choice choice = {.row = NULL};
        struct error e = {.code = ERROR_NONE};
        bool good = breakage_find(rows[i].name, &choice, &e);
        if (good != rows[i].good)
            printf("# '%s'\n", rows[i].name);
        CHECK_EQ(rows[i].good, good);
        CHECK_EQ(good ? ERROR_NONE : ERROR_USAGE, e.code);
        if (good) {
            CHECK_EQ(rows[i].at, choice.at);
            CHECK_EQ(rows[i].alert, choice.alert);
        }
    }
}

/* Every row has a name and a sentence of its own, and does something. */
static void test_table(void)
{
    size_t count = 0;
    for (size_t i = 0; breakage_at(i); i++) {
        const struct breakage *row = breakage_at(i);
        CHECK(row->sentence && *row->sentence);
        if (!row->name)
            continue;
        count++;
        CHECK(row->act != ACT_NONE || row->own_leaf || row->trick != TRICK_NONE ||
              row->min_version || row->max_version || row->ciphers || row->groups || row->sigalgs);
        CHECK((row->act == ACT_EDIT) == (row->edit != EDIT_NONE));
        CHECK((row->act == ACT_INSERT) == (row->count > 0));
        for (size_t j = 0; j < i; j++) {
            const struct breakage *other = breakage_at(j);
            CHECK(strcmp(other->sentence, row->sentence) != 0);
            CHECK(!other->name || other->family != row->family ||
                  strcmp(other->name, row->name) != 0);
        }
    }
    CHECK(count >= 40);
}

/* ---- single fields ---- */

static const uint8_t hello[] = {
    2,    0,    0,    51,                       /* ServerHello */
    3,    3,                                    /* version */
    1,    2,    3,    4,    5,  6,  7,  8,      /* random */
    9,    10,   11,   12,   13, 14, 15, 16,     /* … */
    17,   18,   19,   20,   21, 22, 23, 24,     /* … */
    25,   26,   27,   28,   29, 30, 31, 32,     /* … */
    2,    0xaa, 0xbb,                           /* session ID */
    0x13, 0x01, 0,                              /* suite, compression */
    0,    9,    0xff, 0x01, 0,  1,  0,  0,  23, /* renegotiation_info, … */
    0,    0,                                    /* … extended_master_secret */
};

static void test_edits(void)
{
    static const struct {
        enum edit edit;
        size_t at;
        const char *bytes;
        size_t len, whole;
    } rows[] = {
        {EDIT_NONE, 0, "\2\0\0\63\3\3", 6, sizeof(hello)},
        {EDIT_VERSION, 4, "\3\0", 2, sizeof(hello)},
        {EDIT_SENTINEL, 28, "\27\30DOWNGRD\1\2\xaa\xbb", 13, sizeof(hello)},
        {EDIT_SUITE, 41, "\0\5\0\0\11", 5, sizeof(hello)},
        {EDIT_COMPRESSION, 43, "\1\0\11", 3, sizeof(hello)},
        {EDIT_EXTENSION, 44, "\0\15\377\1\0\1\0\0\27\0\0\0\16\0\0", 15, sizeof(hello) + 4},
        {EDIT_NO_RENEGOTIATION_INFO, 44, "\0\4\0\27\0\0", 6, sizeof(hello) - 5},
        {EDIT_SESSION_ID, 38, " this is", 8, sizeof(hello) + 30},
        {EDIT_MESSAGE_LENGTH, 0, "\2\377\377\377\3\3", 6, sizeof(hello)},
        {EDIT_EMPTY_CERTIFICATE, 0, "\2\0\0\63\3\3", 6, sizeof(hello)},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out = {.ceiling = 1024};
        mischief_edit(rows[i].edit, slice_of(hello, sizeof(hello)), false, &out);
        bool same = slice_equal(slice_sub(buf_slice(&out), rows[i].at, rows[i].len),
                                slice_of(rows[i].bytes, rows[i].len));
        if (!same || out.len != rows[i].whole)
            printf("# edit %d\n", rows[i].edit);
        CHECK(same);
        CHECK_EQ(rows[i].whole, out.len);
        struct slice length = slice_sub(buf_slice(&out), 1, 3);
        CHECK(rows[i].edit == EDIT_MESSAGE_LENGTH || slice_u24(&length) == out.len - 4);
        buf_free(&out);
    }
}

/* What is no ServerHello goes through as it is, whatever its length. */
static void test_edits_of_pieces(void)
{
    for (size_t len = 0; len < sizeof(hello); len++)
        for (enum edit edit = EDIT_VERSION; edit <= EDIT_EMPTY_CERTIFICATE; edit++) {
            struct buf out = {.ceiling = 1024};
            mischief_edit(edit, slice_of(hello, len), true, &out);
            CHECK(out.len >= len || edit == EDIT_NO_RENEGOTIATION_INFO || len > 43);
            buf_free(&out);
        }
}

/* ---- records protected anew ---- */

static const uint16_t suites_13[] = {0x1301, 0x1302, 0x1303};
static const uint16_t suites_12[] = {0xc02b, 0xc02c, 0xcca9};

static bool give_keys(struct sealer *s, bool newest, uint16_t id)
{
    static const uint8_t bytes[96] = {1, 2, 3};
    const struct suite *suite = suite_find(id);
    return newest ? sealer_key_13(s, suite, slice_of(bytes, hash_size(suite->hash)))
                  : sealer_key_12(s, suite, slice_of(bytes, 48), slice_of(bytes, 32),
                                  slice_of(bytes, 32));
}

static void check_record(struct sealer *from, struct sealer *to, uint8_t type, struct slice plain)
{
    struct buf out = {.ceiling = 32768};
    struct opened opened;
    CHECK(sealer_seal(from, type, plain, &out));
    struct slice whole = buf_slice(&out), header = slice_take(&whole, 5), length = header;
    slice_skip(&length, 3);
    CHECK_EQ(slice_u16(&length), whole.len);
    CHECK(sealer_open(to, header, whole, &opened));
    CHECK_EQ(type, opened.type);
    CHECK(slice_equal(plain, opened.plaintext));
    buf_free(&out);
}

static void test_sealer(void)
{
    static const uint8_t large[16384] = {7};
    for (size_t i = 0; i < 6; i++) {
        struct sealer from, to;
        struct buf out = {.ceiling = 32768};
        bool newest = i < 3;
        uint16_t id = newest ? suites_13[i] : suites_12[i - 3];
        sealer_init(&from);
        sealer_init(&to);
        CHECK(!sealer_seal(&from, 22, slice_of_str("x"), &out)); /* no keys yet */
        CHECK(give_keys(&from, newest, id) && give_keys(&to, newest, id));
        for (int round = 0; round < 3; round++) {
            check_record(&from, &to, 22, slice_of_str("a message"));
            check_record(&from, &to, 23, slice_empty());
            check_record(&from, &to, 21, slice_of("\2\50", 2));
            check_record(&from, &to, 23, slice_of(large, sizeof(large)));
            CHECK_EQ(newest, sealer_update(&from));
            CHECK_EQ(newest, sealer_update_opener(&to));
        }
        static const uint8_t larger[16385] = {0};
        CHECK(!sealer_seal(&from, 23, slice_of(larger, sizeof(larger)), &out));
        sealer_free(&from);
        sealer_free(&to);
        buf_free(&out);
    }
}

static void test_sealer_refuses(void)
{
    static const uint16_t others[] = {0x1304, 0x1305, 0xc023, 0x002f};
    for (size_t i = 0; i < 4; i++) {
        struct sealer s;
        sealer_init(&s);
        CHECK(!give_keys(&s, i < 2, others[i]));
        sealer_free(&s);
    }
}

/* ---- in memory ---- */

struct pair {
    SSL_CTX *contexts[2];
    struct tls_pipe pipes[2]; /* by enum tls_role */
    struct mischief *mischief;
    struct authority *authority;
    size_t pieces, smallest;
    enum mischief_end end;
};

static void key_line(void *user, const char *line)
{
    struct pair *p = user;
    mischief_keylog(p->mischief, line);
}

static void sent(void *user, int content_type, struct slice what)
{
    struct pair *p = user;
    mischief_listen(p->mischief, content_type, what);
}

static void pair_open(struct pair *p, const char *name, int max_version)
{
    struct error e = {.code = ERROR_NONE};
    struct breakage_choice choice = {.row = NULL};
    struct tls_settings server = {.max_version = max_version},
                        client = {.max_version = max_version};
    *p = (struct pair){.smallest = SIZE_MAX};
    CHECK(breakage_find(name, &choice, &e) && breakage_settings(&choice, &server, &e));
    p->authority = authority_new_temporary(false, &e);
    p->contexts[TLS_CLIENT] = context_new(&client, TLS_CLIENT, NULL, &e);
    p->contexts[TLS_SERVER] = context_new(&server, TLS_SERVER, NULL, &e);
    authority_serve(p->authority, p->contexts[TLS_SERVER]);
    tls_pipe_log_keys(p->contexts[TLS_SERVER]);
    CHECK(tls_pipe_open(&p->pipes[0], p->contexts[0], TLS_CLIENT, "localhost", NULL, &e));
    CHECK(tls_pipe_open(&p->pipes[1], p->contexts[1], TLS_SERVER, NULL, NULL, &e));
    p->mischief = mischief_new(&choice, p->pipes[TLS_SERVER].ssl);
    CHECK(p->mischief != NULL);
    p->pipes[TLS_SERVER].user = p;
    p->pipes[TLS_SERVER].on_keylog = key_line;
    p->pipes[TLS_SERVER].on_sent = sent;
}

static void pair_free(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        tls_pipe_free(&p->pipes[i]);
        SSL_CTX_free(p->contexts[i]);
    }
    mischief_free(p->mischief);
    authority_free(p->authority);
}

/* What the server has to say, through the mischief, to the client. */
static void to_client(struct pair *p)
{
    struct slice piece;
    mischief_take(p->mischief, tls_pipe_output(&p->pipes[TLS_SERVER]));
    tls_pipe_output_taken(&p->pipes[TLS_SERVER]);
    while (mischief_next(p->mischief, &piece)) {
        p->pieces++;
        p->smallest = piece.len < p->smallest ? piece.len : p->smallest;
        tls_pipe_feed(&p->pipes[TLS_CLIENT], piece);
    }
    enum mischief_end end = mischief_verdict(p->mischief);
    p->end = end != MISCHIEF_GOES_ON ? end : p->end;
}

static enum tls_progress shake(struct pair *p)
{
    enum tls_progress progress = TLS_AGAIN;
    for (int round = 0; round < 4 && progress == TLS_AGAIN; round++) {
        progress = tls_pipe_handshake(&p->pipes[TLS_CLIENT]);
        tls_pipe_feed(&p->pipes[TLS_SERVER], tls_pipe_output(&p->pipes[TLS_CLIENT]));
        tls_pipe_output_taken(&p->pipes[TLS_CLIENT]);
        tls_pipe_handshake(&p->pipes[TLS_SERVER]);
        to_client(p);
    }
    return progress;
}

static void test_in_memory(void)
{
    static const struct {
        const char *name;
        int version;
        enum tls_progress progress;
        enum mischief_end end;
    } rows[] = {
        {"fragments", VERSION_TLS1_3, TLS_DONE, MISCHIEF_GOES_ON},
        {"fragments", VERSION_TLS1_2, TLS_DONE, MISCHIEF_GOES_ON},
        {"joined", VERSION_TLS1_3, TLS_DONE, MISCHIEF_GOES_ON},
        {"joined", VERSION_TLS1_2, TLS_DONE, MISCHIEF_GOES_ON},
        {"segments", VERSION_TLS1_3, TLS_DONE, MISCHIEF_GOES_ON},
        {"empty-data", VERSION_TLS1_3, TLS_DONE, MISCHIEF_GOES_ON},
        {"bad-finished", VERSION_TLS1_3, TLS_FAILED, MISCHIEF_GOES_ON},
        {"bad-finished", VERSION_TLS1_2, TLS_FAILED, MISCHIEF_GOES_ON},
        {"drop:Certificate", VERSION_TLS1_3, TLS_FAILED, MISCHIEF_GOES_ON},
        {"repeat:CertificateVerify", VERSION_TLS1_3, TLS_FAILED, MISCHIEF_GOES_ON},
        {"alert:Finished", VERSION_TLS1_3, TLS_FAILED, MISCHIEF_ENDS},
        {"http", VERSION_TLS1_2, TLS_FAILED, MISCHIEF_ENDS},
        {"cut:ServerHello", VERSION_TLS1_2, TLS_AGAIN, MISCHIEF_ENDS},
        {"stall:Finished", VERSION_TLS1_3, TLS_AGAIN, MISCHIEF_HOLDS},
        {"reset:ServerHello", VERSION_TLS1_2, TLS_AGAIN, MISCHIEF_RESETS},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pair p;
        pair_open(&p, rows[i].name, rows[i].version);
        enum tls_progress progress = shake(&p);
        if (progress != rows[i].progress || p.end != rows[i].end)
            printf("# %s %x\n", rows[i].name, (unsigned)rows[i].version);
        CHECK_EQ(rows[i].progress, progress);
        CHECK_EQ(rows[i].end, p.end);
        if (progress == TLS_DONE) {
            uint8_t bytes[64];
            size_t len = 0;
            CHECK(tls_pipe_write(&p.pipes[TLS_SERVER], slice_of_str("test\n")));
            to_client(&p);
            enum tls_progress read =
                tls_pipe_read(&p.pipes[TLS_CLIENT], bytes, sizeof(bytes), &len);
            bool refused = strcmp(rows[i].name, "empty-data") == 0;
            CHECK_EQ(refused ? TLS_FAILED : TLS_DONE, read);
            CHECK(refused || slice_at(slice_of(bytes, len), 0) == 't'); /* in one record or more */
        }
        if (strcmp(rows[i].name, "segments") == 0)
            CHECK(p.pieces > 100 && p.smallest <= 5);
        pair_free(&p);
    }
}

/* A suite that cannot be protected anew: the connection ends, and says why. */
static void test_other_suites(void)
{
    struct error e = {.code = ERROR_NONE};
    struct breakage_choice choice;
    struct tls_settings server = {.max_version = VERSION_TLS1_1};
    CHECK(breakage_find("bad-finished", &choice, &e));
    CHECK(!breakage_settings(&choice, &server, &e));
    CHECK(strstr(e.text, "not for the TLS version") != NULL);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"names", test_names},
        {"the table", test_table},
        {"single fields", test_edits},
        {"single fields of what is cut", test_edits_of_pieces},
        {"records are protected anew", test_sealer},
        {"suites that cannot be", test_sealer_refuses},
        {"handshakes in memory", test_in_memory},
        {"versions that do not go with it", test_other_suites},
    };
    return UNIT_RUN(tests);
}
