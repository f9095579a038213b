/* A connection as text: the rungs below the verdict. */
#include "print/ladder_private.h"
#include "schema/registries.h"

#define TIME_WIDTH  9 /* milliseconds */
#define FRAME_WIDTH 6
#define BYTES_WIDTH 9
#define LEFT        (TIME_WIDTH + 1 + FRAME_WIDTH + 2)
#define DETAILS     (LEFT + 3) /* where details begin that have no room in the rung */

static void repeat(const struct pen *p, const char *text, size_t n)
{
    while (n-- > 0)
        buf_str(p->out, text);
}

static size_t arrow_width(const struct pen *p)
{
    return p->options->width - LEFT - BYTES_WIDTH;
}

static void titles(const struct pen *p)
{
    static const char left[] = "client", right[] = "server";
    bool known = p->c->client != NOBODY;
    buf_fill(p->out, ' ', TIME_WIDTH - 2);
    buf_str(p->out, "ms  frame  ");
    buf_str(p->out, known ? left : "left  ");
    buf_fill(p->out, ' ', arrow_width(p) - 12);
    buf_str(p->out, known ? right : " right");
    buf_str(p->out, "    bytes\n");
}

/* The name, how often, and the details when they fit in ROOM columns. */
static bool put_label(const struct pen *p, const struct rung *rung, size_t room, struct buf *label)
{
    buf_clear(label);
    if (rung->opened)
        buf_str(label, "* ");
    buf_str(label, rung->name);
    if (rung->count > 1 && rung->kind != RUNG_MORE_DATA)
        buf_printf(label, " %s%u", pen_glyph(p, "×", "x"), rung->count);
    struct slice details = pen_text(p, rung->details);
    size_t start = label->len;
    struct wrap w = {.out = label, .width = SIZE_MAX / 2, .ascii = p->options->ascii};
    buf_str(label, "  ");
    ladder_wrap(&w, details);
    bool fits = details.len > 0 && ladder_columns(buf_slice(label)) <= room;
    if (!fits)
        label->len = start;
    return fits || details.len == 0;
}

static void put_size(const struct pen *p, uint64_t bytes)
{
    if (bytes > 0)
        buf_dec_pad(p->out, bytes, BYTES_WIDTH, ' ');
}

/* Milliseconds, coarser when there are too many. */
static void put_time(const struct pen *p, int64_t ns)
{
    static const struct {
        int64_t below;
        int decimals;
        double unit;
        const char *name;
    } forms[] = {{INT64_C(1000000000000), 2, 1e6, ""},
                 {INT64_C(1000000000000000), 0, 1e6, ""},
                 {INT64_C(10000000000000000), 0, 1e9, " s"}};
    size_t start = p->out->len;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && p->out->len == start; i++)
        if (ns < forms[i].below && ns > -forms[i].below / 10)
            buf_printf(p->out, "%*.*f%s", TIME_WIDTH - (int)strlen(forms[i].name),
                       forms[i].decimals, (double)ns / forms[i].unit, forms[i].name);
    if (p->out->len == start)
        buf_printf(p->out, "%*s", TIME_WIDTH, "?");
}

static void put_place(const struct pen *p, const struct rung *rung, bool same_frame)
{
    size_t start = p->out->len;
    if (!same_frame)
        put_time(p, rung->time);
    else
        buf_fill(p->out, ' ', TIME_WIDTH);
    buf_char(p->out, ' ');
    buf_dec_pad(p->out, rung->frame, FRAME_WIDTH, ' ');
    buf_fill(p->out, ' ', LEFT > p->out->len - start ? LEFT - (p->out->len - start) : 1);
}

static void put_arrow(const struct pen *p, const struct rung *rung, struct slice label)
{
    bool right = rung->from == p->client;
    const char *dash = pen_glyph(p, "─", "-");
    size_t used = ladder_columns(label) + 5, width = arrow_width(p);
    size_t dashes = width > used ? width - used : 0;
    if (right) {
        repeat(p, dash, 2);
    } else {
        buf_str(p->out, pen_glyph(p, "◀", "<"));
        repeat(p, dash, dashes);
    }
    buf_char(p->out, ' ');
    pen_paint(p, rung->bad                                ? BAD
                 : rung->sealed || rung->kind == RUNG_TCP ? FAINT
                 : right                                  ? CLIENT
                                                          : SERVER);
    buf_slice_put(p->out, label);
    pen_paint(p, PLAIN);
    buf_char(p->out, ' ');
    if (right) {
        repeat(p, dash, dashes);
        buf_str(p->out, pen_glyph(p, "▶", ">"));
    } else {
        repeat(p, dash, 2);
    }
}

static void draw_details(const struct pen *p, const struct rung *rung)
{
    struct wrap w = {.out = p->out,
                     .indent = DETAILS,
                     .width = p->options->width,
                     .column = DETAILS,
                     .ascii = p->options->ascii};
    buf_fill(p->out, ' ', DETAILS);
    ladder_wrap(&w, pen_text(p, rung->details));
    ladder_wrap_end(&w);
}

static void draw_message(const struct pen *p, const struct rung *rung, bool same_frame)
{
    bool whole = put_label(p, rung, arrow_width(p) - 6, p->scratch);
    put_place(p, rung, same_frame);
    put_arrow(p, rung, buf_slice(p->scratch));
    put_size(p, rung->bytes[rung->from]);
    buf_char(p->out, '\n');
    if (!whole)
        draw_details(p, rung);
}

static void draw_mark(const struct pen *p, const char *text)
{
    const char *dash = pen_glyph(p, "═", "=");
    size_t width = arrow_width(p), used = strlen(text) + 4;
    size_t left = width > used ? (width - used) / 2 : 0;
    buf_fill(p->out, ' ', LEFT);
    pen_paint(p, FAINT);
    buf_str(p->out, pen_glyph(p, "╞", "|"));
    repeat(p, dash, left);
    buf_printf(p->out, " %s ", text);
    repeat(p, dash, width > used ? width - used - left : 0);
    buf_str(p->out, pen_glyph(p, "╡", "|"));
    pen_paint(p, PLAIN);
    buf_char(p->out, '\n');
}

static void draw_more_data(const struct pen *p, const struct rung *rung)
{
    buf_fill(p->out, ' ', DETAILS);
    buf_printf(p->out, "%s %u more records with data: %llu B %s %llu B %s\n",
               pen_glyph(p, "…", "..."), rung->count, (unsigned long long)rung->bytes[p->client],
               pen_glyph(p, "→,", "->,"), (unsigned long long)rung->bytes[1 - p->client],
               pen_glyph(p, "←", "<-"));
}

/* What is not shown, and why. */
static void limits(const struct pen *p)
{
    const struct connection *c = p->c;
    if (c->dropped > 0)
        buf_printf(p->out, "    %llu more messages are not shown: at most %u lines a connection\n",
                   (unsigned long long)c->dropped, MAX_RUNGS);
    if (c->text.failed)
        buf_str(p->out, "    some details are not shown: there are too many\n");
    if (c->full_tape)
        buf_str(p->out, "    a packet had more in it than can be read: parts are not shown\n");
    if (c->crowded_out)
        buf_printf(p->out, "    not followed further: more than %u connections at once\n",
                   MAX_CONNECTIONS);
}

void pen_paint(const struct pen *p, enum paint paint)
{
    static const char *const codes[] = {
        [PLAIN] = "\033[0m", [GOOD] = "\033[32m",   [BAD] = "\033[1;31m",
        [FAINT] = "\033[2m", [CLIENT] = "\033[36m", [SERVER] = "\033[33m"};
    if (p->options->color)
        buf_str(p->out, codes[paint]);
}

void ladder_draw(struct ladder *l, struct buf *out, const struct connection *c)
{
    struct pen p = {.out = out,
                    .options = &l->options,
                    .c = c,
                    .scratch = &l->scratch,
                    /* Nobody has said who is who: servers have the lower ports. */
                    .client = c->client != NOBODY ? c->client : c->ports[0] < c->ports[1]};
    uint64_t frame = 0;
    ladder_verdict(&p);
    buf_char(out, '\n');
    titles(&p);
    for (unsigned i = 0; i < c->count; i++) {
        const struct rung *rung = &c->rungs[i];
        switch ((enum rung_kind)rung->kind) {
        case RUNG_MARK:
            draw_mark(&p, rung->name);
            continue;
        case RUNG_MORE_DATA:
            draw_more_data(&p, rung);
            continue;
        case RUNG_TCP:
        case RUNG_MESSAGE:
        case RUNG_ALERT:
        case RUNG_DATA:
            draw_message(&p, rung, rung->frame == frame);
            frame = rung->frame;
        }
    }
    limits(&p);
}
