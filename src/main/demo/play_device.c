/* A device of the demo over MQTT.  SPDX-License-Identifier: Apache-2.0 */
#include "main/demo/play_device.h"

#include "net/tcp.h"
#include "protocol/mqtt/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_MAX       512 /* a server has little to say to us */
#define KEEP_ALIVE_S 60

struct message {
    uint16_t id;
    bool is_sent; /* over the connection that is open now */
    size_t len;
    char text[PLAY_PAYLOAD_MAX];
};
enum play_state { PLAY_AWAY, PLAY_CONNECTING, PLAY_LOGGING_IN, PLAY_OPEN };
struct play_device {
    struct loop *loop;
    const struct world *world;
    struct tcp_conn *conn;
    enum play_state state;
    char address[64], topic[160], code[65], user[64], password[64];
    int port;
    int64_t pause_first_ms, pause_ms, until_ms; /* AWAY: when to try; else when to give the connection up */
    uint16_t last_id;
    struct message messages[PLAY_IN_FLIGHT]; /* a ring; the oldest at `first` */
    size_t first, n;
    uint8_t in[IN_MAX];
    size_t in_n;
    struct play_figures figures;
    bool is_closing;
};

/* ---- saying ---- */

static bool say(struct play_device *d, const struct mqtt_packet *p) {
    char mem[PLAY_PAYLOAD_MAX + 512];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    return mqtt_encode(p, &b) && !tcp_write(d->conn, (struct bytes){(const uint8_t *)b.ptr, b.len});
}

static void send_waiting(struct play_device *d) {
    for (size_t i = 0; i < d->n && d->state == PLAY_OPEN; i++) {
        struct message *m = &d->messages[(d->first + i) % PLAY_IN_FLIGHT];
        if (m->is_sent) continue;
        if (!++d->last_id) d->last_id = 1;
        m->id = d->last_id;
        m->is_sent = say(d, &(struct mqtt_packet){.type = MQTT_PUBLISH,
                                                  .level = MQTT_V5,
                                                  .id = m->id,
                                                  .qos = 1,
                                                  .topic = str_of(d->topic),
                                                  .payload = {(const uint8_t *)m->text, m->len}});
        if (!m->is_sent) return; /* the connection closes; the next one sends it */
    }
}

/* ---- hearing ---- */

static void acknowledged(struct play_device *d, const struct mqtt_packet *p) {
    struct message *m = &d->messages[d->first];
    if (!d->n || !m->is_sent || m->id != p->id) { /* 5.0, 4.6: in the order that we published */
        tcp_close(d->conn);
        return;
    }
    if (p->reason >= MQTT_UNSPECIFIED)
        d->figures.refused++;
    else
        d->figures.acknowledged++;
    d->first = (d->first + 1) % PLAY_IN_FLIGHT;
    d->n--;
    d->until_ms = loop_now_ms(d->loop) + PLAY_ANSWER_MS;
}

static void heard(struct play_device *d, struct bytes whole) {
    struct mqtt_packet p;
    struct mqtt_fault fault;
    if (!mqtt_decode(whole, MQTT_V5, &p, &fault)) {
        tcp_close(d->conn);
    } else if (p.type == MQTT_CONNACK && d->state == PLAY_LOGGING_IN && !p.reason) {
        d->state = PLAY_OPEN;
        d->pause_ms = 0;
        d->until_ms = loop_now_ms(d->loop) + PLAY_ANSWER_MS;
        d->figures.is_open = true;
        send_waiting(d);
    } else if (p.type == MQTT_PUBACK && d->state == PLAY_OPEN) {
        acknowledged(d, &p);
    } else if (p.type != MQTT_PINGRESP) { /* refused, or told to go */
        tcp_close(d->conn);
    }
}

static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    struct play_device *d = arg;
    struct mqtt_fault fault;
    size_t len, at = 0;
    if (bytes.len > IN_MAX - d->in_n) {
        tcp_close(conn);
        return;
    }
    memcpy(d->in + d->in_n, bytes.ptr, bytes.len);
    d->in_n += bytes.len;
    while (at < d->in_n) {
        enum frame f = mqtt_frame((struct bytes){d->in + at, d->in_n - at}, IN_MAX, &len, &fault);
        if (f == FRAME_SKIP) tcp_close(conn);
        if (f != FRAME_WHOLE) break;
        heard(d, (struct bytes){d->in + at, len});
        at += len;
    }
    memmove(d->in, d->in + at, d->in_n - at);
    d->in_n -= at;
}

/* ---- coming and going ---- */

static void on_open(void *arg, struct tcp_conn *conn) {
    struct play_device *d = arg;
    (void)conn;
    d->state = PLAY_LOGGING_IN;
    (void)say(d, &(struct mqtt_packet){.type = MQTT_CONNECT, /* a write that fails closes */
                                       .level = MQTT_V5,
                                       .clean_start = true,
                                       .keep_alive_s = KEEP_ALIVE_S,
                                       .client_id = str_of(d->code),
                                       .user = str_of(d->user),
                                       .password = {(const uint8_t *)d->password, strlen(d->password)}});
}

/* The next try comes after a pause that doubles, up to a quarter longer by chance so that not all come at once. */
static void stay_away(struct play_device *d) {
    d->pause_ms = d->pause_ms ? d->pause_ms * 2 : d->pause_first_ms;
    if (d->pause_ms > PLAY_PAUSE_MOST) d->pause_ms = PLAY_PAUSE_MOST;
    d->until_ms = loop_now_ms(d->loop) + d->pause_ms + (int64_t)(world_u64(d->world) % (uint64_t)(d->pause_ms / 4 + 1));
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct play_device *d = arg;
    (void)conn;
    (void)why;
    d->conn = NULL;
    d->state = PLAY_AWAY;
    d->in_n = 0;
    d->figures.is_open = false;
    for (size_t i = 0; i < PLAY_IN_FLIGHT; i++) d->messages[i].is_sent = false;
    if (!d->is_closing) stay_away(d);
}

static void come(struct play_device *d) {
    struct fault ignored = {0};
    const struct tcp_options to = {.bind = d->address, .port = d->port};
    const struct tcp_calls calls = {.on_open = on_open, .on_bytes = on_bytes, .on_close = on_close, .arg = d};
    if (tcp_connect(d->loop, &to, &calls, &d->conn, &ignored)) {
        stay_away(d);
        return;
    }
    d->state = PLAY_CONNECTING;
    d->until_ms = loop_now_ms(d->loop) + PLAY_ANSWER_MS;
}

void play_device_tick(struct play_device *d) {
    bool is_due = loop_now_ms(d->loop) >= d->until_ms;
    if (d->is_closing) return;
    if (d->state == PLAY_AWAY) {
        if (is_due) come(d);
    } else if (d->state == PLAY_OPEN && !d->n) {
        d->until_ms = loop_now_ms(d->loop) + PLAY_ANSWER_MS; /* nobody owes us an answer */
    } else if (is_due) {
        tcp_drop(d->conn);
    }
}

bool play_device_can_put(const struct play_device *d) {
    return d->n < PLAY_IN_FLIGHT && !d->is_closing;
}

void play_device_put(struct play_device *d, struct str payload) {
    struct message *m = &d->messages[(d->first + d->n) % PLAY_IN_FLIGHT];
    if (!play_device_can_put(d) || payload.len > PLAY_PAYLOAD_MAX) return;
    m->is_sent = false;
    m->len = payload.len;
    memcpy(m->text, payload.ptr, payload.len);
    d->n++;
    send_waiting(d);
}

struct play_figures play_device_figures(const struct play_device *d) {
    return d->figures;
}

static bool copy(char *to, size_t cap, struct str s) {
    if (s.len >= cap) return false;
    memcpy(to, s.ptr, s.len);
    to[s.len] = 0;
    return true;
}

struct play_device *play_device_create(const struct play_device_options *o) {
    struct play_device *d = calloc(1, sizeof *d);
    int n = d ? snprintf(d->topic, sizeof d->topic, "linli/" STR_FMT "/" STR_FMT "/telemetry", STR_ARG(o->community),
                         STR_ARG(o->code))
              : -1;
    if (n < 0 || (size_t)n >= sizeof d->topic || !copy(d->address, sizeof d->address, str_of(o->address)) ||
        !copy(d->code, sizeof d->code, o->code) || !copy(d->user, sizeof d->user, o->user) ||
        !copy(d->password, sizeof d->password, o->password)) {
        free(d);
        return NULL;
    }
    d->loop = o->loop;
    d->world = o->world;
    d->port = o->port;
    d->pause_first_ms = o->pause_ms ? o->pause_ms : PLAY_PAUSE_MS;
    return d;
}

void play_device_close(struct play_device *d) {
    if (!d) return;
    d->is_closing = true;
    if (d->state == PLAY_OPEN) (void)say(d, &(struct mqtt_packet){.type = MQTT_DISCONNECT, .level = MQTT_V5});
    if (d->conn) tcp_close(d->conn);
}

void play_device_free(struct play_device *d) {
    free(d);
}
