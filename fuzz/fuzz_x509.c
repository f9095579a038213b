/* A certificate, a raw public key, an OCSP response or a name of arbitrary bytes: its tree stays inside the bytes, a narrow want-set gives no
 * other events than a wide one, and the facts are texts that end. */
#include "dissect/x509.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_events(const struct tape *t, size_t size)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct event *e = &t->events[i];
        if ((size_t)e->offset + e->length > size || e->next <= i || e->next > t->count)
            abort();
        if (e->flags & EVENT_IN_TEXT && (uint32_t)e->value + (e->value >> 32) > t->text.len)
            abort();
    }
}

static size_t count_field(const struct tape *t, enum field_id field)
{
    size_t n = 0;
    for (uint32_t i = 0; i < t->count; i++)
        n += t->events[i].field == field;
    return n;
}

enum kind { CERTIFICATE, RESPONSE, NAME, PUBLIC_KEY, KINDS };

static enum field_id dissect(struct tape *t, const uint8_t *want, enum kind kind,
                             struct slice bytes)
{
    tape_reset(t, want);
    uint8_t source = tape_source(t, bytes, "Frame");
    uint32_t length = (uint32_t)bytes.len;
    uint32_t at = tape_open(t, F_tls_handshake_certificate, source, 0, length, 0, 0);
    enum field_id bad = F_NONE;
    if (kind == CERTIFICATE)
        bad = x509_certificate(t, at, source, 0, length, NULL);
    else if (kind == RESPONSE)
        bad = x509_ocsp_response(t, source, 0, length, NULL);
    else if (kind == NAME)
        bad = x509_distinguished_name(t, F_tls_handshake_dname, source, 0, length, NULL);
    else
        bad = x509_public_key(t, source, 0, length, NULL);
    tape_close(t, at);
    check_events(t, bytes.len);
    return bad;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t every[FIELD_COUNT], all[FIELD_COUNT], few[FIELD_COUNT];
    static struct tape wide, narrow, more;
    static bool ready;
    if (!ready) {
        memset(every, 1, sizeof every);
        for (unsigned id = 0; id < FIELD_COUNT; id++)
            all[id] = !fields[id].more;
        few[F_x509ce_dNSName] = 1;
        ready = tape_init(&wide) && tape_init(&narrow) && tape_init(&more);
        more.more = true;
        if (!ready)
            abort();
    }
    if (size > 1 << 20)
        return 0;
    struct slice bytes = slice_of(data, size);
    for (enum kind kind = CERTIFICATE; kind < KINDS; kind++) {
        enum field_id bad = dissect(&wide, all, kind, bytes);
        if (dissect(&narrow, few, kind, bytes) != bad)
            abort();
        if (narrow.count != count_field(&wide, F_x509ce_dNSName) && !wide.full)
            abort();
        dissect(&more, every, kind, bytes);
    }
    struct x509_facts facts;
    if (x509_read(bytes, &facts) && (!memchr(facts.subject, 0, sizeof facts.subject) ||
                                     !memchr(facts.key, 0, sizeof facts.key)))
        abort();
    return 0;
}
