/* Which models are refused, and by which field.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "kernel/row_json.h"
#include "platform/things/things.h"

#include "tests/lib/town.h"

#include <stdio.h>
#include <string.h>

static enum err make(struct town *w, size_t n, const char *said) {
    char text[600];
    struct device_model m = {0};
    uint64_t fields;
    json_t *object = NULL;
    snprintf(text, sizeof text, "{\"code\": \"m%zu\", \"name\": \"m\", %s}", n, said);
    enum err e = json_read(str_of(text), &object, &w->ctx.fault);
    if (!e) e = row_read_json(&w->ctx, &device_models, object, fields_creatable(&device_models), &m, &fields);
    if (!e) e = row_create(&w->ctx, &device_models, &m);
    json_decref(object);
    return e;
}

#define METRICS "'metrics': [{'metric': 'level'}, {'metric': 'flow'}], 'events': [{'event': 'leak'}], "
#define RULE    "'name': 'r', 'severity': 'bad', 'message': 'r', "
#define GOOD    "{" RULE "'kind': 'silence', 'for_s': 60}, "

/* Quotation marks as they are easier to read. */
static const char *quoted(struct t *t, const char *text) {
    char *s = arena_cstr(&t->arena, str_of(text));
    for (char *c = s; *c; c++)
        if (*c == '\'') *c = '"';
    return s;
}

static void a_model_that_is_not_whole_is_refused(struct t *t) {
    static const struct {
        const char *said, *field, *code; /* field NULL: taken */
    } rows[] = {
        {METRICS "'rules': [" GOOD "{" RULE "'kind': 'above', 'metric': 'flow', 'limit_value': 2, 'clear_value': 1}]",
         NULL, NULL},
        {METRICS "'rules': [" GOOD "{" RULE "'kind': 'event', 'event_code': 'leak'}]", NULL, NULL},
        {METRICS "'rules': [" GOOD "{" RULE "'kind': 'above', 'limit_value': 2}]", "rules.1.metric", "required"},
        {METRICS "'rules': [" GOOD "{" RULE "'kind': 'below', 'metric': 'flow'}]", "rules.1.limit_value", "required"},
        {METRICS "'rules': [" GOOD "{" RULE
                 "'kind': 'above', 'metric': 'flow', 'limit_value': 2, 'clear_value': 2.001}]",
         "rules.1.clear_value", "wrong_side"},
        {METRICS "'rules': [" GOOD "{" RULE "'kind': 'above', 'metric': 'flow', 'limit_value': 2, 'clear_value': 2}]",
         NULL, NULL},
        {METRICS "'rules': [" GOOD "{" RULE
                 "'kind': 'below', 'metric': 'flow', 'limit_value': 2, 'clear_value': 1.999}]",
         "rules.1.clear_value", "wrong_side"},
        {METRICS "'rules': [" GOOD "{" RULE "'kind': 'silence'}]", "rules.1.for_s", "required"},
        {METRICS "'rules': [" GOOD "{" RULE "'kind': 'silence', 'for_s': 0}]", "rules.1.for_s", "required"},
        {METRICS "'rules': [" GOOD "{" RULE "'kind': 'event'}]", "rules.1.event_code", "required"},
        {METRICS "'rules': [" GOOD "{" RULE "'kind': 'above', 'metric': 'flaw', 'limit_value': 2}]", "rules.1.metric",
         "bad_ref"},
        {METRICS "'rules': [" GOOD "{" RULE "'kind': 'event', 'event_code': 'level'}]", "rules.1.event_code",
         "bad_ref"},
        {"'metrics': [{'metric': 'a', 'low': 1, 'high': 1}]", NULL, NULL},
        {"'metrics': [{'metric': 'a'}, {'metric': 'b', 'low': 1, 'high': 0.999}]", "metrics.1.high", "too_small"},
        {"'metrics': [{'metric': 'a'}, {'metric': 'b'}, {'metric': 'a'}]", "metrics.2.metric", "twice"},
        {"'events': [{'event': 'a'}, {'event': 'a'}]", "events.1.event", "twice"},
        {"'commands': [{'command': 'on', 'item': 'x'}, {'command': 'on', 'item': 'y'}]", "commands.1.command", "twice"},
        {"'metrics': [{'metric': 'a', 'unit': 'm\\u0007'}]", "metrics", "bad_text"},
        {"'metrics': [{'metric': 'a', 'unit': 'm\\u007f'}]", "metrics", "bad_text"},
        {"'metrics': [{'metric': 'a', 'unit': '\xc2\xb0'}]", NULL, NULL},
        {"'icon': 'device'", NULL, NULL},
        {"'icon': 'sparkle'", "icon", "bad_choice"},
        {"'upkeep': 'look at it'", "upkeep_days", "required"},
        {"'upkeep_days': 30", "upkeep", "required"},
        {"'upkeep': 'look at it', 'upkeep_days': 30", NULL, NULL},
    };
    struct town w;
    town_open(&w, t);
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err e = make(&w, i, quoted(t, rows[i].said));
        const struct fault *f = &w.ctx.fault;
        CHECK_SAY(t,
                  rows[i].field ? e == ERR_INVALID && f->fields_n == 1 && !strcmp(f->fields[0].field, rows[i].field) &&
                                      !strcmp(f->fields[0].code, rows[i].code)
                                : !e,
                  "row %zu: %s %s", i, f->text, f->fields_n ? f->fields[0].code : "");
        w.ctx.fault = (struct fault){0};
    }
    town_close(&w);
}

static void each_fault_of_a_model_is_told(struct t *t) {
    struct town w;
    town_open(&w, t);
    enum err e = make(&w, 0,
                      quoted(t, "'metrics': [{'metric': 'a', 'low': 2, 'high': 1}, {'metric': 'a'}], 'upkeep': "
                                "'x', 'rules': [{" RULE "'kind': 'event'}]"));
    CHECK_SAY(t, e == ERR_INVALID && w.ctx.fault.fields_n == 4, "%zu", w.ctx.fault.fields_n);
    town_close(&w);
}

TESTS(CASE(a_model_that_is_not_whole_is_refused), CASE(each_fault_of_a_model_is_told))
