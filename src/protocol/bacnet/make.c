/* JSON as datagrams of BACnet, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet_internal.h"

#include <string.h>

/* ---- values ---- */

static bool number_of(const json_t *v, double *ret) {
    *ret = json_number_value(v);
    return json_is_number(v);
}

static bool whole_of(const json_t *v, int64_t min, int64_t max, int64_t *ret) {
    *ret = json_integer_value(v);
    return json_is_integer(v) && *ret >= min && *ret <= max;
}

static bool bits_of(struct arena *a, struct str text, struct bytes *ret) {
    size_t n = (text.len + 7) / 8 + 1;
    uint8_t *b = arena_alloc(a, n, 1, 1);
    if (!b) return false;
    b[0] = (uint8_t)(8 * (n - 1) - text.len);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '0' && text.ptr[i] != '1') return false;
        if (text.ptr[i] == '1') b[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
    }
    *ret = (struct bytes){b, n};
    return true;
}

static bool hex_of(struct arena *a, const json_t *v, size_t n, struct bytes *ret) {
    return json_is_string(v) && frame_unhex(a, json_text(v), ret) && (!n || ret->len == n);
}

static bool value_of(struct arena *a, const char *key, const json_t *v, struct bacnet_value *ret) {
    static const struct {
        const char *key;
        enum bacnet_type type;
    } keys[] = {{"null", BACNET_NULL},         {"boolean", BACNET_BOOLEAN},
                {"unsigned", BACNET_UNSIGNED}, {"signed", BACNET_SIGNED},
                {"real", BACNET_REAL},         {"double", BACNET_DOUBLE},
                {"octets_hex", BACNET_OCTETS}, {"text", BACNET_TEXT},
                {"bits", BACNET_BITS},         {"enumerated", BACNET_ENUMERATED},
                {"date_hex", BACNET_DATE},     {"clock_hex", BACNET_CLOCK},
                {"object", BACNET_OBJECT},     {"tag_hex", BACNET_CONSTRUCTED}};
    size_t i = 0;
    while (i < COUNT(keys) && strcmp(key, keys[i].key) != 0) i++;
    if (i == COUNT(keys)) return false;
    ret->type = keys[i].type;
    switch (ret->type) {
    case BACNET_NULL: return json_is_true(v);
    case BACNET_BOOLEAN: ret->whole = json_is_true(v); return json_is_boolean(v);
    case BACNET_UNSIGNED: return whole_of(v, 0, INT64_MAX, &ret->whole);
    case BACNET_ENUMERATED: return whole_of(v, 0, UINT32_MAX, &ret->whole);
    case BACNET_SIGNED: return whole_of(v, INT64_MIN, INT64_MAX, &ret->whole);
    case BACNET_REAL:
    case BACNET_DOUBLE: return number_of(v, &ret->number);
    case BACNET_TEXT:
        ret->data = (struct bytes){(const uint8_t *)json_text(v).ptr, json_text(v).len};
        return json_is_string(v);
    case BACNET_BITS: return json_is_string(v) && bits_of(a, json_text(v), &ret->data);
    case BACNET_OCTETS: return hex_of(a, v, 0, &ret->data);
    case BACNET_DATE:
    case BACNET_CLOCK: return hex_of(a, v, 4, &ret->data);
    case BACNET_OBJECT: return bacnet_read_object(json_text(v), &ret->whole);
    case BACNET_CONSTRUCTED: return hex_of(a, v, 0, &ret->wire);
    }
    return false;
}

static struct bytes values_of(struct frame_in *in, const char *key) {
    json_t *list = json_object_get(in->object, key), *item;
    struct bytes b = {NULL, 0};
    struct buf out;
    struct str all = S("");
    size_t i;
    char hex[40];
    struct buf name;
    buf_init(&name, hex, sizeof hex);
    buf_fmt(&name, "%s_hex", key);
    if (!list) return json_object_get(in->object, hex) ? frame_bytes(in, key) : b;
    buf_init_arena(&out, in->arena, BACNET_APDU_MAX + 1);
    json_array_foreach(list, i, item) {
        struct bacnet_value v = {0};
        void *only = json_object_size(item) == 1 ? json_object_iter(item) : NULL;
        if (!only || !value_of(in->arena, json_object_iter_key(only), json_object_iter_value(only), &v))
            frame_bad(in, key, "holds something that is no {\"real\":21.5} or its like");
        else
            bacnet_put_value(&v, &out);
        if (in->is_bad) return b;
    }
    if (!json_is_array(list) || (out.len && !buf_done(&out, &all))) frame_bad(in, key, "is no list, or too long");
    return (struct bytes){(const uint8_t *)all.ptr, all.len};
}

/* ---- parts of services ---- */

/* -1 where it is absent. */
static int64_t number_in(struct frame_in *in, const char *key, const struct bacnet_words *words) {
    const json_t *v = json_object_get(in->object, key);
    int64_t n = -1;
    if (!v) return -1;
    if (json_is_string(v) && words && bacnet_number(words, json_text(v), &n)) return n;
    if (!whole_of(v, 0, UINT32_MAX, &n)) frame_bad(in, key, "is neither a number nor one of its words");
    return n;
}

static int64_t object_in(struct frame_in *in, const char *key) {
    struct str text = frame_text(in, key);
    int64_t object = -1;
    if (text.ptr && !bacnet_read_object(text, &object)) frame_bad(in, key, "is no object: ai_1");
    return object;
}

static struct bytes text_in(struct frame_in *in, const char *key) {
    struct str text = frame_text(in, key);
    if (!text.ptr) return frame_bytes(in, key);
    uint8_t *b = arena_alloc(in->arena, text.len + 1, 1, 1);
    if (!b) return (struct bytes){NULL, 0};
    if (text.len) memcpy(b + 1, text.ptr, text.len);
    return (struct bytes){b, text.len + 1};
}

static void make_parts(struct frame_in *in, const struct bacnet_part *parts, size_t n, void *base,
                       struct bacnet_body *body);

static void make_points(struct frame_in *in, const struct bacnet_part *p, struct bacnet_body *body, bool with_object) {
    json_t *list = json_object_get(in->object, p->key), *item;
    size_t i, n = json_array_size(list);
    if (!json_is_array(list) || n > BACNET_POINTS_MAX) frame_bad(in, p->key, "is missing, no list or too long");
    body->points = in->is_bad ? NULL : arena_new(in->arena, struct bacnet_point, n + 1);
    if (!body->points) return;
    body->points_n = n;
    json_array_foreach(list, i, item) {
        struct frame_in each = frame_of(in, item);
        body->points[i] = bacnet_no_point;
        if (with_object) body->points[i].object = object_in(&each, "object");
        make_parts(&each, p->of, p->of_n, &body->points[i], body);
        frame_merge(in, &each);
    }
}

static void make_parts(struct frame_in *in, const struct bacnet_part *parts, size_t n, void *base,
                       struct bacnet_body *body) {
    for (size_t i = 0; i < n && !in->is_bad; i++) {
        const struct bacnet_part *p = &parts[i];
        int64_t *number = (int64_t *)(void *)((char *)base + p->at);
        struct bytes *bytes = (struct bytes *)(void *)((char *)base + p->at);
        struct bacnet_point *point = base;
        switch ((enum bacnet_form)p->form) {
        case FORM_UNSIGNED:
        case FORM_ENUMERATED: *number = number_in(in, p->key, p->words); break;
        case FORM_PROPERTY: *number = number_in(in, p->key, &bacnet_properties); break;
        case FORM_BOOLEAN: *number = json_object_get(in->object, p->key) ? frame_flag(in, p->key) : -1; break;
        case FORM_OBJECT: *number = object_in(in, p->key); break;
        case FORM_TEXT: *bytes = text_in(in, p->key); break;
        case FORM_DATE:
        case FORM_CLOCK:
            *bytes = frame_bytes(in, p->key);
            if (bytes->len != 4) frame_bad(in, p->key, "has four bytes, as _hex");
            break;
        case FORM_VALUES: *bytes = values_of(in, p->key); break;
        case FORM_STAMP: *bytes = frame_bytes(in, p->key); break;
        case FORM_ERROR:
            point->error_class = number_in(in, "error_class", &bacnet_error_classes);
            point->error_code = number_in(in, "error_code", &bacnet_errors);
            break;
        case FORM_POINTS: make_points(in, p, body, false); break;
        }
    }
}

static void make_body(struct frame_in *in, const struct bacnet_service *s, struct bacnet_body *ret) {
    *ret = bacnet_nothing;
    if (s->is_repeated)
        make_points(in, &s->parts[1], ret, true);
    else
        make_parts(in, s->parts, s->n, ret, ret);
}

/* ---- frames ---- */

static void address_in(struct frame_in *in, const char *key, struct bacnet_address *ret) {
    const json_t *o = json_object_get(in->object, key);
    if (!o) return;
    struct frame_in each = frame_of(in, o);
    ret->net = (uint16_t)frame_number(&each, "net", 1, UINT16_MAX, 0);
    struct bytes mac = frame_bytes(&each, "mac");
    if (mac.len > BACNET_MAC_MAX) frame_bad(&each, "mac", "has more than seven bytes");
    frame_merge(in, &each);
    if (in->is_bad) return;
    ret->mac_n = (uint8_t)mac.len;
    if (mac.len) memcpy(ret->mac, mac.ptr, mac.len);
}

static int64_t word_in_table(struct frame_in *in, const char *key, const struct bacnet_words *words,
                             int64_t otherwise) {
    int64_t n = number_in(in, key, words);
    if (n >= 0 && !bacnet_word(words, n)) frame_bad(in, key, "is none that there is");
    return n < 0 ? otherwise : n;
}

static void service_in(struct frame_in *in, struct bacnet_frame *f) {
    const char *key = f->kind == BACNET_REJECT || f->kind == BACNET_ABORT ? "reason" : "service";
    const json_t *v = json_object_get(in->object, key);
    const struct bacnet_service *s = bacnet_service_named(f->kind, json_text(v));
    const struct bacnet_words *reasons = f->kind == BACNET_REJECT ? &bacnet_rejects : &bacnet_aborts;
    int64_t n = s ? s->number : -1;
    if (f->kind == BACNET_SEGMENT_ACK) return;
    if (!s) n = number_in(in, key, *key == 'r' ? reasons : NULL);
    if (n < 0 || n > UINT8_MAX) frame_bad(in, key, "is missing, or is none of this kind");
    f->service = (uint8_t)n;
}

static void head_in(struct frame_in *in, struct bacnet_frame *f) {
    bool is_whole = json_object_get(in->object, "function"); /* else what is usual */
    f->kind = (uint8_t)word_in_table(in, "kind", &bacnet_kinds, BACNET_CONFIRMED);
    bool to_all = f->kind == BACNET_UNCONFIRMED;
    if (!is_whole) *f = to_all ? bacnet_announcement(0) : f->kind ? *f : bacnet_request(0, 0, NULL);
    f->function = (uint8_t)word_in_table(in, "function", &bacnet_functions, to_all ? BACNET_BROADCAST : BACNET_UNICAST);
    f->is_network = frame_flag(in, "network");
    if (json_object_get(in->object, "expects")) f->is_expecting = frame_flag(in, "expects");
    f->priority = (uint8_t)frame_number(in, "priority_of_network", 0, 3, 0);
    address_in(in, "to", &f->to);
    address_in(in, "from", &f->from);
    f->hops = (uint8_t)frame_number(in, "hops", 0, UINT8_MAX, f->to.net ? UINT8_MAX : 0);
    f->flags = (uint8_t)frame_number(in, "flags", 0, 15, 0);
    f->limits = (uint8_t)frame_number(in, "limits", 0, UINT8_MAX, bacnet_request(0, 0, NULL).limits);
    f->invoke = (uint8_t)frame_number(in, "invoke", 0, UINT8_MAX, 0);
    f->sequence = (uint8_t)frame_number(in, "sequence", 0, UINT8_MAX, 0);
    f->window = (uint8_t)frame_number(in, "window", 0, UINT8_MAX, 0);
    struct bytes origin = frame_bytes(in, "origin");
    if (f->function == BACNET_FORWARDED && origin.len != sizeof f->origin) frame_bad(in, "origin", "has six bytes");
    if (origin.len == sizeof f->origin) memcpy(f->origin, origin.ptr, origin.len);
}

/* A point as people write it, instead of a frame: {"item":"ao_3@8","value":"21.5"} */
static bool make_question(struct frame_in *in, struct buf *out) {
    struct question q = {.address = frame_text(in, "address"),
                         .item = frame_text(in, "item"),
                         .value = frame_text(in, "value"),
                         .serial = (uint8_t)frame_number(in, "invoke", 0, UINT8_MAX, 1)};
    if (!in->is_bad && !bacnet_asking.ask(&q, out))
        frame_bad(in, "item", "cannot be asked for, or not have that value");
    return !in->is_bad;
}

bool bacnet_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct bacnet_frame f = {0};
    struct bacnet_body body;
    if (json_object_get(frame, "item")) return make_question(&in, out);
    head_in(&in, &f);
    bool has_npdu = f.function != BACNET_RESULT && f.function != BACNET_REGISTER;
    if (has_npdu && !f.is_network && !in.is_bad) service_in(&in, &f);
    f.data = frame_bytes(&in, "data");
    if (in.is_bad) return false;
    const struct bacnet_service *s = f.data.ptr || !has_npdu || f.is_network || f.flags & BACNET_SEGMENTED
                                         ? NULL
                                         : bacnet_service_of(f.kind, f.service);
    if (s) make_body(&in, s, &body);
    if (in.is_bad) return false;
    if (s ? bacnet_put(&f, &body, out) : bacnet_encode(&f, out)) return true;
    frame_bad(&in, "service", "lacks a part that it needs, or is too long");
    return false;
}
