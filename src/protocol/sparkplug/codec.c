/* Sparkplug behind the narrow waist: topics, names, readings and events of one frame.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/sparkplug/sparkplug_internal.h"

#include <string.h>

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

/* ---- topics (4.1) ---- */

static const char *const words[] = {
    [SPARKPLUG_NBIRTH] = "NBIRTH", [SPARKPLUG_NDEATH] = "NDEATH", [SPARKPLUG_NDATA] = "NDATA",
    [SPARKPLUG_NCMD] = "NCMD",     [SPARKPLUG_DBIRTH] = "DBIRTH", [SPARKPLUG_DDEATH] = "DDEATH",
    [SPARKPLUG_DDATA] = "DDATA",   [SPARKPLUG_DCMD] = "DCMD",
};

const char *sparkplug_word(enum sparkplug_what what) {
    return what == SPARKPLUG_STATE ? "STATE" : words[what];
}

bool sparkplug_topic(struct str topic, struct sparkplug_topic *ret) {
    struct sparkplug_topic t = {.what = SPARKPLUG_NBIRTH};
    struct str part, word;
    (void)str_cut(&topic, '/', &part);
    bool is_new = str_is(part, "spBv1.0");
    if (str_is(part, "STATE") || (is_new && str_starts(topic, S("STATE/")))) { /* 2.2: STATE/HOST */
        t.what = SPARKPLUG_STATE;
        if (is_new) (void)str_cut(&topic, '/', &part);
        t.group = topic;
        *ret = t;
        return topic.len && !memchr(topic.ptr, '/', topic.len);
    }
    if (!is_new || !str_cut(&topic, '/', &t.group) || !str_cut(&topic, '/', &word) || !str_cut(&topic, '/', &t.edge))
        return false;
    t.device = topic;
    while (t.what < COUNT(words) && !str_is(word, words[t.what])) t.what++;
    bool has_device = t.device.ptr != NULL;
    if (t.what == COUNT(words) || !t.group.len || !t.edge.len || has_device == sparkplug_is_of_node(t.what) ||
        (has_device && (!t.device.len || memchr(t.device.ptr, '/', t.device.len))))
        return false;
    *ret = t;
    return true;
}

/* ---- codes ---- */

static bool is_escaped(char c) {
    return (unsigned char)c <= ' ' || c == 0x7f || c == ':' || c == '%';
}

static void put_part(struct buf *b, struct str part) {
    for (size_t i = 0; i < part.len; i++) {
        if (is_escaped(part.ptr[i]))
            buf_fmt(b, "%%%02X", (unsigned char)part.ptr[i]);
        else
            buf_char(b, part.ptr[i]);
    }
}

bool sparkplug_code_put(struct buf *b, const struct sparkplug_topic *t) {
    size_t from = b->len;
    put_part(b, t->group);
    buf_char(b, ':');
    put_part(b, t->edge);
    if (t->device.ptr) {
        buf_char(b, ':');
        put_part(b, t->device);
    }
    return !b->overflow && b->len - from <= SPARKPLUG_NAME_MAX;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_part(struct str *code, struct buf *mem, struct str *ret) {
    struct str part;
    size_t from = mem->len;
    if (!str_cut(code, ':', &part) || !part.len) return false;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        if (c == '%') {
            int high = i + 2 < part.len ? hex_digit(part.ptr[i + 1]) : -1,
                low = high < 0 ? -1 : hex_digit(part.ptr[i + 2]);
            if (low < 0) return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (memchr("/+#\n", c, 4) || !c) return false; /* no topic has them */
        buf_char(mem, c);
    }
    *ret = (struct str){mem->ptr + from, mem->len - from};
    return !mem->overflow;
}

bool sparkplug_code_read(struct str code, struct buf *mem, struct sparkplug_topic *ret) {
    struct sparkplug_topic t = {.what = SPARKPLUG_NCMD};
    if (code.len > SPARKPLUG_NAME_MAX || !read_part(&code, mem, &t.group) || !read_part(&code, mem, &t.edge))
        return false;
    if (code.ptr) {
        t.what = SPARKPLUG_DCMD;
        if (!read_part(&code, mem, &t.device)) return false;
    }
    *ret = t;
    return !code.ptr;
}

/* ---- metrics ---- */

bool sparkplug_metric_name(struct str name, char ret[SPARKPLUG_NAME_MAX + 1]) {
    if (!name.len || name.len > SPARKPLUG_NAME_MAX || str_is(name, "bdSeq") || str_starts(name, S("Node Control/")) ||
        str_starts(name, S("Device Control/")))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if ((unsigned char)c < ' ' || c == 0x7f) return false;
        ret[i] = c == '/' || c == ' ' ? '_' : c;
    }
    ret[name.len] = 0;
    return true;
}

/* Two's complement in as many bits, by itself or with its sign in all bits above, as encoders write it. */
static bool read_integer(uint64_t v, unsigned bits, bool is_signed, double *ret) {
    uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX, low = v & mask;
    bool is_negative = is_signed && low >> (bits - 1) & 1;
    uint64_t wide = is_negative ? low | ~mask : low;
    if (v != low && v != wide && v != (wide & UINT32_MAX)) return false;
    *ret = is_signed ? (double)(int64_t)wide : (double)low;
    return true;
}

const char *sparkplug_number(const struct sparkplug_metric *m, uint64_t type, double *ret, bool *ret_is) {
    bool is_integer = m->value == METRIC_INT || m->value == METRIC_LONG;
    *ret_is = type >= SPARKPLUG_INT8 && type <= SPARKPLUG_BOOLEAN;
    if (!*ret_is) return NULL;
    if (type <= SPARKPLUG_UINT64) {
        bool is_signed = type <= SPARKPLUG_INT64;
        unsigned bits = 8u << (type - (is_signed ? SPARKPLUG_INT8 : SPARKPLUG_UINT8));
        return is_integer && read_integer(m->integer, bits, is_signed, ret) ? NULL
                                                                            : "value: it is no integer of its datatype";
    }
    int wanted = type == SPARKPLUG_FLOAT ? METRIC_FLOAT : type == SPARKPLUG_DOUBLE ? METRIC_DOUBLE : METRIC_BOOLEAN;
    if (m->value != wanted) return "value: it is not of its datatype";
    *ret = wanted == METRIC_BOOLEAN ? (double)m->integer : m->real;
    *ret_is = *ret - *ret == 0; /* neither infinite nor no number */
    return NULL;
}

bool sparkplug_bd_seq(const struct sparkplug_payload *p, uint64_t *ret) {
    for (size_t i = 0; i < p->metrics_n; i++) {
        const struct sparkplug_metric *m = &p->metrics[i];
        if (!str_is(m->name, "bdSeq") || (m->value != METRIC_LONG && m->value != METRIC_INT)) continue;
        *ret = m->integer;
        return true;
    }
    return false;
}

/* The datatype that a value without one can only have. */
static uint64_t type_by_value(int value) {
    return value == METRIC_FLOAT     ? SPARKPLUG_FLOAT
           : value == METRIC_DOUBLE  ? SPARKPLUG_DOUBLE
           : value == METRIC_BOOLEAN ? SPARKPLUG_BOOLEAN
                                     : 0;
}

static bool add(const struct sparkplug_payload *p, const struct sparkplug_metric *m, struct str metric, uint64_t type,
                struct decoded *d, struct reading *out, struct wire_error *reterr) {
    double value;
    bool is_number;
    const char *rule = sparkplug_number(m, type, &value, &is_number);
    if (rule) return bad(reterr, rule, 0);
    if (!is_number) return true;
    uint64_t at = m->has & BIT(METRIC_TIMESTAMP) ? m->timestamp : p->timestamp;
    if (at > INT64_MAX) return bad(reterr, "timestamp: it is over 63 bits", 0);
    out[d->readings_n++] =
        (struct reading){.device = d->sender,
                         .metric = metric,
                         .unit = S(""),
                         .value = value,
                         .at_ms = (int64_t)at,
                         .quality = sparkplug_is_stale(m->properties) ? QUALITY_SUSPECT : QUALITY_GOOD};
    return true;
}

static bool readings(const struct sparkplug_frame *f, struct str device, sparkplug_name_fn *fn, void *arg,
                     struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    const struct sparkplug_payload *p = &f->payload;
    struct decoded d = {.sender = device};
    struct reading *out = arena_new(a, struct reading, p->metrics_n + 1);
    if (!out) return bad(reterr, "out of memory", 0);
    for (size_t i = 0; i < p->metrics_n; i++) {
        const struct sparkplug_metric *m = &p->metrics[i];
        char mem[SPARKPLUG_NAME_MAX + 1];
        uint64_t type = m->has & BIT(METRIC_TYPE) ? m->type : 0;
        struct str name = {NULL, 0};
        if (sparkplug_metric_name(m->name, mem)) name = str_of(mem);
        if (fn && !fn(arg, m, &name, &type)) continue;
        if (!name.len || m->is_null || m->is_transient || !m->value) continue;
        if (!type) type = type_by_value(m->value);
        if (!arena_str(a, name, &name)) return bad(reterr, "out of memory", 0);
        if (!add(p, m, name, type, &d, out, reterr)) return false;
    }
    d.readings = out;
    *ret = d;
    return true;
}

/* ---- frames ---- */

bool sparkplug_frame_read(struct bytes whole, struct arena *a, struct sparkplug_frame *ret, struct wire_error *reterr) {
    struct sparkplug_frame f = {.payload = {.has = 0}};
    if (!publish_read(whole, &f.publish, reterr)) return false;
    if (!f.publish.topic.ptr || !sparkplug_topic(f.publish.topic, &f.topic))
        return bad(reterr, "topic: it is none of Sparkplug B", 0);
    if (f.topic.what != SPARKPLUG_STATE &&
        !sparkplug_read(f.publish.payload, f.publish.payload_at, a, &f.payload, reterr))
        return false;
    *ret = f;
    return true;
}

static bool is_news(enum sparkplug_what what) {
    return what != SPARKPLUG_STATE && what != SPARKPLUG_NCMD && what != SPARKPLUG_DCMD;
}

bool sparkplug_said(const struct sparkplug_frame *f, sparkplug_name_fn *fn, void *arg, struct arena *a,
                    struct decoded *ret, struct wire_error *reterr) {
    enum sparkplug_what what = f->topic.what;
    bool is_birth = what == SPARKPLUG_NBIRTH || what == SPARKPLUG_DBIRTH;
    bool is_death = what == SPARKPLUG_NDEATH || what == SPARKPLUG_DDEATH;
    struct buf b;
    struct str device;
    struct device_event *event;
    *ret = (struct decoded){0};
    if (!is_news(what)) return true;
    buf_init_arena(&b, a, SPARKPLUG_NAME_MAX + 1);
    if (!sparkplug_code_put(&b, &f->topic) || !buf_done(&b, &device))
        return bad(reterr, "topic: group, edge node and device have over 64 bytes", 0);
    if (f->payload.timestamp > INT64_MAX) return bad(reterr, "timestamp: it is over 63 bits", f->publish.payload_at);
    if (!is_death && !readings(f, device, fn, arg, a, ret, reterr)) {
        reterr->at += f->publish.payload_at;
        return false;
    }
    ret->sender = device;
    if (!is_birth && !is_death) return true;
    event = arena_new(a, struct device_event, 1);
    if (!event) return bad(reterr, "out of memory", 0);
    /* A node's death is its last will, written before it lived: it is dead as of now. */
    *event = (struct device_event){.device = device,
                                   .code = S("offline"),
                                   .is_set = is_death,
                                   .at_ms = what == SPARKPLUG_NDEATH ? 0 : (int64_t)f->payload.timestamp};
    ret->events = event;
    ret->events_n = 1;
    return true;
}

/* ---- the narrow waist ---- */

static enum frame split(struct bytes in, size_t *ret_len) {
    struct publish p;
    struct sparkplug_topic t;
    struct wire_error ignored;
    *ret_len = in.len;
    return publish_read(in, &p, &ignored) && p.topic.ptr && sparkplug_topic(p.topic, &t) ? FRAME_WHOLE : FRAME_SKIP;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct sparkplug_frame f;
    *ret = (struct decoded){0};
    return sparkplug_frame_read(whole, a, &f, reterr) && sparkplug_said(&f, NULL, NULL, a, ret, reterr);
}

const struct codec sparkplug_codec = {
    .name = "sparkplug",
    .standard = "Eclipse Sparkplug B 3.0.0, 2.2",
    .frame_max = PUBLISH_FRAME_MAX,
    .frame = split,
    .decode = decode,
    .show = sparkplug_show,
    .make = sparkplug_make,
    .asking = &sparkplug_asking,
    .carrier = CARRIER_TOPIC,
};
