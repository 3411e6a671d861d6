/* Devices that speak by themselves, over real sockets: who is silent is lost until he speaks again, and a guard who is
 * called is waited for, whatever becomes of connections.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/lines_internal.h"

#include "protocol/gb26875/gb26875.h"
#include "sensing/estate_test_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SILENT_MS INT64_C(90000)
#define OPEN      "SELECT COUNT(*) FROM alarms WHERE state <> 'ended'"
#define OFFLINE   "SELECT COUNT(*) FROM devices WHERE code = '889' AND state = 'offline'"

struct site {
    struct estate e;
    struct figures *figures;
    struct heard *heard;
    struct line *line;
    struct line_plan *plan; /* to be taken next */
    int64_t line_id;
    int port;
    _Atomic bool has_rules;
};

static enum err watch(struct ctx *ctx, struct estate *e, const char *code) {
    struct rule r = {.row.community_id = e->id};
    SET(&rules, &r, name, str_of(code));
    SET(&rules, &r, kind, S("event"));
    SET(&rules, &r, event_code, str_of(code));
    SET(&rules, &r, severity, S("bad"));
    SET(&rules, &r, message, S("nobody is there"));
    SET(&rules, &r, enabled, true);
    return row_create(ctx, &rules, &r);
}

static enum err rows(struct ctx *ctx, struct estate *e) {
    TRY(watch(ctx, e, "guard_absent"));
    TRY(watch(ctx, e, "offline"));
    TRY(line_row_put(ctx, e->id, S("fire"), "gb26875", 0));
    return db_exec(ctx->db, &ctx->fault, "UPDATE devices SET line_id = (SELECT id FROM lines WHERE name = 'fire')",
                   NO_VALS, NULL);
}

static void loaded(void *arg) {
    atomic_store(&((struct site *)arg)->has_rules, true);
}

static void reload(void *arg) {
    struct site *s = arg;
    if (feed_reload(s->e.feed, loaded, s)) abort();
}

static void start(struct site *s, struct t *t) {
    *s = (struct site){.figures = figures_create(), .heard = heard_create()};
    estate_start(&s->e, t);
    estate_do(&s->e, rows);
    s->line_id = estate_count(&s->e, "SELECT id FROM lines");
    struct line_options o = {.codec = codec_find(S("gb26875")),
                             .id = s->line_id,
                             .name = "fire",
                             .community_id = s->e.id,
                             .world = &t->world,
                             .feed = s->e.feed,
                             .figures = s->figures,
                             .heard = s->heard};
    if (line_open(s->e.loop.loop, &o, &s->line, &t->fault)) estate_die("line", &t->fault);
    s->port = line_port(s->line);
    test_loop_start(&s->e.loop);
    test_on_loop(s->e.loop.loop, reload, s);
    for (int i = 0; i < PEER_WAIT_MS && !atomic_load(&s->has_rules); i++) (void)poll(NULL, 0, 1);
}

static void stop(struct site *s) {
    estate_stop(&s->e, (loop_fn *)line_close, s->line);
    figures_destroy(s->figures);
    heard_destroy(s->heard);
}

static enum err read_plan(struct ctx *ctx, struct estate *e) {
    struct site *s = (struct site *)e; /* its first member */
    const struct line_spec spec = {.id = s->line_id, .community_id = e->id, .kind = "gb26875"};
    return line_plan_read(ctx, &spec, &s->plan);
}

static void take_plan(void *arg) {
    struct site *s = arg;
    line_plan(s->line, s->plan);
}

/* As the rows are. */
static void plan(struct site *s) {
    estate_do(&s->e, read_plan);
    test_on_loop(s->e.loop.loop, take_plan, s);
}

static void tick_it(void *arg) {
    line_tick(((struct site *)arg)->line);
}

static void later(struct site *s, int64_t ms) {
    world_sim_advance(&s->e.t->sim, ms);
    test_on_loop(s->e.loop.loop, tick_it, s);
}

/* What device 889 says; a guard's key where data say so. */
static void says(struct t *t, int fd, enum gb26875_command command, uint16_t serial, struct bytes data) {
    struct gb26875_frame f = {.serial = serial, .version = {1, 1}, .source = 889, .command = command, .data = data};
    struct buf b;
    f.time = gb26875_time_of(1790000000);
    buf_init_arena(&b, &t->arena, 200);
    gb26875_encode(&f, &b);
    peer_send(fd, (struct str){b.ptr, b.len});
}

static void hears(struct t *t, int fd, struct gb26875_frame *ret) {
    uint8_t *in = arena_alloc(&t->arena, 2000, 1, 1);
    size_t have = 0, len = 0;
    struct wire_error e = {"", 0};
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (gb26875_codec.frame((struct bytes){in, have}, &len) == FRAME_SHORT && poll(&p, 1, PEER_WAIT_MS) == 1 &&
           recv(fd, in + have, 1, 0) == 1)
        have++;
    CHECK_SAY(t, gb26875_decode((struct bytes){in, have}, ret, &e), "%s", e.rule);
}

static void lives(struct t *t, int fd) {
    struct gb26875_frame f;
    says(t, fd, GB26875_SEND, 7, (struct bytes){NULL, 0});
    hears(t, fd, &f);
    CHECK(t, f.command == GB26875_CONFIRM);
}

/* ---- a guard who is called ---- */

static bool was_told;
static void call_him(void *arg) {
    struct site *s = arg;
    const char *why;
    was_told = line_tell(
        s->line, &(struct line_order){.command_id = 5, .device = S("889"), .item = S("duty"), .value = S("10")}, &why);
}

static void call(struct site *s, int fd) {
    struct gb26875_frame f;
    struct t *t = s->e.t;
    lives(t, fd);
    test_on_loop(s->e.loop.loop, call_him, s);
    CHECK(t, was_told);
    hears(t, fd, &f);
    CHECK(t, f.destination == 889);
    says(t, fd, GB26875_CONFIRM, f.serial, (struct bytes){NULL, 0});
    lives(t, fd); /* the confirmation was heard before */
}

static void press(struct t *t, int fd) {
    static const uint8_t pressed[] = {24, 1, 0x20, 1, 10, 42, 9, 28, 11, 26};
    struct gb26875_frame f;
    says(t, fd, GB26875_SEND, 9, (struct bytes){pressed, sizeof pressed});
    hears(t, fd, &f);
}

static void a_guard_who_does_not_answer_a_call_is_an_alarm_until_he_does(struct t *t) {
    struct site s;
    start(&s, t);
    plan(&s);
    int fd = peer_dial(s.port);
    call(&s, fd);
    for (int i = 0; i < 10; i++) {
        lives(t, fd);
        later(&s, i == 9 ? 59000 : 60000);
    }
    CHECK(t, estate_count(&s.e, OPEN) == 0);
    later(&s, 1000);
    CHECK(t, estate_comes_to(&s.e, OPEN, 1));
    press(t, fd);
    CHECK(t, estate_comes_to(&s.e, OPEN, 0));
    close(fd);
    stop(&s);
}

static void a_guard_is_waited_for_when_his_panel_hangs_up(struct t *t) {
    struct site s;
    start(&s, t);
    plan(&s);
    int fd = peer_dial(s.port);
    call(&s, fd);
    close(fd);
    plan(&s); /* rows changed */
    for (int i = 0; i < 10; i++) {
        fd = peer_dial(s.port);
        lives(t, fd);
        close(fd);
        CHECK(t, estate_count(&s.e, OPEN) == 0);
        later(&s, 60000);
    }
    CHECK(t, estate_comes_to(&s.e, OPEN, 1));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms a JOIN rules r ON r.id = a.rule_id WHERE r.event_code = "
                                "'guard_absent'") == 1);
    fd = peer_dial(s.port);
    press(t, fd);
    CHECK(t, estate_comes_to(&s.e, OPEN, 0));
    call(&s, fd); /* once more, and he answers in time, over another connection */
    close(fd);
    fd = peer_dial(s.port);
    press(t, fd);
    for (int i = 0; i < 11; i++) {
        lives(t, fd);
        later(&s, 60000);
    }
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms") == 1);
    close(fd);
    stop(&s);
}

/* ---- who is silent ---- */

static void a_silent_panel_is_lost_until_it_speaks(struct t *t) {
    struct site s;
    start(&s, t);
    plan(&s);
    later(&s, 10 * SILENT_MS); /* it never spoke: nobody waits for it */
    CHECK(t, estate_count(&s.e, OFFLINE) == 0);
    int fd = peer_dial(s.port);
    lives(t, fd);
    later(&s, SILENT_MS - 1);
    CHECK(t, estate_count(&s.e, OFFLINE) == 0 && estate_count(&s.e, OPEN) == 0);
    plan(&s); /* it is no younger in another plan */
    later(&s, 1);
    CHECK(t, estate_comes_to(&s.e, OFFLINE, 1) && estate_comes_to(&s.e, OPEN, 1));
    later(&s, 10 * SILENT_MS);
    plan(&s);
    lives(t, fd);
    CHECK(t, estate_comes_to(&s.e, OFFLINE, 0) && estate_comes_to(&s.e, OPEN, 0));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms") == 1);
    close(fd);
    later(&s, SILENT_MS / 2);
    fd = peer_dial(s.port); /* a connection alone says nothing */
    later(&s, SILENT_MS / 2);
    CHECK(t, estate_comes_to(&s.e, OFFLINE, 1));
    close(fd);
    stop(&s);
}

static enum err was_heard(struct ctx *ctx, struct estate *e) {
    return device_heard(ctx, e->id, S("889"), ctx->now_ms - 86400000);
}

static enum err was_lost(struct ctx *ctx, struct estate *e) {
    struct device d = {0};
    bool found;
    TRY(device_by_code(ctx, e->id, S("889"), &d, &found));
    return device_step(ctx, d.row.id, "lose");
}

static void who_spoke_before_the_start_is_waited_for_from_then_on(struct t *t) {
    struct site s;
    start(&s, t);
    estate_do(&s.e, was_heard);
    plan(&s);
    later(&s, SILENT_MS - 1);
    CHECK(t, estate_count(&s.e, OFFLINE) == 0);
    later(&s, 1);
    CHECK(t, estate_comes_to(&s.e, OFFLINE, 1) && estate_comes_to(&s.e, OPEN, 1));
    stop(&s);
}

static void who_was_lost_before_the_start_is_heard_again(struct t *t) {
    struct site s;
    start(&s, t);
    estate_do(&s.e, was_heard);
    estate_do(&s.e, was_lost);
    plan(&s);
    later(&s, SILENT_MS);
    CHECK(t, estate_count(&s.e, OFFLINE) == 1);
    int fd = peer_dial(s.port);
    lives(t, fd);
    CHECK(t, estate_comes_to(&s.e, OFFLINE, 0));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms") == 0); /* the loss was not news */
    close(fd);
    stop(&s);
}

/* ---- plans ---- */

static int64_t every_s;
static const char *kind;
static enum err read_one(struct ctx *ctx, struct estate *e) {
    struct site *s = (struct site *)e;
    struct line_spec spec = {.id = s->line_id, .community_id = e->id, .own_every_s = every_s};
    memcpy(spec.kind, kind, strlen(kind) + 1);
    s->plan = NULL;
    return line_plan_read(ctx, &spec, &s->plan);
}

static void how_long_silence_may_last_says_the_standard_or_the_line(struct t *t) {
    static const struct {
        const char *kind;
        int64_t every_s, silent_ms; /* -1: there is no plan */
    } all[] = {{"gb26875", 0, 90000}, {"gb26875", 120, 360000}, {"hj212", 0, 1800000}, {"hj212", 60, 180000},
               {"watch", 0, 660000},  {"jt808", 0, 180000},     {"vz", 60, -1}};
    struct site s;
    start(&s, t);
    for (size_t i = 0; i < COUNT(all); i++) {
        every_s = all[i].every_s;
        kind = all[i].kind;
        estate_do(&s.e, read_one);
        CHECK_SAY(t, (s.plan ? s.plan->silent_ms : -1) == all[i].silent_ms, "%s: %lld", kind,
                  s.plan ? (long long)s.plan->silent_ms : -1);
        if (s.plan) CHECK(t, s.plan->devices_n == 1 && !s.plan->devices[0].was_heard);
        line_plan_free(s.plan);
    }
    stop(&s);
}

TESTS(CASE(a_guard_who_does_not_answer_a_call_is_an_alarm_until_he_does),
      CASE(a_guard_is_waited_for_when_his_panel_hangs_up), CASE(a_silent_panel_is_lost_until_it_speaks),
      CASE(who_spoke_before_the_start_is_waited_for_from_then_on), CASE(who_was_lost_before_the_start_is_heard_again),
      CASE(how_long_silence_may_last_says_the_standard_or_the_line))
