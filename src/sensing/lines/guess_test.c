/* Which model and place are suggested for a device that waits for adoption.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "platform/things/things.h"
#include "sensing/lines/lines_internal.h"
#include "tests/lib/town.h"

#include <stdio.h>
#include <string.h>

struct site {
    struct town w;
    struct line_spec line;
    json_t *said;
};

static void start(struct site *s, struct t *t) {
    struct line_row l = {0};
    struct device_model m = {0};
    *s = (struct site){0};
    town_open(&s->w, t);
    l.row.community_id = s->w.estate;
    SET(&line_rows, &l, name, S("east"));
    SET(&line_rows, &l, kind, S("cjt188"));
    SET(&device_models, &m, code, S("meter"));
    SET(&device_models, &m, name, S("水表"));
    SET(&device_models, &m, name_en, S("Water meter"));
    SET(&device_models, &m, icon, S("chart"));
    SET(&device_models, &m, protocol, S("cjt188"));
    CHECK(t, !row_create(&s->w.ctx, &line_rows, &l) && !row_create(&s->w.ctx, &device_models, &m));
    s->line = (struct line_spec){.id = l.row.id, .community_id = s->w.estate, .kind = "cjt188"};
}

static void stop(struct site *s) {
    json_decref(s->said);
    town_close(&s->w);
}

static struct device device(struct site *s, const char *code, int64_t place_id) {
    struct device d = {.row.community_id = s->w.estate};
    SET(&devices, &d, name, str_of(code));
    SET(&devices, &d, code, str_of(code));
    SET(&devices, &d, line_id, s->line.id);
    if (place_id) SET(&devices, &d, place_id, place_id);
    return d;
}

/* Adopted there. */
static void neighbour(struct site *s, const char *code, int64_t place_id) {
    struct device d = device(s, code, place_id);
    uint64_t adopted = UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id");
    CHECK(s->w.t, !row_create(&s->w.ctx, &devices, &d) &&
                      !row_act(&s->w.ctx, &devices, d.row.id, 0, "adopt", &d, adopted, NULL));
}

/* Of a device that said metrics of those names. */
static const json_t *guess_of(struct site *s, const char *code, const char *metrics) {
    struct device d = device(s, code, 0);
    struct telemetry_series series[8] = {0};
    struct str rest = str_of(metrics);
    size_t n = 0;
    struct buf b;
    struct jw j;
    while (n < COUNT(series) && str_word(&rest, &series[n].metric)) n++;
    buf_init_arena(&b, &s->w.t->arena, 4096);
    jw_init(&j, &b);
    jw_open(&j, '{');
    CHECK(s->w.t, !line_guess(&s->w.ctx, &d, &s->line, series, n, &j));
    jw_close(&j, '}');
    json_decref(s->said);
    s->said = NULL;
    CHECK(s->w.t, !json_read((struct str){b.ptr, b.len}, &s->said, &s->w.ctx.fault));
    return s->said;
}

static const json_t *guess(struct site *s, const char *code) {
    return guess_of(s, code, "");
}

static bool says(const json_t *of, const char *key, const char *text) {
    return str_is(json_text(json_object_get(of, key)), text);
}

static void a_model_is_named_in_both_languages(struct t *t) {
    struct site s;
    start(&s, t);
    const json_t *models = json_object_get(guess(&s, "001"), "models"), *m = json_array_get(models, 0);
    CHECK(t, json_array_size(models) == 1 && says(m, "code", "meter") && says(m, "name", "水表"));
    CHECK(t, says(m, "name_en", "Water meter") && says(m, "icon", "chart"));
    stop(&s);
}

/* Even where its line hangs there, in a store of before. */
static void a_place_of_another_community_is_not_suggested(struct t *t) {
    struct site s;
    start(&s, t);
    neighbour(&s, "0019", s.w.other_building);
    CHECK(t, !json_object_get(guess(&s, "0018"), "place_id"));
    neighbour(&s, "0020", s.w.building);
    CHECK(t, says(guess(&s, "0018"), "place", "building"));
    stop(&s);
}

/* ---- which models ---- */

static const struct {
    const char *code, *protocol, *category, *metrics;
} catalogue[] = {{"weather", "modbus", "air", "temperature wind rain"},
                 {"chiller", "modbus", "climate", "temperature power"},
                 {"fan", "modbus", "climate", "running"},
                 {"pump", "modbus", "pump", "running pressure"},
                 {"air_handler", "bacnet", "climate", "temperature"},
                 {"lift_bacnet", "bacnet", "lift", "floor door_closed"},
                 {"lift", "lift", "lift", "floor door_closed entrapped"},
                 {"elder_watch", "watch", "care", "latitude longitude heart_rate"},
                 {"climate", "mqtt", "air", "temperature humidity co2"},
                 {"thermometer", "chirpstack", "air", "temperature humidity"},
                 {"probe", NULL, "air", "temperature"}};

static void put_catalogue(struct site *s) {
    for (size_t i = 0; i < COUNT(catalogue); i++) {
        struct model_metric metrics[4] = {0};
        struct str rest = str_of(catalogue[i].metrics);
        struct device_model m = {0};
        size_t n = 0;
        while (n < COUNT(metrics) && str_word(&rest, &metrics[n].metric)) metrics[n++].has = 1;
        SET(&device_models, &m, code, str_of(catalogue[i].code));
        SET(&device_models, &m, name, str_of(catalogue[i].code));
        SET(&device_models, &m, category, str_of(catalogue[i].category));
        if (catalogue[i].protocol) SET(&device_models, &m, protocol, str_of(catalogue[i].protocol));
        SET(&device_models, &m, metrics, (struct lines){metrics, n});
        CHECK_SAY(s->w.t, !row_create(&s->w.ctx, &device_models, &m), "%s", s->w.ctx.fault.text);
    }
}

static void what_fits_best_is_shown_first_and_what_nothing_speaks_for_is_not(struct t *t) {
    static const struct {
        const char *kind, *code, *metrics, *models, *why;
    } rows[] = {
        {"modbus", "1", "", "", "four models speak Modbus: that says nothing"},
        {"modbus_rtu", "1", "running", "fan pump", "registers are the same, and who lacks less is first"},
        {"modbus", "1", "power temperature", "chiller weather probe", "what is in common, then the protocol"},
        {"bacnet", "889.lift_1", "", "lift_bacnet", "the codec named it a lift"},
        {"bacnet", "889.escalator_2", "", "lift_bacnet", "so it does an escalator"},
        {"bacnet", "889", "", "air_handler", "and this none"},
        {"bacnet", "889", "temperature", "air_handler probe", "the line's protocol first"},
        {"lift", "31104403000000007700", "floor door_closed", "lift lift_bacnet", "pushed: names are anybody's"},
        {"jt808", "13800138000", "latitude longitude", "", "no watch is a vehicle"},
        {"watch", "8800000015", "", "elder_watch", "by the protocol alone, where one speaks it"},
        {"mqtt", "A-1", "temperature humidity", "climate thermometer air_handler",
         "the protocol, of two that have as much"},
        {"http", "A-1", "temperature humidity", "thermometer climate air_handler", "else what lacks less"},
        {"http", "A-1", "", "", "nothing is known of it"},
        {"dlt645", "1", "salinity", "", "nobody measures that"},
    };
    struct site s;
    start(&s, t);
    put_catalogue(&s);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char found[200] = "";
        struct buf b;
        buf_init(&b, found, sizeof found);
        snprintf(s.line.kind, sizeof s.line.kind, "%s", rows[i].kind);
        const json_t *models = json_object_get(guess_of(&s, rows[i].code, rows[i].metrics), "models");
        for (size_t k = 0; k < json_array_size(models); k++)
            buf_fmt(&b, k ? " " STR_FMT : STR_FMT,
                    STR_ARG(json_text(json_object_get(json_array_get(models, k), "code"))));
        CHECK_SAY(t, !strcmp(found, rows[i].models), "%s, %s: \"%s\": %s", rows[i].kind, rows[i].metrics, found,
                  rows[i].why);
    }
    stop(&s);
}

TESTS(CASE(what_fits_best_is_shown_first_and_what_nothing_speaks_for_is_not), CASE(a_model_is_named_in_both_languages),
      CASE(a_place_of_another_community_is_not_suggested))
