/* Controllers of a building: what they are asked, and whom they tell.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/building_internal.h"

#include <string.h>

#define SECOND_MS    1000
#define LIFETIME_MAX 86400

/* What is read where all is asked for. */
static const uint16_t point_properties[] = {75, 77, 79, 85, 117, 111, 36, 81};
static const uint16_t lift_properties[] = {75, 77, 79, 450, 452, 453, 456, 457, 458, 463, 478, 111};
static const uint16_t device_properties[] = {75, 77, 79, 62, 70, 98, 107, 112, 120};
/* What a lift tells of a change. */
static const uint16_t lift_changes[] = {450, 452, 453, 456, 457, 458, 463, 478};
static const uint16_t point_changes[] = {85, 111};

struct talk { /* with one who said something */
    struct building *b;
    int64_t now_ms;
    const struct udp_peer *from;
    const struct bacnet_frame *f;
    size_t device;
};

/* ---- saying ---- */

static void say(const struct building *b, const struct udp_peer *to, size_t device, struct bacnet_frame *f,
                const struct bacnet_body *body) {
    char mem[BACNET_FRAME_MAX + 1];
    struct buf out;
    buf_init(&out, mem, sizeof mem);
    if (device) f->from = (struct bacnet_address){BUILDING_NETWORK, {(uint8_t)(device >> 8), (uint8_t)device}, 2};
    bool has_data = f->kind == BACNET_CONFIRMED || f->kind == BACNET_UNCONFIRMED || f->kind == BACNET_COMPLEX_ACK ||
                    f->kind == BACNET_ERROR;
    if (has_data ? bacnet_put(f, body, &out) : bacnet_encode(f, &out))
        b->send(b->arg, to, (struct bytes){(const uint8_t *)mem, out.len});
}

static void answer(const struct talk *t, enum bacnet_kind kind, uint8_t what, const struct bacnet_body *body) {
    struct bacnet_frame f = bacnet_answer(t->f, kind, what);
    if (kind == BACNET_ABORT) f.flags = BACNET_SERVER;
    say(t->b, t->from, t->device, &f, body);
}

static void refuse(const struct talk *t, int code) {
    struct bacnet_body body = bacnet_nothing;
    body.error_class = code == BACNET_UNKNOWN_OBJECT ? 1 : code == BACNET_SUBSCRIPTION_FAILED ? 5 : 2;
    body.error_code = code;
    answer(t, BACNET_ERROR, t->f->service, &body);
}

/* To who asked: a device may, instead of to everybody. */
static void say_i_am(const struct talk *t) {
    struct bacnet_frame f = bacnet_answer(t->f, BACNET_UNCONFIRMED, BACNET_I_AM);
    struct bacnet_body body = bacnet_nothing;
    body.device = BACNET_ID(BACNET_DEVICE, t->b->first + (int64_t)t->device);
    body.max_apdu = BACNET_APDU_MAX;
    body.segmentation = 3;
    body.vendor = BUILDING_VENDOR;
    say(t->b, t->from, t->device, &f, &body);
}

/* ---- reading ---- */

static void keep_values(const struct building *b, size_t device, struct bacnet_point *p, struct buf *all) {
    size_t from = all->len;
    bool is_there = building_has(b, device, p->object);
    if (is_there && building_read(b, device, p, all)) {
        p->values = (struct bytes){(const uint8_t *)all->ptr + from, all->len - from};
        return;
    }
    all->len = from;
    p->error_class = is_there ? 2 : 1;
    p->error_code = is_there ? BACNET_UNKNOWN_PROPERTY : BACNET_UNKNOWN_OBJECT;
}

static void read_one(const struct talk *t, const struct bacnet_body *asked) {
    char mem[BACNET_APDU_MAX + 1];
    struct bacnet_body body = bacnet_nothing;
    struct buf all;
    buf_init(&all, mem, sizeof mem);
    body.point = asked->point;
    keep_values(t->b, t->device, &body.point, &all);
    if (body.point.error_code >= 0)
        refuse(t, (int)body.point.error_code);
    else
        answer(t, BACNET_COMPLEX_ACK, BACNET_READ, &body);
}

static const uint16_t *properties_of(int64_t object, size_t *ret_n) {
    bool is_lift = BACNET_TYPE_OF(object) == BACNET_LIFT, is_device = BACNET_TYPE_OF(object) == BACNET_DEVICE;
    *ret_n = is_lift ? COUNT(lift_properties) : is_device ? COUNT(device_properties) : COUNT(point_properties);
    return is_lift ? lift_properties : is_device ? device_properties : point_properties;
}

/* Too much for an APDU is aborted: there are no segments here, either. */
static void read_several(const struct talk *t, const struct bacnet_body *asked) {
    char mem[BACNET_APDU_MAX + 1];
    struct bacnet_point points[BACNET_POINTS_MAX];
    struct bacnet_body body = bacnet_nothing;
    struct buf all, whole;
    char wire[BACNET_APDU_MAX + 1];
    const struct bacnet_frame ack = {.kind = BACNET_COMPLEX_ACK, .service = BACNET_READ_MULTIPLE};
    buf_init(&all, mem, sizeof mem);
    body.points = points;
    for (size_t i = 0; i < asked->points_n; i++) {
        const struct bacnet_point *p = &asked->points[i];
        size_t n = 1;
        const uint16_t *which = p->property == BACNET_ALL_PROPERTIES ? properties_of(p->object, &n) : NULL;
        for (size_t k = 0; k < n && body.points_n < COUNT(points); k++) {
            struct bacnet_point *to = &points[body.points_n];
            *to = *p;
            if (which) to->property = which[k];
            keep_values(t->b, t->device, to, &all);
            body.points_n += !which || to->error_code < 0;
        }
    }
    buf_init(&whole, wire, sizeof wire);
    if (all.overflow || !bacnet_put_body(&ack, &body, &whole) || whole.overflow)
        answer(t, BACNET_ABORT, BACNET_NO_SEGMENTS, NULL);
    else
        answer(t, BACNET_COMPLEX_ACK, BACNET_READ_MULTIPLE, &body);
}

/* ---- changes ---- */

static void tell(struct building *b, struct building_sub *s, int64_t now_ms) {
    char mem[256];
    struct buf all;
    struct bacnet_point points[COUNT(lift_changes)];
    struct bacnet_body body = bacnet_nothing;
    bool is_lift = BACNET_TYPE_OF(s->object) == BACNET_LIFT;
    const uint16_t *which = is_lift ? lift_changes : point_changes;
    struct bacnet_frame f = bacnet_request(BACNET_COV_CONFIRMED, ++b->invoke, &s->net);
    if (!s->is_confirmed) {
        f.kind = BACNET_UNCONFIRMED;
        f.service = BACNET_COV;
        f.is_expecting = false;
    }
    buf_init(&all, mem, sizeof mem);
    body.process = s->process;
    body.device = BACNET_ID(BACNET_DEVICE, b->first + (int64_t)s->device);
    body.point.object = s->object;
    body.remaining_s = (s->until_ms - now_ms) / SECOND_MS;
    body.points = points;
    for (size_t i = 0; i < (is_lift ? COUNT(lift_changes) : COUNT(point_changes)); i++) {
        struct bacnet_point *p = &points[body.points_n++];
        *p = bacnet_no_point;
        p->object = s->object;
        p->property = which[i];
        keep_values(b, s->device, p, &all);
    }
    s->told = building_told(b, s->device, s->object);
    say(b, &s->to, s->device, &f, &body);
}

void building_tell(struct building *b, int64_t now_ms) {
    for (size_t i = 0; i < BUILDING_SUBS_MAX; i++) {
        struct building_sub *s = &b->subs[i];
        if (s->until_ms && now_ms >= s->until_ms) s->until_ms = 0;
        if (s->until_ms && s->told != building_told(b, s->device, s->object)) tell(b, s, now_ms);
    }
}

static bool is_of(const struct building_sub *s, const struct talk *t, const struct bacnet_body *asked) {
    return s->until_ms && s->device == t->device && s->object == asked->point.object && s->process == asked->process &&
           s->to.port == t->from->port && !strcmp(s->to.host, t->from->host) && s->net.net == t->f->from.net &&
           !memcmp(s->net.mac, t->f->from.mac, sizeof s->net.mac);
}

static void subscribe(const struct talk *t, const struct bacnet_body *asked) {
    struct building_sub *found = NULL;
    bool may =
        building_has(t->b, t->device, asked->point.object) && BACNET_TYPE_OF(asked->point.object) != BACNET_DEVICE;
    if (!may) {
        refuse(t, BACNET_UNKNOWN_OBJECT);
        return;
    }
    for (size_t i = BUILDING_SUBS_MAX; i-- > 0;) /* his own, else a free one */
        if (is_of(&t->b->subs[i], t, asked) || !t->b->subs[i].until_ms)
            if (!found || !found->until_ms) found = &t->b->subs[i];
    if (!found) {
        refuse(t, BACNET_SUBSCRIPTION_FAILED);
        return;
    }
    answer(t, BACNET_SIMPLE_ACK, BACNET_SUBSCRIBE_COV, NULL);
    if (asked->confirmed < 0) {
        found->until_ms = 0;
        return;
    }
    int64_t lifetime_s =
        asked->remaining_s > 0 && asked->remaining_s < LIFETIME_MAX ? asked->remaining_s : LIFETIME_MAX;
    *found = (struct building_sub){.to = *t->from,
                                   .net = t->f->from,
                                   .device = t->device,
                                   .object = asked->point.object,
                                   .process = asked->process,
                                   .until_ms = t->now_ms + lifetime_s * SECOND_MS,
                                   .is_confirmed = asked->confirmed};
    tell(t->b, found, t->now_ms);
}

/* ---- hearing ---- */

static bool serve(const struct talk *t, const struct bacnet_body *asked, bool is_known) {
    if (t->f->kind != BACNET_CONFIRMED) return false;
    if (t->f->flags & BACNET_SEGMENTED) {
        answer(t, BACNET_ABORT, BACNET_NO_SEGMENTS, NULL);
    } else if (!is_known) {
        answer(t, BACNET_REJECT, BACNET_UNRECOGNIZED_SERVICE, NULL);
    } else if (t->f->service == BACNET_READ) {
        read_one(t, asked);
    } else if (t->f->service == BACNET_READ_MULTIPLE) {
        read_several(t, asked);
    } else if (t->f->service == BACNET_SUBSCRIBE_COV) {
        subscribe(t, asked);
    } else if (t->f->service == BACNET_WRITE) {
        int code = building_has(t->b, t->device, asked->point.object) ? building_write(t->b, t->device, &asked->point)
                                                                      : BACNET_UNKNOWN_OBJECT;
        if (code)
            refuse(t, code);
        else
            answer(t, BACNET_SIMPLE_ACK, BACNET_WRITE, NULL);
        building_tell(t->b, t->now_ms);
    } else {
        answer(t, BACNET_REJECT, BACNET_UNRECOGNIZED_SERVICE, NULL);
    }
    return true;
}

static bool hear_all(struct talk t, const struct bacnet_body *asked) {
    bool any = false;
    if (t.f->kind != BACNET_UNCONFIRMED || t.f->service != BACNET_WHO_IS) return false;
    for (t.device = 0; t.device < t.b->n; t.device++) {
        int64_t instance = t.b->first + (int64_t)t.device;
        if (asked->low >= 0 && (instance < asked->low || instance > asked->high)) continue;
        say_i_am(&t);
        any = true;
    }
    return any;
}

bool building_hear(struct building *b, int64_t now_ms, const struct udp_peer *from, struct bytes datagram) {
    struct bacnet_frame f;
    struct bacnet_body body;
    struct bacnet_point points[BACNET_POINTS_MAX];
    struct wire_error e;
    bool is_known = false;
    struct talk t = {.b = b, .now_ms = now_ms, .from = from, .f = &f};
    if (!bacnet_decode(datagram, &f, &e) || f.is_network) return false;
    bool is_sound = bacnet_read_body(&f, points, COUNT(points), &body, &is_known, &e);
    if (is_sound && is_known && hear_all(t, &body)) return true;
    if (f.to.net == BUILDING_NETWORK && f.to.mac_n == 2) t.device = (size_t)f.to.mac[0] << 8 | f.to.mac[1];
    if (f.function != BACNET_UNICAST || (f.to.net && f.to.net != BUILDING_NETWORK) || t.device >= b->n) return false;
    if (is_sound) return serve(&t, &body, is_known);
    if (f.kind == BACNET_CONFIRMED) answer(&t, BACNET_REJECT, BACNET_INVALID_TAG, NULL);
    return f.kind == BACNET_CONFIRMED;
}
