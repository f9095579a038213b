/* `tlswire lab`: the whole of the note in one command. */
#include "cli/cmd_lab.h"

#include "cli/common.h"
#include "cli/lab.h"

#include <string.h>

static const struct {
    const char *name;
    enum lab_view view;
} views[] = {
    {"ladder", VIEW_LADDER}, {"summary", VIEW_SUMMARY}, {"tcp", VIEW_TCP},
    {"hex", VIEW_HEX},       {"verbose", VIEW_VERBOSE},
};

static bool find_view(const char *name, enum lab_view *view, struct error *e)
{
    *view = VIEW_LADDER;
    if (!name)
        return true;
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
        if (strcmp(name, views[i].name) == 0) {
            *view = views[i].view;
            return true;
        }
    return error_set(e, ERROR_USAGE, "-view: want ladder, summary, tcp, hex or verbose");
}

static void put_start(FILE *out, const struct lab *lab)
{
    const struct endpoint_options *o = lab->options;
    static const char *const sources[] = {
        [LAB_CAPTURED] = "",
        [LAB_NOT_ASKED] = "     not captured: synthetic TCP around the sockets' own bytes\n",
        [LAB_NOT_ALLOWED] =
            "     capturing is not allowed here: synthetic TCP around the sockets' own bytes\n",
    };
    if (lab->breakage.row)
        fprintf(out, "lab: broken on purpose: %s: %s\n", o->breakage, lab->breakage.row->sentence);
    fputs(lab->breakage.row ? "     certificate " : "lab: certificate ", out);
    if (lab->authority)
        fputs("by a CA of its own, which the client trusts", out);
    else if (o->tls.own.cert)
        common_put_escaped(out, o->tls.own.cert);
    else
        fprintf(out, "CN=localhost (temporary, %s)",
                certificate_kind_text(o->rsa ? CERTIFICATE_RSA_2048 : CERTIFICATE_ECDSA_P256));
    fprintf(out, "\n     server %s%s%s\n%s", lab->server_text,
            lab->source == LAB_CAPTURED ? ", captured on lo" : "",
            lab->recording.keys.len > 0 ? ", keys inside" : "", sources[lab->source]);
    if (lab->recording.full)
        fputs("lab: too many packets: the capture ends early\n", out);
}

static void put_error(FILE *out, const char *whose, const char *text)
{
    if (!text[0])
        return;
    fprintf(out, "%s: ", whose);
    common_put_escaped(out, text);
    fputc('\n', out);
}

static void put_path(FILE *out, const char *before, const char *path, const char *after)
{
    fputs(before, out);
    common_put_escaped(out, path);
    fputs(after, out);
}

static void put_end(FILE *out, const struct lab *lab)
{
    put_error(out, "client", lab->client_error);
    put_error(out, "server", lab->server_error);
    put_path(out, "files in ", lab->directory, "/: lab.pcapng");
    fputs(lab->recording.keys.len > 0 ? " (with keys), keys.log" : ", keys.log", out);
    fputs(lab->options->tls.own.cert ? "" : lab->authority ? ", ca.crt" : ", server.crt", out);
    fputs(lab->options->client ? ", client.log" : "", out);
    put_path(out, "\nnext  tlswire -r ", lab->capture_path, " -V      every field\n");
    put_path(out, "      wireshark ", lab->capture_path, "       the keys are inside the file\n");
    put_path(out, "      tshark -r ", lab->capture_path, "\n");
}

static int show(const struct lab *lab, enum lab_view view, struct error *e)
{
    /* The other views are data that programs read: the talk around them goes to stderr. */
    FILE *talk = view == VIEW_LADDER ? stdout : stderr;
    struct view_request request = {
        .capture_path = lab->capture_path,
        .view = view,
        .tls_port = lab->port,
        .color = common_color(lab->options->color, stdout),
        .ascii = common_ascii(lab->options->ascii),
        .out = stdout,
        .keys_from = lab->recording.keys.len > 0 ? "the file's secrets block" : NULL,
    };
    put_start(talk, lab);
    fflush(talk);
    int code = view_render(&request, e);
    if (code != 0)
        common_fail(e, code);
    fflush(stdout);
    put_end(talk, lab);
    if (fflush(stdout) != 0 && code == 0)
        code = EXIT_RUNTIME;
    return code ? code : lab_status(lab);
}

int cmd_lab(int argc, char **argv)
{
    struct error e = {.code = ERROR_NONE};
    struct endpoint_options options;
    enum lab_view view;
    struct lab lab;
    if (!openssl_options_parse(argc, argv, FOR_LAB, &options, &e) ||
        !find_view(options.view, &view, &e))
        return common_fail(&e, EXIT_USAGE);
    if (options.help) {
        puts("usage: tlswire lab [options]\n"
             "A TLS server, a client, and the packets between them, with the keys: runs both,\n"
             "shows the handshake, leaves the files in tlswire-lab/.\n");
        openssl_options_help(stdout, FOR_LAB);
        return EXIT_OK;
    }
    if (options.breakage && strcmp(options.breakage, "list") == 0)
        return common_put_breakages();
    common_prepare();
    bool ok = lab_run(&lab, &options, &e);
    int code = ok ? show(&lab, view, &e) : EXIT_RUNTIME;
    if (!ok && lab.interrupted)
        code = 128 + lab.interrupted;
    else if (!ok)
        code = common_fail(&e, e.code == ERROR_USAGE ? EXIT_USAGE : EXIT_RUNTIME);
    lab_free(&lab);
    return code;
}
