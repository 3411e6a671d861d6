/* Timers of rows and jobs of modules, claimed in the store.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/work.h"

#include "kernel/kernel_internal.h"

#include <string.h>

#define LEASE_MS (INT64_C(5) * 60 * 1000)
#define NEVER_MS INT64_MAX

enum err timer_set(struct ctx *ctx, const struct resource *r, int64_t id, const char *step, int64_t due_ms) {
    return db_exec(ctx->db, &ctx->fault,
                   "INSERT INTO timers (resource, row_id, step, due_ms, lease_ms, tries) VALUES ($1, $2, $3, $4, 0, 0) "
                   "ON CONFLICT (resource, row_id, step) DO UPDATE SET due_ms = $4, lease_ms = 0, tries = 0",
                   VALS(V_TEXT(str_of(r->name)), V_I64(id), V_TEXT(str_of(step)), V_I64(due_ms)), NULL);
}

enum err timer_cancel(struct ctx *ctx, const struct resource *r, int64_t id, const char *step) {
    return db_exec(ctx->db, &ctx->fault, "DELETE FROM timers WHERE resource = $1 AND row_id = $2 AND step = $3",
                   VALS(V_TEXT(str_of(r->name)), V_I64(id), V_TEXT(str_of(step))), NULL);
}

struct claimed {
    struct str resource, step;
    int64_t row_id, due_ms, tries;
    const struct resource *r; /* NULL: there is no longer one of that name */
    bool found;
};

static const struct sql_shape claimed_shape =
    SQL_SHAPE(struct claimed, SQL_MEMBER(struct claimed, resource), SQL_MEMBER(struct claimed, row_id),
              SQL_MEMBER(struct claimed, step), SQL_MEMBER(struct claimed, due_ms), SQL_MEMBER(struct claimed, tries));

/* Takes the timer that is longest due; a lease keeps other processes off while it runs. */
static enum err claim(struct ctx *ctx, void *arg) {
    struct claimed *c = arg;
    struct sql_part now = Q_I64(ctx->now_ms);
    struct sql q = sql_of(ctx);
    struct sql_all all;
    sql_put(&q,
            "UPDATE timers SET lease_ms = $, tries = tries + 1 WHERE (resource, row_id, step) IN (SELECT resource, "
            "row_id, step FROM timers WHERE due_ms <= $ AND lease_ms <= $ ORDER BY due_ms LIMIT 1) RETURNING resource, "
            "row_id, step, due_ms, tries",
            PARTS(Q_I64(ctx->now_ms + LEASE_MS), now, now));
    TRY(sql_all(&q, &claimed_shape, &all));
    *c = all.n ? *(const struct claimed *)all.rows : (struct claimed){0};
    c->r = kernel_resource(ctx->kernel, c->resource);
    c->found = all.n > 0;
    return OK;
}

static enum err take_step(struct ctx *ctx, void *arg) {
    struct claimed *c = arg;
    int64_t gone = 0;
    /* Only the timer as it was claimed: the row's own change may have moved it meanwhile. */
    TRY(db_exec(ctx->db, &ctx->fault,
                "DELETE FROM timers WHERE resource = $1 AND row_id = $2 AND step = $3 AND due_ms = $4",
                VALS(V_TEXT(str_of(c->r->name)), V_I64(c->row_id), V_TEXT(c->step), V_I64(c->due_ms)), &gone));
    return gone ? row_act(ctx, c->r, c->row_id, 0, c->step.ptr, NULL, 0, NULL) : OK;
}

static enum err drop(struct ctx *ctx, void *arg) {
    struct claimed *c = arg;
    return timer_cancel(ctx, c->r, c->row_id, c->step.ptr);
}

static enum err put_off(struct ctx *ctx, void *arg) {
    struct claimed *c = arg;
    int64_t wait_ms = c->tries < 10 ? INT64_C(1000) << c->tries : 600000;
    return db_exec(ctx->db, &ctx->fault,
                   "UPDATE timers SET lease_ms = $1 WHERE resource = $2 AND row_id = $3 AND step = $4 AND due_ms = $5",
                   VALS(V_I64(ctx->now_ms + wait_ms), V_TEXT(str_of(c->r->name)), V_I64(c->row_id), V_TEXT(c->step),
                        V_I64(c->due_ms)),
                   NULL);
}

static enum err look(struct ctx *ctx, bool *ret_is_due) {
    int64_t due_ms;
    return db_one_i64(ctx->db, &ctx->fault,
                      "SELECT due_ms FROM timers WHERE due_ms <= $1 AND lease_ms <= $1 ORDER BY due_ms LIMIT 1",
                      VALS(V_I64(ctx->now_ms)), &due_ms, ret_is_due);
}

/* Only what is due may be leased, so of the rest the index knows the first. */
static enum err next_due(struct ctx *ctx, int64_t *ret_ms) {
    bool found;
    *ret_ms = NEVER_MS;
    return db_one_i64(ctx->db, &ctx->fault,
                      "SELECT MIN(t) FROM (SELECT MIN(lease_ms) AS t FROM timers WHERE due_ms <= $1 UNION ALL SELECT "
                      "MIN(due_ms) AS t FROM timers WHERE due_ms > $1) AS n",
                      VALS(V_I64(ctx->now_ms)), ret_ms, &found);
}

enum err timers_run(struct ctx *ctx, size_t most, size_t *ret_done, int64_t *ret_next_ms) {
    *ret_done = 0;
    *ret_next_ms = ctx->now_ms;
    ctx->actor = actor_system();
    for (size_t i = 0; i < most; i++) {
        struct claimed c;
        bool is_due;
        TRY(look(ctx, &is_due)); /* costs less than a claim */
        if (!is_due) return next_due(ctx, ret_next_ms);
        TRY(ctx_write(ctx, claim, &c));
        if (!c.found) return next_due(ctx, ret_next_ms);
        enum err e = c.r ? ctx_write(ctx, take_step, &c) : OK;
        if (e == ERR_BUSY || e == ERR_UNAVAILABLE) return e;
        bool is_past = e == ERR_NOT_FOUND || str_is(str_of(ctx->fault.code), "wrong_state") ||
                       str_is(str_of(ctx->fault.code), "archived");
        ctx->fault = (struct fault){0};
        if (e && is_past)
            TRY(ctx_write(ctx, drop, &c)); /* the row went on without it */
        else if (e)
            TRY(ctx_write(ctx, put_off, &c));
        else
            (*ret_done)++;
    }
    return OK;
}

/* ---- jobs ---- */

struct run {
    const struct job *job;
    bool claimed;
    int64_t next_ms, lease_ms; /* the lease is its own token: whoever claims later holds a later one */
};

static enum err job_next(struct ctx *ctx, struct run *run, bool *ret_found) {
    return db_one_i64(ctx->db, &ctx->fault, "SELECT next_ms FROM jobs WHERE name = $1",
                      VALS(V_TEXT(str_of(run->job->name))), &run->next_ms, ret_found);
}

static enum err job_claim(struct ctx *ctx, void *arg) {
    struct run *run = arg;
    int64_t changed = 0;
    bool found;
    run->lease_ms = ctx->now_ms + LEASE_MS;
    TRY(db_exec(ctx->db, &ctx->fault,
                "INSERT INTO jobs (name, next_ms, lease_ms, tries) VALUES ($1, $2, 0, 0) ON CONFLICT (name) DO NOTHING",
                VALS(V_TEXT(str_of(run->job->name)), V_I64(ctx->now_ms)), NULL));
    TRY(db_exec(ctx->db, &ctx->fault,
                "UPDATE jobs SET lease_ms = $2, next_ms = $3 WHERE name = $1 AND next_ms <= $4 AND lease_ms <= $4",
                VALS(V_TEXT(str_of(run->job->name)), V_I64(run->lease_ms), V_I64(ctx->now_ms + run->job->every_ms),
                     V_I64(ctx->now_ms)),
                &changed));
    run->claimed = changed > 0;
    return job_next(ctx, run, &found);
}

static enum err job_free(struct ctx *ctx, void *arg) {
    struct run *run = arg;
    return db_exec(ctx->db, &ctx->fault, "UPDATE jobs SET lease_ms = 0 WHERE name = $1 AND lease_ms = $2",
                   VALS(V_TEXT(str_of(run->job->name)), V_I64(run->lease_ms)), NULL);
}

enum err jobs_run(struct ctx *ctx, size_t *ret_done, int64_t *ret_next_ms) {
    const struct kernel_options *o = kernel_options(ctx->kernel);
    enum err first = OK;
    *ret_done = 0;
    *ret_next_ms = NEVER_MS;
    ctx->actor = actor_system();
    for (size_t m = 0; m < o->modules_n; m++)
        for (size_t i = 0; i < o->modules[m]->jobs_n; i++) {
            struct run run = {.job = &o->modules[m]->jobs[i]};
            bool found;
            TRY(job_next(ctx, &run, &found));
            if (!found || run.next_ms <= ctx->now_ms) TRY(ctx_write(ctx, job_claim, &run));
            if (run.next_ms < *ret_next_ms) *ret_next_ms = run.next_ms;
            if (!run.claimed) continue;
            enum err e = run.job->run(ctx);
            if (e && !first) first = e; /* it comes again after every_ms; the caller logs the fault */
            struct fault kept = ctx->fault;
            ctx->fault = (struct fault){0};
            TRY(ctx_write(ctx, job_free, &run));
            ctx->fault = kept;
            *ret_done += !e;
        }
    return first;
}
