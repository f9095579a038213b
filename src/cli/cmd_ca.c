#include "cli/cmd_ca.h"

#include "cli/common.h"
#include "cli/nearest.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <string.h>

static bool certificate_path(char path[AUTHORITY_PATH], struct error *e)
{
    if (!authority_folder(path, e))
        return false;
    size_t len = strlen(path);
    snprintf(path + len, AUTHORITY_PATH - len, "/ca.pem");
    return true;
}

static bool load(char path[AUTHORITY_PATH], struct certificate *root, struct error *e)
{
    char folder[AUTHORITY_PATH];
    *root = (struct certificate){NULL, NULL};
    return authority_folder(folder, e) && authority_load(folder, root, e) &&
           certificate_path(path, e);
}

struct authority *ca_open(bool rsa, char path[AUTHORITY_PATH], struct error *e)
{
    struct certificate root;
    struct error why = {.code = ERROR_NONE};
    if (load(path, &root, &why))
        return authority_new(&root, rsa, e);
    certificate_free(&root);
    *path = '\0';
    fputs("tlswire: ", stderr);
    common_put_escaped(stderr, why.text);
    fputs("\ntlswire: so the CA is a temporary one, gone when the server stops\n", stderr);
    return authority_new_temporary(rsa, e);
}

static void put_time(BIO *out, const char *label, const ASN1_TIME *time)
{
    BIO_printf(out, "%-14s", label);
    ASN1_TIME_print(out, time);
    BIO_puts(out, "\n");
}

static int show(const char *path, const struct certificate *root)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    BIO *out = BIO_new_fp(stdout, BIO_NOCLOSE);
    if (!out || X509_digest(root->x509, EVP_sha256(), digest, &len) != 1) {
        BIO_free(out);
        return EXIT_RUNTIME;
    }
    BIO_printf(out, "%-14s", "Subject");
    X509_NAME_print_ex(out, X509_get_subject_name(root->x509), 0, XN_FLAG_RFC2253);
    BIO_printf(out, "\n%-14s%s\n", "Key", certificate_kind_text(CERTIFICATE_RSA_2048));
    put_time(out, "Good from", X509_get0_notBefore(root->x509));
    put_time(out, "Good until", X509_get0_notAfter(root->x509));
    BIO_printf(out, "%-14s", "SHA-256");
    for (unsigned i = 0; i < len; i++)
        BIO_printf(out, "%s%02X", i ? ":" : "", digest[i]);
    BIO_printf(out, "\n%-14s", "Certificate");
    (void)BIO_flush(out);
    BIO_free(out);
    common_put_escaped(stdout, path);
    fputs(
        "\n\nWhoever trusts it trusts every server that `tlswire serve` runs for you, and whoever "
        "has\nyour files: give it to test clients, as in\n"
        "  curl --cacert \"$(tlswire ca path)\" https://localhost:4433\n"
        "  openssl s_client -CAfile \"$(tlswire ca path)\" -connect localhost:4433\n",
        stdout);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_RUNTIME;
}

static int act(const char *word, struct error *e)
{
    char path[AUTHORITY_PATH], folder[AUTHORITY_PATH];
    struct certificate root = {NULL, NULL};
    bool renew = strcmp(word, "new") == 0;
    bool ok = renew ? authority_folder(folder, e) && authority_renew(folder, &root, e) &&
                          certificate_path(path, e)
                    : load(path, &root, e);
    int code = EXIT_OK;
    if (!ok)
        code = common_fail(e, EXIT_RUNTIME);
    else if (strcmp(word, "path") == 0)
        code = puts(path) >= 0 && fflush(stdout) == 0 ? EXIT_OK : EXIT_RUNTIME;
    else
        code = show(path, &root);
    certificate_free(&root);
    return code;
}

/* A certificate with its key in a file of the working directory, for servers and clients that are not
 * our own: of a host name or address, or else of whatever the name says. */
static int issue(const char *name, struct error *e)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:@ ";
    char path[AUTHORITY_PATH], file[80], names[320];
    struct certificate root, made = {NULL, NULL};
    if (*name == '\0' || *name == '.' || *name == '-' || strlen(name) > 64 ||
        name[strspn(name, letters)]) {
        error_set(e, ERROR_USAGE,
                  "ca issue: want a name of letters, digits, blanks and . - _ : @, 64 at most");
        return common_fail(e, EXIT_USAGE);
    }
    bool host = authority_host(name, names, sizeof(names));
    const struct certificate_recipe recipe = {
        .common_name = name,
        .names = host ? names : NULL,
        .constraints = "critical,CA:FALSE",
        .usage = "critical,digitalSignature",
        .extended_usage = host ? "serverAuth,clientAuth" : "clientAuth",
        .until_days = LEAF_DAYS,
        .issuer = &root,
    };
    snprintf(file, sizeof(file), "%s.pem", name);
    bool ok = load(path, &root, e) && certificate_issue(&made, &recipe, e) &&
              certificate_write_both(&made, file, e);
    if (ok)
        printf("%s   certificate and key, for %s, good for %d days\n", file,
               host ? "a server or a client" : "a client", LEAF_DAYS);
    certificate_free(&made);
    certificate_free(&root);
    return ok ? EXIT_OK : common_fail(e, EXIT_RUNTIME);
}

static int usage(FILE *out, int code)
{
    fputs(
        "usage: tlswire ca show|path|new|issue NAME\n"
        "The CA that the certificates of `tlswire serve` come from, when it is given none.  It is\n"
        "made when it is first needed, and kept in $XDG_STATE_HOME/tlswire, by default\n"
        "~/.local/state/tlswire, readable to you alone.\n\n"
        "  show                     what it is, until when, and how to trust it\n"
        "  path                     the file with its certificate, and nothing else\n"
        "  issue NAME               NAME.pem with a certificate and its key, for other servers or "
        "clients\n"
        "  new                      a new one; certificates of the old one are trusted no more\n",
        out);
    return code;
}

int cmd_ca(int argc, char **argv)
{
    static const char *const words[] = {"show", "path", "new"};
    struct error e = {.code = ERROR_NONE};
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "-h") == 0 || strcmp(word, "-help") == 0 || strcmp(word, "--help") == 0)
        return usage(stdout, EXIT_OK);
    if (argc < 2)
        return usage(stderr, EXIT_USAGE);
    common_prepare();
    if (strcmp(word, "issue") == 0 && argc == 3)
        return issue(argv[2], &e);
    struct nearest near = {.wanted = word};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (argc == 2 && strcmp(word, words[i]) == 0)
            return act(word, &e);
        nearest_offer(&near, words[i]);
    }
    fputs("tlswire ca: there is no \"", stderr);
    common_put_escaped(stderr, argc > 2 ? argv[2] : word);
    fprintf(stderr, "\"; %s%s%s\n",
            near.best && argc == 2 ? "did you mean " : "want show, path, new or issue NAME",
            near.best && argc == 2 ? near.best : "", near.best && argc == 2 ? "?" : "");
    return EXIT_USAGE;
}
