/* Names of addresses: those that the capture tells, and those that go into its copy (-W n). */
#include "capture/reader.h"
#include "cli/reading_private.h"

void reading_name(void *context, struct slice address, struct slice name)
{
    const struct run *r = context;
    if (r->reading->names)
        names_add(r->reading->names, address, name);
}

static void meet_name(const struct names *names, const struct address *a)
{
    names_meet(names, slice_of(a->bytes, a->kind == ADDRESS_IPV4   ? 4
                                         : a->kind == ADDRESS_IPV6 ? 16
                                                                   : 0));
}

void reading_meet_names(const struct reading *reading, const struct dissection *d)
{
    meet_name(reading->names, &d->columns.source);
    meet_name(reading->names, &d->columns.destination);
}

bool reading_write_names(struct run *r, struct error *error)
{
    return r->files || !r->writer || !r->reading->write_names ||
           writer_names(r->writer, r->reading->names, error);
}
