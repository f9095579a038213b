#include "dissect/asn1.h"

#include "dissect/x509_types.h"
#include "schema/oids.h"

#define DEPTH_MAX  64
#define SMALL_TEXT 256

/* ---- texts and remarks
 * --------------------------------------------------------------------------------
 */

/* Puts TEXT into the tape's text; where it begins, plus one. */
static uint32_t store(struct tape *t, struct slice text)
{
    size_t start = t->text.len;
    buf_slice_put(&t->text, text);
    buf_char(&t->text, '\0');
    if (t->text.failed || start >= UINT32_MAX) {
        t->full = true;
        return 0;
    }
    return (uint32_t)start + 1;
}

void asn1_note(struct asn1 *a, uint32_t at, struct slice text)
{
    if (at != TAPE_NONE)
        a->tape->events[at].extra = store(a->tape, text);
}

void asn1_expert(struct asn1 *a, enum expert_id id, struct der_view v, struct slice text)
{
    struct tape *t = a->tape;
    const struct expert *expert = &experts[id];
    uint32_t at = tape_open(t, F__ws_expert, a->source, v.at, 0, 0, EVENT_GENERATED);
    uint32_t own = tape_add(t, expert->field, 0, 0, 0, 0, EVENT_GENERATED);
    uint32_t message =
        tape_add(t, F__ws_expert_message, 0, 0, 0, 0, EVENT_GENERATED | EVENT_HIDDEN);
    tape_add(t, F__ws_expert_severity, 0, 0, 0, expert->severity, EVENT_GENERATED);
    tape_add(t, F__ws_expert_group, 0, 0, 0, expert->group, EVENT_GENERATED);
    tape_close(t, at);
    if (expert->group == GROUP_MALFORMED)
        tape_set_label(t, tape_add(t, F__ws_malformed, a->source, v.at, 0, 0, EVENT_HIDDEN),
                       LABEL_MALFORMED_HIDDEN);
    if (at == TAPE_NONE && own == TAPE_NONE && message == TAPE_NONE)
        return;
    uint32_t start = store(t, text);
    if (start == 0)
        return;
    uint64_t note = (uint64_t)text.len << 32 | (start - 1);
    tape_set_extra(t, at, id);
    tape_set_extra(t, own, id);
    tape_set_label(t, own, LABEL_ASN1_FAULT);
    tape_set_label(t, at,
                   expert->group == GROUP_MALFORMED ? LABEL_ASN1_MALFORMED : LABEL_ASN1_UNDECODED);
    if (at != TAPE_NONE)
        t->events[at].value = note;
    if (own != TAPE_NONE)
        t->events[own].value = note;
    if (message != TAPE_NONE) {
        t->events[message].flags |= EVENT_IN_TEXT;
        t->events[message].value = note;
    }
}

void asn1_fault(struct asn1 *a, enum expert_id id, struct der_view v, struct slice text)
{
    uint32_t at = tape_open(a->tape, F_asn1_remark, a->source, v.at, (uint32_t)v.bytes.len, 0, 0);
    asn1_note(a, at, text);
    asn1_expert(a, id, v, text);
    tape_close(a->tape, at);
}

static const char *const classes[] = {"UNIVERSAL", "APPLICATION", "CONTEXT", "PRIVATE"};

static void put_class_tag(struct buf *b, unsigned class, uint32_t tag, const char *between)
{
    buf_str(b, "class:");
    buf_str(b, classes[class & 3]);
    buf_char(b, '(');
    buf_dec(b, class & 3);
    buf_char(b, ')');
    buf_str(b, between);
    buf_str(b, "tag:");
    buf_dec(b, tag);
}

void asn1_unexpected(struct asn1 *a, enum expert_id id, const char *what, const struct der *found)
{
    ASN1_TEXT(text, SMALL_TEXT);
    buf_str(&text, "BER Error: ");
    buf_str(&text, what);
    buf_str(&text, " expected but ");
    put_class_tag(&text, found->class, found->tag,
                  found->constructed ? " Constructed " : " Primitive ");
    buf_str(&text, " was unexpected");
    asn1_fault(a, id, der_sub(found->whole, 0, 1), buf_slice(&text));
}

static void wrong_field(struct asn1 *a, enum expert_id id, const char *where,
                        const struct asn1_member *member, const struct der *found)
{
    const char *name =
        member->class == DER_UNIVERSAL ? registry_compat(REG_ASN1_TAGS, member->tag) : NULL;
    ASN1_TEXT(text, SMALL_TEXT);
    buf_str(&text, "BER Error: Wrong field in ");
    buf_str(&text, where);
    buf_str(&text, ": expected ");
    put_class_tag(&text, member->class, member->tag, " ");
    if (name) {
        buf_char(&text, '(');
        buf_str(&text, name);
        buf_char(&text, ')');
    }
    buf_str(&text, " but found ");
    put_class_tag(&text, found->class, found->tag, " ");
    asn1_fault(a, id, der_sub(found->whole, 0, 1), buf_slice(&text));
}

/* ---- elements
 * -----------------------------------------------------------------------------------------
 */

bool asn1_element(struct asn1 *a, bool implicit, struct der_view v, struct der *out)
{
    if (implicit) {
        *out = (struct der){.class = DER_CONTEXT,
                            .constructed = true,
                            .length = v.bytes.len,
                            .content = v,
                            .whole = v,
                            .eaten = v.bytes.len};
        return true;
    }
    if (a->broken || a->budget == 0) {
        a->broken = true;
        return false;
    }
    bool read = der_read(v, out);
    if (!read || out->cut) {
        a->fault = read ? out->whole : v;
        a->fault_length = read ? out->length : 0;
        a->beyond = (read ? out->content.at + out->length : v.at + v.bytes.len + 1) > a->limit;
    }
    a->broken = !read;
    a->budget -= read;
    return read;
}

/* Goes on behind D, whose end is certain, although something in it is cut: that is marked where it stands. */
static bool recover(struct asn1 *a, const struct der *d, uint16_t protocol)
{
    if (d->cut || a->budget == 0)
        return false;
    ASN1_TEXT(text, SMALL_TEXT);
    if (a->fault.at < d->whole.at) { /* it was not a length that broke it */
        a->fault = d->whole;
        a->fault_length = 0;
        a->beyond = true;
    }
    buf_str(&text, "BER Error: ");
    if (a->fault_length > 0) {
        buf_str(&text, "length of item (");
        buf_dec(&text, a->fault_length);
        buf_str(&text, ") is more than what holds it");
    } else {
        buf_str(&text, "an item is cut short");
    }
    if (a->beyond && !a->malformed)
        a->malformed = a->protocol;
    asn1_fault(a, EXPERT_ber_error_length, a->fault, buf_slice(&text));
    a->protocol = protocol;
    a->broken = false;
    return true;
}

bool asn1_has_tag(const struct der *found, uint32_t tag)
{
    return found->class == DER_APPLICATION || found->class == DER_PRIVATE ||
           (found->class == DER_UNIVERSAL && found->tag == tag);
}

static bool is_end(const struct der *d)
{
    return d->class == DER_UNIVERSAL && d->tag == DER_END;
}

static bool fits(const struct asn1_member *m, const struct der *d)
{
    return (m->flags & ASN1_ANY_TAG) || (m->class == d->class && m->tag == d->tag);
}

static void run_member(struct asn1 *a, const struct asn1_member *m, const struct der *d)
{
    bool own = m->flags & ASN1_OWN_TAG;
    asn1_run(a, m->type, (enum field_id)m->field, m->flags & ASN1_IMPLICIT,
             own ? d->whole : d->content);
}

/* Opens the item of a constructed type; none when it has no field. */
static uint32_t open_item(struct asn1 *a, enum field_id field, struct der_view v, uint64_t value)
{
    if (field == F_NONE)
        return TAPE_NONE;
    return tape_open(a->tape, field, a->source, v.at, (uint32_t)v.bytes.len, value, 0);
}

static void close_item(struct asn1 *a, enum field_id field, uint32_t at)
{
    if (field != F_NONE)
        tape_close(a->tape, at);
}

/* ---- SEQUENCE
 * -----------------------------------------------------------------------------------------
 */

/* The member that D is, from *NEXT on; NULL when it is none, after a remark. */
static const struct asn1_member *pick(struct asn1 *a, const struct asn1_type *type, unsigned *next,
                                      const struct der *d, struct der_view rest)
{
    while (*next < type->count) {
        const struct asn1_member *m = &type->members[(*next)++];
        /* A CHOICE that may be left out stands there when the tag is one of its own. */
        bool open =
            (m->flags & ASN1_ANY_TAG) && (m->flags & ASN1_OPTIONAL) && m->type->kind == ASN1_CHOICE;
        if (fits(m, d) && (!open || asn1_choice_takes(m->type, d)))
            return m;
        if (m->flags & ASN1_OPTIONAL)
            continue;
        wrong_field(a, EXPERT_ber_error_wrong_field, "SEQUENCE", m, d);
        return NULL;
    }
    asn1_fault(a, EXPERT_ber_error_unknown_field, rest,
               slice_of_str("BER Error: This field lies beyond the end of the known sequence "
                            "definition."));
    return NULL;
}

static void sequence_members(struct asn1 *a, const struct asn1_type *type, struct der_view rest)
{
    unsigned next = 0;
    while (rest.bytes.len > 0) {
        struct der d;
        if (!asn1_element(a, false, rest, &d) || is_end(&d))
            return;
        uint16_t protocol = a->protocol;
        const struct asn1_member *m = pick(a, type, &next, &d, rest);
        if (m)
            run_member(a, m, &d);
        if (d.cut)
            a->broken = true;
        if (a->broken && !recover(a, &d, protocol))
            return;
        rest = der_sub(rest, d.eaten, rest.bytes.len);
    }
}

static void sequence(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                     bool implicit, struct der_view v)
{
    struct der d;
    if (!asn1_element(a, implicit, v, &d))
        return;
    uint32_t outer = a->item, at = open_item(a, field, d.whole, 0);
    a->item = at;
    if (!implicit && !asn1_has_tag(&d, DER_SEQUENCE)) {
        asn1_unexpected(a, EXPERT_ber_error_expected_sequence, "Sequence", &d);
    } else {
        if (d.length == 0)
            asn1_note(a, at, slice_of_str(" [0 length]"));
        sequence_members(a, type, d.content);
        if (d.cut)
            a->broken = true;
    }
    close_item(a, field, at);
    a->item = outer;
}

/* ---- SEQUENCE OF, SET OF
 * ------------------------------------------------------------------------------
 */

static uint64_t count_elements(struct der_view rest)
{
    uint64_t n = 0;
    struct der d;
    while (rest.bytes.len > 0 && der_read(rest, &d) && !is_end(&d)) {
        n++;
        rest = der_sub(rest, d.eaten, rest.bytes.len);
    }
    return n;
}

static void elements(struct asn1 *a, const struct asn1_type *type, struct der_view rest)
{
    const struct asn1_member *m = type->members;
    while (rest.bytes.len > 0) {
        struct der d;
        if (!asn1_element(a, false, rest, &d) || is_end(&d))
            return;
        uint16_t protocol = a->protocol;
        if (fits(m, &d))
            run_member(a, m, &d);
        else
            wrong_field(a, EXPERT_ber_error_wrong_field,
                        type->kind == ASN1_SET_OF ? "SET OF" : "SEQUENCE OF", m, &d);
        if (d.cut)
            a->broken = true;
        if (a->broken && !recover(a, &d, protocol))
            return;
        rest = der_sub(rest, d.eaten, rest.bytes.len);
    }
}

/* Lists that are distinguished names. */
static bool is_name(enum field_id field)
{
    return field == F_x509if_rdnSequence || field == F_x509af_rdnSequence ||
           field == F_x509if_DistinguishedName || field == F_x509sat_dn ||
           field == F_tls_handshake_dname;
}

static void list_of(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                    bool implicit, struct der_view v)
{
    struct der d;
    if (!asn1_element(a, implicit, v, &d))
        return;
    bool set = type->kind == ASN1_SET_OF;
    if (!implicit && (!d.constructed || !asn1_has_tag(&d, set ? DER_SET : DER_SEQUENCE))) {
        /* The words stand the wrong way round in the reference, and so here. */
        asn1_unexpected(a, EXPERT_ber_error_expected_set, set ? "SEQUENCE OF" : "SET OF", &d);
        return;
    }
    uint32_t at = open_item(a, field, d.content, count_elements(d.content));
    if (field != F_tls_handshake_dname)
        tape_set_label(a->tape, at, LABEL_ASN1_ITEMS);
    elements(a, type, d.content);
    if (d.cut)
        a->broken = true;
    close_item(a, field, at);
    if (field == F_x509if_RDNSequence_item || field == F_x509ce_nameRelativeToCRLIssuer)
        x509_name_part_done(a, at);
    else if (is_name(field))
        x509_name_done(a, at);
}

/* ---- CHOICE
 * -------------------------------------------------------------------------------------------
 */

bool asn1_choice_takes(const struct asn1_type *type, const struct der *d)
{
    for (unsigned i = 0; i < type->count; i++)
        if (fits(&type->members[i], d))
            return true;
    return false;
}

static void choice(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
                   struct der_view v)
{
    (void)implicit; /* a CHOICE has no tag that another could stand in for (X.680 31.2.7) */
    struct der d;
    if (v.bytes.len == 0) {
        asn1_fault(a, EXPERT_ber_error_empty_choice, v,
                   slice_of_str("BER Error: Empty choice was found"));
        return;
    }
    if (!asn1_element(a, false, v, &d))
        return;
    for (unsigned i = 0; i < type->count; i++) {
        const struct asn1_member *m = &type->members[i];
        if (!fits(m, &d))
            continue;
        struct der_view shown = m->flags & ASN1_OWN_TAG ? d.whole : d.content;
        uint32_t at = open_item(a, field, shown, m->value);
        run_member(a, m, &d);
        if (d.cut)
            a->broken = true;
        close_item(a, field, at);
        return;
    }
}

/* ---- by object identifier
 * -----------------------------------------------------------------------------
 */

/* Whether somebody asks for fields that tshark 4.0.17 has none of. */
static bool more_wanted(const struct tape *t)
{
    for (unsigned id = F_x509_more_organization; id <= F_x509_more_law; id++)
        if (t->want[id])
            return true;
    return false;
}

/* Shows V when only tlswire knows its type and somebody asks.  What is wrong inside has no other effect than
 * it would have if nobody had. */
static bool more_value(struct asn1 *a, struct der_view v)
{
    const struct asn1_known *known = more_wanted(a->tape) ? x509_known(a->oid, true) : NULL;
    if (!known)
        return false;
    struct slice oid = a->oid;
    struct buf *protocols = a->protocols;
    uint16_t protocol = a->protocol;
    a->protocols = NULL;
    asn1_run(a, known->type, (enum field_id)known->field, false, v);
    a->oid = oid;
    a->protocols = protocols;
    a->protocol = protocol;
    a->broken = false;
    return true;
}

void asn1_by_oid(struct asn1 *a, struct der_view v)
{
    const struct asn1_known *known = x509_known(a->oid, false);
    struct der d;
    if (known) {
        uint16_t outer = a->protocol;
        struct slice oid = a->oid;
        if (known->protocol != F_NONE)
            a->protocol = known->protocol;
        size_t names = a->protocols ? a->protocols->len : 0;
        if (a->protocols && known->protocol != F_NONE) {
            buf_char(a->protocols, ':');
            buf_str(a->protocols, fields[known->protocol].abbrev);
        }
        asn1_run(a, known->type, (enum field_id)known->field, false, v);
        a->oid = oid;
        if (a->broken)
            return;
        a->protocol = outer;
        /* A CHOICE that takes no such tag is as good as not known. */
        if (known->type->kind != ASN1_CHOICE || !der_read(v, &d) ||
            asn1_choice_takes(known->type, &d))
            return;
        if (a->protocols)
            a->protocols->len = names;
    }
    if (v.bytes.len < 2) {
        a->broken = true;
        return;
    }
    /* Nothing to say of parameters that are not there. */
    if (slice_at(v.bytes, 0) == DER_NULL && slice_at(v.bytes, 1) == 0)
        return;
    if (more_value(a, v) && a->tape->more)
        return;
    asn1_fault(a, EXPERT_ber_error_oid_not_implemented, v,
               slice_of_str("BER: Dissector for OID not implemented. Contact Wireshark developers "
                            "if you want this supported"));
}

static void by_oid(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
                   struct der_view v)
{
    (void)type, (void)field, (void)implicit;
    asn1_by_oid(a, v);
}

static void enclosed(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                     bool implicit, struct der_view v)
{
    (void)type, (void)field;
    struct der d;
    uint32_t limit = a->limit;
    if (!asn1_element(a, implicit, v, &d))
        return;
    if (!d.cut)
        a->limit = d.content.at + (uint32_t)d.content.bytes.len;
    asn1_by_oid(a, d.content);
    a->limit = limit;
}

static void null_value(struct asn1 *a, const struct asn1_type *type, enum field_id field,
                       bool implicit, struct der_view v)
{
    (void)type;
    struct der d;
    if (!asn1_element(a, implicit, v, &d) || field == F_NONE)
        return;
    if (!implicit && (d.class != DER_UNIVERSAL || d.tag != DER_NULL))
        asn1_unexpected(a, EXPERT_ber_error_expected_null, "NULL", &d);
    size_t length = d.content.bytes.len;
    if (length > 0) {
        ASN1_TEXT(text, SMALL_TEXT);
        buf_str(&text, "BER Error: NULL type expects zero length data but Length=");
        buf_dec(&text, d.length);
        asn1_fault(a, EXPERT_ber_error_null_length, asn1_last_of_header(&d), buf_slice(&text));
        tape_add(a->tape, F_ber_extra_data, a->source, d.content.at, (uint32_t)length, 0, 0);
    }
    tape_add(a->tape, field, a->source, d.content.at + (uint32_t)length, 0, 0, 0);
}

/* ---- the interpreter
 * ----------------------------------------------------------------------------------
 */

static asn1_call *const readers[ASN1_KIND_COUNT] = {
    [ASN1_SEQUENCE] = sequence,      [ASN1_SEQUENCE_OF] = list_of,
    [ASN1_SET_OF] = list_of,         [ASN1_CHOICE] = choice,
    [ASN1_INTEGER] = asn1_integer,   [ASN1_BOOLEAN] = asn1_boolean,
    [ASN1_OID] = asn1_oid,           [ASN1_OCTETS] = asn1_octets,
    [ASN1_BITS] = asn1_bits,         [ASN1_STRING] = asn1_string,
    [ASN1_UTC_TIME] = asn1_utc_time, [ASN1_GENERALIZED_TIME] = asn1_generalized_time,
    [ASN1_NULL] = null_value,        [ASN1_BY_OID] = by_oid,
    [ASN1_ENCLOSED] = enclosed,
};

void asn1_run(struct asn1 *a, const struct asn1_type *type, enum field_id field, bool implicit,
              struct der_view v)
{
    if (a->broken)
        return;
    if (a->depth >= DEPTH_MAX) {
        asn1_fault(a, EXPERT_ber_error_too_deep, v,
                   slice_of_str("BER Error: nested too deeply, not looked into"));
        return;
    }
    asn1_call *reader = type->call ? type->call : readers[type->kind];
    a->depth++;
    if (reader)
        reader(a, type, field, implicit, v);
    a->depth--;
}
