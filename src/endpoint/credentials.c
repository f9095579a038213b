#include "endpoint/credentials.h"

#include "endpoint/authority.h"
#include "endpoint/breakage.h"
#include "endpoint/ticket_keys.h"
#include "endpoint/tls_pipe.h"

#include <pthread.h>
#include <stdlib.h>

#define TICKET_SECONDS ((uint64_t)12 * 3600)
#define SESSIONS       20480

struct credentials {
    struct credentials_config config;
    struct ticket_keys *tickets;
    pthread_mutex_t lock; /* of what follows */
    SSL_CTX *context;
};

static bool misbehave(const struct credentials *c, SSL_CTX *ctx, struct error *e)
{
    struct authority *a = c->config.authority;
    const struct breakage_choice *breakage = c->config.breakage;
    if (!breakage || !breakage->row)
        return true;
    if (a)
        authority_twist(a, &breakage->row->leaf);
    return breakage_prepare(breakage, ctx, a ? authority_root(a) : NULL, e);
}

static SSL_CTX *make_context(const struct credentials *c, struct error *e)
{
    SSL_CTX *ctx = context_new(c->config.settings, TLS_SERVER, c->config.temporary, e);
    if (!ctx)
        return NULL;
    SSL_CTX_sess_set_cache_size(ctx, SESSIONS);
    if (c->config.log_keys)
        tls_pipe_log_keys(ctx);
    if (!ticket_keys_use(c->tickets, ctx)) {
        SSL_CTX_free(ctx);
        error_set(e, ERROR_MEMORY, "no memory for session tickets");
        return NULL;
    }
    if (c->config.authority)
        authority_serve(c->config.authority, ctx);
    if (!misbehave(c, ctx, e)) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

struct credentials *credentials_new(const struct credentials_config *config, struct error *e)
{
    struct credentials *c = calloc(1, sizeof(*c));
    if (!c) {
        error_set(e, ERROR_MEMORY, "no memory for a server");
        return NULL;
    }
    c->config = *config;
    pthread_mutex_init(&c->lock, NULL);
    c->tickets =
        ticket_keys_new(config->ticket_seconds ? config->ticket_seconds : TICKET_SECONDS, e);
    if (c->tickets && (!config->ticket_file || ticket_keys_load(c->tickets, config->ticket_file,
                                                                config->settings->own.opener, e)))
        c->context = make_context(c, e);
    if (!c->context) {
        credentials_free(c);
        return NULL;
    }
    return c;
}

void credentials_free(struct credentials *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->context);
    ticket_keys_free(c->tickets);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

SSL_CTX *credentials_take(struct credentials *c)
{
    pthread_mutex_lock(&c->lock);
    SSL_CTX *ctx = c->context;
    SSL_CTX_up_ref(ctx);
    pthread_mutex_unlock(&c->lock);
    return ctx;
}

bool credentials_renew(struct credentials *c, struct error *e)
{
    SSL_CTX *fresh = make_context(c, e);
    if (!fresh)
        return false;
    if (c->config.ticket_file &&
        !ticket_keys_load(c->tickets, c->config.ticket_file, c->config.settings->own.opener, e)) {
        SSL_CTX_free(fresh);
        return false;
    }
    pthread_mutex_lock(&c->lock);
    SSL_CTX *old = c->context;
    c->context = fresh;
    pthread_mutex_unlock(&c->lock);
    SSL_CTX_free(old);
    return true;
}
