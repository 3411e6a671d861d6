/* What a meter kept of a midnight at which nobody asked it becomes a reading of that midnight, once; one that keeps
 * none is left in peace. SPDX-License-Identifier: Apache-2.0 */
#include "kernel/outbox.h"
#include "main/simulate/slave.h"
#include "protocol/dlt645/dlt645.h"
#include "sensing/estate_test_internal.h"
#include "sensing/lines/lines.h"

#define HOUR_MS INT64_C(3600000)

struct site {
    struct estate e;
    struct line_set *lines;
    struct slave_device device;
    int listener, fd;     /* the serial server's end of the line */
    int midnights, times; /* that were asked for: what was kept, and when */
};
static int port; /* of the serial server */

static enum err a_meter(struct ctx *ctx, struct estate *e) {
    static struct model_metric asked[] = {{.has = 0x201, .metric = {"energy", 6}, .item = {"00010000", 8}}};
    struct device_model m = {0};
    struct line_row l = {.row.community_id = e->id};
    struct device d = {.row.community_id = e->id};
    SET(&device_models, &m, code, S("meter"));
    SET(&device_models, &m, name, S("meter"));
    SET(&device_models, &m, metrics, (struct lines){asked, COUNT(asked)});
    TRY(row_create(ctx, &device_models, &m));
    SET(&line_rows, &l, name, S("meters"));
    SET(&line_rows, &l, kind, S("dlt645"));
    SET(&line_rows, &l, reach, S("dial"));
    SET(&line_rows, &l, host, S("127.0.0.1"));
    SET(&line_rows, &l, port, port);
    SET(&line_rows, &l, enabled, true);
    TRY(row_create(ctx, &line_rows, &l));
    SET(&devices, &d, name, S("meter"));
    SET(&devices, &d, code, S("M-1"));
    SET(&devices, &d, model, S("meter"));
    SET(&devices, &d, address, S("000000000889"));
    SET(&devices, &d, line_id, l.row.id);
    SET(&devices, &d, place_id, e->id);
    TRY(row_create(ctx, &devices, &d));
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                   UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"),
                   NULL);
}

/* Answers what is asked for a while, in which time goes on. */
static void answer_for(struct site *s, int64_t ms) {
    const struct world *w = &s->e.t->world;
    struct slave_line line = {&s->device, 1};
    uint8_t in[300];
    size_t have = 0, len = 0;
    for (int64_t end_ms = w->utc_ms(w->self) + ms; w->utc_ms(w->self) < end_ms;) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        world_sim_advance(&s->e.t->sim, 100);
        if (poll(&p, 1, 5) != 1) continue;
        ssize_t n = recv(s->fd, in + have, sizeof in - have, 0);
        if (n <= 0) return;
        have += (size_t)n;
        for (enum frame what; have && (what = dlt645_codec.frame((struct bytes){in, have}, &len)) != FRAME_SHORT;) {
            char mem[DLT645_FRAME_MAX + 1];
            struct buf out;
            struct dlt645_frame f;
            struct wire_error e;
            uint32_t di = 0;
            buf_init(&out, mem, sizeof mem);
            (void)!(dlt645_decode((struct bytes){in, len}, &f, &e) && dlt645_item(&f, &di));
            if ((f.control & 0x1f) == DLT645_READ) {
                s->midnights += di >> 8 == DLT645_MIDNIGHT >> 8;
                s->times += di >> 8 == DLT645_FROZEN >> 8;
            }
            (void)slave_dlt645.hear(&line, (struct bytes){in, len}, w->utc_ms(w->self), &out);
            if (out.len) peer_send(s->fd, (struct str){mem, out.len});
            memmove(in, in + len, have -= len);
        }
    }
}

/* Of its energy: the latest, and how many within a second of then, of which the first. */
static size_t readings_at(struct site *s, int64_t at_ms, double *ret, double *ret_latest) {
    struct str device = S("M-1");
    struct telemetry_series *series;
    struct telemetry_points points = {.n = 0};
    struct fault f = {0};
    size_t n = 0;
    struct telemetry *store = feed_telemetry(s->e.feed);
    if (!telemetry_latest(store, s->e.id, &device, 1, S("energy"), &s->e.t->arena, &series, &n, &f) && n) {
        *ret_latest = series[0].latest.value;
        (void)!telemetry_range(store, series[0].number, at_ms, at_ms + 1000, 10, &s->e.t->arena, &points, &f);
    }
    if (points.n) *ret = points.value[0];
    return points.n;
}

static void a_midnight_without_a_reading_is_filled_once(struct t *t) {
    struct site s = {.fd = -1, .listener = peer_listen(&port)};
    double kept = 0, now = 0;
    estate_start(&s.e, t);
    estate_do(&s.e, a_meter);
    slave_devices(&s.device, 1, 889, 1);
    struct lines_options o = {.kernel = s.e.kernel,
                              .pool = s.e.pool,
                              .loop = s.e.loop.loop,
                              .world = &t->world,
                              .log = &s.e.log,
                              .feed = s.e.feed};
    CHECK(t, !lines_open(&o, &s.lines, &t->fault));
    test_loop_start(&s.e.loop);
    s.fd = accept(s.listener, NULL, NULL);
    answer_for(&s, 10000);
    CHECK(t, !s.times); /* the device is not as old as any */
    world_sim_advance(&t->sim, 48 * HOUR_MS);
    answer_for(&s, 250000); /* midnights are looked for every minute */
    const struct zone *zone = kernel_zone(&(struct ctx){.kernel = s.e.kernel}, s.e.id);
    int64_t midnight_ms = zone_day_start_ms(zone, t->world.utc_ms(t->world.self));
    CHECK_SAY(t, s.midnights == 2 && s.times == 2, "asked %d times", s.midnights);
    CHECK(t, readings_at(&s, midnight_ms - 24 * HOUR_MS, &kept, &now) == 1);
    CHECK(t, readings_at(&s, midnight_ms, &kept, &now) == 1);
    CHECK_SAY(t, kept < now && kept > now - 24 * 3, "%g, now %g", kept, now);
    close(s.fd);
    close(s.listener);
    estate_stop(&s.e, (loop_fn *)lines_stop, s.lines);
    lines_free(s.lines);
}

TESTS(CASE(a_midnight_without_a_reading_is_filled_once))
