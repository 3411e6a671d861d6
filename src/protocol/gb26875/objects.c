/* Application data of GB/T 26875.3: types and objects.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cursor.h"
#include "protocol/gb26875/gb26875_internal.h"

#include <string.h>

#define TEXT_BYTES 31 /* clause 8.2.1.2 */

#define PART(name, key, form, member) \
    static const struct gb26875_part name = {key, form, offsetof(struct gb26875_object, member)}
PART(system_part, "system", GB26875_U8, system);
PART(system_address, "system_address", GB26875_U8, system_address);
PART(component, "component", GB26875_U8, component);
PART(address, "address", GB26875_U32, component_address);
PART(state, "state", GB26875_U16, state);
PART(device_state, "state", GB26875_STATE8, state);
PART(operation, "operation", GB26875_STATE8, state);
PART(operator_part, "operator", GB26875_U8, operator_id);
PART(analogue, "analogue", GB26875_U8, analogue);
PART(value, "value", GB26875_I16, value);
PART(major_part, "major", GB26875_U8, major);
PART(minor_part, "minor", GB26875_U8, minor);
PART(records, "records", GB26875_U8, records);
PART(minutes, "minutes", GB26875_U8, minutes);
PART(reserved, "reserved", GB26875_U8, reserved);
PART(text31, "text", GB26875_TEXT31, text);
PART(text_l, "text", GB26875_TEXT_L, text);
PART(time_part, "time", GB26875_TIME, time);

/* Clause 8.3.1 up to type 28, 8.3.2 from type 61 on. */
static const struct layout {
    uint8_t type, count_max;
    const struct gb26875_part *parts[GB26875_PARTS_MAX + 1];
} layouts[] = {
    {1, 102, {&system_part, &system_address, &state, &time_part}},
    {2, 22, {&system_part, &system_address, &component, &address, &state, &text31, &time_part}},
    {3, 63, {&system_part, &system_address, &component, &address, &analogue, &value, &time_part}},
    {4, 102, {&system_part, &system_address, &operation, &operator_part, &time_part}},
    {5, 1, {&system_part, &system_address, &major_part, &minor_part}},
    {6, 3, {&system_part, &system_address, &text_l}},
    {7, 26, {&system_part, &system_address, &component, &address, &text31}},
    {8, 1, {&system_part, &system_address, &time_part}},
    {21, 1, {&device_state, &time_part}},
    {24, 127, {&operation, &operator_part, &time_part}},
    {25, 1, {&major_part, &minor_part}},
    {26, 1, {&text_l}},
    {28, 1, {&time_part}},
    {61, 102, {&system_part, &system_address}},
    {62, 22, {&system_part, &system_address, &address}},
    {63, 63, {&system_part, &system_address, &address}},
    {64, 1, {&system_part, &system_address, &records, &time_part}},
    {65, 1, {&system_part, &system_address}},
    {66, 3, {&system_part, &system_address}},
    {67, 26, {&system_part, &system_address, &address}},
    {68, 1, {&system_part, &system_address}},
    {81, 1, {&reserved}},
    {84, 1, {&records, &time_part}},
    {85, 1, {&reserved}},
    {86, 1, {&reserved}},
    {88, 1, {&reserved}},
    {89, 1, {&reserved}},
    {90, 1, {&time_part}},
    {91, 1, {&minutes}},
};

static const struct layout *layout_of(uint8_t type) {
    for (size_t i = 0; i < COUNT(layouts); i++)
        if (layouts[i].type == type) return &layouts[i];
    return NULL;
}

const struct gb26875_part *const *gb26875_parts(uint8_t type) {
    const struct layout *l = layout_of(type);
    return l ? l->parts : NULL;
}

/* ---- reading ---- */

static size_t size_of(const struct gb26875_part *part, const uint8_t *p, size_t left) {
    switch (part->form) {
    case GB26875_U8:
    case GB26875_STATE8: return 1;
    case GB26875_U16:
    case GB26875_I16: return 2;
    case GB26875_U32: return 4;
    case GB26875_TEXT31: return TEXT_BYTES;
    case GB26875_TEXT_L: return 1 + (left ? *p : 0u);
    case GB26875_TIME: return 6;
    }
    return 0;
}

static void read_part(const struct gb26875_part *part, const uint8_t *p, size_t size, struct gb26875_object *o) {
    void *at = (char *)o + part->at;
    uint16_t low = size > 1 ? (uint16_t)(p[0] | p[1] << 8) : p[0];
    switch (part->form) {
    case GB26875_U8: *(uint8_t *)at = p[0]; return;
    case GB26875_STATE8:
    case GB26875_U16: *(uint16_t *)at = low; return;
    case GB26875_I16: *(int16_t *)at = (int16_t)low; return;
    case GB26875_U32: *(uint32_t *)at = low | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; return;
    case GB26875_TEXT31: o->text = (struct bytes){p, TEXT_BYTES}; return;
    case GB26875_TEXT_L: o->text = (struct bytes){p + 1, size - 1}; return;
    case GB26875_TIME:
        o->time = gb26875_time_from(p);
        o->has_time = true;
        return;
    }
}

static bool read_objects(const struct layout *l, struct bytes *rest, struct gb26875_object *all, size_t n) {
    for (size_t i = 0; i < n; i++) {
        all[i].type = l->type;
        for (const struct gb26875_part *const *part = l->parts; *part; part++) {
            size_t size = size_of(*part, rest->ptr, rest->len);
            if (size > rest->len) return false;
            read_part(*part, rest->ptr, size, &all[i]);
            *rest = (struct bytes){rest->ptr + size, rest->len - size};
        }
    }
    return true;
}

static bool bad(struct wire_error *reterr, const char *rule, size_t at) {
    *reterr = (struct wire_error){rule, at};
    return false;
}

bool gb26875_objects(const struct gb26875_frame *f, struct arena *a, const struct gb26875_object **ret, size_t *ret_n,
                     struct bytes *ret_rest, struct wire_error *reterr) {
    struct bytes rest = f->data;
    *ret = NULL;
    *ret_n = 0;
    *ret_rest = rest;
    if (!rest.len || f->command >= GB26875_OWN || (rest.ptr[0] >= GB26875_OWN && rest.len >= 2)) return true;
    const struct layout *l = layout_of(rest.ptr[0]);
    if (!l) return bad(reterr, "GB/T 26875.3 8.1.1: no such type of data", GB26875_DATA_AT);
    if (rest.len < 2) return bad(reterr, "GB/T 26875.3 8.1.2: the number of objects is missing", GB26875_DATA_AT + 1);
    size_t n = rest.ptr[1];
    if (!n || n > l->count_max)
        return bad(reterr, "GB/T 26875.3 8.1.2: the type has another number of objects", GB26875_DATA_AT + 1);
    struct gb26875_object *all = arena_new(a, struct gb26875_object, n);
    if (!all) return bad(reterr, "out of memory", GB26875_DATA_AT);
    rest = (struct bytes){rest.ptr + 2, rest.len - 2};
    if (!read_objects(l, &rest, all, n))
        return bad(reterr, "GB/T 26875.3 8.3: the data end inside an object",
                   GB26875_DATA_AT + (size_t)(rest.ptr - f->data.ptr));
    *ret = all;
    *ret_n = n;
    *ret_rest = rest;
    return true;
}

/* ---- writing ---- */

static void put_part(const struct gb26875_part *part, const struct gb26875_object *o, struct buf *out) {
    static const uint8_t zeros[TEXT_BYTES];
    const void *at = (const char *)o + part->at;
    switch (part->form) {
    case GB26875_U8: buf_char(out, (char)*(const uint8_t *)at); return;
    case GB26875_STATE8: cursor_put_le(out, *(const uint16_t *)at, 1); return;
    case GB26875_U16: cursor_put_le(out, *(const uint16_t *)at, 2); return;
    case GB26875_I16: cursor_put_le(out, (uint16_t) * (const int16_t *)at, 2); return;
    case GB26875_U32: cursor_put_le(out, *(const uint32_t *)at, 4); return;
    case GB26875_TEXT31: {
        size_t n = o->text.len < TEXT_BYTES ? o->text.len : TEXT_BYTES;
        buf_add(out, o->text.ptr, n);
        buf_add(out, zeros, TEXT_BYTES - n);
        return;
    }
    case GB26875_TEXT_L: {
        size_t n = o->text.len < 255 ? o->text.len : 255;
        cursor_put_le(out, n, 1);
        buf_add(out, o->text.ptr, n);
        return;
    }
    case GB26875_TIME: gb26875_put_time(o->time, out); return;
    }
}

void gb26875_put_objects(uint8_t type, const struct gb26875_object *all, size_t n, struct buf *out) {
    const struct layout *l = layout_of(type);
    buf_char(out, (char)type);
    buf_char(out, (char)(uint8_t)n);
    for (size_t i = 0; l && i < n; i++)
        for (const struct gb26875_part *const *part = l->parts; *part; part++) put_part(*part, &all[i], out);
}
