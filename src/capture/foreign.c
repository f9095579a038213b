/* Files that are no capture, or one of a kind that is not read: what they look like, and what to do. */
#include "capture/reader_private.h"

#define CONVERT  "editcap -F pcapng FILE NEW.pcapng makes one that is read here"
#define KEY_LOG  "give it with -o tls.keylog_file:FILE"
#define READ_IT  "tlswire read FILE shows it"
#define TLS_READ "tlswire read --raw-records FILE shows them"

static const struct foreign {
    uint8_t offset, len;
    uint8_t bytes[12];
    const char *name, *advice;
} foreigners[] = {
    {0, 8, "snoop\0\0\0", "a snoop capture (RFC 1761)", CONVERT},
    {0, 4, "RTSS", "a Microsoft Network Monitor 1 capture", CONVERT},
    {0, 8, "TRSNIFF ", "a Sniffer (DOS) capture", CONVERT},
    {0, 4, "XCP\0", "a NetXRay or Sniffer (Windows) capture", CONVERT},
    {0, 4, "VL\0\0", "a NetXRay 1.0 capture", CONVERT},
    {0, 8, "btsnoop\0", "a BTSnoop capture of Bluetooth", CONVERT},
    {0, 8, "\x00\x00\x02\x00\x12\x05\x00\x10", "a Tektronix K12 capture", CONVERT},
    {0, 4, "\x54\x52\x00\x64", "an HP-UX nettl trace", CONVERT},
    {0, 11, "iptrace 1.0", "an AIX iptrace", CONVERT},
    {0, 11, "iptrace 2.0", "an AIX iptrace", CONVERT},
    {0, 4, "\x7fver", "a WildPackets (OmniPeek) capture", CONVERT},
    {0, 4, "\x05VNF", "a Visual Networks capture", CONVERT},
    {0, 12, "ObserverPkt", "a Viavi Observer capture", CONVERT},
    {0, 4, "PK\x03\x04", "a zip archive", "unpack it first"},
    {0, 5, "7z\xbc\xaf\x27", "a 7z archive", "unpack it first"},
    {0, 4,
     "\x7f"
     "ELF",
     "a program", "name a capture file"},
    {0, 5, "# SSL", "a key log", KEY_LOG},
    {0, 7, "CLIENT_", "a key log", KEY_LOG},
    {0, 7, "SERVER_", "a key log", KEY_LOG},
    {0, 4, "RSA ", "a key log", KEY_LOG},
    {0, 11, "-----BEGIN ", "PEM, as certificates and keys have it", READ_IT},
    {0, 3, "\x30\x82", "DER, as certificates have it", READ_IT},
    {0, 2, "\x14\x03", "TLS records without packets around them", TLS_READ},
    {0, 2, "\x15\x03", "TLS records without packets around them", TLS_READ},
    {0, 2, "\x16\x03", "TLS records without packets around them", TLS_READ},
    {0, 2, "\x17\x03", "TLS records without packets around them", TLS_READ},
    {0, 5, "<?xml", "XML", "packets are read from captures only: pcap or pcapng"},
    {0, 2, "[\n", "JSON", "packets are read from captures only: pcap or pcapng"},
};

static bool begins(struct slice first, const struct foreign *f)
{
    return slice_equal(slice_sub(first, f->offset, f->len), slice_of(f->bytes, f->len));
}

/* Endace ERF has no magic number: a 64-bit little-endian time, a type, flags, two lengths. */
static bool looks_like_erf(struct slice first)
{
    (void)slice_skip(&first, 8);
    uint8_t type = slice_u8(&first) & 0x7f;
    (void)slice_skip(&first, 1);
    uint16_t record = slice_u16(&first);
    (void)slice_skip(&first, 2);
    uint16_t wire = slice_u16(&first);
    return !first.failed && type >= 1 && type <= 27 && record >= 16 && wire > 0 &&
           wire < record + 16u;
}

static bool is_printable(uint8_t c)
{
    return (c >= ' ' && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
}

/* Text that starts as hexadecimal dumps do: with an offset, or with bytes. */
static bool looks_like_hex(struct slice first)
{
    size_t digits = 0;
    for (size_t i = 0; i < first.len; i++) {
        uint8_t c = slice_at(first, i);
        bool digit = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
        if (!digit && !(c == ' ' || c == ':' || c == ',' || c == 'x' || c == '\n' || c == '\r'))
            return false;
        digits += digit;
    }
    return digits * 2 >= first.len && digits >= 8;
}

bool reader_not_a_capture(struct reader *r, struct slice first)
{
    const char *like = NULL, *advice = "";
    bool text = true;
    for (size_t i = 0; i < sizeof foreigners / sizeof foreigners[0] && !like; i++) {
        if (!begins(first, &foreigners[i]))
            continue;
        like = foreigners[i].name;
        advice = foreigners[i].advice;
    }
    for (size_t i = 0; i < first.len; i++)
        text = text && is_printable(slice_at(first, i));
    if (!like && looks_like_hex(first)) {
        like = "a hex dump";
        advice = "tlswire read --hex FILE shows it";
    } else if (!like && text) {
        like = "text";
        advice = "packets are read from captures: pcap or pcapng; tlswire read --hex FILE takes "
                 "hex dumps";
    } else if (!like && looks_like_erf(first)) {
        like = "an Endace ERF capture";
        advice = CONVERT;
    }
    if (like)
        return error_set(&r->failure, ERROR_FORMAT,
                         "%s isn't a capture file in a format tlswire understands.\n"
                         "  not supported: looks like %s; %s",
                         r->subject, like, advice);
    return error_set(&r->failure, ERROR_FORMAT,
                     "%s isn't a capture file in a format tlswire understands.\n"
                     "  it begins with %02x %02x %02x %02x; pcap and pcapng are read, also "
                     "compressed with gzip, zstd or lz4",
                     r->subject, slice_at(first, 0), slice_at(first, 1), slice_at(first, 2),
                     slice_at(first, 3));
}
