/* Notices: who is told of a case, once each, and that he saw it.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/notices/notices.h"

#include "kernel/row_json.h"
#include "platform/cases/cases.h"
#include "tests/lib/town.h"

#include <stdio.h>

#define MIN_MS INT64_C(60000)

struct site {
    struct town w;
    int64_t dora, mia, rob, anna, far; /* desk, desk, repairer, reporter, desk of the other estate */
};

static void start(struct site *s, struct t *t) {
    town_open(&s->w, t);
    s->dora = town_person(&s->w, "Dora", "dispatcher", s->w.estate);
    s->mia = town_person(&s->w, "Mia", "manager", s->w.estate);
    s->rob = town_person(&s->w, "Rob", "repairer", s->w.estate);
    s->anna = town_person(&s->w, "Anna", "resident", s->w.unit);
    s->far = town_person(&s->w, "Fay", "dispatcher", s->w.other_estate);
}

static int64_t report(struct site *s) {
    struct case_row c = {0};
    town_as(&s->w, s->anna);
    SET(&cases, &c, title, S("water under the door"));
    SET(&cases, &c, type, S("repair"));
    SET(&cases, &c, place_id, s->w.unit);
    CHECK(s->w.t, !row_create(&s->w.ctx, &cases, &c));
    town_pass(&s->w, 0);
    return c.row.id;
}

/* How many notices has he, of those still new? */
static int64_t told(struct site *s, int64_t who) {
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM notices WHERE person_id = %lld AND state = 'sent'", (long long)who);
    return town_count(&s->w, sql);
}

static void act(struct site *s, int64_t who, int64_t id, const char *step, const struct case_row *in,
                const char *field) {
    town_as(&s->w, who);
    enum err e = row_act(&s->w.ctx, &cases, id, 0, step, in, in ? UINT64_C(1) << field_index(&cases, field) : 0, NULL);
    CHECK_SAY(s->w.t, !e, "%s: %s", step, s->w.ctx.fault.text);
    town_pass(&s->w, 0);
}

static void each_is_told_of_what_he_has_to_know(struct t *t) {
    struct site s;
    struct case_row assign = {0}, finish = {0};
    start(&s, t);
    int64_t id = report(&s);
    CHECK(t, told(&s, s.dora) == 1 && told(&s, s.mia) == 1 && !told(&s, s.rob) && !told(&s, s.anna));
    SET(&cases, &assign, assignee_id, s.rob);
    act(&s, s.dora, id, "assign", &assign, "assignee_id");
    CHECK(t, told(&s, s.rob) == 1 && told(&s, s.dora) == 1 && !told(&s, s.anna));
    act(&s, s.rob, id, "arrive", NULL, NULL);
    SET(&cases, &finish, result, S("a new seal"));
    act(&s, s.rob, id, "finish", &finish, "result");
    CHECK(t, told(&s, s.anna) == 1 && told(&s, s.dora) == 2 && told(&s, s.mia) == 2 && told(&s, s.rob) == 1);
    CHECK(t, !told(&s, s.far));
    town_close(&s.w);
}

static void a_missed_limit_is_told_to_the_desk_once(struct t *t) {
    struct site s;
    start(&s, t);
    report(&s);
    town_pass(&s.w, 30 * MIN_MS);
    CHECK(t, told(&s, s.dora) == 2 && told(&s, s.mia) == 2 && !told(&s, s.anna) && !told(&s, s.far));
    town_pass(&s.w, 60 * MIN_MS);
    CHECK(t, told(&s, s.dora) == 2);
    town_close(&s.w);
}

static void whose_duty_has_ended_is_told_no_more(struct t *t) {
    struct site s;
    start(&s, t);
    town_as(&s.w, 0);
    int64_t duty = town_count(&s.w, "SELECT MIN(id) FROM memberships WHERE role = 'dispatcher'");
    CHECK(t, !row_archive(&s.w.ctx, &memberships, duty, 0));
    report(&s);
    CHECK(t, !told(&s, s.dora) && told(&s, s.mia) == 1);
    town_close(&s.w);
}

static void a_notice_is_seen_by_its_reader_and_by_nobody_else(struct t *t) {
    struct site s;
    struct notice n = {0};
    start(&s, t);
    report(&s);
    town_as(&s.w, s.mia);
    struct list_query q = {.sort = FILTER_ID, .limit = 10};
    struct list_page page = {0};
    CHECK(t, !row_list(&s.w.ctx, &notices, &q, &page) && page.n == 1);
    int64_t id = ((struct notice *)page.rows)->row.id;
    town_as(&s.w, s.dora);
    CHECK(t, town_refused(&s.w, row_act(&s.w.ctx, &notices, id, 0, "see", NULL, 0, NULL), "not_found"));
    town_as(&s.w, s.mia);
    CHECK(t, !row_act(&s.w.ctx, &notices, id, 0, "see", NULL, 0, &n));
    CHECK(t, n.person_id == s.mia && n.seen_ms == s.w.ctx.now_ms && !told(&s, s.mia) && told(&s, s.dora) == 1);
    CHECK(t, town_refused(&s.w, row_act(&s.w.ctx, &notices, id, 0, "see", NULL, 0, NULL), "wrong_state"));
    town_close(&s.w);
}

/* As any client gets it: a number would be rounded by browsers, and say nothing. */
static void a_notice_refers_to_its_case(struct t *t) {
    struct site s;
    struct list_query q = {.sort = FILTER_ID, .limit = 10};
    struct list_page page = {0};
    struct str text, label = {0};
    char want[64];
    struct buf b;
    struct jw j;
    start(&s, t);
    int64_t id = report(&s);
    town_as(&s.w, s.dora);
    CHECK(t, !row_list(&s.w.ctx, &notices, &q, &page) && page.n == 1);
    const struct notice *n = page.rows;
    buf_init_arena(&b, &t->arena, 4096);
    jw_init(&j, &b);
    jw_open(&j, '{');
    row_write_json(&j, &notices, n, UINT64_C(1) << field_index(&notices, "about_id"), 0);
    jw_close(&j, '}');
    snprintf(want, sizeof want, "{\"about_id\":\"%lld\"}", (long long)id);
    CHECK_SAY(t, buf_done(&b, &text) && str_is(text, want), STR_FMT, STR_ARG(text));
    CHECK(t, !row_labels(&s.w.ctx, &cases, &n->about_id, 1, &label) && str_is(label, "water under the door"));
    town_close(&s.w);
}

static void of_what_was_put_aside_meanwhile_nobody_is_told(struct t *t) {
    struct site s;
    struct case_row c = {0};
    start(&s, t);
    town_as(&s.w, s.anna);
    SET(&cases, &c, title, S("a mistake"));
    SET(&cases, &c, type, S("repair"));
    SET(&cases, &c, place_id, s.w.unit);
    CHECK(t, !row_create(&s.w.ctx, &cases, &c));
    town_as(&s.w, 0);
    CHECK(t, !row_archive(&s.w.ctx, &cases, c.row.id, 0));
    town_pass(&s.w, 0);
    CHECK(t, !told(&s, s.dora) && !town_count(&s.w, "SELECT COUNT(*) FROM events WHERE delivered_ms IS NULL"));
    town_close(&s.w);
}

TESTS(CASE(each_is_told_of_what_he_has_to_know), CASE(a_missed_limit_is_told_to_the_desk_once),
      CASE(a_notice_refers_to_its_case), CASE(of_what_was_put_aside_meanwhile_nobody_is_told),
      CASE(whose_duty_has_ended_is_told_no_more), CASE(a_notice_is_seen_by_its_reader_and_by_nobody_else))
