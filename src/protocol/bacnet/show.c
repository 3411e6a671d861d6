/* Datagrams of BACnet as JSON, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet_internal.h"

#include "base/utf8.h"

#include <math.h>
#include <string.h>

/* ---- values: {"real":21.5}; what JSON cannot hold exactly stands as it came, {"tag_hex":"44…"} ---- */

static bool is_exact(const struct bacnet_value *v) {
    char mem[BACNET_APDU_MAX + 1];
    struct buf b;
    bool is_minus_zero = v->number >= 0 && signbit(v->number); /* which a reader of JSON takes for 0 */
    if (v->type == BACNET_REAL || v->type == BACNET_DOUBLE) return isfinite(v->number) && !is_minus_zero;
    if (v->type == BACNET_CONSTRUCTED) return false;
    if (v->type == BACNET_TEXT) return utf8_is_valid((struct str){(const char *)v->data.ptr, v->data.len});
    buf_init(&b, mem, sizeof mem);
    bacnet_put_value(v, &b);
    return !b.overflow && b.len == v->wire.len && !memcmp(mem, v->wire.ptr, b.len);
}

/* Bits as people count them, the first one first.  False: bits that are not used are not 0. */
static bool put_bits(struct jw *j, struct bytes data) {
    char text[8 * 32 + 1];
    size_t n = 8 * (data.len - 1) - data.ptr[0];
    if (n >= sizeof text || (data.ptr[0] && data.ptr[data.len - 1] & ((1u << data.ptr[0]) - 1))) return false;
    for (size_t i = 0; i < n; i++) text[i] = data.ptr[1 + i / 8] >> (7 - i % 8) & 1 ? '1' : '0';
    jw_kstr(j, "bits", (struct str){text, n});
    return true;
}

static void put_named_object(struct jw *j, const char *key, int64_t object) {
    char text[64];
    struct buf b;
    buf_init(&b, text, sizeof text);
    bacnet_put_object(object, &b);
    jw_kstr(j, key, (struct str){text, b.len});
}

static bool put_exact(struct jw *j, struct arena *a, const struct bacnet_value *v) {
    switch (v->type) {
    case BACNET_NULL: jw_kbool(j, "null", true); return true;
    case BACNET_BOOLEAN: jw_kbool(j, "boolean", v->whole); return true;
    case BACNET_UNSIGNED: jw_ki64(j, "unsigned", v->whole); return true;
    case BACNET_SIGNED: jw_ki64(j, "signed", v->whole); return true;
    case BACNET_ENUMERATED: jw_ki64(j, "enumerated", v->whole); return true;
    case BACNET_REAL:
    case BACNET_DOUBLE:
        jw_key(j, v->type == BACNET_REAL ? "real" : "double");
        jw_f64(j, v->number);
        return true;
    case BACNET_OCTETS: frame_put_hex(j, a, "octets", v->data); return true;
    case BACNET_TEXT: frame_put_bytes(j, a, "text", v->data); return true;
    case BACNET_BITS: return put_bits(j, v->data);
    case BACNET_DATE: frame_put_hex(j, a, "date", v->data); return true;
    case BACNET_CLOCK: frame_put_hex(j, a, "clock", v->data); return true;
    case BACNET_OBJECT: put_named_object(j, "object", v->whole); return true;
    case BACNET_CONSTRUCTED: break;
    }
    return false;
}

/* Hex of them all where one is no value. */
static void put_values(struct jw *j, struct arena *a, const char *key, struct bytes values) {
    struct bytes rest = values;
    struct bacnet_value v;
    while (bacnet_next_value(&rest, &v)) continue;
    if (rest.len) {
        frame_put_hex(j, a, key, values);
        return;
    }
    rest = values;
    jw_key(j, key);
    jw_open(j, '[');
    while (bacnet_next_value(&rest, &v)) {
        jw_open(j, '{');
        if (!is_exact(&v) || !put_exact(j, a, &v)) frame_put_hex(j, a, "tag", v.wire);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

/* ---- parts of services ---- */

static void put_number(struct jw *j, const struct bacnet_part *p, int64_t v) {
    const struct bacnet_words *words = p->form == FORM_PROPERTY ? &bacnet_properties : p->words;
    const char *word = words ? bacnet_word(words, v) : NULL;
    if (v < 0) return;
    if (p->form == FORM_OBJECT)
        put_named_object(j, p->key, v);
    else if (p->form == FORM_BOOLEAN)
        jw_kbool(j, p->key, v);
    else if (word)
        jw_kcstr(j, p->key, word);
    else
        jw_ki64(j, p->key, v);
}

static void put_error(struct jw *j, const struct bacnet_point *p) {
    const char *class = bacnet_word(&bacnet_error_classes, p->error_class);
    const char *code = bacnet_word(&bacnet_errors, p->error_code);
    if (p->error_class < 0) return;
    if (class)
        jw_kcstr(j, "error_class", class);
    else
        jw_ki64(j, "error_class", p->error_class);
    if (code)
        jw_kcstr(j, "error_code", code);
    else
        jw_ki64(j, "error_code", p->error_code);
}

/* Text of character set 0 as text, any other with the set in front. */
static void put_text(struct jw *j, struct arena *a, const char *key, struct bytes b) {
    struct str text = {(const char *)b.ptr + 1, b.len - 1};
    if (!b.ptr[0] && utf8_is_valid(text))
        jw_kstr(j, key, text);
    else
        frame_put_hex(j, a, key, b);
}

static void put_parts(struct jw *j, struct arena *a, const struct bacnet_part *parts, size_t n, const void *base,
                      const struct bacnet_body *body);

static void put_points(struct jw *j, struct arena *a, const struct bacnet_part *p, const struct bacnet_body *body,
                       bool with_object) {
    jw_key(j, p->key);
    jw_open(j, '[');
    for (size_t i = 0; i < body->points_n; i++) {
        jw_open(j, '{');
        if (with_object) put_named_object(j, "object", body->points[i].object);
        put_parts(j, a, p->of, p->of_n, &body->points[i], body);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_parts(struct jw *j, struct arena *a, const struct bacnet_part *parts, size_t n, const void *base,
                      const struct bacnet_body *body) {
    for (size_t i = 0; i < n; i++) {
        const struct bacnet_part *p = &parts[i];
        const void *at = (const char *)base + p->at;
        switch ((enum bacnet_form)p->form) {
        case FORM_UNSIGNED:
        case FORM_ENUMERATED:
        case FORM_BOOLEAN:
        case FORM_OBJECT:
        case FORM_PROPERTY: put_number(j, p, *(const int64_t *)at); break;
        case FORM_ERROR: put_error(j, base); break;
        case FORM_POINTS: put_points(j, a, p, body, false); break;
        case FORM_TEXT:
        case FORM_DATE:
        case FORM_CLOCK:
        case FORM_VALUES:
        case FORM_STAMP: {
            struct bytes b = *(const struct bytes *)at;
            if (!b.ptr) break;
            if (p->form == FORM_VALUES)
                put_values(j, a, p->key, b);
            else if (p->form == FORM_TEXT)
                put_text(j, a, p->key, b);
            else
                frame_put_hex(j, a, p->key, b);
            break;
        }
        }
    }
}

static void show_body(struct jw *j, struct arena *a, const struct bacnet_service *s, const struct bacnet_body *body) {
    if (s->is_repeated)
        put_points(j, a, &s->parts[1], body, true);
    else
        put_parts(j, a, s->parts, s->n, body, body);
}

/* ---- frames ---- */

const struct bacnet_words bacnet_functions = {(const struct bacnet_word[]){{BACNET_RESULT, "result"},
                                                                           {BACNET_FORWARDED, "forwarded"},
                                                                           {BACNET_REGISTER, "register"},
                                                                           {BACNET_DISTRIBUTE, "distribute"},
                                                                           {BACNET_UNICAST, "unicast"},
                                                                           {BACNET_BROADCAST, "broadcast"}},
                                              6};
const struct bacnet_words bacnet_kinds = {(const struct bacnet_word[]){{BACNET_CONFIRMED, "confirmed"},
                                                                       {BACNET_UNCONFIRMED, "unconfirmed"},
                                                                       {BACNET_SIMPLE_ACK, "simple_ack"},
                                                                       {BACNET_COMPLEX_ACK, "complex_ack"},
                                                                       {BACNET_SEGMENT_ACK, "segment_ack"},
                                                                       {BACNET_ERROR, "error"},
                                                                       {BACNET_REJECT, "reject"},
                                                                       {BACNET_ABORT, "abort"}},
                                          8};

static void put_address(struct jw *j, struct arena *a, const char *key, const struct bacnet_address *x) {
    if (!x->net) return;
    jw_key(j, key);
    jw_open(j, '{');
    jw_ki64(j, "net", x->net);
    frame_put_hex(j, a, "mac", (struct bytes){x->mac, x->mac_n});
    jw_close(j, '}');
}

static void put_service(struct jw *j, const struct bacnet_frame *f) {
    const struct bacnet_service *s = bacnet_service_of(f->kind, f->service);
    const struct bacnet_words *reasons = f->kind == BACNET_REJECT ? &bacnet_rejects : &bacnet_aborts;
    bool has_reason = f->kind == BACNET_REJECT || f->kind == BACNET_ABORT;
    const char *word = has_reason ? bacnet_word(reasons, f->service) : s ? s->name : NULL;
    const char *key = has_reason ? "reason" : "service";
    if (f->kind == BACNET_SEGMENT_ACK) return;
    if (word)
        jw_kcstr(j, key, word);
    else
        jw_ki64(j, key, f->service);
}

/* What of the head is not as it is where nothing is said of it. */
static void put_apdu(struct jw *j, const struct bacnet_frame *f) {
    jw_kcstr(j, "kind", bacnet_word(&bacnet_kinds, f->kind));
    if (f->flags) jw_ki64(j, "flags", f->flags);
    if (f->kind == BACNET_CONFIRMED) jw_ki64(j, "limits", f->limits);
    if (f->kind != BACNET_UNCONFIRMED) jw_ki64(j, "invoke", f->invoke);
    if (f->kind == BACNET_SEGMENT_ACK || f->flags & BACNET_SEGMENTED) {
        jw_ki64(j, "sequence", f->sequence);
        jw_ki64(j, "window", f->window);
    }
    put_service(j, f);
}

/* The service's parts, where they make the same bytes again; else these. */
static bool is_made_again(const struct bacnet_frame *f, const struct bacnet_body *body, struct arena *a) {
    struct buf b;
    buf_init_arena(&b, a, BACNET_APDU_MAX + 1);
    return bacnet_put_body(f, body, &b) && !b.overflow && b.len == f->data.len &&
           (!b.len || !memcmp(b.ptr, f->data.ptr, b.len));
}

bool bacnet_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct bacnet_frame f;
    struct bacnet_body body;
    bool is_known;
    if (!bacnet_open(whole, a, &f, &body, &is_known, reterr)) return false;
    bool has_npdu = f.function != BACNET_RESULT && f.function != BACNET_REGISTER;
    jw_open(j, '{');
    jw_kcstr(j, "function", bacnet_word(&bacnet_functions, f.function));
    if (f.function == BACNET_FORWARDED) frame_put_hex(j, a, "origin", (struct bytes){f.origin, sizeof f.origin});
    put_address(j, a, "to", &f.to);
    put_address(j, a, "from", &f.from);
    if (f.to.net) jw_ki64(j, "hops", f.hops);
    if (f.priority) jw_ki64(j, "priority_of_network", f.priority);
    if (f.is_expecting) jw_kbool(j, "expects", true);
    if (f.is_network) jw_kbool(j, "network", true);
    if (has_npdu && !f.is_network) put_apdu(j, &f);
    if (is_known) show_body(j, a, bacnet_service_of(f.kind, f.service), &body);
    if (f.data.len && (!is_known || !is_made_again(&f, &body, a))) frame_put_hex(j, a, "data", f.data);
    jw_close(j, '}');
    return true;
}
