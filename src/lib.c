/* libtlswire: the public functions, each a thin cover over the rooms below.
 *
 * The engine inside is made with the first packet or the first keys, when it is known what is
 * wanted. */
#include "tlswire/tlswire.h"

#include "capture/reader.h"
#include "engine.h"
#include "filter/filter.h"
#include "print/label.h"
#include "print/value.h"

#include <stdlib.h>
#include <sys/random.h>

#define PORTS 256

struct tlswire_engine {
    struct engine *engine; /* NULL until it is needed */
    const struct dissection *result;
    struct packet packet;
    uint64_t packets;
    struct buf label, text;
    uint16_t ports[PORTS];
    size_t port_count;
    bool chosen; /* `want` was filled by the caller */
    uint8_t want[FIELD_COUNT];
};

struct tlswire_filter {
    struct filter *filter;
};

struct tlswire_file {
    struct reader *reader;
    struct tlswire_engine *engine; /* during tlswire_file_next */
    struct packet packet;
    struct error error;
};

static void tell(const struct error *e, char *error, size_t size)
{
    size_t len = strlen(e->text);
    if (!error || size == 0)
        return;
    len = len < size ? len : size - 1;
    memcpy(error, e->text, len);
    error[len] = '\0';
}

const char *tlswire_version(void)
{
    return TLSWIRE_VERSION;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static const struct field *field_of(uint32_t field)
{
    return field > 0 && field < FIELD_COUNT ? &fields[field] : NULL;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

uint32_t tlswire_field_count(void)
{
    return FIELD_COUNT - 1;
}

uint32_t tlswire_field_find(const char *name)
{
    return field_find(name, strlen(name));
}

const char *tlswire_field_name(uint32_t field)
{
    const struct field *f = field_of(field);
    return f ? or_empty(f->abbrev) : "";
}

const char *tlswire_field_title(uint32_t field)
{
    const struct field *f = field_of(field);
    return f ? or_empty(f->label) : "";
}

const char *tlswire_field_description(uint32_t field)
{
    const struct field *f = field_of(field);
    return f ? or_empty(f->meaning) : "";
}

const char *tlswire_field_reference(uint32_t field)
{
    const struct field *f = field_of(field);
    return f ? or_empty(f->section) : "";
}

static const uint8_t public_types[TYPE_COUNT] = {
    [TYPE_NONE] = TLSWIRE_NONE,          [TYPE_PROTOCOL] = TLSWIRE_PROTOCOL,
    [TYPE_BOOLEAN] = TLSWIRE_BOOLEAN,    [TYPE_UINT8] = TLSWIRE_UNSIGNED,
    [TYPE_UINT16] = TLSWIRE_UNSIGNED,    [TYPE_UINT24] = TLSWIRE_UNSIGNED,
    [TYPE_UINT32] = TLSWIRE_UNSIGNED,    [TYPE_UINT64] = TLSWIRE_UNSIGNED,
    [TYPE_INT8] = TLSWIRE_SIGNED,        [TYPE_INT16] = TLSWIRE_SIGNED,
    [TYPE_INT32] = TLSWIRE_SIGNED,       [TYPE_INT64] = TLSWIRE_SIGNED,
    [TYPE_ABSOLUTE_TIME] = TLSWIRE_TIME, [TYPE_RELATIVE_TIME] = TLSWIRE_DURATION,
    [TYPE_STRING] = TLSWIRE_STRING,      [TYPE_BYTES] = TLSWIRE_BYTES,
    [TYPE_IPV4] = TLSWIRE_IPV4,          [TYPE_IPV6] = TLSWIRE_IPV6,
    [TYPE_ETHER] = TLSWIRE_ETHER,        [TYPE_OID] = TLSWIRE_OID,
    [TYPE_FRAMENUM] = TLSWIRE_FRAME,
};

enum tlswire_type tlswire_field_type(uint32_t field)
{
    const struct field *f = field_of(field);
    return f ? (enum tlswire_type)public_types[f->type] : TLSWIRE_NONE;
}

/* ---- filters --------------------------------------------------------------------------------- */

struct tlswire_filter *tlswire_filter_new(const char *text, char *error, size_t size)
{
    struct error e = {.code = ERROR_NONE};
    struct tlswire_filter *f = calloc(1, sizeof *f);
    if (f)
        f->filter = filter_compile(text, &e);
    else
        error_set(&e, ERROR_MEMORY, "out of memory");
    if (f && f->filter)
        return f;
    tell(&e, error, size);
    free(f);
    return NULL;
}

void tlswire_filter_free(struct tlswire_filter *filter)
{
    if (!filter)
        return;
    filter_free(filter->filter);
    free(filter);
}

/* ---- the engine ------------------------------------------------------------------------------ */

struct tlswire_engine *tlswire_engine_new(void)
{
    return calloc(1, sizeof(struct tlswire_engine));
}

void tlswire_engine_free(struct tlswire_engine *engine)
{
    if (!engine)
        return;
    engine_free(engine->engine);
    buf_free(&engine->label);
    buf_free(&engine->text);
    free(engine);
}

bool tlswire_want(struct tlswire_engine *engine, uint32_t field)
{
    if (engine->engine || !field_of(field))
        return false;
    engine->chosen = true;
    for (enum field_id id = field_find(fields[field].abbrev, strlen(fields[field].abbrev));
         id != F_NONE; id = field_same_name(id)) {
        engine->want[id] = 1;
        label_want(id, engine->want);
    }
    engine->want[field] = 1; /* also a heading without a name */
    return true;
}

bool tlswire_want_filter(struct tlswire_engine *engine, const struct tlswire_filter *filter)
{
    if (engine->engine)
        return false;
    engine->chosen = true;
    filter_wants(filter->filter, engine->want);
    return true;
}

bool tlswire_tls_port(struct tlswire_engine *engine, uint16_t port)
{
    if (engine->engine || engine->port_count == PORTS)
        return false;
    engine->ports[engine->port_count++] = port;
    return true;
}

static bool start(struct tlswire_engine *engine)
{
    if (engine->engine)
        return true;
    if (!engine->chosen)
        memset(engine->want, 1, sizeof engine->want);
    field_want_parts(engine->want);
    struct engine_options options = {
        .want = engine->want, .tls_ports = engine->ports, .tls_port_count = engine->port_count};
    if (getrandom(&options.seed, sizeof options.seed, 0) < 0)
        options.seed =
            (uint64_t)(uintptr_t)engine; /* address space randomisation is better than nothing */
    engine->engine = engine_new(&options);
    return engine->engine != NULL;
}

bool tlswire_keys(struct tlswire_engine *engine, const void *text, size_t size)
{
    if (!start(engine))
        return false;
    engine_keys(engine->engine, slice_of(text, size));
    return true;
}

bool tlswire_packet(struct tlswire_engine *engine, const struct tlswire_packet *packet)
{
    size_t wire = packet->wire_size ? packet->wire_size : packet->size;
    if (packet->size > INT32_MAX || wire > UINT32_MAX || !start(engine))
        return false;
    engine->packet =
        (struct packet){.bytes = slice_of(packet->size ? packet->bytes : "", packet->size),
                        .time_ns = packet->time_ns,
                        .number = ++engine->packets,
                        .caplen = (uint32_t)packet->size,
                        .len = (uint32_t)wire,
                        .link_type = packet->link_type,
                        .interface = PACKET_NO_INTERFACE,
                        .time_decimals = 9,
                        .fcs_bytes = -1,
                        .has_time = true};
    engine->result = engine_packet(engine->engine, &engine->packet);
    return true;
}

bool tlswire_match(const struct tlswire_engine *engine, const struct tlswire_filter *filter)
{
    return engine->result && filter_match(filter->filter, &engine->result->tape);
}

/* ---- events ---------------------------------------------------------------------------------- */

static const struct event *event_at(const struct tlswire_engine *engine, size_t index)
{
    return engine->result && index < engine->result->tape.count
               ? &engine->result->tape.events[index]
               : NULL;
}

size_t tlswire_event_count(const struct tlswire_engine *engine)
{
    return engine->result ? engine->result->tape.count : 0;
}

bool tlswire_event(const struct tlswire_engine *engine, size_t index, struct tlswire_event *event)
{
    const struct event *e = event_at(engine, index);
    if (!e)
        return false;
    *event = (struct tlswire_event){.field = e->field,
                                    .type = tlswire_field_type(e->field),
                                    .depth = e->depth,
                                    .next = e->next,
                                    .generated = e->flags & EVENT_GENERATED,
                                    .hidden = e->flags & EVENT_HIDDEN,
                                    .source = e->source,
                                    .offset = e->offset,
                                    .length = e->length};
    if (event->type >= TLSWIRE_STRING) {
        struct slice bytes = event_bytes(&engine->result->tape, e);
        event->bytes = bytes.data;
        event->size = bytes.len;
    } else if (event->type >= TLSWIRE_BOOLEAN) {
        event->number = e->value;
    }
    return true;
}

size_t tlswire_find(const struct tlswire_engine *engine, uint32_t field, size_t start)
{
    const struct field *wanted = field_of(field);
    const struct event *e;
    for (size_t i = start; wanted && (e = event_at(engine, i)) != NULL; i++)
        if (e->field == field ||
            (*wanted->abbrev && strcmp(fields[e->field].abbrev, wanted->abbrev) == 0))
            return i;
    return TLSWIRE_END;
}

/* The buffer's text with a NUL after it. */
static const char *text_of(struct buf *b)
{
    buf_char(b, '\0');
    return b->failed ? "" : (const char *)b->data;
}

const char *tlswire_event_label(struct tlswire_engine *engine, size_t index)
{
    buf_clear(&engine->label);
    if (event_at(engine, index))
        label_write(&engine->label, &engine->result->tape, (uint32_t)index);
    return text_of(&engine->label);
}

const char *tlswire_event_text(struct tlswire_engine *engine, size_t index)
{
    const struct event *e = event_at(engine, index);
    buf_clear(&engine->text);
    if (e)
        value_cell(&engine->text, &engine->result->tape, e);
    return text_of(&engine->text);
}

const uint8_t *tlswire_source(const struct tlswire_engine *engine, uint32_t source, size_t *size,
                              const char **name)
{
    if (!engine->result || source >= engine->result->tape.source_count)
        return NULL;
    const struct source *s = &engine->result->tape.sources[source];
    if (size)
        *size = s->bytes.len;
    if (name)
        *name = s->name;
    return s->bytes.data;
}

bool tlswire_overflowed(const struct tlswire_engine *engine)
{
    return engine->result && engine->result->tape.full;
}

/* ---- files ----------------------------------------------------------------------------------- */

static void take_secrets(void *context, uint32_t type, struct slice text)
{
    const struct tlswire_file *file = context;
    if (type == SECRETS_TLS_KEY_LOG && file->engine)
        tlswire_keys(file->engine, text.data, text.len);
}

struct tlswire_file *tlswire_file_open(const char *path, char *error, size_t size)
{
    struct error e = {.code = ERROR_NONE};
    struct tlswire_file *file = calloc(1, sizeof *file);
    if (file) {
        struct reader_options options = {.secrets = take_secrets, .context = file};
        file->reader = reader_open(path, &options, &e);
    } else {
        error_set(&e, ERROR_MEMORY, "out of memory");
    }
    if (file && file->reader)
        return file;
    tell(&e, error, size);
    free(file);
    return NULL;
}

void tlswire_file_close(struct tlswire_file *file)
{
    if (!file)
        return;
    reader_close(file->reader);
    free(file);
}

enum tlswire_result tlswire_file_next(struct tlswire_file *file, struct tlswire_engine *engine)
{
    file->engine = engine;
    engine->result = NULL; /* the packet before may go away with the next */
    enum read_result result = reader_next(file->reader, &file->packet, &file->error);
    file->engine = NULL;
    if (result != READ_PACKET)
        return result == READ_END ? TLSWIRE_FILE_END : TLSWIRE_ERROR;
    if (!start(engine)) {
        error_set(&file->error, ERROR_MEMORY, "out of memory");
        return TLSWIRE_ERROR;
    }
    engine->packet = file->packet;
    engine->packet.number = ++engine->packets;
    engine->result = engine_packet(engine->engine, &engine->packet);
    return TLSWIRE_PACKET;
}

const char *tlswire_file_error(const struct tlswire_file *file)
{
    return file->error.text;
}
