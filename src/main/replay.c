/* Replay of the demo's measurements.  SPDX-License-Identifier: Apache-2.0 */
#include "main/replay.h"

#include "kernel/rows.h"
#include "main/assets.h"
#include "platform/things/things.h"
#include "protocol/gb26875/gb26875.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define COLUMNS_MAX 4
#define DEVICES_MAX 400
#define STEP_MS     1000
#define FIRE_STEP   60 /* seconds after the start */
#define CODE_SIZE   32

/* What a model plays. */
static const struct set {
    const char *model, *path;
    const char *metrics[COLUMNS_MAX], *units[COLUMNS_MAX];
    int64_t spacing_ms; /* of the measurement */
    size_t start, back; /* row where the replay begins; rows of history before it */
    bool one_column;    /* a device plays one column, its own */
    size_t shift;       /* rows between one device and the next */
} sets[] = {
    {"climate",
     "demo/occupancy/minutes.csv",
     {"temperature", "humidity", "light", "co2"},
     {"Cel", "%", "lx", "ppm"},
     60000,
     1480,
     1440,
     false,
     67},
    {"power_meter", "demo/energy/hours.csv", {"power"}, {"kW"}, 3600000, 740, 720, true, 3},
    {"machine_room", "demo/temperature/hours.csv", {"temperature"}, {"[degF]"}, 3600000, 722, 720, true, 61},
};

struct table {
    double *cells;
    size_t rows, columns;
};
struct player {
    char code[CODE_SIZE];
    const struct set *set;
    const struct table *table;
    size_t column, at;
    bool has_history;
};
struct replay {
    struct site *site;
    struct loop *loop;
    struct feed *feed;
    int64_t community_id;
    struct loop_timer *timer;
    struct table tables[COUNT(sets)];
    struct player *players;
    size_t players_n;
    int64_t steps;
    int fire_port;
    bool stopping;
};

/* ---- reading the tables ---- */

static bool table_read(const char *path, struct table *ret) {
    const struct asset *a = NULL;
    for (size_t i = 0; i < assets_n; i++)
        if (!strcmp(assets[i].path, path)) a = &assets[i];
    if (!a) return false;
    struct str rest = {a->begin, (size_t)(a->end - a->begin)}, line, cell;
    size_t lines = 0, columns = 1;
    for (const char *p = a->begin; p < a->end; p++) lines += *p == '\n';
    if (!str_cut(&rest, '\n', &line)) return false;
    for (size_t i = 0; i < line.len; i++) columns += line.ptr[i] == ',';
    ret->cells = calloc(lines * columns + 1, sizeof(double));
    ret->columns = columns;
    while (ret->cells && str_cut(&rest, '\n', &line)) {
        if (!line.len) continue;
        for (size_t c = 0; c < columns && str_cut(&line, ',', &cell); c++)
            if (!str_to_f64(str_trim(cell), &ret->cells[ret->rows * columns + c])) return false;
        ret->rows++;
    }
    return ret->cells && ret->rows > 0;
}

static enum err devices_read(struct ctx *ctx, void *arg) {
    struct replay *r = arg;
    struct db_rows rows = {0};
    size_t seen[COUNT(sets)] = {0};
    enum err e =
        db_query(ctx->db, &ctx->fault,
                 "SELECT code, model FROM devices WHERE community_id = $1 AND archived_ms = 0 ORDER BY id LIMIT 400",
                 VALS(V_I64(r->community_id)), &rows);
    for (bool more = true; !e && r->players_n < DEVICES_MAX;) {
        e = db_next(&rows, &ctx->fault, &more);
        if (e || !more) break;
        for (size_t s = 0; s < COUNT(sets); s++) {
            if (!str_is(db_text(&rows, 1), sets[s].model) || db_text(&rows, 0).len >= CODE_SIZE) continue;
            struct player *p = &r->players[r->players_n++];
            *p = (struct player){.set = &sets[s], .table = &r->tables[s], .column = seen[s] % r->tables[s].columns};
            memcpy(p->code, db_text(&rows, 0).ptr, db_text(&rows, 0).len);
            p->at = (sets[s].start + seen[s] * sets[s].shift) % r->tables[s].rows;
            seen[s]++;
        }
    }
    db_done(&rows);
    return e;
}

/* ---- playing ---- */

static size_t points_of(const struct player *p, size_t row, int64_t at_ms, struct telemetry_point *ret) {
    const struct table *t = p->table;
    const double *cells = t->cells + row % t->rows * t->columns;
    size_t n = p->set->one_column ? 1 : t->columns;
    for (size_t c = 0; c < n; c++)
        ret[c] = (struct telemetry_point){.device = str_of(p->code),
                                          .metric = str_of(p->set->metrics[c]),
                                          .unit = str_of(p->set->units[c]),
                                          .at_ms = at_ms,
                                          .value = p->set->one_column ? cells[p->column] : cells[c]};
    return n;
}

static enum err put_history(struct replay *r, struct player *p, int64_t now, struct fault *f) {
    struct telemetry_point *points = calloc(p->set->back * COLUMNS_MAX, sizeof *points);
    size_t n = 0;
    if (!points) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    for (size_t i = p->set->back; i > 0; i--)
        n += points_of(p, p->at + p->table->rows - i, now - (int64_t)i * p->set->spacing_ms, points + n);
    enum err e =
        telemetry_put_wait(feed_telemetry(r->feed), &(struct telemetry_batch){r->community_id, points, n}, NULL, f);
    free(points);
    return e;
}

/* A device that has readings from an earlier run is not filled again. */
static enum err history(struct replay *r, struct fault *f) {
    int64_t now = r->site->world.utc_ms(r->site->world.self);
    struct arena arena;
    enum err e = OK;
    arena_init(&arena, (size_t)1 << 20);
    for (size_t i = 0; !e && i < r->players_n; i++) {
        struct telemetry_series *series;
        struct str code = str_of(r->players[i].code);
        size_t n = 0;
        arena_reset(&arena);
        e = telemetry_latest(feed_telemetry(r->feed), r->community_id, &code, 1, (struct str){NULL, 0}, &arena, &series,
                             &n, f);
        if (!e && !n) e = put_history(r, &r->players[i], now, f);
    }
    arena_finish(&arena);
    return e;
}

static void done(void *arg, enum err e) {
    (void)arg;
    (void)e; /* a replayed row that a full disk refused comes again in the next turn of the data */
}

/* The fire panel speaks over its own line, as a real one would, and waits for the answer. */
static void speak_fire(void *arg) {
    struct replay *r = arg;
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)r->fire_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {5, 0};
    uint8_t object[48] = {2, 1, 1, 1, 40, 0x0a, 0, 2, 0, 2, 0};
    char out[128], back[64];
    struct buf b;
    int64_t now = r->site->world.utc_ms(r->site->world.self) / 1000 + 8 * 3600; /* the panel's clock is local */
    struct gb26875_time t = gb26875_time_of(now);
    memcpy(object + 11, "B7 F11 smoke", 12);
    memcpy(object + 42, &(uint8_t[]){t.second, t.minute, t.hour, t.day, t.month, t.year}, 6);
    struct gb26875_frame f = {.serial = 1,
                              .version = {1, 1},
                              .time = t,
                              .source = 889,
                              .destination = 1,
                              .command = GB26875_SEND,
                              .data = {object, sizeof object}};
    buf_init(&b, out, sizeof out);
    gb26875_encode(&f, &b);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    bool ok = !connect(fd, (struct sockaddr *)&to, sizeof to) &&
              send(fd, b.ptr, b.len, MSG_NOSIGNAL) == (ssize_t)b.len &&
              recv(fd, back, sizeof back, 0) >= GB26875_OVERHEAD;
    close(fd);
    const struct str no_trace = {NULL, 0};
    LOG(&r->site->log, ok ? LOG_INFO : LOG_WARN, no_trace, "the demo's fire panel spoke", LOG_NUM("confirmed", ok));
}

static void step(void *arg) {
    struct replay *r = arg;
    struct telemetry_point points[DEVICES_MAX * COLUMNS_MAX];
    int64_t now = r->site->world.utc_ms(r->site->world.self);
    struct fault f = {0};
    size_t n = 0;
    for (size_t i = 0; i < r->players_n; i++) n += points_of(&r->players[i], r->players[i].at++, now, points + n);
    if (n && telemetry_put(feed_telemetry(r->feed), &(struct telemetry_batch){r->community_id, points, n}, done, NULL,
                           NULL, &f))
        return; /* busy or full: the next second brings the next row */
    if (++r->steps == FIRE_STEP && r->fire_port && loop_work(r->loop, speak_fire, NULL, r)) r->steps--;
}

enum err replay_start(struct site *site, struct loop *loop, struct feed *feed, int64_t community_id, int fire_port,
                      struct replay **ret, struct fault *f) {
    struct replay *r = calloc(1, sizeof *r);
    if (!r) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    *r =
        (struct replay){.site = site, .loop = loop, .feed = feed, .community_id = community_id, .fire_port = fire_port};
    r->players = calloc(DEVICES_MAX, sizeof *r->players);
    *ret = r;
    if (!r->players) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    for (size_t i = 0; i < COUNT(sets); i++)
        if (!table_read(sets[i].path, &r->tables[i]))
            return FAIL(f, ERR_CORRUPT, "demo", "%s cannot be read", sets[i].path);
    TRY(site_do(site, devices_read, r, f));
    TRY(history(r, f));
    if (loop_timer_create(loop, step, r, &r->timer)) return FAIL(f, ERR_INTERNAL, "loop", "no timer");
    loop_timer_start(r->timer, STEP_MS, STEP_MS);
    return OK;
}

void replay_stop(struct replay *r) {
    if (!r) return;
    loop_timer_destroy(r->timer);
    r->timer = NULL;
}

void replay_free(struct replay *r) {
    if (!r) return;
    for (size_t i = 0; i < COUNT(sets); i++) free(r->tables[i].cells);
    free(r->players);
    free(r);
}
