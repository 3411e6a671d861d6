/* Frames of Sparkplug as JSON and back, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame_json.h"
#include "protocol/sparkplug/sparkplug_internal.h"

#include <math.h>
#include <string.h>

/* ---- types ---- */

static const char *const types[] = {"",       "Int8",   "Int16",   "Int32",  "Int64",   "UInt8",   "UInt16",
                                    "UInt32", "UInt64", "Float",   "Double", "Boolean", "String",  "DateTime",
                                    "Text",   "UUID",   "DataSet", "Bytes",  "File",    "Template"};

bool sparkplug_type_of(struct str name, uint64_t *ret) {
    for (size_t i = 1; i < COUNT(types); i++)
        if (str_is(name, types[i])) {
            *ret = i;
            return true;
        }
    return false;
}

const char *sparkplug_type_name(uint64_t type) {
    return type && type < COUNT(types) ? types[type] : NULL;
}

/* ---- out ---- */

static const char *const keys[METRIC__COUNT] = {
    [METRIC_NAME] = "name",
    [METRIC_ALIAS] = "alias",
    [METRIC_TIMESTAMP] = "timestamp",
    [METRIC_TYPE] = "datatype",
    [METRIC_IS_HISTORICAL] = "is_historical",
    [METRIC_IS_TRANSIENT] = "is_transient",
    [METRIC_IS_NULL] = "is_null",
    [METRIC_METADATA] = "metadata",
    [METRIC_PROPERTIES] = "properties",
    [METRIC_INT] = "int_value",
    [METRIC_LONG] = "long_value",
    [METRIC_FLOAT] = "float_value",
    [METRIC_DOUBLE] = "double_value",
    [METRIC_BOOLEAN] = "boolean_value",
    [METRIC_STRING] = "string_value",
    [METRIC_BYTES] = "bytes_value",
    [METRIC_DATASET] = "dataset_value",
    [METRIC_TEMPLATE] = "template_value",
};

static void put_value(struct jw *j, struct arena *a, const struct sparkplug_metric *m) {
    const char *key = m->value ? keys[m->value] : NULL;
    switch (m->value) {
    case 0: break;
    case METRIC_INT:
    case METRIC_LONG: jw_ki64(j, key, (int64_t)m->integer); break;
    case METRIC_FLOAT:
    case METRIC_DOUBLE:
        jw_key(j, key);
        jw_f64(j, m->real);
        break;
    case METRIC_BOOLEAN: jw_kbool(j, key, m->integer); break;
    case METRIC_STRING: frame_put_bytes(j, a, key, m->bytes); break;
    default: frame_put_hex(j, a, key, m->bytes); break;
    }
}

static void put_metric(struct jw *j, struct arena *a, const struct sparkplug_metric *m) {
    const char *type = sparkplug_type_name(m->type);
    jw_open(j, '{');
    if (m->has & BIT(METRIC_NAME)) jw_kstr(j, keys[METRIC_NAME], m->name);
    if (m->has & BIT(METRIC_ALIAS)) jw_ki64(j, keys[METRIC_ALIAS], (int64_t)m->alias);
    if (m->has & BIT(METRIC_TIMESTAMP)) jw_ki64(j, keys[METRIC_TIMESTAMP], (int64_t)m->timestamp);
    if (m->has & BIT(METRIC_TYPE)) {
        if (type)
            jw_kcstr(j, keys[METRIC_TYPE], type);
        else
            jw_ki64(j, keys[METRIC_TYPE], (int64_t)m->type);
    }
    if (m->has & BIT(METRIC_IS_HISTORICAL)) jw_kbool(j, keys[METRIC_IS_HISTORICAL], m->is_historical);
    if (m->has & BIT(METRIC_IS_TRANSIENT)) jw_kbool(j, keys[METRIC_IS_TRANSIENT], m->is_transient);
    if (m->has & BIT(METRIC_IS_NULL)) jw_kbool(j, keys[METRIC_IS_NULL], m->is_null);
    if (m->has & BIT(METRIC_METADATA)) frame_put_hex(j, a, keys[METRIC_METADATA], m->metadata);
    if (m->has & BIT(METRIC_PROPERTIES)) frame_put_hex(j, a, keys[METRIC_PROPERTIES], m->properties);
    put_value(j, a, m);
    jw_close(j, '}');
}

/* JSON has neither NaN, infinities, nor a negative zero. */
static bool is_json(const struct sparkplug_metric *m) {
    bool is_real = m->value == METRIC_FLOAT || m->value == METRIC_DOUBLE;
    return !is_real || (isfinite(m->real) && !(m->real == 0 && signbit(m->real)));
}

/* Do the members say all of the payload's bytes?  Fields in another order, of a later version or longer than they need
 * be are right, too, and would be written otherwise. */
static bool is_said_by_members(const struct sparkplug_frame *f, struct arena *a) {
    struct bytes wire = f->publish.payload;
    struct buf b;
    for (size_t i = 0; i < f->payload.metrics_n; i++)
        if (!is_json(&f->payload.metrics[i])) return false;
    buf_init_arena(&b, a, wire.len + 1);
    sparkplug_put(&f->payload, &b);
    return !b.overflow && b.len == wire.len && (!b.len || !memcmp(b.ptr, wire.ptr, b.len));
}

static void put_payload(struct jw *j, struct arena *a, const struct sparkplug_frame *f) {
    const struct sparkplug_payload *p = &f->payload;
    if (p->has & BIT(SPARKPLUG_TIMESTAMP)) jw_ki64(j, "timestamp", (int64_t)p->timestamp);
    jw_key(j, "metrics");
    jw_open(j, '[');
    for (size_t i = 0; i < p->metrics_n; i++) put_metric(j, a, &p->metrics[i]);
    jw_close(j, ']');
    if (p->has & BIT(SPARKPLUG_SEQ)) jw_ki64(j, "seq", (int64_t)p->seq);
    if (p->has & BIT(SPARKPLUG_UUID)) jw_kstr(j, "uuid", p->uuid);
    if (p->has & BIT(SPARKPLUG_BODY)) frame_put_hex(j, a, "body", p->body);
    if (!is_said_by_members(f, a)) frame_put_hex(j, a, "payload", f->publish.payload);
}

bool sparkplug_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct sparkplug_frame f;
    if (!sparkplug_frame_read(whole, a, &f, reterr)) return false;
    bool is_state = f.topic.what == SPARKPLUG_STATE;
    jw_open(j, '{');
    jw_kcstr(j, "message", sparkplug_word(f.topic.what));
    jw_kstr(j, is_state ? "host" : "group", f.topic.group);
    if (f.topic.edge.ptr) jw_kstr(j, "edge", f.topic.edge);
    if (f.topic.device.ptr) jw_kstr(j, "device", f.topic.device);
    jw_kstr(j, "topic", f.publish.topic);
    if (is_state)
        frame_put_bytes(j, a, "payload", f.publish.payload);
    else
        put_payload(j, a, &f);
    jw_close(j, '}');
    return true;
}

/* ---- in ---- */

static bool read_u64(struct frame_in *in, const char *key, uint64_t *ret) {
    if (!json_object_get(in->object, key)) return false;
    *ret = (uint64_t)frame_number(in, key, INT64_MIN, INT64_MAX, 0);
    return true;
}

static void read_real(struct frame_in *in, int field, double *ret) {
    const json_t *v = json_object_get(in->object, keys[field]);
    if (!json_is_number(v)) frame_bad(in, keys[field], "is no number");
    double d = json_number_value(v);
    *ret = field == METRIC_FLOAT ? (double)(float)d : d;
    if (!isfinite(*ret)) frame_bad(in, keys[field], "is too large");
}

static void read_value(struct frame_in *in, struct sparkplug_metric *m) {
    char hex[32];
    for (int i = METRIC_INT; i < METRIC__COUNT; i++) {
        struct buf b;
        buf_init(&b, hex, sizeof hex);
        buf_fmt(&b, "%s_hex", keys[i]);
        if (!json_object_get(in->object, keys[i]) && !json_object_get(in->object, hex)) continue;
        if (m->value) frame_bad(in, keys[i], "is a second value of its metric");
        m->value = i;
        m->has |= BIT(i);
        if (i == METRIC_FLOAT || i == METRIC_DOUBLE)
            read_real(in, i, &m->real);
        else if (i == METRIC_BOOLEAN)
            m->integer = frame_flag(in, keys[i]);
        else if (i <= METRIC_LONG)
            (void)read_u64(in, keys[i], &m->integer);
        else
            m->bytes = frame_bytes(in, keys[i]);
    }
}

static void read_type(struct frame_in *in, struct sparkplug_metric *m) {
    const json_t *v = json_object_get(in->object, keys[METRIC_TYPE]);
    if (!v) return;
    m->has |= BIT(METRIC_TYPE);
    if (json_is_string(v) ? !sparkplug_type_of(json_text(v), &m->type) : !read_u64(in, keys[METRIC_TYPE], &m->type))
        frame_bad(in, keys[METRIC_TYPE], "is no datatype: Int8, Float, Boolean, String …");
}

static void read_metric(struct frame_in *in, struct sparkplug_metric *m) {
    static const int flags[] = {METRIC_IS_HISTORICAL, METRIC_IS_TRANSIENT, METRIC_IS_NULL};
    bool *const where[] = {&m->is_historical, &m->is_transient, &m->is_null};
    m->name = frame_text(in, keys[METRIC_NAME]);
    m->metadata = frame_bytes(in, keys[METRIC_METADATA]);
    m->properties = frame_bytes(in, keys[METRIC_PROPERTIES]);
    if (m->name.ptr) m->has |= BIT(METRIC_NAME);
    if (m->metadata.ptr) m->has |= BIT(METRIC_METADATA);
    if (m->properties.ptr) m->has |= BIT(METRIC_PROPERTIES);
    if (read_u64(in, keys[METRIC_ALIAS], &m->alias)) m->has |= BIT(METRIC_ALIAS);
    if (read_u64(in, keys[METRIC_TIMESTAMP], &m->timestamp)) m->has |= BIT(METRIC_TIMESTAMP);
    read_type(in, m);
    for (size_t i = 0; i < COUNT(flags); i++) {
        if (!json_object_get(in->object, keys[flags[i]])) continue;
        *where[i] = frame_flag(in, keys[flags[i]]);
        m->has |= BIT(flags[i]);
    }
    read_value(in, m);
}

static void read_payload(struct frame_in *in, struct sparkplug_payload *p) {
    const json_t *all = json_object_get(in->object, "metrics");
    size_t n = json_array_size(all);
    if (all && (!json_is_array(all) || n > SPARKPLUG_METRICS_MAX)) frame_bad(in, "metrics", "is no list of up to 4096");
    p->metrics = arena_new(in->arena, struct sparkplug_metric, n + 1);
    if (!p->metrics) frame_bad(in, "metrics", "needs more memory than there is");
    for (; !in->is_bad && p->metrics_n < n; p->metrics_n++) {
        struct frame_in part = frame_of(in, json_array_get(all, p->metrics_n));
        if (!json_is_object(part.object)) frame_bad(&part, "metrics", "has something that is no object");
        read_metric(&part, &p->metrics[p->metrics_n]);
        frame_merge(in, &part);
    }
    if (read_u64(in, "timestamp", &p->timestamp)) p->has |= BIT(SPARKPLUG_TIMESTAMP);
    p->seq = (uint64_t)frame_number(in, "seq", 0, 255, 0);
    if (json_object_get(in->object, "seq")) p->has |= BIT(SPARKPLUG_SEQ);
    p->uuid = frame_text(in, "uuid");
    if (p->uuid.ptr) p->has |= BIT(SPARKPLUG_UUID);
    p->body = frame_bytes(in, "body");
    if (p->body.ptr) p->has |= BIT(SPARKPLUG_BODY);
}

bool sparkplug_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct sparkplug_topic t;
    struct sparkplug_payload p = {.has = 0};
    struct str topic = frame_text(&in, "topic");
    struct bytes payload = frame_bytes(&in, "payload");
    if (!topic.ptr || !sparkplug_topic(topic, &t) || memchr(topic.ptr, '\n', topic.len))
        frame_bad(&in, "topic", "is missing, or none of Sparkplug B");
    else if (t.what == SPARKPLUG_STATE && !payload.ptr)
        frame_bad(&in, "payload", "is missing: what a host says of itself");
    if (!payload.ptr) read_payload(&in, &p);
    if (in.is_bad) return false;
    buf_str(out, topic);
    buf_char(out, '\n');
    if (!payload.ptr)
        sparkplug_put(&p, out);
    else if (payload.len)
        buf_add(out, payload.ptr, payload.len);
    return true;
}
