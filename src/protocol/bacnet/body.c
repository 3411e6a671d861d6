/* Parameters of services, read and written by the tables of what they are made of.  SPDX-License-Identifier: Apache-2.0
 */
#include "protocol/bacnet/bacnet_internal.h"

/* ---- reading ---- */

static const uint8_t application_tags[] = {
    [FORM_UNSIGNED] = BACNET_UNSIGNED, [FORM_ENUMERATED] = BACNET_ENUMERATED, [FORM_BOOLEAN] = BACNET_BOOLEAN,
    [FORM_OBJECT] = BACNET_OBJECT,     [FORM_PROPERTY] = BACNET_ENUMERATED,   [FORM_TEXT] = BACNET_TEXT,
    [FORM_DATE] = BACNET_DATE,         [FORM_CLOCK] = BACNET_CLOCK,
};

static bool is_constructed(const struct bacnet_part *p) {
    return p->form >= FORM_VALUES;
}

static bool is_number(const struct bacnet_part *p) {
    return p->form <= FORM_PROPERTY;
}

static bool is_next(const struct cursor *c, const struct bacnet_part *p) {
    if (p->tag != BACNET_APPLICATION) return bacnet_next_is(c, p->tag);
    struct cursor ahead = *c;
    struct bacnet_tag t = bacnet_take_tag(&ahead);
    return !ahead.is_broken && !t.is_context && t.number == application_tags[p->form];
}

/* The content of a part that is not constructed. */
static struct bytes take_content(struct cursor *c, const struct bacnet_part *p) {
    struct bacnet_tag t = bacnet_take_tag(c);
    uint32_t least = p->form == FORM_TEXT ? 1 : p->form == FORM_DATE || p->form == FORM_CLOCK ? 4 : 0;
    uint32_t most = is_number(p) || least == 4 ? 4 : UINT32_MAX;
    if (is_number(p)) least = p->form == FORM_OBJECT ? 4 : 1;
    if (p->form == FORM_BOOLEAN) most = 1;
    if (t.form != BACNET_PRIMITIVE || t.len < least || t.len > most) c->is_broken = true;
    return c->is_broken ? (struct bytes){NULL, 0} : cursor_bytes(c, t.len);
}

static int64_t *number_at(void *base, const struct bacnet_part *p) {
    return (int64_t *)(void *)((char *)base + p->at);
}

static struct bytes *bytes_at(void *base, const struct bacnet_part *p) {
    return (struct bytes *)(void *)((char *)base + p->at);
}

static void take_error(struct cursor *c, struct bacnet_point *point, uint8_t tag) {
    struct bytes inside = bacnet_take_inside(c, tag), rest = inside;
    struct bacnet_value v[2];
    bool ok = !c->is_broken && bacnet_next_value(&rest, &v[0]) && bacnet_next_value(&rest, &v[1]) && !rest.len &&
              v[0].type == BACNET_ENUMERATED && v[1].type == BACNET_ENUMERATED;
    if (!ok) {
        c->is_broken = true;
        return;
    }
    point->error_class = v[0].whole;
    point->error_code = v[1].whole;
}

struct reader {
    struct bacnet_body *body;
    struct bacnet_point *points;
    size_t cap;
};

static void take_points(struct reader *r, struct cursor *c, const struct bacnet_part *p);

static void take_part(struct reader *r, struct cursor *c, const struct bacnet_part *p, void *base) {
    if (p->form == FORM_POINTS) {
        take_points(r, c, p);
    } else if (p->form == FORM_ERROR) {
        take_error(c, base, p->tag);
    } else if (is_constructed(p)) {
        *bytes_at(base, p) = bacnet_take_inside(c, p->tag);
    } else {
        struct bytes content = take_content(c, p);
        struct cursor in = cursor_of(content);
        if (c->is_broken) return;
        if (is_number(p))
            *number_at(base, p) = (int64_t)cursor_be(&in, content.len);
        else
            *bytes_at(base, p) = content;
        if (p->form == FORM_BOOLEAN && *number_at(base, p) > 1) c->is_broken = true;
    }
}

static void take_parts(struct reader *r, struct cursor *c, const struct bacnet_part *parts, size_t n, void *base) {
    for (size_t i = 0; i < n && !c->is_broken; i++) {
        if (is_next(c, &parts[i]))
            take_part(r, c, &parts[i], base);
        else if (!parts[i].is_optional)
            c->is_broken = true;
    }
}

/* Each has the object that stands before it. */
static void take_points(struct reader *r, struct cursor *c, const struct bacnet_part *p) {
    size_t from = c->at;
    struct bytes inside = bacnet_take_inside(c, p->tag);
    struct cursor in = cursor_of(inside);
    if (c->is_broken) return;
    while (cursor_left(&in) && !in.is_broken) {
        struct bacnet_point point = bacnet_no_point;
        point.object = r->body->point.object;
        take_parts(r, &in, p->of, p->of_n, &point);
        if (r->body->points_n < r->cap) r->points[r->body->points_n] = point;
        r->body->points_n++;
    }
    if (!in.is_broken) return;
    c->at = from + in.at; /* about where */
    c->is_broken = true;
}

/* What no part alone can say. */
static bool is_sound(const struct bacnet_body *b) {
    return (b->low < 0) == (b->high < 0);
}

bool bacnet_read_body(const struct bacnet_frame *f, struct bacnet_point *points, size_t cap, struct bacnet_body *ret,
                      bool *ret_known, struct wire_error *reterr) {
    struct bacnet_body body = bacnet_nothing;
    struct reader r = {&body, points, cap};
    struct cursor c = cursor_of(f->data);
    const struct bacnet_service *s = bacnet_service_of(f->kind, f->service);
    bool is_part = f->flags & BACNET_SEGMENTED && (f->kind == BACNET_CONFIRMED || f->kind == BACNET_COMPLEX_ACK);
    *ret = body;
    *ret_known = s && !is_part && !f->is_network;
    if (!*ret_known) return true;
    do take_parts(&r, &c, s->parts, s->n, &body);
    while (s->is_repeated && !c.is_broken && cursor_left(&c));
    if (c.is_broken || cursor_left(&c) || !is_sound(&body)) {
        *reterr = (struct wire_error){s->rule ? s->rule : "BACnet 20.1.4: nothing follows", c.at};
        return false;
    }
    body.points = points;
    *ret = body;
    return true;
}

/* ---- writing ---- */

static bool put_parts(const struct bacnet_part *parts, size_t n, void *base, const struct bacnet_body *body,
                      struct buf *out);

static void put_error(uint8_t tag, const struct bacnet_point *p, struct buf *out) {
    char mem[16];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    bacnet_put_unsigned(false, BACNET_ENUMERATED, (uint64_t)p->error_class, &b);
    bacnet_put_unsigned(false, BACNET_ENUMERATED, (uint64_t)p->error_code, &b);
    bacnet_put_inside(tag, (struct bytes){(const uint8_t *)mem, b.len}, out);
}

/* Those of body->point's object that follow each other from `from` on. */
static bool put_points(const struct bacnet_part *p, const struct bacnet_body *body, size_t from, size_t n,
                       struct buf *out) {
    bool ok = true;
    bacnet_put_tag(&(struct bacnet_tag){.form = BACNET_OPENING, .number = p->tag, .is_context = true}, out);
    for (size_t i = from; ok && i < from + n; i++) ok = put_parts(p->of, p->of_n, &body->points[i], body, out);
    bacnet_put_tag(&(struct bacnet_tag){.form = BACNET_CLOSING, .number = p->tag, .is_context = true}, out);
    return ok;
}

static bool put_part(const struct bacnet_part *p, void *base, struct buf *out) {
    bool is_context = p->tag != BACNET_APPLICATION;
    uint8_t tag = is_context ? p->tag : application_tags[p->form];
    if (p->form == FORM_ERROR) {
        const struct bacnet_point *point = base;
        if (point->error_class < 0 || point->error_code < 0) return p->is_optional;
        put_error(tag, point, out);
        return true;
    }
    if (!is_number(p)) {
        struct bytes b = *bytes_at(base, p);
        if (!b.ptr) return p->is_optional;
        if (is_constructed(p))
            bacnet_put_inside(tag, b, out);
        else
            bacnet_put_bytes(is_context, tag, b, out);
        return true;
    }
    int64_t v = *number_at(base, p);
    if (v < 0) return p->is_optional;
    if (v > UINT32_MAX) return false;
    if (p->form == FORM_OBJECT) {
        bacnet_put_tag(&(struct bacnet_tag){.number = tag, .is_context = is_context, .len = 4}, out);
        cursor_put_be(out, (uint64_t)v, 4);
    } else {
        bacnet_put_unsigned(is_context, tag, (uint64_t)v, out);
    }
    return true;
}

static bool put_parts(const struct bacnet_part *parts, size_t n, void *base, const struct bacnet_body *body,
                      struct buf *out) {
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++)
        ok = parts[i].form == FORM_POINTS ? put_points(&parts[i], body, 0, body->points_n, out)
                                          : put_part(&parts[i], base, out);
    return ok;
}

/* Neighbours with one object stand under it together. */
static bool put_repeated(const struct bacnet_service *s, const struct bacnet_body *body, struct buf *out) {
    bool ok = body->points_n;
    for (size_t i = 0, n; ok && i < body->points_n; i += n) {
        struct bacnet_body one = {.point.object = body->points[i].object};
        for (n = 1; i + n < body->points_n && body->points[i + n].object == one.point.object;) n++;
        ok = put_part(&s->parts[0], &one, out) && put_points(&s->parts[1], body, i, n, out);
    }
    return ok;
}

bool bacnet_put_body(const struct bacnet_frame *f, const struct bacnet_body *body, struct buf *out) {
    const struct bacnet_service *s = bacnet_service_of(f->kind, f->service);
    struct bacnet_body copy = *body; /* the table of parts leads to what may be written */
    if (!s) return false;
    return s->is_repeated ? put_repeated(s, body, out) : put_parts(s->parts, s->n, &copy, body, out);
}

bool bacnet_put(const struct bacnet_frame *f, const struct bacnet_body *body, struct buf *out) {
    char mem[BACNET_APDU_MAX + 1];
    struct buf b;
    struct bacnet_frame whole = *f;
    buf_init(&b, mem, sizeof mem);
    if (!bacnet_put_body(f, body, &b) || b.overflow) return false;
    whole.data = (struct bytes){(const uint8_t *)mem, b.len};
    return bacnet_encode(&whole, out);
}
