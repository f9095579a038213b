/* Certificates: DER, names, extensions, facts, hostile bytes.  The certificates are those of
 * fuzz/seeds/x509, made with openssl. */
#include "unit.h"

#include "dissect/asn1.h"
#include "dissect/sct.h"
#include "dissect/x509.h"
#include "dissect/x509_types.h"
#include "print/label.h"
#include "schema/oids.h"

#include <stdlib.h>

static uint8_t want_all[FIELD_COUNT];
static uint8_t bytes[4096];

static struct slice load(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "fuzz/seeds/x509/%s.der", name);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f)
        fclose(f);
    return slice_of(bytes, n);
}

static enum field_id dissect(struct tape *t, const uint8_t *want, struct slice der)
{
    tape_reset(t, want);
    uint8_t source = tape_source(t, der, "Frame");
    uint32_t at = tape_open(t, F_tls_handshake_certificate, source, 0, (uint32_t)der.len, 0, 0);
    enum field_id bad = x509_certificate(t, at, source, 0, (uint32_t)der.len, NULL);
    tape_close(t, at);
    return bad;
}

/* The label of the N-th event of FIELD, from 0. */
static const char *label(const struct tape *t, enum field_id field, unsigned n)
{
    static uint8_t space[4096];
    struct buf out = {.data = space, .cap = sizeof space, .ceiling = sizeof space};
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->events[i].field != field || n-- > 0)
            continue;
        label_write(&out, t, i);
        buf_char(&out, '\0');
        return (const char *)space;
    }
    return "(none)";
}

static void test_tree(void)
{
    struct tape t;
    tape_init(&t);
    struct slice der = load("ec");
    CHECK_EQ(1109, der.len);
    CHECK_EQ(F_NONE, dissect(&t, want_all, der));
    const char *top = label(&t, F_tls_handshake_certificate, 0);
    CHECK(strstr(top, "Certificate: 30820451") == top);
    CHECK(strstr(top, "\xe2\x80\xa6 (id-at-commonName=localhost,id-at-organizationName=Example,"
                      "id-at-countryName=XX)") != NULL);
    CHECK_STR("rdnSequence: 3 items (id-at-commonName=localhost,id-at-organizationName=Example,"
              "id-at-countryName=XX)",
              label(&t, F_x509af_rdnSequence, 0));
    CHECK_STR("RelativeDistinguishedName item (id-at-organizationName=Example)",
              label(&t, F_x509if_RelativeDistinguishedName_item_element, 1));
    CHECK_STR("algorithmIdentifier (ecdsa-with-SHA256)",
              label(&t, F_x509af_algorithmIdentifier_element, 0));
    CHECK_STR("namedCurve: 1.2.840.10045.3.1.7 (secp256r1)", label(&t, F_pkcs1_namedCurve, 0));
    CHECK_STR("version: v3 (2)", label(&t, F_x509af_version, 0));
    tape_free(&t);
}

static void test_extensions(void)
{
    struct tape t;
    tape_init(&t);
    CHECK_EQ(F_NONE, dissect(&t, want_all, load("ec")));
    CHECK_STR("Extension (id-ce-subjectAltName)", label(&t, F_x509af_Extension_element, 0));
    CHECK_STR("GeneralNames: 8 items", label(&t, F_x509ce_GeneralNames, 0));
    CHECK_STR("dNSName: localhost", label(&t, F_x509ce_dNSName, 0));
    CHECK_STR("iPAddress: 127.0.0.1", label(&t, F_x509ce_IPAddress_ipv4, 0));
    CHECK_STR("iPAddress: ::1", label(&t, F_x509ce_IPAddress_ipv6, 0));
    CHECK_STR("UTF8String: u@example.org", label(&t, F_x509sat_UTF8String, 0));
    CHECK_STR("registeredID: 1.2.3.4 (iso.2.3.4)", label(&t, F_x509ce_registeredID, 0));
    CHECK_STR("KeyUsage: a0", label(&t, F_x509ce_KeyUsage, 0));
    CHECK_STR("..1. .... = keyEncipherment: True", label(&t, F_x509ce_KeyUsage_keyEncipherment, 0));
    CHECK_STR("BasicConstraintsSyntax [0 length]",
              label(&t, F_x509ce_BasicConstraintsSyntax_element, 0));
    CHECK_STR("KeyPurposeId: 1.3.6.1.5.5.7.3.1 (id-kp-serverAuth)",
              label(&t, F_x509ce_KeyPurposeId, 0));
    CHECK_STR("utf8String: nothing to see", label(&t, F_pkix1implicit_utf8String, 0));
    CHECK_STR("Features item: status_request (5)", label(&t, F_pkix1explicit_Features_item, 0));
    CHECK_STR("Signed Certificate Timestamp (Unknown Log)", label(&t, F_tls_sct, 0));
    CHECK_STR("Signature: 01020304", label(&t, F_tls_sct_sct_signature, 0));
    tape_free(&t);
}

static void test_narrow_want(void)
{
    static uint8_t few[FIELD_COUNT], none[FIELD_COUNT];
    struct tape t;
    tape_init(&t);
    few[F_x509ce_dNSName] = 1;
    CHECK_EQ(F_NONE, dissect(&t, few, load("ec")));
    CHECK_EQ(1, t.count);
    CHECK_STR("dNSName: localhost", label(&t, F_x509ce_dNSName, 0));
    CHECK_EQ(F_NONE, dissect(&t, none, load("ec")));
    CHECK_EQ(0, t.count);
    CHECK_EQ(0, t.text.len);
    tape_free(&t);
}

/* A certificate that ends early says so, wherever it ends, and nothing is read behind the end. */
static void test_prefixes(void)
{
    struct tape t;
    tape_init(&t);
    struct slice der = load("rsa");
    CHECK(der.len > 1000);
    for (size_t n = 0; n < der.len; n++) {
        uint8_t *copy = malloc(n + 1);
        if (copy && n > 0)
            memcpy(copy, der.data, n);
        if (dissect(&t, want_all, slice_of(copy, n)) == F_NONE)
            CHECK_EQ(0, n + 1);
        free(copy);
    }
    tape_free(&t);
}

/* Parameters of parameters of parameters: the nesting has a ceiling, and it shows. */
static void test_nesting(void)
{
    static const uint8_t mgf[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08};
    static uint8_t deep[8000];
    size_t at = sizeof deep;
    for (unsigned i = 0; i < 200; i++) {
        at -= sizeof mgf;
        memcpy(deep + at, mgf, sizeof mgf);
        size_t inside = sizeof deep - at;
        at -= 4;
        deep[at] = 0x30;
        deep[at + 1] = 0x82;
        deep[at + 2] = (uint8_t)(inside >> 8);
        deep[at + 3] = (uint8_t)inside;
    }
    /* As the algorithm of the signature, behind an empty body. */
    at -= 2;
    deep[at] = 0x30;
    deep[at + 1] = 0;
    size_t inside = sizeof deep - at;
    at -= 4;
    deep[at] = 0x30;
    deep[at + 1] = 0x82;
    deep[at + 2] = (uint8_t)(inside >> 8);
    deep[at + 3] = (uint8_t)inside;
    struct tape t;
    tape_init(&t);
    dissect(&t, want_all, slice_of(deep + at, sizeof deep - at));
    CHECK(t.count > 20 && t.count < 500);
    CHECK(tape_find(&t, 0, F_expert_ber_error_too_deep) != TAPE_NONE);
    tape_free(&t);
}

static void test_facts(void)
{
    static const struct {
        const char *file, *key, *signature;
    } cases[] = {
        {"rsa", "RSA 2048", "sha256WithRSAEncryption"}, {"ec", "ECDSA P-256", "ecdsa-with-SHA256"},
        {"ec384", "ECDSA P-384", "ecdsa-with-SHA256"},  {"ed25519", "Ed25519", "iso.3.101.112"},
        {"pss", "RSA 2048", "id-RSASSA-PSS"},           {"dsa", "DSA", "id-dsa-with-sha256"}};
    struct x509_facts facts;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK(x509_read(load(cases[i].file), &facts));
        CHECK_STR("localhost", facts.subject);
        CHECK_STR("localhost", facts.issuer);
        CHECK_STR(cases[i].key, facts.key);
        CHECK_STR(cases[i].signature, facts.signature);
        CHECK(facts.self_issued && facts.has_times);
        CHECK_EQ(3650LL * 86400, (facts.not_after - facts.not_before) / 1000000000);
    }
    CHECK(!x509_read(slice_of("\x30\x00", 2), &facts));
    CHECK(!x509_read(slice_empty(), &facts));
    struct slice der = load("ec");
    for (size_t n = 0; n < der.len; n++)
        CHECK(!x509_read(slice_of(der.data, n), &facts));
}

static void test_der(void)
{
    static const uint8_t indefinite[] = {0x30, 0x80, 0x02, 0x01, 0x05, 0x00, 0x00, 0xff};
    struct der d;
    CHECK(der_read((struct der_view){slice_of(indefinite, sizeof indefinite), 10}, &d));
    CHECK_EQ(3, d.content.bytes.len);
    CHECK_EQ(12, d.content.at);
    CHECK_EQ(7, d.eaten);
    CHECK(!der_read((struct der_view){slice_of(indefinite, 5), 0}, &d));
    CHECK(der_read((struct der_view){slice_of("\x04\x05x", 3), 0}, &d) && d.cut);
    CHECK(!der_read((struct der_view){slice_of("\x04\x89xxxxxxxxxxx", 12), 0}, &d));
    CHECK(der_read((struct der_view){slice_of("\x9f\x81\x01\x00", 4), 0}, &d));
    CHECK_EQ(129, d.tag);
    CHECK_EQ(-128, der_integer(slice_of("\x80", 1)));
    CHECK_EQ(128, der_integer(slice_of("\x00\x80", 2)));
}

static void test_times(void)
{
    static const struct {
        const char *text;
        long long seconds; /* -1: not a time */
    } cases[] = {{"20240229123456Z", 1709210096},
                 {"19700101000000Z", 0},
                 {"20240101000000+0130", 1704061800},
                 {"202401010000Z", 1704067200},
                 {"20230229000000Z", -1},
                 {"20241301000000Z", -1},
                 {"abc", -1},
                 {"", -1}};
    int64_t ns = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool ok = der_generalized_time(slice_of_str(cases[i].text), &ns);
        CHECK_EQ(cases[i].seconds >= 0, ok);
        if (ok)
            CHECK_EQ(cases[i].seconds, ns / 1000000000);
    }
    CHECK(der_utc_time(slice_of_str("491231235959Z"), &ns));
    CHECK_EQ(2524607999LL, ns / 1000000000);
    CHECK(der_utc_time(slice_of_str("700101000001Z"), &ns));
    CHECK_EQ(1, ns / 1000000000);
    CHECK(der_generalized_time(slice_of_str("99991231235959Z"), &ns));
    CHECK(ns == INT64_MAX);
}

static const char *text_of(uint32_t tag, const char *raw, size_t len)
{
    static uint8_t space[128];
    struct buf out = {.data = space, .cap = sizeof space, .ceiling = sizeof space};
    asn1_transcode(&out, tag, slice_of(raw, len));
    buf_char(&out, '\0');
    return (const char *)space;
}

static void test_character_sets(void)
{
    CHECK_STR("\xc3\xa4\xc3\xbf", text_of(DER_BMP, "\0\xe4\0\xff", 4));
    CHECK_STR("\xf0\x9f\x98\x80", text_of(DER_UNIVERSAL_STRING, "\0\1\xf6\0", 4));
    CHECK_STR("\xc3\xa4", text_of(DER_TELETEX,
                                  "\xc8"
                                  "a",
                                  2)); /* a mark in front of its letter */
    CHECK_STR("\xef\xbf\xbd", text_of(DER_TELETEX, "#", 1));
    CHECK_STR("a\xef\xbf\xbd", text_of(DER_PRINTABLE, "a\xe4", 2));
    CHECK_STR("\xef\xbf\xbd"
              "b",
              text_of(DER_UTF8,
                      "\xe2\x82"
                      "b",
                      3));
}

static const char *oid(const char *der, size_t len)
{
    static uint8_t space[256];
    struct buf out = {.data = space, .cap = sizeof space, .ceiling = sizeof space};
    oid_text(&out, slice_of(der, len));
    buf_char(&out, '|');
    oid_dotted(&out, slice_of(der, len));
    buf_char(&out, '\0');
    return (const char *)space;
}

static void test_oids(void)
{
    CHECK_STR("id-at-commonName|2.5.4.3", oid("\x55\x04\x03", 3));
    CHECK_STR("iso.2.3.4|1.2.3.4", oid("\x2a\x03\x04", 3));
    CHECK_STR("id-pkix.8.9|1.3.6.1.5.5.7.8.9", oid("\x2b\x06\x01\x05\x05\x07\x08\x09", 8));
    CHECK_STR("joint-iso-itu-t.999.3|2.999.3", oid("\x88\x37\x03", 3));
    CHECK_STR("|", oid("\x88", 1));
    CHECK(!oid_name(slice_empty()));
    CHECK(!ct_log_name(slice_empty()));
}

/* ---- constructed messages: those of tests/golden/certificates.pcap ----------------------------------
 */

struct one {
    uint8_t *bytes;
    size_t len;
};

/* The certificate or OCSP response of each packet: behind Ethernet, IP, TCP, record and message. */
static size_t load_golden(struct one *out, size_t ceiling, bool responses)
{
    FILE *f = fopen("tests/golden/certificates.pcap", "rb");
    uint8_t header[24], packet[16];
    size_t count = 0;
    if (!f || fread(header, 1, sizeof header, f) != sizeof header)
        return 0;
    while (count < ceiling && fread(packet, 1, sizeof packet, f) == sizeof packet) {
        size_t len = packet[8] | (size_t)packet[9] << 8 | (size_t)packet[10] << 16;
        uint8_t *data = malloc(len);
        if (!data || fread(data, 1, len, f) != len)
            break;
        size_t start = 14 + 20 + 20 + 5 + 4, type = data[14 + 20 + 20 + 5];
        size_t skip = start + (type == 11 ? 6 : 4);
        if ((type == 22) == responses)
            out[count++] = (struct one){memmove(data, data + skip, len - skip), len - skip};
        else
            free(data);
    }
    fclose(f);
    return count;
}

static enum field_id dissect_response(struct tape *t, const uint8_t *want, struct slice der)
{
    tape_reset(t, want);
    uint8_t source = tape_source(t, der, "Frame");
    return x509_ocsp_response(t, source, 0, (uint32_t)der.len, NULL);
}

static void check_inside(const struct tape *t, size_t len)
{
    for (uint32_t i = 0; i < t->count; i++)
        CHECK((size_t)t->events[i].offset + t->events[i].length <= len);
}

/* Every beginning of every certificate and response, in memory of its own size: nothing is read behind it. */
static void test_all_prefixes(void)
{
    static struct one all[256];
    struct tape t;
    tape_init(&t);
    for (int responses = 0; responses < 2; responses++) {
        size_t count = load_golden(all, 256, responses);
        CHECK(count >= (responses ? 9 : 80));
        for (size_t i = 0; i < count; i++) {
            for (size_t n = 0; n <= all[i].len; n++) {
                uint8_t *copy = malloc(n + 1);
                if (copy)
                    memcpy(copy, all[i].bytes, n);
                struct slice der = slice_of(copy, n);
                if (responses)
                    dissect_response(&t, want_all, der);
                else
                    dissect(&t, want_all, der);
                check_inside(&t, n);
                free(copy);
            }
            free(all[i].bytes);
        }
    }
    tape_free(&t);
}

static void test_response(void)
{
    static struct one all[16];
    struct tape t;
    tape_init(&t);
    size_t count = load_golden(all, 16, true);
    CHECK(count > 2);
    CHECK_EQ(F_NONE, dissect_response(&t, want_all, slice_of(all[1].bytes, all[1].len)));
    CHECK_STR("OCSP Response", label(&t, F_ocsp, 0));
    CHECK_STR("responseStatus: successful (0)", label(&t, F_ocsp_responseStatus, 0));
    CHECK_STR("ResponseType Id: 1.3.6.1.5.5.7.48.1.1 (id-pkix-ocsp-basic)",
              label(&t, F_ocsp_responseType_id, 0));
    CHECK_STR("certStatus: revoked (1)", label(&t, F_ocsp_certStatus, 0));
    CHECK_STR("revocationReason: keyCompromise (1)", label(&t, F_ocsp_revocationReason, 0));
    CHECK_STR("certStatus: unknown (2)", label(&t, F_ocsp_certStatus, 1));
    CHECK_STR("ReOcspNonce: 6e6f6e6365", label(&t, F_ocsp_ReOcspNonce, 0));
    CHECK_STR("Certificate (id-at-commonName=example.org)",
              label(&t, F_ocsp_Certificate_element, 1));
    CHECK_STR("Signed Certificate Timestamp (Google 'Rocketeer' log)", label(&t, F_tls_sct, 0));
    for (size_t i = 0; i < count; i++)
        free(all[i].bytes);
    tape_free(&t);
}

/* A key in the place of a certificate (RFC 7250): that of the certificate "ec", cut out of it. */
static void test_raw_public_key(void)
{
    struct tape t;
    tape_init(&t);
    struct slice der = load("ec");
    CHECK_EQ(F_NONE, dissect(&t, want_all, der));
    uint32_t at = tape_find(&t, 0, F_x509af_subjectPublicKeyInfo_element);
    CHECK(at != TAPE_NONE);
    struct slice key = slice_sub(der, t.events[at].offset, t.events[at].length);
    CHECK_EQ(F_NONE, dissect(&t, want_all, key));
    CHECK_STR("algorithm (id-ecPublicKey)", label(&t, F_x509af_algorithm_element, 0));
    CHECK_STR("namedCurve: 1.2.840.10045.3.1.7 (secp256r1)", label(&t, F_pkcs1_namedCurve, 0));
    CHECK(tape_find(&t, 0, F_x509af_subjectPublicKey) != TAPE_NONE);
    CHECK(tape_find(&t, 0, F__ws_expert) == TAPE_NONE);
    tape_free(&t);
}

/* What is looked up by halving must be in order. */
static void test_tables(void)
{
    for (size_t n = 0; n < X509_TABLES; n++) {
        struct x509_table table = x509_table(n);
        CHECK(table.count > 5);
        for (size_t i = 1; i < table.count; i++)
            if (strcmp(table.rows[i - 1].oid, table.rows[i].oid) >= 0)
                CHECK_STR("in order", table.rows[i].oid);
    }
}

/* A certificate around the extension OID (with tag and length) of VALUE. */
static struct slice with_extension(const char *oid_der, size_t oid_len, const char *value,
                                   size_t len)
{
    static uint8_t out[512];
    struct buf b = {.data = out, .cap = sizeof out, .ceiling = sizeof out};
    static const char before[] =
        "\x30\x00\x30\x00\xa0\x03\x02\x01\x02\x02\x01\x01\x30\x00\x30\x00\x30\x00"
        "\x30\x00\x30\x00\xa3\x00\x30\x00\x30\x00";
    size_t ext = oid_len + 2 + len;
    buf_put(&b, before, sizeof before - 1);
    buf_put(&b, oid_der, oid_len);
    buf_char(&b, 4);
    buf_char(&b, (char)len);
    buf_put(&b, value, len);
    out[27] = (uint8_t)ext;
    out[25] = (uint8_t)(ext + 2);
    out[23] = (uint8_t)(ext + 4);
    out[3] = (uint8_t)(b.len - 4);
    out[1] = (uint8_t)(b.len - 2);
    return slice_of(out, b.len);
}

/* What tshark 4.0.17 has no fields for is shown when asked for; else the remark alone. */
static void test_more_than_tshark(void)
{
    static const char oid_der[] = "\x06\x05\x67\x81\x0c\x03\x01", value[] =
                                                                      "\x30\x0e\x13\x03VAT\x13\x02"
                                                                      "DE\x0c\x03"
                                                                      "123";
    static uint8_t tsharks[FIELD_COUNT];
    struct tape t;
    tape_init(&t);
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        tsharks[id] = !fields[id].more;
    struct slice der = with_extension(oid_der, 7, value, sizeof value - 1);
    dissect(&t, want_all, der);
    CHECK_STR("registrationSchemeIdentifier: VAT", label(&t, F_x509_more_scheme, 0));
    CHECK_STR("registrationCountry: DE", label(&t, F_x509_more_country, 0));
    CHECK_STR("registrationReference: 123", label(&t, F_x509_more_reference, 0));
    CHECK(tape_find(&t, 0, F_expert_ber_error_oid_not_implemented) != TAPE_NONE);
    t.more = true;
    dissect(&t, want_all, der);
    CHECK_STR("registrationReference: 123", label(&t, F_x509_more_reference, 0));
    CHECK(tape_find(&t, 0, F_expert_ber_error_oid_not_implemented) == TAPE_NONE);
    t.more = false;
    dissect(&t, tsharks, der);
    CHECK_STR("(none)", label(&t, F_x509_more_scheme, 0));
    CHECK(tape_find(&t, 0, F_expert_ber_error_oid_not_implemented) != TAPE_NONE);
    tape_free(&t);
}

/* Where tshark 4.0.17 shows other numbers: docs/differences.md. */
static void test_other_than_tshark(void)
{
    static const char as_oid[] = "\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x08",
                      as[] = "\x30\x0b\xa0\x09\x30\x07\x02\x05\x00\xfa\x56\xea\x00",
                      ip_oid[] = "\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x07",
                      ip[] = "\x30\x09\x30\x07\x04\x03\x00\x02\x01\x05\x00",
                      proxy_oid[] = "\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x0e",
                      proxy[] =
                          "\x30\x0f\x02\x01\x03\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x15\x01";
    struct tape t;
    tape_init(&t);
    dissect(&t, want_all, with_extension(as_oid, 10, as, sizeof as - 1));
    CHECK_STR("id: 4200000000", label(&t, F_pkix1explicit_as_id, 0));
    dissect(&t, want_all, with_extension(ip_oid, 10, ip, sizeof ip - 1));
    CHECK_STR("Address family(AFN): IPv6 (2)", label(&t, F_pkix1explicit_afn, 0));
    CHECK_STR("Subsequent Address Family Identifiers (SAFI): 1",
              label(&t, F_pkix1explicit_safi, 0));
    dissect(&t, want_all, with_extension(proxy_oid, 10, proxy, sizeof proxy - 1));
    CHECK_STR("pCPathLenConstraint: 3", label(&t, F_pkixproxy_pCPathLenConstraint, 0));
    /* member=(CN=a), then CN=b: the inner name neither ends nor becomes the outer one. */
    static const char name[] =
        "\x30\x20\x31\x12\x30\x10\x06\x03\x55\x04\x1f\x30\x09\x31\x07\x30\x05"
        "\x06\x03\x55\x04\x03\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
        "b";
    tape_reset(&t, want_all);
    uint8_t source = tape_source(&t, slice_of(name, sizeof name - 1), "Frame");
    x509_distinguished_name(&t, F_tls_handshake_dname, source, 0, sizeof name - 1, NULL);
    CHECK_STR("Distinguished Name: (id-at-commonName=b,id-at-member=)",
              label(&t, F_tls_handshake_dname, 0));
    CHECK_STR("RDNSequence item: 1 item (id-at-member=)", label(&t, F_x509if_RDNSequence_item, 0));
    static const char surrogates[] = "\xd8\x3d\xde\x00";
    CHECK_STR("\xef\xbf\xbd\xef\xbf\xbd", text_of(DER_BMP, surrogates, 4));
    tape_free(&t);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"tree", test_tree},
        {"extensions", test_extensions},
        {"narrow want", test_narrow_want},
        {"prefixes", test_prefixes},
        {"nesting", test_nesting},
        {"facts", test_facts},
        {"der", test_der},
        {"times", test_times},
        {"character sets", test_character_sets},
        {"object identifiers", test_oids},
        {"every prefix", test_all_prefixes},
        {"OCSP response", test_response},
        {"raw public key", test_raw_public_key},
        {"tables in order", test_tables},
        {"other than tshark", test_other_than_tshark},
        {"more than tshark", test_more_than_tshark},
    };
    memset(want_all, 1, sizeof want_all);
    return UNIT_RUN(tests);
}
