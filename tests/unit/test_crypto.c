#include "crypto/digest.h"
#include "crypto/hpke.h"
#include "crypto/idea.h"
#include "crypto/md5.h"
#include "crypto/modes.h"
#include "crypto/opener.h"
#include "crypto/rc4.h"
#include "crypto/schedule.h"
#include "crypto_vectors.h"
#include "unit.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define VECTOR_COUNT (sizeof record_vectors / sizeof record_vectors[0])

struct bytes {
    uint8_t data[1024];
    size_t len;
};

static struct bytes unhex(const char *text)
{
    struct bytes b = {.len = 0};
    for (; text[0] && text[1] && b.len < sizeof b.data; text += 2) {
        const char pair[3] = {text[0], text[1], '\0'};
        b.data[b.len++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return b;
}

static struct slice of(const struct bytes *b)
{
    return slice_of(b->data, b->len);
}

static void check_hex(const char *want, const uint8_t *got, size_t len)
{
    char text[2 * 1024 + 1] = "";
    for (size_t i = 0; i < len && i < 1024; i++)
        snprintf(text + 2 * i, 3, "%02x", got[i]);
    CHECK_STR(want, text);
}

static size_t allocations; /* of OpenSSL */

static void *counted_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    allocations++;
    return malloc(size);
}

static void *counted_realloc(void *at, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    allocations++;
    return realloc(at, size);
}

static void counted_free(void *at, const char *file, int line)
{
    (void)file, (void)line;
    free(at);
}

/* ---- suites ---- */

static void test_suites(void)
{
    for (size_t i = 0; i < suite_count(); i++) {
        const struct suite *s = suite_at(i);
        const struct cipher_info *c = cipher_info(s->cipher);
        CHECK(i == 0 || suite_at(i - 1)->id < s->id);
        CHECK(suite_find(s->id) == s);
        CHECK((c->tag_len > 0) == (s->mac == HASH_NONE));
        CHECK(c->key_len <= KEY_MAX_SIZE && c->iv_len <= IV_MAX_SIZE);
        CHECK(c->fixed_iv_len + c->explicit_nonce ==
              (c->tag_len && s->cipher != CIPHER_CHACHA20_EARLY ? 12 : 0));
    }
    CHECK(suite_find(0x0000) == NULL);
    CHECK(suite_find(0xffff) == NULL);
    CHECK(suite_find(0x0a0a) == NULL);
    CHECK_EQ(CIPHER_AES_256_GCM, suite_find(0xc030)->cipher);
    CHECK_EQ(HASH_SHA384, suite_find(0xc030)->hash);
    CHECK_EQ(KX_ECDHE_RSA, suite_find(0xc030)->key_exchange);
    CHECK_EQ(HASH_SHA1, suite_find(0x002f)->mac);
    CHECK_EQ(HASH_SHA256, suite_find(0x002f)->hash);
    CHECK_EQ(CIPHER_AES_128_CCM_8, suite_find(0xc0ae)->cipher);
}

static void test_ciphers_exist(void)
{
    struct crypto_provider p;
    crypto_provider_init(&p);
    for (int id = 0; id < CIPHER_COUNT; id++) {
        EVP_CIPHER *evp = provider_cipher(&p, (enum cipher_id)id);
        const struct cipher_info *info = cipher_info((enum cipher_id)id);
        CHECK((evp != NULL) == (info->evp_name != NULL));
        if (!evp)
            continue;
        CHECK_EQ(info->key_len, EVP_CIPHER_get_key_length(evp));
        if (info->kind == KIND_BLOCK)
            CHECK_EQ(info->iv_len, EVP_CIPHER_get_block_size(evp));
    }
    crypto_provider_free(&p);
}

static void test_idea(void)
{
    /* X. Lai, On the Design and Security of Block Ciphers, 1992: the table of the example. */
    static const uint8_t key[] = {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8};
    static const uint8_t sealed[] = {0x11, 0xfb, 0xed, 0x2b, 0x01, 0x98, 0x6d, 0xe5};
    uint8_t iv[IDEA_BLOCK] = {0}, out[IDEA_BLOCK];
    idea_cbc_decrypt(key, iv, sealed, out, sizeof sealed);
    check_hex("0000000100020003", out, sizeof out);
    iv[7] = 0xff;
    idea_cbc_decrypt(key, iv, sealed, out, sizeof sealed);
    check_hex("00000001000200fc", out, sizeof out);
}

/* RFC 6229 2; a state goes back as far as it went. */
static void test_rc4(void)
{
    static const uint8_t key[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const uint8_t zeros[16];
    uint8_t out[16];
    struct rc4 r, first;
    rc4_init(&r, slice_of(key, 5));
    rc4_crypt(&r, slice_of(zeros, 16), out);
    check_hex("b2396305f03dc027ccc3524a0a1118a8", out, 16);
    rc4_init(&r, slice_of(key, 16));
    first = r;
    rc4_crypt(&r, slice_of(zeros, 16), out);
    check_hex("9ac7cc9a609d1ef7b2932899cde41b97", out, 16);
    rc4_skip(&r, 4096 - 16);
    rc4_crypt(&r, slice_of(zeros, 16), out);
    check_hex("a36a4c301ae8ac13610ccbc12256cacc", out, 16);
    rc4_back(&r, 4096 + 16);
    CHECK(memcmp(&r, &first, sizeof r) == 0);
}

/* The modes that are made here, over AES, open what OpenSSL's own seal. */
static void test_modes(void)
{
    static const char *const names[] = {"AES-128-GCM", "AES-128-CCM"};
    uint8_t key[16], nonce[MODES_NONCE], extra[13], text[700], sealed[700], tag[MODES_TAG],
        out[700];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7);
    memset(key, 0x5a, sizeof key);
    memset(nonce, 0xfe, sizeof nonce);
    memset(extra, 0x17, sizeof extra);
    EVP_CIPHER_CTX *ecb = EVP_CIPHER_CTX_new(), *seal = EVP_CIPHER_CTX_new();
    CHECK_EQ(1, EVP_EncryptInit_ex2(ecb, EVP_aes_128_ecb(), key, NULL, NULL));
    for (int len = 0; len <= (int)sizeof text; len += 25) {
        for (unsigned ccm = 0; ccm < 2; ccm++) {
            EVP_CIPHER *evp = EVP_CIPHER_fetch(NULL, names[ccm], NULL);
            int n = 0;
            CHECK_EQ(1, EVP_EncryptInit_ex2(seal, evp, NULL, NULL, NULL));
            CHECK_EQ(1, EVP_CIPHER_CTX_ctrl(seal, EVP_CTRL_AEAD_SET_IVLEN, MODES_NONCE, NULL));
            if (ccm)
                CHECK_EQ(1, EVP_CIPHER_CTX_ctrl(seal, EVP_CTRL_AEAD_SET_TAG, MODES_TAG, NULL));
            CHECK_EQ(1, EVP_EncryptInit_ex2(seal, NULL, key, nonce, NULL));
            if (ccm)
                CHECK_EQ(1, EVP_EncryptUpdate(seal, NULL, &n, NULL, len));
            CHECK_EQ(1, EVP_EncryptUpdate(seal, NULL, &n, extra, sizeof extra));
            CHECK_EQ(1, EVP_EncryptUpdate(seal, sealed, &n, text, len));
            CHECK_EQ(1, EVP_EncryptFinal_ex(seal, sealed + len, &n));
            CHECK_EQ(1, EVP_CIPHER_CTX_ctrl(seal, EVP_CTRL_AEAD_GET_TAG, MODES_TAG, tag));
            struct modes_message m = {.extra = slice_of(extra, sizeof extra),
                                      .sealed = slice_of(sealed, (size_t)len),
                                      .tag = slice_of(tag, sizeof tag),
                                      .out = out};
            bool (*open)(EVP_CIPHER_CTX *, const uint8_t *, const struct modes_message *) =
                ccm ? modes_open_ccm : modes_open_gcm;
            CHECK(open(ecb, nonce, &m));
            CHECK(memcmp(out, text, (size_t)len) == 0);
            tag[3] ^= 1;
            CHECK(!open(ecb, nonce, &m));
            EVP_CIPHER_free(evp);
        }
    }
    EVP_CIPHER_CTX_free(ecb);
    EVP_CIPHER_CTX_free(seal);
}

/* ---- digests ---- */

/* Our own MD5 and OpenSSL's, for every length up to two blocks and more. */
static void test_md5(void)
{
    uint8_t bytes[200], ours[MD5_BYTES], theirs[HASH_MAX_SIZE];
    struct crypto_provider p;
    crypto_provider_init(&p);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct slice data = slice_of(bytes, len);
        md5(data, ours);
        CHECK(provider_hash(&p, HASH_MD5, &data, 1, theirs));
        CHECK(memcmp(ours, theirs, MD5_BYTES) == 0);
    }
    crypto_provider_free(&p);
}

static void test_digests(void)
{
    struct crypto_provider p;
    char text[65];
    uint8_t sum[HASH_MAX_SIZE];
    crypto_provider_init(&p);
    digest_md5_hex(slice_of_str("abc"), text); /* RFC 1321 A.5 */
    CHECK_STR("900150983cd24fb0d6963f7d28e17f72", text);
    digest_md5_hex(slice_empty(), text);
    CHECK_STR("d41d8cd98f00b204e9800998ecf8427e", text);
    CHECK(digest_sha256_hex(&p, slice_of_str("abc"), text)); /* FIPS 180-4 */
    CHECK_STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", text);
    struct slice data = slice_of_str("what do ya want for nothing?"); /* RFC 2202 2, RFC 4231 4.3 */
    CHECK(provider_hmac(&p, HASH_MD5, slice_of_str("Jefe"), &data, 1, sum));
    check_hex("750c783e6ab0b503eaa86e310a5db738", sum, 16);
    CHECK(provider_hmac(&p, HASH_SHA384, slice_of_str("Jefe"), &data, 1, sum));
    check_hex(
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ec"
        "fab21649",
        sum, 48);
    uint8_t key[131]; /* RFC 4231 4.7: a key longer than the block */
    memset(key, 0xaa, sizeof key);
    data = slice_of_str("Test Using Larger Than Block-Size Key - Hash Key First");
    CHECK(provider_hmac(&p, HASH_SHA256, slice_of(key, sizeof key), &data, 1, sum));
    check_hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", sum, 32);
    CHECK(!provider_hash(&p, HASH_NONE, &data, 1, sum));
    crypto_provider_free(&p);
}

static void test_transcript(void)
{
    struct crypto_provider p;
    struct transcript t;
    uint8_t sum[HASH_MAX_SIZE], again[HASH_MAX_SIZE];
    crypto_provider_init(&p);
    CHECK(transcript_init(&t, &p, HASH_SHA256));
    CHECK(transcript_add(&t, slice_of_str("a")) && transcript_peek(&t, sum));
    CHECK(transcript_add(&t, slice_of_str("bc")) && transcript_peek(&t, again));
    check_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", again, 32);
    CHECK(memcmp(sum, again, 32) != 0);
    CHECK(transcript_retry(&t) && transcript_peek(&t, sum));
    struct slice synthetic[] = {slice_of("\xfe\0\0\x20", 4), slice_of(again, 32)};
    CHECK(provider_hash(&p, HASH_SHA256, synthetic, 2, again));
    CHECK(memcmp(sum, again, 32) == 0);
    transcript_free(&t);
    CHECK(!transcript_init(&t, &p, HASH_NONE) && !transcript_add(&t, slice_empty()));
    crypto_provider_free(&p);
}

/* ---- schedules ---- */

static void test_hkdf(void)
{
    struct crypto_provider p;
    uint8_t prk[HASH_MAX_SIZE], out[82];
    crypto_provider_init(&p);
    struct bytes ikm = unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"); /* RFC 5869 A.1 */
    struct bytes salt = unhex("000102030405060708090a0b0c"), info = unhex("f0f1f2f3f4f5f6f7f8f9");
    CHECK(hkdf_extract(&p, HASH_SHA256, of(&salt), of(&ikm), prk));
    check_hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5", prk, 32);
    struct slice part = of(&info);
    CHECK(hkdf_expand(&p, HASH_SHA256, slice_of(prk, 32), &part, 1, out, 42));
    check_hex(
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865", out,
        42);
    CHECK(!hkdf_expand(&p, HASH_NONE, slice_of(prk, 32), &part, 1, out, 42));
    uint8_t big[255 * 32 + 1];
    CHECK(hkdf_expand(&p, HASH_SHA256, slice_of(prk, 32), &part, 1, big, 255 * 32));
    CHECK(!hkdf_expand(&p, HASH_SHA256, slice_of(prk, 32), &part, 1, big, 255 * 32 + 1));
    crypto_provider_free(&p);
}

static void test_prf(void)
{
    struct crypto_provider p;
    uint8_t out[148];
    crypto_provider_init(&p);
    /* The vectors posted to the TLS working group's list when TLS 1.2 was young. */
    struct bytes secret = unhex("9bbe436ba940f017b17652849a71db35");
    struct bytes seed = unhex("a0ba9f936cda311827a6f796ffd5198c");
    CHECK(schedule_prf(&p, VERSION_TLS12, HASH_SHA256, of(&secret), "test label", of(&seed),
                       slice_empty(), out, 100));
    check_hex(
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e"
        "14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5"
        "a72e5a5110fff70187347b66",
        out, 100);
    /* Made with the TLS1-PRF of OpenSSL's kdf command; secrets of even and odd length. */
    CHECK(schedule_prf(&p, VERSION_TLS10, HASH_NONE, of(&secret), "test label", of(&seed),
                       slice_empty(), out, 16));
    check_hex("661740e6f98bc901efd2738502a71c03", out, 16);
    secret = unhex("9bbe436ba940f017b17652849a71db3501");
    CHECK(schedule_prf(&p, VERSION_TLS11, HASH_NONE, of(&secret), "test label", of(&seed),
                       slice_empty(), out, 40));
    check_hex("383efe5bcee535a940450a3f563e523f390cc3ecdc46eb4ab82f99e47673eb368f6df508205b3fa0",
              out, 40);
    secret = unhex("b80b733d6ceefcdc71566ea48e5567df");
    seed = unhex("cd665cf6a8447dd6ff8b27555edb7465");
    CHECK(schedule_prf(&p, VERSION_TLS12, HASH_SHA384, of(&secret), "test label",
                       slice_sub(of(&seed), 0, 5), slice_sub(of(&seed), 5, 11), out, 148));
    check_hex(
        "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b123"
        "3c9146a0e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd"
        "4abfdad05d9184259b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a2"
        "6854308d5eaa3be85e0990703d73e56f",
        out, 148);
    crypto_provider_free(&p);
}

/* ---- RFC 8448 3: a whole TLS 1.3 connection with published secrets ---- */

static const char server_hs[] = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38";
static const char client_hs[] = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21";
static const char server_ap[] = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";
static const char client_ap[] = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";

static const struct {
    const char *secret, *key, *iv;
} rfc8448_keys[] = {
    {server_hs, "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30"},
    {client_hs, "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f"},
    {server_ap, "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"},
    {client_ap, "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"},
};

static void test_rfc8448_schedule(void)
{
    struct crypto_provider p;
    const struct suite *suite = suite_find(0x1301);
    uint8_t out[HASH_MAX_SIZE], zero[32] = {0};
    crypto_provider_init(&p);
    for (size_t i = 0; i < 4; i++) {
        struct traffic_keys keys;
        struct bytes secret = unhex(rfc8448_keys[i].secret);
        CHECK(schedule_traffic_keys(&p, suite, of(&secret), &keys));
        check_hex(rfc8448_keys[i].key, keys.key, 16);
        check_hex(rfc8448_keys[i].iv, keys.iv, 12);
    }
    CHECK(hkdf_extract(&p, HASH_SHA256, slice_empty(), slice_of(zero, 32), out));
    check_hex("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a", out, 32);
    struct bytes handshake =
        unhex("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac");
    struct bytes hash = unhex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
    CHECK(hkdf_expand_label(&p, HASH_SHA256, of(&handshake), "c hs traffic", of(&hash), out, 32));
    check_hex(client_hs, out, 32);
    struct bytes base = unhex(client_hs);
    hash = unhex("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13");
    CHECK(schedule_finished_13(&p, suite, of(&base), of(&hash), out));
    check_hex("a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61", out, 32);
    crypto_provider_free(&p);
}

static const struct {
    const char *secret;
    unsigned skip; /* records before this one, not tried */
    uint8_t type;
    const char *start; /* how the plaintext begins */
    size_t len;
    const char *record;
} rfc8448_records[] = {
    {server_hs, 0, 22, "080000240022000a", 657,
     "17030302a2d1ff334a56f5bff6594a07cc87b580233f500f45e489e7f33af35edf7869fcf40aa40aa2b8ea73f848a"
     "7"
     "ca07612ef9f945cb960b4068905123ea78b111b429ba9191cd05d2a389280f526134aadc7fc78c4b729df828b5ecf"
     "7"
     "b13bd9aefb0e57f271585b8ea9bb355c7c79020716cfb9b1183ef3ab20e37d57a6b9d7477609aee6e122a4cf51427"
     "3"
     "25250c7d0e509289444c9b3a648f1d71035d2ed65b0e3cdd0cbae8bf2d0b227812cbb360987255cc744110c453baa"
     "4"
     "fcd610928d809810e4b7ed1a8fd991f06aa6248204797e36a6a73b70a2559c09ead686945ba246ab66e5edd8044b4"
     "c"
     "6de3fcf2a89441ac66272fd8fb330ef8190579b3684596c960bd596eea520a56a8d650f563aad27409960dca63d3e"
     "6"
     "88611ea5e22f4415cf9538d51a200c27034272968a264ed6540c84838d89f72c24461aad6d26f59ecaba9acbbb317"
     "b"
     "66d902f4f292a36ac1b639c637ce343117b659622245317b49eeda0c6258f100d7d961ffb138647e92ea330faeea6"
     "d"
     "fa31c7a84dc3bd7e1b7a6c7178af36879018e3f252107f243d243dc7339d5684c8b0378bf30244da8c87c843f5e56"
     "e"
     "b4c5e8280a2b48052cf93b16499a66db7cca71e4599426f7d461e66f99882bd89fc50800becca62d6c74116dbd297"
     "2"
     "fda1fa80f85df881edbe5a37668936b335583b599186dc5c6918a396fa48a181d6b6fa4f9d62d513afbb992f2b992"
     "f"
     "67f8afe67f76913fa388cb5630c8ca01e0c65d11c66a1e2ac4c85977b7c7a6999bbf10dc35ae69f5515614636c0b9"
     "b"
     "68c19ed2e31c0b3b66763038ebba42f3b38edc0399f3a9f23faa63978c317fc9fa66a73f60f0504de93b5b845e275"
     "5"
     "92c12335ee340bbc4fddd502784016e4b3be7ef04dda49f4b440a30cb5d2af939828fd4ae3794e44f94df5a631ede"
     "4"
     "2c1719bfdabf0253fe5175be898e750edc53370d2b"},
    {client_hs, 0, 22, "14000020a8ec436d677634ae", 36,
     "170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384b"
     "d"
     "1caeacab6867d726c40546"},
    {client_ap, 0, 23, "0001020304050607", 50,
     "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441"
     "e"
     "2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4"},
    {server_ap, 1, 23, "0001020304050607", 50,
     "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a5"
     "9"
     "a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d"},
    {client_ap, 1, 21, "0100", 2, "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3"},
    {server_ap, 2, 21, "0100", 2, "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9"},
};

static void test_rfc8448_records(void)
{
    struct crypto_provider p;
    struct arena arena = {0};
    crypto_provider_init(&p);
    for (size_t i = 0; i < sizeof rfc8448_records / sizeof rfc8448_records[0]; i++) {
        struct opener o;
        struct opened out;
        struct bytes secret = unhex(rfc8448_records[i].secret);
        struct bytes record = unhex(rfc8448_records[i].record);
        struct bytes start = unhex(rfc8448_records[i].start);
        struct slice fragment = of(&record), header = slice_take(&fragment, 5);
        CHECK(opener_init_13(&o, &p, suite_find(0x1301), of(&secret)));
        opener_skip(&o, rfc8448_records[i].skip);
        CHECK_EQ(OPEN_OK, opener_open(&o, header, fragment, &arena, &out));
        CHECK_EQ(rfc8448_records[i].type, out.type);
        CHECK_EQ(rfc8448_records[i].len, out.plaintext.len);
        CHECK_EQ(0, out.padding);
        CHECK(slice_equal(of(&start), slice_sub(out.plaintext, 0, start.len)));
        CHECK_EQ(rfc8448_records[i].skip + 1, opener_seq(&o));
        opener_free(&o);
    }
    arena_free(&arena);
    crypto_provider_free(&p);
}

/* ---- own records of every kind of protection ---- */

struct vector_opener {
    struct crypto_provider provider;
    struct arena arena;
    struct opener opener;
    struct bytes records[VECTOR_RECORDS];
    size_t count;
};

static void vector_start(struct vector_opener *x, const struct record_vector *v)
{
    struct bytes secret = unhex(v->secret);
    const struct suite *suite = suite_find(v->suite);
    *x = (struct vector_opener){.count = 0};
    crypto_provider_init(&x->provider);
    while (x->count < VECTOR_RECORDS && v->records[x->count]) {
        x->records[x->count] = unhex(v->records[x->count]);
        x->count++;
    }
    if (v->version == VERSION_TLS13) {
        CHECK(opener_init_13(&x->opener, &x->provider, suite, of(&secret)));
        return;
    }
    struct bytes client = unhex(v->client_random), server = unhex(v->server_random);
    struct key_block block;
    CHECK(schedule_key_block(&x->provider, v->version, suite, of(&secret), of(&client), of(&server),
                             &block));
    CHECK(opener_init_12(&x->opener, &x->provider, v->version, suite, &block.client,
                         v->encrypt_then_mac));
    key_block_wipe(&block);
}

static void vector_end(struct vector_opener *x)
{
    opener_free(&x->opener);
    arena_free(&x->arena);
    crypto_provider_free(&x->provider);
}

static enum open_result open_record(struct vector_opener *x, const struct bytes *record,
                                    struct opened *out)
{
    struct slice fragment = of(record), header = slice_take(&fragment, 5);
    return opener_open(&x->opener, header, fragment, &x->arena, out);
}

static void test_vectors(void)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct vector_opener x;
        char text[64] = "";
        bool tls13 = record_vectors[i].version == VERSION_TLS13;
        bool aead = !tls13 && suite_find(record_vectors[i].suite)->mac == HASH_NONE;
        vector_start(&x, &record_vectors[i]);
        unsigned before = unit_failures;
        size_t after_first = 0;
        for (size_t k = 0; k < x.count; k++) {
            struct opened out;
            CHECK_EQ(OPEN_OK, open_record(&x, &x.records[k], &out));
            if (k == 0 && !tls13) { /* Finished */
                CHECK_EQ(22, out.type);
                CHECK_EQ(16, out.plaintext.len);
                CHECK_EQ(20, slice_at(out.plaintext, 0));
            }
            if (out.type == 23)
                strncat(text, (const char *)out.plaintext.data, out.plaintext.len);
            if (tls13)
                CHECK_EQ(64, out.plaintext.len + 1 + out.padding);
            if (tls13 && out.type == 22) {
                CHECK_EQ(24, slice_at(out.plaintext, 0));
                CHECK(opener_update_13(&x.opener));
                CHECK_EQ(0, opener_seq(&x.opener));
            }
            if (k == 0)
                after_first = allocations;
            CHECK(allocations == after_first || !aead);
        }
        CHECK_STR("one fish\ntwo fish\n", text);
        if (unit_failures > before)
            printf("# in %s\n", record_vectors[i].name);
        vector_end(&x);
    }
}

/* Whatever byte is changed, of the fragment or of the header's authenticated part, nothing opens,
 * and the opener is then still good for the right record. */
static void test_flipped_bytes(void)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct vector_opener x;
        struct opened out;
        vector_start(&x, &record_vectors[i]);
        for (size_t at = 0; at < x.records[0].len; at++) {
            struct bytes bad = x.records[0];
            if (at == 3 || at == 4)
                continue; /* the length: TLS 1.2 authenticates the plaintext's instead */
            bad.data[at] ^= 0x01;
            CHECK_EQ(OPEN_BAD_TAG, open_record(&x, &bad, &out));
            CHECK_EQ(0, out.plaintext.len);
            CHECK_EQ(0, opener_seq(&x.opener));
        }
        CHECK_EQ(0, x.arena.used);
        CHECK_EQ(OPEN_OK, open_record(&x, &x.records[0], &out));
        CHECK_EQ(OPEN_BAD_TAG, open_record(&x, &x.records[0], &out)); /* replayed */
        vector_end(&x);
    }
}

static void test_truncated(void)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct vector_opener x;
        struct opened out;
        vector_start(&x, &record_vectors[i]);
        for (size_t len = 0; len < x.records[0].len; len++) {
            /* On the heap and exactly as long, so that a sanitizer sees a read beyond. */
            uint8_t *copy = malloc(len + 1);
            if (!copy)
                abort();
            memcpy(copy, x.records[0].data, len);
            struct slice fragment = slice_of(copy, len), header = slice_take(&fragment, 5);
            enum open_result r = opener_open(&x.opener, header, fragment, &x.arena, &out);
            CHECK(r == OPEN_BAD_TAG || r == OPEN_TOO_SHORT);
            CHECK_EQ(0, out.plaintext.len);
            free(copy);
        }
        CHECK_EQ(OPEN_OK, open_record(&x, &x.records[0], &out));
        vector_end(&x);
    }
}

static void test_wrong_key(void)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct vector_opener x;
        struct opened out;
        struct record_vector v = record_vectors[i];
        char secret[129];
        snprintf(secret, sizeof secret, "%s", v.secret);
        secret[0] = secret[0] == '0' ? '1' : '0';
        v.secret = secret;
        vector_start(&x, &v);
        for (size_t k = 0; k < x.count; k++)
            CHECK_EQ(OPEN_BAD_TAG, open_record(&x, &x.records[k], &out));
        vector_end(&x);
    }
}

/* A record that is not opened, or was never seen, does not end the direction. */
static void test_gaps(void)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct vector_opener x;
        struct opened out;
        unsigned skipped;
        vector_start(&x, &record_vectors[i]);
        struct slice fragment = of(&x.records[0]), header = slice_take(&fragment, 5);
        opener_pass(&x.opener, fragment);
        CHECK_EQ(OPEN_OK, open_record(&x, &x.records[1], &out));
        vector_end(&x);
        vector_start(&x, &record_vectors[i]);
        bool chained = record_vectors[i].version == VERSION_TLS10;
        fragment = of(&x.records[1]);
        header = slice_take(&fragment, 5);
        enum open_result r =
            opener_open_ahead(&x.opener, header, fragment, &x.arena, 3, &out, &skipped);
        CHECK_EQ(chained ? 0 : 1, skipped);
        CHECK_EQ(chained ? 0 : 2, opener_seq(&x.opener));
        CHECK((r == OPEN_OK) == !chained);
        vector_end(&x);
    }
}

static void test_misfits(void)
{
    struct crypto_provider p;
    struct opener o;
    struct opened out;
    struct arena arena = {0};
    uint8_t bytes[64] = {23, 3, 3};
    struct key_parts keys = {slice_empty(), slice_empty(), slice_empty()};
    struct slice header = slice_of(bytes, 5), secret = slice_of(bytes, 32);
    crypto_provider_init(&p);
    CHECK(!opener_init_13(&o, &p, NULL, secret));
    CHECK_EQ(OPEN_UNSUPPORTED, opener_open(&o, header, secret, &arena, &out));
    opener_pass(&o, secret);
    CHECK(!opener_update_13(&o));
    opener_free(&o);
    CHECK(!opener_init_13(&o, &p, suite_find(0x1302), secret)); /* wants 48 bytes */
    CHECK(!opener_init_13(&o, &p, suite_find(0xc02f), secret));
    CHECK(!opener_init_12(&o, &p, VERSION_TLS12, suite_find(0x1301), &keys, false));
    CHECK(!opener_init_12(&o, &p, VERSION_TLS12, suite_find(0xc02f), &keys, false));
    /* OpenSSL has no Camellia in GCM: found out at the first record. */
    keys.key = slice_of(bytes, 16);
    keys.iv = slice_of(bytes, 4);
    CHECK(opener_init_12(&o, &p, VERSION_TLS12, suite_find(0xc07a), &keys, false));
    CHECK(!opener_init_12(&o, &p, VERSION_TLS11, suite_find(0xc07a), &keys, false));
    CHECK_EQ(OPEN_UNSUPPORTED, opener_open(&o, header, slice_of(bytes, 40), &arena, &out));
    opener_free(&o);
    opener_free(&o);
    arena_free(&arena);
    crypto_provider_free(&p);
}

/* ChaCha20-Poly1305 before RFC 7905, in a search for the number of a record: no trial allocates. */
static void test_early_chacha(void)
{
    struct crypto_provider p;
    struct opener o;
    struct opened out;
    struct arena arena = {0};
    unsigned skipped;
    uint8_t key[32] = {9}, iv[16] = {0}, zeros[64] = {0}, pad[64], text[10] = "ten bytes",
            sealed[26];
    uint8_t extra[13] = {0, 0, 0, 0, 0, 0, 0, 60, 23, 3, 3, 0, 10}, header[5] = {23, 3, 3, 0, 26};
    const uint8_t lengths[2][8] = {{13}, {10}};
    size_t size;
    int n;
    crypto_provider_init(&p);
    struct key_parts keys = {slice_empty(), slice_of(key, 32), slice_empty()};
    CHECK(opener_init_12(&o, &p, VERSION_TLS12, suite_find(0xcc13), &keys, 0));
    iv[15] = 60; /* the record's number is the nonce */
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    CHECK_EQ(1, EVP_EncryptInit_ex2(c, EVP_chacha20(), key, iv, NULL));
    CHECK_EQ(1, EVP_EncryptUpdate(c, pad, &n, zeros, 64));
    CHECK_EQ(1, EVP_EncryptUpdate(c, sealed, &n, text, 10));
    EVP_CIPHER_CTX_free(c);
    EVP_MAC_CTX *mac = provider_poly1305(&p);
    CHECK(mac && EVP_MAC_init(mac, pad, 32, NULL) == 1 && EVP_MAC_update(mac, extra, 13) == 1 &&
          EVP_MAC_update(mac, lengths[0], 8) == 1 && EVP_MAC_update(mac, sealed, 10) == 1 &&
          EVP_MAC_update(mac, lengths[1], 8) == 1 &&
          EVP_MAC_final(mac, sealed + 10, &size, 16) == 1);
    struct slice head = slice_of(header, 5), fragment = slice_of(sealed, 26);
    CHECK_EQ(OPEN_BAD_TAG, opener_open(&o, head, fragment, &arena, &out));
    size_t before = allocations;
    CHECK_EQ(OPEN_BAD_TAG, opener_open_ahead(&o, head, fragment, &arena, 59, &out, &skipped));
    CHECK_EQ(OPEN_OK, opener_open_ahead(&o, head, fragment, &arena, 60, &out, &skipped));
    CHECK_EQ(before, allocations);
    CHECK_EQ(60, skipped);
    CHECK(slice_equal(out.plaintext, slice_of(text, 10)));
    opener_free(&o);
    arena_free(&arena);
    crypto_provider_free(&p);
}

/* RC4, sealed here: no server of today speaks it. */
static void test_stream(void)
{
    struct crypto_provider p;
    struct opener o;
    struct opened out;
    struct arena arena = {0};
    uint8_t key[36], sealed[3][30];
    const uint8_t header[5] = {23, 3, 1, 0, 30};
    for (uint8_t i = 0; i < sizeof key; i++)
        key[i] = i;
    struct key_parts keys = {slice_of(key + 16, 20), slice_of(key, 16), slice_empty()};
    crypto_provider_init(&p);
    struct rc4 c;
    rc4_init(&c, slice_of(key, 16));
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t extra[13] = {0, 0, 0, 0, 0, 0, 0, i, 23, 3, 1, 0, 10}, text[30] = "ten bytes\n";
        struct slice parts[] = {slice_of(extra, 13), slice_of(text, 10)};
        CHECK(provider_hmac(&p, HASH_SHA1, keys.mac, parts, 2, text + 10));
        rc4_crypt(&c, slice_of(text, 30), sealed[i]);
    }
    CHECK(opener_init_12(&o, &p, VERSION_TLS10, suite_find(0x0005), &keys, false));
    struct slice head = slice_of(header, 5);
    CHECK_EQ(OPEN_BAD_TAG, opener_open(&o, head, slice_of(sealed[1], 30), &arena, &out));
    CHECK_EQ(OPEN_OK, opener_open(&o, head, slice_of(sealed[0], 30), &arena, &out));
    CHECK(slice_is(out.plaintext, "ten bytes\n"));
    opener_pass(&o, slice_of(sealed[1], 30));
    CHECK_EQ(OPEN_TOO_SHORT, opener_open(&o, head, slice_of(sealed[2], 19), &arena, &out));
    CHECK_EQ(OPEN_OK, opener_open(&o, head, slice_of(sealed[2], 30), &arena, &out));
    opener_free(&o);
    arena_free(&arena);
    crypto_provider_free(&p);
}

/* RFC 9180 A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. */
static void test_hpke(void)
{
    static const uint8_t shared[] = {0xfe, 0x0e, 0x18, 0xc9, 0xf0, 0x24, 0xce, 0x43,
                                     0x79, 0x9a, 0xe3, 0x93, 0xc7, 0xe8, 0xfe, 0x8f,
                                     0xce, 0x9d, 0x21, 0x88, 0x75, 0xe8, 0x22, 0x7b,
                                     0x01, 0x87, 0xc0, 0x4e, 0x7d, 0x2e, 0xa1, 0xfc};
    static const uint8_t sealed[][45] = {
        {0xf9, 0x38, 0x55, 0x8b, 0x5d, 0x72, 0xf1, 0xa2, 0x38, 0x10, 0xb4, 0xbe, 0x2a, 0xb4, 0xf8,
         0x43, 0x31, 0xac, 0xc0, 0x2f, 0xc9, 0x7b, 0xab, 0xc5, 0x3a, 0x52, 0xae, 0x82, 0x18, 0xa3,
         0x55, 0xa9, 0x6d, 0x87, 0x70, 0xac, 0x83, 0xd0, 0x7b, 0xea, 0x87, 0xe1, 0x3c, 0x51, 0x2a},
        {0xaf, 0x2d, 0x7e, 0x9a, 0xc9, 0xae, 0x7e, 0x27, 0x0f, 0x46, 0xba, 0x1f, 0x97, 0x5b, 0xe5,
         0x3c, 0x09, 0xf8, 0xd8, 0x75, 0xbd, 0xc8, 0x53, 0x54, 0x58, 0xc2, 0x49, 0x4e, 0x8a, 0x6e,
         0xab, 0x25, 0x1c, 0x03, 0xd0, 0xc2, 0x2a, 0x56, 0xb8, 0xca, 0x42, 0xc2, 0x06, 0x3b, 0x84}};
    static const char *const extra[] = {"Count-0", "Count-1"};
    struct hpke h = {.kem = 0x20,
                     .kdf = 1,
                     .aead = 1,
                     .shared = slice_of(shared, sizeof shared),
                     .info = slice_of_str("Ode on a Grecian Urn")};
    struct crypto_provider p;
    uint8_t out[64];
    crypto_provider_init(&p);
    for (unsigned i = 0; i < 2; i++) {
        struct slice text = slice_of(sealed[i], sizeof sealed[i]);
        CHECK(hpke_open(&p, &h, i, slice_of_str(extra[i]), text, out));
        CHECK(slice_equal(slice_of(out, 29), slice_of_str("Beauty is truth, truth beauty")));
        CHECK(!hpke_open(&p, &h, i + 1, slice_of_str(extra[i]), text, out));
        CHECK(!hpke_open(&p, &h, i, slice_of_str("Count"), text, out));
        CHECK(!hpke_open(&p, &h, i, slice_of_str(extra[i]), slice_sub(text, 0, 15), out));
    }
    h.aead = 4;
    CHECK(!hpke_open(&p, &h, 0, slice_empty(), slice_of(sealed[0], sizeof sealed[0]), out));
    crypto_provider_free(&p);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"HPKE: RFC 9180 A.1.1", test_hpke},
        {"suite table", test_suites},
        {"OpenSSL has the ciphers", test_ciphers_exist},
        {"IDEA, against its published example", test_idea},
        {"RC4, against the vectors of RFC 6229", test_rc4},
        {"GCM and CCM over a block cipher", test_modes},
        {"MD5 of every length", test_md5},
        {"digests and HMAC", test_digests},
        {"transcript hash", test_transcript},
        {"HKDF", test_hkdf},
        {"PRF", test_prf},
        {"RFC 8448 key schedule", test_rfc8448_schedule},
        {"RFC 8448 records", test_rfc8448_records},
        {"records of every protection", test_vectors},
        {"flipped bytes", test_flipped_bytes},
        {"truncated records", test_truncated},
        {"wrong key", test_wrong_key},
        {"records missing or passed over", test_gaps},
        {"suites and keys that do not fit", test_misfits},
        {"stream cipher", test_stream},
        {"ChaCha20 before RFC 7905: a search allocates nothing", test_early_chacha},
    };
    CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free);
    return UNIT_RUN(tests);
}
