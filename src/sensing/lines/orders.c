/* Commands that go out over lines, and what came of them.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "sensing/lines/lines_internal.h"

#include "base/utf8.h"

#include <string.h>

/* ---- what came of it, loop thread to worker ---- */

void line_ended_add(struct line_set *l, int64_t command_id, bool is_done, struct str answer) {
    pthread_mutex_lock(&l->lock);
    if (l->ended_n < LINES_ENDED_MAX) { /* at the bound its row waits until it expires */
        struct line_ended *e = &l->ended[l->ended_n++];
        *e = (struct line_ended){.command_id = command_id, .is_done = is_done};
        utf8_copy(e->answer, sizeof e->answer, answer);
    }
    pthread_mutex_unlock(&l->lock);
    runner_wake(&l->runner);
}

void line_silent_add(struct line_set *l, int64_t device_id, bool is_silent) {
    pthread_mutex_lock(&l->lock);
    size_t i = 0;
    while (i < l->silent_n && l->silent[i].device_id != device_id) i++;
    if (i < LINES_SILENT_MAX) l->silent[i] = (struct line_silent){device_id, is_silent};
    if (i == l->silent_n && i < LINES_SILENT_MAX) l->silent_n++;
    pthread_mutex_unlock(&l->lock);
    runner_wake(&l->runner);
}

/* Withdrawn or expired meanwhile: its row says so already. */
static enum err end_command(struct ctx *ctx, const struct line_ended *x) {
    struct device_command patch = {0};
    uint64_t fields = UINT64_C(1) << field_index(&commands, "answer");
    if (x->answer[0]) SET(&commands, &patch, answer, str_of(x->answer));
    enum err e = row_act(ctx, &commands, x->command_id, 0, x->is_done ? "finish" : "fail", &patch, fields, NULL);
    if (e != ERR_CONFLICT && e != ERR_NOT_FOUND) return e;
    ctx->fault = (struct fault){0};
    return OK;
}

static enum err settle_commands(struct line_set *l, struct ctx *ctx) {
    for (;;) {
        struct line_ended x = {0};
        pthread_mutex_lock(&l->lock);
        size_t n = l->ended_n;
        if (n) x = l->ended[0];
        pthread_mutex_unlock(&l->lock);
        if (!n) return OK;
        TRY(end_command(ctx, &x));
        pthread_mutex_lock(&l->lock);
        memmove(l->ended, l->ended + 1, --l->ended_n * sizeof *l->ended);
        pthread_mutex_unlock(&l->lock);
    }
}

static enum err settle_silences(struct line_set *l, struct ctx *ctx) {
    for (;;) {
        struct line_silent x = {0};
        pthread_mutex_lock(&l->lock);
        size_t n = l->silent_n;
        if (n) x = l->silent[n - 1];
        pthread_mutex_unlock(&l->lock);
        if (!n) return OK;
        enum err e = device_step(ctx, x.device_id, x.is_silent ? "lose" : "hear");
        if (e && e != ERR_NOT_FOUND && e != ERR_CONFLICT) return e;
        ctx->fault = (struct fault){0};
        pthread_mutex_lock(&l->lock);
        bool is_same = l->silent_n == n && l->silent[n - 1].is_silent == x.is_silent;
        if (is_same) l->silent_n--;
        pthread_mutex_unlock(&l->lock);
    }
}

enum err line_orders_settle(struct line_set *l, struct ctx *ctx) {
    TRY(settle_commands(l, ctx));
    return settle_silences(l, ctx);
}

/* ---- commands that wait ---- */

struct waiting {
    struct device_command command;
    struct device device;
};

static enum err fail_now(struct ctx *ctx, int64_t id, const char *why) {
    struct line_ended x = {.command_id = id};
    utf8_copy(x.answer, sizeof x.answer, str_of(why));
    return end_command(ctx, &x);
}

static bool keep(struct arena *a, struct str *s) {
    return !s->ptr || arena_str(a, *s, s);
}

/* Marked as sent before it is: after a cut nobody knows whether it was, and it is not said twice. */
static enum err put_out(struct line_set *l, struct ctx *ctx, const struct waiting *w, const struct model_command *m) {
    struct line_outgoing *out = &l->out;
    const struct device *d = &w->device;
    bool is_noted = w->command.item.len; /* else it is from before items were */
    struct line_order o = {.command_id = w->command.row.id,
                           .device_id = d->row.id,
                           .device = d->code,
                           .address = d->address.len ? d->address : d->code,
                           .item = is_noted ? w->command.item : m->item,
                           .value = is_noted       ? w->command.told
                                    : m->value.len ? m->value
                                                   : w->command.value,
                           .key = d->password,
                           .until_ms = w->command.until_ms};
    if (!keep(&out->arena, &o.device) || !keep(&out->arena, &o.address) || !keep(&out->arena, &o.item) ||
        !keep(&out->arena, &o.value) || !keep(&out->arena, &o.key))
        return FAIL_MEMORY(ctx);
    enum err e = row_act(ctx, &commands, o.command_id, 0, "send", NULL, 0, NULL);
    if (e == ERR_CONFLICT || e == ERR_NOT_FOUND) { /* withdrawn this moment */
        ctx->fault = (struct fault){0};
        return OK;
    }
    if (e) return e;
    out->line_ids[out->n] = d->line_id;
    out->community_ids[out->n] = d->row.community_id;
    out->orders[out->n++] = o;
    return OK;
}

static enum err send_one(struct line_set *l, struct ctx *ctx, int64_t id) {
    struct waiting w = {0};
    struct model_command m = {0};
    bool found;
    TRY(row_get(ctx, &commands, id, &w.command));
    if (w.command.state != COMMAND_QUEUED) return OK;
    TRY(row_get(ctx, &devices, w.command.device_id, &w.device));
    if (!device_is_in_use(&w.device)) return fail_now(ctx, id, "the device is not in use any more");
    TRY(device_command(ctx, &w.device, w.command.command, &m, &found));
    if (!found) return fail_now(ctx, id, "its model knows no such command any more");
    return put_out(l, ctx, &w, &m);
}

static enum err read_commands(struct line_set *l, struct ctx *ctx) {
    int64_t ids[LINES_ORDERS_MAX];
    size_t n = 0;
    struct db_rows rows = {0};
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT id FROM commands WHERE state = 'queued' ORDER BY id LIMIT $1",
                          VALS(V_I64(LINES_ORDERS_MAX)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) ids[n++] = db_i64(&rows, 0);
    db_done(&rows);
    for (size_t i = 0; !e && i < n; i++) e = send_one(l, ctx, ids[i]);
    l->has_orders = n == LINES_ORDERS_MAX; /* perhaps there are more */
    return e;
}

enum err line_orders_read(struct line_set *l, struct ctx *ctx) {
    int64_t now = line_orders_generation();
    arena_reset(&l->out.arena);
    l->out.n = 0;
    if (now != l->orders_generation || l->has_orders) {
        TRY(read_commands(l, ctx));
        l->orders_generation = now;
    }
    return OK;
}
