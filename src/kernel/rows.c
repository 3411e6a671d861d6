/* Every change of a row, in one transaction each.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"

#include "kernel/foreign.h"
#include "kernel/kernel_internal.h"
#include "kernel/outbox.h"
#include "kernel/search.h"
#include "kernel/work.h"

#include <string.h>

struct edit { /* one call, seen from inside its transaction */
    const struct known *kn;
    int64_t id, version;
    const char *step;
    const void *input; /* patch or the step's fields */
    uint64_t fields;
    void *row; /* what it becomes */
    bool restore;
};

void *row_new(struct ctx *ctx, const struct resource *r) {
    return arena_alloc(ctx->arena, 1, r->size, _Alignof(max_align_t));
}

/* ---- reading one ---- */

static enum err fetch(struct ctx *ctx, const struct known *kn, int64_t id, void *row) {
    struct sql q = sql_of(ctx);
    char *mem;
    size_t n;
    sql_put(&q, "SELECT $ FROM $ WHERE id = $", PARTS(Q_NAME(kn->columns), Q_NAME(kn->from), Q_I64(id)));
    memset(row, 0, kn->r->size); /* whatever fails leaves nothing in it */
    TRY(rows_load(ctx, kn, &q, kn->stored, &mem, &n));
    if (n) TRY(lines_load(ctx, kn, mem));
    if (!n || !rights_row(ctx, kn, READ, mem))
        return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such row in %s", kn->r->name);
    memcpy(row, mem, kn->r->size);
    return OK;
}

enum err row_get(struct ctx *ctx, const struct resource *r, int64_t id, void *ret_row) {
    return fetch(ctx, known_of(ctx->kernel, r), id, ret_row);
}

/* Runs fn over the edit as one write transaction; ret_row may be NULL. */
static enum err edit_run(struct ctx *ctx, struct edit *e, enum err (*fn)(struct ctx *ctx, void *arg), void *ret_row) {
    e->row = row_new(ctx, e->kn->r);
    if (!e->row) return FAIL_MEMORY(ctx);
    TRY(ctx_write(ctx, fn, e));
    if (ret_row) memcpy(ret_row, e->row, e->kn->r->size);
    return OK;
}

/* ---- what follows every change ---- */

static uint64_t changed_fields(const struct resource *r, const void *before, const void *after) {
    uint64_t bits = 0;
    for (size_t i = 0; i < r->fields_n; i++) {
        bool now = bit_has(row_of(after)->has, i);
        if (before ? !field_same(&r->fields[i], after, now, before, bit_has(row_of(before)->has, i)) : now)
            bits |= UINT64_C(1) << i;
    }
    return bits;
}

static bool step_waits(const struct resource *r, const char *step, int32_t state) {
    for (size_t i = 0; i < r->steps_n; i++)
        if (!strcmp(r->steps[i].name, step) && (r->steps[i].from == ANY_STATE || r->steps[i].from == state))
            return true;
    return false;
}

/* When the step comes by itself; false: it does not. */
static bool waits_until(const struct resource *r, const struct due *d, const void *row, int64_t *ret_ms) {
    size_t at = field_index(r, d->field);
    if (row_of(row)->archived_ms || !bit_has(row_of(row)->has, at) || (d->unless && row_has(r, row, d->unless)))
        return false;
    *ret_ms = field_i64(&r->fields[at], row) + d->plus_ms;
    return step_waits(r, d->step, row_state(r, row));
}

/* A timer is set when its row begins to wait, or for another time; one that has run while the row went on waiting for
 * the same time is done with. */
static enum err timers_keep(struct ctx *ctx, const struct known *kn, const void *row, const void *before) {
    const struct resource *r = kn->r;
    for (size_t i = 0; i < r->dues_n; i++) {
        const struct due *d = &r->dues[i];
        int64_t due_ms = 0, was_ms = 0;
        bool waits = waits_until(r, d, row, &due_ms), waited = before && waits_until(r, d, before, &was_ms);
        if (waits && !(waited && was_ms == due_ms)) TRY(timer_set(ctx, r, row_of(row)->id, d->step, due_ms));
        if (waited && !waits) TRY(timer_cancel(ctx, r, row_of(row)->id, d->step));
    }
    return OK;
}

static enum err trail(struct ctx *ctx, const struct known *kn, void *row, const struct change *change) {
    const struct row *h = row_of(row);
    ctx->rights_cache = NULL; /* who reaches what may be another matter now */
    TRY(audit_write(ctx, kn, h->id, h->community_id, change));
    TRY(timers_keep(ctx, kn, row, change->before));
    if (kn->search_bits & change->fields) TRY(search_put(ctx, kn->r, row, change->before));
    if (kn->r->after) TRY(kn->r->after(ctx, row, change->before));
    return event_emit(ctx, kn->r->name, h->id, h->community_id, row_place(kn, row),
                      change->step ? change->step : change->verb);
}

static enum err store(struct ctx *ctx, const struct known *kn, void *row, uint64_t fields) {
    struct row *h = row;
    struct sql q = sql_of(ctx);
    int64_t changed = 0;
    sql_put(&q, "UPDATE $ SET version = $, updated_ms = $, archived_ms = $, community_id = $",
            PARTS(Q_NAME(kn->r->name), Q_I64(h->version + 1), Q_I64(ctx->now_ms), Q_I64(h->archived_ms),
                  Q_I64(h->community_id)));
    for (size_t i = 0; i < kn->r->fields_n; i++) {
        const struct field *f = &kn->r->fields[i];
        if (!bit_has(fields & kn->stored, i)) continue;
        sql_put(&q, ", $ = $", PARTS(Q_NAME(f->name), Q_VAL(field_to_val(ctx, kn->r, f, row, bit_has(h->has, i)))));
    }
    sql_put(&q, " WHERE id = $ AND version = $", PARTS(Q_I64(h->id), Q_I64(h->version)));
    TRY(sql_exec(&q, &changed));
    if (!changed) return FAIL(&ctx->fault, ERR_STALE, "stale_version", "somebody changed this row meanwhile");
    h->version++;
    h->updated_ms = ctx->now_ms;
    return lines_save(ctx, kn, row, fields);
}

/* ---- where a row belongs ---- */

/* What is kept of a row (readings, alarms, cases, numbers) is its community's: once it is there, it stays there. */
static enum err belong(struct ctx *ctx, const struct known *kn, void *row, const void *before) {
    struct row *h = row;
    if (before && row_place(kn, row) == row_place(kn, before)) return OK;
    if (kn->r->flags & INSTALLATION) {
        h->community_id = 0;
        return OK;
    }
    if (kn->place == PLACE_IS_ID) return OK; /* a place knows by itself; its prepare() has said so */
    int64_t place = row_place(kn, row), community = 0;
    if (!place && kn->place != NO_FIELD && (kn->r->fields[kn->place].flags & REQUIRED))
        return FAIL_FIELD(&ctx->fault, kn->r->place, "required", 0);
    if (!place && (kn->r->flags & ROOT_ROWS)) {
        if (kn->place != NO_FIELD) h->community_id = 0;
        return OK;
    }
    if (place) TRY(place_community(ctx, place, &community));
    if (place && (!community || (before && community != h->community_id)))
        return FAIL_FIELD(&ctx->fault, kn->r->place, "bad_ref", 0);
    if (community) h->community_id = community;
    if (!h->community_id) TRY(actor_community(ctx, &h->community_id));
    return h->community_id ? OK : FAIL_FIELD(&ctx->fault, "community_id", "required", 0);
}

/* A row created as "my own" says whose it is without being told. */
static enum err fill_own(struct ctx *ctx, const struct known *kn, void *row) {
    const struct resource *r = kn->r;
    struct plan plan;
    TRY(rights_plan(ctx, kn, CREATE, &plan));
    for (size_t i = 0; ctx->actor.person_id && i < r->relations_n; i++) {
        size_t at = field_index(r, r->relations[i].column);
        if (r->relations[i].set != OWN_ME || at == NO_FIELD || bit_has(row_of(row)->has, at)) continue;
        if (!bit_has(plan.own, i)) continue;
        *(int64_t *)(void *)((char *)row + r->fields[at].at) = ctx->actor.person_id;
        row_set(r, row, r->fields[at].name);
    }
    return OK;
}

/* ---- create ---- */

static enum err insert(struct ctx *ctx, const struct known *kn, void *row) {
    const struct row *h = row;
    struct sql q = sql_of(ctx);
    sql_put(&q, "INSERT INTO $ ($) VALUES (", PARTS(Q_NAME(kn->r->name), Q_NAME(kn->columns)));
    for (size_t i = 0; i < SYSTEM_FIELDS; i++)
        sql_put(&q, i ? ", $" : "$", PARTS(Q_I64(field_i64(&system_fields[i], row))));
    for (size_t i = 0; i < kn->r->fields_n; i++)
        if (bit_has(kn->stored, i))
            sql_put(&q, ", $", PARTS(Q_VAL(field_to_val(ctx, kn->r, &kn->r->fields[i], row, bit_has(h->has, i)))));
    sql_add(&q, ")");
    TRY(sql_exec(&q, NULL));
    return lines_save(ctx, kn, row, ~UINT64_C(0));
}

static enum err create(struct ctx *ctx, void *arg) {
    struct edit *e = arg;
    const struct resource *r = e->kn->r;
    memcpy(e->row, e->input, r->size);
    struct row *h = e->row;
    *h = (struct row){.id = ctx->world->new_id(ctx->world->self),
                      .community_id = h->community_id,
                      .version = 1,
                      .created_ms = ctx->now_ms,
                      .created_by = ctx->actor.person_id,
                      .updated_ms = ctx->now_ms,
                      .has = h->has};
    if (field_state(r) != NO_FIELD) h->has |= UINT64_C(1) << field_state(r);
    TRY(fill_own(ctx, e->kn, e->row));
    if (e->kn->place != PLACE_IS_ID && belong(ctx, e->kn, e->row, NULL)) {
        if (ctx->fault.kind == ERR_INVALID) row_check_given(ctx, e->kn, e->row);
        return ctx->fault.kind;
    }
    if (r->prepare) TRY(r->prepare(ctx, e->row, NULL));
    if (!rights_row(ctx, e->kn, CREATE, e->row))
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not create this in %s", r->name);
    TRY(row_check(ctx, e->kn, e->row, NULL));
    TRY(insert(ctx, e->kn, e->row));
    struct change c = {.verb = "create", .after = e->row, .fields = h->has};
    return trail(ctx, e->kn, e->row, &c);
}

enum err row_create(struct ctx *ctx, const struct resource *r, void *row) {
    const struct known *kn = known_of(ctx->kernel, r);
    if (r->select || !(resource_verbs(ctx, r) & CREATE))
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not create %s", r->name);
    return edit_run(ctx, &(struct edit){.kn = kn, .input = row}, create, row);
}

/* ---- change ---- */

static void copy_fields(const struct resource *r, void *row, const void *from, uint64_t fields) {
    struct row *h = row;
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        uint64_t bit = UINT64_C(1) << i;
        if (!bit_has(fields, i)) continue;
        memcpy((char *)row + f->at, (const char *)from + f->at, field_kinds[f->kind].size);
        h->has = (h->has & ~bit) | (row_of(from)->has & bit);
    }
}

/* Reads the row, sees that it may be changed, and gives a copy of how it was. */
static enum err begin(struct ctx *ctx, struct edit *e, void **ret_before) {
    const struct resource *r = e->kn->r;
    void *before = row_new(ctx, r);
    if (!before) return FAIL_MEMORY(ctx);
    TRY(fetch(ctx, e->kn, e->id, e->row));
    if (e->version && e->version != row_of(e->row)->version)
        return FAIL(&ctx->fault, ERR_STALE, "stale_version", "somebody changed this row meanwhile");
    memcpy(before, e->row, r->size);
    *ret_before = before;
    return OK;
}

static enum err finish(struct ctx *ctx, struct edit *e, const void *before, const char *verb) {
    uint64_t fields = changed_fields(e->kn->r, before, e->row);
    TRY(store(ctx, e->kn, e->row, fields));
    struct change c = {.verb = verb, .step = e->step, .before = before, .after = e->row, .fields = fields};
    return trail(ctx, e->kn, e->row, &c);
}

static enum err not_archived(struct ctx *ctx, const void *row) {
    if (!row_of(row)->archived_ms) return OK;
    return FAIL(&ctx->fault, ERR_CONFLICT, "archived", "the row is archived; restore it first");
}

static enum err denied(struct ctx *ctx, const struct resource *r) {
    return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not do this to this row of %s", r->name);
}

static enum err update(struct ctx *ctx, void *arg) {
    struct edit *e = arg;
    const struct resource *r = e->kn->r;
    void *before;
    TRY(begin(ctx, e, &before));
    if (!rights_row(ctx, e->kn, UPDATE, e->row)) return denied(ctx, r);
    TRY(not_archived(ctx, e->row));
    TRY(foreign_check(ctx, r, e->id));
    copy_fields(r, e->row, e->input, e->fields);
    TRY(belong(ctx, e->kn, e->row, before));
    if (!rights_row(ctx, e->kn, UPDATE, e->row)) return denied(ctx, r);
    if (r->prepare) TRY(r->prepare(ctx, e->row, before));
    TRY(row_check(ctx, e->kn, e->row, before));
    if (!changed_fields(r, before, e->row)) return OK; /* nothing said, nothing to tell */
    return finish(ctx, e, before, "update");
}

enum err row_update(struct ctx *ctx, const struct resource *r, int64_t id, int64_t version, const void *patch,
                    uint64_t fields, void *ret_row) {
    if (r->select) return denied(ctx, r);
    struct edit e = {.kn = known_of(ctx->kernel, r), .id = id, .version = version, .input = patch, .fields = fields};
    return edit_run(ctx, &e, update, ret_row);
}

/* ---- steps ---- */

static enum err find_step(struct ctx *ctx, struct edit *e, const struct step **ret) {
    const struct resource *r = e->kn->r;
    int32_t state = row_state(r, e->row);
    bool named = false, from_here = false;
    for (size_t i = 0; i < r->steps_n; i++) {
        const struct step *s = &r->steps[i];
        if (strcmp(s->name, e->step)) continue;
        named = true;
        if (s->from != ANY_STATE && s->from != state) continue;
        from_here = true;
        if (!rights_step(ctx, e->kn, e->row, i)) continue;
        *ret = s;
        return OK;
    }
    if (!named) return FAIL(&ctx->fault, ERR_NOT_FOUND, "no_such_step", "%s has no such step", r->name);
    if (from_here) return denied(ctx, r);
    return FAIL(&ctx->fault, ERR_CONFLICT, "wrong_state", "%s is not possible in state %s", e->step,
                state == ANY_STATE ? "" : r->states[state]);
}

static enum err take_input(struct ctx *ctx, struct edit *e, const struct step *s) {
    const struct resource *r = e->kn->r;
    for (size_t i = 0; i < r->fields_n; i++) {
        struct str name = str_of(r->fields[i].name);
        if (bit_has(e->fields, i) && !word_in(s->takes, name))
            (void)FAIL_FIELD(&ctx->fault, r->fields[i].name, "unknown_field", 0);
        if (word_in(s->need, name) && !(e->input && bit_has(e->fields & row_of(e->input)->has, i)))
            (void)FAIL_FIELD(&ctx->fault, r->fields[i].name, "required", 0);
    }
    if (ctx->fault.kind) return ctx->fault.kind;
    if (e->input) copy_fields(r, e->row, e->input, e->fields);
    return OK;
}

static enum err act(struct ctx *ctx, void *arg) {
    struct edit *e = arg;
    const struct resource *r = e->kn->r;
    const struct step *s = NULL;
    void *before;
    TRY(begin(ctx, e, &before));
    TRY(not_archived(ctx, e->row));
    TRY(find_step(ctx, e, &s));
    TRY(foreign_check(ctx, r, e->id));
    if (s->guard) TRY(s->guard(ctx, e->row));
    TRY(take_input(ctx, e, s));
    if (s->to != ANY_STATE) *(int32_t *)(void *)((char *)e->row + r->fields[field_state(r)].at) = s->to;
    if (s->effect) TRY(s->effect(ctx, e->row));
    TRY(belong(ctx, e->kn, e->row, before));
    TRY(row_check(ctx, e->kn, e->row, before));
    return finish(ctx, e, before, "act");
}

enum err row_act(struct ctx *ctx, const struct resource *r, int64_t id, int64_t version, const char *step,
                 const void *input, uint64_t fields, void *ret_row) {
    struct edit e = {
        .kn = known_of(ctx->kernel, r), .id = id, .version = version, .step = step, .input = input, .fields = fields};
    return edit_run(ctx, &e, act, ret_row);
}

/* ---- archive and restore ---- */

static enum err archive(struct ctx *ctx, void *arg) {
    struct edit *e = arg;
    struct row *h = e->row;
    void *before;
    TRY(begin(ctx, e, &before));
    if ((e->kn->r->flags & NO_ARCHIVE) || !rights_row(ctx, e->kn, ARCHIVE, e->row)) return denied(ctx, e->kn->r);
    TRY(foreign_check(ctx, e->kn->r, e->id));
    if ((h->archived_ms != 0) == !e->restore) return OK; /* already so */
    if (e->restore && e->kn->r->dated) TRY(row_check_dated(ctx, e->kn, h));
    h->archived_ms = e->restore ? 0 : ctx->now_ms;
    return finish(ctx, e, before, e->restore ? "restore" : "archive");
}

enum err row_archive(struct ctx *ctx, const struct resource *r, int64_t id, int64_t version) {
    struct edit e = {.kn = known_of(ctx->kernel, r), .id = id, .version = version};
    return r->select ? denied(ctx, r) : edit_run(ctx, &e, archive, NULL);
}

enum err row_restore(struct ctx *ctx, const struct resource *r, int64_t id, int64_t version, void *ret_row) {
    struct edit e = {.kn = known_of(ctx->kernel, r), .id = id, .version = version, .restore = true};
    return r->select ? denied(ctx, r) : edit_run(ctx, &e, archive, ret_row);
}

/* ---- reveal ---- */

static enum err reveal(struct ctx *ctx, void *arg) {
    struct edit *e = arg;
    const struct resource *r = e->kn->r;
    TRY(fetch(ctx, e->kn, e->id, e->row));
    uint32_t may = row_reveal_classes(ctx, r, e->row) | row_clear_classes(ctx, r, e->row);
    for (size_t i = 0; i < r->fields_n; i++)
        if (bit_has(e->fields, i) && (r->fields[i].class == SECRET || (r->fields[i].class & ~may)))
            return denied(ctx, r);
    struct change c = {.verb = "reveal", .after = e->row, .fields = e->fields, .mask = true};
    return audit_write(ctx, e->kn, e->id, row_of(e->row)->community_id, &c);
}

static enum err note(struct ctx *ctx, void *arg) {
    struct edit *e = arg;
    TRY(fetch(ctx, e->kn, e->id, e->row));
    struct change c = {.verb = e->step};
    return audit_write(ctx, e->kn, e->id, row_of(e->row)->community_id, &c);
}

enum err row_note(struct ctx *ctx, const struct resource *r, int64_t id, const char *verb) {
    if (str_trim(ctx->reason).len < 2) return FAIL_FIELD(&ctx->fault, "reason", "required", 0);
    return edit_run(ctx, &(struct edit){.kn = known_of(ctx->kernel, r), .id = id, .step = verb}, note, NULL);
}

enum err row_reveal(struct ctx *ctx, const struct resource *r, int64_t id, uint64_t fields, void *ret_row) {
    if (str_trim(ctx->reason).len < 2) return FAIL_FIELD(&ctx->fault, "reason", "required", 0);
    if (!fields) return FAIL_FIELD(&ctx->fault, "fields", "required", 0);
    return edit_run(ctx, &(struct edit){.kn = known_of(ctx->kernel, r), .id = id, .fields = fields}, reveal, ret_row);
}
