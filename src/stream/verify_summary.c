#include "stream/verify_summary.h"

void verify_summary_want(uint8_t *want)
{
    for (unsigned i = 0; i < SUMMARY_CHECKS; i++)
        want[F_tlswire_verify_finished + i] = 1;
}

static enum verdict verdict_of(struct slice word)
{
    return slice_is(word, "ok")       ? VERDICT_OK
           : slice_is(word, "failed") ? VERDICT_FAILED
                                      : VERDICT_UNCHECKABLE;
}

void verify_summary_add(struct verify_summary *s, const struct tape *t, uint32_t from, uint32_t to,
                        unsigned direction)
{
    for (uint32_t i = from; i < to; i++) {
        const struct event *e = &t->events[i];
        if (e->field < F_tlswire_verify_finished || e->field >= F_tlswire_verify_reason)
            continue;
        uint8_t *verdict = &s->verdicts[direction & 1][e->field - F_tlswire_verify_finished];
        if (*verdict != VERDICT_FAILED)
            *verdict = (uint8_t)verdict_of(event_bytes(t, e));
    }
}

bool verify_summary_failed(const struct verify_summary *s)
{
    for (unsigned i = 0; i < SUMMARY_CHECKS; i++)
        if (s->verdicts[0][i] == VERDICT_FAILED || s->verdicts[1][i] == VERDICT_FAILED)
            return true;
    return false;
}

/* How a line calls the checks, in the order of the schema's rows.  Quiet ones are told when they fail. */
static const struct {
    const char *name;
    bool quiet;
} names[SUMMARY_CHECKS] = {
    {"Finished", false},
    {"CertificateVerify", false},
    {"key exchange", false},
    {"PSK binder", false},
    {"chain", false},
    {"host", false},
    {"dates", false},
    {"OCSP", false},
    {"timestamps", true},
    {"renegotiation", true},
    {"downgrade", true},
    {"session ID", true},
    {"extended master", true},
    {"second hello", false},
    {"GREASE", true},
    {"what was offered", true},
    {"ECH", false},
};

void verify_summary_write(struct buf *out, const struct verify_summary *s, unsigned client,
                          bool ascii, char separator)
{
    static const char *const marks[][2] = {[VERDICT_OK] = {"\xe2\x9c\x93", " ok"},
                                           [VERDICT_FAILED] = {"\xe2\x9c\x97", " FAILED"},
                                           [VERDICT_UNCHECKABLE] = {"?", " ?"}};
    for (unsigned i = 0; i < SUMMARY_CHECKS; i++) {
        uint8_t of[2] = {s->verdicts[client & 1][i], s->verdicts[1 - (client & 1)][i]};
        bool failed = of[0] == VERDICT_FAILED || of[1] == VERDICT_FAILED;
        if ((!of[0] && !of[1]) || (names[i].quiet && !failed))
            continue;
        buf_str(out, names[i].name);
        buf_str(out, ascii ? "" : " ");
        for (unsigned side = 0; side < 2; side++)
            if (of[side])
                buf_str(out, marks[of[side]][ascii]);
        buf_char(out, separator);
    }
}
