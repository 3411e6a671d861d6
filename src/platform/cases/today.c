/* What needs doing now: the counts beside the lists.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/cases/today.h"

#include "kernel/rows.h"
#include "kernel/setting.h"
#include "platform/cases/cases.h"
#include "platform/rules/alarms.h"
#include "platform/things/things.h"

/* Rows of a resource that the caller may read, by one filter; counted up to LIST_LIMIT_MAX. */
static enum err count(struct ctx *ctx, struct str resource, const char *field, const char *value, int64_t *ret) {
    const struct resource *r = kernel_resource(ctx->kernel, resource);
    struct list_query q = {.sort = FILTER_ID, .limit = 1, .want_total = true};
    struct list_page page = {0};
    *ret = 0;
    if (!r || !(resource_verbs(ctx, r) & READ)) return OK;
    if (field) TRY(list_filter(ctx, r, &q, str_of(field), str_of(value)));
    TRY(row_list(ctx, r, &q, &page));
    *ret = page.total < 0 ? LIST_LIMIT_MAX : page.total;
    return OK;
}

static enum err put_count(struct ctx *ctx, struct jw *j, const char *key, struct str resource, const char *field,
                          const char *value) {
    int64_t n;
    TRY(count(ctx, resource, field, value, &n));
    jw_ki64(j, key, n);
    return OK;
}

static enum err put_states(struct ctx *ctx, struct jw *j, const char *key, const struct resource *r) {
    jw_key(j, key);
    jw_open(j, '{');
    for (size_t i = 0; i < r->states_n; i++)
        TRY(put_count(ctx, j, r->states[i], str_of(r->name), "state", r->states[i]));
    jw_close(j, '}');
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
    TRY(put_states(ctx, &j, "cases", &cases));
    TRY(put_states(ctx, &j, "alarms", &alarms));
    TRY(put_states(ctx, &j, "devices", &devices));
    TRY(put_count(ctx, &j, "visits_waiting", S("visits"), "state", "asked"));
    TRY(put_count(ctx, &j, "notices_unseen", S("notices"), "state", "sent"));
    jw_close(&j, '}');
    jw_close(&j, '}');
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

const struct api_route today_routes[1] = {
    {"GET", "/api/v1/today", 0, 0, today, "Counts of what needs doing now, as far as the caller may see."},
};
