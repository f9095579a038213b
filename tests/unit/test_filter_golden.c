/* The filter language against tests/golden/filters.txt: what tshark 4.0.17 answers to each filter on
 * two captures, and where it finds what mistake. */
#include "filter/filter.h"
#include "packets.h"
#include "unit.h"

#include <stdlib.h>

#define LIST     "tests/golden/filters.txt"
#define CAPTURES 2
#define FRAMES   64

static const char *const captures[CAPTURES] = {"tests/golden/seed_verbose.pcap",
                                               "tests/golden/pieces.pcap"};

/* One filter of the list, and what came of it. */
struct entry {
    char *text;
    bool own; /* tlswire's own answer, advice included */
    char error[2048];
    bool frames[CAPTURES][FRAMES + 1];
    struct filter *filter;
    struct error told;
};

static struct entry *entries;
static size_t count;

/* "1-3 5" as frames. */
static void take_frames(bool *frames, char *text)
{
    while (*text) {
        char *end = text;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (end > text && *end == '-')
            last = strtoul(end + 1, &end, 10);
        for (unsigned long i = first; i > 0 && i <= last && i <= FRAMES; i++)
            frames[i] = true;
        text = end > text ? end : text + 1;
    }
}

static void take_line(char *line)
{
    struct entry *e = count > 0 ? &entries[count - 1] : NULL;
    if (strncmp(line, "> ", 2) == 0 || strncmp(line, "< ", 2) == 0) {
        entries = realloc(entries, (count + 1) * sizeof *entries);
        if (!entries)
            exit(2);
        entries[count++] = (struct entry){.text = strdup(line + 2), .own = line[0] == '<'};
    } else if (e && strncmp(line, "! ", 2) == 0) {
        size_t used = strlen(e->error);
        snprintf(e->error + used, sizeof e->error - used, "%s%s", used > 0 ? "\n" : "", line + 2);
    } else if (e && (line[0] == '=' || line[0] == '~')) {
        take_frames(e->frames[line[0] == '~'], line + 1);
    }
}

static void load(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    FILE *f = fopen(LIST, "r");
    while (f && (len = getline(&line, &room, f)) > 0) {
        line[len - 1] = '\0';
        take_line(line);
    }
    free(line);
    if (f)
        fclose(f);
}

/* The error without the advice that follows tshark's lines. */
static void cut_advice(char *text)
{
    static const char *const advice[] = {"\ndid you mean", "\ntlswire reads"};
    for (size_t i = 0; i < sizeof advice / sizeof *advice; i++) {
        char *at = strstr(text, advice[i]);
        if (at)
            *at = '\0';
    }
}

static void test_errors(void)
{
    CHECK(count > 900);
    for (size_t i = 0; i < count; i++) {
        struct entry *e = &entries[i];
        e->filter = filter_compile(e->text, &e->told);
        if (e->filter)
            filter_open_ended(e->filter); /* tshark printed lines */
        if (!e->own)
            cut_advice(e->told.text);
        if (strcmp(e->error, e->told.text) != 0)
            printf("# %s\n", e->text);
        CHECK_STR(e->error, e->told.text);
        CHECK_EQ(e->error[0] == '\0', e->filter != NULL);
    }
}

/* All filters on all packets of a capture in one reading, with only those fields that one of them wants. */
static void test_frames(void)
{
    static uint8_t want[FIELD_COUNT];
    for (size_t i = 0; i < count; i++)
        if (entries[i].filter)
            filter_wants(entries[i].filter, want);
    for (unsigned capture = 0; capture < CAPTURES; capture++) {
        struct kept_capture c;
        CHECK(keep_capture(&c, captures[capture]));
        struct engine *engine = engine_new(&(struct engine_options){.want = want});
        CHECK(engine && c.count > 0 && c.count <= FRAMES);
        for (size_t n = 0; engine && n < c.count && n < FRAMES; n++) {
            const struct dissection *d = engine_packet(engine, &c.packets[n].packet);
            for (size_t i = 0; i < count; i++) {
                const struct entry *e = &entries[i];
                if (e->filter && filter_match(e->filter, &d->tape) != e->frames[capture][n + 1]) {
                    printf("# %s: frame %zu of %s\n", e->text, n + 1, captures[capture]);
                    CHECK(false);
                }
            }
        }
        engine_free(engine);
        drop_capture(&c);
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"errors as tshark tells them", test_errors},
        {"frames as tshark chooses them", test_frames},
    };
    setenv("TZ", "UTC", 1);
    load();
    int status = UNIT_RUN(tests);
    for (size_t i = 0; i < count; i++) {
        filter_free(entries[i].filter);
        free(entries[i].text);
    }
    free(entries);
    return status;
}
