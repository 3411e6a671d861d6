/* Frames of DL/T 645 as JSON and back, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/dlt645/dlt645_internal.h"
#include "protocol/frame_json.h"

#include <string.h>

/* ---- show ---- */

static void put_item(struct jw *j, uint32_t di, size_t bytes) {
    char text[12];
    struct buf b;
    buf_init(&b, text, sizeof text);
    buf_fmt(&b, bytes == 4 ? "%08X" : "%04X", di);
    jw_kstr(j, "di", (struct str){text, b.len});
}

static void put_values(struct jw *j, const struct dlt645_frame *f) {
    struct dlt645_value v[DLT645_VALUES_MAX];
    size_t rest, n = dlt645_reply_values(f, v, &rest);
    if (!n) return;
    jw_key(j, "values");
    jw_open(j, '[');
    for (size_t i = 0; i < n; i++) {
        jw_open(j, '{');
        jw_kcstr(j, "metric", v[i].metric);
        jw_key(j, "value");
        if (v[i].is_missing)
            jw_null(j);
        else
            jw_f64(j, v[i].value);
        jw_kcstr(j, "unit", v[i].unit);
        if (v[i].period) jw_ki64(j, "period", v[i].period);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_errors(struct jw *j, uint8_t bits) {
    jw_key(j, "errors");
    jw_open(j, '[');
    for (int i = 0; i < 8; i++)
        if (bits >> i & 1 && dlt645_error_word(i)) jw_cstr(j, dlt645_error_word(i));
    jw_close(j, ']');
}

static void put_meaning(struct jw *j, const struct dlt645_frame *f) {
    uint32_t di;
    int64_t s;
    uint8_t function = f->control & 0x1f;
    bool follows = function == DLT645_FOLLOWING || function == DLT645_97_FOLLOWING;
    if (dlt645_item(f, &di)) put_item(j, di, dlt645_item_bytes(f->control));
    if (follows && !(f->control & DLT645_REFUSED) && f->data_n > dlt645_item_bytes(f->control))
        jw_ki64(j, "part", f->data[f->data_n - 1]);
    if (function == DLT645_TIME && meter_time((struct bytes){f->data, f->data_n}, &s)) frame_put_time(j, "time", s);
    if (f->control & DLT645_REFUSED) put_errors(j, f->data[0]);
    put_values(j, f);
}

bool dlt645_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct dlt645_frame f;
    if (!dlt645_decode(whole, &f, reterr)) return false;
    jw_open(j, '{');
    jw_ki64(j, "wake", f.wake);
    jw_kcstr(j, "address", f.address);
    jw_kcstr(j, "function", dlt645_function_name(f.control & 0x1f));
    jw_kcstr(j, "from", f.control & DLT645_REPLY ? "meter" : "master");
    jw_kbool(j, "refused", f.control & DLT645_REFUSED);
    jw_kbool(j, "more", f.control & DLT645_MORE);
    put_meaning(j, &f);
    frame_put_hex(j, a, "data", (struct bytes){f.data, f.data_n});
    jw_close(j, '}');
    return true;
}

/* ---- make: from the data as they are, or from what a question needs ---- */

static void make_data(struct frame_in *in, struct dlt645_frame *f) {
    struct bytes data = frame_bytes(in, "data"), di = {NULL, 0};
    struct str item = frame_text(in, "di");
    size_t n = dlt645_item_bytes(f->control);
    if (!data.ptr && item.ptr) {
        if (!frame_unhex(in->arena, item, &di) || di.len != n) {
            frame_bad(in, "di", n == 4 ? "is not 8 hex digits" : n ? "is not 4 hex digits" : "has no place here");
            return;
        }
        for (size_t i = 0; i < n; i++) f->data[i] = di.ptr[n - 1 - i];
        f->data_n = n;
        bool follows = (f->control & 0x1f) == DLT645_FOLLOWING || (f->control & 0x1f) == DLT645_97_FOLLOWING;
        if (follows) f->data[f->data_n++] = (uint8_t)frame_number(in, "part", 1, 255, 1);
        return;
    }
    if (data.len > DLT645_DATA_MAX) {
        frame_bad(in, "data_hex", "has over 200 bytes");
        return;
    }
    if (data.len) memcpy(f->data, data.ptr, data.len);
    f->data_n = data.len;
}

static void make_control(struct frame_in *in, struct dlt645_frame *f) {
    struct str name = frame_text(in, "function"), from = frame_text(in, "from");
    if (!name.ptr) frame_bad(in, "function", "is missing");
    if (name.ptr && !dlt645_function_of(name, &f->control)) frame_bad(in, "function", "is not one of DL/T 645");
    if (from.ptr && !str_is(from, "meter") && !str_is(from, "master"))
        frame_bad(in, "from", "is neither meter nor master");
    if (from.ptr && str_is(from, "meter")) f->control |= DLT645_REPLY;
    if (frame_flag(in, "refused")) f->control |= DLT645_REFUSED;
    if (frame_flag(in, "more")) f->control |= DLT645_MORE;
}

bool dlt645_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct dlt645_frame f = {0};
    struct str address = frame_text(&in, "address");
    if (address.len == 12) memcpy(f.address, address.ptr, 12);
    f.wake = (uint8_t)frame_number(&in, "wake", 0, METER_WAKE_MAX, METER_WAKE_MAX);
    make_control(&in, &f);
    make_data(&in, &f);
    if (!in.is_bad && !dlt645_encode(&f, out)) frame_bad(&in, "address", "is not 12 digits, or AA for any");
    return !in.is_bad;
}
