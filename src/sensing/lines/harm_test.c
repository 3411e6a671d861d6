/* What a connection may cost: of one who means harm, of one who says much at once, of one who says nothing any more.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/hj212/hj212.h"
#include "protocol/jt808/jt808.h"
#include "sensing/estate_test_internal.h"
#include "sensing/lines/line_internal.h"

#define UPLOAD "QN=20261121083000000;ST=39;CN=2011;MN=440300ESTATE000000000001;Flag=5;CP=&&DataTime=20261121083000;"
#define ALIVE  "[3G*8800000015*0002*LK]"

struct site {
    struct estate e;
    struct figures *figures;
    struct line *line;
    int port;
    bool is_empty;
};

static void start(struct site *s, struct t *t, const char *codec) {
    *s = (struct site){.figures = figures_create()};
    estate_start(&s->e, t);
    struct line_options o = {.codec = codec_find(str_of(codec)),
                             .name = "line",
                             .community_id = s->e.id,
                             .world = &t->world,
                             .feed = s->e.feed,
                             .figures = s->figures};
    if (line_open(s->e.loop.loop, &o, &s->line, &t->fault)) estate_die("line", &t->fault);
    s->port = line_port(s->line);
    test_loop_start(&s->e.loop);
}

static void stop(struct site *s) {
    estate_stop(&s->e, (loop_fn *)line_close, s->line);
    figures_destroy(s->figures);
}

static void put_upload(struct buf *b, const char *values) {
    char data[HJ212_DATA_MAX];
    int n = snprintf(data, sizeof data, "%s%s&&", UPLOAD, values);
    (void)hj212_encode((struct str){data, (size_t)n}, b);
}

static void send_it(struct t *t, int fd, const struct buf *b) {
    CHECK(t, !b->overflow);
    peer_send(fd, (struct str){b->ptr, b->len});
}

static bool is_answered(int fd, const char *end) {
    char got[512];
    return !peer_read(fd, got, sizeof got, end) && strstr(got, end);
}

/* ---- sums ---- */

/* Each would be summed up to its end, 9,998 bytes for six that came. */
static void who_sends_beginnings_within_beginnings_is_hung_up_on(struct t *t) {
    struct site s;
    struct buf b;
    start(&s, t, "hj212");
    int fd = peer_dial(s.port), other = peer_dial(s.port);
    buf_init_arena(&b, &t->arena, 65536);
    for (int i = 0; i < 3000; i++) buf_cstr(&b, "##9998");
    send_it(t, fd, &b);
    CHECK(t, !is_answered(fd, "\r\n")); /* it is closed */
    CHECK(t, str_starts(str_of(s.figures->bad_samples[(s.figures->bad_n - 1) % FIGURES_BAD_MAX].rule), S(WIRE_LIMIT)));
    b.len = 0;
    put_upload(&b, "a34004-Rtd=35.2");
    send_it(t, other, &b);
    CHECK(t, is_answered(other, "&&&&") && s.figures->frames == 1);
    close(fd);
    close(other);
    stop(&s);
}

static void frames_behind_such_as_were_cut_are_answered_each(struct t *t) {
    struct site s;
    struct buf b;
    start(&s, t, "hj212");
    int fd = peer_dial(s.port);
    for (int i = 0; i < 100; i++) {
        buf_init_arena(&b, &t->arena, 65536);
        put_upload(&b, "a34004-Rtd=35.2");
        b.len -= (size_t)i;
        buf_cstr(&b, "##9999");
        put_upload(&b, "a34004-Rtd=35.2");
        send_it(t, fd, &b);
        CHECK(t, is_answered(fd, "&&&&"));
        CHECK(t, i || is_answered(fd, "&&&&"));
    }
    CHECK_SAY(t, s.figures->frames == 101, "%lld", (long long)s.figures->frames);
    close(fd);
    stop(&s);
}

/* ---- much at once ---- */

/* Answered at once each, since there is nothing to store: not one within the other. */
static void thousands_of_frames_in_one_read_are_answered_each(struct t *t) {
    struct site s;
    struct buf b;
    start(&s, t, "watch");
    int fd = peer_dial(s.port);
    buf_init_arena(&b, &t->arena, 65536);
    for (int i = 0; i < 2800; i++) buf_cstr(&b, ALIVE);
    send_it(t, fd, &b);
    for (int i = 0; i < 2800; i++) CHECK(t, is_answered(fd, "]"));
    CHECK(t, s.figures->frames == 2800);
    close(fd);
    stop(&s);
}

/* Each 7E is dropped by itself. */
static void what_is_no_frame_is_dropped_and_the_frame_behind_it_is_answered(struct t *t) {
    struct site s;
    struct buf b;
    struct jt808_frame f = {.message = JT808_HEARTBEAT, .serial = 7, .terminal = "013800138000"};
    start(&s, t, "jt808");
    int fd = peer_dial(s.port);
    buf_init_arena(&b, &t->arena, 65536);
    for (int i = 0; i < 60000; i++) buf_char(&b, 0x7e);
    CHECK(t, jt808_encode(&f, &b));
    send_it(t, fd, &b);
    CHECK(t, is_answered(fd, "\x80\x01") && s.figures->frames == 1);
    CHECK_SAY(t, s.figures->skipped_bytes == 60000, "%lld", (long long)s.figures->skipped_bytes);
    close(fd);
    stop(&s);
}

/* ---- nothing any more ---- */

static void look_at_memory(void *arg) {
    struct site *s = arg;
    line_tick(s->line);
    s->is_empty = speakers_rest(s->line);
}

static bool rests(struct site *s) {
    test_on_loop(s->e.loop.loop, look_at_memory, s);
    return s->is_empty;
}

static void a_connection_on_which_nothing_is_under_way_keeps_no_memory(struct t *t) {
    struct site s;
    struct buf b;
    start(&s, t, "hj212");
    int fd = peer_dial(s.port);
    for (int times = 1; times <= 8; times *= 8) {
        buf_init_arena(&b, &t->arena, 65536);
        for (int k = 0; k < times; k++) {
            char values[7000] = "";
            for (size_t i = 0, n = 0; i < 400; i++)
                n += (size_t)snprintf(values + n, sizeof values - n, "x%03zu-Rtd=1;", i);
            put_upload(&b, values);
        }
        send_it(t, fd, &b);
        for (int k = 0; k < times; k++) CHECK(t, is_answered(fd, "&&&&"));
        CHECK(t, rests(&s));
    }
    peer_send(fd, S("##9999waits for more"));
    for (int i = 0; i < PEER_WAIT_MS / 10 && rests(&s); i++) (void)poll(NULL, 0, 10);
    CHECK(t, !s.is_empty);
    world_sim_advance(&t->sim, LINE_PARTIAL_MS);
    CHECK(t, rests(&s));
    close(fd);
    stop(&s);
}

TESTS(CASE(who_sends_beginnings_within_beginnings_is_hung_up_on),
      CASE(frames_behind_such_as_were_cut_are_answered_each), CASE(thousands_of_frames_in_one_read_are_answered_each),
      CASE(what_is_no_frame_is_dropped_and_the_frame_behind_it_is_answered),
      CASE(a_connection_on_which_nothing_is_under_way_keeps_no_memory))
