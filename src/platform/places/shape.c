/* Shapes of places.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/places/shape.h"

#include "base/json.h"

#define LINE_LEAST 2
#define RING_LEAST 4

static const struct form {
    const char *type;
    int depth;    /* arrays around a position */
    size_t least; /* positions in the innermost array */
    bool is_ring;
} forms[] = {
    {"Point", 0, 0, false},           {"LineString", 1, LINE_LEAST, false},  {"MultiLineString", 2, LINE_LEAST, false},
    {"Polygon", 2, RING_LEAST, true}, {"MultiPolygon", 3, RING_LEAST, true},
};

static bool is_within(const json_t *v, double most) {
    return json_is_number(v) && json_number_value(v) >= -most && json_number_value(v) <= most;
}

static bool is_position(const json_t *v) {
    return json_array_size(v) == 2 && is_within(json_array_get(v, 0), 180) && is_within(json_array_get(v, 1), 90);
}

/* At most three deep: the form says so. */
static bool is_form(const json_t *v, const struct form *f, int depth) {
    if (!depth) return is_position(v);
    size_t n = json_array_size(v);
    if (!n || (depth == 1 && n < f->least)) return false;
    for (size_t i = 0; i < n; i++)
        if (!is_form(json_array_get(v, i), f, depth - 1)) return false;
    return depth > 1 || !f->is_ring || json_equal(json_array_get(v, 0), json_array_get(v, n - 1));
}

const char *shape_check(struct str geometry) {
    struct fault ignored = {0};
    json_t *root = NULL;
    bool ok = false;
    if (json_read(geometry, &root, &ignored)) return "bad_shape";
    struct str type = json_text(json_object_get(root, "type"));
    for (size_t i = 0; i < COUNT(forms) && json_object_size(root) == 2; i++)
        if (str_is(type, forms[i].type)) ok = is_form(json_object_get(root, "coordinates"), &forms[i], forms[i].depth);
    json_decref(root);
    return ok ? NULL : "bad_shape";
}
