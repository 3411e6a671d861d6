/* What edge nodes and their devices are told: NCMD and DCMD of one metric.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/mqtt/mqtt.h"
#include "protocol/sparkplug/sparkplug_internal.h"

#include <string.h>

#define MEM 256 /* for a code as topics have it */

/* The type behind the last colon, where it is one; else what the value is. */
static bool read_item(const struct question *q, struct sparkplug_metric *m) {
    size_t colon = q->item.len;
    int64_t whole;
    double real;
    while (colon && q->item.ptr[colon - 1] != ':') colon--;
    m->name = q->item;
    if (colon > 1 && sparkplug_type_of(str_from(q->item, colon), &m->type))
        m->name.len = colon - 1;
    else
        m->type = str_is(q->value, "true") || str_is(q->value, "false") ? SPARKPLUG_BOOLEAN
                  : str_to_i64(q->value, &whole)                        ? SPARKPLUG_INT64
                  : str_to_f64(q->value, &real)                         ? SPARKPLUG_DOUBLE
                                                                        : SPARKPLUG_STRING;
    return m->name.len && q->value.ptr;
}

static bool read_integer(struct str text, uint64_t type, struct sparkplug_metric *m) {
    bool is_signed = type <= SPARKPLUG_INT64;
    unsigned bits = 8u << (type - (is_signed ? SPARKPLUG_INT8 : SPARKPLUG_UINT8));
    int64_t v, high = bits == 64 ? INT64_MAX : (INT64_C(1) << (is_signed ? bits - 1 : bits)) - 1;
    if (!str_to_i64(text, &v) || v > high || v < (is_signed ? -high - 1 : 0)) return false;
    m->value = bits == 64 ? METRIC_LONG : METRIC_INT;
    m->integer = bits == 64 ? (uint64_t)v : (uint32_t)v;
    return true;
}

static bool read_value(struct str text, struct sparkplug_metric *m) {
    if (m->type <= SPARKPLUG_UINT64) return read_integer(text, m->type, m);
    switch (m->type) {
    case SPARKPLUG_FLOAT:
    case SPARKPLUG_DOUBLE:
        m->value = m->type == SPARKPLUG_FLOAT ? METRIC_FLOAT : METRIC_DOUBLE;
        if (!str_to_f64(text, &m->real)) return false;
        if (m->value == METRIC_FLOAT) m->real = (double)(float)m->real;
        return m->real - m->real == 0;
    case SPARKPLUG_BOOLEAN:
        m->value = METRIC_BOOLEAN;
        m->integer = str_is(text, "true");
        return m->integer || str_is(text, "false");
    case SPARKPLUG_STRING:
        m->value = METRIC_STRING;
        m->bytes = (struct bytes){(const uint8_t *)text.ptr, text.len};
        return true;
    default: return false;
    }
}

static bool ask(const struct question *q, struct buf *out) {
    struct sparkplug_metric m = {.value = 0};
    struct sparkplug_payload p = {.metrics = &m, .metrics_n = 1};
    struct sparkplug_topic t;
    char mem[MEM];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    if (!sparkplug_code_read(q->address, &b, &t) || !read_item(q, &m) || !read_value(q->value, &m)) return false;
    m.has = BIT(METRIC_NAME) | BIT(METRIC_TYPE) | BIT(m.value);
    if (q->now_ms) {
        m.has |= BIT(METRIC_TIMESTAMP);
        p.has = BIT(SPARKPLUG_TIMESTAMP);
        m.timestamp = p.timestamp = (uint64_t)q->now_ms;
    }
    buf_fmt(out, "spBv1.0/" STR_FMT "/%s/" STR_FMT, STR_ARG(t.group), sparkplug_word(t.what), STR_ARG(t.edge));
    if (t.device.ptr) buf_fmt(out, "/" STR_FMT, STR_ARG(t.device));
    buf_char(out, '\n');
    sparkplug_put(&p, out);
    return true;
}

/* ---- answers ---- */

static bool is_same(const struct sparkplug_metric *told, const struct sparkplug_metric *said) {
    double want, got;
    bool is_number, is_one;
    uint64_t type = said->has & BIT(METRIC_TYPE) ? said->type : told->type;
    if (told->value == METRIC_STRING)
        return said->value == METRIC_STRING && said->bytes.len == told->bytes.len &&
               (!told->bytes.len || !memcmp(said->bytes.ptr, told->bytes.ptr, told->bytes.len));
    return !sparkplug_number(told, told->type, &want, &is_number) && is_number &&
           !sparkplug_number(said, type, &got, &is_one) && is_one && want == got;
}

static bool is_of(const struct sparkplug_topic *t, struct str address) {
    char code[2 * SPARKPLUG_NAME_MAX];
    struct buf b;
    buf_init(&b, code, sizeof code);
    return sparkplug_code_put(&b, t) && str_eq((struct str){code, b.len}, address);
}

/* DATA or a birth that names the metric with its new value; a rebirth is answered by the birth. */
static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct publish p;
    struct sparkplug_topic t;
    struct sparkplug_metric told = {.value = 0}, said;
    struct wire_error ignored;
    (void)data;
    (void)ret_why;
    if (!publish_read(whole, &p, &ignored) || !p.topic.ptr || !sparkplug_topic(p.topic, &t)) return ANSWER_OTHER;
    bool is_birth = t.what == SPARKPLUG_NBIRTH || t.what == SPARKPLUG_DBIRTH;
    if ((!is_birth && t.what != SPARKPLUG_NDATA && t.what != SPARKPLUG_DDATA) || !is_of(&t, q->address) ||
        !read_item(q, &told) || !read_value(q->value, &told) || !sparkplug_find(p.payload, told.name, &said))
        return ANSWER_OTHER;
    bool is_rebirth = is_birth && str_is(told.name, "Node Control/Rebirth");
    return is_rebirth || is_same(&told, &said) ? ANSWER_WHOLE : ANSWER_OTHER;
}

bool sparkplug_says(const struct question *q, const struct reading *r) {
    struct sparkplug_metric told = {.value = 0};
    char name[SPARKPLUG_NAME_MAX + 1];
    double want;
    bool is_number;
    return read_item(q, &told) && read_value(q->value, &told) && sparkplug_metric_name(told.name, name) &&
           str_is(r->metric, name) && !sparkplug_number(&told, told.type, &want, &is_number) && is_number &&
           r->value == want;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    (void)data;
    (void)a;
    (void)reterr;
    *ret = (struct decoded){.sender = q->address};
    return true;
}

const struct asking sparkplug_asking = {.ask = ask, .answers = answers, .read = understand};
