/* Readiness tells of a store that takes no writes, and asks for none while all is well.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "store/io.h"
#include "tests/lib/api_server.h"

#include <stdatomic.h>

static struct io real;
static atomic_bool is_full;

static int64_t write_if_room(void *self, int64_t file, const void *bytes, size_t n, int64_t at) {
    return atomic_load(&is_full) ? -ENOSPC : real.write(self, file, bytes, n, at);
}

static enum err count_probes(struct ctx *ctx, void *arg) {
    bool found;
    return db_one_i64(ctx->db, &ctx->fault, "SELECT COUNT(*) FROM counters WHERE name = 'ready'", NO_VALS, arg, &found);
}

static void over_a_disk_that_fills(struct t *t) {
    static const char body[] = "{\"name\":\"annex\",\"parent_id\":\"%lld\"}";
    struct api_server s;
    char area[96];
    int64_t probes = -1;
    api_server_start(&s, t);
    snprintf(area, sizeof area, body, (long long)s.estate.house);
    for (int i = 0; i < 3; i++) CHECK(t, api_ask(&s, NULL, "GET", "/readyz", NULL, NULL).status == 200);
    api_as_system(&s, count_probes, &probes);
    CHECK(t, probes == 0);
    atomic_store(&is_full, true);
    CHECK(t, api_ask(&s, s.chief, "POST", "/api/v1/areas", NULL, area).status == 503);
    CHECK(t, api_ask(&s, s.chief, "GET", "/api/v1/areas", NULL, NULL).status == 200);
    for (int i = 0; i < 2; i++) {
        struct api_got g = api_ask(&s, NULL, "GET", "/readyz", NULL, NULL);
        CHECK_SAY(t, g.status == 503 && !strcmp(api_at(&g, "checks.0.ok"), "false") && api_at(&g, "checks.0.detail")[0],
                  "%d %s", g.status, api_at(&g, "checks"));
    }
    atomic_store(&is_full, false);
    CHECK(t, api_ask(&s, NULL, "GET", "/readyz", NULL, NULL).status == 200);
    CHECK(t, api_ask(&s, s.chief, "POST", "/api/v1/areas", NULL, area).status == 201);
    api_server_stop(&s);
}

static void a_full_disk_is_not_ready_until_it_takes_writes_again(struct t *t) {
    real = io_real();
    struct io io = real;
    io.write = write_if_room;
    CHECK(t, !io_vfs_register("filling", &io, &t->fault));
    api_on_vfs(t, "filling", over_a_disk_that_fills);
    io_vfs_unregister("filling");
}

TESTS(CASE(a_full_disk_is_not_ready_until_it_takes_writes_again))
