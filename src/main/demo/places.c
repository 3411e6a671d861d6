/* The demo's places: real outlines (demo/estate), made-up units and rooms.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/places/places.h"
#include "base/json.h"
#include "kernel/rows.h"
#include "main/assets.h"
#include "main/demo/demo.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PLAN           "demo/estate/estate.geojson"
#define SPOTS_MAX      400
#define GRID_BUILDINGS 9 /* the first ones are the third grid's */
#define FLOORS_SHOWN   5 /* a room each: the households that the demo knows */

struct making {
    struct ctx *ctx;
    struct demo_estate *e;
    size_t buildings;
    struct str source;
};

static enum err keep(struct making *m, struct demo_spots *list, int64_t id, struct str name) {
    if (list->n == SPOTS_MAX)
        return FAIL(&m->ctx->fault, ERR_LIMIT, "demo", "more than %d places of a kind", SPOTS_MAX);
    list->at[list->n++] = (struct demo_spot){id, name};
    return OK;
}

/* A place row with what is set below; parents only where given. */
static struct place place_like(const char *kind, int64_t parent, int64_t admin_parent) {
    struct place p = {0};
    SET(&places, &p, kind, str_of(kind));
    if (parent) SET(&places, &p, parent_id, parent);
    if (admin_parent) SET(&places, &p, admin_parent_id, admin_parent);
    return p;
}

static enum err put(struct making *m, struct place *p, const char *name, struct demo_spot *ret) {
    struct str copy;
    if (!arena_str(m->ctx->arena, str_of(name), &copy)) return FAIL_MEMORY(m->ctx);
    SET(&places, p, name, copy);
    TRY(row_create(m->ctx, &places, p));
    *ret = (struct demo_spot){p->row.id, copy};
    return OK;
}

/* ---- geometry ---- */

/* Centre of gravity of a ring: the corner formula over triangles from its first corner, so that nothing cancels. */
static void ring_centre(const json_t *ring, double *ret_lon, double *ret_lat) {
    size_t n = json_array_size(ring);
    double x0 = json_number_value(json_array_get(json_array_get(ring, 0), 0));
    double y0 = json_number_value(json_array_get(json_array_get(ring, 0), 1)), area = 0, x = 0, y = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        const json_t *a = json_array_get(ring, i), *b = json_array_get(ring, i + 1);
        double ax = json_number_value(json_array_get(a, 0)) - x0, ay = json_number_value(json_array_get(a, 1)) - y0;
        double bx = json_number_value(json_array_get(b, 0)) - x0, by = json_number_value(json_array_get(b, 1)) - y0;
        double twice = ax * by - bx * ay;
        area += twice;
        x += (ax + bx) * twice;
        y += (ay + by) * twice;
    }
    *ret_lon = area != 0 ? x0 + x / (3 * area) : x0;
    *ret_lat = area != 0 ? y0 + y / (3 * area) : y0;
}

/* The outline as it stands, and the point that stands for it; a line has none. */
static enum err put_shape(struct making *m, const json_t *geometry, struct place *p) {
    char *text = json_dumps(geometry, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    struct str copy = {NULL, 0}, type = json_text(json_object_get(geometry, "type"));
    const json_t *c = json_object_get(geometry, "coordinates");
    bool ok = text && arena_str(m->ctx->arena, str_of(text), &copy);
    double lon, lat;
    free(text);
    if (!ok) return FAIL_MEMORY(m->ctx);
    SET(&places, p, shape, copy);
    SET(&places, p, shape_source, m->source);
    if (str_is(type, "Point")) {
        lon = json_number_value(json_array_get(c, 0));
        lat = json_number_value(json_array_get(c, 1));
    } else if (str_is(type, "Polygon")) {
        ring_centre(json_array_get(c, 0), &lon, &lat);
    } else {
        return OK;
    }
    SET(&places, p, at, (struct geo){(int32_t)lround(lat * 1e7), (int32_t)lround(lon * 1e7)});
    return OK;
}

/* ---- what stands in a building ---- */

static enum err put_unit(struct making *m, int64_t building, const char *house, int unit, int64_t floors) {
    char name[96];
    struct demo_spot at, room;
    struct place like = place_like("unit", building, 0);
    snprintf(name, sizeof name, "%s%d单元", house, unit);
    TRY(put(m, &like, name, &at));
    TRY(keep(m, &m->e->units, at.id, at.name));
    for (int i = 0; i < FLOORS_SHOWN; i++) { /* spread over the height; left and right door by turns */
        int floor = 1 + (int)((floors - 1) * i / (FLOORS_SHOWN - 1));
        snprintf(name, sizeof name, "%s%d单元%d%02d", house, unit, floor, 1 + (i + unit) % 2);
        like = place_like("room", at.id, 0);
        TRY(put(m, &like, name, &room));
        TRY(keep(m, &m->e->rooms, room.id, room.name));
    }
    return OK;
}

static enum err put_inside(struct making *m, int64_t building, const char *house, const json_t *properties) {
    int64_t units = json_integer_value(json_object_get(properties, "units"));
    int64_t floors = json_integer_value(json_object_get(properties, "floors"));
    char name[96];
    struct demo_spot at;
    for (int u = 1; u <= units && u <= 8; u++) TRY(put_unit(m, building, house, u, floors));
    if (!json_is_true(json_object_get(properties, "lift"))) return OK;
    struct place like = place_like("equipment", building, 0);
    snprintf(name, sizeof name, "%s电梯机房", house);
    TRY(put(m, &like, name, &at));
    return keep(m, &m->e->lifts, at.id, at.name);
}

/* ---- the plan ---- */

static enum err put_feature(struct making *m, const json_t *feature) {
    const json_t *properties = json_object_get(feature, "properties");
    const char *kind = json_string_value(json_object_get(properties, "kind"));
    const char *name = json_string_value(json_object_get(properties, "name"));
    struct demo_spot at;
    if (!kind || !name) return FAIL(&m->ctx->fault, ERR_CORRUPT, "demo", PLAN ": a feature without kind or name");
    bool is_estate = !strcmp(kind, "estate"), is_building = !strcmp(kind, "building");
    if (is_building) m->buildings++;
    struct place like = place_like(kind, is_estate ? m->e->street : m->e->estate,
                                   is_building && m->buildings <= GRID_BUILDINGS ? m->e->grid : 0);
    if (is_estate) {
        SET(&places, &like, keeps_records, true);
        SET(&places, &like, code, S("yunshanli"));
    }
    TRY(put_shape(m, json_object_get(feature, "geometry"), &like));
    TRY(put(m, &like, name, &at));
    if (is_building) return put_inside(m, at.id, name, properties);
    if (!is_estate) return strcmp(kind, "road") ? keep(m, &m->e->others, at.id, at.name) : OK;
    m->e->estate = at.id;
    like = place_like("grid", 0, m->e->street);
    SET(&places, &like, code, S("grid-03"));
    TRY(put(m, &like, "第三网格", &at));
    m->e->grid = at.id;
    return OK;
}

static enum err put_plan(struct making *m, const json_t *plan) {
    const json_t *features = json_object_get(plan, "features");
    m->source = json_text(json_object_get(plan, "attribution"));
    for (size_t i = 0; i < json_array_size(features); i++) TRY(put_feature(m, json_array_get(features, i)));
    return m->e->estate ? OK : FAIL(&m->ctx->fault, ERR_CORRUPT, "demo", PLAN " has no estate");
}

/* What is under the ground or within another house, and so has no outline of its own. */
static enum err put_rest(struct making *m) {
    static const char *const garages[] = {"地下车库A区", "地下车库B区"};
    struct demo_spot at;
    for (size_t i = 0; i < COUNT(garages); i++) {
        struct place like = place_like("public", m->e->estate, 0);
        TRY(put(m, &like, garages[i], &at));
        TRY(keep(m, &m->e->others, at.id, at.name));
    }
    int64_t office = m->e->estate;
    for (size_t i = 0; i < m->e->others.n; i++)
        if (str_is(m->e->others.at[i].name, "物业服务中心")) office = m->e->others.at[i].id;
    struct place like = place_like("equipment", office, 0);
    TRY(put(m, &like, "消防控制室", &at));
    m->e->fire_room = at.id;
    return OK;
}

enum err demo_places(struct ctx *ctx, struct demo_estate *ret) {
    struct making m = {.ctx = ctx, .e = ret};
    struct demo_spots *const lists[] = {&ret->units, &ret->rooms, &ret->lifts, &ret->others};
    struct demo_spot at;
    json_t *plan = NULL;
    *ret = (struct demo_estate){0};
    for (size_t i = 0; i < COUNT(lists); i++)
        if (!(lists[i]->at = arena_new(ctx->arena, struct demo_spot, SPOTS_MAX))) return FAIL_MEMORY(ctx);
    struct place street = place_like("street", 0, 0);
    SET(&places, &street, keeps_records, true);
    SET(&places, &street, code, S("qingshan"));
    TRY(put(&m, &street, "青山街道", &at));
    ret->street = at.id;
    struct str text = {NULL, 0};
    for (size_t i = 0; i < assets_n; i++)
        if (!strcmp(assets[i].path, PLAN))
            text = (struct str){assets[i].begin, (size_t)(assets[i].end - assets[i].begin)};
    TRY(json_read(text, &plan, &ctx->fault));
    enum err e = put_plan(&m, plan);
    json_decref(plan);
    return e ? e : put_rest(&m);
}
