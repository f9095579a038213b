#include "print/info.h"

#include "print/info_tcp.h"
#include "schema/registries.h"

#define INFO_BYTES 4096 /* the column's own ceiling */

static void alert(struct buf *out, const struct info_item *item)
{
    static const char *const levels[] = {"Unknown", "Warning", "Fatal"}; /* RFC 5246 7.2 */
    const char *description = registry_compat(REG_ALERTS, item->b);
    buf_str(out, "Alert (Level: ");
    buf_str(out, levels[item->a < 3 ? item->a : 0]);
    buf_str(out, ", Description: ");
    buf_str(out, description ? description : "Unknown");
    buf_char(out, ')');
}

static void info_item(struct buf *out, const struct info_item *item)
{
    const char *name = item->text;
    switch (item->kind) {
    case INFO_ALERT:
        alert(out, item);
        return;
    case INFO_HANDSHAKE:
        name = registry_compat(REG_HANDSHAKE_TYPES, item->a);
        buf_str(out, name ? name : "Encrypted Handshake Message");
        return;
    case INFO_FRAGMENT:
        name = registry_compat(REG_HANDSHAKE_TYPES, item->a);
        buf_char(out, '[');
        buf_str(out, name ? name : "Unknown");
        buf_str(out, " Fragment]");
        return;
    case INFO_HEARTBEAT:
        buf_str(out, "Heartbeat ");
        name = registry_compat(REG_HEARTBEAT_TYPES, item->a);
        buf_str(out, name ? name : "");
        return;
    case INFO_TEXT:
        buf_str(out, name ? name : "");
        return;
    }
}

/* "[Malformed Packet]", "[Packet size limited during capture]": a judgement on the packet, which
 * follows whatever stands before it without a separator and says nothing of its contents. */
static bool is_remark(const struct info_item *item)
{
    return item->kind == INFO_TEXT && item->text && *item->text == '[' &&
           (strncmp(item->text, "[Malformed", 10) == 0 ||
            strncmp(item->text, "[Illegal Seg", 12) == 0 ||
            strncmp(item->text, "[Packet size", 12) == 0);
}

/* True when the line is TCP's own: nothing above TCP took it over. */
static bool is_plain_tcp(const struct columns *c)
{
    return c->has_tcp && !c->asked && (c->item_count == 0 || is_remark(&c->items[0])) &&
           (!c->protocol || columns_of_tcp(c));
}

void info_write(struct buf *out, const struct columns *c, const struct tcp_facts *tcp)
{
    size_t start = out->len;
    if (is_plain_tcp(c)) {
        info_tcp(out, tcp);
    } else if (c->has_tcp) {
        info_tcp_prefix(out, tcp);
    } else if (c->lower_info_len > 0) {
        buf_put(out, c->lower_info, c->lower_info_len);
    } else if (!c->protocol && c->item_count == 0) {
        const char *name = registry_compat(REG_ETHER_TYPES, c->ether_type);
        buf_str(out, name ? name : c->source.kind == ADDRESS_ETHER ? "Ethernet II" : "");
    }
    for (uint16_t i = 0; i < c->item_count && out->len - start < INFO_BYTES; i++) {
        if (out->len > start && !is_remark(&c->items[i]))
            buf_put(out, ", ", 2);
        info_item(out, &c->items[i]);
    }
    if (c->segment_of_pdu && c->item_count == 0) {
        if (out->len > start)
            buf_char(out, ' ');
        buf_str(out, "[TCP segment of a reassembled PDU]");
    }
    if (out->len - start > INFO_BYTES - 1)
        out->len = start + INFO_BYTES - 1;
}
