#include "cli/cmd_read.h"

#include "capture/material.h"
#include "cli/common.h"
#include "cli/reading.h"
#include "cli/tshark_front.h"

#include <stdlib.h>
#include <string.h>

static int print_help(void)
{
    fputs("usage: tlswire read [--hex | --raw-records] FILE|- [options of the reader]\n"
          "       tlswire read --raw-records CLIENT-FILE SERVER-FILE [options of the reader]\n"
          "\n"
          "Shows TLS that is in no capture: a hex dump (xxd, hexdump, od, tshark -x, openssl "
          "s_client\n"
          "-msg or -debug, curl --trace, C arrays, plain hexadecimal, base64), TLS records as they "
          "are,\n"
          "or certificates in PEM or DER.  What it is, is told by its bytes.\n"
          "\n"
          "  --hex                    it is text with bytes in hexadecimal\n"
          "  --raw-records            it is TLS records, of one side or of both; with two files, "
          "what\n"
          "                           the client sent, and what the server sent\n"
          "  -h, --help               print this and exit\n"
          "\n"
          "All else is as for a capture: -V, -x, -O, -Y, -T, -e, -o …; tlswire -h lists it.\n",
          stdout);
    return fflush(stdout) == 0 ? READING_OK : READING_FAILED;
}

int cmd_read(int argc, char **argv)
{
    enum material_kind kind = MATERIAL_ANY;
    char **rest = calloc((size_t)argc + 1, sizeof *rest);
    int count = 0;
    if (!rest)
        return EXIT_RUNTIME;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--hex") == 0) {
            kind = MATERIAL_HEX;
        } else if (strcmp(word, "--raw-records") == 0) {
            kind = MATERIAL_RECORDS;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            free(rest);
            return print_help();
        } else {
            rest[count++] = argv[i];
        }
    }
    int status = tshark_front_read(count, rest, kind);
    free(rest);
    return status;
}
