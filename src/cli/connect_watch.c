/* -msg and -debug: what goes over the connection, as it goes, in hexadecimal. */
#include "cli/connect.h"

#include <ctype.h>
#include <openssl/ssl.h>

#define ROW 16

void connect_dump(bool sent, struct slice bytes)
{
    size_t len = bytes.len;
    fprintf(stderr, "%s the socket: %zu bytes (0x%zX)\n", sent ? "write to" : "read from", len,
            len);
    for (size_t at = 0; bytes.len > 0; at += ROW) {
        struct slice row = slice_take(&bytes, bytes.len < ROW ? bytes.len : ROW);
        fprintf(stderr, "%04zx -", at);
        for (size_t i = 0; i < ROW; i++)
            fprintf(stderr, i < row.len ? "%c%02x" : "   ", i == 8 ? '-' : ' ', slice_at(row, i));
        fputs("   ", stderr);
        for (size_t i = 0; i < row.len; i++)
            fputc(isprint(slice_at(row, i)) ? slice_at(row, i) : '.', stderr);
        fputc('\n', stderr);
    }
}

static const char *version_name(int version)
{
    switch (version) {
    case TLS1_VERSION:
        return "TLS 1.0";
    case TLS1_1_VERSION:
        return "TLS 1.1";
    case TLS1_2_VERSION:
        return "TLS 1.2";
    case TLS1_3_VERSION:
        return "TLS 1.3";
    default:
        return "TLS";
    }
}

static const char *content_name(int type)
{
    switch (type) {
    case SSL3_RT_CHANGE_CIPHER_SPEC:
        return "ChangeCipherSpec";
    case SSL3_RT_ALERT:
        return "Alert";
    case SSL3_RT_HANDSHAKE:
        return "Handshake";
    case SSL3_RT_APPLICATION_DATA:
        return "ApplicationData";
    case SSL3_RT_HEADER:
        return "RecordHeader";
    case SSL3_RT_INNER_CONTENT_TYPE:
        return "InnerContent";
    default:
        return "Unknown";
    }
}

static const char *handshake_name(uint8_t type)
{
    static const struct {
        uint8_t type;
        const char *name;
    } names[] = {
        {0, "HelloRequest"},        {1, "ClientHello"},
        {2, "ServerHello"},         {4, "NewSessionTicket"},
        {5, "EndOfEarlyData"},      {8, "EncryptedExtensions"},
        {11, "Certificate"},        {12, "ServerKeyExchange"},
        {13, "CertificateRequest"}, {14, "ServerHelloDone"},
        {15, "CertificateVerify"},  {16, "ClientKeyExchange"},
        {20, "Finished"},           {22, "CertificateStatus"},
        {24, "KeyUpdate"},          {25, "CompressedCertificate"},
        {254, "MessageHash"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].type == type)
            return names[i].name;
    return "???";
}

/* As the tools of OpenSSL write it. */
void connect_message(const struct endpoint_message *message)
{
    struct slice bytes = message->bytes;
    fprintf(stderr, "%s %s, %s [length %04zx]", message->sent ? ">>>" : "<<<",
            version_name(message->version), content_name(message->content_type), bytes.len);
    if (message->content_type == SSL3_RT_HANDSHAKE && bytes.len > 0)
        fprintf(stderr, ", %s", handshake_name(slice_at(bytes, 0)));
    else if (message->content_type == SSL3_RT_ALERT && bytes.len == 2)
        fprintf(stderr, ", %s %s", slice_at(bytes, 0) == 1 ? "warning" : "fatal",
                SSL_alert_desc_string_long(slice_at(bytes, 1)));
    for (size_t i = 0; i < bytes.len; i++)
        fprintf(stderr, "%s%02x", i % ROW ? " " : "\n    ", slice_at(bytes, i));
    fputc('\n', stderr);
}
