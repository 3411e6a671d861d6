/* The lines of a running server: listeners as the rows say, states as the listeners are.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "sensing/lines/lines_internal.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS    1000
#define UNIT_BYTES ((size_t)8 << 20)

/* ---- opening and closing, loop thread ---- */

static bool is_tcp(const struct line_spec *s) {
    const struct codec *c = codec_find(str_of(s->kind));
    return c && c->frame && c->decode;
}

static bool listens_otherwise(const struct line_spec *a, const struct line_spec *b) {
    return a->community_id != b->community_id || a->port != b->port || a->enabled != b->enabled ||
           strcmp(a->kind, b->kind) != 0 || strcmp(a->bind, b->bind) != 0 || strcmp(a->name, b->name) != 0;
}

static void close_entry(struct line_set *l, struct line_entry *e) {
    line_close(e->line);
    pthread_mutex_lock(&l->lock);
    e->line = NULL;
    e->state = LINE_CLOSED;
    e->address[0] = e->problem[0] = 0;
    pthread_mutex_unlock(&l->lock);
}

/* The row's own port; while it is what it was at the start, the port that the command line said instead. */
static int port_for(struct line_set *l, const struct line_entry *e, int *ret_first) {
    *ret_first = l->o.first_port;
    if (l->o.first_port < 0 || e->start_port != e->spec.port) return e->spec.port;
    int nth = 0;
    for (const struct line_entry *at = l->entries; at < e; at++) nth += at->start_port >= 0 && is_tcp(&at->spec);
    return l->o.first_port ? l->o.first_port + nth : 0;
}

static void open_tcp(struct line_set *l, struct line_entry *e) {
    struct fault f = {0};
    struct line *line = NULL;
    int first, port = port_for(l, e, &first);
    const char *bind = e->spec.bind[0] ? e->spec.bind : l->o.bind ? l->o.bind : "127.0.0.1";
    enum err err = line_open(l->o.loop,
                             &(struct line_options){.codec = codec_find(str_of(e->spec.kind)),
                                                    .name = e->spec.name,
                                                    .bind = bind,
                                                    .port = port,
                                                    .try_next = first < 0,
                                                    .community_id = e->spec.community_id,
                                                    .zone = e->spec.zone,
                                                    .world = l->o.world,
                                                    .feed = l->o.feed,
                                                    .figures = e->figures},
                             &line, &f);
    pthread_mutex_lock(&l->lock);
    e->line = line;
    e->state = err ? LINE_FAILED : LINE_OPEN;
    if (err)
        utf8_copy(e->problem, sizeof e->problem, str_of(f.text));
    else
        snprintf(e->address, sizeof e->address, strchr(bind, ':') ? "[%s]:%d" : "%s:%d", bind, line_port(line));
    pthread_mutex_unlock(&l->lock);
}

static const struct lines_server *server_of(const struct line_set *l, const char *kind) {
    for (size_t i = 0; i < l->servers_n; i++)
        if (!strcmp(l->servers[i].kind, kind)) return &l->servers[i];
    return NULL;
}

static void open_entry(struct line_set *l, struct line_entry *e) {
    const struct lines_server *by = server_of(l, e->spec.kind);
    if (!e->spec.enabled) return;
    if (is_tcp(&e->spec) && e->figures) {
        open_tcp(l, e);
        return;
    }
    pthread_mutex_lock(&l->lock);
    if (by) {
        e->state = LINE_OPEN;
        memcpy(e->address, by->address, sizeof by->address);
    } else if (!e->figures) {
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
    struct figures *figures = figures_create();
    pthread_mutex_lock(&l->lock);
    if (!empty) empty = &l->entries[l->entries_n++];
    *empty = (struct line_entry){.spec = *s, .figures = figures, .start_port = l->started ? -1 : s->port};
    empty->spec.enabled = false; /* as yet */
    pthread_mutex_unlock(&l->lock);
    return empty;
}

static void take_rows(struct line_set *l) {
    for (size_t i = 0; i < l->entries_n; i++) l->entries[i].is_seen = false;
    for (size_t i = 0; i < l->loaded_n; i++) {
        struct line_entry *e = entry_of(l, &l->loaded[i]);
        if (!e) continue;
        e->is_seen = true;
        bool again = listens_otherwise(&e->spec, &l->loaded[i]);
        if (again) close_entry(l, e);
        pthread_mutex_lock(&l->lock);
        e->spec = l->loaded[i];
        pthread_mutex_unlock(&l->lock);
        if (again) open_entry(l, e);
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
        if (l->entries[i].state != LINE_OPEN && server_of(l, l->entries[i].spec.kind)) open_entry(l, &l->entries[i]);
    l->has_servers = false;
    return true;
}

/* True: there are states to be written. */
static bool worked(void *arg) {
    struct line_set *l = arg;
    bool more = l->has_loaded && !l->closing;
    if (more) take_rows(l);
    l->has_loaded = false;
    return more;
}

static bool tick(void *arg) {
    struct line_set *l = arg;
    for (size_t i = 0; i < l->entries_n; i++)
        if (l->entries[i].line) line_tick(l->entries[i].line);
    if (runner_is_working(&l->runner)) return false;
    return line_rows_generation() != l->loaded_generation || l->failed;
}

/* ---- life ---- */

enum err lines_open(const struct lines_options *options, struct line_set **ret, struct fault *f) {
    struct line_set *l = calloc(1, sizeof *l);
    if (!l) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    l->o = *options;
    pthread_mutex_init(&l->lock, NULL);
    enum err e = work_now(l, f);
    const struct runner_calls calls = {tick, begin, work, worked, l};
    if (!e && runner_start(&l->runner, options->loop, TICK_MS, &calls)) e = FAIL(f, ERR_INTERNAL, "loop", "no timer");
    if (e) {
        lines_free(l);
        return e;
    }
    l->has_loaded = false;
    take_rows(l);
    for (size_t i = 0; options->first_port > 0 && i < l->entries_n; i++) {
        if (!is_tcp(&l->entries[i].spec) || l->entries[i].state != LINE_FAILED) continue;
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
    runner_stop(&l->runner);
    for (size_t i = 0; i < l->entries_n; i++) {
        line_close(l->entries[i].line);
        l->entries[i].line = NULL;
    }
}

void lines_free(struct line_set *l) {
    if (!l) return;
    for (size_t i = 0; i < l->entries_n; i++) figures_destroy(l->entries[i].figures);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void lines_served(struct line_set *l, const struct lines_server *by) {
    if (l->servers_n == LINES_SERVERS_MAX) return;
    pthread_mutex_lock(&l->lock);
    l->servers[l->servers_n++] = *by;
    pthread_mutex_unlock(&l->lock);
    l->has_servers = true;
    runner_wake(&l->runner);
}

void lines_each(struct line_set *l,
                void (*fn)(void *arg, const char *kind, const char *address, int port, int64_t community_id),
                void *arg) {
    for (size_t i = 0; i < l->entries_n; i++) {
        const struct line_entry *e = &l->entries[i];
        if (e->line) fn(arg, e->spec.kind, e->address, line_port(e->line), e->spec.community_id);
    }
}
