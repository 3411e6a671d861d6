/* Lines that ask, over real sockets: meters behind a gateway we dial, or that dials us; what they answer is stored
 * under their own codes, what they are told comes to an end, who falls silent is told.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/utf8.h"
#include "kernel/rows.h"
#include "protocol/dlt645/dlt645.h"
#include "sensing/estate_test_internal.h"
#include "sensing/lines/line.h"
#include "sensing/lines/lines.h"

#include <math.h>
#include <stdatomic.h>

#define METERS 2 /* "000000000000" and on */

/* A gateway with meters behind it, on a thread of its own. */
struct gateway {
    pthread_t thread;
    atomic_int fd;                               /* of the connection; -1: none */
    atomic_int asked[METERS];                    /* questions that came */
    atomic_bool is_dead[METERS], ends, is_alone; /* alone: the first meter answers who looks for somebody */
    atomic_int switched;                         /* N1 of what a relay was told last */
    _Atomic int64_t kept_s;                      /* when a meter says that it kept its energies, its local time */
};
struct site {
    struct estate e;
    struct figures *figures;
    struct heard *heard;
    struct line *line;
    struct gateway gateway;
    struct line_options o;
    int listener, port; /* the gateway's, where we dial */
    atomic_int told, done, silences, returns, kept;
    char answer[100];
    struct line_order order;
    bool is_out;
    const char *why;
    struct line_plan *plan;
};

/* ---- the gateway ---- */

static void answer(struct gateway *g, struct dlt645_frame *f) {
    static const uint8_t energy[] = {0x34, 0x12, 0, 0}, midnight[] = {0x78, 0x56, 0, 0};
    char mem[DLT645_FRAME_MAX];
    struct buf b;
    size_t n = (size_t)(f->address[11] - '0') % METERS;
    uint32_t di = 0;
    if (strchr(f->address, 'A') && f->control != DLT645_ADDRESS) return;
    atomic_fetch_add(&g->asked[n], 1);
    if (atomic_load(&g->is_dead[n])) return;
    if (f->control == DLT645_SWITCH) {
        bool is_right = f->data[0] == 2 && f->data[1] == 0x56;
        if (is_right) atomic_store(&g->switched, f->data[8]);
        f->control |= is_right ? DLT645_REPLY : DLT645_REPLY | DLT645_REFUSED;
        f->data_n = is_right ? 0 : 1;
        f->data[0] = 4; /* wrong password */
    } else if (f->control == DLT645_ADDRESS) {
        bool is_alone = atomic_load(&g->is_alone);
        memcpy(f->address, is_alone ? "000000000000" : "000000000777", 12);
        f->control |= DLT645_REPLY;
        memcpy(f->data, (const uint8_t[]){is_alone ? 0 : 0x77, is_alone ? 0 : 0x07, 0, 0, 0, 0}, f->data_n = 6);
    } else if (dlt645_item(f, &di) && di == DLT645_STATUS_3) {
        f->control |= DLT645_REPLY;
        f->data[f->data_n++] = atomic_load(&g->switched) == 0x1a ? 0x10 : 0;
        f->data[f->data_n++] = 0;
    } else if (di >> 8 == DLT645_FROZEN >> 8) {
        struct civil c = zone_civil(NULL, atomic_load(&g->kept_s) * 1000);
        const int parts[] = {c.minute, c.hour, c.day, c.month, c.year % 100};
        f->control |= DLT645_REPLY;
        for (size_t i = 0; i < COUNT(parts); i++) f->data[f->data_n++] = (uint8_t)(parts[i] / 10 << 4 | parts[i] % 10);
    } else if (di) {
        const uint8_t *value = di >> 8 == DLT645_MIDNIGHT >> 8 ? midnight : energy;
        f->control |= DLT645_REPLY;
        memcpy(f->data + f->data_n, value, sizeof energy);
        f->data_n += sizeof energy;
    }
    buf_init(&b, mem, sizeof mem);
    if (!dlt645_encode(f, &b)) abort();
    peer_send(atomic_load(&g->fd), (struct str){mem, b.len});
}

static void *serve(void *arg) {
    struct gateway *g = arg;
    uint8_t in[512];
    size_t have = 0;
    while (!atomic_load(&g->ends)) {
        int fd = atomic_load(&g->fd);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (fd < 0 || poll(&p, 1, 10) != 1) {
            if (fd < 0) (void)poll(NULL, 0, 1);
            continue;
        }
        ssize_t n = recv(fd, in + have, sizeof in - have, 0);
        if (n <= 0) {
            close(fd);
            atomic_store(&g->fd, -1);
            have = 0;
            continue;
        }
        have += (size_t)n;
        size_t len = 0;
        for (enum frame what; have && (what = dlt645_codec.frame((struct bytes){in, have}, &len)) != FRAME_SHORT;) {
            struct dlt645_frame f;
            struct wire_error e;
            if (what == FRAME_WHOLE && dlt645_decode((struct bytes){in, len}, &f, &e)) answer(g, &f);
            memmove(in, in + len, have - len);
            have -= len;
        }
    }
    return NULL;
}

/* ---- the line ---- */

static void on_told(void *arg, int64_t command_id, bool is_done, struct str text) {
    struct site *s = arg;
    CHECK(s->e.t, command_id == 77);
    utf8_copy(s->answer, sizeof s->answer, text);
    atomic_store(&s->done, is_done);
    atomic_fetch_add(&s->told, 1);
}

static void on_silent(void *arg, int64_t device_id, bool is_silent) {
    struct site *s = arg;
    if (device_id != 1) return;
    atomic_fetch_add(is_silent ? &s->silences : &s->returns, 1);
}

static void on_kept(void *arg, int64_t device_id, int64_t midnight_ms, enum line_kept what) {
    struct site *s = arg;
    CHECK(s->e.t, device_id == 0 && midnight_ms == s->order.midnight_ms && what == LINE_KEPT);
    atomic_fetch_add(&s->kept, 1);
}

/* In the plan's arena, since the line frees it. */
static struct line_plan *plan_of(size_t n) {
    struct line_plan *p = calloc(1, sizeof *p);
    if (!p) abort();
    arena_init(&p->arena, 65536);
    p->devices = arena_new(&p->arena, struct line_device, n);
    p->points = arena_new(&p->arena, struct line_point, n);
    for (size_t i = 0; i < n; i++) {
        char code[32], address[32];
        struct line_device *d = &p->devices[i];
        snprintf(code, sizeof code, "M-%zu", i);
        snprintf(address, sizeof address, "%012zu", i);
        d->id = (int64_t)i;
        if (!arena_str(&p->arena, str_of(code), &d->code) || !arena_str(&p->arena, str_of(address), &d->address))
            abort();
        p->points[i] = (struct line_point){(uint32_t)i, S("00010000"), 1000};
    }
    p->devices_n = p->points_n = n;
    return p;
}

static void open_line(void *arg) {
    struct site *s = arg;
    if (line_open(s->e.loop.loop, &s->o, &s->line, &s->e.t->fault)) estate_die("line", &s->e.t->fault);
    line_plan(s->line, plan_of(METERS));
}

static enum err the_row(struct ctx *ctx, struct estate *e) {
    return line_row_put(ctx, e->id, S("meters"), "dlt645", 0);
}

static void start(struct site *s, struct t *t) {
    *s = (struct site){.figures = figures_create(), .heard = heard_create(), .listener = -1};
    atomic_store(&s->gateway.fd, -1);
    estate_start(&s->e, t);
    estate_do(&s->e, the_row);
    s->o = (struct line_options){.codec = &dlt645_codec,
                                 .name = "meters",
                                 .community_id = s->e.id,
                                 .world = &t->world,
                                 .feed = s->e.feed,
                                 .figures = s->figures,
                                 .heard = s->heard,
                                 .told = on_told,
                                 .silent = on_silent,
                                 .kept = on_kept,
                                 .arg = s};
    test_loop_start(&s->e.loop);
    if (pthread_create(&s->gateway.thread, NULL, serve, &s->gateway)) abort();
}

static void stop(struct site *s) {
    estate_stop(&s->e, (loop_fn *)line_close, s->line);
    atomic_store(&s->gateway.ends, true);
    pthread_join(s->gateway.thread, NULL);
    if (atomic_load(&s->gateway.fd) >= 0) close(atomic_load(&s->gateway.fd));
    if (s->listener >= 0) close(s->listener);
    figures_destroy(s->figures);
    heard_destroy(s->heard);
}

static void tick(void *arg) {
    struct site *s = arg;
    line_tick(s->line);
}

/* Time goes on until it is so; false: it does not come to that. */
static bool comes_to(struct site *s, bool (*is_so)(struct site *s)) {
    for (int i = 0; i < 6000; i++) {
        if (is_so(s)) return true;
        world_sim_advance(&s->e.t->sim, 50);
        test_on_loop(s->e.loop.loop, tick, s);
        (void)poll(NULL, 0, 2);
    }
    return false;
}

static double latest(struct site *s, const char *code) {
    struct str device = str_of(code);
    struct telemetry_series *series;
    struct fault f = {0};
    size_t n = 0;
    struct arena a;
    arena_init(&a, 1 << 16);
    enum err e = telemetry_latest(feed_telemetry(s->e.feed), s->e.id, &device, 1, S("energy"), &a, &series, &n, &f);
    double v = e || !n || !series[0].has_latest ? NAN : series[0].latest.value;
    arena_finish(&a);
    return v;
}

static bool both_are_read(struct site *s) {
    return latest(s, "M-0") == 12.34 && latest(s, "M-1") == 12.34;
}

static void dial(struct site *s) {
    s->listener = peer_listen(&s->port);
    s->o.reach = LINE_DIAL;
    s->o.host = "127.0.0.1";
    s->o.port = s->port;
    test_on_loop(s->e.loop.loop, open_line, s);
    atomic_store(&s->gateway.fd, accept(s->listener, NULL, NULL));
}

static bool is_not_open(struct site *s) {
    struct str why;
    return !line_is_open(s->line, &why) && why.len;
}

static bool is_asked_again(struct site *s) {
    struct pollfd p = {.fd = s->listener, .events = POLLIN};
    if (atomic_load(&s->gateway.fd) < 0 && poll(&p, 1, 0) == 1)
        atomic_store(&s->gateway.fd, accept(s->listener, NULL, NULL));
    return atomic_load(&s->gateway.asked[0]) > 0 && atomic_load(&s->gateway.asked[1]) > 0;
}

static void meters_behind_a_gateway_are_read_and_again_when_it_is_back(struct t *t) {
    struct site s;
    struct heard_device how;
    start(&s, t);
    dial(&s);
    CHECK(t, comes_to(&s, both_are_read));
    CHECK(t, heard_get(s.heard, S("M-0"), &how) && how.frames >= 1 && !how.silences);
    shutdown(atomic_load(&s.gateway.fd), SHUT_RDWR);
    CHECK(t, comes_to(&s, is_not_open));
    for (int i = 0; i < METERS; i++) atomic_store(&s.gateway.asked[i], 0);
    CHECK(t, comes_to(&s, is_asked_again));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM devices WHERE code LIKE '0000%'") == 0);
    stop(&s);
}

static bool one_is_silent(struct site *s) {
    return atomic_load(&s->silences) == 1;
}
static bool it_is_back(struct site *s) {
    return atomic_load(&s->returns) == 1;
}

static void who_falls_silent_is_told_once_and_so_is_his_return(struct t *t) {
    struct site s;
    struct heard_device how;
    start(&s, t);
    dial(&s);
    CHECK(t, comes_to(&s, both_are_read));
    atomic_store(&s.gateway.is_dead[1], true);
    CHECK(t, comes_to(&s, one_is_silent));
    CHECK(t, heard_get(s.heard, S("M-1"), &how) && how.silences >= 1);
    int before = atomic_load(&s.gateway.asked[0]);
    atomic_store(&s.gateway.is_dead[1], false);
    CHECK(t, comes_to(&s, it_is_back) && atomic_load(&s.silences) == 1);
    CHECK(t, atomic_load(&s.gateway.asked[0]) > before);
    stop(&s);
}

/* The relay of the second meter is to open. */
static struct line_order trip(const struct site *s) {
    const struct world *w = &s->e.t->world;
    return (struct line_order){.command_id = 77,
                               .device_id = 1,
                               .device = S("M-1"),
                               .address = S("000000000001"),
                               .item = S("1C"),
                               .value = S("trip"),
                               .key = S("02123456"),
                               .until_ms = w->utc_ms(w->self) + 600000};
}

static void give(void *arg) {
    struct site *s = arg;
    s->is_out = line_tell(s->line, &s->order, &s->why);
}

static bool is_told(struct site *s) {
    return atomic_load(&s->told) == 1;
}
static bool is_told_twice(struct site *s) {
    return atomic_load(&s->told) == 2;
}

static void a_relay_does_what_it_is_told_with_the_right_password(struct t *t) {
    struct site s;
    start(&s, t);
    s.order = trip(&s);
    s.o.reach = LINE_DIAL; /* nobody is there yet */
    s.o.host = "127.0.0.1";
    s.o.port = 1;
    test_on_loop(s.e.loop.loop, open_line, &s);
    test_on_loop(s.e.loop.loop, give, &s);
    CHECK(t, !s.is_out && strstr(s.why, "not connected"));
    test_on_loop(s.e.loop.loop, (loop_fn *)line_close, s.line);
    dial(&s);
    CHECK(t, comes_to(&s, both_are_read));
    test_on_loop(s.e.loop.loop, give, &s);
    CHECK(t, s.is_out && comes_to(&s, is_told) && atomic_load(&s.done) && atomic_load(&s.gateway.switched) == 0x1a);
    s.order.key = S("02000000");
    s.order.value = S("close");
    test_on_loop(s.e.loop.loop, give, &s);
    CHECK(t, s.is_out && comes_to(&s, is_told_twice) && !atomic_load(&s.done));
    CHECK(t, !strcmp(s.answer, "wrong_password") && atomic_load(&s.gateway.switched) == 0x1a);
    s.order.key = (struct str){NULL, 0};
    test_on_loop(s.e.loop.loop, give, &s);
    CHECK(t, !s.is_out && strstr(s.why, "password"));
    stop(&s);
}

static int64_t points_at(struct site *s, int64_t at_ms) {
    struct str device = S("M-0");
    struct telemetry_series *series;
    struct telemetry_points points = {.n = 0};
    struct fault f = {0};
    size_t n = 0;
    struct arena a;
    arena_init(&a, 1 << 16);
    struct telemetry *store = feed_telemetry(s->e.feed);
    if (!telemetry_latest(store, s->e.id, &device, 1, S("energy"), &a, &series, &n, &f) && n)
        (void)!telemetry_range(store, series[0].number, at_ms, at_ms + 1, 10, &a, &points, &f);
    int64_t found = points.n && points.value[0] == 56.78 ? (int64_t)points.n : 0;
    arena_finish(&a);
    return found;
}

static bool midnight_is_there(struct site *s) {
    return points_at(s, s->order.midnight_ms) == 1;
}

static void what_was_kept_of_a_midnight_is_stored_as_of_then(struct t *t) {
    struct site s;
    start(&s, t);
    dial(&s);
    CHECK(t, comes_to(&s, both_are_read));
    int64_t now_ms = t->world.utc_ms(t->world.self);
    s.order = (struct line_order){.midnight_ms = now_ms - now_ms % 86400000,
                                  .device = S("M-0"),
                                  .address = S("000000000000"),
                                  .item = S("05060101"),
                                  .until_ms = now_ms + 600000};
    test_on_loop(s.e.loop.loop, give, &s);
    CHECK(t, s.is_out && comes_to(&s, midnight_is_there));
    stop(&s);
}

static bool an_end_is_told(struct site *s) {
    return atomic_load(&s->kept) == 1;
}

/* Which day an item is, the meter counts: what it kept is of when it says, or of no midnight. */
static void what_was_kept_of_another_day_is_stored_as_of_that(struct t *t) {
    static const int64_t behind_s[] = {0, 600, -600, -86400, -86400 / 2, 86400 /* it is not there yet */};
    for (size_t i = 0; i < COUNT(behind_s); i++) {
        struct site s;
        start(&s, t);
        dial(&s);
        CHECK(t, comes_to(&s, both_are_read));
        int64_t now_ms = t->world.utc_ms(t->world.self), midnight_ms = now_ms - now_ms % 86400000;
        int64_t kept_ms = midnight_ms + behind_s[i] * 1000;
        bool is_dropped = i >= 4;
        atomic_store(&s.gateway.kept_s, kept_ms / 1000);
        s.order = (struct line_order){.midnight_ms = midnight_ms,
                                      .device = S("M-0"),
                                      .address = S("000000000000"),
                                      .item = S("05060001+05060101"),
                                      .until_ms = now_ms + 600000};
        test_on_loop(s.e.loop.loop, give, &s);
        CHECK(t, s.is_out && comes_to(&s, an_end_is_told));
        CHECK_SAY(t, points_at(&s, kept_ms) == !is_dropped, "%zu: %d", i, (int)points_at(&s, kept_ms));
        CHECK_SAY(t, points_at(&s, midnight_ms) == (i == 0), "%zu", i);
        struct heard_device how = {0};
        CHECK(t, heard_get(s.heard, S("M-0"), &how) && !how.skew_ms); /* that is not its clock */
        stop(&s);
    }
}

static void look_for_some(void *arg) {
    struct site *s = arg;
    s->is_out = line_find(s->line);
}

static bool is_put_aside(struct site *s) {
    return estate_count(&s->e, "SELECT COUNT(*) FROM devices d JOIN lines l ON l.id = d.line_id WHERE d.state = 'new' "
                               "AND d.code = '000000000777' AND l.name = 'meters'") == 1;
}

static bool is_asked_often(struct site *s) {
    return atomic_load(&s->gateway.asked[0]) >= 10;
}

static void nobody_is_planned(void *arg) {
    line_plan(((struct site *)arg)->line, plan_of(0));
}

static void another_is_planned(void *arg) {
    struct line_plan *p = plan_of(METERS);
    p->devices[1].id = 9;
    line_plan(((struct site *)arg)->line, p);
}

static void it_is_closed(void *arg) {
    struct site *s = arg;
    line_close(s->line);
    s->line = NULL;
}

/* Behind one that is proved another waits; its device leaves, and what waited is not told to whoever has the address
 * by then. */
static void who_left_meanwhile_is_told_nothing(struct t *t) {
    static loop_fn *const leaves[] = {nobody_is_planned, another_is_planned, it_is_closed};
    static const char *const why[] = {LINE_NOT_IN_USE, LINE_NOT_IN_USE, LINE_IS_CLOSED};
    for (size_t i = 0; i < COUNT(leaves); i++) {
        struct site s;
        start(&s, t);
        dial(&s);
        CHECK(t, comes_to(&s, both_are_read));
        atomic_store(&s.gateway.is_dead[1], true);
        s.order = trip(&s);
        test_on_loop(s.e.loop.loop, give, &s);
        test_on_loop(s.e.loop.loop, give, &s);
        CHECK(t, s.is_out && !atomic_load(&s.told));
        test_on_loop(s.e.loop.loop, leaves[i], &s);
        CHECK_SAY(t, comes_to(&s, is_told_twice) && !atomic_load(&s.done) && !strcmp(s.answer, why[i]), "%s", s.answer);
        if (i == 1) {
            test_on_loop(s.e.loop.loop, give, &s); /* read before the plan changed */
            CHECK(t, !s.is_out && !strcmp(s.why, LINE_NOT_IN_USE));
        }
        stop(&s);
    }
}

static struct figures_search search_of(struct site *s) {
    pthread_mutex_lock(&s->figures->lock);
    struct figures_search how = s->figures->search;
    pthread_mutex_unlock(&s->figures->lock);
    return how;
}

static bool search_is_over(struct site *s) {
    return search_of(s).ended_ms;
}

/* How far it is and how it ended is told; a line that goes ends it before all was asked. */
static void a_search_is_told(struct t *t) {
    struct site s;
    start(&s, t);
    dial(&s);
    CHECK(t, comes_to(&s, both_are_read));
    CHECK(t, !search_of(&s).began_ms);
    test_on_loop(s.e.loop.loop, look_for_some, &s);
    struct figures_search how = search_of(&s);
    CHECK(t, s.is_out && how.began_ms && how.of == 3 && how.asked < 3);
    CHECK(t, comes_to(&s, search_is_over));
    how = search_of(&s);
    CHECK(t, how.asked == 3 && how.of == 3 && how.found == 1 && !how.mixed && how.ended_ms >= how.began_ms);
    test_on_loop(s.e.loop.loop, look_for_some, &s);
    CHECK(t, !search_is_over(&s));
    test_on_loop(s.e.loop.loop, it_is_closed, &s);
    how = search_of(&s);
    CHECK(t, how.ended_ms && how.asked < how.of);
    stop(&s);
}

static bool is_asked_anew(struct site *s) {
    return atomic_load(&s->gateway.asked[0]);
}

/* Also one whose question waits: that of a meter which does not answer has the line. */
static void a_search_ends_with_its_connection(struct t *t) {
    for (int waits = 0; waits < 2; waits++) {
        struct site s;
        start(&s, t);
        dial(&s);
        CHECK(t, comes_to(&s, both_are_read));
        if (waits) {
            atomic_store(&s.gateway.is_dead[0], true);
            atomic_store(&s.gateway.asked[0], 0);
            CHECK(t, comes_to(&s, is_asked_anew));
        }
        test_on_loop(s.e.loop.loop, look_for_some, &s);
        CHECK(t, search_of(&s).began_ms && !search_is_over(&s));
        (void)shutdown(atomic_load(&s.gateway.fd), SHUT_RDWR);
        CHECK_SAY(t, comes_to(&s, search_is_over) && !search_of(&s).asked, "%d", waits);
        stop(&s);
    }
}

/* What was asked stands beside what came, not what was told, which has a password. */
static void a_sample_has_its_question(struct t *t) {
    struct site s;
    start(&s, t);
    dial(&s);
    CHECK(t, comes_to(&s, both_are_read));
    s.order = trip(&s);
    test_on_loop(s.e.loop.loop, give, &s);
    CHECK(t, comes_to(&s, is_told) && atomic_load(&s.done));
    size_t with = 0, without = 0;
    pthread_mutex_lock(&s.figures->lock);
    CHECK(t, s.figures->asked >= 3 && !s.figures->missed);
    for (size_t i = 0; i < s.figures->good_n && i < FIGURES_GOOD_MAX; i++) {
        const struct sample *x = &s.figures->good_samples[i];
        struct dlt645_frame q, answer;
        struct wire_error e;
        CHECK(t, dlt645_decode((struct bytes){s.figures->good_bytes[i], x->len}, &answer, &e));
        bool is_told = (answer.control & 0x1f) == DLT645_SWITCH;
        CHECK(t, (x->asked_n == 0) == is_told);
        (*(is_told ? &without : &with))++;
        if (!is_told) CHECK(t, dlt645_decode((struct bytes){x->asked, x->asked_n}, &q, &e));
        if (!is_told) CHECK(t, !strcmp(q.address, answer.address) && q.control == (answer.control & 0x1f));
    }
    pthread_mutex_unlock(&s.figures->lock);
    CHECK(t, with >= 3 && without == 1);
    stop(&s);
}

static void who_answers_a_search_is_put_aside(struct t *t) {
    struct site s;
    start(&s, t);
    dial(&s);
    CHECK(t, comes_to(&s, both_are_read));
    test_on_loop(s.e.loop.loop, look_for_some, &s);
    CHECK(t, s.is_out && comes_to(&s, is_put_aside));
    atomic_store(&s.gateway.is_dead[0], true);
    atomic_store(&s.gateway.is_dead[1], true);
    for (int i = 0; i < 600; i++) test_on_loop(s.e.loop.loop, look_for_some, &s); /* one search at a time */
    s.order = trip(&s);
    test_on_loop(s.e.loop.loop, give, &s);
    CHECK_SAY(t, s.is_out, "%s", s.why);
    atomic_store(&s.gateway.is_dead[0], false);
    atomic_store(&s.gateway.is_dead[1], false);
    /* Whom the line knows by another code is no stranger. */
    atomic_store(&s.gateway.is_alone, true);
    atomic_store(&s.gateway.asked[0], 0);
    test_on_loop(s.e.loop.loop, look_for_some, &s);
    CHECK(t, s.is_out && comes_to(&s, is_asked_often));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM devices WHERE code = '000000000000'") == 0);
    stop(&s);
}

/* ---- gateways that connect to us ---- */

static void listens_for_a_gateway(struct site *s, const char *greeting) {
    s->o.reach = LINE_LISTEN;
    s->o.greeting = greeting;
    test_on_loop(s->e.loop.loop, open_line, s);
    s->port = line_port(s->line);
}

static bool is_hung_up(int fd) {
    char mem[64];
    return peer_read(fd, mem, sizeof mem, NULL);
}

static void a_gateway_says_its_registration_first(struct t *t) {
    struct site s;
    start(&s, t);
    listens_for_a_gateway(&s, "DTU-0042");
    int stranger = peer_dial(s.port);
    peer_send(stranger, S("DTU-0043"));
    CHECK(t, is_hung_up(stranger));
    close(stranger);
    int fd = peer_dial(s.port);
    peer_send(fd, S("DTU-"));
    peer_send(fd, S("0042"));
    atomic_store(&s.gateway.fd, fd);
    CHECK(t, comes_to(&s, both_are_read));
    for (int i = 0; i < METERS; i++) atomic_store(&s.gateway.asked[i], 0);
    int again = peer_dial(s.port); /* the modem began anew; the old connection is dead and does not know it */
    peer_send(again, S("DTU-0042"));
    while (atomic_load(&s.gateway.fd) >= 0) (void)poll(NULL, 0, 1); /* hung up on */
    atomic_store(&s.gateway.fd, again);
    CHECK(t, comes_to(&s, is_asked_again));
    stop(&s);
}

/* Without a registration whoever is there stays: another cannot push him out. */
static void the_first_gateway_stays_while_it_speaks(struct t *t) {
    struct site s;
    start(&s, t);
    listens_for_a_gateway(&s, NULL);
    atomic_store(&s.gateway.fd, peer_dial(s.port));
    CHECK(t, comes_to(&s, both_are_read));
    int second = peer_dial(s.port);
    CHECK(t, is_hung_up(second));
    close(second);
    for (int i = 0; i < METERS; i++) atomic_store(&s.gateway.asked[i], 0);
    CHECK(t, comes_to(&s, is_asked_again));
    for (int i = 0; i < METERS; i++) atomic_store(&s.gateway.is_dead[i], true);
    (void)comes_to(&s, one_is_silent);
    world_sim_advance(&t->sim, LINE_STILL_MS + 1); /* still for long: the next one is it */
    int third = peer_dial(s.port);
    while (atomic_load(&s.gateway.fd) >= 0) (void)poll(NULL, 0, 1);
    for (int i = 0; i < METERS; i++) atomic_store(&s.gateway.is_dead[i], false);
    for (int i = 0; i < METERS; i++) atomic_store(&s.gateway.asked[i], 0);
    atomic_store(&s.gateway.fd, third);
    world_sim_advance(&t->sim, 3600000);
    CHECK(t, comes_to(&s, is_asked_again));
    stop(&s);
}

/* Any bytes, again and again: no answer among them. */
static void who_makes_noise_does_not_hold_the_line(struct t *t) {
    struct site s;
    start(&s, t);
    listens_for_a_gateway(&s, NULL);
    int noisy = peer_dial(s.port);
    for (int i = 0; i < 4; i++) {
        peer_send(noisy, S("\x01\x02\x03"));
        int64_t heard = 0;
        for (int k = 0; k < PEER_WAIT_MS && heard < 3 * (i + 1); k++) {
            pthread_mutex_lock(&s.figures->lock);
            heard = s.figures->bytes;
            pthread_mutex_unlock(&s.figures->lock);
            (void)poll(NULL, 0, 1);
        }
        world_sim_advance(&t->sim, LINE_STILL_MS / 3);
    }
    atomic_store(&s.gateway.fd, peer_dial(s.port));
    CHECK(t, is_hung_up(noisy) && comes_to(&s, both_are_read));
    close(noisy);
    stop(&s);
}

TESTS(CASE(who_left_meanwhile_is_told_nothing), CASE(who_makes_noise_does_not_hold_the_line),
      CASE(meters_behind_a_gateway_are_read_and_again_when_it_is_back),
      CASE(who_falls_silent_is_told_once_and_so_is_his_return),
      CASE(a_relay_does_what_it_is_told_with_the_right_password),
      CASE(what_was_kept_of_a_midnight_is_stored_as_of_then), CASE(what_was_kept_of_another_day_is_stored_as_of_that),
      CASE(who_answers_a_search_is_put_aside), CASE(a_search_is_told), CASE(a_search_ends_with_its_connection),
      CASE(a_sample_has_its_question), CASE(a_gateway_says_its_registration_first),
      CASE(the_first_gateway_stays_while_it_speaks))
