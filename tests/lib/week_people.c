/* What people do over the api, with answers that get lost and keys that are sent again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/week.h"

#include "kernel/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICKED_MAX 64

/* ---- one request and what became of it ---- */

static struct week_write *write_new(struct week *w, int64_t *ret_number) {
    if (w->writes_n == w->writes_cap) {
        w->writes_cap = w->writes_cap ? w->writes_cap * 2 : 512;
        w->writes = realloc(w->writes, w->writes_cap * sizeof *w->writes);
        if (!w->writes) abort();
    }
    *ret_number = (int64_t)w->writes_n;
    w->writes[w->writes_n] = (struct week_write){0};
    return &w->writes[w->writes_n++];
}

static bool is_rules(const struct week_request *r) {
    return strstr(r->path, "/rules") || strstr(r->path, "/devices");
}

static void learn(struct week *w, const struct week_request *r, const struct week_answer *a) {
    struct week_write *write = &w->writes[r->number];
    bool done = a->status >= 200 && a->status < 300, unsure = !a->status || a->status >= 500;
    CHECK_SAY(w->t, a->status != 500, "%s %s %s: 500", r->method, r->path, r->body);
    if (a->status == 503) w->unavailable++;
    if (a->status == 412) w->stale++;
    if (write->fate == WEEK_DONE && a->status && !unsure) {
        CHECK_SAY(w->t,
                  a->status == write->status && a->id == write->row_id && a->version == write->version && a->is_replay,
                  "%s %s, key %d: again %d version %d, was %d version %d", r->method, r->path, (int)r->number,
                  a->status, (int)a->version, write->status, (int)write->version);
        w->replays++;
        return;
    }
    if (write->fate == WEEK_DONE) return;
    if (r->ends && (done || unsure)) {
        if (unsure) r->ends->may_be_ended = true;
        if (done && (!a->is_replay || r->ends->may_be_ended)) r->ends->open = r->ends->may_be_ended = false;
    }
    if (is_rules(r) && (done || unsure)) w->rules_changed = true;
    *write = (struct week_write){unsure ? WEEK_UNSURE : done ? WEEK_DONE : WEEK_REFUSED, a->id, a->version, a->status};
    w->acked_writes += done;
    if (done && a->id) week_seen_put(w, a->id, a->version, 0);
}

static void act(struct week *w, struct week_request *r) {
    struct week_answer a;
    (void)write_new(w, &r->number);
    week_ask(w, r, &a);
    learn(w, r, &a);
    bool is_lost = !a.status || a.status >= 500 || week_chance(w, 6);
    if (is_lost && w->resend_n < WEEK_RESENDS) w->resend[w->resend_n++] = *r;
}

void week_send_again(struct week *w) {
    for (size_t i = 0; i < w->resend_n && !week_is_off(w);) {
        struct week_answer a;
        struct week_request r = w->resend[i];
        week_ask(w, &r, &a);
        learn(w, &r, &a);
        bool is_over = a.status && a.status < 500;
        if (is_over)
            w->resend[i] = w->resend[--w->resend_n];
        else
            i++;
    }
}

/* ---- what there is to do ---- */

static struct picked {
    int64_t id, version, rule_id, device_id;
    char state[16], part[8];
} picked[PICKED_MAX];
static size_t picked_n;

static void keep(struct week *w, struct db_rows *row) {
    (void)w;
    if (picked_n == PICKED_MAX) return;
    struct picked *p = &picked[picked_n++];
    *p = (struct picked){.id = db_i64(row, 0), .version = db_i64(row, 1)};
    snprintf(p->state, sizeof p->state, STR_FMT, STR_ARG(db_text(row, 2)));
    if (db_cols(row) == 3) return;
    p->rule_id = db_i64(row, 3);
    p->device_id = db_i64(row, 4);
    snprintf(p->part, sizeof p->part, STR_FMT, STR_ARG(db_text(row, 5)));
}

static const struct picked *pick(struct week *w, const char *sql) {
    picked_n = 0;
    week_rows(w, sql, keep);
    return picked_n ? &picked[week_dice(w, picked_n)] : NULL;
}

/* Now and then he looks at an older page. */
static int64_t seen_version(struct week *w, const struct picked *p) {
    if (week_chance(w, 3)) return 0;
    return p->version > 1 && week_chance(w, 12) ? p->version - 1 : p->version;
}

static void work_on_case(struct week *w) {
    static const struct {
        const char *state, *step, *body;
        int who;
    } next[] = {{"new", "accept", "", DISPATCHER},         {"new", "accept", "", GUARD},
                {"new", "assign", "assignee", DISPATCHER}, {"accepted", "assign", "assignee", MANAGER},
                {"accepted", "arrive", "", GUARD},         {"assigned", "arrive", "", REPAIRER},
                {"onsite", "finish", "result", REPAIRER},  {"onsite", "note", "note", REPAIRER},
                {"done", "verify", "", DISPATCHER},        {"done", "reject", "reason", MANAGER},
                {"done", "verify", "", MANAGER},           {"verified", "close", "", DISPATCHER},
                {"new", "cancel", "reason", DISPATCHER},   {"verified", "close", "", RESIDENT}};
    const struct picked *p =
        pick(w, "SELECT id, version, state FROM cases WHERE state NOT IN ('closed', 'cancelled') ORDER BY id DESC");
    if (!p) return;
    size_t fit[COUNT(next)], n = 0;
    for (size_t i = 0; i < COUNT(next); i++)
        if (!strcmp(next[i].state, p->state)) fit[n++] = i;
    if (!n) return;
    size_t i = fit[week_dice(w, n)];
    struct week_request r = {.person_id = w->people[next[i].who], .method = "POST", .version = seen_version(w, p)};
    snprintf(r.path, sizeof r.path, "/api/v1/cases/%lld/%s", (long long)p->id, next[i].step);
    if (!strcmp(next[i].body, "assignee"))
        snprintf(r.body, sizeof r.body, "{\"assignee_id\":\"%lld\"}", (long long)w->people[REPAIRER]);
    else if (next[i].body[0])
        snprintf(r.body, sizeof r.body, "{\"%s\":\"seen to\"}", next[i].body);
    act(w, &r);
}

static void report_case(struct week *w) {
    struct week_request r = {.person_id = w->people[RESIDENT], .method = "POST", .path = "/api/v1/cases"};
    snprintf(r.body, sizeof r.body, "{\"title\":\"leak %zu\",\"type\":\"repair\",\"place_id\":\"%lld\"}", w->writes_n,
             (long long)w->building);
    act(w, &r);
}

static void see_to_alarm(struct week *w) {
    const struct picked *p = pick(w, "SELECT id, version, state, rule_id, device_id, COALESCE(part, '') FROM alarms "
                                     "WHERE state <> 'ended' ORDER BY id DESC");
    if (!p) return;
    bool ends = week_chance(w, 4);
    struct week_request r = {.person_id = w->people[MANAGER], .method = "POST", .version = seen_version(w, p)};
    if (ends) r.ends = week_model_watch(w, p->rule_id, p->device_id, str_of(p->part));
    snprintf(r.path, sizeof r.path, "/api/v1/alarms/%lld/%s", (long long)p->id, ends ? "end" : "ack");
    act(w, &r);
}

static void see_notice(struct week *w) {
    const struct picked *p =
        pick(w, "SELECT id, version, state, person_id, 0, '' FROM notices WHERE state = 'sent' ORDER "
                "BY id DESC");
    if (!p) return;
    struct week_request r = {.person_id = p->rule_id, .method = "POST"};
    snprintf(r.path, sizeof r.path, "/api/v1/notices/%lld/see", (long long)p->id);
    act(w, &r);
}

static void edit_rule(struct week *w) {
    const struct picked *p = pick(w, "SELECT id, version, kind FROM rules WHERE kind <> 'event' ORDER BY id");
    if (!p) return;
    struct week_request r = {.person_id = w->people[MANAGER], .method = "PATCH", .version = seen_version(w, p)};
    snprintf(r.path, sizeof r.path, "/api/v1/rules/%lld", (long long)p->id);
    bool enabled = week_chance(w, 3) ? week_chance(w, 2) : true;
    snprintf(r.body, sizeof r.body, "{\"name\":\"edit %zu\",\"for_s\":%d,\"enabled\":%s}", w->writes_n,
             (int)(600 + week_dice(w, 12) * 600), enabled ? "true" : "false");
    act(w, &r);
}

static void adopt_stranger(struct week *w) {
    const struct picked *p = pick(w, "SELECT id, version, state FROM devices WHERE state = 'new' ORDER BY id");
    if (!p) return;
    struct week_request r = {.person_id = w->people[MANAGER], .method = "POST"};
    snprintf(r.path, sizeof r.path, "/api/v1/devices/%lld/adopt", (long long)p->id);
    snprintf(r.body, sizeof r.body, "{\"name\":\"found\",\"model\":\"temp\",\"place_id\":\"%lld\"}",
             (long long)w->building);
    act(w, &r);
}

/* Reads go on whatever the disk is like. */
static void look(struct week *w) {
    static const char *const pages[] = {"/api/v1/cases?limit=50&sort=-created_ms", "/api/v1/alarms?limit=20",
                                        "/api/v1/devices?limit=100", "/api/v1/notices?limit=20"};
    struct week_request r = {.person_id = w->people[week_dice(w, RESIDENT)], .method = "GET"};
    struct week_answer a;
    snprintf(r.path, sizeof r.path, "%s", pages[week_dice(w, COUNT(pages))]);
    week_ask(w, &r, &a);
    CHECK_SAY(w->t, a.status == 200 || week_is_off(w), "GET %s: %d", r.path, a.status);
}

void week_people_act(struct week *w) {
    static const struct {
        void (*act)(struct week *w);
        uint64_t one_in; /* steps */
    } doings[] = {{work_on_case, 1}, {work_on_case, 2}, {report_case, 40},    {see_to_alarm, 6},
                  {see_notice, 4},   {edit_rule, 60},   {adopt_stranger, 80}, {look, 5}};
    bool is_night = week_true_now(w) / WEEK_HOUR % 24 >= 15; /* 23 to 8 in Shanghai */
    for (size_t i = 0; i < COUNT(doings) && !week_is_off(w); i++)
        if (week_chance(w, doings[i].one_in * (is_night ? 8 : 1))) doings[i].act(w);
}
