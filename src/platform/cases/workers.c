/* Who may be given a case: one rule for the step that assigns it and for the list it is chosen from.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/cases/workers.h"

#include "kernel/rows.h"
#include "platform/parties/parties.h"

#define ROLES_MAX 500 /* memberships looked at; more of them is said */

enum err case_worker(struct ctx *ctx, const struct case_row *c, int64_t person_id, const char *roles, bool *ret) {
    int64_t place = row_has(&cases, c, "place_id") ? c->place_id : 0;
    return party_holds(ctx, person_id, roles, c->row.community_id, place, ret);
}

/* The person of all[at] with his roles that work here; nothing where none does, or he was told before. */
static enum err put_worker(struct ctx *ctx, struct jw *j, const struct case_row *c, const struct membership_row *all,
                           size_t n, size_t at) {
    static const char *const roles[] = {"repairer", "guard", "grid", "dispatcher", "manager"};
    struct str name = {0};
    bool any, works;
    for (size_t i = 0; i < at; i++)
        if (all[i].person_id == all[at].person_id) return OK;
    TRY(case_worker(ctx, c, all[at].person_id, CASE_WORKERS " " CASE_DESK, &any));
    if (!any) return OK;
    TRY(row_labels(ctx, &people, &all[at].person_id, 1, &name));
    jw_put(j, "{'id':$,'name':$,'roles':[", JV(J_ID(all[at].person_id), J_STR(name)));
    for (size_t i = 0; i < COUNT(roles); i++) {
        bool seen = false;
        for (size_t k = at; k < n; k++) seen |= all[k].person_id == all[at].person_id && str_is(all[k].role, roles[i]);
        if (!seen) continue;
        TRY(case_worker(ctx, c, all[at].person_id, roles[i], &works));
        if (works) jw_cstr(j, roles[i]);
    }
    jw_put(j, "]}", NO_JV);
    return OK;
}

/* As far as the caller sees memberships. */
static enum err workers(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct case_row c = {0};
    struct list_query q = {.sort = FILTER_ID, .limit = ROLES_MAX};
    struct list_page page = {0};
    struct buf b;
    struct jw j;
    struct str text;
    int64_t id = 0;
    if (!str_to_i64(call->args[0], &id)) return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such case");
    TRY(row_get(ctx, &cases, id, &c));
    TRY(list_filter(ctx, &memberships, &q, S("role"), S("repairer,guard,grid,dispatcher,manager")));
    TRY(row_list(ctx, &memberships, &q, &page));
    buf_init_arena(&b, ctx->arena, 1 << 18);
    jw_init(&j, &b);
    jw_put(&j, "{'items':[", NO_JV);
    for (size_t i = 0; i < page.n; i++) TRY(put_worker(ctx, &j, &c, page.rows, page.n, i));
    jw_put(&j, "],'more':$}", JV(J_BOOL(page.next.ptr != NULL)));
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

const struct api_route worker_routes[1] = {
    {"GET", "/api/v1/cases/{id}/workers", 0, 0, workers,
     "Who may be given this case: id, name, roles that work there."},
};
