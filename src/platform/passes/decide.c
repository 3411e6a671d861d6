/* Who may pass: passes of a value are judged, a passage is put down.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/passes/passes_internal.h"

#include "kernel/rows.h"
#include "kernel/setting.h"
#include "platform/things/things.h"

#define PAGE           200
#define PAGES_MAX      10 /* of passes that a search for the value finds: those whose last four characters are it, too */
#define RECENT_MAX     50 /* passages of a device that are looked at for the same thing */
#define MINUTE_MS      INT64_C(60000)
#define HOUR_MS        INT64_C(3600000)
#define CLOCK_BACK_MS  (INT64_C(1096) * 86400000) /* as far back as readings are taken */
#define CLOCK_AHEAD_MS HOUR_MS
#define HOURS_A_DAY    24

static const char *const kinds[] = {
    [PASSING_PLATE] = "plate", [PASSING_CARD] = "card", [PASSING_CODE] = "code", [PASSING_FACE] = "face"};

struct str pass_word(enum pass_why why) {
    struct str rest = S(PASS_WORDS), word = {NULL, 0};
    if (why == PASS_AGAIN) return S("again");
    for (int i = 0; i <= (int)why && str_word(&rest, &word); i++) continue;
    return word;
}

/* ---- one pass ---- */

static bool is_hour(const struct pass *p, struct civil now, int64_t day) {
    int64_t from = row_has(&passes, p, "from_hour") ? p->from_hour : 0;
    int64_t until = row_has(&passes, p, "until_hour") ? p->until_hour : HOURS_A_DAY;
    bool in_hours = from < until ? now.hour >= from && now.hour < until : now.hour >= from || now.hour < until;
    if (!in_hours || !p->weekdays.len) return in_hours;
    if (from > until && now.hour < until) day--; /* still the night of the day before */
    for (size_t i = 0; i < p->weekdays.len; i++)
        if (p->weekdays.ptr[i] - '0' == civil_weekday(day)) return true;
    return false;
}

static enum err judge(struct ctx *ctx, const struct pass *p, int64_t place_id, enum pass_why *ret) {
    int64_t one, now = ctx->now_ms;
    bool is_here;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT 1 FROM place_closure WHERE ancestor = $1 AND descendant = $2 LIMIT 1",
                   VALS(V_I64(p->place_id), V_I64(place_id)), &one, &is_here));
    const struct zone *zone = kernel_zone(ctx, p->row.community_id);
    struct civil local = zone_civil(zone, now);
    *ret = PASS_GIVEN;
    if (!is_here)
        *ret = PASS_ELSEWHERE;
    else if (row_has(&passes, p, "from_ms") && now < p->from_ms)
        *ret = PASS_EARLY;
    else if (row_has(&passes, p, "until_ms") && now >= p->until_ms)
        *ret = PASS_OVER;
    else if (!is_hour(p, local, civil_day(local.year, local.month, local.day)))
        *ret = PASS_HOURS;
    return OK;
}

/* The nearer to opening the better: by the order of enum pass_why, PASS_GIVEN best of all. */
static bool is_better(enum pass_why a, enum pass_why b) {
    return b != PASS_GIVEN && (a == PASS_GIVEN || a > b);
}

static enum err judge_page(struct ctx *ctx, const struct list_page *page, int64_t community_id, int64_t place_id,
                           struct str value, struct pass_verdict *ret) {
    for (size_t i = 0; i < page->n; i++) {
        const struct pass *p = (const struct pass *)page->rows + i;
        enum pass_why why;
        if (!str_eq(p->value, value)) continue; /* found by its end, or by its holder's name */
        TRY(judge(ctx, p, place_id, &why));
        if (why == PASS_ELSEWHERE && p->row.community_id != community_id) continue; /* no business of this gate */
        if (is_better(why, ret->why)) *ret = (struct pass_verdict){.why = why, .pass_id = p->row.id};
    }
    return OK;
}

static enum err check(struct ctx *ctx, int64_t community_id, int64_t place_id, const struct passing *p,
                      struct pass_verdict *ret) {
    struct db_val kind = V_TEXT(str_of(kinds[p->kind]));
    struct list_query q = {.sort = FILTER_ID, .limit = PAGE, .search = p->value};
    struct list_page page;
    q.filters[q.filters_n++] = (struct filter){field_index(&passes, "kind"), FILTER_IN, &kind, 1};
    *ret = (struct pass_verdict){.why = PASS_UNKNOWN};
    for (int i = 0; i < PAGES_MAX && ret->why != PASS_GIVEN; i++) {
        TRY(row_list(ctx, &passes, &q, &page));
        TRY(judge_page(ctx, &page, community_id, place_id, p->value, ret));
        if (!page.next.ptr) break;
        q.cursor = page.next;
    }
    return OK;
}

enum err pass_check(struct ctx *ctx, int64_t community_id, int64_t place_id, const struct passing *p,
                    struct pass_verdict *ret) {
    struct actor actor = ctx->actor;
    struct pass_verdict v;
    ctx->actor = actor_system();
    enum err e = check(ctx, community_id, place_id, p, &v);
    ctx->actor = actor;
    if (!e) *ret = v;
    return e;
}

/* ---- a passage ---- */

struct taking {
    int64_t community_id;
    const struct passing *all;
    size_t n;
    struct device device;
    bool is_known;
    const struct passing *shown; /* what decided */
    struct pass_verdict verdict;
    bool was_said; /* this message */
    bool is_same;  /* no passage of its own */
};

static void same(struct taking *t, const struct passage *p, enum pass_why why) {
    t->is_same = true;
    t->verdict =
        (struct pass_verdict){.why = why, .pass_id = p->pass_id, .passage_id = p->row.id, .is_repeat = t->was_said};
}

static bool is_fresh(const struct ctx *ctx, const struct passage *p) {
    return ctx->now_ms - p->row.created_ms < PASS_SAME_MS;
}

/* The same message: its answer may have been lost on the way, but what it asks for is asked once. */
static enum err look_for_message(struct ctx *ctx, struct taking *t) {
    struct passage p = {0};
    int64_t id;
    bool found;
    if (!t->all[0].serial.len) return OK;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM passages WHERE community_id = $1 AND device = $2 AND serial = $3 ORDER BY id DESC "
                   "LIMIT 1",
                   VALS(V_I64(t->community_id), V_TEXT(t->all[0].device), V_TEXT(t->all[0].serial)), &id, &found));
    if (!found) return OK;
    t->was_said = true;
    TRY(row_get(ctx, &passages, id, &p));
    if (!is_fresh(ctx, &p))
        same(t, &p, PASS_AGAIN);
    else if (p.granted)
        same(t, &p, PASS_GIVEN);
    return OK;
}

/* A clock that began anew in 1970, or is far ahead, tells nothing: who stands there stands there now. */
static int64_t time_of(struct ctx *ctx, const struct taking *t, const struct passing *x) {
    int64_t at_ms = x->at_ms, offset_ms = zone_offset_s(kernel_zone(ctx, t->community_id), ctx->now_ms) * INT64_C(1000);
    if (!at_ms && x->at_s) at_ms = x->at_s * 1000 - offset_ms;
    bool is_off = at_ms < ctx->now_ms - CLOCK_BACK_MS || at_ms > ctx->now_ms + CLOCK_AHEAD_MS;
    return is_off ? ctx->now_ms : at_ms;
}

/* What a device kept while it was away comes all at once, and was hours apart. */
static bool is_near(struct ctx *ctx, const struct taking *t, const struct passing *x, const struct passage *p) {
    int64_t apart_ms = time_of(ctx, t, x) - p->at_ms;
    return apart_ms < PASS_SAME_MS && apart_ms > -PASS_SAME_MS;
}

static bool is_shown(struct ctx *ctx, const struct taking *t, const struct passage *p) {
    for (size_t i = 0; i < t->n; i++)
        if (str_is(p->kind, kinds[t->all[i].kind]) && str_eq(p->value, t->all[i].value) &&
            (t->verdict.why != PASS_LATE || is_near(ctx, t, &t->all[i], p)))
            return true;
    return false;
}

/* Cameras see a vehicle more than once.  Who was let in is let in; who was not is judged anew, and put down anew where
 * the verdict is another. */
static enum err look_for_same(struct ctx *ctx, struct taking *t) {
    int64_t since_ms = ctx->now_ms - PASS_SAME_MS + 1;
    struct db_val device = V_TEXT(t->all[0].device), since = V_I64(since_ms), community = V_I64(t->community_id),
                  first = V_I64(id_first_at(since_ms)); /* for the index of the device */
    struct list_query q = {.sort = FILTER_ID, .limit = RECENT_MAX};
    struct list_page page;
    q.filters[q.filters_n++] = (struct filter){field_index(&passages, "device"), FILTER_IN, &device, 1};
    q.filters[q.filters_n++] = (struct filter){FILTER_COMMUNITY, FILTER_IN, &community, 1};
    q.filters[q.filters_n++] = (struct filter){FILTER_CREATED, FILTER_GTE, &since, 1};
    q.filters[q.filters_n++] = (struct filter){FILTER_ID, FILTER_GTE, &first, 1};
    TRY(row_list(ctx, &passages, &q, &page));
    for (size_t i = 0; i < page.n && !t->is_same; i++) {
        const struct passage *p = (const struct passage *)page.rows + i;
        if (!is_shown(ctx, t, p)) continue;
        if (p->granted) /* what is late opens nothing, though he was let in then */
            same(t, p, t->verdict.why == PASS_LATE ? PASS_LATE : PASS_GIVEN);
        else if (str_eq(p->why, pass_word(t->verdict.why)))
            same(t, p, t->verdict.why);
        break; /* the last one counts */
    }
    return OK;
}

static enum err look_at_device(struct ctx *ctx, struct taking *t) {
    TRY(device_by_code(ctx, t->community_id, t->all[0].device, &t->device, &t->is_known));
    t->is_known = t->is_known && t->device.state != DEVICE_NEW && t->device.state != DEVICE_RETIRED;
    return OK;
}

/* Digits can be guessed, cards and plates hardly.  A right code begins the count anew; what is typed while codes are
 * paused does not go on with it, so that nobody can hold a door shut for ever. */
static enum err is_paused(struct ctx *ctx, const struct taking *t, bool *ret) {
    int64_t most, pause_min, wrong;
    bool found;
    *ret = false;
    if (t->all[0].kind != PASSING_CODE) return OK;
    TRY(setting_i64(ctx, t->community_id, PASS_WRONG_CODES, &most));
    TRY(setting_i64(ctx, t->community_id, PASS_PAUSE, &pause_min));
    int64_t since_ms = ctx->now_ms - pause_min * MINUTE_MS + 1;
    TRY(db_one_i64(
        ctx->db, &ctx->fault,
        "WITH typed AS (SELECT id, granted FROM passages WHERE community_id = $1 AND device = $2 AND "
        "archived_ms = 0 AND id >= $3 AND created_ms >= $4 AND kind = 'code' AND why <> 'paused') SELECT "
        "COUNT(*) FROM typed WHERE id > COALESCE((SELECT MAX(id) FROM typed WHERE granted = 1), 0)",
        VALS(V_I64(t->community_id), V_TEXT(t->all[0].device), V_I64(id_first_at(since_ms)), V_I64(since_ms)), &wrong,
        &found));
    *ret = most && wrong >= most;
    return OK;
}

static enum err decide(struct ctx *ctx, struct taking *t) {
    const struct passing *first = &t->all[0];
    int64_t sure_pct, late_s;
    TRY(setting_i64(ctx, t->community_id, PASS_SURE, &sure_pct));
    TRY(setting_i64(ctx, t->community_id, PASS_LATE_AFTER, &late_s));
    bool is_old = late_s && ctx->now_ms - time_of(ctx, t, first) > late_s * 1000;
    t->shown = first;
    t->verdict = (struct pass_verdict){.why = PASS_NOWHERE};
    if (!t->is_known || !row_has(&devices, &t->device, "place_id")) return OK;
    t->verdict.why = first->is_late || is_old ? PASS_LATE : PASS_UNSURE;
    if (t->verdict.why == PASS_LATE || (first->sure_pct && first->sure_pct < sure_pct)) return OK;
    bool paused;
    TRY(is_paused(ctx, t, &paused));
    t->verdict.why = paused ? PASS_PAUSED : PASS_UNKNOWN;
    if (paused) return OK;
    for (size_t i = 0; i < t->n && t->verdict.why != PASS_GIVEN; i++) {
        struct pass_verdict v;
        TRY(check(ctx, t->community_id, t->device.place_id, &t->all[i], &v));
        if (!is_better(v.why, t->verdict.why)) continue;
        t->verdict = v;
        t->shown = &t->all[i];
    }
    return OK;
}

static enum err put_down(struct ctx *ctx, struct taking *t) {
    struct passage p = {.row.community_id = t->community_id};
    const struct passing *x = t->shown;
    SET(&passages, &p, device, x->device);
    SET(&passages, &p, kind, str_of(kinds[x->kind]));
    SET(&passages, &p, value, x->value);
    SET(&passages, &p, granted, t->verdict.why == PASS_GIVEN);
    SET(&passages, &p, why, pass_word(t->verdict.why));
    SET(&passages, &p, at_ms, time_of(ctx, t, x));
    if (x->serial.len) SET(&passages, &p, serial, x->serial);
    if (t->verdict.pass_id) SET(&passages, &p, pass_id, t->verdict.pass_id);
    if (t->is_known) SET(&passages, &p, device_id, t->device.row.id);
    if (t->is_known && row_has(&devices, &t->device, "place_id")) SET(&passages, &p, place_id, t->device.place_id);
    struct str way = x->way.len ? x->way : t->is_known ? t->device.way : S("");
    if (way.len) SET(&passages, &p, direction, way);
    TRY(row_create(ctx, &passages, &p));
    t->verdict.passage_id = p.row.id;
    return OK;
}

static enum err take(struct ctx *ctx, void *arg) {
    struct taking *t = arg;
    *t = (struct taking){.community_id = t->community_id, .all = t->all, .n = t->n}; /* it may be run again */
    TRY(look_for_message(ctx, t));
    if (t->is_same) return OK;
    TRY(look_at_device(ctx, t));
    TRY(decide(ctx, t));
    TRY(look_for_same(ctx, t));
    return t->is_same ? OK : put_down(ctx, t);
}

enum err pass_take(struct ctx *ctx, int64_t community_id, const struct passing *all, size_t n,
                   struct pass_verdict *ret) {
    struct taking t = {.community_id = community_id, .all = all, .n = n};
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = ctx_write(ctx, take, &t);
    ctx->actor = actor;
    if (!e) *ret = t.verdict;
    return e;
}
