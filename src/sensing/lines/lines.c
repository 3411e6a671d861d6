/* The lines of a running server: listeners as the rows say, states as the listeners are.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "sensing/lines/lines_internal.h"

#include "base/utf8.h"
#include "protocol/bacnet/bacnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS      1000 /* of lines */
#define AGAIN_US     INT64_C(5000000)
#define LOOK_MS      100 /* for what waits to be told */
#define UNIT_BYTES   ((size_t)64 << 20)
#define ORDERS_BYTES ((size_t)1 << 20)

/* ---- opening and closing, loop thread ---- */

static bool is_ours(const struct line_spec *s) {
    const struct codec *c = codec_find(str_of(s->kind));
    if (c && c->carrier == CARRIER_DATAGRAM) return c->asking;
    return c && c->carrier == CARRIER_STREAM && c->frame && (c->decode || c->is_polled);
}

static bool is_datagrams(const struct line_spec *s) {
    const struct codec *c = codec_find(str_of(s->kind));
    return c && c->carrier == CARRIER_DATAGRAM;
}

/* What is said to everybody comes to no other address. */
static const char *bind_of(const struct line_set *l, const struct line_spec *s) {
    if (s->bind[0]) return s->bind;
    return is_datagrams(s) ? "0.0.0.0" : l->o.bind ? l->o.bind : "127.0.0.1";
}

/* Such as take a port of ours. */
static bool listens(const struct line_spec *s) {
    return is_ours(s) && s->reach == LINE_LISTEN;
}

static bool is_otherwise(const struct line_spec *a, const struct line_spec *b) {
    return a->community_id != b->community_id || a->port != b->port || a->enabled != b->enabled ||
           a->reach != b->reach || a->baud != b->baud || a->stop_bits != b->stop_bits || a->parity != b->parity ||
           strcmp(a->kind, b->kind) != 0 || strcmp(a->bind, b->bind) != 0 || strcmp(a->name, b->name) != 0 ||
           strcmp(a->host, b->host) != 0 || strcmp(a->serial, b->serial) != 0 ||
           strcmp(a->greeting, b->greeting) != 0 || strcmp(a->senders, b->senders) != 0 || a->find_low != b->find_low ||
           a->find_high != b->find_high || line_client_is_otherwise(a, b);
}

static void close_entry(struct line_set *l, struct line_entry *e) {
    line_close(e->line);
    mqtt_client_close(e->client);
    pthread_mutex_lock(&l->lock);
    e->line = NULL;
    e->client = NULL;
    e->state = LINE_CLOSED;
    e->kept_port = 0;
    e->address[0] = e->problem[0] = 0;
    pthread_mutex_unlock(&l->lock);
}

/* Does the port that the command line said stand in for the row's?  While that is what it was at the start. */
static bool has_given_port(const struct line_set *l, const struct line_entry *e) {
    return l->o.first_port >= 0 && e->start_port == e->spec.port;
}

static int port_for(const struct line_set *l, const struct line_entry *e) {
    if (!has_given_port(l, e)) return is_datagrams(&e->spec) && !e->spec.port ? BACNET_PORT : e->spec.port;
    int nth = 0;
    for (const struct line_entry *at = l->entries; at < e; at++) nth += at->start_port >= 0 && listens(&at->spec);
    return l->o.first_port ? l->o.first_port + nth : 0;
}

/* Another line of ours that has the port; NULL: it is somebody else's. */
static const struct line_entry *holder_of(const struct line_set *l, const struct line_entry *e, int port) {
    for (const struct line_entry *at = l->entries; at < l->entries + l->entries_n; at++)
        if (at != e && at->line && listens(&at->spec) && is_datagrams(&at->spec) == is_datagrams(&e->spec) &&
            line_port(at->line) == port)
            return at;
    return NULL;
}

static void told(void *arg, int64_t command_id, bool is_done, struct str answer) {
    lines_told(arg, command_id, is_done, answer);
}

static void silent(void *arg, int64_t device_id, bool is_silent) {
    line_silent_add(arg, device_id, is_silent);
}

static void kept(void *arg, int64_t device_id, int64_t midnight_ms, enum line_kept what) {
    line_midnight_ended(arg, device_id, midnight_ms, what);
}

/* Where it is, for people; problem and state as they are this moment. */
static void look_at(struct line_set *l, struct line_entry *e) {
    const struct line_spec *s = &e->spec;
    const char *bind = bind_of(l, s);
    struct str why = {NULL, 0};
    bool is_open = e->line && line_is_open(e->line, &why);
    pthread_mutex_lock(&l->lock);
    e->state = is_open ? LINE_OPEN : LINE_FAILED;
    utf8_copy(e->problem, sizeof e->problem, is_open ? S("") : why);
    if (s->reach == LINE_SERIAL)
        utf8_copy(e->address, sizeof e->address, str_of(s->serial));
    else
        snprintf(e->address, sizeof e->address, strchr(s->reach ? s->host : bind, ':') ? "[%s]:%d" : "%s:%d",
                 s->reach ? s->host : bind, s->reach ? s->port : line_port(e->line));
    pthread_mutex_unlock(&l->lock);
}

static void put_problem(struct line_set *l, struct line_entry *e, const struct fault *f, int port) {
    const struct line_entry *by = !strcmp(f->code, "port_held") ? holder_of(l, e, port) : NULL;
    e->state = LINE_FAILED;
    if (by)
        snprintf(e->problem, sizeof e->problem, "port %d is held by the line %s", port, by->spec.name);
    else
        utf8_copy(e->problem, sizeof e->problem, str_of(f->text));
}

static void open_ours(struct line_set *l, struct line_entry *e) {
    struct fault f = {0};
    struct line *line = NULL;
    const struct line_spec *s = &e->spec;
    int port = port_for(l, e);
    enum err err = line_open(l->o.loop,
                             &(struct line_options){.codec = codec_find(str_of(s->kind)),
                                                    .id = s->id,
                                                    .name = s->name,
                                                    .reach = s->reach,
                                                    .bind = bind_of(l, s),
                                                    .host = s->host,
                                                    .port = s->reach == LINE_LISTEN ? port : s->port,
                                                    .greeting = s->greeting,
                                                    .senders = s->senders,
                                                    .serial = {s->serial, s->baud, s->stop_bits, s->parity},
                                                    .find_low = s->find_low,
                                                    .find_high = s->find_high,
                                                    .community_id = s->community_id,
                                                    .zone = s->zone,
                                                    .world = l->o.world,
                                                    .feed = l->o.feed,
                                                    .figures = e->figures,
                                                    .heard = e->heard,
                                                    .told = told,
                                                    .silent = silent,
                                                    .kept = kept,
                                                    .arg = l},
                             &line, &f);
    if (!err && listens(s) && !port && !has_given_port(l, e)) e->kept_port = line_port(line);
    pthread_mutex_lock(&l->lock);
    e->line = line;
    if (err) put_problem(l, e, &f, port);
    pthread_mutex_unlock(&l->lock);
    if (!err) look_at(l, e);
}

bool line_is_pushed(const struct line_spec *s) {
    const struct codec *c = codec_find(str_of(s->kind));
    return c && codec_is_pushed(c);
}

/* Who else has the line open: the HTTP server has those that are pushed. */
static const struct lines_server *server_of(const struct line_set *l, const struct line_spec *s) {
    const char *kind = line_is_pushed(s) ? "http" : s->kind;
    for (size_t i = 0; i < l->servers_n; i++)
        if (!strcmp(l->servers[i].kind, kind)) return &l->servers[i];
    return NULL;
}

/* Others serve the rest, and count what comes. */
static bool counts_itself(const struct line_spec *s) {
    return is_ours(s) || line_is_pushed(s) || line_is_client(s);
}

struct figures *line_figures(const struct line_set *l, const struct line_entry *e, bool *ret_served) {
    *ret_served = false;
    for (size_t i = 0; i < l->servers_n; i++) {
        const struct lines_server *by = &l->servers[i];
        if (strcmp(by->kind, e->spec.kind) != 0) continue;
        *ret_served = true;
        return by->figures ? figures_own(by->figures, e->spec.community_id) : NULL;
    }
    return e->figures;
}

static void add_to_book(const struct line_set *l, const struct line_entry *e) {
    for (size_t i = 0; i < l->servers_n; i++)
        if (l->servers[i].figures && !strcmp(l->servers[i].kind, e->spec.kind))
            figures_book_add(l->servers[i].figures, e->spec.community_id);
}

static void open_entry(struct line_set *l, struct line_entry *e) {
    const struct lines_server *by = server_of(l, &e->spec);
    if (!e->spec.enabled) return;
    if (is_ours(&e->spec) && e->figures && e->heard) {
        open_ours(l, e);
        return;
    }
    if (line_is_client(&e->spec) && e->figures && e->heard) {
        line_client_open(l, e);
        return;
    }
    pthread_mutex_lock(&l->lock);
    if (by) {
        e->state = LINE_OPEN;
        memcpy(e->address, by->address, sizeof by->address);
    } else if ((!e->figures && counts_itself(&e->spec)) || !e->heard) {
        e->state = LINE_FAILED;
        utf8_copy(e->problem, sizeof e->problem, S("out of memory"));
    }
    pthread_mutex_unlock(&l->lock);
}

/* ---- rows that changed ---- */

static struct line_entry *entry_of(struct line_set *l, const struct line_spec *s) {
    struct line_entry *empty = NULL;
    for (size_t i = 0; i < l->entries_n; i++) {
        if (l->entries[i].spec.id == s->id) return &l->entries[i];
        if (!l->entries[i].spec.id && !empty) empty = &l->entries[i];
    }
    if (!empty && l->entries_n == LINES_MAX) return NULL;
    struct figures *figures = counts_itself(s) ? figures_create() : NULL;
    struct heard *heard = heard_create();
    if (figures && (line_is_pushed(s) || is_datagrams(s))) /* requests, over any; no connections */
        figures->connections = figures->connections_total = -1;
    pthread_mutex_lock(&l->lock);
    if (!empty) empty = &l->entries[l->entries_n++];
    *empty =
        (struct line_entry){.spec = *s, .figures = figures, .heard = heard, .start_port = l->started ? -1 : s->port};
    empty->spec.enabled = false; /* as yet */
    pthread_mutex_unlock(&l->lock);
    return empty;
}

/* One may want the port that another gives up. */
static void close_changed(struct line_set *l) {
    for (size_t i = 0; i < l->entries_n; i++) l->entries[i].is_seen = false;
    for (size_t i = 0; i < l->loaded_n; i++) {
        struct line_entry *e = entry_of(l, &l->loaded[i]);
        if (!e) continue;
        e->is_seen = true;
        e->is_new = is_otherwise(&e->spec, &l->loaded[i]);
        if (e->is_new) close_entry(l, e);
    }
}

static void take_rows(struct line_set *l) {
    close_changed(l);
    for (size_t i = 0; i < l->loaded_n; i++) {
        struct line_entry *e = entry_of(l, &l->loaded[i]);
        if (!e) continue;
        pthread_mutex_lock(&l->lock);
        e->spec = l->loaded[i];
        pthread_mutex_unlock(&l->lock);
        add_to_book(l, e);
        if (e->is_new) open_entry(l, e);
        e->is_new = false;
        if (e->line && l->plans[i]) {
            line_plan(e->line, l->plans[i]);
            l->plans[i] = NULL;
        }
    }
    for (size_t i = 0; i < l->entries_n; i++) {
        if (l->entries[i].is_seen || !l->entries[i].spec.enabled) continue;
        close_entry(l, &l->entries[i]); /* archived */
        l->entries[i].spec.enabled = false;
    }
    l->started = true;
}

/* ---- the work between: states to rows, rows to memory ---- */

static enum err work_with(struct line_set *l, struct ctx *ctx) {
    TRY(line_set_tell(l, ctx));
    TRY(line_orders_settle(l, ctx));
    TRY(line_orders_read(l, ctx));
    TRY(line_midnights_read(l, ctx));
    int64_t now = line_rows_generation();
    if (now == l->loaded_generation) return OK;
    TRY(line_set_read(l, ctx));
    l->loaded_generation = now;
    l->has_loaded = true;
    return OK;
}

static enum err work_now(struct line_set *l, struct fault *fault) {
    struct arena arena;
    struct ctx ctx = {.kernel = l->o.kernel, .arena = &arena, .world = l->o.world, .actor = actor_system()};
    TRY(db_pool_take(l->o.pool, &ctx.db, fault));
    arena_init(&arena, UNIT_BYTES);
    ctx_begin(&ctx);
    enum err e = work_with(l, &ctx);
    if (e) *fault = ctx.fault;
    arena_finish(&arena);
    db_pool_give(l->o.pool, ctx.db);
    return e;
}

static void work(void *arg) {
    struct line_set *l = arg;
    struct fault fault = {0};
    const struct str no_trace = {NULL, 0};
    l->failed = work_now(l, &fault);
    if (l->failed) LOG(l->o.log, LOG_WARN, no_trace, "the lines' rows wait", LOG_TEXT("why", str_of(fault.text)));
}

/* Between runs the entries are the loop thread's: it opens what others serve. */
static bool begin(void *arg) {
    struct line_set *l = arg;
    for (size_t i = 0; l->has_servers && i < l->entries_n; i++)
        if (l->entries[i].state != LINE_OPEN && server_of(l, &l->entries[i].spec)) open_entry(l, &l->entries[i]);
    l->has_servers = false;
    return true;
}

static struct line_entry *entry_at(struct line_set *l, int64_t id) {
    for (size_t i = 0; i < l->entries_n; i++)
        if (l->entries[i].spec.id == id && l->entries[i].is_seen) return &l->entries[i];
    return NULL;
}

#define NOT_OVER_HTTP "over HTTP nobody is told anything, and it is not connected to MQTT"

/* Through a request nobody is told anything: a device that pushes has a connection of its own to MQTT, or none. */
static const struct lines_server *teller_of(const struct line_set *l, const struct line_entry *e) {
    static const struct line_spec own = {.kind = "mqtt"};
    return server_of(l, e && !line_is_pushed(&e->spec) ? &e->spec : &own);
}

/* What did not go out has ended. */
static void tell_out(struct line_set *l) {
    for (size_t i = 0; i < l->out.n; i++) {
        const struct line_order *o = &l->out.orders[i];
        struct line_entry *e = entry_at(l, l->out.line_ids[i]);
        const struct lines_server *by = teller_of(l, e);
        const char *why = !l->out.line_ids[i]                       ? "nobody knows on which line it is"
                          : e && e->spec.enabled && by && !by->tell ? "devices of this kind cannot be told anything"
                                                                    : "its line is closed";
        bool goes_by = by && by->tell && (e || !l->out.line_ids[i]);
        bool is_out = e && e->line     ? line_tell(e->line, o, &why)
                      : e && e->client ? mqtt_client_tell(e->client, o, &why)
                      : goes_by        ? by->tell(by->arg, l->out.community_ids[i], o, &why)
                                       : false;
        if (!is_out && e && line_is_pushed(&e->spec)) why = NOT_OVER_HTTP;
        if (!is_out && o->command_id) line_ended_add(l, o->command_id, false, str_of(why));
    }
    l->out.n = 0;
}

/* True: there are states to be written, or more waits to be told. */
static bool worked(void *arg) {
    struct line_set *l = arg;
    bool more = (l->has_loaded || l->has_orders) && !l->closing;
    if (l->has_loaded && !l->closing) take_rows(l);
    l->has_loaded = false;
    if (!l->closing) tell_out(l);
    return more;
}

static void find_some(struct line_set *l) {
    int64_t ids[LINE_FINDS_MAX];
    size_t n = line_finds_take(ids);
    for (size_t i = 0; i < n; i++) {
        struct line_entry *e = entry_at(l, ids[i]);
        if (e && e->line) (void)line_find(e->line);
    }
}

/* Whoever held its port may be gone. */
static bool wants_another_try(const struct line_entry *e, int64_t now_us) {
    return is_ours(&e->spec) && e->spec.enabled && e->is_seen && !e->line && e->state == LINE_FAILED &&
           now_us >= e->again_us;
}

static bool tick(void *arg) {
    struct line_set *l = arg;
    bool wakes = false, is_working = runner_is_working(&l->runner);
    int64_t now_us = l->o.world->mono_us(l->o.world->self);
    for (size_t i = 0; i < l->entries_n; i++) {
        struct line_entry *e = &l->entries[i];
        struct str why;
        if (e->client && line_client_tick(l, e) && !is_working) {
            line_client_look(l, e);
            wakes = true;
        }
        if (!is_working && wants_another_try(e, now_us)) {
            open_entry(l, e);
            e->again_us = now_us + AGAIN_US;
            if (e->line) l->loaded_generation = 0; /* it has no plan yet */
            wakes = true;
        }
        if (!e->line) continue;
        if (now_us - l->ticked_us >= TICK_MS * INT64_C(1000)) line_tick(e->line);
        bool is_told = line_is_open(e->line, &why) == (e->state == LINE_OPEN) &&
                       (e->state == LINE_OPEN || str_is(why, e->problem));
        if (is_told || is_working) continue;
        look_at(l, e);
        wakes = true;
    }
    if (now_us - l->ticked_us >= TICK_MS * INT64_C(1000)) l->ticked_us = now_us;
    find_some(l);
    bool is_due = !l->filled_us || now_us - l->filled_us >= LINES_MIDNIGHT_US;
    if (is_working) return false;
    return wakes || is_due || line_rows_generation() != l->loaded_generation ||
           line_orders_generation() != l->orders_generation || l->failed;
}

/* ---- life ---- */

enum err lines_open(const struct lines_options *options, struct line_set **ret, struct fault *f) {
    struct line_set *l = calloc(1, sizeof *l);
    if (!l) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    l->o = *options;
    pthread_mutex_init(&l->lock, NULL);
    arena_init(&l->out.arena, ORDERS_BYTES);
    enum err e = work_now(l, f);
    const struct runner_calls calls = {tick, begin, work, worked, l};
    if (!e && runner_start(&l->runner, options->loop, LOOK_MS, &calls)) e = FAIL(f, ERR_INTERNAL, "loop", "no timer");
    if (e) {
        lines_free(l);
        return e;
    }
    l->has_loaded = false;
    take_rows(l);
    for (size_t i = 0; options->first_port > 0 && i < l->entries_n; i++) {
        if (!listens(&l->entries[i].spec) || l->entries[i].state != LINE_FAILED) continue;
        e = FAIL(f, ERR_BUSY, "port_held", "%s", l->entries[i].problem);
        lines_stop(l);
        lines_free(l);
        return e;
    }
    runner_wake(&l->runner);
    *ret = l;
    return OK;
}

void lines_stop(struct line_set *l) {
    if (!l) return;
    l->closing = true;
    runner_end(&l->runner); /* it reads readings, whose store goes next */
    for (size_t i = 0; i < l->entries_n; i++) {
        line_close(l->entries[i].line);
        mqtt_client_close(l->entries[i].client);
        l->entries[i].line = NULL;
        l->entries[i].client = NULL;
    }
}

void lines_free(struct line_set *l) {
    if (!l) return;
    for (size_t i = 0; i < l->entries_n; i++) {
        figures_destroy(l->entries[i].figures);
        heard_destroy(l->entries[i].heard);
    }
    for (size_t i = 0; i < LINES_MAX; i++) line_plan_free(l->plans[i]);
    arena_finish(&l->out.arena);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void lines_served(struct line_set *l, const struct lines_server *by) {
    if (l->servers_n == LINES_SERVERS_MAX) return;
    pthread_mutex_lock(&l->lock);
    l->servers[l->servers_n++] = *by;
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < l->entries_n; i++)
        if (l->entries[i].is_seen) add_to_book(l, &l->entries[i]);
    l->has_servers = true;
    runner_wake(&l->runner);
}

void lines_told(struct line_set *l, int64_t command_id, bool is_done, struct str answer) {
    line_ended_add(l, command_id, is_done, answer);
}

void lines_each(struct line_set *l,
                void (*fn)(void *arg, const char *kind, const char *address, int port, int64_t community_id),
                void *arg) {
    for (size_t i = 0; i < l->entries_n; i++) {
        const struct line_entry *e = &l->entries[i];
        if (e->line && e->spec.reach == LINE_LISTEN)
            fn(arg, e->spec.kind, e->address, line_port(e->line), e->spec.community_id);
    }
}
