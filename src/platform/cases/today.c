/* What needs doing now: the counts beside the lists.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/cases/today.h"

#include "kernel/rows.h"
#include "kernel/setting.h"
#include "platform/cases/cases.h"
#include "platform/rules/alarms.h"
#include "platform/things/things.h"

#include <stdio.h>

/* Rows of a resource that the caller may read and that its filters "state=new&…" let pass; up to LIST_LIMIT_MAX. */
static enum err count(struct ctx *ctx, const struct resource *r, struct str filters, int64_t *ret) {
    struct list_query q = {.sort = FILTER_ID, .limit = 1, .want_total = true};
    struct list_page page = {0};
    struct str value, field;
    *ret = 0;
    if (!(resource_verbs(ctx, r) & READ)) return OK;
    while (str_cut(&filters, '&', &value))
        if (str_cut(&value, '=', &field)) TRY(list_filter(ctx, r, &q, field, value));
    TRY(row_list(ctx, r, &q, &page));
    *ret = page.total < 0 ? LIST_LIMIT_MAX : page.total;
    return OK;
}

static enum err put_states(struct ctx *ctx, struct jw *j, const struct resource *r) {
    jw_key(j, r->name);
    jw_open(j, '{');
    for (size_t i = 0; i < r->states_n; i++) {
        char filter[64];
        int64_t n;
        snprintf(filter, sizeof filter, "state=%s", r->states[i]);
        TRY(count(ctx, r, str_of(filter), &n));
        jw_ki64(j, r->states[i], n);
    }
    jw_close(j, '}');
    return OK;
}

/* The views of a resource that wait for somebody. */
static enum err put_waiting(struct ctx *ctx, struct jw *j, const struct resource *r) {
    for (size_t i = 0; i < r->views_n; i++) {
        const struct view *v = &r->views[i];
        int64_t n;
        if (!v->waits || !(resource_verbs(ctx, r) & READ)) continue;
        TRY(count(ctx, r, str_of(v->filter), &n));
        jw_put(j, "{'resource':$,'view':$,'n':$}", JV(J_CSTR(r->name), J_CSTR(v->name), J_I64(n)));
    }
    return OK;
}

static enum err today(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct buf b;
    struct jw j;
    struct str text;
    (void)call;
    buf_init_arena(&b, ctx->arena, 16384);
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_ki64(&j, "now_ms", ctx->now_ms);
    struct str zh, en;
    int64_t community_id;
    TRY(actor_community(ctx, &community_id));
    TRY(setting_text(ctx, community_id, "today.banner_zh", &zh));
    TRY(setting_text(ctx, community_id, "today.banner_en", &en));
    jw_key(&j, "banner");
    jw_open(&j, '{');
    jw_kstr(&j, "zh", zh);
    jw_kstr(&j, "en", en);
    jw_close(&j, '}');
    jw_key(&j, "counts");
    jw_open(&j, '{');
    TRY(put_states(ctx, &j, &cases));
    TRY(put_states(ctx, &j, &alarms));
    TRY(put_states(ctx, &j, &devices));
    jw_close(&j, '}');
    jw_key(&j, "waiting");
    jw_open(&j, '[');
    for (size_t i = 0; i < kernel_resources(ctx->kernel); i++)
        TRY(put_waiting(ctx, &j, kernel_resource_at(ctx->kernel, i)));
    jw_close(&j, ']');
    jw_close(&j, '}');
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

const struct api_route today_routes[1] = {
    {"GET", "/api/v1/today", 0, 0, today, "Counts of what needs doing now, as far as the caller may see."},
};
