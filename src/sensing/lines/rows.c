/* Lines as rows: reading them, writing how they are.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "base/utf8.h"
#include "sensing/lines/lines_internal.h"

#include <stdatomic.h>
#include <string.h>

static _Atomic int64_t generation = 1;

int64_t line_rows_generation(void) {
    return atomic_load(&generation);
}

static enum err changed(struct ctx *ctx, const struct event *e) {
    (void)ctx;
    (void)e;
    atomic_fetch_add(&generation, 1);
    return OK;
}

static const struct subscription listens[] = {
    {"lines.create", changed}, {"lines.update", changed}, {"lines.archive", changed}, {"lines.restore", changed}};

const struct module lines_module = {
    .name = "lines",
    .part = "sensing",
    ROWS(listens, listens),
    .roles = "admin manager dispatcher repairer",
};

enum err line_row_put(struct ctx *ctx, int64_t community_id, struct str name, const char *kind, int64_t port) {
    struct line_row r = {.row.community_id = community_id};
    SET(&line_rows, &r, name, name);
    SET(&line_rows, &r, kind, str_of(kind));
    if (port) SET(&line_rows, &r, port, port);
    SET(&line_rows, &r, enabled, true);
    return row_create(ctx, &line_rows, &r);
}

/* ---- between rows and the loop thread ---- */

enum err line_set_read(struct line_set *l, struct ctx *ctx) {
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = LINES_MAX};
    struct list_page page;
    l->loaded_n = 0;
    TRY(row_list(ctx, &line_rows, &q, &page));
    for (size_t i = 0; i < page.n; i++) {
        const struct line_row *r = (const struct line_row *)page.rows + i;
        struct line_spec *s = &l->loaded[l->loaded_n++];
        *s = (struct line_spec){.id = r->row.id,
                                .community_id = r->row.community_id,
                                .zone = kernel_zone(ctx, r->row.community_id),
                                .port = (int)r->port,
                                .state = r->state,
                                .enabled = r->enabled,
                                .has_port = row_has(&line_rows, r, "port")};
        utf8_copy(s->name, sizeof s->name, r->name);
        utf8_copy(s->kind, sizeof s->kind, r->kind);
        utf8_copy(s->bind, sizeof s->bind, r->bind);
        utf8_copy(s->address, sizeof s->address, r->address);
        utf8_copy(s->problem, sizeof s->problem, r->problem);
    }
    return OK;
}

static bool is_told(const struct line_entry *e) {
    return e->spec.state == e->state && !strcmp(e->spec.address, e->address) && !strcmp(e->spec.problem, e->problem);
}

static enum err write_state(struct line_set *l, struct ctx *ctx, struct line_entry *e) {
    static const char *const step_of[] = {[LINE_CLOSED] = "close", [LINE_OPEN] = "open", [LINE_FAILED] = "fail"};
    struct line_row patch = {0};
    uint64_t both = UINT64_C(1) << field_index(&line_rows, "address") | UINT64_C(1)
                                                                            << field_index(&line_rows, "problem");
    if (e->address[0]) SET(&line_rows, &patch, address, str_of(e->address));
    if (e->problem[0]) SET(&line_rows, &patch, problem, str_of(e->problem));
    enum err err = row_act(ctx, &line_rows, e->spec.id, 0, step_of[e->state], &patch, both, NULL);
    if (err && err != ERR_NOT_FOUND && err != ERR_CONFLICT) return err; /* archived meanwhile: nobody is told */
    ctx->fault = (struct fault){0};
    pthread_mutex_lock(&l->lock);
    e->spec.state = e->state;
    memcpy(e->spec.address, e->address, sizeof e->address);
    memcpy(e->spec.problem, e->problem, sizeof e->problem);
    pthread_mutex_unlock(&l->lock);
    return OK;
}

enum err line_set_tell(struct line_set *l, struct ctx *ctx) {
    for (size_t i = 0; i < l->entries_n; i++)
        if (l->entries[i].spec.id && !is_told(&l->entries[i])) TRY(write_state(l, ctx, &l->entries[i]));
    return OK;
}
