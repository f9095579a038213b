#include "stream/tls_verdict.h"

#include "crypto/opener.h"
#include "schema/registries.h"

#include <inttypes.h>

const char *tls_verdict_name(uint8_t status)
{
    static const char *const names[DECRYPT_STATUS_COUNT] = {
        [DECRYPT_NONE] = "nothing to decrypt",
        [DECRYPT_OPENED] = "opened",
        [DECRYPT_PARTLY] = "partly",
        [DECRYPT_RESYNCED] = "resynchronised",
        [DECRYPT_NO_EARLY_KEY] = "early data key absent",
        [DECRYPT_NO_KEY] = "no key for this client random",
        [DECRYPT_WRONG_KEY] = "key present but wrong",
        [DECRYPT_NO_HANDSHAKE] = "handshake not captured",
        [DECRYPT_NO_SUITE] = "suite not supported",
    };
    return status < DECRYPT_STATUS_COUNT ? names[status] : "";
}

struct tls_verdict tls_verdict_settled(const struct tls_verdict *v)
{
    struct tls_verdict settled = *v;
    const struct suite *suite = suite_find(v->suite);
    if (v->crypto && v->opened == 0 && v->suite && (!suite || !opener_can(v->crypto, suite)))
        settled.status = DECRYPT_NO_SUITE;
    settled.crypto = NULL;
    return settled;
}

static void put_suite(struct buf *out, uint16_t suite)
{
    const char *name = registry_name(REG_CIPHER_SUITES, suite);
    if (name)
        buf_printf(out, ": %s", name);
    else
        buf_printf(out, ": 0x%04x", suite);
}

void tls_verdict_put(struct buf *out, const struct tls_verdict *v)
{
    buf_str(out, tls_verdict_name(v->status));
    switch (v->status) {
    case DECRYPT_PARTLY:
        buf_printf(out, ": %" PRIu64 " of %" PRIu64 " protected records, the first one in frame %u",
                   v->opened, v->opened + v->closed, v->first_opened);
        break;
    case DECRYPT_RESYNCED:
        if (v->lost_bytes > 0)
            buf_printf(out, " after %" PRIu64 " bytes lost", v->lost_bytes);
        else
            buf_printf(out, " after %" PRIu64 " records lost", v->lost_records);
        break;
    case DECRYPT_NO_EARLY_KEY:
        buf_printf(out, ": %" PRIu64 " records of early data", v->early_closed);
        break;
    case DECRYPT_WRONG_KEY:
        buf_str(out, ": the tag of record 0 does not match");
        break;
    case DECRYPT_NO_SUITE:
        put_suite(out, v->suite);
        break;
    default:
        break;
    }
    if (v->guessed)
        buf_str(out, ", with secrets found by trying");
}
