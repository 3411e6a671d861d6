/* linli bench mqtt: sensors that publish readings with QoS 1 as fast as they are acknowledged; to us, or to a broker on
 * this machine that hands them to a subscriber who throws them away.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/mqtt/mqtt.h"
#include "main/bench/fill.h"
#include "main/bench/pace.h"
#include "main/bench/target.h"
#include "main/bench/wires.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS   50
#define WINDOW        100 /* publishes of one connection that wait for their PUBACK; --batch says another */
#define WINDOW_MAX    1000
#define PACKET_MAX    256
#define VALUES        5
#define PAYLOAD_BYTES 100
#define STEP_MS       100 /* between readings of one sensor, by their own clocks, so that no two are one point */
#define BACK_MS       INT64_C(5184000000)
#define PATIENCE_US   INT64_C(10000000)
#define PUBACK_BYTES  4 /* of 3.1.1 (3.4) */
#define LATENCIES_MAX INT64_C(100000000)

struct mqtt_bench;
struct sensor {
    struct mqtt_bench *bench;
    struct wire *wire;
    uint8_t in[PUBACK_BYTES];
    size_t in_n;
    bool is_ready, is_subscriber, is_gone;
    char topic[64];
    char packet[PACKET_MAX]; /* the next publish, but for its identifier, time and values */
    size_t packet_n, id_at, payload_at;
    int64_t at_ms;
    uint32_t random;
    uint16_t next, due; /* slots, identifiers less one: of the next publish, of the next answer */
    int64_t *sent_us;   /* by slot */
};
struct mqtt_bench {
    const struct bench_options *o;
    struct wires wires;
    struct child child;
    struct fill_key *keys;
    struct sensor *sensors; /* and one more, the subscriber of a broker */
    size_t n, window, ready;
    int64_t *times, sent, acked, acked_in_time, disorder, refused;
    char *out;
    bool is_peer, is_over;
    struct latencies latencies;
    char token[96], password[33];
};

/* ---- what is said ---- */

static bool send_packet(struct wire *w, const struct mqtt_packet *p) {
    char mem[PACKET_MAX];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    return mqtt_encode(p, &b) && wire_send(w, (struct bytes){(const uint8_t *)mem, b.len});
}

/* Digits of fixed width, so that a packet is made once and its figures written over. */
static void put_digits(char *at, int n, uint64_t v) {
    for (; n > 0; n--, v /= 10) at[n - 1] = (char)('0' + v % 10);
}

static const char payload_text[] = "{\"ts\":0000000000000,\"temperature\":20.0,\"humidity\":40.0,\"light\":100.0,"
                                   "\"co2\":400.0,\"pressure\":1010.00}";
_Static_assert(sizeof payload_text - 1 == PAYLOAD_BYTES, "100 bytes of JSON");

static void put_values(struct sensor *s) {
    char *p = s->packet + s->payload_at;
    uint32_t r = s->random = s->random * UINT32_C(1664525) + UINT32_C(1013904223);
    put_digits(p + 6, 13, (uint64_t)(s->at_ms += STEP_MS));
    put_digits(p + 35, 1, r >> 8 & 7);
    put_digits(p + 37, 1, (r >> 11) % 10);
    put_digits(p + 51, 1, r >> 14 & 7);
    put_digits(p + 53, 1, (r >> 17) % 10);
    put_digits(p + 64, 2, r >> 20 & 63);
    put_digits(p + 67, 1, (r >> 26) % 10);
    put_digits(p + 76, 2, r >> 10 & 63);
    put_digits(p + 79, 1, (r >> 16) % 10);
    put_digits(p + 95, 1, r >> 22 & 7);
    put_digits(p + 97, 2, (r >> 25) % 100);
}

static enum err make_packet(struct sensor *s, struct fault *f) {
    struct buf b;
    struct mqtt_packet p = {.type = MQTT_PUBLISH,
                            .level = MQTT_V311,
                            .qos = 1,
                            .id = 1,
                            .topic = str_of(s->topic),
                            .payload = {(const uint8_t *)payload_text, PAYLOAD_BYTES}};
    buf_init(&b, s->packet, sizeof s->packet);
    if (!mqtt_encode(&p, &b)) return FAIL(f, ERR_INTERNAL, "bench", "the packet is too long");
    s->packet_n = b.len;
    s->payload_at = b.len - PAYLOAD_BYTES;
    s->id_at = s->payload_at - 2;
    return OK;
}

/* The next `n` publishes in one piece, as a gateway would hand on what came meanwhile. */
static void publish(struct sensor *s, size_t n, int64_t now_us) {
    struct mqtt_bench *b = s->bench;
    char *at = b->out;
    for (size_t i = 0; i < n; i++, at += s->packet_n) {
        put_values(s);
        s->packet[s->id_at] = (char)(uint8_t)((s->next + 1u) >> 8);
        s->packet[s->id_at + 1] = (char)(uint8_t)(s->next + 1u);
        memcpy(at, s->packet, s->packet_n);
        s->sent_us[s->next] = now_us;
        s->next = (uint16_t)((s->next + 1u) % b->window);
    }
    b->sent += (int64_t)n;
    (void)wire_send(s->wire, (struct bytes){(const uint8_t *)b->out, (size_t)(at - b->out)}); /* lost: never answered */
}

/* ---- what is heard ---- */

static bool take_puback(struct sensor *s, const uint8_t *p, int64_t now_us) {
    struct mqtt_bench *b = s->bench;
    size_t slot = (size_t)(p[2] << 8 | p[3]) - 1;
    if (p[0] != MQTT_PUBACK << 4 || p[1] != 2 || slot >= b->window) return false;
    latencies_add(&b->latencies, now_us - s->sent_us[slot]);
    b->disorder += slot != s->due;
    s->due = (uint16_t)((slot + 1) % b->window);
    b->acked++;
    b->acked_in_time += !b->is_over;
    return true;
}

/* Packets of four bytes: CONNACK once, then PUBACK.  The subscriber's are thrown away. */
static void on_bytes(void *arg, struct bytes bytes) {
    struct sensor *s = arg;
    struct mqtt_bench *b = s->bench;
    int64_t now_us = bench_now_us();
    size_t answered = 0;
    if (!bytes.len) s->is_gone = true;
    if (s->is_subscriber && s->is_ready) return;
    while (bytes.len) {
        size_t n = PUBACK_BYTES - s->in_n < bytes.len ? PUBACK_BYTES - s->in_n : bytes.len;
        memcpy(s->in + s->in_n, bytes.ptr, n);
        s->in_n += n;
        bytes = (struct bytes){bytes.ptr + n, bytes.len - n};
        if (s->in_n < PUBACK_BYTES) break;
        s->in_n = 0;
        if (s->is_ready) {
            bool ok = take_puback(s, s->in, now_us);
            b->refused += !ok;
            answered += ok;
        } else {
            s->is_ready = true;
            b->ready++;
            b->refused += s->in[0] != MQTT_CONNACK << 4 || s->in[3];
            if (s->is_subscriber) return;
        }
    }
    if (answered && !b->is_over) publish(s, answered, now_us);
}

/* ---- the run ---- */

static enum err open_sensor(struct mqtt_bench *b, size_t i, struct fault *f) {
    struct sensor *s = &b->sensors[i];
    const struct fill_key *key = b->is_peer ? NULL : &b->keys[i];
    *s = (struct sensor){.bench = b,
                         .is_subscriber = i == b->n,
                         .random = (uint32_t)i,
                         .sent_us = b->times + i * b->window,
                         .at_ms = bench_utc_s() * 1000 - BACK_MS};
    snprintf(s->topic, sizeof s->topic, "linli/" FILL_FIRST_ESTATE "/" FILL_SENSOR "%zu/telemetry", i + 1);
    TRY(make_packet(s, f));
    TRY(wire_open(&b->wires, b->child.mqtt_port, on_bytes, s, &s->wire, f));
    char id[32];
    snprintf(id, sizeof id, "bench-%zu", i);
    struct mqtt_packet p = {
        .type = MQTT_CONNECT, .level = MQTT_V311, .clean_start = true, .keep_alive_s = 600, .client_id = str_of(id)};
    if (key) p.user = str_of(key->user);
    if (key) p.password = (struct bytes){(const uint8_t *)key->password, strlen(key->password)};
    return send_packet(s->wire, &p) ? OK : FAIL(f, ERR_UNAVAILABLE, "server", "the server takes no MQTT client");
}

static enum err subscribe(struct sensor *s, struct fault *f) {
    static const uint8_t all[] = {0, 1, '#', 0}; /* QoS 0 */
    struct mqtt_packet p = {.type = MQTT_SUBSCRIBE, .level = MQTT_V311, .id = 1, .list = {all, sizeof all}};
    return send_packet(s->wire, &p) ? OK : FAIL(f, ERR_UNAVAILABLE, "server", "the broker takes no subscriber");
}

static enum err open_all(struct mqtt_bench *b, struct fault *f) {
    size_t all = b->n + b->is_peer;
    for (size_t i = 0; i < all; i++) TRY(open_sensor(b, i, f));
    for (int64_t until = bench_now_us() + PATIENCE_US; b->ready < all || b->refused;) {
        if (bench_is_stopped || bench_now_us() > until || b->refused)
            return FAIL(f, ERR_UNAVAILABLE, "server", "the server does not let all MQTT clients in");
        wires_wait(&b->wires, until);
    }
    return b->is_peer ? subscribe(&b->sensors[b->n], f) : OK;
}

static bool is_any_gone(const struct mqtt_bench *b) {
    for (size_t i = 0; i < b->n + b->is_peer; i++)
        if (b->sensors[i].is_gone) return true;
    return false;
}

static enum err play(struct mqtt_bench *b, struct fault *f) {
    int64_t begin = bench_now_us(), end = begin + b->o->seconds * 1000000;
    for (size_t i = 0; i < b->n; i++) publish(&b->sensors[i], b->window, begin);
    while (!bench_is_stopped && bench_now_us() < end) wires_wait(&b->wires, end);
    b->is_over = true;
    while (!bench_is_stopped && b->acked < b->sent && bench_now_us() < end + PATIENCE_US)
        wires_wait(&b->wires, end + PATIENCE_US);
    if (bench_is_stopped) return FAIL(f, ERR_UNAVAILABLE, "stopped", "stopped");
    return is_any_gone(b) ? FAIL(f, ERR_UNAVAILABLE, "server", "the server closed a connection") : OK;
}

/* Publishes that were acknowledged and are not in the store. */
static enum err put_lost(struct mqtt_bench *b, struct figures *ret, struct fault *f) {
    static const char *const names[] = {"linli_telemetry_points_total"};
    struct target to = {.port = b->child.port};
    double points, acked = (double)b->acked;
    memcpy(to.token, b->token, sizeof to.token);
    TRY(target_metric(&to, names, COUNT(names), &points, f));
    figure_put(ret, "lost", acked > points / VALUES ? acked - points / VALUES : 0, 0, "count");
    return OK;
}

static enum err measure(struct mqtt_bench *b, struct figures *ret, struct fault *f) {
    TRY(open_all(b, f));
    double cpu = child_cpu_s(&b->child);
    TRY(play(b, f));
    cpu = child_cpu_s(&b->child) - cpu;
    figure_put(ret, "pubacks_per_s", (double)b->acked_in_time / (double)b->o->seconds, 0, "/s");
    figure_put(ret, "server_cpu_us", cpu * 1e6 / (double)b->acked, 2, "us");
    figure_put(ret, "p50_ms", (double)latencies_percentile(&b->latencies, 50) / 1000, 2, "ms");
    figure_put(ret, "p99_ms", (double)latencies_percentile(&b->latencies, 99) / 1000, 2, "ms");
    figure_put(ret, "publishes", (double)b->sent, 0, "count");
    figure_put(ret, "unanswered", (double)(b->sent - b->acked), 0, "count");
    figure_put(ret, "out_of_order", (double)(b->disorder + b->refused), 0, "count");
    return b->is_peer ? OK : put_lost(b, ret, f);
}

/* ---- whom it is said to ---- */

static enum err ours(struct mqtt_bench *b, const char *dir, struct fault *f) {
    struct fill_plan plan = {
        .estates = 1, .cases = 1, .sensors = (int64_t)b->n, .keys = b->keys, .password = b->password};
    bench_password(b->password);
    TRY(fill_site(dir, b->o->db, &plan, f));
    TRY(child_start(dir, b->o, 0, &b->child, f));
    return child_log_in(&b->child, "admin", b->password, b->token, f);
}

static enum err theirs(struct mqtt_bench *b, struct fault *f) {
    int64_t port;
    if (!str_to_i64(str_of(b->o->to), &port) || port < 1 || port > 65535)
        return FAIL(f, ERR_INVALID, "to", "--to is the port of a broker, such as 1884");
    b->child = (struct child){.pid = (pid_t)b->o->pid, .out = -1, .mqtt_port = (int)port};
    return OK;
}

static enum err run_in(struct mqtt_bench *b, const char *dir, struct figures *ret, struct fault *f) {
    enum err e = b->is_peer ? theirs(b, f) : ours(b, dir, f);
    if (!e) e = measure(b, ret, f);
    wires_close(&b->wires);
    if (!b->is_peer) child_stop(&b->child);
    return e;
}

static enum err make(struct mqtt_bench *b, struct fault *f) {
    int64_t most = b->o->seconds * 1000000;
    b->sensors = calloc(b->n + 1, sizeof *b->sensors);
    b->times = calloc((b->n + 1) * b->window, sizeof *b->times);
    b->keys = calloc(b->n, sizeof *b->keys);
    b->out = malloc(b->window * PACKET_MAX);
    bool ok = b->sensors && b->times && b->keys && b->out;
    if (ok) ok = latencies_init(&b->latencies, (size_t)(most < LATENCIES_MAX ? most : LATENCIES_MAX));
    return ok ? OK : FAIL(f, ERR_INTERNAL, "memory", "out of memory");
}

static enum err run(const struct bench_options *options, struct figures *ret, struct fault *f) {
    struct bench_options o = *options;
    char dir[512];
    if (!o.connections) o.connections = CONNECTIONS;
    if (!o.seconds) o.seconds = 10;
    if (!o.batch) o.batch = WINDOW;
    if (o.batch > WINDOW_MAX) return FAIL(f, ERR_INVALID, "batch", "--batch is at most %d", WINDOW_MAX);
    struct mqtt_bench *b = calloc(1, sizeof *b);
    if (!b) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    *b = (struct mqtt_bench){
        .o = &o, .n = (size_t)o.connections, .window = (size_t)o.batch, .is_peer = o.to != NULL, .child.out = -1};
    enum err e = make(b, f);
    if (!e) e = bench_dir_make(&o, dir, f);
    if (!e) {
        e = run_in(b, dir, ret, f);
        bench_dir_remove(dir);
    }
    latencies_free(&b->latencies);
    free(b->sensors);
    free(b->times);
    free(b->keys);
    free(b->out);
    free(b);
    return e;
}

const struct bench bench_mqtt = {"mqtt", "publishes with QoS 1, durable before each PUBACK", run};
