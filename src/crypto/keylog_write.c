#include "crypto/keylog.h"

/* Labels of one session's secrets, all with its client random; the premaster secret tells only that it
 * was seen. */
static const enum key_label session_labels[] = {
    KEY_CLIENT_RANDOM,
    KEY_CLIENT_EARLY_TRAFFIC_SECRET,
    KEY_CLIENT_HANDSHAKE_TRAFFIC_SECRET,
    KEY_SERVER_HANDSHAKE_TRAFFIC_SECRET,
    KEY_CLIENT_TRAFFIC_SECRET_0,
    KEY_SERVER_TRAFFIC_SECRET_0,
    KEY_EXPORTER_SECRET,
    KEY_EARLY_EXPORTER_SECRET,
};

#define LABELS (sizeof session_labels / sizeof session_labels[0])

static bool is_written(enum key_label label)
{
    for (size_t i = 0; i < LABELS; i++)
        if (session_labels[i] == label)
            return true;
    return false;
}

static bool session_seen(const struct key_table *table, const struct key_secret *s)
{
    for (size_t i = 0; i < LABELS; i++) {
        const struct key_secret *other =
            key_table_find(table, session_labels[i], slice_of(s->id, s->id_len));
        if (other && other->seen)
            return true;
    }
    return false;
}

size_t key_table_sessions(const struct key_table *table)
{
    size_t each[KEY_LABEL_COUNT] = {0}, most = 0;
    for (const struct key_secret *k = key_table_next(table, NULL); k; k = key_table_next(table, k))
        each[k->label]++;
    for (unsigned i = KEY_CLIENT_EARLY_TRAFFIC_SECRET; i <= KEY_EARLY_EXPORTER_SECRET; i++)
        most = each[i] > most ? each[i] : most;
    return most + each[KEY_CLIENT_RANDOM] + each[KEY_PMS_CLIENT_RANDOM] + each[KEY_RSA] +
           each[KEY_SESSION_ID];
}

void keylog_write(const struct key_table *table, struct buf *out)
{
    for (const struct key_secret *s = NULL; (s = key_table_next(table, s));) {
        if (!is_written(s->label) || !session_seen(table, s))
            continue;
        buf_str(out, key_label_name(s->label));
        buf_char(out, ' ');
        buf_hex_bytes(out, slice_of(s->id, s->id_len), '\0');
        buf_char(out, ' ');
        buf_hex_bytes(out, key_secret_slice(s), '\0');
        buf_char(out, '\n');
    }
}
