#include "stream/tls_resume.h"

#include "crypto/suite.h"
#include "stream/tcp.h"

enum { HEADER = 5, LONGEST = 16384 + 2048 }; /* RFC 5246 6.2.3 */

/* TLCP has numbers that others have no use for: only who is known to speak it is believed. */
static bool looks_like_header(struct slice s, uint16_t version)
{
    uint8_t type = slice_u8(&s), major = slice_u8(&s), minor = slice_u8(&s);
    uint16_t length = slice_u16(&s);
    bool named = version == VERSION_TLCP ? major == 1 && minor == 1 : major == 3 && minor <= 4;
    return !s.failed && type >= 20 && type <= 24 && named && length > 0 && length <= LONGEST;
}

/* Where the record at AT ends. */
static uint32_t end_of(struct slice bytes, uint32_t at)
{
    struct slice length = slice_sub(bytes, at + 3, 2);
    return at + HEADER + slice_u16(&length);
}

uint32_t tls_resume(struct tcp_lost *lost, struct slice bytes, uint32_t seq, uint16_t version)
{
    enum { SSL2_LENGTH = 0x80, SSL2_CLIENT_HELLO = 1 };
    uint32_t len = (uint32_t)bytes.len;
    /* What begins as TLS does is taken for it, as everywhere. */
    bool ssl2 = slice_at(bytes, 0) & SSL2_LENGTH && slice_at(bytes, 2) == SSL2_CLIENT_HELLO &&
                slice_at(bytes, 3) <= 3 && slice_at(bytes, 4) <= 4;
    if (len < HEADER || ssl2 || looks_like_header(slice_sub(bytes, 0, HEADER), version))
        return 0;
    if (lost->has_next) {
        uint32_t at = lost->next - seq;
        if (at < len && len - at < HEADER)
            return len;
        lost->has_next = at >= len && !seq_below(lost->next, seq);
        if (at < len && looks_like_header(slice_sub(bytes, at, HEADER), version))
            return at;
    }
    for (uint32_t at = 0; at + HEADER <= len; at++) {
        if (!looks_like_header(slice_sub(bytes, at, HEADER), version))
            continue;
        uint32_t end = end_of(bytes, at);
        if (end == len || looks_like_header(slice_sub(bytes, end, HEADER), version))
            return at;
        if (end + HEADER > len && !lost->has_next) {
            lost->has_next = true;
            lost->next = seq + end;
        }
    }
    return len;
}
