/* Display filters: any text is compiled, and what compiles judges a packet made here. */
#include "filter/filter.h"

#include <stdlib.h>

#define MAX_INPUT 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(struct tape *t, const char *name, uint32_t offset, uint32_t length, uint64_t value)
{
    enum field_id id = field_find(name, strlen(name));
    if (id != F_NONE)
        tape_add(t, id, 0, offset, length, value, 0);
}

/* A packet with two layers of IP, repeated numbers, strings, times and bytes. */
static void fill(struct tape *t)
{
    static const uint8_t bytes[64] =
        "\x16\x03\x01 www.example.com \x7f\x00\x00\x01\x0a\x00\x00\x01";
    static const char *const repeated[] = {"tls.handshake.type", "tls.handshake.ciphersuite",
                                           "tcp.port", "tcp.len", "frame.number"};
    tape_source(t, slice_of(bytes, sizeof bytes), "Frame");
    add(t, "frame", 0, 64, 0);
    add(t, "frame.time", 0, 0, 1600000000000000000);
    add(t, "frame.time_relative", 0, 0, 1500000000);
    add(t, "frame.protocols", 3, 16, 0);
    for (uint32_t i = 0; i < 2; i++) {
        add(t, "ip", 20, 20, 0);
        add(t, "ip.src", 20 + 4 * i, 4, 0);
        add(t, "ip.addr", 20 + 4 * i, 4, 0);
    }
    add(t, "tcp", 24, 20, 0);
    add(t, "tcp.flags.syn", 0, 1, 1);
    add(t, "tcp.payload", 0, 40, 0);
    add(t, "tls", 0, 30, 0);
    for (size_t i = 0; i < 5 * sizeof repeated / sizeof *repeated; i++)
        add(t, repeated[i / 5], 0, 2, i * 7919);
    add(t, "tls.handshake.extensions_server_name", 4, 15, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t want[FIELD_COUNT], wanted[FIELD_COUNT];
    struct error error = {0};
    struct tape tape;
    char *text = malloc(size + 1);
    if (!text || size > MAX_INPUT || !tape_init(&tape)) {
        free(text);
        return 0;
    }
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    struct filter *f = filter_compile(text, &error);
    if (!f && (error.code == ERROR_NONE || error.text[0] == '\0'))
        abort();
    if (f) {
        memset(want, 1, sizeof want);
        memset(wanted, 0, sizeof wanted);
        tape_reset(&tape, want);
        fill(&tape);
        bool full = filter_match(f, &tape);
        bool cut = filter_exhausted(f);
        filter_wants(f, wanted);
        tape_reset(&tape, wanted);
        fill(&tape);
        /* What the filter does not want cannot change its mind. */
        if (full != filter_match(f, &tape) && !cut)
            abort();
        filter_free(f);
    }
    tape_free(&tape);
    free(text);
    return 0;
}
