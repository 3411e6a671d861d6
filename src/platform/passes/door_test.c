/* Doors: what they are told of who stands before them.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/passes/passes.h"

#include "platform/things/things.h"
#include "tests/lib/town.h"

#include <stdio.h>

#define HOUR_MS INT64_C(3600000)

struct site {
    struct town w;
    int64_t gate, door;
};

static void make_model(struct site *s) {
    static struct model_command told[] = {
        {.has = 0x39, .command = {"open", 4}, .item = {"out", 3}, .value = {"0 5 30", 6}, .dangerous = true},
        {.has = 0x19, .command = {"granted", 7}, .item = {"buz", 3}, .value = {"0 2 3 2 1", 9}},
        {.has = 0x19, .command = {"refused", 7}, .item = {"buz", 3}, .value = {"0 2 1 1 3", 9}}};
    static struct model_command by_people[] = {{.has = 0x09, .command = {"open", 4}, .item = {"out", 3}}};
    static const struct {
        const char *code;
        struct lines commands;
    } rows[] = {{"reader", {told, COUNT(told)}}, {"panel", {by_people, COUNT(by_people)}}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct device_model m = {0};
        SET(&device_models, &m, code, str_of(rows[i].code));
        SET(&device_models, &m, name, str_of(rows[i].code));
        SET(&device_models, &m, commands, rows[i].commands);
        CHECK(s->w.t, !row_create(&s->w.ctx, &device_models, &m));
    }
}

static int64_t make_door(struct site *s, const char *code, const char *model) {
    struct device d = {.row.community_id = s->w.estate};
    SET(&devices, &d, name, str_of(code));
    SET(&devices, &d, code, str_of(code));
    SET(&devices, &d, model, str_of(model));
    SET(&devices, &d, place_id, s->gate);
    uint64_t adopted = UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id");
    CHECK(s->w.t, !row_create(&s->w.ctx, &devices, &d) &&
                      !row_act(&s->w.ctx, &devices, d.row.id, 0, "adopt", &d, adopted, NULL));
    return d.row.id;
}

static void start(struct site *s, struct t *t) {
    struct pass p = {0};
    town_open(&s->w, t);
    town_as(&s->w, 0);
    s->gate = town_place(&s->w, "north gate", "gate", s->w.estate);
    make_model(s);
    s->door = make_door(s, "door", "reader");
    (void)make_door(s, "panel", "panel");
    SET(&passes, &p, kind, S("card"));
    SET(&passes, &p, value, S("8065495"));
    SET(&passes, &p, place_id, s->gate);
    CHECK(t, !row_create(&s->w.ctx, &passes, &p));
}

static void later(struct site *s, int64_t ms) {
    world_sim_advance(&s->w.t->sim, ms);
    ctx_begin(&s->w.ctx);
}

static struct pass_verdict show(struct site *s, struct passing p) {
    struct pass_verdict v = {.why = PASS_AGAIN};
    if (!p.device.len) p.device = S("door");
    CHECK(s->w.t, !pass_at_door(&s->w.ctx, s->w.estate, &p, 1, &v));
    return v;
}

static struct passing card(const char *value) {
    return (struct passing){.kind = PASSING_CARD, .value = str_of(value)};
}

static int64_t told(struct site *s, const char *command) {
    char query[160];
    snprintf(query, sizeof query, "SELECT COUNT(*) FROM commands WHERE command = '%s' AND state = 'queued'", command);
    return town_count(&s->w, query);
}

static void is_told(struct site *s, int64_t open, int64_t granted, int64_t refused, const char *why) {
    CHECK_SAY(s->w.t, told(s, "open") == open && told(s, "granted") == granted && told(s, "refused") == refused,
              "%s: %lld %lld %lld", why, (long long)told(s, "open"), (long long)told(s, "granted"),
              (long long)told(s, "refused"));
}

static void a_pass_opens_and_nobody_confirms_it(struct t *t) {
    struct site s;
    start(&s, t);
    struct pass_verdict v = show(&s, card("8065495"));
    CHECK(t, v.why == PASS_GIVEN && !v.is_repeat);
    is_told(&s, 1, 1, 0, "allowed");
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = 10};
    struct list_page page;
    CHECK(t, !row_list(&s.w.ctx, &commands, &q, &page) && page.n == 2);
    const struct device_command *c = page.rows;
    CHECK(t, c->passage_id == v.passage_id && !c->dangerous && c->device_id == s.door && c->reason.len);
    CHECK(t, c->until_ms == s.w.ctx.now_ms + PASS_OPEN_MS && !c->row.created_by);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM audit WHERE resource = 'commands'") == 2);
    later(&s, 100);
    CHECK(t, show(&s, card("1")).why == PASS_UNKNOWN);
    is_told(&s, 1, 1, 1, "unknown");
    town_close(&s.w);
}

static void who_holds_his_card_there_again_is_let_in_again(struct t *t) {
    struct site s;
    start(&s, t);
    (void)show(&s, card("8065495"));
    for (int i = 0; i < 19; i++) { /* it lies on the reader: every 2 s at most */
        later(&s, 100);
        (void)show(&s, card("8065495"));
    }
    is_told(&s, 1, 1, 0, "within 2 s");
    later(&s, 100);
    (void)show(&s, card("8065495"));
    is_told(&s, 2, 2, 0, "behind them");
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM passages") == 1);
    town_close(&s.w);
}

static void the_same_message_opens_once(struct t *t) {
    struct site s;
    struct passing p = card("8065495");
    start(&s, t);
    p.serial = S("m-1");
    CHECK(t, !show(&s, p).is_repeat);
    later(&s, 5000);
    struct pass_verdict v = show(&s, p);
    CHECK(t, v.is_repeat && v.why == PASS_GIVEN);
    later(&s, HOUR_MS);
    v = show(&s, p);
    CHECK(t, v.is_repeat && v.why == PASS_AGAIN);
    is_told(&s, 1, 1, 0, "one message");
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM passages") == 1);
    p.serial = S("m-2");
    CHECK(t, !show(&s, p).is_repeat);
    is_told(&s, 2, 2, 0, "two");
    town_close(&s.w);
}

static void what_is_late_is_put_down_each_and_opens_nothing(struct t *t) {
    struct site s;
    static const char *const serials[] = {"a", "b", "c"};
    start(&s, t);
    for (int64_t i = 0; i < 3; i++) {
        struct passing p = card("8065495");
        p.serial = str_of(serials[i]);
        p.is_late = true;
        p.way = S("out");
        p.at_ms = s.w.ctx.now_ms - (3 - i) * 60000;
        CHECK(t, show(&s, p).why == PASS_LATE && show(&s, p).is_repeat);
    }
    is_told(&s, 0, 0, 0, "late");
    CHECK(t, show(&s, card("8065495")).why == PASS_GIVEN);
    struct passing p = card("8065495");
    p.is_late = true; /* a moment after he was let in */
    later(&s, 3000);
    CHECK(t, show(&s, p).why == PASS_LATE);
    is_told(&s, 1, 1, 0, "once");
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM passages WHERE direction = 'out'") == 3);
    town_close(&s.w);
}

static void a_clock_that_is_off_shuts_nobody_out(struct t *t) {
    static const struct {
        int64_t ago_ms;
        enum pass_why why;
    } rows[] = {{300000, PASS_GIVEN},
                {300001, PASS_LATE},
                {INT64_C(1096) * 24 * HOUR_MS, PASS_LATE},
                {INT64_C(1096) * 24 * HOUR_MS + 1, PASS_GIVEN}, /* it began anew */
                {-HOUR_MS, PASS_GIVEN},
                {-100 * HOUR_MS, PASS_GIVEN}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s;
        struct passing p = card("8065495");
        start(&s, t);
        p.at_ms = s.w.ctx.now_ms - rows[i].ago_ms;
        CHECK_SAY(t, show(&s, p).why == rows[i].why, "row %zu", i);
        town_close(&s.w);
    }
}

static void a_model_that_leaves_it_to_people_is_not_told(struct t *t) {
    struct site s;
    struct passing p = card("8065495");
    start(&s, t);
    p.device = S("panel");
    CHECK(t, show(&s, p).why == PASS_GIVEN);
    p.device = S("nobody");
    CHECK(t, show(&s, p).why == PASS_NOWHERE);
    is_told(&s, 0, 0, 0, "no command");
    town_close(&s.w);
}

static void a_face_is_what_its_device_calls_it(struct t *t) {
    struct site s;
    struct pass pass = {0};
    struct passing p = {.kind = PASSING_FACE, .value = S("u-0042")};
    start(&s, t);
    SET(&passes, &pass, kind, S("face"));
    SET(&passes, &pass, value, S("u-0042"));
    SET(&passes, &pass, place_id, s.gate);
    CHECK(t, show(&s, p).why == PASS_UNKNOWN && !row_create(&s.w.ctx, &passes, &pass));
    CHECK(t, show(&s, p).why == PASS_GIVEN);
    town_close(&s.w);
}

TESTS(CASE(a_pass_opens_and_nobody_confirms_it), CASE(who_holds_his_card_there_again_is_let_in_again),
      CASE(the_same_message_opens_once), CASE(what_is_late_is_put_down_each_and_opens_nothing),
      CASE(a_clock_that_is_off_shuts_nobody_out), CASE(a_model_that_leaves_it_to_people_is_not_told),
      CASE(a_face_is_what_its_device_calls_it))
