/* Lines of BACnet, over real sockets: controllers and their lift are found, read, told and heard, under their own
 * codes; what they want acknowledged is, once it is stored.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/building.h"
#include "sensing/estate_test_internal.h"
#include "sensing/lines/line.h"

#include <math.h>
#include <stdatomic.h>

#define CONTROLLERS 2
#define FIRST       1234

/* A building on a thread of its own. */
struct street {
    pthread_t thread;
    pthread_mutex_t lock; /* over the building */
    struct building building;
    struct building_device devices[CONTROLLERS];
    int fd, port;
    atomic_bool is_dead, ends;
    atomic_int acks; /* of what it wanted confirmed */
};
struct site {
    struct estate e;
    struct figures *figures;
    struct heard *heard;
    struct line *line;
    struct line_options o;
    struct street street;
    atomic_int told, done, silences, returns;
    char answer[100];
    struct line_order order;
    bool is_out;
    const char *why;
    struct line_plan *plan; /* the next */
};

/* ---- the building ---- */

static void send_out(void *arg, const struct udp_peer *to, struct bytes datagram) {
    struct street *b = arg;
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)to->port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)!sendto(b->fd, datagram.ptr, datagram.len, 0, (struct sockaddr *)&addr, sizeof addr);
}

static void hear(struct street *b, const struct sockaddr_in *from, struct bytes datagram) {
    struct udp_peer peer = {.host = "127.0.0.1", .port = ntohs(from->sin_port)};
    struct bacnet_frame f;
    struct wire_error ignored;
    if (bacnet_decode(datagram, &f, &ignored) && f.kind == BACNET_SIMPLE_ACK) atomic_fetch_add(&b->acks, 1);
    pthread_mutex_lock(&b->lock);
    (void)building_hear(&b->building, 1000, &peer, datagram);
    pthread_mutex_unlock(&b->lock);
}

static void *serve(void *arg) {
    struct street *b = arg;
    uint8_t mem[2048];
    while (!atomic_load(&b->ends)) {
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        struct pollfd p = {.fd = b->fd, .events = POLLIN};
        if (poll(&p, 1, 10) != 1) continue;
        ssize_t n = recvfrom(b->fd, mem, sizeof mem, 0, (struct sockaddr *)&from, &len);
        if (n > 0 && !atomic_load(&b->is_dead)) hear(b, &from, (struct bytes){mem, (size_t)n});
    }
    return NULL;
}

static int open_udp(int *ret_port) {
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) || getsockname(fd, (struct sockaddr *)&addr, &len)) abort();
    *ret_port = ntohs(addr.sin_port);
    return fd;
}

static void begin_street(struct street *b) {
    pthread_mutex_init(&b->lock, NULL);
    b->building = (struct building){
        .first = FIRST, .n = CONTROLLERS, .random = 5, .devices = b->devices, .send = send_out, .arg = b};
    building_init(&b->building);
    b->fd = open_udp(&b->port);
    if (pthread_create(&b->thread, NULL, serve, b)) abort();
}

static void end_street(struct street *b) {
    atomic_store(&b->ends, true);
    pthread_join(b->thread, NULL);
    close(b->fd);
    pthread_mutex_destroy(&b->lock);
}

/* ---- the line ---- */

static void on_told(void *arg, int64_t command_id, bool is_done, struct str text) {
    struct site *s = arg;
    CHECK(s->e.t, command_id == 77);
    snprintf(s->answer, sizeof s->answer, STR_FMT, STR_ARG(text));
    atomic_store(&s->done, is_done);
    atomic_fetch_add(&s->told, 1);
}

static void on_silent(void *arg, int64_t device_id, bool is_silent) {
    struct site *s = arg;
    if (device_id == 1) atomic_fetch_add(is_silent ? &s->silences : &s->returns, 1);
}

static const struct planned {
    const char *code, *address, *items;
    int64_t every_ms;
} usual[] = {{"AHU-1", "1234", "ai_1 ai_2 ai_9", 1000}, {"LIFT-1", "1234.lift_1", "car_mode car_position", 1000}};

static struct line_plan *plan_of(const struct planned *all, size_t n) {
    struct line_plan *p = calloc(1, sizeof *p);
    if (!p) abort();
    arena_init(&p->arena, 65536);
    p->devices = arena_new(&p->arena, struct line_device, n);
    p->points = arena_new(&p->arena, struct line_point, n);
    p->values = arena_new(&p->arena, struct line_value, 2);
    for (size_t i = 0; i < n; i++) {
        p->devices[i] =
            (struct line_device){.id = (int64_t)i + 1, .code = str_of(all[i].code), .address = str_of(all[i].address)};
        p->points[i] = (struct line_point){(uint32_t)i, str_of(all[i].items), all[i].every_ms};
    }
    p->values[0] = (struct line_value){0, S("0:1:85"), S("supply_temperature"), S("Cel")};
    p->devices_n = p->points_n = n;
    p->values_n = 1;
    return p;
}

static void give_plan(void *arg) {
    struct site *s = arg;
    line_plan(s->line, s->plan);
}

static void plan(struct site *s, const struct planned *all, size_t n) {
    s->plan = plan_of(all, n);
    test_on_loop(s->e.loop.loop, give_plan, s);
}

static void open_line(void *arg) {
    struct site *s = arg;
    if (line_open(s->e.loop.loop, &s->o, &s->line, &s->e.t->fault)) estate_die("line", &s->e.t->fault);
}

static int64_t line_id(struct ctx *ctx, struct str name) {
    int64_t id = 0;
    bool found;
    return db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM lines WHERE name = $1", VALS(V_TEXT(name)), &id, &found)
               ? 0
               : id;
}

static enum err the_row(struct ctx *ctx, struct estate *e) {
    return line_row_put(ctx, e->id, S("controllers"), "bacnet", 0);
}

static void start(struct site *s, struct t *t) {
    *s = (struct site){.figures = figures_create(), .heard = heard_create()};
    estate_start(&s->e, t);
    estate_do(&s->e, the_row);
    begin_street(&s->street);
    s->o = (struct line_options){.codec = &bacnet_codec,
                                 .id = estate_count(&s->e, "SELECT id FROM lines WHERE name = 'controllers'"),
                                 .name = "controllers",
                                 .reach = LINE_DIAL,
                                 .host = "127.0.0.1",
                                 .port = s->street.port,
                                 .find_low = -1,
                                 .find_high = -1,
                                 .community_id = s->e.id,
                                 .world = &t->world,
                                 .feed = s->e.feed,
                                 .figures = s->figures,
                                 .heard = s->heard,
                                 .told = on_told,
                                 .silent = on_silent,
                                 .arg = s};
    test_loop_start(&s->e.loop);
    test_on_loop(s->e.loop.loop, open_line, s);
}

static void stop(struct site *s) {
    estate_stop(&s->e, (loop_fn *)line_close, s->line);
    end_street(&s->street);
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

static double latest(struct site *s, const char *code, const char *metric) {
    struct str device = str_of(code);
    struct telemetry_series *series;
    struct fault f = {0};
    size_t n = 0;
    struct arena a;
    arena_init(&a, 1 << 16);
    enum err e = telemetry_latest(feed_telemetry(s->e.feed), s->e.id, &device, 1, str_of(metric), &a, &series, &n, &f);
    double v = e || !n || !series[0].has_latest ? NAN : series[0].latest.value;
    arena_finish(&a);
    return v;
}

static int64_t counted(struct site *s, const int64_t *counter) {
    pthread_mutex_lock(&s->figures->lock);
    int64_t n = *counter;
    pthread_mutex_unlock(&s->figures->lock);
    return n;
}

/* ---- who is there ---- */

static void look_for_some(void *arg) {
    struct site *s = arg;
    s->is_out = line_find(s->line);
}

static bool all_are_put_aside(struct site *s) {
    return estate_count(&s->e, "SELECT COUNT(*) FROM devices d JOIN lines l ON l.id = d.line_id WHERE d.state = 'new' "
                               "AND l.name = 'controllers'") == 4;
}

static void who_is_found_is_put_aside_with_what_it_is(struct t *t) {
    struct site s;
    start(&s, t);
    plan(&s, NULL, 0);
    test_on_loop(s.e.loop.loop, look_for_some, &s);
    CHECK(t, s.is_out && comes_to(&s, all_are_put_aside));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM devices WHERE code IN ('controllers-1234', 'controllers-1235') "
                                "AND address IN ('1234', '1235') AND name = '楼控' AND "
                                "attributes LIKE '%linli simulate%'") == 2);
    CHECK(t, estate_count(
                 &s.e,
                 "SELECT COUNT(*) FROM devices WHERE code IN ('controllers-1234.lift_1', 'controllers-1235.lift_1')") ==
                 2);
    stop(&s);
}

static bool one_is_put_aside(struct site *s) {
    return estate_count(&s->e, "SELECT COUNT(*) FROM devices WHERE state = 'new'") == 2; /* with its lift */
}

static void introduce_all(struct site *s) {
    struct bacnet_frame f = bacnet_announcement(BACNET_I_AM);
    struct bacnet_body body = bacnet_nothing;
    for (int64_t i = 0; i < CONTROLLERS; i++) {
        char mem[64];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        body.device = BACNET_ID(BACNET_DEVICE, FIRST + i);
        body.max_apdu = BACNET_APDU_MAX;
        body.segmentation = 3;
        body.vendor = 7;
        CHECK(s->e.t, bacnet_put(&f, &body, &b));
        send_out(&s->street, &(struct udp_peer){"", line_port(s->line)}, (struct bytes){(uint8_t *)mem, b.len});
    }
}

static void numbers_that_a_line_does_not_look_for_are_nobody_there(struct t *t) {
    struct site s;
    start(&s, t);
    test_on_loop(s.e.loop.loop, (loop_fn *)line_close, s.line);
    s.o.find_low = s.o.find_high = FIRST;
    test_on_loop(s.e.loop.loop, open_line, &s);
    plan(&s, NULL, 0);
    introduce_all(&s);
    CHECK(t, comes_to(&s, one_is_put_aside));
    for (int i = 0; i < 20; i++) test_on_loop(s.e.loop.loop, tick, &s);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM devices WHERE code LIKE '%1235%'") == 0);
    stop(&s);
}

static bool one_of_the_network_is_put_aside(struct site *s) {
    struct bacnet_frame f = bacnet_announcement(BACNET_I_AM);
    struct bacnet_body body = bacnet_nothing;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)line_port(s->line))};
    char mem[64];
    struct buf b;
    to.sin_addr.s_addr = htonl(0x7fffffff); /* to all of loopback */
    body.device = BACNET_ID(BACNET_DEVICE, FIRST);
    body.max_apdu = BACNET_APDU_MAX;
    body.segmentation = 3;
    body.vendor = 7;
    buf_init(&b, mem, sizeof mem);
    CHECK(s->e.t, bacnet_put(&f, &body, &b));
    (void)!sendto(s->street.fd, mem, b.len, 0, (struct sockaddr *)&to, sizeof to);
    return estate_count(&s->e, "SELECT COUNT(*) FROM devices WHERE code = 'controllers-1234' AND name = '楼控'") == 1;
}

static void what_is_said_to_everybody_is_heard_on_an_address_of_its_own(struct t *t) {
    struct site s;
    int on = 1;
    start(&s, t);
    test_on_loop(s.e.loop.loop, (loop_fn *)line_close, s.line);
    s.o.reach = LINE_LISTEN;
    s.o.bind = "127.0.0.1";
    s.o.port = 0;
    test_on_loop(s.e.loop.loop, open_line, &s);
    plan(&s, NULL, 0);
    CHECK(t, !setsockopt(s.street.fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on));
    CHECK(t, comes_to(&s, one_of_the_network_is_put_aside));
    stop(&s);
}

/* ---- what they measure ---- */

static bool all_is_read(struct site *s) {
    return latest(s, "AHU-1", "supply_temperature") == 18.5 && latest(s, "AHU-1", "ai_2") == 52 &&
           latest(s, "LIFT-1", "service_mode") == 1 && !isnan(latest(s, "LIFT-1", "floor"));
}

static void points_are_read_under_the_codes_and_names_of_the_models(struct t *t) {
    struct site s;
    struct heard_device how;
    start(&s, t);
    plan(&s, usual, COUNT(usual));
    CHECK(t, comes_to(&s, all_is_read));
    CHECK(t, heard_get(s.heard, S("AHU-1"), &how) && how.frames >= 1 && !strcmp(how.peer, "127.0.0.1"));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM devices WHERE code LIKE '%1234%'") == 0);
    CHECK(t, counted(&s, &s.figures->frames) && counted(&s, &s.figures->bytes) && !counted(&s, &s.figures->bad));
    stop(&s);
}

static bool the_change_is_there(struct site *s) {
    return latest(s, "AHU-1", "av_1") == 27;
}
static bool it_is_read(struct site *s) {
    return latest(s, "AHU-1", "av_1") == 24;
}

/* By another's hand. */
static void write_av_1(struct street *b, double to) {
    static const struct bacnet_address here = {0};
    struct bacnet_frame f = bacnet_request(BACNET_WRITE, 1, &here);
    struct bacnet_body body = bacnet_nothing;
    const struct sockaddr_in nobody = {.sin_port = htons(9)};
    char mem[64], value[16];
    struct buf out;
    buf_init(&out, value, sizeof value);
    bacnet_put_value(&(struct bacnet_value){.type = BACNET_REAL, .number = to}, &out);
    body.point.object = BACNET_ID(BACNET_ANALOG_VALUE, 1);
    body.point.property = BACNET_PRESENT_VALUE;
    body.point.values = (struct bytes){(uint8_t *)value, out.len};
    buf_init(&out, mem, sizeof mem);
    if (!bacnet_put(&f, &body, &out)) abort();
    hear(b, &nobody, (struct bytes){(uint8_t *)mem, out.len});
}

/* Of a value that is read once an hour. */
static void a_change_is_told_before_it_would_be_read(struct t *t) {
    static const struct planned hourly[] = {{"AHU-1", "1234", "av_1", 3600000}};
    struct site s;
    start(&s, t);
    plan(&s, hourly, 1);
    CHECK(t, comes_to(&s, it_is_read));
    for (int i = 0; i < 20; i++) test_on_loop(s.e.loop.loop, tick, &s); /* it subscribes behind that */
    int64_t before_ms = t->world.mono_us(t->world.self) / 1000;
    write_av_1(&s.street, 27);
    CHECK(t, comes_to(&s, the_change_is_there));
    CHECK(t, t->world.mono_us(t->world.self) / 1000 - before_ms < 140000); /* no renewal told it */
    stop(&s);
}

/* ---- what they want acknowledged ---- */

static void say_change(struct site *s, int64_t device, uint8_t invoke) {
    struct bacnet_frame f = bacnet_request(BACNET_COV_CONFIRMED, invoke, NULL);
    struct bacnet_body body = bacnet_nothing;
    struct bacnet_point p = bacnet_no_point;
    char mem[64], value[16];
    struct buf b;
    buf_init(&b, value, sizeof value);
    bacnet_put_value(&(struct bacnet_value){.type = BACNET_REAL, .number = 31}, &b);
    p.object = BACNET_ID(0, 1);
    p.property = BACNET_PRESENT_VALUE;
    p.values = (struct bytes){(uint8_t *)value, b.len};
    body.process = 1;
    body.device = BACNET_ID(BACNET_DEVICE, device);
    body.point.object = p.object;
    body.remaining_s = 100;
    body.points = &p;
    body.points_n = 1;
    buf_init(&b, mem, sizeof mem);
    CHECK(s->e.t, bacnet_put(&f, &body, &b));
    send_out(&s->street, &(struct udp_peer){"", line_port(s->line)}, (struct bytes){(uint8_t *)mem, b.len});
}

static void say_event(struct site *s, int to_state, uint8_t invoke) {
    struct bacnet_frame f = bacnet_request(BACNET_EVENT_CONFIRMED, invoke, NULL);
    struct bacnet_body body = bacnet_nothing;
    static const uint8_t stamp[] = {0x19, 0x07};
    char mem[128];
    struct buf b;
    body.process = 1;
    body.device = BACNET_ID(BACNET_DEVICE, FIRST);
    body.point.object = BACNET_ID(0, 1);
    body.stamp = (struct bytes){stamp, sizeof stamp};
    body.event_class = 1;
    body.event_priority = 1;
    body.event_type = 5;
    body.notify_type = 0;
    body.ack_required = 0;
    body.from_state = 0;
    body.to_state = to_state;
    buf_init(&b, mem, sizeof mem);
    CHECK(s->e.t, bacnet_put(&f, &body, &b));
    send_out(&s->street, &(struct udp_peer){"", line_port(s->line)}, (struct bytes){(uint8_t *)mem, b.len});
}

static bool a_change_is_acknowledged(struct site *s) {
    return atomic_load(&s->street.acks) == 1;
}
static bool it_could_not_be_stored(struct site *s) {
    return counted(s, &s->figures->unanswered) > 0;
}

static void what_is_not_stored_is_not_acknowledged(struct t *t) {
    struct site s;
    start(&s, t);
    plan(&s, usual, COUNT(usual));
    CHECK(t, comes_to(&s, all_is_read));
    plan(&s, usual, 0);
    io_sim_fail_syncs(s.e.sim, INT64_MAX);
    say_change(&s, FIRST, 7);
    CHECK(t, comes_to(&s, it_could_not_be_stored));
    CHECK(t, atomic_load(&s.street.acks) == 0);
    io_sim_fail_syncs(s.e.sim, 0);
    plan(&s, usual, COUNT(usual));
    for (int i = 0; i < 200 && !atomic_load(&s.street.acks); i++) {
        say_change(&s, FIRST, 7); /* said again, as devices do */
        for (int k = 0; k < 20 && !atomic_load(&s.street.acks); k++) {
            world_sim_advance(&t->sim, 50);
            test_on_loop(s.e.loop.loop, tick, &s);
            (void)poll(NULL, 0, 2);
        }
    }
    CHECK(t, a_change_is_acknowledged(&s));
    stop(&s);
}

static enum err watch_for_heat(struct ctx *ctx, struct estate *e) {
    struct rule r = {.row.community_id = e->id};
    SET(&rules, &r, name, S("heat"));
    SET(&rules, &r, kind, S("event"));
    SET(&rules, &r, event_code, S("high_limit"));
    SET(&rules, &r, severity, S("bad"));
    SET(&rules, &r, message, S("too warm"));
    SET(&rules, &r, enabled, true);
    return row_create(ctx, &rules, &r);
}

static enum err adopt_it(struct ctx *ctx, struct estate *e) {
    struct device d = {.row.community_id = e->id};
    SET(&devices, &d, name, S("AHU"));
    SET(&devices, &d, code, S("AHU-1"));
    SET(&devices, &d, address, S("1234"));
    SET(&devices, &d, line_id, line_id(ctx, S("controllers")));
    SET(&devices, &d, place_id, e->id);
    TRY(row_create(ctx, &devices, &d));
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                   UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"),
                   NULL);
}

static void reload(void *arg) {
    struct site *s = arg;
    CHECK(s->e.t, !feed_reload(s->e.feed, (loop_fn *)tick, s));
}

static void an_event_is_an_alarm_before_it_is_acknowledged_and_ends_it(struct t *t) {
    struct site s;
    start(&s, t);
    estate_do(&s.e, watch_for_heat);
    estate_do(&s.e, adopt_it);
    test_on_loop(s.e.loop.loop, reload, &s);
    plan(&s, usual, COUNT(usual));
    CHECK(t, comes_to(&s, all_is_read));
    for (int i = 0; i < 500 && !estate_count(&s.e, "SELECT COUNT(*) FROM alarms"); i++) {
        int before = atomic_load(&s.street.acks);
        say_event(&s, 3, (uint8_t)i);
        while (atomic_load(&s.street.acks) == before) (void)poll(NULL, 0, 1);
    }
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms WHERE state = 'active'") == 1);
    say_event(&s, 0, 200);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM alarms WHERE state = 'ended'", 1));
    stop(&s);
}

/* ---- what they are told ---- */

static void give(void *arg) {
    struct site *s = arg;
    s->is_out = line_tell(s->line, &s->order, &s->why);
}

static bool is_told(struct site *s) {
    return atomic_load(&s->told) > 0;
}

static void a_command_ends_with_what_the_device_says(struct t *t) {
    static const struct {
        const char *item, *value, *answer;
        bool is_done, is_dead;
    } all[] = {
        {"ao_1@8", "55.5", "", true, false},
        {"ai_1", "5", "write_access_denied", false, false},
        {"av_1", "99", "value_out_of_range", false, false},
        {"ao_1@8", "1", "no answer", false, true},
    };
    struct site s;
    start(&s, t);
    plan(&s, usual, COUNT(usual));
    CHECK(t, comes_to(&s, all_is_read));
    for (size_t i = 0; i < COUNT(all); i++) {
        s.order = (struct line_order){.command_id = 77,
                                      .device_id = 1,
                                      .device = S("AHU-1"),
                                      .address = S("1234"),
                                      .item = str_of(all[i].item),
                                      .value = str_of(all[i].value),
                                      .until_ms = t->world.utc_ms(t->world.self) + 60000};
        atomic_store(&s.told, 0);
        atomic_store(&s.street.is_dead, all[i].is_dead);
        test_on_loop(s.e.loop.loop, give, &s);
        CHECK_SAY(t,
                  s.is_out && comes_to(&s, is_told) && atomic_load(&s.done) == all[i].is_done &&
                      !strcmp(s.answer, all[i].answer),
                  "row %zu: %s", i, s.answer);
    }
    s.order.item = S("no such item");
    test_on_loop(s.e.loop.loop, give, &s);
    CHECK(t, !s.is_out && strstr(s.why, "cannot say this"));
    CHECK(t, s.street.devices[0].values[3] == 55.5);
    stop(&s);
}

/* ---- silence, strangers, noise ---- */

static bool one_is_silent(struct site *s) {
    return atomic_load(&s->silences) == 1;
}
static bool it_is_back(struct site *s) {
    return atomic_load(&s->returns) >= 1;
}

static void who_falls_silent_is_told_and_so_is_his_return(struct t *t) {
    struct site s;
    struct heard_device how;
    start(&s, t);
    plan(&s, usual, COUNT(usual));
    CHECK(t, comes_to(&s, all_is_read));
    atomic_store(&s.street.is_dead, true);
    CHECK(t, comes_to(&s, one_is_silent));
    CHECK(t, heard_get(s.heard, S("AHU-1"), &how) && how.silences >= 1);
    atomic_store(&s.street.is_dead, false);
    CHECK(t, comes_to(&s, it_is_back) && atomic_load(&s.silences) == 1);
    stop(&s);
}

static enum err hang_elsewhere(struct ctx *ctx, struct estate *e, struct str code) {
    TRY(line_row_put(ctx, e->id, S("elsewhere"), "hj212", 0));
    struct device d = {.row.community_id = e->id};
    SET(&devices, &d, name, S("station"));
    SET(&devices, &d, code, code);
    SET(&devices, &d, line_id, line_id(ctx, S("elsewhere")));
    SET(&devices, &d, place_id, e->id);
    TRY(row_create(ctx, &devices, &d));
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                   UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"),
                   NULL);
}

static enum err hang_a_stranger_elsewhere(struct ctx *ctx, struct estate *e) {
    return hang_elsewhere(ctx, e, S("controllers-4711"));
}

static enum err hang_one_that_is_there_elsewhere(struct ctx *ctx, struct estate *e) {
    return hang_elsewhere(ctx, e, S("controllers-1234"));
}

static bool is_shown_as_foreign(struct site *s, const char *code) {
    pthread_mutex_lock(&s->figures->lock);
    const struct sample *x = &s->figures->bad_samples[(s->figures->bad_n - 1) % FIGURES_BAD_MAX];
    bool is_shown = s->figures->bad_n && !strcmp(x->about, code) && strstr(x->rule, "another line");
    pthread_mutex_unlock(&s->figures->lock);
    return is_shown;
}

static bool a_foreign_ones_change_is_shown(struct site *s) {
    say_change(s, 4711, 9);
    return is_shown_as_foreign(s, "controllers-4711");
}

static bool a_foreign_one_that_is_found_is_shown(struct site *s) {
    return is_shown_as_foreign(s, "controllers-1234");
}

static void nobody_speaks_for_a_device_of_another_line(struct t *t) {
    struct site s;
    start(&s, t);
    estate_do(&s.e, hang_a_stranger_elsewhere);
    test_on_loop(s.e.loop.loop, reload, &s);
    plan(&s, usual, COUNT(usual));
    CHECK(t, comes_to(&s, a_foreign_ones_change_is_shown));
    stop(&s);
}

static void nobody_is_found_who_is_of_another_line(struct t *t) {
    struct site s;
    start(&s, t);
    estate_do(&s.e, hang_one_that_is_there_elsewhere);
    test_on_loop(s.e.loop.loop, reload, &s);
    plan(&s, NULL, 0);
    test_on_loop(s.e.loop.loop, look_for_some, &s);
    CHECK(t, s.is_out && comes_to(&s, a_foreign_one_that_is_found_is_shown));
    stop(&s);
}

/* Devices that are made up and want everything acknowledged, while the others are read on. */
static void who_floods_the_line_holds_up_no_other(struct t *t) {
    struct site s;
    struct heard_device before, after;
    start(&s, t);
    plan(&s, usual, COUNT(usual));
    CHECK(t, comes_to(&s, all_is_read));
    CHECK(t, heard_get(s.heard, S("AHU-1"), &before));
    for (int i = 0; i < 3000; i++) {
        say_change(&s, 10000 + i, (uint8_t)i);
        if (i % 30) continue;
        world_sim_advance(&t->sim, 100);
        test_on_loop(s.e.loop.loop, tick, &s);
    }
    CHECK(t, comes_to(&s, all_is_read) && heard_get(s.heard, S("AHU-1"), &after) && after.frames >= before.frames + 5);
    CHECK(t, !atomic_load(&s.silences) && !after.silences);
    stop(&s);
}

/* Bytes of strangers, while the others are read on. */
static void noise_is_counted_and_harms_nobody(struct t *t) {
    struct site s;
    start(&s, t);
    plan(&s, usual, COUNT(usual));
    CHECK(t, comes_to(&s, all_is_read));
    uint64_t x = t->seed | 1;
    int port, fd = open_udp(&port);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)line_port(s.line))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 3000; i++) {
        uint8_t mem[64] = {0x81, 0x0a, 0, 0, 1, 0};
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t n = 6 + x % 50;
        for (size_t k = 6; k < n; k++) mem[k] = (uint8_t)((x = x * 6364136223846793005u + 1442695040888963407u) >> 40);
        mem[3] = (uint8_t)n;
        (void)!sendto(fd, mem, n, 0, (struct sockaddr *)&to, sizeof to);
        if (i % 100 == 0) test_on_loop(s.e.loop.loop, tick, &s);
    }
    close(fd);
    atomic_store(&s.silences, 0);
    for (int i = 0; i < 400; i++) {
        world_sim_advance(&t->sim, 50);
        test_on_loop(s.e.loop.loop, tick, &s);
        (void)poll(NULL, 0, 1);
    }
    CHECK(t, counted(&s, &s.figures->bad) > 100 && all_is_read(&s) && !atomic_load(&s.silences));
    stop(&s);
}

TESTS(CASE(who_is_found_is_put_aside_with_what_it_is), CASE(numbers_that_a_line_does_not_look_for_are_nobody_there),
      CASE(what_is_said_to_everybody_is_heard_on_an_address_of_its_own),
      CASE(points_are_read_under_the_codes_and_names_of_the_models), CASE(a_change_is_told_before_it_would_be_read),
      CASE(what_is_not_stored_is_not_acknowledged), CASE(an_event_is_an_alarm_before_it_is_acknowledged_and_ends_it),
      CASE(a_command_ends_with_what_the_device_says), CASE(who_falls_silent_is_told_and_so_is_his_return),
      CASE(nobody_speaks_for_a_device_of_another_line), CASE(nobody_is_found_who_is_of_another_line),
      CASE(who_floods_the_line_holds_up_no_other), CASE(noise_is_counted_and_harms_nobody))
