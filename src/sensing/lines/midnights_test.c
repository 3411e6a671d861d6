/* Whom is asked for which midnights, and when: the latest first, once around none, and who keeps none is left in peace.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/estate_test_internal.h"
#include "sensing/lines/lines_internal.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)
#define DAY_MS    (24 * HOUR_MS)
#define CODE      "M-1"

struct site {
    struct estate e;
    struct line_set *lines;
    struct line_entry *entry;
    int64_t device_id;
    struct line_order asked; /* last; midnight_ms 0: nothing was */
    char item[32];
    int times;
};
static struct site *now; /* estate_do() hands nothing on */
static const char *item = "00010000";

static enum err a_meter(struct ctx *ctx, struct estate *e) {
    static struct model_metric asked[] = {{.has = 0x201, .metric = {"energy", 6}}};
    struct device_model m = {0};
    struct device d = {.row.community_id = e->id};
    asked[0].item = str_of(item);
    SET(&device_models, &m, code, S("meter"));
    SET(&device_models, &m, name, S("meter"));
    SET(&device_models, &m, metrics, (struct lines){asked, COUNT(asked)});
    TRY(row_create(ctx, &device_models, &m));
    SET(&devices, &d, name, S("meter"));
    SET(&devices, &d, code, S(CODE));
    SET(&devices, &d, model, S("meter"));
    SET(&devices, &d, address, S("000000000889"));
    SET(&devices, &d, place_id, e->id);
    TRY(row_create(ctx, &devices, &d));
    now->device_id = d.row.id;
    return OK;
}

static void start(struct site *s, struct t *t, const char *of_model) {
    *s = (struct site){.lines = calloc(1, sizeof *s->lines)};
    if (!s->lines) abort();
    now = s;
    item = of_model;
    estate_start(&s->e, t);
    estate_do(&s->e, a_meter);
    s->lines->o = (struct lines_options){.world = &t->world, .feed = s->e.feed};
    pthread_mutex_init(&s->lines->lock, NULL);
    arena_init(&s->lines->out.arena, 1 << 20);
    s->entry = &s->lines->entries[s->lines->entries_n++];
    s->entry->heard = heard_create();
    s->entry->spec = (struct line_spec){.id = 7, .community_id = s->e.id, .kind = "dlt645"};
    test_loop_start(&s->e.loop);
}

static void nothing(void *arg) {
    (void)arg;
}

static void stop(struct site *s) {
    estate_stop(&s->e, nothing, NULL);
    heard_destroy(s->entry->heard);
    arena_finish(&s->lines->out.arena);
    pthread_mutex_destroy(&s->lines->lock);
    free(s->lines);
}

static int64_t utc_ms(const struct site *s) {
    return s->e.t->world.utc_ms(s->e.t->world.self);
}

static int64_t today_ms(const struct site *s) {
    return zone_day_start_ms(NULL, utc_ms(s));
}

static enum err look_once(struct ctx *ctx, struct estate *e) {
    (void)e;
    return line_midnights_read(now->lines, ctx);
}

/* The meter answers what else it is asked. */
static void look(struct site *s) {
    struct line_outgoing *out = &s->lines->out;
    out->n = 0;
    arena_reset(&out->arena);
    heard_note(s->entry->heard, S(CODE), HEARD_FRAME, S(""), utc_ms(s));
    estate_do(&s->e, look_once);
    CHECK(s->e.t, out->n <= 1);
    s->asked = out->n ? out->orders[0] : (struct line_order){0};
    s->times += (int)out->n;
    snprintf(s->item, sizeof s->item, STR_FMT, STR_ARG(s->asked.item));
    CHECK(s->e.t, !out->n || (out->line_ids[0] == 7 && str_is(s->asked.address, "000000000889")));
}

static void look_after(struct site *s, int64_t ms) {
    world_sim_advance(&s->e.t->sim, ms);
    look(s);
}

/* To that long behind the next midnight. */
static void next_day(struct site *s, int64_t behind_ms) {
    look_after(s, today_ms(s) + DAY_MS + behind_ms - utc_ms(s));
}

static void ends(struct site *s, enum line_kept what) {
    line_midnight_ended(s->lines, s->device_id, s->asked.midnight_ms, what);
}

static void the_latest_is_asked_for_first_and_each_once(struct t *t) {
    struct site s;
    start(&s, t, "00010000");
    look(&s);
    CHECK(t, !s.asked.midnight_ms); /* the device is not as old as any */
    world_sim_advance(&t->sim, 2 * DAY_MS);
    next_day(&s, HOUR_MS);
    CHECK(t, s.asked.midnight_ms == today_ms(&s) && !strcmp(s.item, "05060001+05060101"));
    look_after(&s, MINUTE_MS); /* it is on its way */
    CHECK(t, s.times == 1);
    look_after(&s, 10 * MINUTE_MS); /* it was lost, with the line or before the store */
    CHECK(t, s.times == 2 && s.asked.midnight_ms == today_ms(&s));
    for (int ago = 1; ago <= 2; ago++) {
        ends(&s, LINE_KEPT);
        look_after(&s, MINUTE_MS);
        CHECK(t, s.asked.midnight_ms == today_ms(&s) - ago * DAY_MS && s.times == 2 + ago);
    }
    ends(&s, LINE_KEPT);
    for (int i = 0; i < 3; i++) look_after(&s, MINUTE_MS);
    CHECK_SAY(t, s.times == 4 && !s.lines->midnights_n, "%d times", s.times);
    next_day(&s, HOUR_MS);
    CHECK(t, s.asked.midnight_ms == today_ms(&s) && s.times == 5);
    ends(&s, LINE_KEPT);
    look_after(&s, MINUTE_MS);
    CHECK(t, s.times == 5); /* those before are done */
    stop(&s);
}

/* Meters' clocks differ, and at midnight each item becomes the one before. */
static void nobody_is_asked_around_midnight(struct t *t) {
    static const struct {
        int64_t behind_ms;
        bool is_asked;
        int64_t within_ms;
    } all[] = {{-31 * MINUTE_MS, true, MINUTE_MS},
               {-30 * MINUTE_MS, false, 0},
               {29 * MINUTE_MS, false, 0},
               {30 * MINUTE_MS, true, 10 * MINUTE_MS}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct site s;
        start(&s, t, "00010000");
        world_sim_advance(&t->sim, 2 * DAY_MS);
        next_day(&s, all[i].behind_ms);
        CHECK_SAY(t, (s.asked.midnight_ms != 0) == all[i].is_asked, "row %zu", i);
        if (s.asked.midnight_ms) CHECK_SAY(t, s.asked.until_ms == utc_ms(&s) + all[i].within_ms, "row %zu", i);
        stop(&s);
    }
}

static void who_does_not_answer_is_left_in_peace_longer_and_longer(struct t *t) {
    static const int days[] = {1, 2, 4, 8, 8};
    struct site s;
    start(&s, t, "00010000");
    world_sim_advance(&t->sim, 40 * DAY_MS);
    next_day(&s, 2 * HOUR_MS);
    for (size_t i = 0; i < COUNT(days); i++) {
        int before = s.times;
        CHECK(t, s.asked.midnight_ms == today_ms(&s));
        ends(&s, LINE_KEPT_SILENT);
        for (int hours = 1; hours < 24 * days[i]; hours++) look_after(&s, HOUR_MS);
        CHECK_SAY(t, s.times == before, "%zu: %d times", i, s.times - before);
        look_after(&s, HOUR_MS + MINUTE_MS);
        CHECK_SAY(t, s.times == before + 1, "%zu: %d times", i, s.times - before);
    }
    ends(&s, LINE_KEPT); /* it does, after all: from there on back, at once */
    look_after(&s, MINUTE_MS);
    CHECK(t, s.asked.midnight_ms == today_ms(&s) - DAY_MS);
    stop(&s);
}

static void who_keeps_none_is_asked_for_no_older_one(struct t *t) {
    struct site s;
    start(&s, t, "00010000");
    world_sim_advance(&t->sim, 5 * DAY_MS);
    next_day(&s, 2 * HOUR_MS);
    ends(&s, LINE_KEPT);
    look_after(&s, MINUTE_MS);
    CHECK(t, s.times == 2);
    ends(&s, LINE_KEPT_NONE);
    for (int i = 0; i < 20; i++) look_after(&s, HOUR_MS);
    CHECK(t, s.times == 2);
    next_day(&s, HOUR_MS);
    CHECK(t, s.times == 3 && s.asked.midnight_ms == today_ms(&s));
    ends(&s, LINE_KEPT);
    look_after(&s, MINUTE_MS);
    CHECK(t, s.times == 3);
    stop(&s);
}

static void meters_of_1997_keep_none(struct t *t) {
    struct site s;
    start(&s, t, "9010");
    for (int i = 0; i < 5; i++) next_day(&s, HOUR_MS);
    CHECK(t, !s.times && !s.lines->midnights_n);
    stop(&s);
}

TESTS(CASE(the_latest_is_asked_for_first_and_each_once), CASE(nobody_is_asked_around_midnight),
      CASE(who_does_not_answer_is_left_in_peace_longer_and_longer), CASE(who_keeps_none_is_asked_for_no_older_one),
      CASE(meters_of_1997_keep_none))
