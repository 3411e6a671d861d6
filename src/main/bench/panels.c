/* Fire panels of the field.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/panels.h"

#include "main/bench/bench.h"
#include "protocol/gb26875/gb26875.h"
#include "protocol/mqtt/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLDERS    20 /* connections that panels share, as concentrators would hold them */
#define PACKET_MAX 1024
#define ZONE_S     (8 * 3600) /* a panel's clock is local */

struct client { /* of MQTT */
    struct panels *panels;
    struct wire *wire; /* NULL: this panel is none */
    uint8_t in[PACKET_MAX];
    size_t in_n;
};
struct panels {
    struct wire *holders[HOLDERS];
    struct client *clients; /* one a panel */
    size_t n, clients_n, ready, acked, confirmed_bytes;
};

bool panel_is_mqtt(size_t i) {
    return i % 2 && i / 2 < PANELS_MQTT_MAX;
}

bool panel_reads(size_t i) {
    return panel_is_mqtt(i) && i / 2 % 2;
}

/* ---- GB/T 26875.3 ---- */

static struct bytes frame(size_t panel, uint8_t mem[128]) {
    static const uint8_t object[] = {2, 1, 1, 1, 40, 0x0a, 0, 2, 0, 2, 0}; /* one component: a smoke detector, fire */
    uint8_t data[48] = {0};
    struct gb26875_time t = gb26875_time_of(bench_utc_s() + ZONE_S);
    struct buf b;
    memcpy(data, object, sizeof object);
    memcpy(data + 42, &(uint8_t[]){t.second, t.minute, t.hour, t.day, t.month, t.year}, 6);
    struct gb26875_frame f = {.serial = (uint16_t)panel,
                              .version = {1, 1},
                              .time = t,
                              .source = FILL_PANEL_FIRST + panel,
                              .destination = 1,
                              .command = GB26875_SEND,
                              .data = {data, sizeof data}};
    buf_init(&b, (char *)mem, 128);
    gb26875_encode(&f, &b);
    return (struct bytes){mem, b.len};
}

static void on_confirmation(void *arg, struct bytes bytes) {
    ((struct panels *)arg)->confirmed_bytes += bytes.len; /* a confirmation has no data, so all have one length */
}

/* ---- MQTT ---- */

static bool send_packet(struct wire *w, const struct mqtt_packet *p) {
    char mem[PACKET_MAX];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    return mqtt_encode(p, &b) && wire_send(w, (struct bytes){(const uint8_t *)mem, b.len});
}

static void on_packets(void *arg, struct bytes bytes) {
    struct client *c = arg;
    struct mqtt_fault ignored;
    struct mqtt_packet p;
    size_t len = 0, n = bytes.len < sizeof c->in - c->in_n ? bytes.len : sizeof c->in - c->in_n;
    if (n) memcpy(c->in + c->in_n, bytes.ptr, n);
    c->in_n += n;
    while (mqtt_frame((struct bytes){c->in, c->in_n}, PACKET_MAX, &len, &ignored) == FRAME_WHOLE) {
        bool ok = mqtt_decode((struct bytes){c->in, len}, MQTT_V5, &p, &ignored) && p.reason < MQTT_UNSPECIFIED;
        if (ok && p.type == MQTT_CONNACK) c->panels->ready++;
        if (ok && p.type == MQTT_PUBACK) c->panels->acked++;
        memmove(c->in, c->in + len, c->in_n - len);
        c->in_n -= len;
    }
}

static enum err log_in(struct wires *ws, int port, const struct fill_key *key, struct client *c, struct fault *f) {
    TRY(wire_open(ws, port, on_packets, c, &c->wire, f));
    struct mqtt_packet p = {.type = MQTT_CONNECT,
                            .level = MQTT_V5,
                            .clean_start = true,
                            .client_id = str_of(key->user),
                            .user = str_of(key->user),
                            .password = {(const uint8_t *)key->password, strlen(key->password)}};
    return send_packet(c->wire, &p) ? OK : FAIL(f, ERR_UNAVAILABLE, "server", "the server takes no MQTT client");
}

static void publish(const struct client *c, size_t panel) {
    bool reads = panel_reads(panel);
    const char *text = reads ? "{\"" FILL_SMOKE "\":90}" : "{\"event\":\"fire_alarm\"}";
    char topic[64];
    int n = snprintf(topic, sizeof topic, "linli/" FILL_FIRST_ESTATE "/%zu/%s", FILL_PANEL_FIRST + panel,
                     reads ? "telemetry" : "event");
    struct mqtt_packet p = {.type = MQTT_PUBLISH,
                            .level = MQTT_V5,
                            .qos = 1,
                            .id = 1,
                            .topic = {topic, (size_t)n},
                            .payload = {(const uint8_t *)text, strlen(text)}};
    (void)send_packet(c->wire, &p); /* not sent: never answered, and counted so */
}

/* ---- both ---- */

enum err panels_open(struct wires *ws, const struct child *c, const struct fill_key *keys, size_t n,
                     struct panels **ret, struct fault *f) {
    struct panels *p = calloc(1, sizeof *p);
    enum err e = OK;
    if (p) p->clients = calloc(n, sizeof *p->clients);
    if (!p || !p->clients) e = FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    if (!e) p->n = n;
    for (size_t i = 0; !e && i < HOLDERS; i++) e = wire_open(ws, c->fire_port, on_confirmation, p, &p->holders[i], f);
    for (size_t i = 0; !e && i < n; i++) {
        p->clients[i].panels = p;
        if (!panel_is_mqtt(i)) continue;
        p->clients_n++;
        e = log_in(ws, c->mqtt_port, &keys[i], &p->clients[i], f);
    }
    if (e)
        panels_close(p);
    else
        *ret = p;
    return e;
}

bool panels_are_ready(const struct panels *p) {
    return p->ready == p->clients_n;
}

void panels_fire(struct panels *p, size_t i) {
    uint8_t mem[128];
    if (p->clients[i].wire)
        publish(&p->clients[i], i);
    else
        wire_send(p->holders[i % HOLDERS], frame(i, mem));
}

size_t panels_answered(const struct panels *p) {
    return p->acked + p->confirmed_bytes / GB26875_OVERHEAD;
}

void panels_close(struct panels *p) {
    if (!p) return;
    free(p->clients);
    free(p);
}
