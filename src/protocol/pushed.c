/* Pushed JSON.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/pushed.h"

#include "base/civil.h"
#include "base/utf8.h"

/* ---- paths ---- */

/* How many steps of the path the leaf has, from the first on; SIZE_MAX: it leaves the path. */
static size_t common(const struct json_leaf *leaf, const char *path, bool *ret_all) {
    struct str rest, name;
    size_t n = 0;
    if (leaf->path_n && (!leaf->path[0].name.len || leaf->path[0].name.ptr[0] != path[0])) return SIZE_MAX; /* most */
    rest = str_of(path);
    for (; n < leaf->path_n && str_cut(&rest, '.', &name); n++) {
        const struct json_step *s = &leaf->path[n];
        if (str_is(name, "#") ? s->name.ptr != NULL : !s->name.ptr || !str_eq(name, s->name)) return SIZE_MAX;
    }
    *ret_all = !rest.ptr;
    return n;
}

bool pushed_is(const struct json_leaf *leaf, const char *path) {
    bool all;
    return common(leaf, path, &all) == leaf->path_n && all;
}

size_t pushed_below(const struct json_leaf *leaf, const char *path) {
    bool all;
    size_t n = common(leaf, path, &all);
    return n < leaf->path_n && all ? n : 0;
}

bool pushed_take(const struct pushed_field *fields, size_t n, struct pushed_value *values, struct json_in *in,
                 const struct json_leaf *leaf, bool *ret_is) {
    *ret_is = false;
    for (size_t i = 0; i < n; i++) {
        if (!pushed_is(leaf, fields[i].path)) continue;
        *ret_is = true;
        if (leaf->type == JSON_LEAF_NULL) return true;
        if (leaf->type != fields[i].type) return json_in_bad(in, fields[i].rule);
        if (values[i].has) return json_in_bad(in, "a member stands twice");
        values[i] = (struct pushed_value){true, leaf->number, leaf->text};
        return true;
    }
    return true;
}

/* ---- what is said ---- */

void pushed_init(struct pushed *p, struct decoded *ret, struct arena *a, struct wire_error *reterr, size_t at) {
    *ret = (struct decoded){0};
    *p = (struct pushed){.ret = ret, .a = a, .error = reterr, .at = at};
}

void pushed_next(struct pushed *p) {
    for (; p->readings_from < p->readings_n; p->readings_from++) {
        struct reading *r = &p->readings[p->readings_from];
        r->device = p->device;
        if (!r->at_ms) r->at_ms = p->at_ms;
    }
    for (; p->events_from < p->events_n; p->events_from++) {
        struct device_event *e = &p->events[p->events_from];
        e->device = p->device;
        if (!e->at_ms) e->at_ms = p->at_ms;
    }
    p->device = (struct str){NULL, 0};
    p->at_ms = 0;
}

void pushed_end(struct pushed *p) {
    *p->ret = (struct decoded){.sender = p->device,
                               .readings = p->readings,
                               .readings_n = p->readings_n,
                               .events = p->events,
                               .events_n = p->events_n};
    pushed_next(p);
}

bool pushed_bad(struct pushed *p, const char *rule, size_t at) {
    *p->error = (struct wire_error){rule, p->at + at};
    return false;
}

bool pushed_of(struct pushed *p, struct str device, const char *rule) {
    p->device = device;
    if (device.len > PUSHED_NAME_MAX || !str_is_code(device)) return pushed_bad(p, rule, 0);
    p->ret->sender = device;
    return true;
}

bool pushed_time(struct pushed *p, struct str text, const char *rule) {
    return civil_read_time(text, &p->at_ms) || pushed_bad(p, rule, 0);
}

struct reading *pushed_find(const struct pushed *p, struct str metric) {
    for (size_t i = p->readings_from; i < p->readings_n; i++)
        if (str_eq(p->readings[i].metric, metric)) return &p->readings[i];
    return NULL;
}

static const char *check_metric(struct str s) {
    if (!s.len || s.len > PUSHED_NAME_MAX) return "a value's name: it has 1 to 64 bytes";
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f) return "a value's name: it has a control character";
    return NULL;
}

bool pushed_add(struct pushed *p, struct str metric, const char *unit, double value) {
    const char *wrong = check_metric(metric);
    if (!wrong && pushed_find(p, metric)) wrong = "a value's name: it stands twice";
    if (!wrong && p->readings_n == PUSHED_READINGS_MAX) wrong = "values: " WIRE_LIMIT "at most 512";
    struct reading *all = wrong ? NULL : arena_grow(p->a, p->readings, p->readings_n, &p->readings_cap, sizeof *all);
    if (!all) return pushed_bad(p, wrong ? wrong : "out of memory", 0);
    p->readings = all;
    p->readings[p->readings_n++] = (struct reading){.metric = metric, .unit = str_of(unit), .value = value};
    return true;
}

bool pushed_event(struct pushed *p, struct str code, bool is_set) {
    bool fits = p->events_n < PUSHED_EVENTS_MAX;
    struct device_event *all = fits ? arena_grow(p->a, p->events, p->events_n, &p->events_cap, sizeof *all) : NULL;
    if (!all) return pushed_bad(p, fits ? "out of memory" : "events: " WIRE_LIMIT "at most 64", 0);
    p->events = all;
    p->events[p->events_n++] = (struct device_event){.code = code, .is_set = is_set};
    return true;
}

/* ---- leaves ---- */

static const char *unit_of(struct str metric) {
    static const struct {
        const char *metric, *unit;
    } units[] = {{"temperature", "Cel"}, {"humidity", "%"}, {"illuminance", "lx"}, {"co2", "ppm"},
                 {"pm25", "ug/m3"},      {"pm10", "ug/m3"}, {"latitude", "deg"},   {"longitude", "deg"}};
    for (size_t i = 0; i < COUNT(units); i++)
        if (str_is(metric, units[i].metric)) return units[i].unit;
    return "";
}

bool pushed_add_leaf(struct pushed *p, struct str before, const struct json_leaf *leaf, size_t from) {
    struct buf b;
    struct str metric;
    if (leaf->type != JSON_LEAF_NUMBER && leaf->type != JSON_LEAF_FLAG) return true;
    buf_init_arena(&b, p->a, PUSHED_NAME_MAX + 1);
    buf_str(&b, before);
    for (size_t i = from; i < leaf->path_n; i++) {
        if (b.len || i > from) buf_char(&b, '_');
        if (leaf->path[i].name.ptr)
            buf_str(&b, leaf->path[i].name);
        else
            buf_i64(&b, (int64_t)leaf->path[i].index);
    }
    if (!b.len && !b.overflow) return pushed_bad(p, check_metric(S("")), 0);
    if (!buf_done(&b, &metric)) return pushed_bad(p, "a value's name: it has 1 to 64 bytes", 0);
    return pushed_add(p, metric, leaf->type == JSON_LEAF_NUMBER ? unit_of(metric) : "", leaf->number);
}

bool pushed_object(struct pushed *p, struct bytes json, size_t at, json_leaf_fn *fn, void *arg) {
    struct buf texts;
    char *mem = arena_alloc(p->a, json.len + 1, 1, 1);
    if (!mem) return pushed_bad(p, "out of memory", at);
    buf_init(&texts, mem, json.len + 1);
    struct json_in in = json_in_of(json, &texts);
    json_in_blanks(&in);
    if (in.at == in.end || *in.at != '{') return pushed_bad(p, "it is no JSON object", at);
    if (json_in_leaves(&in, fn, arg) && json_in_end(&in)) return true;
    return in.rule ? pushed_bad(p, in.rule, at + in.rule_at) : false; /* else told by fn */
}
