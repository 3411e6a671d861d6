/* A demo device against a server that answers late, wrongly or not at all.  SPDX-License-Identifier: Apache-2.0 */
#include "main/demo/play_device.h"
#include "net/tcp.h"
#include "protocol/mqtt/mqtt.h"
#include "tests/lib/test.h"

#include <string.h>

#define ROUNDS_MOST 20000 /* of 1 ms: reaching it is a failure */
#define PUBLISHES   64

struct stage {
    struct t *t;
    struct loop *loop;
    struct loop_timer *timer;
    struct tcp_listener *listener;
    struct tcp_conn *conn; /* of the device that is there now */
    struct play_device *device;
    int rounds, connections, logins_refused, good_logins;
    bool is_mute, answers_wrongly;
    char got[PUBLISHES][PLAY_PAYLOAD_MAX];
    size_t got_n;
    bool (*step)(struct stage *s); /* each round; true: it is over */
    int phase;
};

static void answer(struct stage *s, const struct mqtt_packet *p) {
    char mem[64];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    CHECK(s->t, mqtt_encode(p, &b));
    (void)!tcp_write(s->conn, (struct bytes){(const uint8_t *)b.ptr, b.len});
}

static void hear(struct stage *s, const struct mqtt_packet *p) {
    if (p->type == MQTT_CONNECT) {
        bool ok = str_is(p->user, "d7") && p->password.len == 6 && !memcmp(p->password.ptr, "secret", 6) &&
                  str_is(p->client_id, "H-1") && p->level == MQTT_V5 && !s->logins_refused;
        if (s->logins_refused) s->logins_refused--;
        s->good_logins += ok;
        answer(s,
               &(struct mqtt_packet){.type = MQTT_CONNACK, .level = MQTT_V5, .reason = ok ? MQTT_OK : MQTT_BAD_USER});
    } else if (p->type == MQTT_PUBLISH) {
        CHECK(s->t, p->qos == 1 && str_is(p->topic, "linli/c1/H-1/telemetry"));
        if (s->got_n < PUBLISHES) memcpy(s->got[s->got_n++], p->payload.ptr, p->payload.len);
        if (!s->is_mute)
            answer(s, &(struct mqtt_packet){
                          .type = MQTT_PUBACK, .level = MQTT_V5, .id = (uint16_t)(p->id + s->answers_wrongly)});
        s->answers_wrongly = false;
    }
}

static void on_open(void *arg, struct tcp_conn *conn) {
    struct stage *s = arg;
    s->conn = conn;
    s->connections++;
}

/* Each packet comes whole here: the device writes one at a time over loopback, several may come together. */
static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    struct stage *s = arg;
    struct mqtt_packet p;
    struct mqtt_fault fault;
    size_t len;
    (void)conn;
    while (bytes.len && mqtt_frame(bytes, 4096, &len, &fault) == FRAME_WHOLE) {
        CHECK(s->t, mqtt_decode((struct bytes){bytes.ptr, len}, MQTT_V5, &p, &fault));
        hear(s, &p);
        bytes = (struct bytes){bytes.ptr + len, bytes.len - len};
    }
    CHECK(s->t, !bytes.len);
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct stage *s = arg;
    (void)why;
    if (s->conn == conn) s->conn = NULL;
}

static void a_round(void *arg) {
    struct stage *s = arg;
    play_device_tick(s->device);
    if (!s->step(s) && ++s->rounds < ROUNDS_MOST) return;
    loop_timer_destroy(s->timer);
    play_device_close(s->device);
    tcp_unlisten(s->listener);
    loop_stop(s->loop);
}

static void play(struct t *t, struct stage *s, bool (*step)(struct stage *s)) {
    struct world world = world_real(0);
    const struct tcp_calls calls = {.on_open = on_open, .on_bytes = on_bytes, .on_close = on_close, .arg = s};
    s->t = t;
    s->step = step;
    CHECK(t, !loop_create(&s->loop));
    CHECK(t, !tcp_listen(s->loop, &(struct tcp_options){0}, &calls, &s->listener, &t->fault));
    s->device = play_device_create(&(struct play_device_options){.loop = s->loop,
                                                                 .world = &world,
                                                                 .address = "127.0.0.1",
                                                                 .port = tcp_port(s->listener),
                                                                 .community = S("c1"),
                                                                 .code = S("H-1"),
                                                                 .user = S("d7"),
                                                                 .password = S("secret"),
                                                                 .pause_ms = 1});
    CHECK(t, s->device != NULL);
    CHECK(t, !loop_timer_create(s->loop, a_round, s, &s->timer));
    loop_timer_start(s->timer, 1, 1);
    loop_run(s->loop);
    loop_destroy(s->loop);
    CHECK_SAY(t, s->rounds < ROUNDS_MOST, "phase %d was never over", s->phase);
    play_device_free(s->device);
}

static bool answered(const struct stage *s, int64_t n) {
    return play_device_figures(s->device).acknowledged == n;
}

/* ---- a connection that is lost ---- */

static bool lose(struct stage *s) {
    char text[2] = {'a', 0};
    switch (s->phase) {
    case 0: /* one that is answered, then as many as are kept, unanswered */
        play_device_put(s->device, S("first"));
        s->phase++;
        return false;
    case 1:
        if (!answered(s, 1)) return false;
        s->is_mute = true;
        for (int i = 0; i < PLAY_IN_FLIGHT; i++, text[0]++) {
            CHECK(s->t, play_device_can_put(s->device));
            play_device_put(s->device, str_of(text));
        }
        CHECK(s->t, !play_device_can_put(s->device)); /* the device must wait */
        s->phase++;
        return false;
    case 2:
        if (s->got_n < 1 + PLAY_IN_FLIGHT) return false;
        s->is_mute = false;
        tcp_drop(s->conn);
        s->phase++;
        return false;
    default: return answered(s, 1 + PLAY_IN_FLIGHT);
    }
}

static void what_was_not_acknowledged_is_said_again_in_order(struct t *t) {
    static struct stage s;
    play(t, &s, lose);
    CHECK(t, s.connections == 2 && s.good_logins == 2);
    CHECK(t, s.got_n == 1 + 2 * PLAY_IN_FLIGHT);
    CHECK(t, !strcmp(s.got[0], "first"));
    for (size_t i = 0; i < PLAY_IN_FLIGHT; i++) {
        CHECK(t, s.got[1 + i][0] == (char)('a' + i));
        CHECK(t, s.got[1 + PLAY_IN_FLIGHT + i][0] == (char)('a' + i));
    }
}

/* ---- a log-in that is refused ---- */

static bool knock(struct stage *s) {
    if (!s->phase++) play_device_put(s->device, S("kept"));
    return answered(s, 1);
}

static void a_refused_device_comes_again_and_keeps_what_it_had_to_say(struct t *t) {
    static struct stage s;
    s.logins_refused = 2;
    play(t, &s, knock);
    CHECK(t, s.connections == 3 && s.good_logins == 1 && s.got_n == 1);
    CHECK(t, !strcmp(s.got[0], "kept"));
}

/* ---- an answer to something else ---- */

static void an_answer_out_of_order_is_no_acknowledgement(struct t *t) {
    static struct stage s;
    s.answers_wrongly = true;
    play(t, &s, knock);
    CHECK(t, s.connections == 2 && s.got_n == 2);
}

TESTS(CASE(what_was_not_acknowledged_is_said_again_in_order),
      CASE(a_refused_device_comes_again_and_keeps_what_it_had_to_say),
      CASE(an_answer_out_of_order_is_no_acknowledgement))
