/* Classes, rolling up and what is left when the points are gone, against the naive model: random, late, erased, moved,
 * cut from power.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/model_test_internal.h"

#define DIR    "readings"
#define BATCH  120
#define DAY_MS INT64_C(86400000)

static const struct telemetry_keep keeps[] = {
    {.id = 0, .raw_days = 1000, .tiers = {{5, 2000}, {60, 3000}}},
    {.id = 70, .raw_days = 900, .tiers = {{60, 3000}}},
    {.id = 71, .raw_days = 900},
};

static void settle(struct model *m) {
    while (telemetry_step(m->store)) continue;
}

/* Another class each time, so that a pass is asked for. */
static void roll(struct model *m) {
    static int32_t turn;
    struct telemetry_keep all[COUNT(keeps) + 1];
    memcpy(all, keeps, sizeof keeps);
    all[COUNT(keeps)] = (struct telemetry_keep){.id = 99, .raw_days = 500 + ++turn % 2};
    telemetry_keeps(m->store, all, COUNT(all));
    settle(m);
}

static enum err label(struct model *m, size_t series, int64_t keep) {
    struct fault f = {0};
    struct str device = series < 2 ? S("pump-1") : S("pump-2");
    return telemetry_label(m->store, COMMUNITY, device, model_metric(series), &(struct telemetry_label){.keep = keep},
                           &f);
}

/* What happens at a step of a run; what it does to the model is done by note(). */
enum deed { PUT, ERASE, ROLL, MOVE };
static enum deed deed_of(int i) {
    return i % 8 == 7 ? ERASE : i % 5 == 4 ? ROLL : i % 11 == 10 ? MOVE : PUT;
}

static enum err act(struct model *m, int i) {
    struct telemetry_point points[BATCH];
    switch (deed_of(i)) {
    case ERASE: return model_erase(m, model_random_range(m));
    case ROLL: roll(m); return OK;
    case MOVE: return label(m, (size_t)i % MODEL_SERIES, keeps[(size_t)i % COUNT(keeps)].id);
    case PUT: break;
    }
    return model_put(m, points, model_random(m, points, BATCH));
}

static void note(struct model *m, int i) {
    struct telemetry_point points[BATCH];
    if (deed_of(i) == ERASE) model_note_erased(m, model_random_range(m));
    if (deed_of(i) == PUT) model_note(m, points, model_random(m, points, BATCH));
}

static void begin(struct model *m) {
    m->edge = 0;
    m->random = m->t->seed;
}

static void note_all(struct model *m, int n) {
    memset(m->is_there, 0, sizeof m->is_there);
    begin(m);
    for (int i = 0; i < n; i++) note(m, i);
}

static void compare(struct model *m, bool *ret_rolled) {
    model_compare_all(m);
    for (size_t s = 0; s < MODEL_SERIES && !m->t->failed; s++) model_compare_hours(m, s, 0, ret_rolled);
}

static void windows_are_the_same_rolled_up_or_not(struct t *t) {
    enum { N = 330 };
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    bool rolled = false;
    CHECK(t, !model_open(m));
    begin(m);
    for (int i = 0; i < N && !t->failed; i++) {
        CHECK(t, !act(m, i));
        if (i % 30 != 29) continue;
        uint64_t random = m->random;
        size_t edge = m->edge;
        note_all(m, i + 1);
        m->random = random;
        m->edge = edge;
        if (i % 60 == 59) {
            telemetry_close(m->store);
            CHECK(t, !model_open(m));
        }
        compare(m, &rolled);
    }
    CHECK(t, rolled);
    struct telemetry_stats stats;
    telemetry_stats(m->store, &stats);
    CHECK(t, !stats.damaged);
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

/* Of a run that rolls up, moves and erases: a cut at every operation of the disk, and one while it recovers. */
static void no_power_cut_takes_windows_or_points(struct t *t) {
    enum { N = 46 };
    int64_t ops = 0;
    for (int64_t cut = -1; (cut < 0 || cut < ops) && !t->failed; cut++) {
        struct io_sim *sim = io_sim_create(t->seed);
        struct io io = io_sim_io(sim);
        struct model *m = model_make(t, &io, DIR);
        int done = 0;
        begin(m);
        io_sim_cut_after(sim, cut);
        if (!model_open(m))
            while (done < N && !act(m, done)) done++;
        if (cut < 0) ops = io_sim_ops(sim);
        telemetry_close(m->store);
        for (uint64_t seed = 1; seed <= 2 && cut >= 0 && !t->failed; seed++) {
            io_sim_restart(sim, seed + (uint64_t)cut * 7);
            if (seed == 1) io_sim_cut_after(sim, cut % 9);
            enum err e = model_open(m);
            if (!e && seed == 1) roll(m);
            if (seed == 2) {
                CHECK_SAY(t, !e, "cut %d: does not open", (int)cut);
                note_all(m, done);
                if (!e && !model_all_same(m)) note_all(m, done + 1);
                if (!e) compare(m, NULL);
                if (!e) roll(m);
                if (!e) compare(m, NULL);
                CHECK_SAY(t, !t->failed, "cut %d of %d after %d", (int)cut, (int)ops, done);
            }
            telemetry_close(m->store);
        }
        io_sim_destroy(sim);
        arena_reset(&t->arena);
    }
    CHECK(t, ops > 100);
}

/* ---- when the points are gone ---- */

static int64_t month_begin(const struct model *m) { /* of the last one */
    int64_t now_ms = m->t->world.utc_ms(m->t->world.self);
    struct civil c = zone_civil(NULL, now_ms - DAY_MS);
    return civil_day(c.year, c.month, 1) * DAY_MS;
}

static void fill(struct model *m) {
    struct telemetry_point points[100];
    for (size_t slot = 0; slot < MODEL_SLOTS; slot += COUNT(points)) {
        for (size_t i = 0; i < COUNT(points); i++)
            points[i] = model_point(m, 0, slot + i, (double)((slot + i) * 7 % 1000) / 10);
        CHECK(m->t, !model_put(m, points, COUNT(points)));
        model_note(m, points, COUNT(points));
    }
}

static struct telemetry_points ask(struct model *m, int64_t from, int64_t to, struct telemetry_every every,
                                   enum telemetry_agg agg) {
    uint32_t number = model_number(m, 0);
    struct telemetry_windows_query q = {.series = &number,
                                        .n = 1,
                                        .from_ms = from,
                                        .to_ms = to,
                                        .every = every,
                                        .aggs = {agg},
                                        .aggs_n = 1,
                                        .limit = TELEMETRY_POINTS_MAX};
    struct telemetry_points got = {0};
    CHECK(m->t, !telemetry_windows(m->store, &q, &m->t->arena, &got, &m->t->fault));
    return got;
}

static struct telemetry_points by_hour(struct model *m, int64_t from, int64_t to, enum telemetry_agg agg) {
    return ask(m, from, to, (struct telemetry_every){1, 'h'}, agg);
}

static double sum_of(struct telemetry_points p) {
    double sum = 0;
    for (size_t i = 0; i < p.n; i++) sum += isnan(p.value[i]) ? 0 : p.value[i];
    return sum;
}

static void hours_stay_when_their_points_are_past(struct t *t) {
    static const struct telemetry_keep brief = {.raw_days = 1, .tiers = {{60, 3000}}};
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    CHECK(t, !model_open(m));
    fill(m);
    int64_t month = month_begin(m), from = m->start_ms - m->start_ms % 3600000;
    double whole = sum_of(by_hour(m, from, month, TELEMETRY_COUNT));
    telemetry_keeps(m->store, &brief, 1);
    settle(m);
    struct telemetry_point now = model_point(m, 0, MODEL_SLOTS - 1, 4);
    CHECK(t, !model_put(m, &now, 1)); /* housekeeping is done behind a group */
    model_note(m, &now, 1);
    for (int again = 0; again < 2; again++) {
        bool rolled = false;
        struct telemetry_points p = {0};
        CHECK(t, !telemetry_range(m->store, model_number(m, 0), 0, month, 100, &t->arena, &p, &t->fault) && !p.n);
        model_compare_hours(m, 0, 0, &rolled);
        CHECK(t, rolled);
        /* Shorter windows, and such as do not begin with them: each hour counts where it begins. */
        p = ask(m, from, month, (struct telemetry_every){7, 'm'}, TELEMETRY_COUNT);
        CHECK_SAY(t, sum_of(p) == whole && p.rolled_min == 60, "%g of %g", sum_of(p), whole);
        p = ask(m, from, month, (struct telemetry_every){1, 'd'}, TELEMETRY_P95);
        CHECK(t, isnan(p.value[0]));
        telemetry_close(m->store);
        CHECK(t, !model_open(m));
        telemetry_keeps(m->store, &brief, 1);
    }
    struct telemetry_point late = model_point(m, 0, 3, 4);
    CHECK(t, model_put(m, &late, 1) == ERR_INVALID);
    CHECK(t, !telemetry_erase(m->store, model_number(m, 0), from + 10 * 3600000 + 1, from + 12 * 3600000, &t->fault));
    for (int again = 0; again < 2; again++) {
        struct telemetry_points p = by_hour(m, from, month, TELEMETRY_COUNT);
        CHECK(t, p.value[9] > 0 && !p.value[10] && !p.value[11] && p.value[12] > 0);
        CHECK(t, fabs(sum_of(p) - whole + 5) <= 1); /* two hours of points 25 minutes apart */
        /* Nor does the hour behind them say by how much it differs from what is gone: it does from what is left. */
        struct telemetry_points last = by_hour(m, from, month, TELEMETRY_LAST);
        double delta = by_hour(m, from, month, TELEMETRY_DELTA).value[12];
        CHECK_SAY(t, fabs(delta - (last.value[12] - last.value[9])) < 1e-9, "%g from %g to %g", delta, last.value[9],
                  last.value[12]);
        settle(m);
        telemetry_close(m->store);
        CHECK(t, !model_open(m));
    }
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

static void the_longest_windows_that_fit_are_taken(struct t *t) {
    static const struct {
        struct telemetry_every every;
        enum telemetry_agg agg;
        int32_t rolled_min;
    } rows[] = {{{5, 'm'}, TELEMETRY_AVG, 5},  {{10, 'm'}, TELEMETRY_AVG, 5}, {{7, 'm'}, TELEMETRY_AVG, 0},
                {{1, 'h'}, TELEMETRY_MAX, 60}, {{1, 'd'}, TELEMETRY_SUM, 60}, {{90, 'm'}, TELEMETRY_SUM, 5},
                {{1, 'd'}, TELEMETRY_P95, 0},  {{30, 's'}, TELEMETRY_MIN, 0}, {{1, 'M'}, TELEMETRY_INTEGRAL, 60}};
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    CHECK(t, !model_open(m));
    telemetry_keeps(m->store, &(struct telemetry_keep){.raw_days = 1000}, 1);
    fill(m);
    double before[COUNT(rows)];
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            /* Neither end is where a window begins. */
            struct telemetry_points p = ask(m, m->start_ms + 12345, month_begin(m) + 77777, rows[i].every, rows[i].agg);
            CHECK_SAY(t, p.rolled_min == (again ? rows[i].rolled_min : 0), "%zu: %d", i, (int)p.rolled_min);
            if (again) CHECK_SAY(t, close_enough(sum_of(p), before[i]), "%zu: %g, not %g", i, sum_of(p), before[i]);
            before[i] = sum_of(p);
        }
        roll(m);
    }
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

/* ---- classes ---- */

static int64_t keep_of(struct model *m, size_t series) {
    struct telemetry_series got = {0};
    CHECK(m->t, !telemetry_series_at(m->store, model_number(m, series), &m->t->arena, &got, &m->t->fault));
    return got.keep;
}

static size_t count_points(struct model *m, size_t series) {
    struct telemetry_points p = {0};
    CHECK(m->t, !telemetry_range(m->store, model_number(m, series), 0, INT64_MAX, TELEMETRY_POINTS_MAX, &m->t->arena,
                                 &p, &m->t->fault));
    return p.n;
}

static void a_class_is_kept_as_long_as_it_says_and_takes_what_is_sealed_with_it(struct t *t) {
    static const struct telemetry_keep two[] = {{.raw_days = 1000}, {.id = 9, .raw_days = 1}};
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    struct telemetry_point p;
    CHECK(t, !model_open(m));
    fill(m);
    for (size_t slot = 0; slot < MODEL_SLOTS; slot += 10) {
        p = model_point(m, 1, slot, 5);
        CHECK(t, !model_put(m, &p, 1));
    }
    CHECK(t, !label(m, 0, 9) && keep_of(m, 0) == 9 && !keep_of(m, 1));
    telemetry_close(m->store);
    CHECK(t, !model_open(m) && keep_of(m, 0) == 9);
    model_compare(m, 0, 0, MODEL_SLOTS, TELEMETRY_POINTS_MAX);
    p = model_point(m, 0, MODEL_SLOTS - 1, 5);
    CHECK(t, !model_put(m, &p, 1)); /* nobody has said how long they are kept: for ever */
    CHECK(t, count_points(m, 0) == MODEL_SLOTS);
    telemetry_keeps(m->store, two, 2);
    settle(m);
    CHECK(t, !model_put(m, &p, 1));
    size_t left = count_points(m, 0);
    CHECK_SAY(t, left < MODEL_SLOTS / 2 && left > 10 && count_points(m, 1) == MODEL_SLOTS / 10, "%zu", left);
    CHECK(t, !label(m, 1, 9) && !label(m, 0, 0) && count_points(m, 0) == left);
    struct telemetry_point old = model_point(m, 0, MODEL_SLOTS / 2, 5);
    CHECK(t, !model_put(m, &old, 1));
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

/* ---- kinds ---- */

static void a_counter_that_falls_began_anew(struct t *t) {
    static const double values[] = {10, 12, 3, 5, 1};
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    CHECK(t, !model_open(m));
    for (size_t i = 0; i < COUNT(values); i++) {
        struct telemetry_point p = model_point(m, 0, i, values[i]);
        CHECK(t, !model_put(m, &p, 1));
    }
    struct telemetry_every all = {1, 'M'};
    for (int again = 0; again < 2; again++) {
        CHECK(t, sum_of(ask(m, m->start_ms, m->start_ms + DAY_MS, all, TELEMETRY_DELTA)) == -9);
        CHECK(t, !telemetry_label(m->store, COMMUNITY, S("pump-1"), model_metric(0),
                                  &(struct telemetry_label){.kind = TELEMETRY_COUNTER}, &t->fault));
        CHECK(t, sum_of(ask(m, m->start_ms, m->start_ms + DAY_MS, all, TELEMETRY_DELTA)) == 2 + 3 + 2 + 1);
        CHECK(t, !telemetry_label(m->store, COMMUNITY, S("pump-1"), model_metric(0), &(struct telemetry_label){0},
                                  &t->fault));
        roll(m);
    }
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

/* ---- what may not be lost ---- */

static double count_all(struct model *m, int64_t from, int64_t to) {
    return sum_of(by_hour(m, from, to, TELEMETRY_COUNT));
}

static void push_now(struct model *m, size_t series) {
    struct telemetry_point p = model_point(m, series, MODEL_SLOTS - 1, 4);
    CHECK(m->t, !model_put(m, &p, 1));
    settle(m);
}

struct stage {
    struct io_sim *sim;
    struct io io;
    struct model *m;
    int64_t from, month; /* hours of full months */
};

static void stage_begin(struct stage *s, struct t *t, const struct telemetry_keep *keeps_of, size_t n) {
    s->sim = io_sim_create(t->seed);
    s->io = io_sim_io(s->sim);
    s->m = model_make(t, &s->io, DIR);
    s->from = s->m->start_ms - s->m->start_ms % 3600000;
    s->month = month_begin(s->m);
    CHECK(t, !model_open(s->m));
    telemetry_keeps(s->m->store, keeps_of, n);
    settle(s->m);
}

static void stage_end(struct stage *s) {
    telemetry_close(s->m->store);
    io_sim_destroy(s->sim);
}

/* Fewer points than a chunk would have, in a head for long: they are rolled up before their month goes. */
static void what_is_in_a_head_is_rolled_up_before_it_goes(struct t *t) {
    static const struct telemetry_keep two[] = {{.raw_days = 1000, .tiers = {{60, 3000}}},
                                                {.id = 9, .raw_days = 1, .tiers = {{60, 3000}}}};
    struct stage s;
    stage_begin(&s, t, two, 2);
    push_now(s.m, 1);
    for (size_t slot = 0; slot < MODEL_SLOTS; slot += 15) {
        struct telemetry_point p = model_point(s.m, 0, slot, 5);
        CHECK(t, !model_put(s.m, &p, 1));
    }
    settle(s.m);
    double before = count_all(s.m, s.from, s.month);
    CHECK(t, !label(s.m, 0, 9));
    settle(s.m);
    for (int i = 0; i < 4; i++) {
        push_now(s.m, 1);
        world_sim_advance(&t->sim, i ? INT64_C(3700) * 1000 : INT64_C(32) * DAY_MS);
    }
    double after = count_all(s.m, s.from, s.month);
    CHECK_SAY(t, before > 100 && before == after, "%g, before %g", after, before);
    stage_end(&s);
}

/* Ten late points, taken in time, whose month goes while they are few. */
static void late_points_are_rolled_up_before_their_month_goes(struct t *t) {
    static const struct telemetry_keep k = {.raw_days = 30, .tiers = {{60, 3000}}};
    struct stage s;
    stage_begin(&s, t, &k, 1);
    push_now(s.m, 1);
    int64_t now = t->world.utc_ms(t->world.self);
    struct civil c = zone_civil(NULL, s.month + 32 * DAY_MS);
    int64_t next = civil_day(c.year, c.month, 1) * DAY_MS;
    world_sim_advance(&t->sim, next + 3 * DAY_MS - now);
    push_now(s.m, 1);
    push_now(s.m, 1);
    for (int64_t i = 0; i < 10; i++) {
        struct telemetry_point p = model_point(s.m, 0, 0, 3);
        p.at_ms = next - 2 * DAY_MS + i * 60000;
        CHECK(t, !model_put(s.m, &p, 1));
    }
    settle(s.m);
    for (int day = 0; day < 70; day++) {
        world_sim_advance(&t->sim, DAY_MS);
        struct telemetry_point p = model_point(s.m, 3, 0, 1);
        p.at_ms = t->world.utc_ms(t->world.self);
        CHECK(t, !model_put(s.m, &p, 1));
        settle(s.m);
    }
    double after = count_all(s.m, next - 3 * DAY_MS, next);
    struct telemetry_points raw = {0};
    CHECK(t, !telemetry_range(s.m->store, model_number(s.m, 0), 0, next, 100, &t->arena, &raw, &t->fault) && !raw.n);
    CHECK_SAY(t, after == 10, "%g", after);
    stage_end(&s);
}

static void a_page_of_one_window_is_the_window(struct t *t) {
    struct stage s;
    stage_begin(&s, t, keeps, COUNT(keeps));
    fill(s.m);
    roll(s.m);
    int64_t from = s.from + 5 * 3600000;
    uint32_t number = model_number(s.m, 0);
    for (size_t k = 0; k < 12; k++) {
        double got[2];
        for (size_t one = 0; one < 2; one++) {
            struct telemetry_windows_query q = {.series = &number,
                                                .n = 1,
                                                .from_ms = from + (int64_t)k * 300000,
                                                .to_ms = from + DAY_MS,
                                                .every = {5, 'm'},
                                                .aggs = {TELEMETRY_COUNT},
                                                .aggs_n = 1,
                                                .limit = one ? 1 : 100};
            struct telemetry_points p = {0};
            CHECK(t, !telemetry_windows(s.m->store, &q, &t->arena, &p, &t->fault));
            got[one] = p.value[0];
        }
        CHECK_SAY(t, got[0] == got[1], "window %zu: %g alone, %g among others", k, got[1], got[0]);
    }
    /* What came late and is not sealed yet counts for what the first window differs from, too. */
    CHECK(t, by_hour(s.m, from, s.month, TELEMETRY_DELTA).rolled_min == 60);
    struct telemetry_point late = model_point(s.m, 0, 0, 12345);
    late.at_ms = from - 1;
    CHECK(t, !model_put(s.m, &late, 1));
    double among = by_hour(s.m, s.from, s.month, TELEMETRY_DELTA).value[5];
    double alone = by_hour(s.m, from, s.month, TELEMETRY_DELTA).value[0];
    CHECK_SAY(t, among == alone && among < -1000, "%g alone, %g among others", alone, among);
    stage_end(&s);
}

/* Flips a byte in the head (16) or body of the `nth` chunk that counts in the last file whose name holds `part`. */
struct victim {
    const char *part;
    char path[64];
};

static int find_victim(void *arg, const char *name) {
    struct victim *v = arg;
    if (strstr(name, v->part) && (!*v->path || strcmp(name, v->path + sizeof DIR) > 0))
        snprintf(v->path, sizeof v->path, DIR "/%s", name);
    return 0;
}

static void damage(struct stage *s, const char *part, const char *magic, int64_t offset) {
    static uint8_t bytes[1 << 20];
    struct victim v = {.part = part};
    struct t *t = s->m->t;
    CHECK(t, !s->io.list(s->io.self, DIR, find_victim, &v) && *v.path);
    int64_t file = s->io.open(s->io.self, v.path, IO_WRITE), n = s->io.read(s->io.self, file, bytes, sizeof bytes, 0);
    int64_t at = 0;
    while (at + 8 <= n && memcmp(bytes + at, magic, 4)) at += 8;
    CHECK(t, at + offset < n);
    bytes[at + offset] ^= 1;
    CHECK(t, s->io.write(s->io.self, file, bytes + at + offset, 1, at + offset) == 1);
    CHECK(t, !s->io.sync(s->io.self, file) && !s->io.close(s->io.self, file));
}

static void reopen(struct stage *s) {
    telemetry_close(s->m->store);
    CHECK(s->m->t, !model_open(s->m));
}

static void windows_beside_a_damaged_part_are_read(struct t *t) {
    static const struct telemetry_keep first = {.raw_days = 1000, .tiers = {{60, 3000}}},
                                       brief = {.raw_days = 1, .tiers = {{60, 3000}}};
    for (int body = 0; body < 2; body++) {
        struct stage s;
        stage_begin(&s, t, &first, 1);
        fill(s.m);
        world_sim_advance(&t->sim, 700000);
        settle(s.m);
        telemetry_keeps(s.m->store, &brief, 1);
        settle(s.m);
        push_now(s.m, 1);
        double whole = count_all(s.m, s.from, s.month);
        damage(&s, "-0-60.chunks", "LCHR", body ? 100 : 20);
        if (!body) reopen(&s);
        for (int again = 0; again < 2; again++) {
            struct telemetry_points p = by_hour(s.m, s.from, s.month, TELEMETRY_COUNT);
            double left = sum_of(p);
            CHECK_SAY(t, whole > 1000 && left < whole && whole - left < 500 && p.damaged, "%g of %g, %zu damaged", left,
                      whole, p.damaged);
        }
        stage_end(&s);
    }
}

/* Windows rolled up from points that are damaged since stay as they were, whatever comes late. */
static void windows_outlive_the_damage_of_their_points(struct t *t) {
    struct stage s;
    stage_begin(&s, t, keeps, 1);
    fill(s.m);
    roll(s.m);
    double whole = count_all(s.m, s.from, s.month);
    damage(&s, "-0-0.chunks", "LCH2", 120);
    for (size_t i = 0; i < 300; i++) {
        struct telemetry_point p = model_point(s.m, 0, 100, 5);
        p.at_ms = s.month - 20 * DAY_MS + 1 + (int64_t)i;
        CHECK(t, !model_put(s.m, &p, 1));
    }
    roll(s.m);
    roll(s.m);
    double left = count_all(s.m, s.from, s.month);
    CHECK_SAY(t, whole > 1000 && left >= whole, "%g of %g", left, whole);
    stage_end(&s);
}

/* A damaged window while its points are there: they are read, and it is rolled up again. */
static void a_damaged_window_is_rolled_up_again(struct t *t) {
    struct stage s;
    stage_begin(&s, t, keeps, 1);
    fill(s.m);
    roll(s.m);
    damage(&s, "-0-60.chunks", "LCHR", 100);
    (void)count_all(s.m, s.from, s.month);
    model_compare_hours(s.m, 0, 0, NULL);
    world_sim_advance(&t->sim, 700000);
    settle(s.m);
    struct telemetry_points p = by_hour(s.m, s.from, s.month, TELEMETRY_COUNT);
    CHECK(t, !p.damaged && p.rolled_min == 60);
    model_compare_hours(s.m, 0, 0, NULL);
    stage_end(&s);
}

/* Of the chunks of a month one is lost: its points are read, and it is rolled up again. */
static void a_month_that_lost_a_part_is_not_trusted(struct t *t) {
    struct stage s;
    stage_begin(&s, t, keeps, 1);
    fill(s.m);
    roll(s.m);
    damage(&s, "-0-60.chunks", "LCHR", 20);
    for (int again = 0; again < 2; again++) {
        bool rolled = false;
        reopen(&s);
        model_compare_hours(s.m, 0, 0, &rolled);
        struct telemetry_points p = by_hour(s.m, s.month - 20 * DAY_MS, s.month, TELEMETRY_AVG);
        if (again) CHECK(t, p.rolled_min == 60);
        roll(s.m);
        model_compare_hours(s.m, 0, 0, &rolled);
    }
    stage_end(&s);
}

static void who_is_late_again_and_again_holds_up_no_retention(struct t *t) {
    static const struct telemetry_keep k = {.raw_days = 40, .tiers = {{60, 3000}}};
    struct stage s;
    stage_begin(&s, t, keeps, 1);
    fill(s.m);
    push_now(s.m, 1);
    telemetry_close(s.m->store);
    s.m->options.seal_at = 20;
    s.m->options.log_bytes_max = 1;
    CHECK(t, !model_open(s.m));
    telemetry_keeps(s.m->store, &k, 1);
    settle(s.m);
    int64_t now = t->world.utc_ms(t->world.self), due = s.month + 40 * DAY_MS;
    world_sim_advance(&t->sim, due - 3600000 - now);
    for (int i = 0; i < 60; i++) { /* every nine minutes, over the time when it is due */
        struct telemetry_point p[20];
        world_sim_advance(&t->sim, 540000);
        for (size_t n = 0; n < COUNT(p); n++) {
            p[n] = model_point(s.m, 1, 0, (double)n);
            p[n].at_ms = t->world.utc_ms(t->world.self) - 36 * DAY_MS + (int64_t)n;
        }
        CHECK(t, !model_put(s.m, p, COUNT(p)));
        settle(s.m);
    }
    struct telemetry_points p = {0};
    CHECK(t, !telemetry_range(s.m->store, model_number(s.m, 0), 0, s.month, 100, &t->arena, &p, &t->fault));
    CHECK_SAY(t, !p.n, "%zu points left", p.n);
    CHECK(t, count_all(s.m, s.from, s.month) > 1000);
    stage_end(&s);
}

static void erasing_takes_no_more_than_it_says_when_a_month_is_due(struct t *t) {
    static const struct telemetry_keep before = {.raw_days = 1000, .tiers = {{60, 3000}}},
                                       after = {.raw_days = 1, .tiers = {{60, 3000}}};
    struct stage s;
    stage_begin(&s, t, &before, 1);
    fill(s.m);
    roll(s.m);
    telemetry_keeps(s.m->store, &before, 1);
    settle(s.m);
    double whole = count_all(s.m, s.from, s.month);
    telemetry_keeps(s.m->store, &after, 1); /* past, and not dropped yet */
    CHECK(t,
          !telemetry_erase(s.m->store, model_number(s.m, 0), s.from + 10 * 3600000, s.from + 12 * 3600000, &t->fault));
    settle(s.m);
    push_now(s.m, 1);
    push_now(s.m, 1);
    double left = count_all(s.m, s.from, s.month);
    CHECK_SAY(t, whole > 1000 && whole - left < 10, "%g of %g", left, whole);
    stage_end(&s);
}

struct told {
    int n, points, windows, heads;
    bool right;
};

static void on_damage(void *arg, const struct telemetry_damage *d) {
    struct told *told = arg;
    told->n++;
    told->heads += !d->device.ptr;
    told->points += d->device.ptr && !d->window_min;
    told->windows += d->window_min == 60;
    told->right = told->right && strstr(d->file, ".chunks") && d->at >= 0;
    if (d->device.ptr)
        told->right = told->right && str_is(d->device, "pump-1") && str_is(d->metric, "temp") && d->n > 0 &&
                      d->first_ms <= d->last_ms && !d->is_unread;
}

static struct told verify(struct stage *s) {
    struct told told = {.right = true};
    CHECK(s->m->t, !telemetry_verify(s->m->store, on_damage, &told, &s->m->t->fault));
    return told;
}

static void damage_is_told_by_its_place_and_what_was_there(struct t *t) {
    struct stage s;
    stage_begin(&s, t, keeps, 1);
    fill(s.m);
    roll(s.m);
    CHECK(t, !verify(&s).n);
    damage(&s, "-0-0.chunks", "LCH2", 120);
    damage(&s, "-0-60.chunks", "LCHR", 100);
    struct told told = verify(&s);
    CHECK(t, told.n == 2 && told.points == 1 && told.windows == 1 && told.right);
    damage(&s, "-0-5.chunks", "LCHR", 20);
    reopen(&s);
    told = verify(&s);
    CHECK(t, told.n == 3 && told.heads == 1 && told.right);
    stage_end(&s);
}

/* A disk that does not answer says nothing of what is on it. */
static int64_t no_read(void *self, int64_t file, void *ret, size_t n, int64_t at) {
    (void)self, (void)file, (void)ret, (void)n, (void)at;
    return -5;
}

static void a_read_that_fails_is_no_damage(struct t *t) {
    struct stage s;
    stage_begin(&s, t, keeps, 1);
    fill(s.m);
    roll(s.m);
    double whole = count_all(s.m, s.from, s.month);
    telemetry_close(s.m->store);
    struct io chunks = s.io;
    s.m->options.chunk_io = &chunks;
    chunks.read = no_read;
    CHECK(t, model_open(s.m) == ERR_UNAVAILABLE);
    chunks.read = s.io.read;
    CHECK(t, !model_open(s.m) && count_all(s.m, s.from, s.month) == whole);
    stage_end(&s);
}

TESTS(CASE(what_is_in_a_head_is_rolled_up_before_it_goes), CASE(late_points_are_rolled_up_before_their_month_goes),
      CASE(a_page_of_one_window_is_the_window), CASE(windows_beside_a_damaged_part_are_read),
      CASE(windows_outlive_the_damage_of_their_points), CASE(a_damaged_window_is_rolled_up_again),
      CASE(who_is_late_again_and_again_holds_up_no_retention),
      CASE(erasing_takes_no_more_than_it_says_when_a_month_is_due), CASE(a_read_that_fails_is_no_damage),
      CASE(damage_is_told_by_its_place_and_what_was_there), CASE(windows_are_the_same_rolled_up_or_not),
      CASE(no_power_cut_takes_windows_or_points), CASE(hours_stay_when_their_points_are_past),
      CASE(the_longest_windows_that_fit_are_taken),
      CASE(a_class_is_kept_as_long_as_it_says_and_takes_what_is_sealed_with_it),
      CASE(a_month_that_lost_a_part_is_not_trusted), CASE(a_counter_that_falls_began_anew))
