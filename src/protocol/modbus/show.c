/* Frames of Modbus as JSON and back, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame_json.h"
#include "protocol/modbus/modbus_internal.h"

#include <string.h>

/* ---- show ---- */

static void put_registers(struct jw *j, struct bytes data) {
    jw_key(j, "registers");
    jw_open(j, '[');
    for (size_t i = 0; i + 1 < data.len; i += 2) jw_i64(j, data.ptr[i] << 8 | data.ptr[i + 1]);
    jw_close(j, ']');
}

/* The lowest first, whole bytes of them: "10110000". */
static void put_bits(struct jw *j, struct bytes data) {
    char text[8 * (MODBUS_PDU_MAX + 1)];
    for (size_t i = 0; i < 8 * data.len; i++) text[i] = data.ptr[i / 8] >> i % 8 & 1 ? '1' : '0';
    jw_kstr(j, "bits", (struct str){text, 8 * data.len});
}

static void put_range(struct jw *j, const struct modbus_frame *f) {
    jw_ki64(j, "address", f->address);
    jw_ki64(j, "count", f->count);
}

static void put_identity(struct jw *j, struct arena *a, const struct modbus_frame *f) {
    struct bytes rest = f->data, value;
    uint8_t id;
    jw_ki64(j, "code", f->code);
    if (f->from == MODBUS_MASTER) {
        jw_ki64(j, "object", f->object);
        return;
    }
    jw_ki64(j, "conformity", f->conformity);
    jw_kbool(j, "more", f->more);
    jw_ki64(j, "next", f->next);
    jw_key(j, "objects");
    jw_open(j, '[');
    while (modbus_object(&rest, &id, &value)) {
        jw_open(j, '{');
        jw_ki64(j, "object", id);
        frame_put_bytes(j, a, "value", value);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_body(struct jw *j, struct arena *a, const struct modbus_frame *f) {
    bool is_answer = f->from == MODBUS_DEVICE;
    switch ((enum modbus_function)f->function) {
    case MODBUS_READ_COILS:
    case MODBUS_READ_DISCRETE:
    case MODBUS_READ_HOLDING:
    case MODBUS_READ_INPUT:
        if (!is_answer)
            put_range(j, f);
        else
            (f->function <= MODBUS_READ_DISCRETE ? put_bits : put_registers)(j, f->data);
        return;
    case MODBUS_WRITE_COIL:
        jw_ki64(j, "address", f->address);
        jw_kbool(j, "on", f->value);
        return;
    case MODBUS_WRITE_REGISTER:
        jw_ki64(j, "address", f->address);
        jw_ki64(j, "value", f->value);
        return;
    case MODBUS_WRITE_COILS:
    case MODBUS_WRITE_REGISTERS:
        put_range(j, f);
        if (!is_answer) (f->function == MODBUS_WRITE_COILS ? put_bits : put_registers)(j, f->data);
        return;
    case MODBUS_MASK_REGISTER:
        jw_ki64(j, "address", f->address);
        jw_ki64(j, "and", f->and_mask);
        jw_ki64(j, "or", f->or_mask);
        return;
    case MODBUS_READ_WRITE:
        if (!is_answer) {
            put_range(j, f);
            jw_ki64(j, "write_address", f->write_address);
        }
        put_registers(j, f->data);
        return;
    case MODBUS_IDENTIFY: put_identity(j, a, f); return;
    }
}

static void put_exception(struct jw *j, uint8_t exception) {
    const char *word = modbus_exception_word(exception);
    if (word)
        jw_kcstr(j, "exception", word);
    else
        jw_ki64(j, "exception", exception);
}

static bool show(enum modbus_wire wire, struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct modbus_frame f;
    if (!modbus_decode(wire, MODBUS_EITHER, whole, &f, reterr)) return false;
    jw_open(j, '{');
    if (wire == MODBUS_TCP) jw_ki64(j, "transaction", f.transaction);
    jw_ki64(j, "unit", f.unit);
    jw_kcstr(j, "function", modbus_function_name(f.function));
    if (f.from != MODBUS_EITHER) jw_kcstr(j, "from", f.from == MODBUS_DEVICE ? "device" : "master");
    if (f.exception)
        put_exception(j, f.exception);
    else
        put_body(j, a, &f);
    jw_close(j, '}');
    return true;
}

bool modbus_show_rtu(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    return show(MODBUS_RTU, whole, a, j, reterr);
}
bool modbus_show_tcp(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    return show(MODBUS_TCP, whole, a, j, reterr);
}

/* ---- make: the same members; what is absent is 0.  Or "unit", "item", "value": what a line asks ---- */

static uint8_t *make_room(struct frame_in *in, const char *key, size_t n) {
    uint8_t *data = n <= MODBUS_PDU_MAX ? arena_alloc(in->arena, n + 1, 1, 1) : NULL;
    if (!data) frame_bad(in, key, "are too many");
    return data;
}

static struct bytes make_registers(struct frame_in *in) {
    const json_t *all = json_object_get(in->object, "registers");
    size_t n = json_array_size(all);
    uint8_t *data = make_room(in, "registers", 2 * n);
    if (!json_is_array(all)) frame_bad(in, "registers", "is no list");
    for (size_t i = 0; data && i < n; i++) {
        const json_t *one = json_array_get(all, i);
        int64_t v = json_is_integer(one) ? json_integer_value(one) : -1;
        if (v < 0 || v > UINT16_MAX) frame_bad(in, "registers", "are whole numbers from 0 to 65535");
        data[2 * i] = (uint8_t)(v >> 8);
        data[2 * i + 1] = (uint8_t)v;
    }
    return (struct bytes){data, data ? 2 * n : 0};
}

static struct bytes make_bits(struct frame_in *in) {
    struct str text = frame_text(in, "bits");
    size_t n = (text.len + 7) / 8;
    uint8_t *data = make_room(in, "bits", n);
    for (size_t i = 0; data && i < text.len; i++) {
        if (text.ptr[i] != '0' && text.ptr[i] != '1') frame_bad(in, "bits", "are 0 and 1");
        data[i / 8] |= (uint8_t)((text.ptr[i] == '1') << i % 8);
    }
    return (struct bytes){data, data ? n : 0};
}

static struct bytes make_objects(struct frame_in *in, uint8_t *ret_n) {
    const json_t *all = json_object_get(in->object, "objects");
    uint8_t *data = make_room(in, "objects", MODBUS_PDU_MAX);
    size_t n = 0, count = json_array_size(all);
    if (count > MODBUS_PDU_MAX / 2) frame_bad(in, "objects", "are too many");
    for (size_t i = 0; data && !in->is_bad && i < count; i++) {
        struct frame_in one = frame_of(in, json_array_get(all, i));
        struct bytes value = frame_bytes(&one, "value");
        uint8_t id = (uint8_t)frame_number(&one, "object", 0, 255, -1);
        frame_merge(in, &one);
        if (n + 2 + value.len > MODBUS_PDU_MAX) frame_bad(in, "objects", "are too long for a frame");
        if (in->is_bad) break;
        data[n++] = id;
        data[n++] = (uint8_t)value.len;
        if (value.len) memcpy(data + n, value.ptr, value.len);
        n += value.len;
    }
    *ret_n = (uint8_t)count;
    return (struct bytes){data, n};
}

static uint16_t make_u16(struct frame_in *in, const char *key) {
    return (uint16_t)frame_number(in, key, 0, UINT16_MAX, 0);
}

static void make_range(struct frame_in *in, struct modbus_frame *f, int64_t otherwise) {
    f->address = make_u16(in, "address");
    f->count = (uint16_t)frame_number(in, "count", 1, MODBUS_BITS_MAX, otherwise);
}

static void make_body(struct frame_in *in, struct modbus_frame *f) {
    bool is_answer = f->from == MODBUS_DEVICE;
    switch ((enum modbus_function)f->function) {
    case MODBUS_READ_COILS:
    case MODBUS_READ_DISCRETE:
        if (is_answer)
            f->data = make_bits(in);
        else
            make_range(in, f, 1);
        return;
    case MODBUS_READ_HOLDING:
    case MODBUS_READ_INPUT:
        if (is_answer)
            f->data = make_registers(in);
        else
            make_range(in, f, 1);
        return;
    case MODBUS_WRITE_COIL:
        f->address = make_u16(in, "address");
        f->value = frame_flag(in, "on") ? MODBUS_COIL_ON : 0;
        return;
    case MODBUS_WRITE_REGISTER:
        f->address = make_u16(in, "address");
        f->value = make_u16(in, "value");
        return;
    case MODBUS_WRITE_COILS:
        if (!is_answer) f->data = make_bits(in);
        make_range(in, f, (int64_t)frame_text(in, "bits").len);
        return;
    case MODBUS_WRITE_REGISTERS:
        if (!is_answer) f->data = make_registers(in);
        make_range(in, f, (int64_t)f->data.len / 2);
        return;
    case MODBUS_MASK_REGISTER:
        f->address = make_u16(in, "address");
        f->and_mask = (uint16_t)frame_number(in, "and", 0, UINT16_MAX, UINT16_MAX);
        f->or_mask = make_u16(in, "or");
        return;
    case MODBUS_READ_WRITE:
        f->data = make_registers(in);
        f->write_address = make_u16(in, "write_address");
        f->write_count = (uint16_t)(f->data.len / 2);
        if (!is_answer) make_range(in, f, 1);
        return;
    case MODBUS_IDENTIFY:
        f->code = (uint8_t)frame_number(in, "code", 1, 4, 1);
        f->object = (uint8_t)frame_number(in, "object", 0, 255, 0);
        if (!is_answer) return;
        f->conformity = (uint8_t)frame_number(in, "conformity", 0, 255, 1);
        f->more = frame_flag(in, "more");
        f->next = (uint8_t)frame_number(in, "next", 0, 255, 0);
        f->data = make_objects(in, &f->objects_n);
        return;
    }
}

static uint8_t make_exception(struct frame_in *in) {
    const json_t *v = json_object_get(in->object, "exception");
    if (!v) return 0;
    if (json_is_integer(v)) return (uint8_t)frame_number(in, "exception", 1, 255, -1);
    for (unsigned code = 1; code <= UINT8_MAX; code++) {
        const char *word = modbus_exception_word((uint8_t)code);
        if (word && str_is(json_text(v), word)) return (uint8_t)code;
    }
    frame_bad(in, "exception", "is none of clause 7");
    return 0;
}

/* The question for an item, as a line asks it. */
static bool make_asked(enum modbus_wire wire, struct frame_in *in, uint8_t unit, struct buf *out) {
    char address[4];
    struct buf b;
    const struct asking *asking = wire == MODBUS_TCP ? &modbus_tcp_asking : &modbus_rtu_asking;
    buf_init(&b, address, sizeof address);
    buf_i64(&b, unit);
    const struct question q = {
        .address = {address, b.len}, .item = frame_text(in, "item"), .value = frame_text(in, "value")};
    if (!in->is_bad && !asking->ask(&q, out)) frame_bad(in, "item", "cannot be asked or told so");
    return !in->is_bad;
}

static bool make(enum modbus_wire wire, const json_t *frame, struct arena *a, struct buf *out,
                 struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct modbus_frame f = {.from = MODBUS_MASTER};
    struct str name = frame_text(&in, "function"), from = frame_text(&in, "from");
    f.unit = (uint8_t)frame_number(&in, "unit", 0, wire == MODBUS_TCP ? 255 : MODBUS_UNITS, -1);
    if (json_object_get(frame, "item")) return make_asked(wire, &in, f.unit, out);
    if (!name.ptr) frame_bad(&in, "function", "is missing");
    if (name.ptr && !modbus_function_of(name, &f.function)) frame_bad(&in, "function", "is none of those known here");
    if (from.ptr && !str_is(from, "device") && !str_is(from, "master"))
        frame_bad(&in, "from", "is neither device nor master");
    f.transaction = make_u16(&in, "transaction");
    f.exception = make_exception(&in);
    if (f.exception || str_is(from, "device")) f.from = MODBUS_DEVICE;
    if (!in.is_bad && !f.exception) make_body(&in, &f);
    if (in.is_bad || modbus_encode(wire, &f, out)) return !in.is_bad;
    const char *counts = modbus_shape(f.function)->counts;
    frame_bad(&in, name.ptr, counts ? counts : "does not fit a frame");
    return false;
}

bool modbus_make_rtu(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    return make(MODBUS_RTU, frame, a, out, reterr);
}
bool modbus_make_tcp(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    return make(MODBUS_TCP, frame, a, out, reterr);
}
