#include "cli/key_options.h"

#include "cli/common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)4 << 20)
#define FIELDS         5

static void wipe_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* The text as a terminal may be shown it; good until the next call. */
static const char *shown(const char *text, char room[256])
{
    struct buf b = {.ceiling = 255};
    buf_escaped(&b, slice_of_str(text));
    snprintf(room, 256, "%.*s", (int)b.len, b.data ? (const char *)b.data : "");
    buf_free(&b);
    return room;
}

static bool out_of_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "out of memory");
}

static bool has_ring(struct key_options *o, struct error *error)
{
    if (!o->ring)
        o->ring = key_ring_new();
    return o->ring || out_of_memory(error);
}

static bool add_file(struct key_options *o, const char *file, const char *password,
                     struct error *error)
{
    if (o->file_count == KEY_OPTIONS_FILES)
        return error_set(error, ERROR_USAGE, "more than %d files with private keys",
                         KEY_OPTIONS_FILES);
    size_t i = o->file_count++;
    o->files[i] = strdup(file);
    o->passwords[i] = strdup(password);
    return (o->files[i] && o->passwords[i]) || out_of_memory(error);
}

/* ---- what the options say ---- */

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Hexadecimal digits, with ':', '-', '.' or blanks between the pairs. */
static bool unhex(const char *text, uint8_t *out, size_t room, size_t *len)
{
    *len = 0;
    while (*text) {
        if (*len > 0 && strchr(":-. ", *text)) {
            text++;
            continue;
        }
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        if (low < 0 || *len == room)
            return false;
        out[(*len)++] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *len > 0;
}

static bool add_psk(struct key_options *o, const struct slice *identity, const char *hex,
                    const char *where, struct error *error)
{
    uint8_t key[RING_SECRET_MAX];
    size_t len;
    bool good = unhex(hex, key, sizeof key, &len);
    if (!good)
        error_set(error, ERROR_USAGE, "%s: the pre-shared key must be 1 to %d bytes in hexadecimal",
                  where, RING_SECRET_MAX);
    else if (has_ring(o, error) && !key_ring_psk(o->ring, identity, slice_of(key, len)))
        good = error_set(error, ERROR_USAGE, "%s: there is no room for this pre-shared key", where);
    explicit_bzero(key, sizeof key);
    return good && error->code == ERROR_NONE;
}

/* tls.psk: a single key, whatever the identity.  As with tshark one that is none stops nothing. */
static bool take_psk(struct key_options *o, const char *value, struct error *error)
{
    struct error ignored = {0};
    if (*value && !add_psk(o, NULL, value, "-o tls.psk", &ignored))
        fprintf(stderr, "tlswire: %s; going on without\n", ignored.text);
    (void)error;
    return true;
}

/* IDENTITY=HEX; the identity may have '=' and ':' in it. */
static bool take_named_psk(struct key_options *o, const char *value, char last, const char *where,
                           struct error *error)
{
    const char *at = strrchr(value, last);
    if (!at)
        return error_set(error, ERROR_USAGE, "%s: the form is IDENTITY%cHEX", where, last);
    struct slice identity = slice_of(value, (size_t)(at - value));
    return add_psk(o, &identity, at + 1, where, error);
}

static bool take_identity(struct key_options *o, const char *value, struct error *error)
{
    return take_named_psk(o, value, '=', "-o tlswire.psk", error);
}

/* Lines "identity:key" as GnuTLS's psktool writes them, or "identity=key". */
static bool take_psk_file(struct key_options *o, const char *path, struct error *error)
{
    char line[RING_IDENTITY_MAX + 3 * RING_SECRET_MAX + 16], room[256], where[320];
    FILE *in = fopen(path, "re");
    if (!in)
        return error_set(error, ERROR_FILE, "-o tlswire.psk_file: cannot read \"%s\": %s",
                         shown(path, room), strerror(errno));
    for (unsigned number = 1; error->code == ERROR_NONE && fgets(line, sizeof line, in); number++) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '\0' || line[0] == '#')
            continue;
        snprintf(where, sizeof where, "%s:%u", shown(path, room), number);
        (void)take_named_psk(o, line, strchr(line, '=') ? '=' : ':', where, error);
    }
    explicit_bzero(line, sizeof line);
    (void)fclose(in);
    return error->code == ERROR_NONE;
}

static bool take_password_file(struct key_options *o, const char *path, struct error *error)
{
    (void)error;
    o->password_file = path;
    return true;
}

/* One "…" of a line of Wireshark's tables; \" \\ and \xHH stand for bytes. */
static const char *take_quoted(const char *at, char *out, size_t room)
{
    size_t len = 0;
    if (*at++ != '"')
        return NULL;
    while (*at && *at != '"' && len + 1 < room) {
        if (at[0] == '\\' && at[1] == 'x' && digit(at[2]) >= 0 && digit(at[3]) >= 0) {
            out[len++] = (char)(digit(at[2]) << 4 | digit(at[3]));
            at += 4;
            continue;
        }
        if (*at == '\\' && at[1])
            at++;
        out[len++] = *at++;
    }
    out[len] = '\0';
    return *at == '"' ? at + 1 : NULL;
}

/* A line of COUNT quoted fields; file and password are the last two. */
static bool take_table_line(struct key_options *o, const char *value, size_t count,
                            const char *what, struct error *error)
{
    char parts[FIELDS][1024];
    const char *at = value;
    for (size_t i = 0; at && i < count; i++) {
        at = take_quoted(at, parts[i], sizeof parts[i]);
        if (at && i + 1 < count)
            at = *at == ',' ? at + 1 : NULL;
    }
    bool good = at && *at == '\0';
    if (!good)
        error_set(error, ERROR_USAGE, "-o %s", what);
    else
        good = add_file(o, parts[count - 2], parts[count - 1], error);
    explicit_bzero(parts, sizeof parts);
    return good;
}

static bool take_rsa_keys(struct key_options *o, const char *value, struct error *error)
{
    return take_table_line(o, value, 2,
                           "uat:rsa_keys: the form is 'uat:rsa_keys:\"FILE\",\"PASSWORD\"'", error);
}

static bool take_ssl_keys(struct key_options *o, const char *value, struct error *error)
{
    return take_table_line(o, value, FIELDS,
                           "uat:ssl_keys: the form is "
                           "'uat:ssl_keys:\"IP\",\"PORT\",\"PROTOCOL\",\"FILE\",\"PASSWORD\"'",
                           error);
}

/* ip,port,protocol,file[,password], several with ';' between; who it is for does not matter: a key
 * that does not fit opens nothing.  tshark goes on when a part is off, and so do we, but say so. */
static bool take_keys_list(struct key_options *o, const char *value, struct error *error)
{
    char *text = strdup(value), *rest = text;
    if (!text)
        return out_of_memory(error);
    for (char *entry; error->code == ERROR_NONE && (entry = strsep(&rest, ";"));) {
        char *parts[FIELDS] = {NULL};
        size_t count = 0;
        if (*entry == '\0')
            continue;
        for (char *part; count < FIELDS && (part = strsep(&entry, ","));)
            parts[count++] = part;
        if (count < FIELDS - 1)
            fputs("tlswire: -o tls.keys_list: an entry is not of the form "
                  "IP,PORT,PROTOCOL,FILE[,PASSWORD]; going on without it\n",
                  stderr);
        else
            (void)add_file(o, parts[FIELDS - 2], parts[FIELDS - 1] ? parts[FIELDS - 1] : "", error);
    }
    wipe_text(text);
    return error->code == ERROR_NONE;
}

static const struct {
    const char *name; /* with its ':' */
    bool (*take)(struct key_options *, const char *, struct error *);
} kinds[] = {
    {"uat:rsa_keys:", take_rsa_keys},
    {"uat:ssl_keys:", take_ssl_keys},
    {"tls.keys_list:", take_keys_list},
    {"ssl.keys_list:", take_keys_list},
    {"tls.psk:", take_psk},
    {"ssl.psk:", take_psk},
    {"tlswire.psk:", take_identity},
    {"tlswire.psk_file:", take_psk_file},
    {"tlswire.key_password_file:", take_password_file},
};

enum key_option key_options_take(struct key_options *o, const char *argument, struct error *error)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t len = strlen(kinds[i].name);
        if (strncmp(argument, kinds[i].name, len) != 0)
            continue;
        const char *value = argument + len;
        return kinds[i].take(o, value, error) ? KEY_OPTION_TAKEN : KEY_OPTION_REFUSED;
    }
    return KEY_OPTION_OTHER;
}

/* ---- files ---- */

/* The whole file; false with errno. */
static bool read_file(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    while (fd >= 0 && buf_room(out, 16384) && (n = read(fd, out->data + out->len, 16384)) > 0)
        out->len += (size_t)n;
    int why = out->failed ? EFBIG : errno;
    if (fd >= 0)
        (void)close(fd);
    errno = why;
    return n == 0;
}

/* The first line of the file of passwords. */
static bool read_password(const char *path, char *out, size_t room, struct error *error)
{
    char name[256];
    FILE *in = fopen(path, "re");
    bool good = in && fgets(out, (int)room, in);
    if (in)
        (void)fclose(in);
    if (!good)
        return error_set(error, ERROR_FILE, "-o tlswire.key_password_file: cannot read \"%s\"",
                         shown(path, name));
    out[strcspn(out, "\r\n")] = '\0';
    return true;
}

/* Asks on the terminal, if there is one. */
static bool prompt(const char *path, char *out, size_t room)
{
    char name[256];
    FILE *terminal = isatty(STDERR_FILENO) ? fopen("/dev/tty", "r+e") : NULL;
    struct termios before, quiet;
    if (!terminal)
        return false;
    bool known = tcgetattr(fileno(terminal), &before) == 0;
    fprintf(terminal, "password of %s: ", shown(path, name));
    (void)fflush(terminal);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    if (known)
        (void)tcsetattr(fileno(terminal), TCSAFLUSH, &quiet);
    bool good = fgets(out, (int)room, terminal) != NULL;
    if (known)
        (void)tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    fputc('\n', terminal);
    (void)fclose(terminal);
    out[strcspn(out, "\r\n")] = '\0';
    return good;
}

static enum ring_result take_file(struct key_options *o, struct slice file, const char *path,
                                  const char *given, struct error *error)
{
    char password[1024] = "";
    enum ring_result result = key_ring_private(o->ring, file, given);
    if (result == RING_BAD_PASSWORD && *given == '\0' &&
        (o->password_file ? read_password(o->password_file, password, sizeof password, error)
                          : prompt(path, password, sizeof password)))
        result = key_ring_private(o->ring, file, password);
    explicit_bzero(password, sizeof password);
    return result;
}

/* As with tshark a file that gives no key stops nothing: packets are shown undecrypted. */
static void complain(const char *path, const char *why)
{
    char name[256];
    fprintf(stderr, "tlswire: cannot load the RSA key file \"%s\": %s; reading on without it\n",
            shown(path, name), why);
}

static void load(struct key_options *o, const char *path, const char *password, struct error *error)
{
    static const char *const why[] = {
        [RING_NO_KEY] = "it holds no private key (PEM, DER, PKCS #8 or PKCS #12)",
        [RING_BAD_PASSWORD] = "its password is another one, or is missing: give it as "
                              "'uat:rsa_keys:\"FILE\",\"PASSWORD\"' or in a file, "
                              "-o tlswire.key_password_file:FILE",
        [RING_NOT_RSA] = "its key is no RSA key; keys of other kinds sign and open nothing, take a "
                         "key log (-o tls.keylog_file:FILE)",
        [RING_FULL] = "there is no room for more keys",
    };
    struct buf file = {.ceiling = FILE_MAX_BYTES};
    enum ring_result result = RING_TAKEN;
    if (!read_file(path, &file))
        complain(path, strerror(errno));
    else
        result = take_file(o, buf_slice(&file), path, password, error);
    buf_wipe(&file);
    if (result != RING_TAKEN && error->code == ERROR_NONE)
        complain(path, why[result]);
}

bool key_options_load(struct key_options *o, struct error *error)
{
    if (o->file_count == 0)
        return true;
    for (size_t i = 0; has_ring(o, error) && i < o->file_count; i++)
        load(o, o->files[i], o->passwords[i], error);
    return error->code == ERROR_NONE;
}

void key_options_tell(const struct tls_key_stats *stats)
{
    static const struct {
        const char *begin, *why;
    } texts[HINDRANCE_COUNT] = {
        [HINDRANCE_FORWARD_SECRET] = {"a private key cannot open",
                                      "their keys come from Diffie-Hellman ((EC)DHE, all of TLS "
                                      "1.3), which it only signs; it takes a key log "
                                      "(-o tls.keylog_file:FILE)"},
        [HINDRANCE_OTHER_KEY] = {"no private key that was given opens",
                                 "what their clients encrypted is for another key"},
        [HINDRANCE_NO_EXCHANGE] = {"a private key cannot open",
                                   "their key exchange is not in the capture; they may take up "
                                   "sessions of before"},
        [HINDRANCE_PSK_UNKNOWN] = {"no pre-shared key that was given opens",
                                   "it is another one, or for another identity "
                                   "(-o tlswire.psk:IDENTITY=HEX)"},
        [HINDRANCE_PSK_WITH_DH] = {"a pre-shared key alone cannot open",
                                   "Diffie-Hellman goes into their keys, too; it takes a key log "
                                   "(-o tls.keylog_file:FILE)"},
    };
    uint64_t all = stats->opened + stats->missing + stats->wrong;
    for (unsigned i = HINDRANCE_NONE + 1; i < HINDRANCE_COUNT; i++)
        if (stats->hindered[i] > 0)
            fprintf(stderr, "tlswire: %s %" PRIu64 " of %" PRIu64 " connections: %s\n",
                    texts[i].begin, stats->hindered[i], all, texts[i].why);
}

void key_options_free(struct key_options *o)
{
    for (size_t i = 0; i < o->file_count; i++) {
        free(o->files[i]);
        wipe_text(o->passwords[i]);
    }
    key_ring_free(o->ring);
    *o = (struct key_options){0};
}
