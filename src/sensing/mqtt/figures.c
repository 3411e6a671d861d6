/* Figures of the MQTT listener: for a page, for /readyz and for /metrics.  SPDX-License-Identifier: Apache-2.0 */
#include "base/prometheus.h"
#include "sensing/mqtt/mqtt_internal.h"

#include <stdio.h>
#include <string.h>

void mqtt_sample(struct mqtt_listener *l, const struct mqtt_conn *c, int64_t *which, struct str topic,
                 struct bytes bytes, const char *rule) {
    struct mqtt_figures *f = &l->figures;
    struct buf b;
    if (bytes.len > MQTT_SAMPLE_BYTES) bytes.len = MQTT_SAMPLE_BYTES;
    pthread_mutex_lock(&l->lock);
    ++*which;
    snprintf(f->last_device, sizeof f->last_device, "%s", c->device);
    snprintf(f->last_topic, sizeof f->last_topic, "%.*s", STR_ARG(topic));
    buf_init(&b, f->last_bad, sizeof f->last_bad);
    buf_hex(&b, bytes);
    f->last_rule = rule;
    pthread_mutex_unlock(&l->lock);
}

void mqtt_figures(struct mqtt_listener *l, struct mqtt_figures *ret) {
    pthread_mutex_lock(&l->lock);
    *ret = l->figures;
    pthread_mutex_unlock(&l->lock);
}

static bool is_ready(struct ctx *ctx, void *arg, struct buf *ret_why) {
    (void)ctx;
    (void)arg;
    (void)ret_why;
    return true; /* it listens from before the first answer to after the last */
}

static void put_figures(struct ctx *ctx, void *arg, struct buf *ret) {
    struct mqtt_figures f;
    (void)ctx;
    mqtt_figures(arg, &f);
    const struct figure rows[] = {
        {"connections", "gauge", f.connections},
        {"waiting", "gauge", f.waiting},
        {"log_ins_total", "counter", f.log_ins},
        {"refused_total", "counter", f.refused},
        {"taken_over_total", "counter", f.taken_over},
        {"messages_total", "counter", f.messages},
        {"points_total", "counter", f.points},
        {"events_total", "counter", f.events},
        {"bad_total", "counter", f.bad},
        {"forbidden_total", "counter", f.forbidden},
        {"malformed_total", "counter", f.malformed},
        {"replies_total", "counter", f.replies},
    };
    prometheus_figures(ret, "linli_mqtt_", rows, COUNT(rows));
}

void mqtt_put_line(void *listener, struct jw *j) {
    struct mqtt_figures f;
    mqtt_figures(listener, &f);
    jw_ki64(j, "frames", f.messages);
    jw_ki64(j, "bad", f.bad + f.forbidden + f.malformed);
    jw_ki64(j, "connections", f.connections);
    jw_ki64(j, "connections_total", f.log_ins);
    jw_key(j, "bad_samples");
    jw_open(j, '[');
    if (f.last_rule) {
        jw_open(j, '{');
        jw_kcstr(j, "peer", f.last_topic[0] ? f.last_topic : f.last_device);
        jw_ki64(j, "length", (int64_t)strlen(f.last_bad) / 2);
        jw_kcstr(j, "hex", f.last_bad);
        jw_kcstr(j, "rule", f.last_rule);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static const struct api_health health_rows[] = {{"mqtt", is_ready}};
static const struct api_metrics metrics_rows[] = {{"mqtt", put_figures}};

struct api_with mqtt_with(struct mqtt_listener *l) {
    return (struct api_with){.healths = health_rows,
                             .healths_n = COUNT(health_rows),
                             .metrics = metrics_rows,
                             .metrics_n = COUNT(metrics_rows),
                             .arg = l};
}
