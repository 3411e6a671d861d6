/* Which model and place are suggested for a device that waits for adoption.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "platform/things/things.h"
#include "sensing/lines/lines_internal.h"
#include "tests/lib/town.h"

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

static const json_t *guess(struct site *s, const char *code) {
    struct device d = device(s, code, 0);
    struct buf b;
    struct jw j;
    buf_init_arena(&b, &s->w.t->arena, 4096);
    jw_init(&j, &b);
    jw_open(&j, '{');
    CHECK(s->w.t, !line_guess(&s->w.ctx, &d, &s->line, NULL, 0, &j));
    jw_close(&j, '}');
    json_decref(s->said);
    s->said = NULL;
    CHECK(s->w.t, !json_read((struct str){b.ptr, b.len}, &s->said, &s->w.ctx.fault));
    return s->said;
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

TESTS(CASE(a_model_is_named_in_both_languages), CASE(a_place_of_another_community_is_not_suggested))
