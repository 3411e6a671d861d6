/* Ideas: whose they are, and the day by which they are answered.  SPDX-License-Identifier: Apache-2.0 */
#include "apps/governance/ideas/ideas.h"

#include "kernel/row_json.h"
#include "kernel/setting.h"
#include "tests/lib/town.h"

#include <stdio.h>

#define DAY_MS INT64_C(86400000)

struct site {
    struct town w;
    const struct resource *ideas;
    int64_t anna, cora, mia;
};

static void start(struct site *s, struct t *t) {
    town_open(&s->w, t);
    s->ideas = kernel_resource(s->w.kernel, S("ideas"));
    s->anna = town_person(&s->w, "Anna", "resident", s->w.unit);
    s->cora = town_person(&s->w, "Cora", "committee", s->w.estate);
    s->mia = town_person(&s->w, "Mia", "manager", s->w.estate);
}

static enum err with(struct site *s, int64_t who, json_t *object, void *row, uint64_t *ret_fields) {
    town_as(&s->w, who);
    enum err e = row_read_json(&s->w.ctx, s->ideas, object, ~UINT64_C(0), row, ret_fields);
    json_decref(object);
    return e;
}

static int64_t send(struct site *s, int64_t who) {
    struct row *row = row_new(&s->w.ctx, s->ideas);
    uint64_t fields;
    enum err e = with(s, who, json_pack("{s:s,s:s,s:s}", "title", "a bench", "topic", "service", "text", "by the gate"),
                      row, &fields);
    if (!e) e = row_create(&s->w.ctx, s->ideas, row);
    CHECK_SAY(s->w.t, !e, "%s %s %s", s->w.ctx.fault.text, s->w.ctx.fault.fields[0].field,
              s->w.ctx.fault.fields[0].code);
    return row->id;
}

static enum err answer(struct site *s, int64_t who, int64_t id, const char *reply) {
    void *row = row_new(&s->w.ctx, s->ideas);
    uint64_t fields = 0;
    enum err e = with(s, who, reply ? json_pack("{s:s}", "reply", reply) : json_object(), row, &fields);
    return e ? e : row_act(&s->w.ctx, s->ideas, id, 0, "answer", row, fields, NULL);
}

static int64_t value(struct site *s, const char *column) {
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT %s FROM ideas ORDER BY id DESC LIMIT 1", column);
    return town_count(&s->w, sql);
}

static void an_idea_bears_the_name_of_who_wrote_it(struct t *t) {
    struct site s;
    start(&s, t);
    const int64_t writers[] = {s.anna, s.mia, s.cora};
    for (size_t i = 0; i < COUNT(writers); i++) {
        send(&s, writers[i]);
        CHECK(t, value(&s, "author_id") == writers[i]);
    }
    town_close(&s.w);
}

static void an_unanswered_idea_is_late_on_its_day_and_once(struct t *t) {
    struct site s;
    start(&s, t);
    send(&s, s.anna);
    int64_t due = value(&s, "reply_due_ms");
    CHECK(t, due == s.w.ctx.now_ms + 7 * DAY_MS); /* Shanghai knows no summer time */
    town_pass(&s.w, 7 * DAY_MS - 1);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM ideas WHERE late = 1") == 0);
    town_pass(&s.w, 1);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM ideas WHERE late = 1") == 1);
    town_pass(&s.w, 7 * DAY_MS);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM audit WHERE step = 'remind'") == 1);
    town_close(&s.w);
}

static void an_answer_in_time_keeps_it_from_being_late(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = send(&s, s.anna);
    CHECK(t, town_refused(&s.w, answer(&s, s.cora, id, NULL), "required"));
    CHECK(t, town_refused(&s.w, answer(&s, s.anna, id, "thank you"), "not_allowed"));
    CHECK(t, !answer(&s, s.cora, id, "two benches are ordered"));
    CHECK(t, value(&s, "replied_ms") == s.w.ctx.now_ms);
    town_pass(&s.w, 8 * DAY_MS);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM ideas WHERE late = 1") == 0);
    town_close(&s.w);
}

static enum err rewrite(struct site *s, int64_t who, int64_t id) {
    void *row = row_new(&s->w.ctx, s->ideas);
    uint64_t fields = 0;
    enum err e = with(s, who, json_pack("{s:s}", "text", "by the pond"), row, &fields);
    return e ? e : row_update(&s->w.ctx, s->ideas, id, 0, row, fields, NULL);
}

static void what_was_answered_stays_as_it_was_written(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = send(&s, s.anna);
    CHECK(t, !rewrite(&s, s.anna, id));
    CHECK(t, !answer(&s, s.cora, id, "two benches are ordered"));
    CHECK(t, town_refused(&s.w, rewrite(&s, s.anna, id), "wrong_state"));
    town_close(&s.w);
}

static void the_days_are_the_community_s_own_setting(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, !setting_put(&s.w.ctx, s.w.estate, "ideas.reply_days", S("3")));
    send(&s, s.anna);
    CHECK(t, value(&s, "reply_due_ms") == s.w.ctx.now_ms + 3 * DAY_MS);
    town_close(&s.w);
}

TESTS(CASE(an_idea_bears_the_name_of_who_wrote_it), CASE(an_unanswered_idea_is_late_on_its_day_and_once),
      CASE(an_answer_in_time_keeps_it_from_being_late), CASE(the_days_are_the_community_s_own_setting),
      CASE(what_was_answered_stays_as_it_was_written))
