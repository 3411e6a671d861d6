/* Platforms of NB-IoT that push what a device says: CTWing of a tank, OneNET of a thermometer, which signs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/nbiot/nbiot.h"
#include "base/json.h"
#include "main/simulate/simulate.h"
#include "protocol/base64.h"
#include "protocol/md5.h"

#include <inttypes.h>

#define EVENT_OF 20 /* of so many messages one is something else than data */
#define CHECK    "linli-is-there"

enum { LEVEL, BATTERY, TEMPERATURE };
static const struct sim_range ranges[] = {[LEVEL] = {402, 20, 900, 6}, /* mm */
                                          [BATTERY] = {98, 5, 100, 1},
                                          [TEMPERATURE] = {215, -100, 420, 3}}; /* 0.1 Cel */

static int walk(struct sim_device *d, size_t i) {
    return sim_walk(d, i, &ranges[i]);
}

/* ---- CTWing: a device's own bytes are JSON; an event is one of its profile */

static bool push_ctwing(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                        const char **ret_below) {
    char id[40], imei[24], mem[64], base64[96];
    struct buf device, b, text, data;
    struct jw j;
    (void)ret_below;
    buf_init(&device, id, sizeof id);
    buf_fmt(&device, "40edca19b012448086%014" PRIx64, (uint64_t)sim_number(o, d));
    buf_init(&b, imei, sizeof imei);
    buf_fmt(&b, "86%013" PRId64, sim_number(o, d) % INT64_C(10000000000000));
    jw_init(&j, json);
    if (sim_random(d) % EVENT_OF == 0) {
        jw_put(&j,
               "{'messageType':'eventReport','topic':'v1/up/event19','timestamp':$,'tenantId':'2000000000','serviceId':"
               "1002,'eventType':2,'eventContent':{'battery_state':1},'protocol':'lwm2m','productId':'15000000',"
               "'deviceType':'','deviceId':$,'IMSI':'undefined','IMEI':$}",
               JV(J_I64(at_ms), J_CSTR(id), J_CSTR(imei)));
        return true;
    }
    buf_init(&text, mem, sizeof mem);
    buf_fmt(&text, "{\"liquid\":%d,\"bat\":%d}", walk(d, LEVEL), walk(d, BATTERY));
    buf_init(&data, base64, sizeof base64);
    base64_put(&data, (struct bytes){(const uint8_t *)mem, text.len});
    jw_put(&j,
           "{'upPacketSN':-1,'upDataSN':-1,'topic':'v1/up/ad','timestamp':$,'tenantId':'2000000000','serviceId':'',"
           "'protocol':'lwm2m','productId':'15000000','payload':{'APPdata':$},'messageType':'dataReport','deviceType':"
           "'','deviceId':$,'assocAssetId':'','IMSI':'undefined','IMEI':$}",
           JV(J_I64(at_ms), J_CSTR(base64), J_CSTR(id), J_CSTR(imei)));
    return true;
}

/* ---- OneNET: base64(md5(token + nonce + msg)), msg as it stands in the body */

static void sign(const struct sim_options *o, struct str nonce, struct str msg, struct buf *out) {
    const struct str parts[] = {str_of(o->secret), nonce, msg};
    uint8_t digest[MD5_BYTES];
    struct md5 m;
    md5_init(&m);
    for (size_t i = 0; i < COUNT(parts); i++)
        if (parts[i].len) md5_add(&m, (struct bytes){(const uint8_t *)parts[i].ptr, parts[i].len});
    md5_end(&m, digest);
    base64_put(out, (struct bytes){digest, sizeof digest});
}

static void put_nonce(struct sim_device *d, struct buf *out) {
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    for (int i = 0; i < 8; i++) buf_char(out, letters[sim_random(d) % (sizeof letters - 1)]);
}

static void put_message(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *out) {
    struct jw j;
    int64_t number = 2016000 + sim_number(o, d);
    jw_init(&j, out);
    if (d->in_fault || sim_random(d) % EVENT_OF == 0) { /* it was away, and is back */
        d->in_fault = !d->in_fault;
        jw_put(&j, "{'dev_id':$,'at':$,'type':2,'status':$,'login_type':10}",
               JV(J_I64(number), J_I64(at_ms), J_I64(!d->in_fault)));
    } else {
        jw_put(&j, "{'dev_id':$,'at':$,'type':1,'ds_id':'temp','value':$}",
               JV(J_I64(number), J_I64(at_ms), J_F64(walk(d, TEMPERATURE) / 10.0)));
    }
}

/* The signature stands last: that is what SIM_BADSUM breaks. */
static bool push_onenet(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                        const char **ret_below) {
    char text[128], mem[16], signature[32];
    struct buf msg, nonce, b;
    struct jw j;
    (void)ret_below;
    buf_init(&msg, text, sizeof text);
    put_message(o, d, at_ms, &msg);
    buf_init(&nonce, mem, sizeof mem);
    put_nonce(d, &nonce);
    buf_init(&b, signature, sizeof signature);
    sign(o, (struct str){mem, nonce.len}, (struct str){text, msg.len}, &b);
    jw_init(&j, json);
    jw_put(&j, "{'msg':$,'nonce':$,'msg_signature':$}",
           JV(J_RAW(((struct str){text, msg.len})), J_CSTR(mem), J_CSTR(signature)));
    return !msg.overflow && !b.overflow;
}

/* Before it pushes it asks whether the address is its owner's, who gives msg back. */
static bool greet_onenet(const struct sim_options *o, struct sim_device *d, struct buf *out) {
    char mem[16], signature[32];
    struct buf nonce, b;
    buf_init(&nonce, mem, sizeof mem);
    put_nonce(d, &nonce);
    buf_init(&b, signature, sizeof signature);
    sign(o, (struct str){mem, nonce.len}, S(CHECK), &b);
    buf_fmt(out, "GET /api/v1/push/%s?msg=" CHECK "&nonce=%s&signature=", o->key, mem);
    for (size_t i = 0; i < b.len; i++) {
        bool is_plain = (signature[i] | 0x20) >= 'a' && (signature[i] | 0x20) <= 'z';
        is_plain |= signature[i] >= '0' && signature[i] <= '9';
        buf_fmt(out, is_plain ? "%c" : "%%%02X", signature[i]);
    }
    buf_fmt(out, " HTTP/1.1\r\nHost: %s:%d\r\nX-Request-Id: " CHECK "\r\n\r\n", o->host, o->port);
    return !out->overflow;
}

static enum sim_heard hear_onenet(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    enum sim_heard what = sim_push_hear(in, ret_used, ret_serial);
    if (what != SIM_OTHER) return what;
    return str_is(sim_push_body((struct bytes){in.ptr, *ret_used}), CHECK) ? SIM_READY : SIM_REFUSED;
}

const struct sim_protocol sim_ctwing = {.name = "ctwing", SIM_PUSHES(push_ctwing)};
const struct sim_protocol sim_onenet = {.name = "onenet",
                                        .port = 8080,
                                        .faults = SIM_PUSH_FAULTS | 1u << SIM_BADSUM,
                                        .sum_at = 5, /* of its last character before == and the end */
                                        .needs_key = true,
                                        .needs_secret = true,
                                        .push = push_onenet,
                                        .greet = greet_onenet,
                                        .speak = sim_push,
                                        .hear = hear_onenet};
