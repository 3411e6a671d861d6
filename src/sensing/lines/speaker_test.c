/* Devices that speak by themselves, over real sockets: messages in parts.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/line.h"

#include "protocol/cursor.h"
#include "protocol/jt808/jt808.h"
#include "sensing/estate_test_internal.h"

#define TERMINAL "013800138000"

struct site {
    struct estate e;
    struct figures *figures;
    struct heard *heard;
    struct line *line;
    int port;
};

static void start_with(struct site *s, struct t *t, const char *codec) {
    *s = (struct site){.figures = figures_create(), .heard = heard_create()};
    estate_start(&s->e, t);
    struct line_options o = {.codec = codec_find(str_of(codec)),
                             .name = "line",
                             .community_id = s->e.id,
                             .world = &t->world,
                             .feed = s->e.feed,
                             .figures = s->figures,
                             .heard = s->heard};
    if (line_open(s->e.loop.loop, &o, &s->line, &t->fault)) estate_die("line", &t->fault);
    s->port = line_port(s->line);
    test_loop_start(&s->e.loop);
}

static void stop(struct site *s) {
    estate_stop(&s->e, (loop_fn *)line_close, s->line);
    figures_destroy(s->figures);
    heard_destroy(s->heard);
}

static void tick_it(void *arg) {
    line_tick(((struct site *)arg)->line);
}

static size_t points_of(struct site *s, struct str device, struct str metric) {
    struct t *t = s->e.t;
    struct telemetry_series *series = NULL;
    size_t n = 0;
    CHECK(t,
          !telemetry_latest(feed_telemetry(s->e.feed), s->e.id, &device, 1, metric, &t->arena, &series, &n, &t->fault));
    return n;
}

/* ---- messages in parts ---- */

/* Part `part` of two of a batch of n locations, of the year given in BCD. */
static void say_part(struct t *t, int fd, uint16_t serial, uint16_t part, uint16_t n, uint8_t year) {
    struct jt808_frame f = {.message = JT808_BATCH, .serial = serial, .parts = 2, .part = part, .terminal = TERMINAL};
    char mem[2 * JT808_BODY_MAX];
    struct buf body, b;
    buf_init(&body, mem, sizeof mem);
    cursor_put_be(&body, n, 2);
    cursor_put_be(&body, 0, 1);
    for (uint16_t i = 0; i < n; i++) {
        struct jt808_location l = {
            .status = 2, .latitude = 30000000, .longitude = 114000000, .time = {year, 0x11, 0x21, 8, 0x30, (uint8_t)i}};
        cursor_put_be(&body, JT808_LOCATION_BYTES, 2);
        jt808_put_location(&l, &body);
    }
    size_t half = body.len / 2;
    f.body_n = part == 1 ? half : body.len - half;
    memcpy(f.body, mem + (part == 1 ? 0 : half), f.body_n);
    buf_init_arena(&b, &t->arena, JT808_FRAME_MAX + 1);
    CHECK(t, jt808_encode(&f, &b) && !b.overflow);
    peer_send(fd, (struct str){b.ptr, b.len});
}

/* The next frame of the centre: "8001: 0007070400". */
static const char *said(struct t *t, int fd) {
    uint8_t in[JT808_FRAME_MAX];
    size_t have = 0, len = 0;
    struct jt808_frame f;
    struct wire_error e;
    struct buf b;
    struct str text;
    while (jt808_codec.frame((struct bytes){in, have}, &len) == FRAME_SHORT) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, PEER_WAIT_MS) != 1 || recv(fd, in + have, 1, 0) != 1) return "nothing";
        have++;
    }
    if (!jt808_decode((struct bytes){in, len}, &f, &e)) return e.rule;
    buf_init_arena(&b, &t->arena, 2 * JT808_BODY_MAX);
    buf_fmt(&b, "%04x: ", f.message);
    buf_hex(&b, (struct bytes){f.body, f.body_n});
    return buf_done(&b, &text) ? text.ptr : "";
}

static void a_batch_in_parts_is_in_the_store_when_its_last_part_is_answered(struct t *t) {
    struct site s;
    start_with(&s, t, "jt808");
    int fd = peer_dial(s.port);
    say_part(t, fd, 8, 2, 40, 0x26);
    CHECK(t, !strcmp(said(t, fd), "8001: 0008070400") && !points_of(&s, S(TERMINAL), S("latitude")));
    say_part(t, fd, 7, 1, 40, 0x26);
    CHECK(t, !strcmp(said(t, fd), "8001: 0007070400") && points_of(&s, S(TERMINAL), S("latitude")) == 1);
    say_part(t, fd, 7, 1, 40, 0x26); /* said again */
    CHECK(t, !strcmp(said(t, fd), "8001: 0007070400"));
    CHECK(t, s.figures->frames == 3 && !s.figures->bad);
    say_part(t, fd, 20, 1, 40, 0x01); /* its clock was never set */
    say_part(t, fd, 21, 2, 40, 0x01);
    CHECK(t, !strcmp(said(t, fd), "8001: 0014070400") && !strcmp(said(t, fd), "8001: 0015070400"));
    close(fd);
    stop(&s);
}

static void a_part_that_is_missing_is_asked_for_and_given_up_after_a_minute(struct t *t) {
    struct site s;
    start_with(&s, t, "jt808");
    int fd = peer_dial(s.port);
    say_part(t, fd, 7, 1, 40, 0x26);
    CHECK(t, !strcmp(said(t, fd), "8001: 0007070400"));
    world_sim_advance(&t->sim, JT808_AGAIN_MS);
    test_on_loop(s.e.loop.loop, tick_it, &s);
    const char *asked = said(t, fd);
    CHECK_SAY(t, !strcmp(asked, "8003: 0007010002"), "%s", asked);
    CHECK(t, !s.figures->bad);
    world_sim_advance(&t->sim, JT808_PARTS_MS - JT808_AGAIN_MS);
    test_on_loop(s.e.loop.loop, tick_it, &s);
    CHECK(t, s.figures->bad == 1 && !strcmp(s.figures->bad_samples[0].about, TERMINAL));
    CHECK(t, !strcmp(s.figures->bad_samples[0].rule, "JT/T 808 parts: not all came within 60 s"));
    say_part(t, fd, 8, 2, 40, 0x26);
    CHECK(t, !strcmp(said(t, fd), "8001: 0008070400") && !points_of(&s, S(TERMINAL), S("latitude")));
    close(fd);
    stop(&s);
}

TESTS(CASE(a_batch_in_parts_is_in_the_store_when_its_last_part_is_answered),
      CASE(a_part_that_is_missing_is_asked_for_and_given_up_after_a_minute))
