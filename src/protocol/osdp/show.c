/* Packets of OSDP as JSON and back, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cursor.h"
#include "protocol/frame_json.h"
#include "protocol/osdp/osdp_internal.h"

/* ---- show ---- */

static void put_fields(struct jw *j, struct arena *a, const struct osdp_layout *l, struct bytes record) {
    struct cursor c = cursor_of(record);
    for (size_t i = 0; i < osdp_fields(l); i++) {
        const struct osdp_field *f = &l->fields[i];
        if (f->kind == OSDP_HEX)
            frame_put_hex(j, a, f->name, cursor_bytes(&c, f->bytes));
        else
            jw_ki64(j, f->name, (int64_t)cursor_le(&c, f->bytes));
    }
}

/* Data that are not as the layout has them are shown as bytes only. */
static void put_data(struct jw *j, struct arena *a, const struct osdp_frame *f) {
    const struct osdp_layout *l = osdp_layout_of(f->is_reply, f->code);
    size_t n = osdp_record_bytes(l);
    bool has_tail = f->is_reply && (f->code == OSDP_RAW || f->code == OSDP_KEYPAD);
    if (!n || f->data.len < n || (!has_tail && f->data.len % n)) return;
    if (!l->is_list) {
        put_fields(j, a, l, (struct bytes){f->data.ptr, n});
        return;
    }
    jw_key(j, "records");
    jw_open(j, '[');
    for (size_t at = 0; at < f->data.len; at += n) {
        jw_open(j, '{');
        put_fields(j, a, l, (struct bytes){f->data.ptr + at, n});
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

bool osdp_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct osdp_frame f;
    if (!osdp_open(whole, &f, reterr)) return false;
    jw_open(j, '{');
    jw_kbool(j, "mark", f.has_mark);
    jw_ki64(j, "address", f.address);
    jw_kcstr(j, f.is_reply ? "reply" : "command", osdp_layout_of(f.is_reply, f.code)->name);
    jw_ki64(j, "sequence", f.sequence);
    if (f.reserved) jw_ki64(j, "reserved", f.reserved);
    jw_kcstr(j, "check", f.has_sum ? "sum" : "crc");
    put_data(j, a, &f);
    if (f.is_reply && f.code == OSDP_NAK && f.data.len && osdp_refusal(f.data.ptr[0]))
        jw_kcstr(j, "why", osdp_refusal(f.data.ptr[0]));
    frame_put_hex(j, a, "data", f.data);
    jw_close(j, '}');
    return true;
}

/* ---- make: from the data as they are, or from the fields of one record ---- */

static const struct osdp_layout *code_in(struct frame_in *in, bool *ret_is_reply) {
    struct str command = frame_text(in, "command"), reply = frame_text(in, "reply");
    const struct osdp_layout *l = osdp_layout_named(reply.ptr, reply.ptr ? reply : command);
    *ret_is_reply = reply.ptr;
    if (!command.ptr && !reply.ptr)
        frame_bad(in, "command", "is missing, and so is reply");
    else if (!l)
        frame_bad(in, reply.ptr ? "reply" : "command", "is not one of OSDP");
    return l;
}

static void make_fields(struct frame_in *in, const struct osdp_layout *l, struct buf *data) {
    for (size_t i = 0; i < osdp_fields(l) && !in->is_bad; i++) {
        const struct osdp_field *f = &l->fields[i];
        if (f->kind != OSDP_HEX) {
            int64_t most = (INT64_C(1) << 8 * f->bytes) - 1;
            cursor_put_le(data, (uint64_t)frame_number(in, f->name, 0, most, f->kind == OSDP_ZERO ? 0 : -1), f->bytes);
            continue;
        }
        struct bytes b = frame_bytes(in, f->name);
        if (!in->is_bad && b.len != f->bytes) frame_bad(in, f->name, "is missing or of another length");
        if (!in->is_bad) buf_add(data, b.ptr, b.len);
    }
}

bool osdp_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct osdp_frame f = {.has_mark = frame_flag(&in, "mark")};
    char mem[64];
    struct buf fields;
    const struct osdp_layout *l = code_in(&in, &f.is_reply);
    struct str check = frame_text(&in, "check");
    f.address = (uint8_t)frame_number(&in, "address", 0, OSDP_ALL, -1);
    f.sequence = (uint8_t)frame_number(&in, "sequence", 0, 3, 0);
    f.reserved = (uint8_t)frame_number(&in, "reserved", 0, 15, 0);
    f.has_sum = str_is(check, "sum");
    if (check.ptr && !f.has_sum && !str_is(check, "crc")) frame_bad(&in, "check", "is neither crc nor sum");
    f.data = frame_bytes(&in, "data");
    buf_init(&fields, mem, sizeof mem);
    if (!in.is_bad && !f.data.ptr) {
        make_fields(&in, l, &fields);
        f.data = (struct bytes){(const uint8_t *)mem, fields.len};
    }
    if (in.is_bad) return false;
    f.code = l->code;
    if (!osdp_encode(&f, out)) frame_bad(&in, "data_hex", "has over 1432 bytes");
    return !in.is_bad;
}
