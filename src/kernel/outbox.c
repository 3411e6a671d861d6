/* Events: the outbox, its delivery and its numbers.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/outbox.h"

#include "base/json.h"
#include "kernel/kernel_internal.h"

#include <string.h>

#define TRIES_MOST 20
#define KEPT_MS    (INT64_C(48) * 3600 * 1000)
#define SERVED_MS  (INT64_C(24) * 3600 * 1000)

enum err event_emit(struct ctx *ctx, const char *resource, int64_t row_id, int64_t community_id, int64_t place_id,
                    const char *change) {
    char topic[96];
    struct buf b, body;
    struct str text;
    struct jw j;
    if (!db_in_tx(ctx->db)) return FAIL(&ctx->fault, ERR_INTERNAL, "event", "an event outside of a transaction");
    buf_init(&b, topic, sizeof topic);
    buf_fmt(&b, "%s.%s", resource, change);
    buf_init_arena(&body, ctx->arena, 1024);
    jw_init(&j, &body);
    jw_put(&j, "{'resource':$,'id':$,'change':$,'community_id':$,'at_ms':$}",
           JV(J_CSTR(resource), J_ID(row_id), J_CSTR(change), J_ID(community_id), J_I64(ctx->now_ms)));
    if (!buf_done(&body, &text)) return FAIL_MEMORY(ctx);
    return db_exec(
        ctx->db, &ctx->fault,
        "INSERT INTO events (id, at_ms, community_id, place_id, resource, row_id, topic, body, trace, actor_id, "
        "tries, next_ms, dead) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0)",
        VALS(V_I64(ctx->world->new_id(ctx->world->self)), V_I64(ctx->now_ms), V_I64(community_id), V_I64(place_id),
             V_TEXT(str_of(resource)), V_I64(row_id), V_TEXT(((struct str){topic, b.len})), V_TEXT(text),
             V_TEXT(ctx->trace), V_I64(ctx->actor.person_id)),
        NULL);
}

/* ---- reading ---- */

#define EVENT_COLUMNS \
    "id, at_ms, community_id, place_id, row_id, actor_id, resource, topic, body, trace, number, delivered_ms, tries"
#define MEMBER(m) SQL_MEMBER(struct numbered_event, m)

static const struct sql_shape event_shape = SQL_SHAPE(
    struct numbered_event, MEMBER(event.id), MEMBER(event.at_ms), MEMBER(event.community_id), MEMBER(event.place_id),
    MEMBER(event.row_id), MEMBER(event.actor_id), MEMBER(event.resource), MEMBER(event.topic), MEMBER(event.body),
    MEMBER(event.trace), MEMBER(number), MEMBER(delivered_ms), MEMBER(tries));

static enum err read_events(struct sql *q, struct numbered_event **ret, size_t *ret_n) {
    struct sql_all all;
    TRY(sql_all(q, &event_shape, &all));
    *ret = all.rows;
    *ret_n = all.n;
    return OK;
}

/* ---- delivery ---- */

bool topic_matches(struct str pattern, struct str topic) {
    bool is_prefix = pattern.len && pattern.ptr[pattern.len - 1] == '*';
    return is_prefix ? str_starts(topic, (struct str){pattern.ptr, pattern.len - 1}) : str_eq(pattern, topic);
}

static enum err run_handlers(struct ctx *ctx, const struct event *e) {
    const struct kernel_options *o = kernel_options(ctx->kernel);
    ctx->trace = e->trace;
    for (size_t m = 0; m < o->modules_n; m++)
        for (size_t i = 0; i < o->modules[m]->listens_n; i++) {
            const struct subscription *s = &o->modules[m]->listens[i];
            if (topic_matches(str_of(s->topic), e->topic)) TRY(s->on(ctx, e));
        }
    return OK;
}

static enum err mark(struct ctx *ctx, int64_t id) {
    int64_t number = 0;
    TRY(counter_next(ctx, "events", &number));
    return db_exec(ctx->db, &ctx->fault,
                   "UPDATE events SET number = $1, delivered_ms = $2 WHERE id = $3 AND delivered_ms IS NULL",
                   VALS(V_I64(number), V_I64(ctx->now_ms), V_I64(id)), NULL);
}

/* What handlers tell is delivered in the same transaction, so that an alarm, its case and the notices of it cost one
 * sync together; as far as `rounds` goes. */
#define ROUNDS 4
/* Who writes waits for the rows that handlers changed until the batch is over, and no longer than the store is waited
 * for: behind this the rest is another batch. */
#define BATCH_US INT64_C(500000)
struct batch {
    size_t most, done;
    int rounds, round;
    bool is_late;
    int64_t until_us, failed_id, failed_tries; /* failed: the one whose handler did */
};

static enum err deliver_waiting(struct ctx *ctx, struct batch *b, size_t most, size_t *ret_n) {
    struct numbered_event *all;
    struct sql_part now = Q_I64(ctx->now_ms);
    struct sql q = sql_of(ctx);
    sql_put(&q,
            "SELECT " EVENT_COLUMNS " FROM events e WHERE delivered_ms IS NULL AND dead = 0 AND next_ms <= $ AND NOT "
            "EXISTS (SELECT 1 FROM events w WHERE w.delivered_ms IS NULL AND w.dead = 0 AND w.next_ms > $ AND "
            "w.resource = e.resource AND w.row_id = e.row_id AND w.id < e.id) ORDER BY id LIMIT $",
            PARTS(now, now, Q_I64((int64_t)most)));
    TRY(read_events(&q, &all, ret_n));
    for (size_t i = 0; i < *ret_n; i++) {
        b->failed_id = all[i].event.id;
        b->failed_tries = all[i].tries;
        TRY(run_handlers(ctx, &all[i].event));
        b->failed_id = 0;
        TRY(mark(ctx, all[i].event.id));
        b->is_late = ctx->world->mono_us(ctx->world->self) >= b->until_us;
        if (b->is_late) *ret_n = i + 1;
    }
    return OK;
}

static enum err deliver(struct ctx *ctx, void *arg) {
    struct batch *b = arg;
    size_t n = 1;
    b->done = 0;
    b->failed_id = 0;
    b->is_late = false;
    b->until_us = ctx->world->mono_us(ctx->world->self) + BATCH_US;
    for (b->round = 0; b->round < b->rounds && n && b->done < b->most && !b->is_late; b->round++) {
        TRY(deliver_waiting(ctx, b, b->most - b->done, &n));
        b->done += n;
    }
    return OK;
}

static enum err put_off(struct ctx *ctx, void *arg) {
    const struct batch *b = arg;
    int64_t tries = b->failed_tries + 1, wait_ms = 1000;
    for (int64_t i = 1; i < tries && wait_ms < 600000; i++) wait_ms *= 2;
    if (wait_ms > 600000) wait_ms = 600000;
    TRY(db_exec(ctx->db, &ctx->fault, "UPDATE events SET tries = $1, next_ms = $2, dead = $3 WHERE id = $4",
                VALS(V_I64(tries), V_I64(ctx->now_ms + wait_ms), V_I64(tries >= TRIES_MOST), V_I64(b->failed_id)),
                NULL));
    return tries >= TRIES_MOST ? mark(ctx, b->failed_id) : OK; /* the change did happen: clients hear of it */
}

enum err events_deliver(struct ctx *ctx, size_t most, size_t *ret_done) {
    struct batch b = {.most = most, .rounds = ROUNDS};
    *ret_done = 0;
    enum err e = ctx_write(ctx, deliver, &b);
    for (size_t i = 0; e && b.failed_id && i < most; i++) {
        if (e == ERR_BUSY || e == ERR_UNAVAILABLE) return e; /* the store's fault, not the handler's */
        struct batch failed = b;
        ctx->fault = (struct fault){0};
        if (b.round) /* an event that went away with the transaction: next time it stands by itself */
            b.rounds = 1;
        else
            TRY(ctx_write(ctx, put_off, &failed));
        ctx_begin(ctx);
        e = ctx_write(ctx, deliver, &b);
    }
    if (!e) *ret_done = b.done;
    return e;
}

enum err events_prune(struct ctx *ctx) {
    return db_exec(ctx->db, &ctx->fault,
                   "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE delivered_ms < $1 AND dead = 0 "
                   "ORDER BY delivered_ms LIMIT 5000)",
                   VALS(V_I64(ctx->now_ms - KEPT_MS)), NULL);
}

enum err events_last(struct ctx *ctx, int64_t *ret_number) {
    return counter_now(ctx, "events", ret_number);
}

enum err events_after(struct ctx *ctx, int64_t after, size_t most, struct numbered_event **ret, size_t *ret_n,
                      bool *ret_reset) {
    struct sql q = sql_of(ctx);
    int64_t last;
    TRY(events_last(ctx, &last));
    sql_put(&q, "SELECT " EVENT_COLUMNS " FROM events WHERE number > $ ORDER BY number LIMIT $",
            PARTS(Q_I64(after), Q_I64((int64_t)most)));
    TRY(read_events(&q, ret, ret_n));
    /* Numbers tell whether one is missing; times do not, since clocks are put back. */
    const struct numbered_event *all = *ret;
    size_t n = *ret_n;
    *ret_reset =
        n ? all[n - 1].number != after + (int64_t)n || all[0].delivered_ms < ctx->now_ms - SERVED_MS : after != last;
    return OK;
}

enum err event_visible(struct ctx *ctx, const struct event *e, bool *ret) {
    const struct known *kn = known_named(ctx->kernel, e->resource);
    *ret = kn && !kn->r->member && place_allows(ctx, kn->r, READ, e->community_id, e->place_id);
    if (!kn || *ret || (!kn->r->member && !own_grants(ctx, kn->r, READ))) return OK;
    struct fault kept = ctx->fault;
    void *row = row_new(ctx, kn->r);
    enum err err = row ? row_get(ctx, kn->r, e->row_id, row) : ERR_LIMIT;
    ctx->fault = kept;
    *ret = !err;
    return err == ERR_NOT_FOUND || err == ERR_DENIED ? OK : err;
}
