/* Options that give private keys and pre-shared keys, a line each: what is refused says why, what is taken is there,
 * and nothing that is off does harm.  Options that open a file at once are left out. */
#include "cli/key_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Complaints are for people; sanitizers write to the descriptor, not to the stream. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    FILE *nowhere = fopen("/dev/null", "we");
    if (nowhere)
        stderr = nowhere;
    return 0;
}

static void take(struct key_options *o, struct slice line)
{
    static const char opens_file[] = "tlswire.psk_file:", password[] = "tlswire.key_password_file:";
    char *text = malloc(line.len + 1);
    if (!text)
        abort();
    memcpy(text, line.data, line.len);
    text[line.len] = 0;
    struct error error = {0};
    size_t before = o->file_count;
    bool left_out = strncmp(text, opens_file, sizeof opens_file - 1) == 0 ||
                    strncmp(text, password, sizeof password - 1) == 0;
    enum key_option result = left_out ? KEY_OPTION_OTHER : key_options_take(o, text, &error);
    if ((result == KEY_OPTION_REFUSED) != (error.code != ERROR_NONE) || o->file_count < before ||
        o->file_count > KEY_OPTIONS_FILES || (result == KEY_OPTION_OTHER && o->file_count > before))
        abort();
    for (size_t i = before; i < o->file_count; i++)
        if (!o->files[i] || !o->passwords[i])
            abort();
    /* A key for every identity that was taken is found for one that has none of its own. */
    if (result == KEY_OPTION_TAKEN && strncmp(text, "tlswire.psk:=", 13) == 0 &&
        (!o->ring || key_ring_psk_count(o->ring) == 0))
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct key_options options = {0};
    while (input.len > 0) {
        const uint8_t *end = memchr(input.data, '\n', input.len);
        size_t len = end ? (size_t)(end - input.data) : input.len;
        take(&options, slice_take(&input, len));
        slice_skip(&input, end ? 1 : 0);
    }
    key_options_free(&options);
    return 0;
}
