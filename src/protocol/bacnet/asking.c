/* What BACnet devices are asked and told, and what answers it.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet_internal.h"

#define ITEMS_MAX 64 /* of one question */

struct asked {
    int64_t device; /* -1: any */
    struct bacnet_point points[ITEMS_MAX];
    size_t n;
};

/* INSTANCE, or INSTANCE.OBJECT: then *ret_object is that, else -1. */
static bool read_address(struct str address, int64_t *ret_device, int64_t *ret_object) {
    struct str rest = address, device;
    int64_t n = -1;
    *ret_object = -1;
    if (address.len) {
        (void)str_cut(&rest, '.', &device);
        if (rest.ptr && !bacnet_read_object(rest, ret_object)) return false;
        if (!str_to_number(device, BACNET_INSTANCE_MAX - 1, &n)) return false;
    }
    *ret_device = n;
    return true;
}

static bool read_items(const struct question *q, struct asked *ret) {
    struct str rest = q->item, item;
    int64_t object;
    ret->n = 0;
    if (!read_address(q->address, &ret->device, &object)) return false;
    while (str_word(&rest, &item)) {
        struct bacnet_point p = bacnet_no_point;
        bool is_property = object >= 0 && bacnet_read_property(item, &p);
        if (is_property) p.object = object;
        if (!is_property && !bacnet_read_item(item, &p)) return false;
        if (object >= 0 && p.object != object) return false;
        if (ret->n == ITEMS_MAX) return false;
        ret->points[ret->n++] = p;
    }
    return true;
}

static uint8_t service_for(const struct question *q, const struct asked *a) {
    return q->value.ptr ? BACNET_WRITE : a->n == 1 ? BACNET_READ : BACNET_READ_MULTIPLE;
}

static bool ask(const struct question *q, struct buf *out) {
    struct asked a;
    struct bacnet_body body = bacnet_nothing;
    char mem[BACNET_APDU_MAX + 1];
    struct buf values;
    struct bacnet_value v;
    if (!read_items(q, &a)) return false;
    if (!a.n) { /* is it there? */
        struct bacnet_frame who = bacnet_announcement(BACNET_WHO_IS);
        body.low = body.high = a.device;
        return !q->value.ptr && bacnet_put(&who, &body, out);
    }
    struct bacnet_frame f = bacnet_request(service_for(q, &a), q->serial, NULL);
    body.point = a.points[0];
    body.points = a.points;
    body.points_n = a.n;
    if (!q->value.ptr) return a.device >= 0 && bacnet_put(&f, &body, out);
    buf_init(&values, mem, sizeof mem);
    if (a.device < 0 || a.n != 1 || q->value.len > BACNET_APDU_MAX / 2 ||
        !bacnet_read_value(q->value, &a.points[0], &v))
        return false;
    bacnet_put_value(&v, &values);
    body.point.values = (struct bytes){(const uint8_t *)mem, values.len};
    return bacnet_put(&f, &body, out);
}

/* ---- answers ---- */

static const char *error_word(int64_t class, int64_t code) {
    const char *word = bacnet_word(&bacnet_errors, code);
    if (!word) word = bacnet_word(&bacnet_error_classes, class);
    return word ? word : "error";
}

const char *bacnet_refusal(const struct bacnet_frame *f, const struct bacnet_body *body) {
    const char *word = f->kind == BACNET_REJECT  ? bacnet_word(&bacnet_rejects, f->service)
                       : f->kind == BACNET_ABORT ? bacnet_word(&bacnet_aborts, f->service)
                                                 : NULL;
    if (f->kind == BACNET_ERROR) return error_word(body->error_class, body->error_code);
    if (f->kind == BACNET_COMPLEX_ACK && f->flags & BACNET_SEGMENTED) return "answer_in_segments";
    if (f->kind != BACNET_REJECT && f->kind != BACNET_ABORT) return NULL;
    return word ? word : f->kind == BACNET_REJECT ? "rejected" : "aborted";
}

/* Every point that was asked for has an error: the first one. */
static const char *only_errors(const struct bacnet_body *body) {
    for (size_t i = 0; i < body->points_n; i++)
        if (body->points[i].values.ptr) return NULL;
    return body->points_n ? error_word(body->points[0].error_class, body->points[0].error_code) : NULL;
}

static bool is_same(const struct bacnet_point *a, const struct bacnet_point *b) {
    bool any = BACNET_NUMBER_OF(b->object) == BACNET_INSTANCE_MAX; /* the device, whatever its number */
    return a->property == b->property && a->index == b->index &&
           (a->object == b->object || (any && BACNET_TYPE_OF(a->object) == BACNET_TYPE_OF(b->object)));
}

static enum answer who_answers(const struct asked *a, const struct bacnet_frame *f, const struct bacnet_body *body,
                               struct buf *data) {
    bool is_there = f->kind == BACNET_UNCONFIRMED && f->service == BACNET_I_AM && body->device >= 0;
    if (!is_there || (a->device >= 0 && BACNET_NUMBER_OF(body->device) != (uint32_t)a->device)) return ANSWER_OTHER;
    buf_add(data, f->data.ptr, f->data.len);
    return ANSWER_WHOLE;
}

static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct asked a;
    struct bacnet_frame f;
    struct bacnet_body body;
    struct bacnet_point points[ITEMS_MAX];
    struct wire_error ignored;
    bool is_known;
    if (!read_items(q, &a) || !bacnet_decode(whole, &f, &ignored) || f.is_network ||
        !bacnet_read_body(&f, points, COUNT(points), &body, &is_known, &ignored))
        return ANSWER_OTHER;
    if (body.points_n > COUNT(points)) return ANSWER_OTHER; /* nobody asks for so many */
    if (!a.n) return who_answers(&a, &f, &body, data);
    if (f.kind < BACNET_SIMPLE_ACK || f.kind == BACNET_SEGMENT_ACK || f.invoke != q->serial) return ANSWER_OTHER;
    const char *why = bacnet_refusal(&f, &body);
    if (!why && f.service != service_for(q, &a)) return ANSWER_OTHER;
    if (!why && f.service == BACNET_READ_MULTIPLE) why = only_errors(&body);
    if (why) {
        *ret_why = why;
        return ANSWER_REFUSED;
    }
    if (f.service == BACNET_READ && !is_same(&body.point, &a.points[0])) return ANSWER_OTHER;
    buf_add(data, f.data.ptr, f.data.len);
    return ANSWER_WHOLE;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    struct asked asked;
    struct bacnet_body body;
    bool is_known;
    *ret = (struct decoded){.sender = q->address};
    if (!read_items(q, &asked)) {
        *reterr = (struct wire_error){"BACnet items: TYPE_INSTANCE_PROPERTY, as in ai_1_units", 0};
        return false;
    }
    struct bacnet_frame f = {.kind = asked.n ? BACNET_COMPLEX_ACK : BACNET_UNCONFIRMED,
                             .service = asked.n ? service_for(q, &asked) : BACNET_I_AM,
                             .data = data};
    if (asked.n && q->value.ptr) return true;
    if (!bacnet_read_all(&f, a, &body, &is_known, reterr)) return false;
    if (!asked.n) return q->address.len || bacnet_name_device(body.device, a, &ret->sender, reterr);
    return bacnet_readings(asked.device, &body, a, ret, reterr);
}

static bool find(size_t nth, struct question *ret) {
    *ret = (struct question){.address = S(""), .item = S("")}; /* everybody */
    return nth == 0;
}

const struct asking bacnet_asking = {
    .ask = ask, .answers = answers, .read = understand, .find = find, .addresses = "0 0.lift_0"};
