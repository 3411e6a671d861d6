/* Commands: whom they reach, until when, what is kept of who wanted them.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/things/things.h"

#include "kernel/setting.h"
#include "tests/lib/town.h"

#include <stdio.h>
#include <string.h>

struct site {
    struct town w;
    int64_t device;
};

static void start(struct site *s, struct t *t) {
    static struct model_command told[] = {
        {.has = 0x39, .command = {"trip", 4}, .item = {"1C", 2}, .value = {"trip", 4}, .dangerous = true},
        {.has = 0x49, .command = {"locate", 6}, .item = {"locate", 6}, .alone = true},
        {.has = 0x9, .command = {"interval", 8}, .item = {"interval", 8}}};
    struct device_model m = {0};
    struct device d = {0};
    town_open(&s->w, t);
    d.row.community_id = s->w.estate;
    SET(&device_models, &m, code, S("relay"));
    SET(&device_models, &m, name, S("relay"));
    SET(&device_models, &m, commands, (struct lines){told, COUNT(told)});
    SET(&devices, &d, name, S("relay"));
    SET(&devices, &d, code, S("R-1"));
    SET(&devices, &d, model, S("relay"));
    SET(&devices, &d, place_id, s->w.estate);
    uint64_t adopted = UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id");
    CHECK(t, !row_create(&s->w.ctx, &device_models, &m) && !row_create(&s->w.ctx, &devices, &d) &&
                 !row_act(&s->w.ctx, &devices, d.row.id, 0, "adopt", &d, adopted, NULL));
    s->device = d.row.id;
}

static int64_t ask(struct site *s) {
    struct device_command c = {.row.community_id = s->w.estate};
    SET(&commands, &c, device_id, s->device);
    SET(&commands, &c, command, S("trip"));
    SET(&commands, &c, reason, S("arrears, by notice"));
    CHECK(s->w.t, !row_create(&s->w.ctx, &commands, &c));
    return c.row.id;
}

static enum err confirm(struct site *s, int64_t id) {
    return row_act(&s->w.ctx, &commands, id, 0, "confirm", NULL, 0, NULL);
}

static void what_is_not_in_use_any_more_is_told_nothing(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t id = ask(&s);
    CHECK(t, !row_act(&s.w.ctx, &devices, s.device, 0, "retire", NULL, 0, NULL));
    CHECK(t, town_refused(&s.w, confirm(&s, id), "not_in_use"));
    CHECK(t, !row_act(&s.w.ctx, &devices, s.device, 0, "reinstate", NULL, 0, NULL));
    CHECK(t, !row_archive(&s.w.ctx, &devices, s.device, 0));
    CHECK(t, town_refused(&s.w, confirm(&s, id), "not_in_use"));
    CHECK(t, !row_restore(&s.w.ctx, &devices, s.device, 0, NULL) && !confirm(&s, id));
    town_close(&s.w);
}

static void a_value_is_said_where_one_is_wanted(struct t *t) {
    static const struct {
        const char *command, *value, *code; /* code NULL: taken */
    } all[] = {{"trip", NULL, NULL},
               {"trip", "close", "not_taken"},
               {"locate", NULL, NULL},
               {"locate", "x", "not_taken"},
               {"interval", "60", NULL},
               {"interval", NULL, "required"},
               {"fly", NULL, "no_such_command"}};
    struct site s;
    start(&s, t);
    for (size_t i = 0; i < COUNT(all); i++) {
        struct device_command c = {.row.community_id = s.w.estate};
        SET(&commands, &c, device_id, s.device);
        SET(&commands, &c, command, str_of(all[i].command));
        SET(&commands, &c, reason, S("tried"));
        if (all[i].value) SET(&commands, &c, value, str_of(all[i].value));
        enum err e = row_create(&s.w.ctx, &commands, &c);
        CHECK_SAY(t, all[i].code ? town_refused(&s.w, e, all[i].code) : !e, "%zu", i);
        if (!e) CHECK(t, c.state == (i ? COMMAND_QUEUED : COMMAND_ASKED));
    }
    town_close(&s.w);
}

/* The device hangs on a line of its own of that kind from here on. */
static void hang(struct site *s, const char *kind) {
    char name[16];
    struct line_row line = {.row.community_id = s->w.estate};
    struct device d = {0};
    snprintf(name, sizeof name, "%lld", (long long)town_count(&s->w, "SELECT COUNT(*) FROM lines"));
    SET(&line_rows, &line, name, str_of(name));
    SET(&line_rows, &line, kind, str_of(kind));
    CHECK_SAY(s->w.t, !row_create(&s->w.ctx, &line_rows, &line), "%s", s->w.ctx.fault.text);
    SET(&devices, &d, line_id, line.row.id);
    CHECK_SAY(s->w.t,
              !row_update(&s->w.ctx, &devices, s->device, 0, &d, UINT64_C(1) << field_index(&devices, "line_id"), NULL),
              "%s", s->w.ctx.fault.text);
}

/* By the words of whoever made the model none of these is dangerous. */
static void what_moves_waits_for_a_confirmation_whatever_its_model_says(struct t *t) {
    static struct model_command told[] = {{.has = 0x9, .command = {"relay", 5}, .item = {"1C", 2}},
                                          {.has = 0x9, .command = {"valve", 5}, .item = {"10:A017", 7}},
                                          {.has = 0x9, .command = {"out", 3}, .item = {"out", 3}},
                                          {.has = 0x9, .command = {"beep", 4}, .item = {"buz", 3}}};
    static const struct {
        const char *kind, *command, *value;
        bool moves;
    } all[] = {{"dlt645", "relay", "trip", true},     {"dlt645", "relay", "permit_close", true},
               {"dlt645", "relay", "protect", false}, {"cjt188", "valve", "close", true},
               {"osdp", "out", "0 5 30", true},       {"osdp", "beep", "0 2 3 2 1", false},
               {"modbus_rtu", "relay", "on", false}};
    struct device_model m = {0};
    struct site s;
    start(&s, t);
    SET(&device_models, &m, commands, (struct lines){told, COUNT(told)});
    CHECK(t, !row_update(&s.w.ctx, &device_models, town_count(&s.w, "SELECT id FROM device_models"), 0, &m,
                         UINT64_C(1) << field_index(&device_models, "commands"), NULL));
    for (size_t i = 0; i < COUNT(all); i++) {
        struct device_command c = {.row.community_id = s.w.estate};
        hang(&s, all[i].kind);
        SET(&commands, &c, device_id, s.device);
        SET(&commands, &c, command, str_of(all[i].command));
        SET(&commands, &c, value, str_of(all[i].value));
        SET(&commands, &c, reason, S("tried"));
        CHECK_SAY(t, !row_create(&s.w.ctx, &commands, &c), "%zu %s", i, s.w.ctx.fault.text);
        CHECK_SAY(t, c.dangerous == all[i].moves && (c.state == COMMAND_ASKED) == all[i].moves, "%zu", i);
    }
    town_close(&s.w);
}

/* Whoever confirms it confirms what was asked, whatever its model says by then. */
static void what_is_told_is_what_was_asked(struct t *t) {
    static struct model_command other[] = {
        {.has = 0x19, .command = {"trip", 4}, .item = {"2C", 2}, .value = {"other", 5}}};
    struct site s;
    struct device_model m = {0};
    struct device_command c = {0};
    start(&s, t);
    int64_t id = ask(&s);
    SET(&device_models, &m, commands, (struct lines){other, COUNT(other)});
    CHECK(t, !row_update(&s.w.ctx, &device_models, town_count(&s.w, "SELECT id FROM device_models"), 0, &m,
                         UINT64_C(1) << field_index(&device_models, "commands"), NULL));
    CHECK(t, !confirm(&s, id) && !row_get(&s.w.ctx, &commands, id, &c));
    CHECK(t, str_is(c.item, "1C") && str_is(c.told, "trip") && c.dangerous);
    town_close(&s.w);
}

/* Four eyes, where the estate wants them; elsewhere whoever asks may confirm, once more. */
static void who_asks_does_not_confirm_where_two_must(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t one = town_person(&s.w, "one", "manager", s.w.estate),
            other = town_person(&s.w, "other", "manager", s.w.estate);
    town_as(&s.w, one);
    int64_t id = ask(&s);
    CHECK(t, !confirm(&s, id));
    town_as(&s.w, 0);
    CHECK(t, !setting_put(&s.w.ctx, s.w.estate, "commands.two_people", S("true")));
    town_as(&s.w, one);
    id = ask(&s);
    CHECK(t, town_refused(&s.w, confirm(&s, id), "second_person"));
    town_as(&s.w, other);
    CHECK(t, !confirm(&s, id));
    town_close(&s.w);
}

/* Whoever it is taken for next is not told what was meant for this one. */
static void what_is_put_back_is_told_nothing_of_before(struct t *t) {
    struct site s;
    struct device_command c = {0};
    start(&s, t);
    int64_t asked = ask(&s), confirmed = ask(&s), done = ask(&s);
    CHECK(t, !confirm(&s, confirmed) && !row_act(&s.w.ctx, &commands, done, 0, "withdraw", NULL, 0, NULL));
    town_as(&s.w, town_person(&s.w, "Chen", "manager", s.w.estate));
    CHECK_SAY(t, !row_act(&s.w.ctx, &devices, s.device, 0, "unadopt", NULL, 0, NULL), "%s", s.w.ctx.fault.text);
    CHECK(t, !row_get(&s.w.ctx, &commands, asked, &c) && c.state == COMMAND_FAILED && c.answer.len && c.ended_ms);
    CHECK(t, !row_get(&s.w.ctx, &commands, confirmed, &c) && c.state == COMMAND_FAILED);
    CHECK(t, !row_get(&s.w.ctx, &commands, done, &c) && c.state == COMMAND_WITHDRAWN);
    c = (struct device_command){.row.community_id = s.w.estate};
    SET(&commands, &c, device_id, s.device);
    SET(&commands, &c, command, S("trip"));
    SET(&commands, &c, reason, S("arrears, by notice"));
    CHECK(t, town_refused(&s.w, row_create(&s.w.ctx, &commands, &c), "not_in_use"));
    town_close(&s.w);
}

static void nothing_waits_longer_than_a_week(struct t *t) {
    static const struct {
        int64_t within_ms;
        const char *code; /* NULL: taken */
    } all[] = {{0, "in_the_past"},
               {1, NULL},
               {INT64_C(7) * 86400000, NULL},
               {INT64_C(7) * 86400000 + 1, "too_far"},
               {INT64_C(3000) * 86400000, "too_far"}};
    struct site s;
    start(&s, t);
    for (size_t i = 0; i < COUNT(all); i++) {
        struct device_command c = {.row.community_id = s.w.estate};
        ctx_begin(&s.w.ctx);
        SET(&commands, &c, device_id, s.device);
        SET(&commands, &c, command, S("trip"));
        SET(&commands, &c, reason, S("arrears, by notice"));
        SET(&commands, &c, until_ms, s.w.ctx.now_ms + all[i].within_ms);
        enum err e = row_create(&s.w.ctx, &commands, &c);
        if (e && all[i].code) CHECK(t, !strcmp(s.w.ctx.fault.fields[0].field, "until_ms"));
        CHECK_SAY(t, all[i].code ? town_refused(&s.w, e, all[i].code) : !e, "%zu", i);
    }
    town_close(&s.w);
}

static void the_audit_says_why(struct t *t) {
    static const char why[] =
        "SELECT COUNT(*) FROM audit WHERE resource = 'commands' AND reason = 'arrears, by notice'";
    struct site s;
    start(&s, t);
    int64_t id = ask(&s);
    CHECK(t, town_count(&s.w, why) == 1 && !s.w.ctx.reason.ptr);
    CHECK(t, !confirm(&s, id) && town_count(&s.w, why) == 2 && !s.w.ctx.reason.ptr);
    id = ask(&s);
    s.w.ctx.reason = S("I saw the notice myself");
    CHECK(t, !confirm(&s, id) && s.w.ctx.reason.len && town_count(&s.w, why) == 3);
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM audit WHERE step = 'confirm' AND reason LIKE 'I saw%'") == 1);
    town_close(&s.w);
}

TESTS(CASE(what_is_told_is_what_was_asked), CASE(what_moves_waits_for_a_confirmation_whatever_its_model_says),
      CASE(a_value_is_said_where_one_is_wanted), CASE(who_asks_does_not_confirm_where_two_must),
      CASE(the_audit_says_why), CASE(nothing_waits_longer_than_a_week),
      CASE(what_is_not_in_use_any_more_is_told_nothing), CASE(what_is_put_back_is_told_nothing_of_before))
