/* Lines that are pushed to: their addresses, what is refused, what is stored before it is answered.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/push.h"

#include "net/client.h"
#include "sensing/estate_test_internal.h"
#include "sensing/lines/lines_internal.h"

#include <stdatomic.h>

#define SEEN(device, license)                                                                              \
    "{\"AlarmInfoPlate\":{\"serialno\":\"" device "\",\"result\":{\"PlateResult\":{\"license\":\"" license \
    "\",\"confidence\":97}}}}"
#define SEEN_AS(id)                                                                                                     \
    "{\"AlarmInfoPlate\":{\"serialno\":\"cam1\",\"result\":{\"PlateResult\":{\"license\":\"粤B12345\",\"confidence\":" \
    "97,\"plateid\":" id ",\"timeStamp\":{\"Timeval\":{\"sec\":1}}}}}}"
#define INPUT "{\"AlarmGioIn\":{\"serialno\":\"cam1\",\"result\":{\"TriggerResult\":{\"source\":0,\"value\":1}}}}"

struct site {
    struct estate e;
    struct line_set *lines;
    struct api_with with[1];
    struct api *api;
    struct http_server *http;
    int port;
    char key[LINE_PUSH_KEY + 1], off[LINE_PUSH_KEY + 1], door[LINE_PUSH_KEY + 1], lane[LINE_PUSH_KEY + 1];
    struct client_reply reply;
};

static void read_key(struct ctx *ctx, const char *name, char *ret) {
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = 10};
    struct list_page page;
    ret[0] = 0;
    if (row_list(ctx, &line_rows, &q, &page)) return;
    for (size_t i = 0; i < page.n; i++) {
        const struct line_row *r = (const struct line_row *)page.rows + i;
        if (str_is(r->name, name) && r->push_key.len == LINE_PUSH_KEY) memcpy(ret, r->push_key.ptr, LINE_PUSH_KEY + 1);
    }
}

static enum err make_lines(struct ctx *ctx, struct estate *e) {
    struct site *s = (struct site *)(void *)e; /* its first member */
    struct line_row off = {.row.community_id = e->id};
    TRY(line_row_put(ctx, e->id, S("gate"), "vz", 0));
    TRY(line_row_put(ctx, e->id, S("fire"), "gb26875", 0));
    TRY(line_row_put(ctx, e->id, S("door"), "door", 0));
    TRY(line_row_put(ctx, e->id, S("lane"), "itsapi", 0));
    SET(&line_rows, &off, name, S("off"));
    SET(&line_rows, &off, kind, S("vz"));
    TRY(row_create(ctx, &line_rows, &off));
    read_key(ctx, "gate", s->key);
    read_key(ctx, "off", s->off);
    read_key(ctx, "door", s->door);
    read_key(ctx, "lane", s->lane);
    return OK;
}

static size_t body_cap(void *arg, const struct http_request *req) {
    return api_body_cap(((struct site *)arg)->api, req);
}

static void handle(void *arg, const struct http_request *req) {
    api_handle(((struct site *)arg)->api, req);
}

static void start(struct site *s, struct t *t) {
    *s = (struct site){.port = 0};
    estate_start(&s->e, t);
    estate_do(&s->e, make_lines);
    struct lines_options lines = {.kernel = s->e.kernel,
                                  .pool = s->e.pool,
                                  .loop = s->e.loop.loop,
                                  .world = &t->world,
                                  .log = &s->e.log,
                                  .feed = s->e.feed};
    if (lines_open(&lines, &s->lines, &t->fault)) estate_die("lines", &t->fault);
    s->with[0] = lines_with(s->lines);
    struct api_options api = {.kernel = s->e.kernel,
                              .pool = s->e.pool,
                              .loop = s->e.loop.loop,
                              .world = &t->world,
                              .version = "0",
                              .with = s->with,
                              .with_n = 1};
    if (api_create(&api, &s->api, &t->fault) ||
        http_server_open(s->e.loop.loop, &(struct http_options){.body_cap = body_cap, .world = &t->world}, handle, s,
                         &s->http, &t->fault))
        estate_die("http", &t->fault);
    s->port = http_server_port(s->http);
    test_loop_start(&s->e.loop);
}

static void stop(struct site *s) {
    struct test_loop *tl = &s->e.loop;
    loop_stop(tl->loop);
    pthread_join(tl->thread, NULL);
    http_server_close(s->http);
    lines_stop(s->lines);
    api_destroy(s->api);
    feed_stop(s->e.feed);
    loop_destroy(tl->loop);
    lines_free(s->lines);
    feed_close(s->e.feed);
    db_pool_close(s->e.pool);
    kernel_destroy(s->e.kernel);
    io_sim_destroy(s->e.sim);
}

static int ask(struct site *s, const char *method, const char *path, struct str body) {
    struct client_ask a = {.method = method, .target = path, .body = {(const uint8_t *)body.ptr, body.len}};
    if (client_call("127.0.0.1", s->port, &a, PEER_WAIT_MS, &s->e.t->arena, &s->reply)) return 0;
    return s->reply.status;
}

static int push(struct site *s, const char *key, const char *body) {
    char path[200];
    snprintf(path, sizeof path, "/api/v1/push/%s", key);
    return ask(s, "POST", path, str_of(body));
}

static struct str body_of(const struct site *s) {
    return (struct str){(const char *)s->reply.body.ptr, s->reply.body.len};
}

static struct line_entry *entry(struct site *s, const char *name) {
    for (size_t i = 0; i < s->lines->entries_n; i++)
        if (!strcmp(s->lines->entries[i].spec.name, name)) return &s->lines->entries[i];
    return NULL;
}

static int64_t figure(struct site *s, int64_t *of) {
    struct figures *f = entry(s, "gate")->figures;
    pthread_mutex_lock(&f->lock);
    int64_t v = *of;
    pthread_mutex_unlock(&f->lock);
    return v;
}
#define FIGURE(s, m) figure((s), &entry((s), "gate")->figures->m)

/* ---- addresses ---- */

static void each_pushed_line_has_an_address_of_chance(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, strlen(s.key) == LINE_PUSH_KEY && strlen(s.off) == LINE_PUSH_KEY && strcmp(s.key, s.off) != 0);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM lines WHERE push_key IS NOT NULL") == 4); /* no other kind */
    stop(&s);
}

static void an_address_that_is_none_says_nothing(struct t *t) {
    struct site s;
    char path[200], almost[LINE_PUSH_KEY + 1];
    start(&s, t);
    memcpy(almost, s.key, sizeof almost);
    almost[LINE_PUSH_KEY - 1] = almost[LINE_PUSH_KEY - 1] == '0' ? '1' : '0';
    const char *const wrong[] = {almost, s.off, "00000000000000000000000000000000", "0", "gate"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        CHECK_SAY(t, push(&s, wrong[i], INPUT) == 404, "%s: %d", wrong[i], s.reply.status);
        snprintf(path, sizeof path, "/api/v1/push/%s", wrong[i]);
        CHECK_SAY(t, ask(&s, "GET", path, S("")) == 404, "%s: %d", wrong[i], s.reply.status);
    }
    CHECK(t, !FIGURE(&s, frames) && !FIGURE(&s, bad) && !FIGURE(&s, bytes));
    stop(&s);
}

static void who_looks_first_finds_somebody(struct t *t) {
    struct site s;
    char path[200];
    start(&s, t);
    snprintf(path, sizeof path, "/api/v1/push/%s", s.key);
    CHECK(t, ask(&s, "GET", path, S("")) == 200 && !body_of(&s).len);
    snprintf(path, sizeof path, "/api/v1/push/%s/NotificationInfo/KeepAlive", s.key);
    CHECK(t, ask(&s, "POST", path, S("{\"heartbeat\":{}}")) == 200); /* behind the address stands what it is */
    CHECK(t, FIGURE(&s, frames) == 1);
    stop(&s);
}

/* ---- what becomes of a push ---- */

static void what_is_pushed_is_stored_and_answered(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, push(&s, s.key, SEEN("cam1", "粤B12345")) == 200);
    CHECK_SAY(t, str_starts(body_of(&s), S("{\"Response_AlarmInfoPlate\":{\"info\":\"no\"")), STR_FMT,
              STR_ARG(body_of(&s))); /* nobody let it in */
    CHECK(t, str_is(client_header(&s.reply, "content-type"), "application/json"));
    CHECK(t,
          estate_comes_to(&s.e,
                          "SELECT COUNT(*) FROM devices d JOIN lines l ON l.id = d.line_id WHERE d.code = 'cam1' AND "
                          "d.state = 'new' AND l.name = 'gate'",
                          1)); /* put aside before the answer */
    struct telemetry_series *all;
    struct str cam = S("cam1");
    size_t n = 0;
    CHECK(t, !telemetry_latest(feed_telemetry(s.e.feed), s.e.id, &cam, 1, S("confidence"), &t->arena, &all, &n,
                               &t->fault));
    CHECK(t, n == 1 && all[0].latest.value == 97);
    CHECK(t, FIGURE(&s, frames) == 1 && FIGURE(&s, bad) == 0 && FIGURE(&s, unanswered) == 0);
    const struct figures *f = entry(&s, "gate")->figures;
    CHECK(t, f->good_samples[0].len == 0 && !strcmp(f->good_samples[0].about, "plate_seen")); /* no plate is kept */
    CHECK(t, push(&s, s.key, INPUT) == 200 && !body_of(&s).len);
    CHECK(t, f->good_samples[1].len == strlen(INPUT) && !strcmp(f->good_samples[1].peer, "127.0.0.1"));
    stop(&s);
}

static enum err let_in(struct ctx *ctx, struct estate *e) {
    struct pass p = {.row.community_id = e->id};
    struct device d = {0};
    bool found;
    uint64_t adopted = UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id");
    SET(&passes, &p, kind, S("plate"));
    SET(&passes, &p, value, S("粤B12345"));
    SET(&passes, &p, place_id, e->id);
    TRY(row_create(ctx, &passes, &p));
    TRY(device_by_code(ctx, e->id, S("cam1"), &d, &found));
    if (!found) return ERR_NOT_FOUND;
    SET(&devices, &d, name, S("camera"));
    SET(&devices, &d, place_id, e->id);
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &d, adopted, NULL);
}

static bool opens(struct site *s, const char *body) {
    CHECK(s->e.t, push(s, s->key, body) == 200);
    return str_starts(body_of(s), S("{\"Response_AlarmInfoPlate\":{\"info\":\"ok\""));
}

static void the_answer_opens_for_who_may_pass(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, !opens(&s, SEEN("cam1", "粤B12345"))); /* a camera that nobody adopted */
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages WHERE why = 'nowhere'") == 1);
    estate_do(&s.e, let_in);
    CHECK(t, opens(&s, SEEN("cam1", "粤B12345")));
    CHECK(t, opens(&s, SEEN("cam1", "粤B12345"))); /* replayed: the same passage */
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages WHERE granted = 1 AND pass_id IS NOT NULL") == 1);
    CHECK(t, !opens(&s, SEEN("cam1", "京A00001")) && !opens(&s, SEEN("cam1", "_无_")));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages") == 3); /* who has no plate shows nothing */
    stop(&s);
}

static void a_message_that_was_answered_opens_once(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, !opens(&s, SEEN_AS("1")));
    estate_do(&s.e, let_in);
    CHECK(t, opens(&s, SEEN_AS("2")));
    CHECK(t, !opens(&s, SEEN_AS("2")) && strstr(body_of(&s).ptr, "retransfer_stop"));
    CHECK(t, opens(&s, SEEN_AS("3"))); /* it stands there still: another message */
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages WHERE granted = 1") == 1);
    world_sim_advance(&t->sim, PASS_SAME_MS + 1);
    io_sim_fail_syncs(s.e.sim, INT64_MAX);
    CHECK(t, push(&s, s.key, SEEN_AS("4")) == 503);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages WHERE granted = 1") == 2);
    io_sim_fail_syncs(s.e.sim, 0);
    for (int i = 0; i < 100 && push(&s, s.key, SEEN_AS("4")) != 200; i++) (void)poll(NULL, 0, 20);
    CHECK(t, strstr(body_of(&s).ptr, "\"info\":\"ok\"")); /* it had not been told */
    CHECK(t, !opens(&s, SEEN_AS("4")));
    stop(&s);
}

static bool is_answered(struct site *s, const char *body, const char *answer) {
    int status = push(s, s->door, body);
    struct str got = body_of(s);
    CHECK_SAY(s->e.t, status == 200 && str_is(got, answer), "%s: %d " STR_FMT, body, status, STR_ARG(got));
    return status == 200;
}
#define AT_CAM "{\"device\":\"cam1\","

static void a_door_is_told_whether_and_why(struct t *t) {
    struct site s;
    start(&s, t);
    is_answered(&s, AT_CAM "\"pin\":\"1234\"}", "{\"open\":false,\"why\":\"nowhere\"}");
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM devices WHERE code = 'cam1' AND state = 'new'", 1));
    estate_do(&s.e, let_in);
    is_answered(&s, AT_CAM "\"plate\":\"粤B12345\",\"id\":\"1\",\"way\":\"out\"}", "{\"open\":true,\"why\":\"given\"}");
    is_answered(&s, AT_CAM "\"plate\":\"粤B12345\",\"id\":\"1\",\"way\":\"out\"}", "{\"open\":true,\"why\":\"given\"}");
    is_answered(&s, AT_CAM "\"card\":\"7\",\"id\":\"2\"}", "{\"open\":false,\"why\":\"unknown\"}");
    is_answered(&s, AT_CAM "\"plate\":\"粤B12345\",\"id\":\"3\",\"late\":true}", "{\"open\":false,\"why\":\"late\"}");
    world_sim_advance(&t->sim, PASS_SAME_MS + 1);
    is_answered(&s, AT_CAM "\"plate\":\"粤B12345\",\"id\":\"1\",\"way\":\"out\"}",
                "{\"open\":false,\"why\":\"again\"}");
    CHECK(t, push(&s, s.door, AT_CAM "\"pin\":\"123\"}") == 400 && strstr(body_of(&s).ptr, "door pin"));
    CHECK(t, !entry(&s, "door")->figures->bad_samples[0].len); /* what somebody types is kept nowhere */
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages") == 3);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages WHERE direction = 'out' AND serial = '1'") == 1);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM commands") == 0); /* the answer opens */
    stop(&s);
}

static enum err a_model_that_opens(struct ctx *ctx, struct estate *e) {
    static struct model_command told[] = {
        {.has = 0x39, .command = {"open", 4}, .item = {"out", 3}, .value = {"1", 1}, .dangerous = true}};
    struct device_model m = {0};
    struct device d = {0};
    bool found;
    SET(&device_models, &m, code, S("lane"));
    SET(&device_models, &m, name, S("lane"));
    SET(&device_models, &m, commands, (struct lines){told, COUNT(told)});
    TRY(row_create(ctx, &device_models, &m));
    TRY(let_in(ctx, e));
    TRY(device_by_code(ctx, e->id, S("cam1"), &d, &found));
    SET(&devices, &d, model, S("lane"));
    return row_update(ctx, &devices, d.row.id, 0, &d, UINT64_C(1) << field_index(&devices, "model"), NULL);
}

static int seen_in_lane(struct site *s, const char *plate, int64_t ago_ms) {
    char body[300], at[40];
    struct buf b;
    buf_init(&b, at, sizeof at);
    const struct world *w = &s->e.t->world;
    civil_put_time(&b, entry(s, "lane")->spec.zone, w->utc_ms(w->self) - ago_ms);
    snprintf(
        body, sizeof body,
        "{\"Picture\":{\"Plate\":{\"PlateNumber\":\"%s\"},\"SnapInfo\":{\"DeviceID\":\"cam1\",\"AccurateTime\":\"%.19s"
        "\"}}}",
        plate, at); /* local, without its offset */
    return push(s, s->lane, body);
}

/* Whose answer opens nothing is told by a command. */
static void a_lane_is_told_by_a_command(struct t *t) {
    static const char opened[] = "SELECT COUNT(*) FROM commands WHERE command = 'open' AND passage_id IS NOT NULL";
    struct site s;
    start(&s, t);
    CHECK(t, push(&s, s.lane, "{}") == 200 && push(&s, s.lane, "") == 200); /* KeepAlive */
    CHECK(t, seen_in_lane(&s, "粤B12345", 0) == 200 && !body_of(&s).len);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM devices WHERE code = 'cam1' AND state = 'new'", 1));
    estate_do(&s.e, a_model_that_opens);
    CHECK(t, seen_in_lane(&s, "粤B12345", 600000) == 200);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages WHERE why = 'late'") == 1);
    CHECK(t, seen_in_lane(&s, "京A00001", 0) == 200 && estate_count(&s.e, opened) == 0);
    CHECK(t, seen_in_lane(&s, "粤B12345", 0) == 200);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages WHERE granted = 1") == 1);
    CHECK(t, estate_count(&s.e, opened) == 1);
    CHECK(t, seen_in_lane(&s, "粤B12345", 0) == 200 && estate_count(&s.e, opened) == 1); /* said again at once */
    stop(&s);
}

static void what_is_wrong_is_refused_and_kept_as_a_sample(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, push(&s, s.key, "{\"AlarmInfoPlate\":") == 400 && strstr(body_of(&s).ptr, "VZ push: this is no JSON"));
    CHECK(t, push(&s, s.key, "") == 400);
    const struct figures *f = entry(&s, "gate")->figures;
    CHECK(t, FIGURE(&s, bad) == 2 && f->bad_samples[0].offset == 18 && f->bad_samples[0].len == 18);
    char *large = arena_alloc(&t->arena, API_BODY_MAX + 2, 1, 1);
    memset(large, ' ', API_BODY_MAX + 1);
    char path[200];
    snprintf(path, sizeof path, "/api/v1/push/%s", s.key);
    CHECK(t, ask(&s, "POST", path, (struct str){large, API_BODY_MAX + 1}) == 413);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM devices") == 1);
    stop(&s);
}

static void what_cannot_be_stored_is_to_be_said_again(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, push(&s, s.key, SEEN("cam1", "粤B12345")) == 200);
    io_sim_fail_syncs(s.e.sim, INT64_MAX);
    CHECK(t, push(&s, s.key, SEEN("cam1", "粤B12345")) == 503 && strstr(body_of(&s).ptr, "not_stored"));
    CHECK(t, FIGURE(&s, unanswered) == 1);
    io_sim_fail_syncs(s.e.sim, 0);
    for (int i = 0; i < 100 && push(&s, s.key, SEEN("cam1", "粤B12345")) != 200; i++) (void)poll(NULL, 0, 20);
    CHECK(t, s.reply.status == 200);
    stop(&s);
}

static void more_than_the_bound_at_once_is_busy(struct t *t) {
    struct site s;
    start(&s, t);
    atomic_store(&s.lines->pushes, PUSHES_MAX);
    CHECK(t, push(&s, s.key, INPUT) == 503 && FIGURE(&s, unanswered) == 1);
    atomic_store(&s.lines->pushes, PUSHES_MAX - 1);
    CHECK(t, push(&s, s.key, INPUT) == 200 && atomic_load(&s.lines->pushes) == PUSHES_MAX - 1);
    atomic_store(&s.lines->pushes, 0);
    atomic_store(&entry(&s, "gate")->pushes, PUSHES_OF_LINE); /* one line has not all of them */
    CHECK(t, push(&s, s.key, INPUT) == 503 && atomic_load(&s.lines->pushes) == 0);
    atomic_store(&entry(&s, "gate")->pushes, 0);
    stop(&s);
}

static void who_pushes_too_often_is_told_to_wait(struct t *t) {
    struct site s;
    int status = 200;
    start(&s, t);
    world_sim_advance(&t->sim, 1000);
    for (int i = 0; i < PUSHES_AT_ONCE && status == 200; i++) status = push(&s, s.key, INPUT);
    CHECK(t, status == 200 && push(&s, s.key, INPUT) == 429 && strstr(body_of(&s).ptr, "too_often"));
    CHECK(t, str_is(client_header(&s.reply, "retry-after"), "1") && FIGURE(&s, limited) == 1);
    CHECK(t, push(&s, s.off, INPUT) == 404); /* of another line's bucket nothing is gone */
    world_sim_advance(&t->sim, 10);
    CHECK(t, push(&s, s.key, INPUT) == 200 && push(&s, s.key, INPUT) == 429);
    stop(&s);
}

static enum err renew(struct ctx *ctx, struct estate *e) {
    struct site *s = (struct site *)(void *)e;
    TRY(row_act(ctx, &line_rows, entry(s, "gate")->spec.id, 0, "new_push_key", NULL, 0, NULL));
    read_key(ctx, "gate", s->off);
    enum err refused = row_act(ctx, &line_rows, entry(s, "fire")->spec.id, 0, "new_push_key", NULL, 0, NULL);
    CHECK(e->t, refused == ERR_CONFLICT && !strcmp(ctx->fault.code, "not_pushed"));
    ctx->fault = (struct fault){0};
    return OK;
}

static void a_key_that_leaked_is_replaced_at_once(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, push(&s, s.key, INPUT) == 200);
    estate_do(&s.e, renew);
    CHECK(t, strlen(s.off) == LINE_PUSH_KEY && strcmp(s.off, s.key) != 0);
    while (api_run_now(s.api)) continue;
    for (int i = 0; i < 500 && push(&s, s.key, INPUT) != 404; i++) (void)poll(NULL, 0, 10);
    CHECK(t, s.reply.status == 404 && push(&s, s.off, INPUT) == 200);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM audit WHERE resource = 'lines' AND step = 'new_push_key'") == 1);
    stop(&s);
}

static void a_line_that_is_switched_off_is_gone(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, push(&s, s.key, INPUT) == 200);
    struct db *db;
    CHECK(t, !db_pool_take(s.e.pool, &db, &t->fault));
    struct ctx ctx = {.kernel = s.e.kernel, .db = db, .arena = &t->arena, .world = &t->world, .actor = actor_system()};
    struct line_row patch = {0};
    SET(&line_rows, &patch, enabled, false);
    ctx_begin(&ctx);
    CHECK(t, !row_update(&ctx, &line_rows, entry(&s, "gate")->spec.id, 0, &patch,
                         UINT64_C(1) << field_index(&line_rows, "enabled"), NULL));
    db_pool_give(s.e.pool, db);
    while (api_run_now(s.api)) continue;
    for (int i = 0; i < 500 && push(&s, s.key, INPUT) != 404; i++) (void)poll(NULL, 0, 10);
    CHECK(t, s.reply.status == 404);
    stop(&s);
}

static enum err adopt_on_another_line(struct ctx *ctx, struct estate *e) {
    struct device d = {.row.community_id = e->id};
    uint64_t adopted = UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id");
    int64_t line = 0;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM lines WHERE name = 'off'", NO_VALS, &line, &found));
    SET(&devices, &d, name, S("theirs"));
    SET(&devices, &d, code, S("cam9"));
    SET(&devices, &d, place_id, e->id);
    SET(&devices, &d, line_id, line);
    TRY(row_create(ctx, &devices, &d));
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &d, adopted, NULL);
}

static void nobody_speaks_for_devices_of_another_line(struct t *t) {
    struct site s;
    start(&s, t);
    estate_do(&s.e, adopt_on_another_line);
    while (api_run_now(s.api)) continue;
    for (int i = 0; i < 500 && push(&s, s.key, SEEN("cam9", "粤B12345")) != 403; i++) (void)poll(NULL, 0, 10);
    CHECK(t, s.reply.status == 403 && FIGURE(&s, bad) == 1);
    CHECK(t, push(&s, s.key, SEEN("cam1", "粤B12345")) == 200); /* one that nobody knows */
    stop(&s);
}

/* ---- signatures ---- */

static bool is_signed(struct bytes whole, struct str key) {
    return whole.len && key.len && whole.ptr[0] == (uint8_t)key.ptr[0];
}

static bool take_all(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    (void)a;
    if (whole.len >= 3) ret->sender = (struct str){(const char *)whole.ptr, whole.len};
    if (whole.len < 3) *reterr = (struct wire_error){"too short", whole.len};
    return whole.len >= 3;
}

static void what_is_not_signed_is_not_looked_at(struct t *t) {
    static const struct codec free = {.name = "f", .frame_max = 5, .decode = take_all, .carrier = CARRIER_BODY};
    static const struct codec sealed = {
        .name = "s", .frame_max = 5, .decode = take_all, .carrier = CARRIER_BODY, .is_genuine = is_signed};
    static const struct {
        const struct codec *codec;
        const char *body, *secret;
        enum push_judged judged;
    } rows[] = {
        {&free, "abc", "", PUSH_GOOD},           {&free, "ab", "", PUSH_BAD},
        {&free, "abcde", "", PUSH_GOOD},         {&free, "abcdef", "", PUSH_TOO_LONG},
        {&free, "abc", "x", PUSH_GOOD},          {&sealed, "abc", "abc", PUSH_GOOD},
        {&sealed, "abc", "x", PUSH_UNSIGNED},    {&sealed, "abc", "", PUSH_UNSIGNED},
        {&sealed, "ab", "a", PUSH_BAD},          {&sealed, "ab", "x", PUSH_UNSIGNED},
        {&sealed, "abcdef", "a", PUSH_TOO_LONG},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decoded d;
        struct wire_error e = {NULL, 0};
        struct bytes body = {(const uint8_t *)rows[i].body, strlen(rows[i].body)};
        enum push_judged got = push_judge(rows[i].codec, body, str_of(rows[i].secret), &t->arena, &d, &e);
        CHECK_SAY(t, got == rows[i].judged && (got == PUSH_GOOD || e.rule), "%s %s: %d", rows[i].codec->name,
                  rows[i].body, (int)got);
        CHECK(t, got == PUSH_GOOD || !d.sender.len);
    }
}

TESTS(CASE(each_pushed_line_has_an_address_of_chance), CASE(an_address_that_is_none_says_nothing),
      CASE(who_looks_first_finds_somebody), CASE(what_is_pushed_is_stored_and_answered),
      CASE(the_answer_opens_for_who_may_pass), CASE(a_message_that_was_answered_opens_once),
      CASE(a_door_is_told_whether_and_why), CASE(a_lane_is_told_by_a_command),
      CASE(what_is_wrong_is_refused_and_kept_as_a_sample), CASE(what_cannot_be_stored_is_to_be_said_again),
      CASE(more_than_the_bound_at_once_is_busy), CASE(who_pushes_too_often_is_told_to_wait),
      CASE(a_key_that_leaked_is_replaced_at_once), CASE(a_line_that_is_switched_off_is_gone),
      CASE(nobody_speaks_for_devices_of_another_line), CASE(what_is_not_signed_is_not_looked_at))
