/* A device that publishes its readings with MQTT 3.1.1, QoS 1.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/mqtt/mqtt.h"
#include "base/json.h"
#include "main/simulate/simulate.h"

#define PAYLOAD_MAX 768

static bool greet(const struct sim_options *o, struct sim_device *d, struct buf *out) {
    const struct sim_credential *who = &o->credentials[d->index];
    struct mqtt_packet p = {.type = MQTT_CONNECT,
                            .level = MQTT_V311,
                            .clean_start = true,
                            .keep_alive_s = 0, /* off: a slow pace is no lost device */
                            .client_id = who->user,
                            .user = who->user,
                            .password = {(const uint8_t *)who->password.ptr, who->password.len}};
    return mqtt_encode(&p, out);
}

/* Each value walks within its range by at most a twentieth of it. */
static double walk(struct sim_device *d, size_t i, const struct sim_metric *m) {
    double span = m->high - m->low, step = ((double)(sim_random(d) % 2001) / 1000 - 1) * span / 20;
    double v = d->values[i] + step;
    if (d->values[i] < m->low || d->values[i] > m->high || d->values[i] == 0)
        v = m->low + span * (double)(sim_random(d) % 1001) / 1000;
    v = v < m->low ? m->low : v > m->high ? m->high : v;
    return d->values[i] = (double)(int64_t)(v * 100 + (v < 0 ? -0.5 : 0.5)) / 100;
}

static bool speak(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
    char text[PAYLOAD_MAX];
    struct buf b;
    struct jw j;
    if (!d->serial) d->serial = 1; /* packet identifiers are never 0 (2.3.1) */
    buf_init(&b, text, sizeof text);
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_ki64(&j, "ts", sim_clock_ms(d, now_ms));
    for (size_t i = 0; i < o->metrics_n; i++) {
        jw_key_str(&j, o->metrics[i].name);
        jw_f64(&j, walk(d, i, &o->metrics[i]) * (1000 + d->drifted) / 1000);
    }
    jw_close(&j, '}');
    struct mqtt_packet p = {.type = MQTT_PUBLISH,
                            .level = MQTT_V311,
                            .qos = 1,
                            .id = d->serial,
                            .topic = o->credentials[d->index].topic,
                            .payload = {(const uint8_t *)text, b.len}};
    return !b.overflow && mqtt_encode(&p, out);
}

static enum sim_heard hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    struct mqtt_packet p;
    struct mqtt_fault f;
    enum frame what = mqtt_frame(in, SIM_FRAME_MAX, ret_used, &f);
    if (what == FRAME_SHORT) return SIM_NOTHING;
    if (what == FRAME_SKIP || !mqtt_decode((struct bytes){in.ptr, *ret_used}, MQTT_V311, &p, &f)) return SIM_REFUSED;
    *ret_serial = p.id;
    if (p.type == MQTT_CONNACK) return p.reason == MQTT_OK ? SIM_READY : SIM_REFUSED;
    return p.type == MQTT_PUBACK ? SIM_CONFIRMED : SIM_OTHER;
}

const struct sim_protocol sim_mqtt = {.name = "mqtt",
                                      .port = 1883,
                                      .faults = SIM_PUSH_FAULTS,
                                      .needs_account = true,
                                      .greet = greet,
                                      .speak = speak,
                                      .hear = hear};
