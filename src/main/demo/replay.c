/* Replay of the demo's measurements.  SPDX-License-Identifier: Apache-2.0 */
#include "main/demo/replay.h"

#include "base/json.h"
#include "main/demo/keys.h"
#include "main/demo/play_device.h"
#include "main/demo/play_panel.h"
#include "main/demo/replay_banner.h"
#include "main/demo/replay_data.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEVICES_MAX 400
#define TICK_MS     100
#define TICKS       10 /* a second: a tenth of the devices speaks at each tick */
#define FIRE_STEP   60 /* seconds after the start */
#define KEEP_STEPS  60
#define STILL_STEPS 15 /* seconds without an acknowledgement, and the replay stands still */
#define CODE_SIZE   32

#define HISTORY_POINTS 30000 /* of one batch */

struct player {
    int64_t device_id;
    char code[CODE_SIZE];
    size_t set, column, at;
    struct play_device *device;
};
struct replay {
    struct replay_options o;
    char address[64], community[65];
    struct loop_timer *timer;
    struct replay_table tables[REPLAY_SETS];
    struct player *players;
    size_t players_n;
    struct play_panel *panel;
    int64_t clock_ahead_s;
    int64_t ticks, rows;          /* rows: a device has played, earlier runs included */
    int64_t heard, heard_at_tick; /* acknowledgements */
    enum replay_state told;       /* on the first page */
    bool is_telling, told_ok;     /* told_ok: the worker's, while is_telling */
};

/* ---- who plays ---- */

static enum err read_community(struct ctx *ctx, struct replay *r) {
    struct db_rows rows = {0};
    bool more = false;
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT code FROM communities WHERE id = $1",
                          VALS(V_I64(r->o.community_id)), &rows);
    if (!e) e = db_next(&rows, &ctx->fault, &more);
    if (!e && more) snprintf(r->community, sizeof r->community, STR_FMT, STR_ARG(db_text(&rows, 0)));
    db_done(&rows);
    r->clock_ahead_s = zone_offset_s(kernel_zone(ctx, r->o.community_id), ctx->now_ms);
    return e;
}

static enum err read_devices(struct ctx *ctx, struct replay *r) {
    struct db_rows rows = {0};
    size_t seen[REPLAY_SETS] = {0};
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT id, code, model FROM devices WHERE community_id = $1 AND archived_ms = 0 AND state "
                          "<> 'retired' ORDER BY id LIMIT 400",
                          VALS(V_I64(r->o.community_id)), &rows);
    for (bool more = true; !e && r->players_n < DEVICES_MAX;) {
        e = db_next(&rows, &ctx->fault, &more);
        if (e || !more) break;
        for (size_t s = 0; s < REPLAY_SETS; s++) {
            const struct replay_set *set = &replay_sets[s];
            if (!str_is(db_text(&rows, 2), set->model) || db_text(&rows, 1).len >= CODE_SIZE) continue;
            struct player *p = &r->players[r->players_n++];
            *p = (struct player){.device_id = db_i64(&rows, 0), .set = s, .column = seen[s] % r->tables[s].columns};
            memcpy(p->code, db_text(&rows, 1).ptr, db_text(&rows, 1).len);
            p->at = (set->start + seen[s]++ * set->shift + (size_t)r->rows) % r->tables[s].rows;
        }
    }
    db_done(&rows);
    return e;
}

static enum err give_devices(struct ctx *ctx, struct replay *r) {
    struct demo_key *keys = arena_new(ctx->arena, struct demo_key, r->players_n + 1);
    if (!keys) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < r->players_n; i++)
        keys[i] = (struct demo_key){.device_id = r->players[i].device_id, .code = str_of(r->players[i].code)};
    TRY(demo_keys_fill(ctx, r->o.site->dir, keys, r->players_n));
    for (size_t i = 0; i < r->players_n && r->o.mqtt_port; i++) {
        const struct play_device_options o = {
            .loop = r->o.loop,
            .world = &r->o.site->world,
            .address = r->address,
            .port = r->o.mqtt_port,
            .community = str_of(r->community),
            .code = keys[i].code,
            .user = keys[i].user,
            .password = keys[i].password,
        };
        if (!(r->players[i].device = play_device_create(&o))) return FAIL_MEMORY(ctx);
    }
    return OK;
}

static enum err cast(struct ctx *ctx, void *arg) {
    struct replay *r = arg;
    TRY(read_community(ctx, r));
    TRY(read_devices(ctx, r));
    return give_devices(ctx, r);
}

/* ---- history, straight into the store ---- */

static const double *row_of(const struct replay *r, const struct player *p, size_t row) {
    const struct replay_table *t = &r->tables[p->set];
    return t->cells + row % t->rows * t->columns;
}

static size_t points_of(const struct replay *r, const struct player *p, size_t row, int64_t at_ms,
                        struct telemetry_point *ret) {
    const struct replay_set *set = &replay_sets[p->set];
    size_t n = set->one_column ? 1 : r->tables[p->set].columns;
    for (size_t c = 0; c < n; c++)
        ret[c] = (struct telemetry_point){.device = str_of(p->code),
                                          .metric = str_of(set->metrics[c]),
                                          .unit = str_of(set->units[c]),
                                          .at_ms = at_ms,
                                          .value = row_of(r, p, row)[set->one_column ? p->column : c]};
    return n;
}

struct gathering { /* points of several devices: each batch costs a sync */
    struct replay *r;
    struct telemetry_point *points;
    size_t n;
};

static enum err put_gathered(struct gathering *g, struct fault *f) {
    const struct telemetry_batch batch = {g->r->o.community_id, g->points, g->n};
    if (!g->n) return OK;
    g->n = 0;
    return telemetry_put_wait(feed_telemetry(g->r->o.feed), &batch, NULL, f);
}

static enum err gather(struct gathering *g, const struct player *p, int64_t now, struct fault *f) {
    const struct replay_set *set = &replay_sets[p->set];
    if (g->n + set->back * REPLAY_COLUMNS_MAX > HISTORY_POINTS) TRY(put_gathered(g, f));
    for (size_t i = set->back; i > 0; i--)
        g->n += points_of(g->r, p, p->at + g->r->tables[p->set].rows - i, now - (int64_t)i * set->spacing_ms,
                          g->points + g->n);
    return OK;
}

/* A device that has readings from an earlier run is not filled again. */
static enum err gather_all(struct gathering *g, struct arena *arena, struct fault *f) {
    struct replay *r = g->r;
    int64_t now = r->o.site->world.utc_ms(r->o.site->world.self);
    for (size_t i = 0; i < r->players_n; i++) {
        struct telemetry_series *series;
        struct str code = str_of(r->players[i].code);
        size_t n = 0;
        arena_reset(arena);
        TRY(telemetry_latest(feed_telemetry(r->o.feed), r->o.community_id, &code, 1, (struct str){NULL, 0}, arena,
                             &series, &n, f));
        if (!n) TRY(gather(g, &r->players[i], now, f));
    }
    return put_gathered(g, f);
}

static enum err history(struct replay *r, struct fault *f) {
    struct gathering g = {r, calloc(HISTORY_POINTS, sizeof *g.points), 0};
    struct arena arena;
    if (!g.points) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    arena_init(&arena, (size_t)1 << 20);
    enum err e = gather_all(&g, &arena, f);
    arena_finish(&arena);
    free(g.points);
    return e;
}

/* ---- where the last run stopped: a number in DIR/replay ---- */

static void rows_path(const struct replay *r, char *ret, size_t cap) {
    snprintf(ret, cap, "%s/replay", r->o.site->dir);
}

static void rows_read(struct replay *r) {
    char path[600], text[24];
    rows_path(r, path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0) close(fd);
    if (n <= 0 || !str_to_i64(str_trim((struct str){text, (size_t)n}), &r->rows) || r->rows < 0) r->rows = 0;
}

static void rows_keep(const struct replay *r) {
    char path[600], text[24];
    rows_path(r, path, sizeof path);
    int len = snprintf(text, sizeof text, "%lld\n", (long long)r->rows);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    (void)!(fd >= 0 && write(fd, text, (size_t)len)); /* lost: the next run plays some rows again */
    if (fd >= 0) close(fd);
}

/* ---- what the page says ---- */

static void tell(void *arg) {
    struct replay *r = arg;
    struct fault f = {0};
    r->told_ok = !replay_banner_put(r->o.site, r->told, &f);
}

static void has_told(void *arg) {
    struct replay *r = arg;
    r->is_telling = false;
    if (!r->told_ok) r->told = REPLAY_UNTOLD; /* again in a second */
}

static void watch(struct replay *r) {
    const struct str no_trace = {NULL, 0};
    int64_t heard = 0, open = 0;
    for (size_t i = 0; i < r->players_n && r->o.mqtt_port; i++) {
        struct play_figures f = play_device_figures(r->players[i].device);
        heard += f.acknowledged;
        open += f.is_open;
    }
    if (heard > r->heard) r->heard_at_tick = r->ticks;
    r->heard = heard;
    bool is_still = r->ticks - r->heard_at_tick >= STILL_STEPS * TICKS;
    enum replay_state now = is_still ? REPLAY_STANDS : heard ? REPLAY_RUNS : REPLAY_UNTOLD;
    if (now == REPLAY_UNTOLD || now == r->told || r->is_telling) return;
    r->told = now;
    r->is_telling = !loop_work(r->o.loop, tell, has_told, r);
    if (!r->is_telling) r->told = REPLAY_UNTOLD;
    LOG(&r->o.site->log, is_still ? LOG_WARN : LOG_INFO, no_trace,
        is_still ? "the demo's replay stands still" : "the demo's replay runs", LOG_NUM("connections", open));
}

/* ---- playing ---- */

static void speak(struct replay *r, struct player *p, int64_t now) {
    const struct replay_set *set = &replay_sets[p->set];
    char mem[PLAY_PAYLOAD_MAX];
    struct buf b;
    struct jw j;
    struct str text;
    if (!play_device_can_put(p->device)) return; /* its row waits until earlier ones are acknowledged */
    buf_init(&b, mem, sizeof mem);
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_ki64(&j, "ts", now);
    size_t n = set->one_column ? 1 : r->tables[p->set].columns;
    for (size_t c = 0; c < n; c++) {
        jw_key(&j, set->metrics[c]);
        jw_f64(&j, row_of(r, p, p->at)[set->one_column ? p->column : c]);
    }
    jw_close(&j, '}');
    if (buf_done(&b, &text)) play_device_put(p->device, text);
    p->at++;
}

static void tick(void *arg) {
    struct replay *r = arg;
    int64_t now = r->o.site->world.utc_ms(r->o.site->world.self);
    for (size_t i = (size_t)(r->ticks % TICKS); i < r->players_n && r->o.mqtt_port; i += TICKS) {
        play_device_tick(r->players[i].device);
        speak(r, &r->players[i], now);
    }
    if (++r->ticks % TICKS) return;
    int64_t seconds = r->ticks / TICKS;
    watch(r);
    if (r->told == REPLAY_RUNS) r->rows++;
    if (seconds % KEEP_STEPS == 0) rows_keep(r);
    if (!r->panel) return;
    play_panel_tick(r->panel);
    if (seconds == FIRE_STEP) play_panel_fire(r->panel);
}

/* ---- life ---- */

static const char *reachable(const char *bind) {
    if (!bind || !strcmp(bind, "0.0.0.0")) return "127.0.0.1";
    return strcmp(bind, "::") ? bind : "::1";
}

enum err replay_start(const struct replay_options *options, struct replay **ret, struct fault *f) {
    struct replay *r = calloc(1, sizeof *r);
    if (!r) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    r->o = *options;
    snprintf(r->address, sizeof r->address, "%s", reachable(options->address));
    r->players = calloc(DEVICES_MAX, sizeof *r->players);
    *ret = r;
    if (!r->players) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    for (size_t i = 0; i < REPLAY_SETS; i++) TRY(replay_table_read(&replay_sets[i], &r->tables[i], f));
    rows_read(r);
    TRY(site_do(r->o.site, cast, r, f));
    TRY(history(r, f));
    if (r->o.lines_port) {
        r->panel = play_panel_create(&(struct play_panel_options){.loop = r->o.loop,
                                                                  .world = &r->o.site->world,
                                                                  .log = &r->o.site->log,
                                                                  .address = r->address,
                                                                  .port = r->o.lines_port,
                                                                  .clock_ahead_s = r->clock_ahead_s});
        if (!r->panel) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    }
    if (loop_timer_create(r->o.loop, tick, r, &r->timer)) return FAIL(f, ERR_INTERNAL, "loop", "no timer");
    loop_timer_start(r->timer, TICK_MS, TICK_MS);
    return OK;
}

void replay_stop(struct replay *r) {
    if (!r) return;
    loop_timer_destroy(r->timer);
    r->timer = NULL;
    rows_keep(r);
    for (size_t i = 0; i < r->players_n; i++) play_device_close(r->players[i].device);
    play_panel_close(r->panel);
}

void replay_free(struct replay *r) {
    const struct str no_trace = {NULL, 0};
    struct fault ignored = {0};
    if (!r) return;
    if (r->told != REPLAY_UNTOLD && replay_banner_put(r->o.site, REPLAY_OVER, &ignored))
        LOG(&r->o.site->log, LOG_WARN, no_trace, "the demo's banner could not be changed");
    for (size_t i = 0; i < r->players_n; i++) play_device_free(r->players[i].device);
    play_panel_free(r->panel);
    for (size_t i = 0; i < REPLAY_SETS; i++) replay_table_free(&r->tables[i]);
    free(r->players);
    free(r);
}
