/* A line over real sockets: answered only when durable, whatever the pieces, whatever the rubbish.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/line.h"

#include "protocol/frame_json.h"
#include "protocol/gb26875/gb26875.h"
#include "sensing/estate_test_internal.h"

#include <fcntl.h>

/* A pressure of 0.4 MPa, a fire, a heartbeat; device 889.  Answers repeat the serial number: 2, 1, 0x1234. */
#define READING                                                                                                  \
    "40400200010100 1E0815 0B1A 790300000000 385B01000000 1200 02 0301 0B01 63 05000100 04 0400 001E08150B1A 69" \
    " 2323"
#define FIRE                                                                                  \
    "4040010001 01 203A091A090C 790300000000 385B01000000 3000 02 0201 0101 28 0A000200 0200" \
    "20202020202020202020202020202020202020202020202020202020202000 023A091A090C 46 2323"
#define HEARTBEAT "40403412010100 1E08150B1A 790300000000 385B01000000 0000 02 BA 2323"
#define ANSWER    30 /* bytes */

struct site {
    struct estate e;
    struct figures *figures;
    struct heard *heard;
    struct line *line;
    int port;
};

static enum err the_row(struct ctx *ctx, struct estate *e) {
    return line_row_put(ctx, e->id, S("fire"), "gb26875", 0);
}

static void start_of(struct site *s, struct t *t, const char *codec, const char *senders) {
    *s = (struct site){.figures = figures_create(), .heard = heard_create()};
    estate_start(&s->e, t);
    estate_do(&s->e, the_row);
    struct line_options o = {.codec = codec_find(str_of(codec)),
                             .name = "fire",
                             .community_id = s->e.id,
                             .world = &t->world,
                             .feed = s->e.feed,
                             .senders = senders,
                             .figures = s->figures,
                             .heard = s->heard};
    if (line_open(s->e.loop.loop, &o, &s->line, &t->fault)) estate_die("line", &t->fault);
    s->port = line_port(s->line);
    test_loop_start(&s->e.loop);
}

static void start_with(struct site *s, struct t *t, const char *codec) {
    start_of(s, t, codec, NULL);
}

static void start(struct site *s, struct t *t) {
    start_with(s, t, "gb26875");
}

static void stop(struct site *s) {
    estate_stop(&s->e, (loop_fn *)line_close, s->line);
    figures_destroy(s->figures);
    heard_destroy(s->heard);
}

static struct str wire(struct t *t, const char *hex) {
    struct bytes b = {NULL, 0};
    CHECK_SAY(t, frame_unhex(&t->arena, str_of(hex), &b), "no hex: %s", hex);
    return (struct str){(const char *)b.ptr, b.len};
}

/* The serial numbers of the next `n` answers, each followed by c (confirmed) or d (denied); what came until the end. */
static const char *answers(struct t *t, int fd, size_t n) {
    struct buf b;
    buf_init_arena(&b, &t->arena, 1000);
    for (size_t i = 0; i < n; i++) {
        uint8_t got[ANSWER];
        for (size_t have = 0; have < sizeof got;) {
            struct pollfd p = {.fd = fd, .events = POLLIN};
            ssize_t len = poll(&p, 1, PEER_WAIT_MS) == 1 ? recv(fd, got + have, sizeof got - have, 0) : 0;
            if (len <= 0) return b.len ? b.ptr : "";
            have += (size_t)len;
        }
        buf_fmt(&b, "%s%x%c", i ? " " : "", got[2] | got[3] << 8, got[26] == 3 ? 'c' : got[26] == 6 ? 'd' : '?');
    }
    return b.len ? b.ptr : "";
}

static bool has_answer(int fd) {
    uint8_t byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static int64_t figure(struct site *s, const int64_t *at) {
    pthread_mutex_lock(&s->figures->lock);
    int64_t v = *at;
    pthread_mutex_unlock(&s->figures->lock);
    return v;
}

static void comes_to(struct site *s, const int64_t *at, int64_t n) {
    for (int i = 0; i < PEER_WAIT_MS && figure(s, at) != n; i++) (void)poll(NULL, 0, 1);
    CHECK_SAY(s->e.t, figure(s, at) == n, "%lld, not %lld", (long long)figure(s, at), (long long)n);
}

/* ---- who may connect ---- */

static void who_is_none_of_its_senders_is_hung_up_on_and_counted(struct t *t) {
    static const struct {
        const char *senders;
        bool may;
    } all[] = {{"192.0.2.0/24", false}, {"192.0.2.0/24 127.0.0.0/8", true}, {"", true}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct site s;
        start_of(&s, t, "gb26875", all[i].senders);
        int fd = peer_dial(s.port);
        if (all[i].may) {
            peer_send(fd, wire(t, READING));
            CHECK_SAY(t, !strcmp(answers(t, fd, 1), "2c"), "row %zu", i);
        } else {
            CHECK_SAY(t, !strcmp(answers(t, fd, 1), ""), "row %zu", i);
            comes_to(&s, &s.figures->bad, 1);
            comes_to(&s, &s.figures->connections, 0);
            CHECK(t, !strcmp(s.figures->bad_samples[0].rule, LINE_NOT_A_SENDER) &&
                         !strcmp(s.figures->bad_samples[0].peer, "127.0.0.1") && !s.figures->frames);
        }
        close(fd);
        stop(&s);
    }
}

/* ---- durable before it is answered ---- */

static void what_is_answered_is_in_the_store(struct t *t) {
    struct site s;
    start(&s, t);
    int fd = peer_dial(s.port);
    peer_send(fd, wire(t, READING));
    CHECK(t, !strcmp(answers(t, fd, 1), "2c"));
    struct telemetry_series *series = NULL;
    size_t n = 0;
    struct str device = S("889");
    CHECK(t, !telemetry_latest(feed_telemetry(s.e.feed), s.e.id, &device, 1, (struct str){NULL, 0}, &t->arena, &series,
                               &n, &t->fault) &&
                 n == 1);
    peer_send(fd, wire(t, FIRE));
    CHECK(t, !strcmp(answers(t, fd, 1), "1c"));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms") == 1);
    peer_send(fd, wire(t, FIRE)); /* said again: confirmed again, no second alarm */
    CHECK(t, !strcmp(answers(t, fd, 1), "1c"));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms") == 1);
    close(fd);
    stop(&s);
}

/* A station's line is text; its answer is of another length each time. */
static void a_station_is_answered_when_its_data_are_in_the_store(struct t *t) {
    static const char data[] = "##0252QN=20261121083000000;ST=39;CN=2011;PW=123456;MN=440300ESTATE000000000001;Flag=5;"
                               "CP=&&DataTime=20261121083000;a34004-Rtd=35.2,a34004-Flag=N;a34002-Rtd=61.0,a34002-Flag="
                               "N;a01001-Rtd=21.5,a01001-Flag=N;a01002-Rtd=55.1,a01002-Flag=N;LA-Rtd=52.3,LA-Flag=N&&"
                               "1B00\r\n";
    static const char want[] = "##0087QN=20261121083000000;ST=91;CN=9014;PW=123456;MN=440300ESTATE000000000001;Flag=4;"
                               "CP=&&&&D341\r\n";
    char got[512];
    struct site s;
    struct telemetry_series *series = NULL;
    size_t n = 0;
    struct str device = S("440300ESTATE000000000001");
    start_with(&s, t, "hj212");
    int fd = peer_dial(s.port);
    peer_send(fd, S("keep alive\r\n##0252QN=2026112108")); /* text between packets; one that is cut off */
    peer_send(fd, str_of(data));
    got[0] = 0;
    (void)peer_read(fd, got, sizeof got, "\r\n");
    CHECK_SAY(t, !strcmp(got, want), "%s", got);
    CHECK(t, !telemetry_latest(feed_telemetry(s.e.feed), s.e.id, &device, 1, (struct str){NULL, 0}, &t->arena, &series,
                               &n, &t->fault) &&
                 n == 5);
    CHECK(t, n == 5 && str_is(series[0].metric, "pm25") && series[0].latest.value == 35.2 &&
                 str_is(series[4].unit, "dB(A)"));
    peer_send(fd, str_of(data)); /* said again: answered again, and one reading */
    got[0] = 0;
    (void)peer_read(fd, got, sizeof got, "\r\n");
    CHECK_SAY(t, !strcmp(got, want), "%s", got);
    close(fd);
    stop(&s);
}

static void readings_that_cannot_be_stored_are_not_answered(struct t *t) {
    struct site s;
    start(&s, t);
    int fd = peer_dial(s.port);
    io_sim_fail_syncs(s.e.sim, INT64_MAX);     /* the log has room already: that it cannot be kept shows at its sync */
    peer_send(fd, wire(t, READING HEARTBEAT)); /* what stores nothing is answered all the same */
    CHECK_SAY(t, !strcmp(answers(t, fd, 1), "1234c"), "the reading was answered");
    CHECK(t, figure(&s, &s.figures->unanswered) == 1);
    io_sim_fail_syncs(s.e.sim, 0);
    for (int tries = 0; tries < 50; tries++) { /* the device says it again until it is taken */
        peer_send(fd, wire(t, READING HEARTBEAT));
        if (!strcmp(answers(t, fd, 1), "2c")) break;
    }
    comes_to(&s, &s.figures->connections, 1);
    close(fd);
    stop(&s);
}

/* While somebody else writes to the store, no alarm can become a row. */
struct waiting {
    struct site *s;
    int fd, other;
};
static enum err while_the_store_is_held(struct ctx *ctx, void *arg) {
    struct waiting *w = arg;
    struct t *t = w->s->e.t;
    (void)ctx;
    peer_send(w->fd, wire(t, FIRE));
    comes_to(w->s, &w->s->figures->frames, 1);
    peer_send(w->other, wire(t, READING HEARTBEAT)); /* another connection goes on meanwhile */
    CHECK(t, !strcmp(answers(t, w->other, 2), "2c 1234c"));
    CHECK(t, !has_answer(w->fd));
    return OK;
}
static struct waiting waiting;
static enum err hold_the_store(struct ctx *ctx, struct estate *e) {
    (void)e;
    return ctx_write(ctx, while_the_store_is_held, &waiting);
}

static void a_fire_is_not_answered_before_its_alarm_is_a_row(struct t *t) {
    struct site s;
    start(&s, t);
    waiting = (struct waiting){&s, peer_dial(s.port), peer_dial(s.port)};
    estate_do(&s.e, hold_the_store);
    CHECK(t, !strcmp(answers(t, waiting.fd, 1), "1c"));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms") == 1);
    close(waiting.fd), close(waiting.other);
    stop(&s);
}

/* ---- pieces and rubbish ---- */

static void bytes_come_as_they_like(struct t *t) {
    struct site s;
    start(&s, t);
    int fd = peer_dial(s.port);
    struct str one = wire(t, READING);
    for (size_t i = 0; i < one.len; i++) peer_send(fd, (struct str){one.ptr + i, 1});
    CHECK(t, !strcmp(answers(t, fd, 1), "2c"));
    peer_send(fd, wire(t, HEARTBEAT READING FIRE HEARTBEAT)); /* in one piece: each answered, in order */
    CHECK(t, !strcmp(answers(t, fd, 4), "1234c 2c 1c 1234c"));
    CHECK(t, figure(&s, &s.figures->frames) == 5 && figure(&s, &s.figures->bad) == 0);
    close(fd);
    stop(&s);
}

static void ten_thousand_bytes_of_rubbish_do_no_harm(struct t *t) {
    struct site s;
    char rubbish[10000];
    start(&s, t);
    int fd = peer_dial(s.port);
    for (size_t i = 0; i < sizeof rubbish; i++) rubbish[i] = (char)(i * 37 % 251 == 0x40 ? 0 : i * 37 % 251);
    peer_send(fd, (struct str){rubbish, sizeof rubbish});
    peer_send(fd, wire(t, HEARTBEAT));
    CHECK(t, !strcmp(answers(t, fd, 1), "1234c"));
    CHECK(t, figure(&s, &s.figures->skipped_bytes) == (int64_t)sizeof rubbish);
    CHECK(t, figure(&s, &s.figures->bad) >= 1 && figure(&s, &s.figures->bad) <= 3);
    close(fd);
    stop(&s);
}

static void a_wrong_sum_is_denied_and_kept_as_a_sample(struct t *t) {
    struct site s;
    start(&s, t);
    int fd = peer_dial(s.port);
    char bad[200];
    struct str good = wire(t, FIRE);
    memcpy(bad, good.ptr, good.len);
    bad[good.len - 3] ^= 1;
    peer_send(fd, (struct str){bad, good.len});
    peer_send(fd, wire(t, HEARTBEAT));
    CHECK(t, !strcmp(answers(t, fd, 2), "1d 1234c"));
    const struct sample *kept = &s.figures->bad_samples[0];
    CHECK(t, s.figures->bad_n == 1 && kept->len == good.len && kept->offset == good.len - 3);
    CHECK(t, str_starts(str_of(kept->rule), S("GB/T 26875.3 6.6: the sum")) && !strcmp(kept->peer, "127.0.0.1"));
    CHECK(t, !memcmp(s.figures->bad_bytes[0], bad, good.len));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms") == 0);
    for (int i = 0; i < 40; i++) peer_send(fd, (struct str){bad, good.len}); /* more than are kept */
    (void)answers(t, fd, 40);
    comes_to(&s, &s.figures->bad, 41);
    close(fd);
    stop(&s);
}

static void a_fire_behind_lost_bytes_is_heard_at_once(struct t *t) {
    struct site s;
    start(&s, t);
    int fd = peer_dial(s.port);
    struct str reading = wire(t, READING);
    peer_send(fd, (struct str){reading.ptr, 33}); /* the rest was lost */
    peer_send(fd, wire(t, FIRE));
    CHECK(t, !strcmp(answers(t, fd, 1), "1c"));
    CHECK(t, figure(&s, &s.figures->skipped_bytes) == 33 && figure(&s, &s.figures->bad) == 1);
    CHECK(t, str_starts(str_of(s.figures->bad_samples[0].rule), S("GB/T 26875.3 6.6: the length")));
    close(fd);
    stop(&s);
}

static void tick(void *arg) {
    line_tick(arg);
}

static void a_frame_not_gone_on_with_is_given_up(struct t *t) {
    struct site s;
    start(&s, t);
    int fd = peer_dial(s.port);
    struct str reading = wire(t, READING);
    peer_send(fd, (struct str){reading.ptr, 33});
    comes_to(&s, &s.figures->bytes, 33);
    world_sim_advance(&t->sim, LINE_PARTIAL_MS - 1);
    test_on_loop(s.e.loop.loop, tick, s.line);
    CHECK(t, figure(&s, &s.figures->bad) == 0);
    world_sim_advance(&t->sim, 1);
    test_on_loop(s.e.loop.loop, tick, s.line);
    CHECK(t, figure(&s, &s.figures->bad) == 1 && figure(&s, &s.figures->skipped_bytes) == 33);
    peer_send(fd, wire(t, HEARTBEAT));
    CHECK(t, !strcmp(answers(t, fd, 1), "1234c"));
    close(fd);
    stop(&s);
}

static void two_connections_do_not_disturb_each_other(struct t *t) {
    struct site s;
    start(&s, t);
    int a = peer_dial(s.port), b = peer_dial(s.port);
    struct str fire = wire(t, FIRE);
    peer_send(a, (struct str){fire.ptr, 40});
    comes_to(&s, &s.figures->bytes, 40);
    peer_send(b, wire(t, READING));
    CHECK(t, !strcmp(answers(t, b, 1), "2c"));
    close(b);
    comes_to(&s, &s.figures->connections, 1);
    peer_send(a, str_from(fire, 40));
    CHECK(t, !strcmp(answers(t, a, 1), "1c"));
    CHECK(t, figure(&s, &s.figures->bad) == 0 && figure(&s, &s.figures->connections_total) == 2);
    close(a);
    stop(&s);
}

static void a_panel_that_nobody_knows_is_put_aside_with_its_line(struct t *t) {
    struct site s;
    start(&s, t);
    int fd = peer_dial(s.port);
    char other[60];
    struct str beat = wire(t, HEARTBEAT);
    memcpy(other, beat.ptr, beat.len);
    other[12]++; /* device 890, and its sum */
    other[beat.len - 3]++;
    peer_send(fd, (struct str){other, beat.len});
    CHECK(t, !strcmp(answers(t, fd, 1), "1234c"));
    CHECK(t, estate_comes_to(&s.e,
                             "SELECT COUNT(*) FROM devices d JOIN lines l ON l.id = d.line_id WHERE d.code = '890' AND "
                             "d.state = 'new' AND l.name = 'fire'",
                             1));
    close(fd);
    stop(&s);
}

static enum err hang_it_elsewhere(struct ctx *ctx, struct estate *e) {
    TRY(line_row_put(ctx, e->id, S("other"), "gb26875", 0));
    return db_exec(ctx->db, &ctx->fault,
                   "UPDATE devices SET line_id = (SELECT id FROM lines WHERE name = 'other') WHERE code = '889'",
                   NO_VALS, NULL);
}

static void heard_of_it(void *arg) {
    (void)arg;
}

static void reload(void *arg) {
    struct site *s = arg;
    if (feed_reload(s->e.feed, heard_of_it, NULL)) abort();
}

static void fill(struct site *s, struct str device) {
    struct t *t = s->e.t;
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, TELEMETRY_METRICS_MAX);
    for (size_t i = 0; i < TELEMETRY_METRICS_MAX; i++) {
        char metric[24];
        snprintf(metric, sizeof metric, "metric-%zu", i);
        p[i] = (struct telemetry_point){.device = device, .at_ms = t->world.utc_ms(t->world.self)};
        CHECK(t, arena_str(&t->arena, str_of(metric), &p[i].metric));
    }
    const struct telemetry_batch all = {.community_id = s->e.id, .points = p, .n = TELEMETRY_METRICS_MAX};
    CHECK(t, !telemetry_put_wait(feed_telemetry(s->e.feed), &all, NULL, &t->fault));
}

/* Else it would say them again and again. */
static void readings_without_room_are_answered_and_shown(struct t *t) {
    struct site s;
    start(&s, t);
    fill(&s, S("889"));
    int fd = peer_dial(s.port);
    peer_send(fd, wire(t, READING));
    CHECK(t, !strcmp(answers(t, fd, 1), "2c"));
    comes_to(&s, &s.figures->bad, 1);
    pthread_mutex_lock(&s.figures->lock);
    const struct sample *x = &s.figures->bad_samples[0];
    CHECK(t, !strcmp(x->device, "889") && strstr(x->rule, "too many metrics of one device") && !s.figures->unanswered);
    pthread_mutex_unlock(&s.figures->lock);
    close(fd);
    stop(&s);
}

static enum err give_it_a_key(struct ctx *ctx, struct estate *e) {
    struct str user, password;
    int64_t id;
    bool found;
    (void)e;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM devices WHERE code = '889'", NO_VALS, &id, &found));
    return device_key_make(ctx, id, &user, &password);
}

static void nobody_speaks_once(struct t *t, enum err (*it_is)(struct ctx *ctx, struct estate *e)) {
    struct site s;
    start(&s, t);
    int fd = peer_dial(s.port);
    peer_send(fd, wire(t, FIRE));
    CHECK(t, !strcmp(answers(t, fd, 1), "1c")); /* it hangs on no line yet */
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM alarms", 1));
    estate_do(&s.e, it_is);
    test_on_loop(s.e.loop.loop, reload, &s);
    const char *answered = "1c";
    for (int i = 0; i < 500 && !strcmp(answered, "1c"); i++) {
        peer_send(fd, wire(t, FIRE));
        answered = answers(t, fd, 1);
    }
    CHECK_SAY(t, !strcmp(answered, "1d"), "%s", answered);
    pthread_mutex_lock(&s.figures->lock);
    const struct sample *x = &s.figures->bad_samples[(s.figures->bad_n - 1) % FIGURES_BAD_MAX];
    CHECK(t, !strcmp(x->about, "889") && strstr(x->rule, "another line"));
    pthread_mutex_unlock(&s.figures->lock);
    close(fd);
    stop(&s);
}

/* A device that was adopted on another line is not spoken for on this one. */
static void nobody_speaks_for_a_device_of_another_line(struct t *t) {
    nobody_speaks_once(t, hang_it_elsewhere);
}

/* Else a line without any log-in raises alarms in its name. */
static void nobody_speaks_for_a_device_that_logs_in_to_mqtt(struct t *t) {
    nobody_speaks_once(t, give_it_a_key);
}

TESTS(CASE(who_is_none_of_its_senders_is_hung_up_on_and_counted), CASE(nobody_speaks_for_a_device_of_another_line),
      CASE(nobody_speaks_for_a_device_that_logs_in_to_mqtt), CASE(readings_without_room_are_answered_and_shown),
      CASE(a_station_is_answered_when_its_data_are_in_the_store), CASE(what_is_answered_is_in_the_store),
      CASE(readings_that_cannot_be_stored_are_not_answered), CASE(a_fire_is_not_answered_before_its_alarm_is_a_row),
      CASE(bytes_come_as_they_like), CASE(ten_thousand_bytes_of_rubbish_do_no_harm),
      CASE(a_wrong_sum_is_denied_and_kept_as_a_sample), CASE(a_fire_behind_lost_bytes_is_heard_at_once),
      CASE(a_frame_not_gone_on_with_is_given_up), CASE(two_connections_do_not_disturb_each_other),
      CASE(a_panel_that_nobody_knows_is_put_aside_with_its_line))
