/* Frames of CJ/T 188 as JSON and back, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cjt188/cjt188_internal.h"
#include "protocol/frame_json.h"

#include <stdio.h>
#include <string.h>

/* ---- show ---- */

static void put_values(struct jw *j, const struct cjt188_body *b) {
    if (!b->values_n) return;
    jw_key(j, "values");
    jw_open(j, '[');
    for (size_t i = 0; i < b->values_n; i++) {
        jw_open(j, '{');
        jw_kcstr(j, "metric", b->values[i].metric);
        jw_key(j, "value");
        if (b->values[i].is_missing)
            jw_null(j);
        else
            jw_f64(j, b->values[i].value);
        jw_kcstr(j, "unit", b->values[i].unit);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_body(struct jw *j, const struct cjt188_body *b) {
    static const char *const valves[] = {"open", "closed", "reserved", "fault"};
    char item[8];
    if (b->has_item) {
        snprintf(item, sizeof item, "%04X", b->item);
        jw_kcstr(j, "di", item);
        jw_kcstr(j, "order", b->is_low_first ? "low" : "high");
    }
    if (b->has_serial) jw_ki64(j, "serial", b->serial);
    put_values(j, b);
    if (b->has_clock) frame_put_time(j, "clock", b->clock_s);
    if (!b->has_status) return;
    jw_kcstr(j, "valve", valves[b->status[0] & 3]);
    jw_kbool(j, "low_battery", b->status[0] & 4);
}

bool cjt188_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct cjt188_frame f;
    struct cjt188_body b;
    if (!cjt188_decode(whole, &f, reterr) || !cjt188_body(&f, &b, reterr)) return false;
    uint8_t function = f.control & 0x3f;
    jw_open(j, '{');
    jw_ki64(j, "wake", f.wake);
    jw_ki64(j, "type", f.type);
    if (cjt188_medium_name(f.type)) jw_kcstr(j, "medium", cjt188_medium_name(f.type));
    jw_kcstr(j, "address", f.address);
    if (cjt188_function_name(function))
        jw_kcstr(j, "function", cjt188_function_name(function));
    else
        jw_ki64(j, "function", function);
    jw_kcstr(j, "from", f.control & CJT188_REPLY ? "meter" : "master");
    jw_kbool(j, "refused", f.control & CJT188_REFUSED);
    put_body(j, &b);
    frame_put_hex(j, a, "data", f.data);
    jw_close(j, '}');
    return true;
}

/* ---- make: from the data as they are, or from what a question needs ---- */

static struct bytes make_data(struct frame_in *in, struct str item) {
    struct bytes di;
    struct str order = frame_text(in, "order"), valve = frame_text(in, "valve");
    bool is_low = order.ptr && str_is(order, "low");
    uint8_t *data = arena_alloc(in->arena, 4, 1, 1);
    if (!data || !frame_unhex(in->arena, item, &di) || di.len != 2) {
        frame_bad(in, "di", "is not 4 hex digits");
        return (struct bytes){NULL, 0};
    }
    if (order.ptr && !is_low && !str_is(order, "high")) frame_bad(in, "order", "is neither high nor low");
    if (valve.ptr && !str_is(valve, "open") && !str_is(valve, "closed"))
        frame_bad(in, "valve", "is neither open nor closed");
    data[0] = di.ptr[is_low];
    data[1] = di.ptr[!is_low];
    data[2] = (uint8_t)frame_number(in, "serial", 0, 255, 0);
    data[3] = valve.ptr && str_is(valve, "open") ? CJT188_OPEN : CJT188_CLOSE;
    return (struct bytes){data, valve.ptr ? 4 : 3};
}

static uint8_t make_control(struct frame_in *in) {
    const json_t *number = json_object_get(in->object, "function");
    struct str from = frame_text(in, "from");
    uint8_t control = 0;
    if (json_is_integer(number))
        control = (uint8_t)frame_number(in, "function", CJT188_OWN, 0x3f, -1);
    else if (!number)
        frame_bad(in, "function", "is missing");
    else if (!cjt188_function_of(frame_text(in, "function"), &control))
        frame_bad(in, "function", "is not one of CJ/T 188");
    if (from.ptr && !str_is(from, "meter") && !str_is(from, "master"))
        frame_bad(in, "from", "is neither meter nor master");
    if (from.ptr && str_is(from, "meter")) control |= CJT188_REPLY;
    if (frame_flag(in, "refused")) control |= CJT188_REFUSED;
    return control;
}

bool cjt188_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct cjt188_frame f = {0};
    struct str address = frame_text(&in, "address"), item = frame_text(&in, "di");
    if (address.len == sizeof f.address - 1) memcpy(f.address, address.ptr, address.len);
    f.wake = (uint8_t)frame_number(&in, "wake", 0, METER_WAKE_MAX, METER_WAKE_MAX);
    f.type = (uint8_t)frame_number(&in, "type", 0, 255, -1);
    f.control = make_control(&in);
    f.data = frame_bytes(&in, "data");
    if (!f.data.ptr && item.ptr) f.data = make_data(&in, item);
    if (f.data.len > CJT188_DATA_MAX) frame_bad(&in, "data_hex", "has over 100 bytes");
    if (!in.is_bad && !cjt188_encode(&f, out)) frame_bad(&in, "address", "is not 14 digits, or AA for any");
    return !in.is_bad;
}
