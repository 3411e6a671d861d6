/* Cayenne LPP.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lorawan/cayenne.h"

#include "protocol/cursor.h"

#define PARTS_MAX 3

/* 0     channel
 * 1     type
 * 2..   the type's parts, big end first */
static const struct type {
    uint8_t type;
    struct part {
        const char *name, *unit;
        uint8_t bytes;
        bool is_signed;
        int32_t per_unit; /* counts of one unit */
    } parts[PARTS_MAX];
} types[] = {
    {0, {{"digital_input", "", 1, false, 1}}},
    {1, {{"digital_output", "", 1, false, 1}}},
    {2, {{"analog_input", "", 2, true, 100}}},
    {3, {{"analog_output", "", 2, true, 100}}},
    {100, {{"generic", "", 4, false, 1}}},
    {101, {{"illuminance", "lx", 2, false, 1}}},
    {102, {{"presence", "", 1, false, 1}}},
    {103, {{"temperature", "Cel", 2, true, 10}}},
    {104, {{"humidity", "%", 1, false, 2}}},
    {113,
     {{"acceleration_x", "[g]", 2, true, 1000},
      {"acceleration_y", "[g]", 2, true, 1000},
      {"acceleration_z", "[g]", 2, true, 1000}}},
    {115, {{"pressure", "hPa", 2, false, 10}}},
    {116, {{"voltage", "V", 2, false, 100}}},
    {117, {{"current", "A", 2, false, 1000}}},
    {118, {{"frequency", "Hz", 4, false, 1}}},
    {120, {{"percentage", "%", 1, false, 1}}},
    {121, {{"altitude", "m", 2, true, 1}}},
    {125, {{"concentration", "ppm", 2, false, 1}}},
    {128, {{"power", "W", 2, false, 1}}},
    {130, {{"distance", "m", 4, false, 1000}}},
    {131, {{"energy", "kWh", 4, false, 1000}}},
    {132, {{"direction", "deg", 2, false, 1}}},
    {133, {{"time", "s", 4, false, 1}}},
    {134,
     {{"rotation_x", "deg/s", 2, true, 100},
      {"rotation_y", "deg/s", 2, true, 100},
      {"rotation_z", "deg/s", 2, true, 100}}},
    {135, {{"red", "", 1, false, 1}, {"green", "", 1, false, 1}, {"blue", "", 1, false, 1}}},
    {136, {{"latitude", "deg", 3, true, 10000}, {"longitude", "deg", 3, true, 10000}, {"altitude", "m", 3, true, 100}}},
    {142, {{"switch", "", 1, false, 1}}},
};

static const struct type *type_of(uint8_t type) {
    for (size_t i = 0; i < COUNT(types); i++)
        if (types[i].type == type) return &types[i];
    return NULL;
}

static double read_part(struct cursor *c, const struct part *p) {
    int64_t v = (int64_t)cursor_be(c, p->bytes), half = INT64_C(1) << (8 * p->bytes - 1);
    return (double)(p->is_signed && v >= half ? v - 2 * half : v) / p->per_unit;
}

bool cayenne_read(struct bytes payload, struct cayenne_value ret[CAYENNE_VALUES_MAX], size_t *ret_n) {
    struct cursor c = cursor_of(payload);
    size_t n = 0;
    while (cursor_left(&c)) {
        uint8_t channel = cursor_u8(&c);
        const struct type *type = type_of(cursor_u8(&c));
        if (c.is_broken || !type) return false;
        for (size_t i = 0; i < PARTS_MAX && type->parts[i].name; i++) {
            const struct part *p = &type->parts[i];
            double value = read_part(&c, p);
            if (c.is_broken || n == CAYENNE_VALUES_MAX) return false;
            ret[n++] = (struct cayenne_value){channel, p->name, p->unit, value};
        }
    }
    *ret_n = n;
    return n > 0;
}
