#include "stream/ja3.h"

/* RFC 8701 2 */
static bool is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* The numbers of a list, SIZE bytes each, with '-' between. */
static void put_list(struct buf *out, struct slice list, size_t size)
{
    bool more = false;
    while (list.len >= size) {
        uint16_t value = (uint16_t)slice_uint(&list, size);
        if (size == 2 && is_grease(value))
            continue;
        if (more)
            buf_char(out, '-');
        buf_dec(out, value);
        more = true;
    }
}

/* The types of the extensions; the bodies of supported_groups and ec_point_formats. */
static void put_extensions(struct buf *out, struct slice extensions, struct slice *groups,
                           struct slice *formats)
{
    bool more = false;
    while (extensions.len >= 4) {
        uint16_t type = slice_u16(&extensions);
        struct slice body = slice_take(&extensions, slice_u16(&extensions));
        if (is_grease(type))
            continue;
        if (more)
            buf_char(out, '-');
        buf_dec(out, type);
        more = true;
        if (type == 10)
            *groups = slice_take(&body, slice_u16(&body));
        else if (type == 11)
            *formats = slice_take(&body, slice_u8(&body));
    }
}

uint32_t ja3_client(struct buf *out, struct slice body)
{
    struct slice s = body, groups = slice_empty(), formats = slice_empty();
    buf_dec(out, slice_u16(&s));
    buf_char(out, ',');
    slice_skip(&s, 32);
    slice_skip(&s, slice_u8(&s));
    put_list(out, slice_take(&s, slice_u16(&s)), 2);
    buf_char(out, ',');
    slice_skip(&s, slice_u8(&s));
    uint32_t place = (uint32_t)(body.len - s.len);
    put_extensions(out, slice_take(&s, slice_u16(&s)), &groups, &formats);
    buf_char(out, ',');
    put_list(out, groups, 2);
    buf_char(out, ',');
    put_list(out, formats, 1);
    return place;
}

/* Drafts of TLS 1.3 before the 22nd left out session ID and compression. */
static bool is_brief(uint16_t version)
{
    return version >> 8 == 0x7f && (version & 0xff) < 22;
}

uint32_t ja3_server(struct buf *out, struct slice body)
{
    struct slice s = body, groups, formats;
    uint16_t version = slice_u16(&s);
    buf_dec(out, version);
    buf_char(out, ',');
    slice_skip(&s, 32);
    slice_skip(&s, is_brief(version) ? 0 : slice_u8(&s));
    buf_dec(out, slice_u16(&s));
    buf_char(out, ',');
    slice_skip(&s, is_brief(version) ? 0 : 1);
    uint32_t place = (uint32_t)(body.len - s.len);
    put_extensions(out, slice_take(&s, slice_u16(&s)), &groups, &formats);
    return place;
}
