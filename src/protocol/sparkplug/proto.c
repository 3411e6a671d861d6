/* Payloads of Sparkplug B in protobuf: fields with a number and one of four wire types.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/utf8.h"
#include "protocol/cursor.h"
#include "protocol/sparkplug/sparkplug_internal.h"

#include <string.h>

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static const uint8_t payload_wires[] = {[SPARKPLUG_TIMESTAMP] = VARINT,
                                        [SPARKPLUG_METRIC] = BYTES,
                                        [SPARKPLUG_SEQ] = VARINT,
                                        [SPARKPLUG_UUID] = BYTES,
                                        [SPARKPLUG_BODY] = BYTES};
static const uint8_t metric_wires[METRIC__COUNT] = {
    [METRIC_NAME] = BYTES,     [METRIC_ALIAS] = VARINT,         [METRIC_TIMESTAMP] = VARINT,
    [METRIC_TYPE] = VARINT,    [METRIC_IS_HISTORICAL] = VARINT, [METRIC_IS_TRANSIENT] = VARINT,
    [METRIC_IS_NULL] = VARINT, [METRIC_METADATA] = BYTES,       [METRIC_PROPERTIES] = BYTES,
    [METRIC_INT] = VARINT,     [METRIC_LONG] = VARINT,          [METRIC_FLOAT] = FIXED32,
    [METRIC_DOUBLE] = FIXED64, [METRIC_BOOLEAN] = VARINT,       [METRIC_STRING] = BYTES,
    [METRIC_BYTES] = BYTES,    [METRIC_DATASET] = BYTES,        [METRIC_TEMPLATE] = BYTES,
};

/* ---- fields ---- */

struct field {
    uint64_t number;
    unsigned wire;
    uint64_t integer; /* of all wires but BYTES */
    struct bytes bytes;
};

static uint64_t read_varint(struct cursor *c) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t b = cursor_u8(c);
        if (shift == 63 && b > 1) break; /* over 64 bits */
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) return v;
    }
    c->is_broken = true;
    return 0;
}

/* NULL, or the rule. */
static const char *read_field(struct cursor *c, struct field *ret) {
    uint64_t tag = read_varint(c), n;
    *ret = (struct field){.number = tag >> 3, .wire = tag & 7};
    if (c->is_broken || !ret->number || tag > UINT32_MAX) return "protobuf: a field has a number from 1 to 2^29 - 1";
    switch (ret->wire) {
    case VARINT: ret->integer = read_varint(c); break;
    case FIXED64: ret->integer = cursor_le(c, 8); break;
    case FIXED32: ret->integer = cursor_le(c, 4); break;
    case BYTES:
        n = read_varint(c);
        if (n > cursor_left(c)) c->is_broken = true;
        ret->bytes = cursor_bytes(c, c->is_broken ? 0 : (size_t)n);
        break;
    default: return "protobuf: a wire type is 0, 1, 2 or 5";
    }
    return c->is_broken ? "protobuf: the payload ends within a field" : NULL;
}

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static struct str text_of(struct bytes b) {
    return (struct str){b.len ? (const char *)b.ptr : "", b.len};
}

/* ---- a metric ---- */

static bool take(struct sparkplug_metric *m, const struct field *f, const char **ret_rule) {
    uint32_t word = (uint32_t)f->integer;
    float single;
    *ret_rule = "metric: its name is UTF-8";
    switch (f->number) {
    case METRIC_NAME: m->name = text_of(f->bytes); return utf8_is_valid(m->name);
    case METRIC_ALIAS: m->alias = f->integer; return true;
    case METRIC_TIMESTAMP: m->timestamp = f->integer; return true;
    case METRIC_TYPE: m->type = f->integer; return true;
    case METRIC_IS_HISTORICAL: m->is_historical = f->integer; return true;
    case METRIC_IS_TRANSIENT: m->is_transient = f->integer; return true;
    case METRIC_IS_NULL: m->is_null = f->integer; return true;
    case METRIC_METADATA: m->metadata = f->bytes; return true;
    case METRIC_PROPERTIES: m->properties = f->bytes; return true;
    default: break;
    }
    m->value = (int)f->number; /* of several the last one counts */
    m->has &= ~(BIT(METRIC__COUNT) - BIT(METRIC_INT));
    switch (m->value) {
    case METRIC_FLOAT:
        memcpy(&single, &word, sizeof single);
        m->real = (double)single;
        return true;
    case METRIC_DOUBLE: memcpy(&m->real, &f->integer, sizeof m->real); return true;
    case METRIC_INT:
    case METRIC_LONG: m->integer = f->integer; return true;
    case METRIC_BOOLEAN: m->integer = f->integer != 0; return true;
    default: m->bytes = f->bytes; break;
    }
    *ret_rule = "metric: its string is UTF-8";
    return m->value != METRIC_STRING || utf8_is_valid(text_of(m->bytes));
}

static bool read_metric(struct bytes in, size_t at, struct sparkplug_metric *ret, struct wire_error *reterr) {
    struct cursor c = cursor_of(in);
    *ret = (struct sparkplug_metric){.value = 0};
    while (cursor_left(&c)) {
        size_t from = c.at;
        struct field f;
        const char *rule = read_field(&c, &f);
        if (rule) return bad(reterr, rule, at + from);
        if (f.number >= METRIC__COUNT) continue; /* of a later version */
        if (f.wire != metric_wires[f.number]) return bad(reterr, "metric: a field has another wire type", at + from);
        if (!take(ret, &f, &rule)) return bad(reterr, rule, at + from);
        ret->has |= BIT(f.number);
    }
    return true;
}

/* ---- a payload ---- */

/* Room for as many metrics as there are at most. */
static bool make_room(struct bytes in, size_t at, struct arena *a, struct sparkplug_payload *ret,
                      struct wire_error *reterr) {
    struct cursor c = cursor_of(in);
    size_t n = 0;
    while (cursor_left(&c)) {
        size_t from = c.at;
        struct field f;
        const char *rule = read_field(&c, &f);
        if (rule) return bad(reterr, rule, at + from);
        n += f.number == SPARKPLUG_METRIC;
        if (n > SPARKPLUG_METRICS_MAX) return bad(reterr, "payload: " WIRE_LIMIT "at most 4096 metrics", at + from);
    }
    ret->metrics = arena_new(a, struct sparkplug_metric, n + 1);
    return ret->metrics || bad(reterr, "out of memory", at);
}

static bool take_part(struct sparkplug_payload *p, const struct field *f, size_t at, struct wire_error *reterr) {
    switch (f->number) {
    case SPARKPLUG_TIMESTAMP: p->timestamp = f->integer; break;
    case SPARKPLUG_METRIC: return read_metric(f->bytes, at, &p->metrics[p->metrics_n++], reterr);
    case SPARKPLUG_SEQ:
        p->seq = f->integer;
        if (p->seq > 255) return bad(reterr, "seq: it is 0 to 255", at);
        break;
    case SPARKPLUG_UUID:
        p->uuid = text_of(f->bytes);
        if (!utf8_is_valid(p->uuid)) return bad(reterr, "uuid: it is UTF-8", at);
        break;
    case SPARKPLUG_BODY: p->body = f->bytes; break;
    default: break;
    }
    return true;
}

bool sparkplug_read(struct bytes payload, size_t at, struct arena *a, struct sparkplug_payload *ret,
                    struct wire_error *reterr) {
    struct sparkplug_payload p = {.has = 0};
    struct cursor c = cursor_of(payload);
    if (!make_room(payload, at, a, &p, reterr)) return false;
    while (cursor_left(&c)) {
        size_t from = c.at;
        struct field f;
        const char *rule = read_field(&c, &f);
        if (rule) return bad(reterr, rule, at + from);
        if (f.number >= COUNT(payload_wires)) continue; /* of a later version */
        if (f.wire != payload_wires[f.number]) return bad(reterr, "payload: a field has another wire type", at + from);
        size_t inner = f.wire == BYTES ? c.at - f.bytes.len : from;
        if (!take_part(&p, &f, at + inner, reterr)) return false;
        p.has |= BIT(f.number);
    }
    *ret = p;
    return true;
}

bool sparkplug_find(struct bytes payload, struct str name, struct sparkplug_metric *ret) {
    struct cursor c = cursor_of(payload);
    bool found = false;
    while (cursor_left(&c)) {
        struct field f;
        struct sparkplug_metric m;
        struct wire_error ignored;
        if (read_field(&c, &f)) return false;
        if (found || f.number != SPARKPLUG_METRIC || f.wire != BYTES) continue;
        if (!read_metric(f.bytes, 0, &m, &ignored)) return false;
        found = str_eq(m.name, name);
        if (found) *ret = m;
    }
    return found;
}

/* ---- writing ---- */

static size_t varint_size(uint64_t v) {
    size_t n = 1;
    while (v >>= 7) n++;
    return n;
}

static void put_varint(struct buf *out, uint64_t v) {
    for (; v > 0x7f; v >>= 7) buf_char(out, (char)(uint8_t)(v | 0x80));
    buf_char(out, (char)(uint8_t)v);
}

static void put_integer(struct buf *out, unsigned number, uint64_t v) {
    put_varint(out, (uint64_t)number << 3 | VARINT);
    put_varint(out, v);
}

static void put_bytes(struct buf *out, unsigned number, struct bytes b) {
    put_varint(out, (uint64_t)number << 3 | BYTES);
    put_varint(out, b.len);
    if (b.len) buf_add(out, b.ptr, b.len);
}

/* What the integer fields of a metric hold, by number. */
static uint64_t integer_of(const struct sparkplug_metric *m, int field) {
    switch (field) {
    case METRIC_ALIAS: return m->alias;
    case METRIC_TIMESTAMP: return m->timestamp;
    case METRIC_TYPE: return m->type;
    case METRIC_IS_HISTORICAL: return m->is_historical;
    case METRIC_IS_TRANSIENT: return m->is_transient;
    case METRIC_IS_NULL: return m->is_null;
    default: return m->integer;
    }
}

static struct bytes bytes_of(const struct sparkplug_metric *m, int field) {
    switch (field) {
    case METRIC_NAME: return (struct bytes){(const uint8_t *)m->name.ptr, m->name.len};
    case METRIC_METADATA: return m->metadata;
    case METRIC_PROPERTIES: return m->properties;
    default: return m->bytes;
    }
}

static size_t metric_size(const struct sparkplug_metric *m) {
    size_t n = 0;
    for (int i = METRIC_NAME; i < METRIC__COUNT; i++) {
        if (!(m->has & BIT(i))) continue;
        n += varint_size((uint64_t)i << 3);
        switch (metric_wires[i]) {
        case VARINT: n += varint_size(integer_of(m, i)); break;
        case FIXED32: n += 4; break;
        case FIXED64: n += 8; break;
        default: n += varint_size(bytes_of(m, i).len) + bytes_of(m, i).len; break;
        }
    }
    return n;
}

static void put_metric(struct buf *out, const struct sparkplug_metric *m) {
    float single = (float)m->real;
    uint32_t word;
    uint64_t wide;
    for (int i = METRIC_NAME; i < METRIC__COUNT; i++) {
        if (!(m->has & BIT(i))) continue;
        switch (metric_wires[i]) {
        case VARINT: put_integer(out, (unsigned)i, integer_of(m, i)); break;
        case FIXED32:
            memcpy(&word, &single, sizeof word);
            put_varint(out, (uint64_t)i << 3 | FIXED32);
            cursor_put_le(out, word, sizeof word);
            break;
        case FIXED64:
            memcpy(&wide, &m->real, sizeof wide);
            put_varint(out, (uint64_t)i << 3 | FIXED64);
            cursor_put_le(out, wide, sizeof wide);
            break;
        default: put_bytes(out, (unsigned)i, bytes_of(m, i)); break;
        }
    }
}

void sparkplug_put(const struct sparkplug_payload *p, struct buf *out) {
    if (p->has & BIT(SPARKPLUG_TIMESTAMP)) put_integer(out, SPARKPLUG_TIMESTAMP, p->timestamp);
    for (size_t i = 0; i < p->metrics_n; i++) {
        put_varint(out, SPARKPLUG_METRIC << 3 | BYTES);
        put_varint(out, metric_size(&p->metrics[i]));
        put_metric(out, &p->metrics[i]);
    }
    if (p->has & BIT(SPARKPLUG_SEQ)) put_integer(out, SPARKPLUG_SEQ, p->seq);
    if (p->has & BIT(SPARKPLUG_UUID))
        put_bytes(out, SPARKPLUG_UUID, (struct bytes){(const uint8_t *)p->uuid.ptr, p->uuid.len});
    if (p->has & BIT(SPARKPLUG_BODY)) put_bytes(out, SPARKPLUG_BODY, p->body);
}

/* ---- a property ---- */

/* PropertySet: 1 keys, 2 values in the same order; PropertyValue: 1 type, 3 int, 4 long … (6.4.9, 6.4.11). */
bool sparkplug_is_stale(struct bytes properties) {
    enum { KEYS = 1, VALUES = 2, VALUE_INT = 3, VALUE_LONG = 4, GOOD = 192 };
    struct cursor c = cursor_of(properties);
    size_t keys = 0, values = 0, wanted = SIZE_MAX;
    struct bytes value = {NULL, 0};
    struct field f;
    while (cursor_left(&c) && !read_field(&c, &f)) {
        if (f.number == KEYS && f.wire == BYTES && str_is(text_of(f.bytes), "Quality")) wanted = keys;
        keys += f.number == KEYS;
        values += f.number == VALUES;
    }
    if (wanted >= values) return false;
    c = cursor_of(properties);
    for (size_t i = 0; cursor_left(&c) && !read_field(&c, &f);)
        if (f.number == VALUES && i++ == wanted) value = f.bytes;
    c = cursor_of(value);
    while (cursor_left(&c) && !read_field(&c, &f))
        if ((f.number == VALUE_INT || f.number == VALUE_LONG) && f.wire == VARINT) return f.integer != GOOD;
    return false;
}
