/* Uplinks and downlinks as network servers tell and take them.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/base64.h"
#include "protocol/frame_json.h"
#include "protocol/lorawan/cayenne.h"
#include "protocol/lorawan/lorawan_internal.h"
#include "protocol/mqtt/mqtt.h"

#define PAYLOAD_MAX 255 /* bytes of a downlink (LoRaWAN 1.0.4, 6.1) */
#define PORT_MAX    223 /* the last one of applications (4.3.2) */
#define KEY_MAX     200
#define ANSWER_MAX  4096 /* texts with escapes in it */

/* ---- gateways ---- */

void lorawan_radio_end(struct lorawan_radio *r) {
    if (r->next.has_rssi && (!r->best.has_rssi || r->next.rssi > r->best.rssi)) r->best = r->next;
    r->next = (struct lorawan_gateway){.has_rssi = false};
}

static void take(struct lorawan_gateway *g, int what, const struct json_leaf *leaf) {
    bool is_number = leaf->type == JSON_LEAF_NUMBER;
    if (what == LORAWAN_TIME && leaf->type == JSON_LEAF_TEXT) g->time = leaf->text;
    if (what == LORAWAN_RSSI && is_number) {
        g->rssi = leaf->number;
        g->has_rssi = true;
    }
    if (what == LORAWAN_SNR && is_number) {
        g->snr = leaf->number;
        g->has_snr = true;
    }
}

void lorawan_radio_take(struct lorawan_radio *r, const struct lorawan_radio_field *fields, size_t n,
                        const struct json_leaf *leaf) {
    for (size_t i = 0; i < n; i++) {
        if (!pushed_is(leaf, fields[i].path)) continue;
        size_t index = leaf->path[leaf->path_n - 2].index;
        if (index != r->index) lorawan_radio_end(r);
        r->index = index;
        take(&r->next, fields[i].what, leaf);
        return;
    }
}

bool lorawan_radio_put(const struct lorawan_radio *r, struct pushed *p) {
    const struct lorawan_gateway *g = &r->best;
    if (g->has_rssi && !pushed_find(p, S("rssi")) && !pushed_add(p, S("rssi"), "dBm", g->rssi)) return false;
    return !g->has_snr || pushed_find(p, S("snr")) || pushed_add(p, S("snr"), "dB", g->snr);
}

/* ---- an uplink's parts ---- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool lorawan_eui(struct str text, char ret[LORAWAN_EUI + 1]) {
    static const char digits[] = "0123456789abcdef";
    char mem[LORAWAN_EUI];
    struct buf bytes;
    buf_init(&bytes, mem, sizeof mem);
    bool is_hex = text.len == LORAWAN_EUI;
    if (!is_hex && (!base64_read(text, &bytes) || bytes.len != LORAWAN_EUI / 2)) return false;
    for (size_t i = 0; i < LORAWAN_EUI; i++) {
        int digit = is_hex ? hex_digit(text.ptr[i]) : (uint8_t)mem[i / 2] >> (i % 2 ? 0 : 4) & 15;
        if (digit < 0) return false;
        ret[i] = digits[digit];
    }
    ret[LORAWAN_EUI] = 0;
    return true;
}

bool lorawan_payload(struct pushed *p, struct str base64, const char *rule) {
    struct cayenne_value v[CAYENNE_VALUES_MAX];
    struct buf bytes;
    size_t n = 0;
    buf_init_arena(&bytes, p->a, base64.len + 1);
    if (!base64_read(base64, &bytes)) return pushed_bad(p, rule, 0);
    if (!cayenne_read((struct bytes){(const uint8_t *)bytes.ptr, bytes.len}, v, &n)) return true; /* a maker's own */
    for (size_t i = 0; i < n; i++) {
        struct buf name;
        struct str metric;
        buf_init_arena(&name, p->a, PUSHED_NAME_MAX);
        buf_fmt(&name, "%s_%u", v[i].name, v[i].channel);
        if (!buf_done(&name, &metric)) return pushed_bad(p, "out of memory", 0);
        /* A channel that stands twice keeps its last value, as the servers' own decoders do. */
        struct reading *before = pushed_find(p, metric);
        if (before)
            before->value = v[i].value;
        else if (!pushed_add(p, metric, v[i].unit, v[i].value))
            return false;
    }
    return true;
}

bool lorawan_place(struct pushed *p, const struct pushed_value *v) {
    if (!v[0].has || !v[1].has) return true;
    return pushed_add(p, S("latitude"), "deg", v[0].number) && pushed_add(p, S("longitude"), "deg", v[1].number) &&
           (!v[2].has || pushed_add(p, S("altitude"), "m", v[2].number));
}

bool lorawan_show(struct bytes whole, const char *what, struct str device, struct arena *a, struct jw *j) {
    struct publish pub;
    struct wire_error ignored;
    if (!publish_read(whole, &pub, &ignored)) return false;
    jw_open(j, '{');
    jw_kcstr(j, "what", what);
    if (device.ptr) jw_kstr(j, "device", device);
    publish_show(j, a, &pub);
    jw_close(j, '}');
    return true;
}

/* ---- questions ---- */

bool lorawan_port(struct str item, int64_t *ret) {
    return str_to_i64(item, ret) && *ret >= 1 && *ret <= PORT_MAX;
}

bool lorawan_key_is_right(const struct question *q) {
    return q->key.len && q->key.len <= KEY_MAX && mqtt_topic_is_name(q->key) && !memchr(q->key.ptr, '\n', q->key.len);
}

static bool is_object(struct str value) {
    char mem[PAYLOAD_MAX];
    struct buf texts;
    buf_init(&texts, mem, sizeof mem);
    struct json_in in = json_in_of((struct bytes){(const uint8_t *)value.ptr, value.len}, &texts);
    return value.ptr[0] == '{' && json_in_leaves(&in, NULL, NULL) && json_in_end(&in);
}

bool lorawan_put_value(struct jw *j, struct str value, const char *bytes, const char *object) {
    uint8_t mem[PAYLOAD_MAX];
    size_t n = 0;
    if (value.len && value.ptr[0] == '{') {
        jw_key(j, object);
        jw_raw(j, value);
        return is_object(value);
    }
    for (; 2 * n + 1 < value.len && n < sizeof mem; n++) {
        int high = hex_digit(value.ptr[2 * n]), low = hex_digit(value.ptr[2 * n + 1]);
        if (high < 0 || low < 0) return false;
        mem[n] = (uint8_t)(high << 4 | low);
    }
    if (!value.ptr || 2 * n != value.len) return false;
    jw_key(j, bytes);
    char text[PAYLOAD_MAX / 3 * 4 + 1];
    struct buf b;
    buf_init(&b, text, sizeof text);
    base64_put(&b, (struct bytes){mem, n});
    jw_str(j, (struct str){text, b.len});
    return true;
}

bool lorawan_understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                        struct wire_error *reterr) {
    (void)data;
    (void)a;
    (void)reterr;
    *ret = (struct decoded){.sender = q->address};
    return true;
}

struct sought {
    const struct pushed_field *fields;
    size_t n;
    struct pushed_value *values;
};

static bool seek(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct sought *s = arg;
    bool is_one;
    return pushed_take(s->fields, s->n, s->values, in, leaf, &is_one);
}

bool lorawan_fields(struct bytes payload, const struct pushed_field *fields, size_t n, struct pushed_value *values) {
    char mem[ANSWER_MAX];
    struct buf texts;
    struct sought s = {fields, n, values};
    buf_init(&texts, mem, sizeof mem);
    struct json_in in = json_in_of(payload, &texts);
    return json_in_leaves(&in, seek, &s) && json_in_end(&in);
}
