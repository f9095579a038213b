/* What stands in ${ }: tshark looks at all of it before it reads the filter, inside of quotes too.  A
 * field is left for the parser; every other name would be that of a macro, and tlswire has none. */
#include "filter/program.h"

#include <ctype.h>

static bool name_char(char ch)
{
    return isalnum((unsigned char)ch) || ch == '_' || ch == '-' || ch == '.';
}

/* A field with a value, and no layers of any field behind it. */
static bool is_reference(const struct compiler *c, uint32_t from, uint32_t end)
{
    enum field_id id = field_find(c->text + from, end - from);
    return id != F_NONE && fields[id].type != TYPE_NONE && fields[id].type != TYPE_PROTOCOL &&
           !memchr(c->text + end, '#', c->len - end);
}

bool check_macros(struct compiler *c)
{
    for (uint32_t i = 0; i + 1 < c->len; i++) {
        if (c->text[i] != '$' || c->text[i + 1] != '{') {
            i += c->text[i] == '$'; /* of "$${", the second begins nothing */
            continue;
        }
        uint32_t from = i + 2, end = from;
        while (end < c->len && name_char(c->text[end]))
            end++;
        char last = end < c->len ? c->text[end] : '\0';
        if (last == '#') /* layers: a reference, if anything */
            continue;
        if (last != '\0' && last != '}' && last != ':')
            return fail_at(c, 0, 1, "invalid character in macro name");
        for (i = end; i < c->len && c->text[i] != '}'; i++)
            continue;
        if (i == c->len)
            return fail_at(c, 0, 1, "end of filter in the middle of a macro expression");
        if (last == ':' || !is_reference(c, from, end))
            return fail_at(c, 0, 1, "macro '%.*s' does not exist",
                           (int)(end - from < 100 ? end - from : 100), c->text + from);
    }
    return true;
}
