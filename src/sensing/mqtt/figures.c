/* Figures of the MQTT listener: for a page, for /readyz and for /metrics.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include "base/prometheus.h"
#include "base/utf8.h"

/* Under its own topics a device speaks of itself; so it does, where it is no gateway, in what has no topic.  Of all
 * else nobody can say whose it is. */
static struct str device_of(const struct mqtt_conn *c, struct str topic) {
    bool own = topic.len ? c->topic_n && str_starts(topic, (struct str){c->topic, c->topic_n}) : !c->gateway;
    return own ? (struct str){c->device, c->device_n} : S("");
}

static struct sample sample_of(struct mqtt_listener *l, const struct mqtt_conn *c, struct str topic, size_t len) {
    struct sample x = {.at_ms = now_ms(l), .offset = NO_OFFSET, .len = len};
    if (c->tcp) utf8_copy(x.peer, sizeof x.peer, tcp_peer(c->tcp));
    bool is_gateways = topic.len && c->gateway; /* its topics do not say whose they are */
    struct buf b;
    buf_init(&b, x.about, sizeof x.about);
    if (is_gateways) buf_fmt(&b, "%s ", c->device);
    utf8_copy(x.about + b.len, sizeof x.about - b.len, topic.len ? topic : str_of(c->device));
    utf8_copy(x.device, sizeof x.device, device_of(c, topic));
    return x;
}

/* A line may be made while its devices are connected. */
struct figures *mqtt_line(struct mqtt_conn *c) {
    struct figures *now = figures_of(c->l->lines, c->community_id);
    if (now == c->line) return now;
    if (c->tcp) {
        FIGURES_ADD(c->line, connections, -1);
        FIGURES_ADD(now, connections, 1);
        FIGURES_ADD(now, connections_total, 1);
    }
    c->line = now;
    return now;
}

static void bad(struct mqtt_listener *l, int64_t *which, struct figures *line, struct sample *x, struct bytes bytes,
                const char *rule) {
    utf8_copy(x->rule, sizeof x->rule, str_of(rule));
    pthread_mutex_lock(&l->lock);
    ++*which;
    pthread_mutex_unlock(&l->lock);
    figures_bad(line, x, bytes, false);
}

void mqtt_sample(struct mqtt_listener *l, struct mqtt_conn *c, int64_t *which, struct str topic, struct bytes bytes,
                 const char *rule, size_t at) {
    struct sample x = sample_of(l, c, topic, bytes.len);
    x.offset = at;
    bad(l, which, mqtt_line(c), &x, bytes, rule);
}

void mqtt_wrong_password(struct mqtt_conn *c, int64_t community_id, struct str user) {
    struct mqtt_listener *l = c->l;
    struct sample x = sample_of(l, c, user, 0);
    bad(l, &l->figures.wrong_passwords, figures_of(l->lines, community_id), &x, (struct bytes){NULL, 0},
        "wrong user or password");
}

void mqtt_heard(struct mqtt_conn *c, struct str topic, struct bytes payload) {
    struct sample x = sample_of(c->l, c, topic, payload.len);
    figures_good(mqtt_line(c), &x, payload);
}

/* What is said within a connection was kept by nobody on its way but the device. */
void mqtt_clock_told(struct mqtt_conn *c, struct str device, int64_t at_ms, int64_t now) {
    int64_t ahead_ms = at_ms - now;
    c->has_told_wrong |= heard_is_off(ahead_ms);
    if (c->has_told_wrong) figures_clock(mqtt_line(c), device, ahead_ms, now);
}

void mqtt_heard_report(struct mqtt_conn *c, struct str topic, struct bytes payload, const struct decoded *d) {
    struct sample x = sample_of(c->l, c, topic, payload.len);
    utf8_copy(x.device, sizeof x.device, figures_device(d, S("")));
    figures_good(mqtt_line(c), &x, payload);
    for (size_t i = 0; i < d->readings_n; i++)
        if (d->readings[i].at_ms) mqtt_clock_told(c, d->readings[i].device, d->readings[i].at_ms, x.at_ms);
}

void mqtt_bad_report(struct mqtt_conn *c, struct str topic, struct bytes payload, const struct decoded *d,
                     const char *rule) {
    struct sample x = sample_of(c->l, c, topic, payload.len);
    utf8_copy(x.device, sizeof x.device, figures_device(d, S("")));
    bad(c->l, &c->l->figures.bad, mqtt_line(c), &x, payload, rule);
}

void mqtt_heard_kept(struct mqtt_batch *b, struct bytes whole, const struct mqtt_packet *p) {
    struct mqtt_listener *l = b->c->l;
    size_t at = b->raw_n - whole.len;
    l->heard[l->heard_n++ % FIGURES_GOOD_MAX] =
        (struct shown){at + (size_t)((const uint8_t *)p->topic.ptr - whole.ptr), p->topic.len,
                       at + (size_t)(p->payload.ptr - whole.ptr), p->payload.len};
}

void mqtt_heard_all(struct mqtt_batch *b) {
    struct mqtt_listener *l = b->c->l;
    size_t i = l->heard_n > FIGURES_GOOD_MAX ? l->heard_n - FIGURES_GOOD_MAX : 0;
    if (i) FIGURES_ADD(mqtt_line(b->c), frames, (int64_t)i);
    for (; i < l->heard_n; i++) {
        const struct shown *h = &l->heard[i % FIGURES_GOOD_MAX];
        mqtt_heard(b->c, (struct str){(const char *)b->raw + h->topic, h->topic_n},
                   (struct bytes){b->raw + h->payload, h->payload_n});
    }
    l->heard_n = 0;
}

struct figures_book *mqtt_line_figures(struct mqtt_listener *l) {
    return l->lines;
}

void mqtt_figures(struct mqtt_listener *l, struct mqtt_figures *ret) {
    pthread_mutex_lock(&l->lock);
    *ret = l->figures;
    pthread_mutex_unlock(&l->lock);
}

static bool is_ready(void *arg, struct buf *ret_why) {
    (void)arg;
    (void)ret_why;
    return true; /* it listens from before the first answer to after the last */
}

static void put_figures(void *arg, struct buf *ret) {
    struct mqtt_figures f;
    mqtt_figures(arg, &f);
    const struct figure rows[] = {
        {"connections", "gauge", f.connections},
        {"waiting", "gauge", f.waiting},
        {"log_ins_total", "counter", f.log_ins},
        {"refused_total", "counter", f.refused},
        {"wrong_passwords_total", "counter", f.wrong_passwords},
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

struct api_with mqtt_with(struct mqtt_listener *l) {
    return (struct api_with){.name = "mqtt", .is_ready = is_ready, .put_figures = put_figures, .arg = l};
}
