/* What must hold at every hour and after every restart.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/week.h"

#include "kernel/outbox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 100

/* ---- readings ---- */

static bool same(double a, double b) {
    return a == b || (isnan(a) && isnan(b));
}

/* The points of one time that were sent: the last acknowledged value, or one sent after it that nobody answered. */
static bool may_be(const struct week_point *p, size_t n, bool found, double value) {
    size_t from = 0;
    bool must = false;
    for (size_t i = 0; i < n; i++)
        if (p[i].acked) {
            from = i;
            must = true;
        }
    if (!found) return !must;
    for (size_t i = from; i < n; i++)
        if (same(p[i].value, value)) return true;
    return false;
}

static void check_series(struct week *w, const struct week_device *d, const struct telemetry_points *got) {
    size_t g = 0, lost = 0;
    for (size_t i = 0, n; i < d->points_n; i += n) {
        for (n = 1; i + n < d->points_n && d->points[i + n].at_ms == d->points[i].at_ms;) n++;
        bool found = g < got->n && got->at_ms[g] == d->points[i].at_ms;
        lost += !may_be(&d->points[i], n, found, found ? got->value[g] : 0);
        g += found;
    }
    CHECK_SAY(w->t, !lost, "%s: %zu readings are lost or changed", d->code, lost);
    CHECK_SAY(w->t, g == got->n && !got->damaged, "%s: %zu readings that nobody sent", d->code, got->n - g);
}

static enum err check_readings(struct ctx *ctx, void *arg) {
    struct week *w = arg;
    struct telemetry *t = feed_telemetry(w->feed);
    for (size_t i = 0; i < WEEK_DEVICES; i++) {
        const struct week_device *d = &w->devices[i];
        struct telemetry_series *series;
        struct telemetry_points got = {0};
        size_t n;
        struct str code = str_of(d->code);
        if (!d->metric) continue;
        TRY(telemetry_latest(t, w->estate, &code, 1, str_of(d->metric), ctx->arena, &series, &n, &ctx->fault));
        if (n)
            TRY(telemetry_range(t, series[0].number, 0, INT64_MAX, TELEMETRY_POINTS_MAX, ctx->arena, &got,
                                &ctx->fault));
        check_series(w, d, &got);
        arena_reset(ctx->arena);
    }
    struct telemetry_stats stats;
    telemetry_stats(t, &stats);
    CHECK_SAY(w->t, !stats.damaged, "%d chunks or groups are damaged", (int)stats.damaged);
    return OK;
}

/* ---- rows ---- */

static struct week_seen *seen_of(struct week *w, int64_t id) {
    size_t at = (size_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 32) % w->seen_cap;
    while (w->seen[at].id && w->seen[at].id != id) at = (at + 1) % w->seen_cap;
    w->seen[at].id = id;
    return &w->seen[at];
}

void week_seen_put(struct week *w, int64_t id, int64_t version, int64_t events) {
    struct week_seen *s = seen_of(w, id);
    if (version > s->version) s->version = version;
    s->events += events;
}

static bool is_settled; /* of the check under way */

/* id, version, audit rows: versions never go back; each change has one audit row and, once told, one event. */
static void check_row(struct week *w, struct db_rows *row) {
    struct week_seen *s = seen_of(w, db_i64(row, 0));
    int64_t version = db_i64(row, 1);
    CHECK_SAY(w->t, version >= s->version, "row %lld goes back from version %d to %d", (long long)s->id,
              (int)s->version, (int)version);
    CHECK_SAY(w->t, version == db_i64(row, 2), "row %lld: version %d, %d audit rows", (long long)s->id, (int)version,
              (int)db_i64(row, 2));
    if (is_settled)
        CHECK_SAY(w->t, version == s->events, "row %lld: version %d, %d events", (long long)s->id, (int)version,
                  (int)s->events);
    s->version = version;
}

static int64_t *acts; /* audit rows of each write */

static void count_act(struct week *w, struct db_rows *row) {
    struct str trace = db_text(row, 0);
    int64_t number;
    if (!str_starts(trace, S("week-"))) return;
    size_t zeros = 5;
    while (zeros + 1 < trace.len && trace.ptr[zeros] == '0') zeros++;
    if (str_to_i64(str_from(trace, zeros), &number) && number < (int64_t)w->writes_n) acts[number] = db_i64(row, 1);
}

/* What was acknowledged was done once; what was refused, never; what got no answer, once at most. */
static void check_writes(struct week *w) {
    static const int64_t least[] = {[WEEK_UNSURE] = 0, [WEEK_DONE] = 1, [WEEK_REFUSED] = 0},
                         most[] = {[WEEK_UNSURE] = 1, [WEEK_DONE] = 1, [WEEK_REFUSED] = 0};
    acts = calloc(w->writes_n + 1, sizeof *acts);
    if (!acts) abort();
    week_rows(w, "SELECT trace, COUNT(*) FROM audit WHERE user_id <> 0 GROUP BY trace", count_act);
    for (size_t i = 0; i < w->writes_n; i++) {
        const struct week_write *x = &w->writes[i];
        CHECK_SAY(w->t, acts[i] >= least[x->fate] && acts[i] <= most[x->fate],
                  "write %zu, answered %d, was done %d times", i, x->status, (int)acts[i]);
    }
    free(acts);
}

static void none(struct week *w, const char *what, const char *sql) {
    int64_t now = week_now(w);
    int64_t n = week_count(w, sql, VALS(V_I64(now)));
    CHECK_SAY(w->t, n == 0, "%d %s", (int)n, what);
}

#define HISTORY(table)                                                                                              \
    "SELECT r.id, r.version, (SELECT COUNT(*) FROM audit a WHERE a.resource = '" table "' AND a.row_id = r.id AND " \
    "a.verb <> 'reveal') FROM " table " r ORDER BY r.id"

static void check_rows(struct week *w) {
    static const char *const histories[] = {HISTORY("cases"), HISTORY("alarms"), HISTORY("devices"), HISTORY("rules"),
                                            HISTORY("notices")};
    for (size_t i = 0; i < COUNT(histories); i++) week_rows(w, histories[i], check_row);
    check_writes(w);
    none(w, "causes with two open alarms",
         "SELECT COUNT(*) FROM (SELECT 1 FROM alarms WHERE state <> 'ended' GROUP BY rule_id, device_id, "
         "COALESCE(part, '') HAVING COUNT(*) > 1) AS t");
    none(w, "alarms with two cases",
         "SELECT COUNT(*) FROM (SELECT 1 FROM cases WHERE alarm_id IS NOT NULL GROUP BY alarm_id HAVING COUNT(*) > 1) "
         "AS t");
    none(
        w, "limits told twice",
        "SELECT COUNT(*) FROM (SELECT 1 FROM audit WHERE step IN ('late_accept', 'late_onsite', 'late_close') GROUP BY "
        "row_id, step HAVING COUNT(*) > 1) AS t");
    none(w, "audit rows that cannot be read",
         "SELECT COUNT(*) FROM audit WHERE (verb = 'create' AND before IS NOT NULL) OR (verb <> 'create' AND before IS "
         "NULL) OR after IS NULL OR NOT json_valid(CAST(substr(after, 2) AS TEXT))");
}

#define LATE(step, due, states)                                                                                      \
    "SELECT COUNT(*) FROM cases c WHERE c.state IN (" states ") AND c." due " <= $1 AND NOT EXISTS (SELECT 1 FROM "  \
    "audit a WHERE a.resource = 'cases' AND a.row_id = c.id AND a.step = '" step "') AND NOT EXISTS (SELECT 1 FROM " \
    "timers t WHERE t.resource = 'cases' AND t.row_id = c.id AND t.step = '" step "' AND t.lease_ms > $1)"

/* The two of the desk hear of a new case, of each limit and of the end of work; the assignee of his task; who reported
 * it, that it was seen to. */
#define TOLD                                                                                                      \
    "SELECT COUNT(*) FROM cases c WHERE (SELECT COUNT(*) FROM notices n WHERE n.about_id = "                      \
    "c.id) <> (SELECT SUM(CASE WHEN a.verb = 'create' OR a.step IN ('late_accept', 'late_onsite', 'late_close') " \
    "THEN 2 WHEN a.step = 'assign' THEN 1 WHEN a.step = 'finish' THEN 2 + (c.reporter_id IS NOT NULL) ELSE 0 "    \
    "END) FROM audit a WHERE a.resource = 'cases' AND a.row_id = c.id)"

/* Once nothing waits. */
static void check_told(struct week *w) {
    none(w, "events not delivered", "SELECT COUNT(*) FROM events WHERE delivered_ms IS NULL");
    none(w, "alarms without a case",
         "SELECT COUNT(*) FROM alarms a WHERE a.case_type IS NOT NULL AND NOT EXISTS (SELECT 1 FROM cases c WHERE "
         "c.alarm_id = a.id)");
    none(w, "timers that did not fire", "SELECT COUNT(*) FROM timers WHERE due_ms <= $1 AND lease_ms <= $1");
    none(w, "cases accepted late and not said so", LATE("late_accept", "accept_due_ms", "'new'"));
    none(w, "cases reached late and not said so",
         LATE("late_onsite", "onsite_due_ms", "'accepted', 'assigned'") " AND c.onsite_ms IS NULL");
    none(w, "cases closed late and not said so",
         LATE("late_close", "close_due_ms", "'accepted', 'assigned', 'onsite', 'done'"));
    none(w, "cases of which people were told too little or too often", TOLD);
    int64_t strangers = 0;
    for (size_t i = WEEK_DEVICES - WEEK_STRANGERS; i < WEEK_DEVICES; i++) strangers += w->devices[i].put_aside;
    CHECK_SAY(w->t, week_count(w, "SELECT COUNT(*) FROM devices", NO_VALS) >= WEEK_DEVICES - WEEK_STRANGERS + strangers,
              "a stranger that was heard is not put aside");
    week_model_check(w);
}

/* ---- the event stream ---- */

static void number_event(struct week *w, const struct numbered_event *e) {
    size_t at = (size_t)e->number;
    while (at >= w->numbered_cap) {
        size_t cap = w->numbered_cap ? w->numbered_cap * 2 : 4096;
        w->numbered = realloc(w->numbered, cap * sizeof *w->numbered);
        if (!w->numbered) abort();
        memset(w->numbered + w->numbered_cap, 0, (cap - w->numbered_cap) * sizeof *w->numbered);
        w->numbered_cap = cap;
    }
    if (!w->numbered[at]) {
        CHECK_SAY(w->t, at == w->numbered_n + 1, "event %zu follows %zu", at, w->numbered_n);
        w->numbered[at] = e->event.id;
        w->numbered_n = at;
        week_seen_put(w, e->event.row_id, 0, 1);
    }
    CHECK_SAY(w->t, w->numbered[at] == e->event.id, "number %zu means another event now", at);
}

struct reading {
    struct week *w;
    struct week_reader *reader;
    size_t n;
};

/* As the stream reads: whoever names his last number gets each later one once, in order. */
static enum err read_page(struct ctx *ctx, void *arg) {
    struct reading *r = arg;
    struct numbered_event *events;
    bool is_reset;
    TRY(events_after(ctx, r->reader->last, PAGE, &events, &r->n, &is_reset));
    CHECK_SAY(r->w->t, !is_reset, "a reader that was away for hours is sent back to the start");
    for (size_t i = 0; i < r->n; i++) {
        CHECK_SAY(r->w->t, events[i].number == r->reader->last + 1, "event %d after %d", (int)events[i].number,
                  (int)r->reader->last);
        r->reader->last = events[i].number;
        number_event(r->w, &events[i]);
    }
    return OK;
}

void week_read_events(struct week *w, struct week_reader *reader, bool to_end) {
    struct reading r = {w, reader, PAGE};
    while (r.n == PAGE) {
        CHECK(w->t, !week_do(w, read_page, &r));
        if (!to_end) break;
    }
}

/* ---- all of it ---- */

void week_check(struct week *w, bool settled) {
    w->checks++;
    is_settled = settled;
    CHECK(w->t, !week_do(w, check_readings, w));
    week_read_events(w, &w->readers[0], true);
    check_rows(w);
    if (settled) check_told(w);
}
