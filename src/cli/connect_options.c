/* What the options of `tlswire connect` must be together, and its --help. */
#include "cli/connect.h"
#include "endpoint/identity.h"

#include <ctype.h>
#include <string.h>

static bool check_path(const char *path, struct error *e)
{
    bool ok = path[0] == '/';
    for (const char *at = path; *at && ok; at++)
        ok = isgraph((unsigned char)*at);
    return ok || error_set(e, ERROR_USAGE,
                           "-get: want a path that begins with / and has no spaces (write %%20)");
}

bool connect_check_options(struct connecting *c, struct error *e)
{
    struct endpoint_options *o = &c->options;
    if (o->host[0] == '\0' && !o->port_given)
        return error_set(e, ERROR_USAGE, "where to?   try: tlswire connect localhost:%d",
                         DEFAULT_PORT);
    if (o->host[0] == '\0')
        snprintf(o->host, sizeof(o->host), "localhost");
    if (o->connect.expect && !*o->connect.expect)
        return error_set(e, ERROR_USAGE, "-expect: want a text");
    if (o->connect.get && !check_path(o->connect.get, e))
        return false;
    if (o->connect.get && !o->tls.alpn)
        o->tls.alpn = "http/1.1";
    if (o->connect.insecure && o->tls.verify_required)
        return error_set(e, ERROR_USAGE, "-k and -verify_return_error: give one");
    if (o->connect.proxy_password && !o->connect.proxy_user)
        return error_set(e, ERROR_USAGE, "-proxy_pass was given without -proxy_user");
    if (o->connect.proxy_user && !o->connect.proxy)
        return error_set(e, ERROR_USAGE, "-proxy_user was given without -proxy");
    for (unsigned i = 0; i < o->connect.without_effect_count && !o->quiet; i++)
        fprintf(stderr, "tlswire: -%s changes nothing here\n", o->connect.without_effect[i]);
    return !o->connect.proxy_password ||
           identity_passphrase(o->connect.proxy_password, c->proxy_password,
                               sizeof(c->proxy_password), e);
}

void connect_help(void)
{
    puts("usage: tlswire connect [options] host:port\n"
         "Shakes hands, shows how on stderr, then sends stdin and prints what comes.\n"
         "The options are those of openssl s_client.\n");
    openssl_options_help(stdout, FOR_CONNECT);
    puts("\nExit status: 0 all went well, 2 wrong usage, 11 -expect's text did not come,\n"
         "12 the TLS handshake failed, 13 no connection, 16 the server ended it without\n"
         "close_notify, 17 the certificate is not trusted (and -k was not given), 1 the rest.\n"
         "\nExamples:\n"
         "  tlswire connect example.com:443 -get /\n"
         "  tlswire connect mail.example.com:25 -starttls smtp -expect 250\n"
         "  tlswire connect localhost:4433 -tls1_2 -capture it.pcapng\n"
         "  tlswire connect -s_client -connect example.com:443 </dev/null | openssl x509 -noout "
         "-dates");
}
