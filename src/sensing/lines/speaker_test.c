/* Devices that speak by themselves, over real sockets: messages in parts, passwords.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "sensing/lines/line.h"

#include "protocol/cursor.h"
#include "protocol/gb26875/gb26875.h"
#include "protocol/hj212/hj212.h"
#include "protocol/jt808/jt808.h"
#include "sensing/estate_test_internal.h"

#include <stdlib.h>

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

static int64_t bad_n(struct site *s) {
    pthread_mutex_lock(&s->figures->lock);
    int64_t n = s->figures->bad;
    pthread_mutex_unlock(&s->figures->lock);
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

/* ---- passwords ---- */

#define STATION "440300ESTATE000000000001"
#define OTHER   "440300ESTATE000000000002"

/* The station has one, the other station has none. */
static void want_password(void *arg) {
    struct site *s = arg;
    struct line_plan *p = calloc(1, sizeof *p);
    if (!p) abort();
    arena_init(&p->arena, 4096);
    p->devices = arena_new(&p->arena, struct line_device, 1);
    if (!p->devices) abort();
    p->devices[0] = (struct line_device){.code = S(STATION), .address = S(STATION), .password = S("654321")};
    p->devices_n = 1;
    line_plan(s->line, p);
}

static void upload(struct t *t, int fd, const char *station, int cn, const char *pw) {
    char data[300];
    struct buf b;
    snprintf(data, sizeof data,
             "QN=20261121083000000;ST=39;CN=%d;%sMN=%s;Flag=5;CP=&&DataTime=20261121083000;a34004-Rtd=35.2&&", cn, pw,
             station);
    buf_init_arena(&b, &t->arena, HJ212_FRAME_MAX);
    CHECK(t, hj212_encode(str_of(data), &b));
    peer_send(fd, (struct str){b.ptr, b.len});
}

/* The command of the next answer, or that the connection was closed. */
static const char *answered(struct t *t, int fd) {
    char got[512] = "";
    struct buf b;
    (void)peer_read(fd, got, sizeof got, "\r\n");
    const char *cn = strstr(got, "CN=");
    if (!cn) return "closed";
    buf_init_arena(&b, &t->arena, 16);
    buf_fmt(&b, "%.4s", cn + 3);
    struct str text;
    return buf_done(&b, &text) ? text.ptr : "";
}

static void an_upload_with_another_password_is_not_stored_and_not_answered(struct t *t) {
    static const char *const wrong[] = {"PW=123456;", "", "PW=;"};
    struct site s;
    start_with(&s, t, "hj212");
    test_on_loop(s.e.loop.loop, want_password, &s);
    int fd = peer_dial(s.port);
    for (size_t i = 0; i < COUNT(wrong); i++) upload(t, fd, STATION, HJ212_REALTIME, wrong[i]);
    upload(t, fd, OTHER, HJ212_REALTIME, "PW=anything;");
    CHECK(t, !strcmp(answered(t, fd), "9014")); /* the other's */
    CHECK(t, points_of(&s, S(OTHER), S("pm25")) == 1 && !points_of(&s, S(STATION), S("pm25")));
    CHECK(t, s.figures->bad == COUNT(wrong) && !strcmp(s.figures->bad_samples[0].about, STATION));
    CHECK(t, str_starts(str_of(s.figures->bad_samples[0].rule), S("HJ 212 PW: ")));
    upload(t, fd, STATION, HJ212_REALTIME, "PW=654321;");
    CHECK(t, !strcmp(answered(t, fd), "9014") && points_of(&s, S(STATION), S("pm25")) == 1);
    close(fd);
    stop(&s);
}

static void five_wrong_passwords_in_a_row_close_the_connection(struct t *t) {
    struct site s;
    start_with(&s, t, "hj212");
    test_on_loop(s.e.loop.loop, want_password, &s);
    int fd = peer_dial(s.port), other = peer_dial(s.port);
    for (int i = 0; i < 4; i++) upload(t, fd, STATION, HJ212_REALTIME, "PW=1;");
    upload(t, fd, STATION, HJ212_REALTIME, "PW=654321;"); /* they are not in a row any more */
    CHECK(t, !strcmp(answered(t, fd), "9014"));
    for (int i = 0; i < 4; i++) upload(t, fd, STATION, HJ212_REALTIME, "PW=1;");
    upload(t, other, STATION, HJ212_REALTIME, "PW=1;"); /* nor do others count */
    upload(t, fd, STATION, HJ212_REALTIME, "PW=654321;");
    CHECK(t, !strcmp(answered(t, fd), "9014"));
    for (int i = 0; i < 5; i++) upload(t, fd, STATION, HJ212_REALTIME, "PW=1;");
    upload(t, fd, STATION, HJ212_REALTIME, "PW=654321;"); /* too late */
    CHECK(t, !strcmp(answered(t, fd), "closed"));
    upload(t, other, STATION, HJ212_REALTIME, "PW=654321;");
    CHECK(t, !strcmp(answered(t, other), "9014"));
    CHECK(t, s.figures->bad == 14 && s.figures->frames == 3);
    close(fd);
    close(other);
    stop(&s);
}

static const char *why_not;
static void tell_station(void *arg) {
    struct site *s = arg;
    const struct line_order o = {.command_id = 5, .device = S(STATION), .item = S("clock"), .value = S("now")};
    why_not = NULL;
    if (line_tell(s->line, &o, &why_not)) why_not = "told";
}

static void who_has_no_password_is_told_nothing(struct t *t) {
    struct site s;
    start_with(&s, t, "hj212");
    test_on_loop(s.e.loop.loop, want_password, &s);
    int fd = peer_dial(s.port);
    upload(t, fd, STATION, 9021, ""); /* a heartbeat: taken, but whose is it? */
    upload(t, fd, STATION, HJ212_REALTIME, "PW=1;");
    upload(t, fd, OTHER, HJ212_REALTIME, "");
    CHECK(t, !strcmp(answered(t, fd), "9014"));
    CHECK(t, s.figures->frames == 2 && s.figures->bad == 1);
    test_on_loop(s.e.loop.loop, tell_station, &s);
    CHECK_SAY(t, !strcmp(why_not, "it is not connected"), "%s", why_not);
    upload(t, fd, STATION, HJ212_REALTIME, "PW=654321;");
    CHECK(t, !strcmp(answered(t, fd), "9014"));
    test_on_loop(s.e.loop.loop, tell_station, &s);
    CHECK_SAY(t, !strcmp(why_not, "told"), "%s", why_not);
    close(fd);
    stop(&s);
}

/* ---- another password ---- */

static const char *row_has_now;
static void plan_password(void *arg) {
    struct site *s = arg;
    struct line_plan *p = calloc(1, sizeof *p);
    if (!p) abort();
    arena_init(&p->arena, 4096);
    p->devices = arena_new(&p->arena, struct line_device, 1);
    if (!p->devices) abort();
    p->devices[0] =
        (struct line_device){.id = 7, .code = S(STATION), .address = S(STATION), .password = str_of(row_has_now)};
    p->devices_n = 1;
    line_plan(s->line, p);
}

static void row_gets(struct site *s, const char *password) {
    row_has_now = password;
    test_on_loop(s->e.loop.loop, plan_password, s);
}

/* The next packet that the station is sent; its QN. */
static const char *told(struct t *t, int fd, const char *has, char qn[18]) {
    char *got = arena_alloc(&t->arena, 1024, 1, 1);
    (void)peer_read(fd, got, 1024, "\r\n");
    const char *at = strstr(got, "QN=");
    if (at) memcpy(qn, at + 3, 17);
    qn[17] = 0;
    CHECK_SAY(t, strstr(got, has), "%s: %s", has, got);
    return got;
}

static void ends(struct t *t, int fd, const char *qn, const char *pw, int code) {
    char data[300];
    struct buf b;
    snprintf(data, sizeof data, "QN=%s;ST=91;CN=9012;PW=%s;MN=" STATION ";Flag=4;CP=&&ExeRtn=%d&&", qn, pw, code);
    buf_init_arena(&b, &t->arena, HJ212_FRAME_MAX);
    CHECK(t, hj212_encode(str_of(data), &b));
    peer_send(fd, (struct str){b.ptr, b.len});
}

static void a_station_is_told_the_password_that_its_row_got(struct t *t) {
    struct site s;
    char qn[18];
    start_with(&s, t, "hj212");
    row_gets(&s, "111111");
    int fd = peer_dial(s.port);
    upload(t, fd, STATION, HJ212_REALTIME, "PW=111111;");
    CHECK(t, !strcmp(answered(t, fd), "9014"));
    row_gets(&s, "222222");
    row_gets(&s, "333333"); /* it still has the first */
    upload(t, fd, STATION, HJ212_REALTIME, "PW=222222;");
    upload(t, fd, STATION, HJ212_REALTIME, "PW=111111;");
    told(t, fd, "CN=1072;PW=111111;MN=" STATION ";Flag=5;CP=&&NewPW=333333&&", qn);
    CHECK(t, !strcmp(answered(t, fd), "9014")); /* it is heard until then */
    ends(t, fd, qn, "333333", 1);
    upload(t, fd, STATION, HJ212_REALTIME, "PW=111111;");
    upload(t, fd, STATION, HJ212_REALTIME, "PW=333333;");
    CHECK(t, !strcmp(answered(t, fd), "9014"));
    CHECK(t, s.figures->bad == 2);
    close(fd);
    stop(&s);
}

static void a_station_that_does_not_take_another_password_is_refused(struct t *t) {
    struct site s;
    char qn[18];
    start_with(&s, t, "hj212");
    row_gets(&s, "111111");
    row_gets(&s, "222222");
    int fd = peer_dial(s.port);
    upload(t, fd, STATION, HJ212_REALTIME, "PW=111111;");
    told(t, fd, "NewPW=222222&&", qn);
    CHECK(t, !strcmp(answered(t, fd), "9014"));
    close(fd); /* perhaps it did not hear it */
    fd = peer_dial(s.port);
    upload(t, fd, STATION, HJ212_REALTIME, "PW=111111;");
    told(t, fd, "NewPW=222222&&", qn);
    CHECK(t, !strcmp(answered(t, fd), "9014"));
    ends(t, fd, qn, "111111", 2);
    upload(t, fd, STATION, HJ212_REALTIME, "PW=111111;");
    upload(t, fd, STATION, HJ212_REALTIME, "PW=222222;");
    CHECK(t, !strcmp(answered(t, fd), "9014") && s.figures->bad == 1);
    close(fd);
    stop(&s);
}

static void tell_password(void *arg) {
    struct site *s = arg;
    const struct line_order o = {
        .command_id = 5, .device = S(STATION), .item = S("password"), .value = S("1"), .key = S("654321")};
    if (line_tell(s->line, &o, &why_not)) why_not = "told";
}

static void no_command_tells_a_password(struct t *t) {
    struct site s;
    start_with(&s, t, "hj212");
    test_on_loop(s.e.loop.loop, want_password, &s);
    int fd = peer_dial(s.port);
    upload(t, fd, STATION, HJ212_REALTIME, "PW=654321;");
    CHECK(t, !strcmp(answered(t, fd), "9014"));
    test_on_loop(s.e.loop.loop, tell_password, &s);
    CHECK_SAY(t, strstr(why_not, "set_password"), "%s", why_not);
    close(fd);
    stop(&s);
}

/* ---- several devices on one connection ---- */

static struct str nth(struct t *t, int n) {
    struct buf b;
    struct str s = S("");
    buf_init_arena(&b, &t->arena, 40);
    buf_fmt(&b, "440300ESTATE%012d", n);
    CHECK(t, buf_done(&b, &s));
    return s;
}

static struct str whom;
static void tell_whom(void *arg) {
    struct site *s = arg;
    const struct line_order o = {.command_id = 5, .device = whom, .item = S("clock"), .value = S("now")};
    if (line_tell(s->line, &o, &why_not)) why_not = "told";
}

static bool is_told(struct site *s, struct t *t, int n) {
    whom = nth(t, n);
    test_on_loop(s->e.loop.loop, tell_whom, s);
    return !strcmp(why_not, "told");
}

static void each_device_behind_a_concentrator_can_be_told(struct t *t) {
    struct site s;
    char qn[18];
    start_with(&s, t, "hj212");
    int fd = peer_dial(s.port), other = peer_dial(s.port);
    for (int n = 1; n <= 65; n++) { /* one more than there is room for */
        upload(t, fd, nth(t, n).ptr, HJ212_REALTIME, "");
        CHECK(t, !strcmp(answered(t, fd), "9014"));
        world_sim_advance(&t->sim, 1);
    }
    CHECK(t, !is_told(&s, t, 1) && !strcmp(why_not, "it is not connected"));
    CHECK(t, is_told(&s, t, 2));
    told(t, fd, nth(t, 2).ptr, qn);
    CHECK(t, is_told(&s, t, 65)); /* two wait for their answers */
    told(t, fd, nth(t, 65).ptr, qn);
    CHECK(t, !is_told(&s, t, 2));
    upload(t, other, nth(t, 3).ptr, HJ212_REALTIME, ""); /* it came back over another */
    CHECK(t, !strcmp(answered(t, other), "9014"));
    CHECK(t, is_told(&s, t, 3));
    told(t, other, nth(t, 3).ptr, qn);
    close(fd);
    close(other);
    stop(&s);
}

/* ---- HJ 212: the second packet has the time of the first ---- */

static void a_packet_has_the_time_of_the_first(struct t *t) {
    struct site s;
    struct buf b;
    struct telemetry_series *series = NULL;
    size_t n = 0;
    struct str station = S(STATION);
    start_with(&s, t, "hj212");
    int fd = peer_dial(s.port);
    for (int part = 1; part <= 2; part++) {
        char data[300];
        snprintf(data, sizeof data, "QN=20261121083000000;ST=39;CN=2011;MN=" STATION ";Flag=7;PNUM=2;PNO=%d;CP=&&%s&&",
                 part, part == 1 ? "DataTime=20260920083000;a34004-Rtd=35.2" : "a34002-Rtd=61.5");
        buf_init_arena(&b, &t->arena, HJ212_FRAME_MAX);
        CHECK(t, hj212_encode(str_of(data), &b));
        peer_send(fd, (struct str){b.ptr, b.len});
        CHECK(t, !strcmp(answered(t, fd), "9014"));
    }
    CHECK(t, !telemetry_latest(feed_telemetry(s.e.feed), s.e.id, &station, 1, (struct str){NULL, 0}, &t->arena, &series,
                               &n, &t->fault));
    CHECK(t, n == 2 && series[0].latest.at_ms == INT64_C(1789893000000) &&
                 series[1].latest.at_ms == series[0].latest.at_ms);
    close(fd);
    stop(&s);
}

/* It is answered, since to say it again would not help, and shown. */
static void what_is_not_understood_is_shown(struct t *t) {
    struct site s;
    struct buf b;
    start_with(&s, t, "hj212");
    int fd = peer_dial(s.port);
    buf_init_arena(&b, &t->arena, HJ212_FRAME_MAX);
    CHECK(t, hj212_encode(S("QN=1;ST=39;CN=2011;MN=" STATION ";Flag=5;CP=&&weather=fine&&"), &b));
    peer_send(fd, (struct str){b.ptr, b.len});
    CHECK(t, !strcmp(answered(t, fd), "9014"));
    CHECK(t, s.figures->bad == 1 && str_starts(str_of(s.figures->bad_samples[0].rule), S("HJ 212 CP: ")));
    CHECK(t, !strcmp(s.figures->bad_samples[0].about, STATION));
    close(fd);
    stop(&s);
}

/* ---- whose is what does not decode? ---- */

struct broken {
    const char *codec, *about, *rule;
    void (*put)(struct buf *b);
};

static void put_panel(struct buf *b, uint8_t command, struct str data) {
    gb26875_encode(&(struct gb26875_frame){.version = {1, 1},
                                           .time = {0, 30, 8, 21, 11, 26},
                                           .source = 889,
                                           .command = command,
                                           .data = {(const uint8_t *)data.ptr, data.len}},
                   b);
}
static void put_missing_objects(struct buf *b) {
    put_panel(b, GB26875_SEND, S("\2\3"));
}
static void put_no_command(struct buf *b) {
    put_panel(b, 9, S(""));
}

static void put_bad_field(struct buf *b) {
    (void)hj212_encode(S("QN=1;ST=39;CN=x;MN=" STATION ";Flag=5;CP=&&&&"), b);
}
static void put_late_part(struct buf *b) {
    (void)hj212_encode(S("QN=1;ST=39;CN=2011;MN=" STATION ";PNUM=2;PNO=2;CP=&&LA-Rtd=1&&"), b);
}

static void put_short_location(struct buf *b) {
    (void)jt808_encode(&(struct jt808_frame){.message = JT808_LOCATION, .terminal = TERMINAL, .body_n = 5}, b);
}
static void put_third_of_two(struct buf *b) {
    (void)jt808_encode(
        &(struct jt808_frame){.message = JT808_BATCH, .terminal = TERMINAL, .parts = 2, .part = 3, .body_n = 5}, b);
}

static void put_half_a_place(struct buf *b) {
    buf_cstr(b, "[3G*8800000015*0009*UD,1,2,3]");
}

/* Right sums, and known to whoever looks for the fault. */
static void what_does_not_decode_is_of_whom_it_names(struct t *t) {
    static const struct broken all[] = {{"gb26875", "889", "GB/T 26875.3 8", put_missing_objects},
                                        {"gb26875", "889", "GB/T 26875.3 6.6: no such command", put_no_command},
                                        {"hj212", STATION, "HJ 212 data: CN", put_bad_field},
                                        {"hj212", STATION, "HJ 212 PNO", put_late_part},
                                        {"jt808", TERMINAL, "JT/T 808 0200", put_short_location},
                                        {"jt808", TERMINAL, "JT/T 808 parts", put_third_of_two},
                                        {"watch", "8800000015", "watch ", put_half_a_place}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct site s;
        struct buf b;
        start_with(&s, t, all[i].codec);
        int fd = peer_dial(s.port);
        buf_init_arena(&b, &t->arena, HJ212_FRAME_MAX);
        all[i].put(&b);
        peer_send(fd, (struct str){b.ptr, b.len});
        for (int k = 0; k < PEER_WAIT_MS / 10 && !bad_n(&s); k++) (void)poll(NULL, 0, 10);
        const struct sample *x = &s.figures->bad_samples[0];
        CHECK_SAY(t, !strcmp(x->about, all[i].about), "row %zu: %s", i, x->about);
        CHECK_SAY(t, str_starts(str_of(x->rule), str_of(all[i].rule)), "row %zu: %s", i, x->rule);
        close(fd);
        stop(&s);
    }
}

TESTS(CASE(what_does_not_decode_is_of_whom_it_names),
      CASE(a_batch_in_parts_is_in_the_store_when_its_last_part_is_answered),
      CASE(a_part_that_is_missing_is_asked_for_and_given_up_after_a_minute),
      CASE(an_upload_with_another_password_is_not_stored_and_not_answered),
      CASE(five_wrong_passwords_in_a_row_close_the_connection), CASE(who_has_no_password_is_told_nothing),
      CASE(a_station_is_told_the_password_that_its_row_got),
      CASE(a_station_that_does_not_take_another_password_is_refused), CASE(no_command_tells_a_password),
      CASE(each_device_behind_a_concentrator_can_be_told), CASE(a_packet_has_the_time_of_the_first),
      CASE(what_is_not_understood_is_shown))
