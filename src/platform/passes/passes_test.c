/* Passes: who is let in where and when, what becomes a passage, who sees whose plate.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "platform/passes/passes.h"

#include "kernel/row_json.h"
#include "kernel/setting.h"
#include "kernel/work.h"
#include "platform/things/things.h"
#include "tests/lib/town.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS  INT64_C(3600000)
#define DAY_MS   (24 * HOUR_MS)
#define PLATE    "粤B12345"
#define PASSAGES "SELECT COUNT(*) FROM passages"

struct site {
    struct town w;
    int64_t gate, other_gate, camera;
};

static int64_t make_device(struct site *s, const char *code, int64_t community, int64_t place, const char *way) {
    struct device d = {.row.community_id = community};
    SET(&devices, &d, name, str_of(code));
    SET(&devices, &d, code, str_of(code));
    SET(&devices, &d, place_id, place);
    if (way) SET(&devices, &d, way, str_of(way));
    uint64_t adopted = UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id");
    CHECK(s->w.t, !row_create(&s->w.ctx, &devices, &d) &&
                      !row_act(&s->w.ctx, &devices, d.row.id, 0, "adopt", &d, adopted, NULL));
    return d.row.id;
}

static void start(struct site *s, struct t *t) {
    town_open(&s->w, t);
    s->gate = town_place(&s->w, "north gate", "gate", s->w.estate);
    s->other_gate = town_place(&s->w, "gate over there", "gate", s->w.other_estate);
    s->camera = make_device(s, "cam", s->w.estate, s->gate, "in");
}

/* A pass as the system. */
static int64_t give(struct site *s, const char *kind, const char *value, int64_t place) {
    struct pass p = {0};
    SET(&passes, &p, kind, str_of(kind));
    SET(&passes, &p, value, str_of(value));
    SET(&passes, &p, place_id, place);
    town_as(&s->w, 0);
    CHECK(s->w.t, !row_create(&s->w.ctx, &passes, &p));
    return p.row.id;
}

static struct passing shown(const char *value) {
    return (struct passing){.device = S("cam"), .kind = PASSING_PLATE, .value = str_of(value)};
}

static struct pass_verdict take(struct site *s, const struct passing *p) {
    struct pass_verdict v = {.why = PASS_AGAIN};
    CHECK(s->w.t, !pass_take(&s->w.ctx, s->w.estate, p, 1, &v));
    return v;
}

static void later(struct site *s, int64_t ms) {
    world_sim_advance(&s->w.t->sim, ms);
    ctx_begin(&s->w.ctx);
}

/* ---- where ---- */

static void a_pass_opens_its_gate_and_every_gate_under_its_place(struct t *t) {
    static const char *const names[] = {"street", "estate", "gate", "building", "other_estate", "other_gate"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct site s;
        start(&s, t);
        const int64_t places_[] = {s.w.street, s.w.estate, s.gate, s.w.building, s.w.other_estate, s.other_gate};
        static const enum pass_why want[] = {PASS_GIVEN,     PASS_GIVEN,   PASS_GIVEN,
                                             PASS_ELSEWHERE, PASS_UNKNOWN, PASS_UNKNOWN};
        int64_t id = give(&s, "plate", PLATE, places_[i]);
        struct passing p = shown(PLATE);
        struct pass_verdict v;
        CHECK(t, !pass_check(&s.w.ctx, s.w.estate, s.gate, &p, &v));
        CHECK_SAY(t, v.why == want[i] && v.pass_id == (want[i] == PASS_UNKNOWN ? 0 : id), "%s: %d", names[i],
                  (int)v.why);
        CHECK(t, town_count(&s.w, PASSAGES) == 0); /* it was only asked */
        town_close(&s.w);
    }
}

static void only_the_value_itself_counts(struct t *t) {
    struct site s;
    start(&s, t);
    (void)give(&s, "card", "12345", s.gate);
    (void)give(&s, "face", "B12345", s.gate);
    (void)give(&s, "plate", "京B12345", s.gate); /* ends alike */
    struct pass p = {0};
    SET(&passes, &p, kind, S("plate"));
    SET(&passes, &p, value, S("沪A00001"));
    SET(&passes, &p, holder, S(PLATE));
    SET(&passes, &p, place_id, s.gate);
    CHECK(t, !row_create(&s.w.ctx, &passes, &p)); /* a holder who is called so */
    struct passing x = shown(PLATE), code = {.device = S("cam"), .kind = PASSING_CODE, .value = S("12345")};
    CHECK(t, take(&s, &x).why == PASS_UNKNOWN && take(&s, &code).why == PASS_UNKNOWN);
    code.kind = PASSING_CARD;
    CHECK(t, take(&s, &code).why == PASS_GIVEN);
    town_close(&s.w);
}

/* ---- when ---- */

static void a_pass_opens_from_its_beginning_until_its_end(struct t *t) {
    static const struct {
        int64_t after_ms;
        enum pass_why why;
    } rows[] = {
        {HOUR_MS - 1, PASS_EARLY}, {HOUR_MS, PASS_GIVEN}, {2 * HOUR_MS - 1, PASS_GIVEN}, {2 * HOUR_MS, PASS_OVER}};
    struct site s;
    start(&s, t);
    struct pass p = {0};
    SET(&passes, &p, kind, S("plate"));
    SET(&passes, &p, value, S(PLATE));
    SET(&passes, &p, place_id, s.gate);
    SET(&passes, &p, from_ms, s.w.ctx.now_ms + HOUR_MS);
    SET(&passes, &p, until_ms, s.w.ctx.now_ms + 2 * HOUR_MS);
    CHECK(t, !row_create(&s.w.ctx, &passes, &p));
    int64_t begun = t->sim.utc_ms;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct passing x = shown(PLATE);
        struct pass_verdict v;
        t->sim.utc_ms = begun + rows[i].after_ms;
        ctx_begin(&s.w.ctx);
        CHECK(t, !pass_check(&s.w.ctx, s.w.estate, s.gate, &x, &v));
        CHECK_SAY(t, v.why == rows[i].why, "after %lld: %d", (long long)rows[i].after_ms, (int)v.why);
    }
    town_close(&s.w);
}

static void hours_and_days_are_those_of_the_place(struct t *t) {
    static const struct {
        const char *weekdays;
        int from, until; /* -1: absent */
        int day, hour;   /* local, of a Monday on */
        bool opens;
    } rows[] = {
        {"12345", 8, 18, 0, 7, false},  {"12345", 8, 18, 0, 8, true},  {"12345", 8, 18, 0, 17, true},
        {"12345", 8, 18, 0, 18, false}, {"12345", 8, 18, 4, 12, true}, {"12345", 8, 18, 5, 12, false},
        {NULL, 22, 6, 0, 21, false},    {NULL, 22, 6, 0, 22, true},    {NULL, 22, 6, 0, 5, true},
        {NULL, 22, 6, 0, 6, false},     {"1", 22, 6, 1, 5, true},      {"1", 22, 6, 0, 5, false},
        {"1", 22, 6, 1, 22, false},     {"67", -1, -1, 6, 0, true},    {"67", -1, -1, 0, 0, false},
        {NULL, 8, -1, 0, 23, true},     {NULL, 8, -1, 0, 7, false},    {NULL, -1, 8, 0, 7, true},
        {NULL, -1, 8, 0, 8, false},
    };
    struct site s;
    start(&s, t);
    int64_t id = give(&s, "plate", PLATE, s.gate), day = s.w.ctx.now_ms / DAY_MS + 7;
    int64_t monday_ms =
        (day - civil_weekday(day) + 1) * DAY_MS - zone_offset_s(kernel_zone(&s.w.ctx, s.w.estate), 0) * 1000;
    uint64_t hours = UINT64_C(1) << field_index(&passes, "weekdays") |
                     UINT64_C(1) << field_index(&passes, "from_hour") |
                     UINT64_C(1) << field_index(&passes, "until_hour");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pass patch = {0};
        struct passing x = shown(PLATE);
        struct pass_verdict v;
        if (rows[i].weekdays) SET(&passes, &patch, weekdays, str_of(rows[i].weekdays));
        if (rows[i].from >= 0) SET(&passes, &patch, from_hour, rows[i].from);
        if (rows[i].until >= 0) SET(&passes, &patch, until_hour, rows[i].until);
        CHECK(t, !row_update(&s.w.ctx, &passes, id, 0, &patch, hours, NULL));
        s.w.ctx.now_ms = monday_ms + rows[i].day * DAY_MS + rows[i].hour * HOUR_MS;
        CHECK(t, !pass_check(&s.w.ctx, s.w.estate, s.gate, &x, &v));
        CHECK_SAY(t, v.why == (rows[i].opens ? PASS_GIVEN : PASS_HOURS), "row %zu: %d", i, (int)v.why);
    }
    town_close(&s.w);
}

static void the_best_of_several_passes_decides(struct t *t) {
    struct site s;
    start(&s, t);
    struct passing x = shown(PLATE);
    struct pass_verdict v;
    struct pass over = {0};
    int64_t elsewhere = give(&s, "plate", PLATE, s.w.building);
    CHECK(t, !pass_check(&s.w.ctx, s.w.estate, s.gate, &x, &v) && v.why == PASS_ELSEWHERE && v.pass_id == elsewhere);
    SET(&passes, &over, kind, S("plate"));
    SET(&passes, &over, value, S(PLATE));
    SET(&passes, &over, place_id, s.gate);
    SET(&passes, &over, until_ms, s.w.ctx.now_ms - 1);
    CHECK(t, !row_create(&s.w.ctx, &passes, &over));
    CHECK(t, !pass_check(&s.w.ctx, s.w.estate, s.gate, &x, &v) && v.why == PASS_OVER && v.pass_id == over.row.id);
    int64_t given = give(&s, "plate", PLATE, s.w.estate);
    CHECK(t, !pass_check(&s.w.ctx, s.w.estate, s.gate, &x, &v) && v.why == PASS_GIVEN && v.pass_id == given);
    CHECK(t, !row_archive(&s.w.ctx, &passes, given, 0)); /* taken back */
    CHECK(t, !pass_check(&s.w.ctx, s.w.estate, s.gate, &x, &v) && v.why == PASS_OVER);
    town_close(&s.w);
}

/* ---- passages ---- */

static void every_passage_becomes_a_row(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = give(&s, "plate", PLATE, s.gate);
    struct passing x = shown(PLATE), stranger = shown("京A00001");
    struct pass_verdict v = take(&s, &x);
    struct passage p = {0};
    CHECK(t, v.why == PASS_GIVEN && v.pass_id == id && !row_get(&s.w.ctx, &passages, v.passage_id, &p));
    CHECK(t, p.granted && str_is(p.why, "given") && str_is(p.value, PLATE) && str_is(p.direction, "in"));
    CHECK(t, p.place_id == s.gate && p.device_id == s.camera && p.pass_id == id && p.at_ms == s.w.ctx.now_ms);
    v = take(&s, &stranger);
    CHECK(t, v.why == PASS_UNKNOWN && !v.pass_id && !row_get(&s.w.ctx, &passages, v.passage_id, &p));
    CHECK(t, !p.granted && str_is(p.why, "unknown") && town_count(&s.w, PASSAGES) == 2);
    town_close(&s.w);
}

static void a_device_that_is_not_in_use_opens_nothing(struct t *t) {
    struct site s;
    struct passing x = shown(PLATE);
    start(&s, t);
    (void)give(&s, "plate", PLATE, s.w.street);
    x.device = S("nobody");
    CHECK(t, take(&s, &x).why == PASS_NOWHERE && town_count(&s.w, PASSAGES) == 1);
    CHECK(t, take(&s, &x).why == PASS_NOWHERE && town_count(&s.w, PASSAGES) == 1); /* no flood of them */
    x.device = S("cam");
    CHECK(t, take(&s, &x).why == PASS_GIVEN);
    CHECK(t, !row_act(&s.w.ctx, &devices, s.camera, 0, "retire", NULL, 0, NULL));
    later(&s, PASS_SAME_MS);
    CHECK(t, take(&s, &x).why == PASS_NOWHERE);
    town_close(&s.w);
}

static void what_is_read_badly_or_too_late_opens_nothing(struct t *t) {
    static const struct {
        int32_t sure_pct;
        int64_t age_ms;
        bool is_late;
        enum pass_why why;
    } rows[] = {{0, 0, false, PASS_GIVEN},          {74, 0, false, PASS_UNSURE},      {75, 0, false, PASS_GIVEN},
                {100, 0, true, PASS_LATE},          {100, 300000, false, PASS_GIVEN}, {100, 300001, false, PASS_LATE},
                {100, -86400000, false, PASS_GIVEN}};
    struct site s;
    start(&s, t);
    (void)give(&s, "plate", PLATE, s.gate);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct passing x = shown(PLATE);
        later(&s, PASS_SAME_MS);
        x.sure_pct = rows[i].sure_pct;
        x.is_late = rows[i].is_late;
        if (rows[i].age_ms) x.at_ms = s.w.ctx.now_ms - rows[i].age_ms;
        CHECK_SAY(t, take(&s, &x).why == rows[i].why, "row %zu", i);
    }
    struct passing x = shown(PLATE);
    x.sure_pct = 80;
    CHECK(t, !setting_put(&s.w.ctx, s.w.estate, "passes.sure_pct", S("81")));
    later(&s, PASS_SAME_MS);
    CHECK(t, take(&s, &x).why == PASS_UNSURE);
    town_close(&s.w);
}

static enum pass_why type(struct site *s, const char *digits) {
    const struct passing x = {.device = S("cam"), .kind = PASSING_CODE, .value = str_of(digits)};
    later(s, 1000);
    return take(s, &x).why;
}

static void codes_are_not_guessed(struct t *t) {
    static const char *const guesses[] = {"1111", "2222", "3333", "4444", "5555"};
    struct site s;
    struct passing card = {.device = S("cam"), .kind = PASSING_CARD, .value = S("12345")};
    start(&s, t);
    (void)give(&s, "code", "4711", s.gate);
    (void)give(&s, "card", "12345", s.gate);
    for (size_t i = 0; i < 4; i++) CHECK(t, type(&s, guesses[i]) == PASS_UNKNOWN);
    CHECK(t, type(&s, "4711") == PASS_GIVEN); /* whoever knows one begins anew */
    later(&s, PASS_SAME_MS);
    for (size_t i = 0; i < COUNT(guesses); i++) CHECK(t, type(&s, guesses[i]) == PASS_UNKNOWN);
    CHECK(t, type(&s, "4711") == PASS_PAUSED && type(&s, "6666") == PASS_PAUSED);
    CHECK(t, take(&s, &card).why == PASS_GIVEN); /* cards are not guessed */
    const struct passing there = {.device = S("back"), .kind = PASSING_CODE, .value = S("4711")};
    (void)make_device(&s, "back", s.w.estate, s.gate, NULL);
    CHECK(t, take(&s, &there).why == PASS_GIVEN); /* nor at another door */
    later(&s, 10 * 60000 - 7000 - 1);
    CHECK(t, type(&s, "7777") == PASS_PAUSED && type(&s, "4711") == PASS_GIVEN); /* what came meanwhile did not count */
    CHECK(t, !setting_put(&s.w.ctx, s.w.estate, "passes.wrong_codes", S("0")));
    later(&s, PASS_SAME_MS);
    for (int i = 0; i < 20; i++) {
        char digits[8];
        snprintf(digits, sizeof digits, "88%02d", i);
        CHECK(t, type(&s, digits) == PASS_UNKNOWN);
    }
    CHECK(t, type(&s, "4711") == PASS_GIVEN);
    town_close(&s.w);
}

static void the_same_said_again_is_one_passage(struct t *t) {
    struct site s;
    struct passing x = shown(PLATE), seen_twice;
    start(&s, t);
    x.serial = S("7.1");
    CHECK(t, take(&s, &x).why == PASS_UNKNOWN && take(&s, &x).why == PASS_UNKNOWN && town_count(&s.w, PASSAGES) == 1);
    (void)give(&s, "plate", PLATE, s.gate); /* the guard gives one while the car waits */
    struct pass_verdict v = take(&s, &x), again = take(&s, &x);
    CHECK(t, v.why == PASS_GIVEN && again.why == PASS_GIVEN && again.passage_id == v.passage_id);
    CHECK(t, town_count(&s.w, PASSAGES) == 2);
    seen_twice = x;
    seen_twice.serial = S("7.2"); /* the camera saw it once more */
    later(&s, PASS_SAME_MS - 1);
    CHECK(t, take(&s, &seen_twice).why == PASS_GIVEN && take(&s, &x).why == PASS_GIVEN);
    CHECK(t, town_count(&s.w, PASSAGES) == 2);
    later(&s, 1);
    CHECK(t, take(&s, &x).why == PASS_AGAIN && town_count(&s.w, PASSAGES) == 2); /* its answer went out long ago */
    CHECK(t, take(&s, &seen_twice).why == PASS_GIVEN && town_count(&s.w, PASSAGES) == 3);
    town_close(&s.w);
}

static void any_plate_of_a_vehicle_opens(struct t *t) {
    struct site s;
    struct passing both[] = {shown("粤ZJ068澳"), shown(PLATE)};
    struct pass_verdict v;
    struct passage p = {0};
    start(&s, t);
    CHECK(t, !pass_take(&s.w.ctx, s.w.estate, both, 2, &v) && v.why == PASS_UNKNOWN);
    CHECK(t, !row_get(&s.w.ctx, &passages, v.passage_id, &p) && str_is(p.value, "粤ZJ068澳"));
    (void)give(&s, "plate", PLATE, s.gate);
    CHECK(t, !pass_take(&s.w.ctx, s.w.estate, both, 2, &v) && v.why == PASS_GIVEN);
    CHECK(t, !row_get(&s.w.ctx, &passages, v.passage_id, &p) && str_is(p.value, PLATE));
    town_close(&s.w);
}

/* ---- what is written, and who sees it ---- */

static void values_are_kept_in_the_form_that_devices_say(struct t *t) {
    static const struct {
        const char *kind, *written, *kept; /* or the code of the refusal */
        bool ok;
    } rows[] = {
        {"plate", "粤b·12345", PLATE, true},
        {"plate", "粤B1234", "not_a_plate", false},
        {"plate", "无牌", "not_a_plate", false},
        {"card", "0008065495", "8065495", true},
        {"card", "123,04567", "8065495", true},
        {"card", "37:BD88EB80A8", "37:BD88EB80A8", true},
        {"card", "blue one", "not_a_card", false},
        {"code", "1234", "1234", true},
        {"card", "37:bd88eb80a8", "37:BD88EB80A8", true},
        {"card", "xyz:", "not_a_card", false},
        {"code", "12", "not_a_code", false},
        {"code", "12ab", "not_a_code", false},
        {"face", "u-1", "u-1", true},
        {"face", "u 1 /", "bad_code", false},
    };
    struct site s;
    start(&s, t);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pass p = {0};
        SET(&passes, &p, kind, str_of(rows[i].kind));
        SET(&passes, &p, value, str_of(rows[i].written));
        SET(&passes, &p, place_id, s.gate);
        enum err e = row_create(&s.w.ctx, &passes, &p);
        if (rows[i].ok)
            CHECK_SAY(t, !e && str_is(p.value, rows[i].kept), "%s: " STR_FMT, rows[i].written, STR_ARG(p.value));
        else
            CHECK(t, town_refused(&s.w, e, rows[i].kept));
    }
    town_close(&s.w);
}

static void spans_go_forward(struct t *t) {
    struct site s;
    struct pass p = {0};
    start(&s, t);
    SET(&passes, &p, kind, S("code"));
    SET(&passes, &p, value, S("1234"));
    SET(&passes, &p, place_id, s.gate);
    SET(&passes, &p, from_ms, 1000);
    SET(&passes, &p, until_ms, 1000);
    CHECK(t, town_refused(&s.w, row_create(&s.w.ctx, &passes, &p), "not_after"));
    p.until_ms = 1001;
    SET(&passes, &p, from_hour, 8);
    SET(&passes, &p, until_hour, 8);
    CHECK(t, town_refused(&s.w, row_create(&s.w.ctx, &passes, &p), "same_hour"));
    p.until_hour = 7;
    SET(&passes, &p, weekdays, S("2211"));
    CHECK(t, town_refused(&s.w, row_create(&s.w.ctx, &passes, &p), "bad_weekdays"));
    p.weekdays = S("127");
    CHECK(t, !row_create(&s.w.ctx, &passes, &p));
    town_close(&s.w);
}

static void whose_plate_it_was_is_masked_at_the_gate(struct t *t) {
    struct site s;
    struct pass pass = {0};
    struct passage p = {0};
    struct passing x = shown(PLATE);
    start(&s, t);
    int64_t guard = town_person(&s.w, "Gus", "guard", s.w.estate),
            manager = town_person(&s.w, "Mia", "manager", s.w.estate);
    int64_t resident = town_person(&s.w, "Ann", "resident", s.w.unit),
            other = town_person(&s.w, "Gil", "guard", s.w.other_estate);
    int64_t id = give(&s, "plate", PLATE, s.gate);
    struct pass_verdict v = take(&s, &x);
    const struct {
        int64_t who;
        bool reads, sees_passes, writes;
    } rows[] = {{guard, true, false, false},
                {manager, true, true, true},
                {resident, false, false, false},
                {other, false, false, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        town_as(&s.w, rows[i].who);
        bool reads = !row_get(&s.w.ctx, &passages, v.passage_id, &p) && !row_get(&s.w.ctx, &passes, id, &pass);
        CHECK_SAY(t, reads == rows[i].reads, "row %zu", i);
        s.w.ctx.fault = (struct fault){0};
        if (!reads) continue;
        CHECK(t, !(row_clear_classes(&s.w.ctx, &passages, &p) & IDENTITY));
        CHECK(t, row_reveal_classes(&s.w.ctx, &passages, &p) & IDENTITY);
        CHECK(t, !!(row_clear_classes(&s.w.ctx, &passes, &pass) & IDENTITY) == rows[i].sees_passes);
        CHECK(t, !!(row_verbs(&s.w.ctx, &passes, &pass) & UPDATE) == rows[i].writes);
        CHECK(t, row_verbs(&s.w.ctx, &passages, &p) == READ); /* nobody writes what happened */
    }
    town_close(&s.w);
}

/* ---- how long it is kept ---- */

static int64_t found(struct site *s, const char *value) {
    struct list_query q = {.sort = FILTER_ID, .limit = 10, .search = str_of(value)};
    struct list_page page;
    CHECK(s->w.t, !row_list(&s->w.ctx, &passages, &q, &page));
    return (int64_t)page.n;
}

static void run_jobs(struct site *s) {
    size_t done;
    int64_t next_ms;
    struct actor actor = s->w.ctx.actor;
    CHECK(s->w.t, !jobs_run(&s->w.ctx, &done, &next_ms) && done);
    s->w.ctx.actor = actor;
}

static void what_is_old_is_gone_with_every_trace_of_its_value(struct t *t) {
    struct site s;
    struct passing old = shown(PLATE), young = shown("京A00001");
    start(&s, t);
    town_as(&s.w, 0);
    (void)take(&s, &old);
    later(&s, DAY_MS);
    (void)take(&s, &young);
    later(&s, 179 * DAY_MS - 1);
    run_jobs(&s);
    CHECK(t, town_count(&s.w, PASSAGES) == 2 && found(&s, PLATE) == 1);
    later(&s, HOUR_MS);
    run_jobs(&s);
    CHECK(t, town_count(&s.w, PASSAGES) == 1 && !found(&s, PLATE) && found(&s, "京A00001") == 1);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM search_docs WHERE resource = 'passages'") == 1);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM search_terms WHERE resource = 'passages'") == 2);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM audit WHERE resource = 'passages'") == 2);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM audit WHERE resource = 'passages' AND after IS NULL") == 1);
    CHECK(t, !setting_put(&s.w.ctx, s.w.other_estate, "passes.kept_days", S("1"))); /* of those over there */
    later(&s, HOUR_MS);
    run_jobs(&s);
    CHECK(t, town_count(&s.w, PASSAGES) == 1);
    CHECK(t, !setting_put(&s.w.ctx, s.w.estate, "passes.kept_days", S("1")));
    later(&s, HOUR_MS);
    run_jobs(&s);
    CHECK(t, town_count(&s.w, PASSAGES) == 0);
    town_close(&s.w);
}

static void many_that_are_old_go_page_by_page(struct t *t) {
    struct site s;
    char value[32];
    start(&s, t);
    town_as(&s.w, 0);
    for (int i = 0; i < 250; i++) {
        snprintf(value, sizeof value, "%d", 1000 + i);
        struct passing x = {.device = S("cam"), .kind = PASSING_CODE, .value = str_of(value)};
        (void)take(&s, &x);
    }
    CHECK(t, town_count(&s.w, PASSAGES) == 250);
    later(&s, 181 * DAY_MS);
    run_jobs(&s);
    CHECK(t, town_count(&s.w, PASSAGES) == 0);
    town_close(&s.w);
}

static void on_postgres(struct t *t) {
    town_on_postgres(t, what_is_old_is_gone_with_every_trace_of_its_value);
    town_on_postgres(t, a_pass_opens_its_gate_and_every_gate_under_its_place);
    town_on_postgres(t, the_same_said_again_is_one_passage);
    town_on_postgres(t, only_the_value_itself_counts);
}

TESTS(CASE(a_pass_opens_its_gate_and_every_gate_under_its_place), CASE(only_the_value_itself_counts),
      CASE(a_pass_opens_from_its_beginning_until_its_end), CASE(hours_and_days_are_those_of_the_place),
      CASE(the_best_of_several_passes_decides), CASE(every_passage_becomes_a_row),
      CASE(a_device_that_is_not_in_use_opens_nothing), CASE(what_is_read_badly_or_too_late_opens_nothing),
      CASE(codes_are_not_guessed), CASE(the_same_said_again_is_one_passage), CASE(any_plate_of_a_vehicle_opens),
      CASE(values_are_kept_in_the_form_that_devices_say), CASE(spans_go_forward),
      CASE(whose_plate_it_was_is_masked_at_the_gate), CASE(what_is_old_is_gone_with_every_trace_of_its_value),
      CASE(many_that_are_old_go_page_by_page), CASE(on_postgres))
