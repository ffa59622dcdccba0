/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-certificate.h"

#include "redis-schema/redis-keys.h"

#include <sys/random.h>

#define RENEW_MS (60 * 60 * 1000)

typedef void (*AnsweredFn)(ControlCertificate *c, const StoreReply *reply, void *arg);

/* What the store has been asked. */
typedef struct Ask {
    ControlCertificate *c; /* NULL: nobody is interested any more */
    AnsweredFn answered;
    void *arg;
    GDestroyNotify free_arg; /* nullable; of an answer that nobody waits for */
    GList link;
} Ask;

struct ControlCertificate {
    ControlCertificateConfig config;
    uv_timer_t *timer;
    GQueue asked;           /* of Ask */
    bool looking;           /* a look is under way */
    bool replace;           /* the next look makes another one */
    TlsIdentity *candidate; /* made, and being written; NULL = none */
    char *failed;           /* why what Redis has cannot be used; NULL = it can */
    int64_t renewed_us;     /* monotonic; 0: now */
};

/* ---- asking */

static Ask *ask(ControlCertificate *c, AnsweredFn answered, void *arg, GDestroyNotify free_arg)
{
    Ask *a = g_new0(Ask, 1);

    *a = (Ask){.c = c, .answered = answered, .arg = arg, .free_arg = free_arg};
    a->link.data = a;
    g_queue_push_tail_link(&c->asked, &a->link);
    return a;
}

static void ask_cb(const StoreReply *reply, void *arg)
{
    Ask *a = arg;

    if (a->c) {
        g_queue_unlink(&a->c->asked, &a->link);
        a->answered(a->c, reply, a->arg);
    }
    g_free(a);
}

static void forget_asked(ControlCertificate *c)
{
    while (c->asked.head) {
        Ask *a = c->asked.head->data;
        a->c = NULL;
        if (a->free_arg)
            a->free_arg(a->arg);
        g_queue_unlink(&c->asked, &a->link);
    }
}

/* ---- sealing and opening */

/* What a certificate is found by. */
static char *name_of(const TlsIdentity *id, char text[static FP_TEXT_MAX])
{
    FingerprintSet set;

    tls_identity_fingerprints(id, FP_SHA256, &set);
    return fp_text(&set.fp[0], text);
}

static RedisCert *seal(const ControlCertificate *c, const TlsIdentity *id)
{
    uint8_t nonce[REDIS_CERT_NONCE];
    char name[FP_TEXT_MAX];
    g_autofree char *key = redis_key_cert(name_of(id, name));

    G_STATIC_ASSERT(REDIS_CERT_NONCE == TLS_SEAL_NONCE && REDIS_CERT_TAG == TLS_SEAL_TAG);
    if (getrandom(nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
        g_error("getrandom() failed: no randomness, no sealing");
    g_autoptr(GBytes) sealed = tls_seal_identity(c->config.key, nonce, key, id);
    return redis_cert_new(name, tls_seal_key_id(c->config.key), nonce, sealed);
}

/* The certificate that was found by @name. NULL and @error: it is not to be used. */
static TlsIdentity *unseal(const ControlCertificate *c, const RedisCert *cert, const char *name,
                           GError **error)
{
    const char *our_key = tls_seal_key_id(c->config.key);
    g_autofree char *key = redis_key_cert(name);
    gsize len;
    const char *sealed = g_bytes_get_data(cert->sealed, &len);
    char leaf[FP_TEXT_MAX];

    if (strcmp(cert->key_id, our_key) != 0) {
        g_autofree char *theirs = span_quote(span_str(cert->key_id));
        g_set_error(
            error, TLS_ERROR, TLS_ERROR_SEAL,
            "%s was sealed with the key %s, and that of --cluster-key is \"%s\": give every "
            "node the same file",
            key, theirs, our_key);
        return NULL;
    }
    g_autoptr(TlsIdentity) id =
        tls_seal_open(c->config.key, cert->nonce, key, (Span){sealed, len}, error);
    if (id && strcmp(name_of(id, leaf), name) != 0) {
        g_set_error(error, TLS_ERROR, TLS_ERROR_SEAL, "%s holds the certificate %s", key, leaf);
        return NULL;
    }
    return g_steal_pointer(&id);
}

/* ---- what new streams present */

static void tell(const ControlCertificate *c)
{
    if (c->config.changed)
        c->config.changed(c->config.arg);
}

/* Told once, and again when it is another reason. */
static void fail(ControlCertificate *c, const char *reason)
{
    if (c->failed && strcmp(c->failed, reason) == 0)
        return;
    g_free(c->failed);
    c->failed = g_strdup(reason);
    g_warning("The certificate of the group cannot be used, %s: %s",
              tls_identities_current(c->config.identities) ? "the one before is kept"
                                                           : "offers are refused",
              reason);
    tell(c);
}

static void present(ControlCertificate *c, TlsIdentity *id, const char *how)
{
    g_autoptr(GError) error = NULL;
    char name[FP_TEXT_MAX];

    if (!tls_identities_set_current(c->config.identities, id, &error)) {
        fail(c, error->message);
        return;
    }
    g_clear_pointer(&c->failed, g_free);
    c->replace = false;
    g_message("Certificate of the group, %s: fingerprint %s", how, name_of(id, name));
    tell(c);
}

static void end_look(ControlCertificate *c)
{
    c->looking = false;
    g_clear_pointer(&c->candidate, tls_identity_unref);
}

/* ---- making one */

static void look_again(ControlCertificate *c)
{
    end_look(c);
    control_certificate_look(c);
}

static void saved(ControlCertificate *c, const StoreReply *reply, void *arg)
{
    (void)arg;
    switch (reply->status) {
    case STORE_OK:
        if (c->candidate != tls_identities_current(c->config.identities))
            present(c, c->candidate, "made here");
        end_look(c);
        break;
    case STORE_CONFLICT:
        look_again(c);
        break;
    case STORE_UNAVAILABLE: /* if it was done, the next look finds it */
        end_look(c);
        break;
    default:
        fail(c, reply->text);
        end_look(c);
    }
}

/* Some tenths of a second, seldom. */
static void make(ControlCertificate *c, const char *expected)
{
    g_autoptr(GError) error = NULL;

    c->candidate = tls_identity_new_self_signed(TLS_KEY_RSA, c->config.days, &error);
    if (!c->candidate) {
        fail(c, error->message);
        end_look(c);
        return;
    }
    store_cert_save(c->config.store, seal(c, c->candidate), expected, ask_cb,
                    ask(c, saved, NULL, NULL));
}

/* ---- the others, of streams that go on */

static void kept(ControlCertificate *c, const StoreReply *reply, void *arg)
{
    (void)c, (void)arg;
    if (reply->status != STORE_OK)
        g_info("A certificate of old streams is not kept in Redis: %s", reply->text);
}

static bool same_name(const TlsIdentity *id, const char *name)
{
    char own[FP_TEXT_MAX];

    return name && strcmp(name_of(id, own), name) == 0;
}

static void renewed(ControlCertificate *c, const StoreReply *reply, void *arg)
{
    const TlsIdentities *ids = c->config.identities;

    (void)arg;
    if (reply->status != STORE_NOT_FOUND)
        return; /* asking for it has renewed it */
    for (unsigned i = 0; i < tls_identities_n(ids); i++) {
        const TlsIdentity *id = tls_identities_get(ids, i);
        if (same_name(id, reply->fingerprint))
            store_cert_keep(c->config.store, seal(c, id), ask_cb, ask(c, kept, NULL, NULL));
    }
}

static void renew(ControlCertificate *c)
{
    const TlsIdentities *ids = c->config.identities;
    int64_t now = g_get_monotonic_time();
    char name[FP_TEXT_MAX];

    if (c->renewed_us && now - c->renewed_us < (int64_t)c->config.renew_ms * 1000)
        return;
    c->renewed_us = now;
    for (unsigned i = 0; i < tls_identities_n(ids); i++) {
        const TlsIdentity *id = tls_identities_get(ids, i);
        if (id != tls_identities_current(ids))
            store_cert_load(c->config.store, name_of(id, name), ask_cb,
                            ask(c, renewed, NULL, NULL));
    }
}

/* ---- looking */

static bool is_due(const ControlCertificate *c, const TlsIdentity *id)
{
    return c->replace || g_get_real_time() / G_USEC_PER_SEC >= tls_identity_half_life(id);
}

static void found(ControlCertificate *c, const StoreReply *reply)
{
    const TlsIdentity *current = tls_identities_current(c->config.identities);
    g_autoptr(GError) error = NULL;

    if (current && same_name(current, reply->fingerprint)) {
        g_clear_pointer(&c->failed, g_free);
        if (is_due(c, current))
            make(c, reply->fingerprint);
        else
            end_look(c);
        return;
    }
    g_autoptr(TlsIdentity) id = unseal(c, reply->cert, reply->fingerprint, &error);
    if (id)
        present(c, id, "found in Redis");
    else
        fail(c, error->message);
    end_look(c);
}

/* Redis has lost what streams present, and perhaps what old ones do, too. */
static void write_again(ControlCertificate *c, const TlsIdentity *current, const char *expected)
{
    g_warning("Redis has lost the certificate of the group: it is written again");
    c->renewed_us = 0;
    c->candidate = tls_identity_ref((TlsIdentity *)current);
    store_cert_save(c->config.store, seal(c, current), expected, ask_cb, ask(c, saved, NULL, NULL));
}

static void looked(ControlCertificate *c, const StoreReply *reply, void *arg)
{
    const TlsIdentity *current = tls_identities_current(c->config.identities);

    (void)arg;
    switch (reply->status) {
    case STORE_OK:
        found(c, reply);
        break;
    case STORE_NOT_FOUND:
        if (current)
            write_again(c, current, reply->fingerprint);
        else
            make(c, reply->fingerprint);
        break;
    case STORE_UNAVAILABLE:
        end_look(c);
        break;
    default:
        fail(c, reply->text);
        end_look(c);
    }
}

void control_certificate_look(ControlCertificate *c)
{
    if (c->looking || store_state(c->config.store) != STORE_READY)
        return;
    c->looking = true;
    store_cert_load(c->config.store, NULL, ask_cb, ask(c, looked, NULL, NULL));
}

void control_certificate_replace(ControlCertificate *c)
{
    c->replace = true;
    control_certificate_look(c);
}

static void tick(uv_timer_t *timer)
{
    ControlCertificate *c = timer->data;

    control_certificate_look(c);
    if (store_state(c->config.store) == STORE_READY)
        renew(c);
}

/* ---- those of calls that come from Redis */

typedef struct Fetch {
    TlsIdentities *identities;
    unsigned under_way;
    bool unavailable;
    GPtrArray *held; /* of TlsCtx */
    ControlFetchedCb cb;
    void *arg;
} Fetch;

static void fetch_free(Fetch *f)
{
    for (unsigned i = 0; i < f->held->len; i++)
        tls_identities_release(f->identities, f->held->pdata[i]);
    g_ptr_array_unref(f->held);
    g_free(f);
}

/* The program ends. */
static void drop_fetch(gpointer data)
{
    Fetch *f = data;

    if (--f->under_way == 0)
        fetch_free(f);
}

static void fetched_one(ControlCertificate *c, const StoreReply *reply, Fetch *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsIdentity) id = NULL;
    TlsCtx *ctx = NULL;

    if (reply->status == STORE_OK)
        id = unseal(c, reply->cert, reply->fingerprint, &error);
    if (id)
        ctx = tls_identities_add(f->identities, id, &error);
    if (ctx)
        g_ptr_array_add(f->held, ctx);
    else if (reply->status == STORE_UNAVAILABLE)
        f->unavailable = true;
    else
        g_warning("The certificate %s, which a stream has signalled, cannot be loaded: %s",
                  reply->fingerprint, error ? error->message : reply->text);
}

static void fetched(ControlCertificate *c, const StoreReply *reply, void *arg)
{
    Fetch *f = arg;

    fetched_one(c, reply, f);
    if (--f->under_way)
        return;
    f->cb(!f->unavailable, f->arg);
    fetch_free(f);
}

/* Adds the name of what @stream signals, unless that is here or it has none. */
static void add_missing(const ControlCertificate *c, const RedisStream *stream,
                        FingerprintSet *missing)
{
    if (!stream)
        return;
    const FingerprintSet *set = &stream->local_fingerprints;
    TlsCtx *ctx = tls_identities_hold(c->config.identities, set);
    if (ctx) {
        tls_identities_release(c->config.identities, ctx);
        return;
    }
    for (unsigned i = 0; i < set->n; i++)
        if (set->fp[i].hash == FP_SHA256)
            fp_set_add(missing, &set->fp[i]);
}

/* More than FP_SET_MAX certificates of one call are not loaded; their streams will be dropped. */
static void find_missing(const ControlCertificate *c, const RedisRecord *record,
                         FingerprintSet *missing)
{
    for (unsigned i = 0; i < record->dialogs->len; i++) {
        const RedisDialog *d = record->dialogs->pdata[i];
        for (unsigned k = 0; k < d->slots->len; k++) {
            const RedisSlot *slot = d->slots->pdata[k];
            add_missing(c, slot->stream, missing);
            add_missing(c, slot->pending, missing);
        }
    }
}

bool control_certificate_fetch(ControlCertificate *c, const RedisRecord *record,
                               ControlFetchedCb cb, void *arg)
{
    FingerprintSet missing = {0};
    char name[FP_TEXT_MAX];

    find_missing(c, record, &missing);
    if (!missing.n)
        return false;
    Fetch *f = g_new0(Fetch, 1);
    *f = (Fetch){.identities = c->config.identities,
                 .under_way = missing.n,
                 .held = g_ptr_array_new(),
                 .cb = cb,
                 .arg = arg};
    for (unsigned i = 0; i < missing.n; i++)
        store_cert_load(c->config.store, fp_text(&missing.fp[i], name), ask_cb,
                        ask(c, fetched, f, drop_fetch));
    return true;
}

/* ---- life */

ControlCertificate *control_certificate_new(uv_loop_t *loop, const ControlCertificateConfig *config)
{
    ControlCertificate *c = g_new0(ControlCertificate, 1);

    c->config = *config;
    if (!c->config.renew_ms)
        c->config.renew_ms = RENEW_MS;
    c->renewed_us = g_get_monotonic_time();
    g_queue_init(&c->asked);
    c->timer = g_new0(uv_timer_t, 1);
    c->timer->data = c;
    uv_timer_init(loop, c->timer);
    uv_timer_start(c->timer, tick, c->config.every_ms, c->config.every_ms);
    return c;
}

static void close_cb(uv_handle_t *handle)
{
    g_free(handle);
}

void control_certificate_free(ControlCertificate *c)
{
    if (!c)
        return;
    forget_asked(c);
    uv_close((uv_handle_t *)c->timer, close_cb);
    g_clear_pointer(&c->candidate, tls_identity_unref);
    g_free(c->failed);
    g_free(c);
}

/* ---- for the statistics */

const char *control_certificate_state_name(ControlCertificateState state)
{
    static const char *const names[] = {"waiting", "ready", "failed"};

    return names[state];
}

ControlCertificateState control_certificate_state(const ControlCertificate *c,
                                                  const char **ret_reason)
{
    if (ret_reason)
        *ret_reason = c->failed;
    if (c->failed)
        return CONTROL_CERTIFICATE_FAILED;
    return tls_identities_current(c->config.identities) ? CONTROL_CERTIFICATE_READY
                                                        : CONTROL_CERTIFICATE_WAITING;
}
