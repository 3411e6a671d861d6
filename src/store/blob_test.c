/* Bytes under their hash, on a disk that fills, lies and loses power.  SPDX-License-Identifier: Apache-2.0 */
#include "store/blob.h"
#include "tests/lib/test.h"

#include <string.h>

#define SIZE 3000

static struct bytes sample(uint8_t *mem) {
    for (size_t i = 0; i < SIZE; i++) mem[i] = (uint8_t)(i * 7);
    return (struct bytes){mem, SIZE};
}

static void what_was_put_comes_back_and_is_kept_once(struct t *t) {
    uint8_t mem[SIZE], back[SIZE];
    char hash[BLOB_HASH], again[BLOB_HASH];
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct blobs b = {&io, "files"};
    struct bytes bytes = sample(mem);
    CHECK(t, !blob_put(&b, bytes, hash, &t->fault));
    int64_t ops = io_sim_ops(sim);
    CHECK(t, !blob_put(&b, bytes, again, &t->fault) && !strcmp(hash, again));
    CHECK(t, io_sim_ops(sim) == ops); /* nothing was written again */
    CHECK(t, !blob_get(&b, hash, back, SIZE, &t->fault) && !memcmp(mem, back, SIZE));
    again[0] = again[0] == 'a' ? 'b' : 'a';
    CHECK(t, blob_get(&b, again, back, SIZE, &t->fault) == ERR_UNAVAILABLE);
    io_sim_destroy(sim);
}

static void damage_is_told(struct t *t) {
    uint8_t mem[SIZE], back[SIZE];
    char hash[BLOB_HASH], path[128];
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct blobs b = {&io, "files"};
    struct buf p;
    CHECK(t, !blob_put(&b, sample(mem), hash, &t->fault));
    buf_init(&p, path, sizeof path);
    buf_fmt(&p, "files/%.2s/%s", hash, hash);
    int64_t file = io.open(io.self, path, IO_WRITE);
    CHECK(t, file >= 0 && io.write(io.self, file, "x", 1, 100) == 1);
    io.close(io.self, file);
    CHECK(t, blob_get(&b, hash, back, SIZE, &t->fault) == ERR_CORRUPT);
    io_sim_destroy(sim);
}

/* After every operation, and for several ways the drive may leave what was not synced: once it was said to be kept, it
 * is; and whatever its name leads to is whole. */
static void power_may_fail_at_every_operation(struct t *t) {
    bool done = false;
    for (int64_t ops = 0; !done && ops < 100; ops++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            uint8_t mem[SIZE], back[SIZE];
            char hash[BLOB_HASH] = "";
            struct fault f = {0};
            struct io_sim *sim = io_sim_create(t->seed + seed);
            struct io io = io_sim_io(sim);
            struct blobs b = {&io, "files"};
            io_sim_cut_after(sim, ops);
            done = !blob_put(&b, sample(mem), hash, &f);
            io_sim_restart(sim, t->seed + seed);
            if (done) CHECK_SAY(t, !blob_get(&b, hash, back, SIZE, &f), "cut after %d: %s", (int)ops, f.text);
            CHECK_SAY(t, !blob_put(&b, sample(mem), hash, &f), "cut after %d, put again: %s", (int)ops, f.text);
            CHECK_SAY(t, !blob_get(&b, hash, back, SIZE, &f), "cut after %d, put again, get: %s", (int)ops, f.text);
            io_sim_destroy(sim);
        }
    CHECK(t, done);
}

static void a_full_disk_is_told_and_leaves_nothing_under_the_name(struct t *t) {
    uint8_t mem[SIZE], back[SIZE];
    char hash[BLOB_HASH] = "";
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct blobs b = {&io, "files"};
    io_sim_full_after(sim, SIZE / 2);
    CHECK(t, blob_put(&b, sample(mem), hash, &t->fault) == ERR_UNAVAILABLE && !strcmp(t->fault.code, "disk_full"));
    CHECK(t, !hash[0]);
    io_sim_full_after(sim, -1);
    CHECK(t, !blob_put(&b, sample(mem), hash, &t->fault) && !blob_get(&b, hash, back, SIZE, &t->fault));
    io_sim_destroy(sim);
}

static void types_are_told_by_the_bytes(struct t *t) {
    static const struct {
        struct str bytes;
        const char *type;
    } rows[] = {
        {S("\xff\xd8\xff\xe0"), "image/jpeg"},       {S("\x89PNG\r\n\x1a\n...."), "image/png"},
        {S("RIFF\x10\0\0\0WEBPVP8 "), "image/webp"}, {S("%PDF-1.7"), "application/pdf"},
        {S("漏水"), "text/plain; charset=utf-8"},    {S("\xff\xd8"), "application/octet-stream"},
        {S(""), "application/octet-stream"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str type = blob_type((struct bytes){(const uint8_t *)rows[i].bytes.ptr, rows[i].bytes.len});
        CHECK_SAY(t, str_is(type, rows[i].type), "row %zu: " STR_FMT, i, STR_ARG(type));
    }
}

TESTS(CASE(what_was_put_comes_back_and_is_kept_once), CASE(damage_is_told), CASE(types_are_told_by_the_bytes),
      CASE(power_may_fail_at_every_operation), CASE(a_full_disk_is_told_and_leaves_nothing_under_the_name))
