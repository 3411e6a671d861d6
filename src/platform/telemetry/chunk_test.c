/* Chunks: any points come back the same, bit by bit, and damage is seen.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/chunk_internal.h"
#include "tests/lib/test.h"

#include <math.h>
#include <string.h>

#define ROUNDS 400

struct room {
    int64_t at[CHUNK_POINTS_MAX];
    double value[CHUNK_POINTS_MAX];
    uint8_t quality[CHUNK_POINTS_MAX];
    uint8_t bytes[CHUNK_BYTES_MAX];
};

static struct points points_of(struct room *r, size_t n) {
    return (struct points){r->at, r->value, r->quality, n};
}

static struct room *rooms(struct t *t) {
    return arena_new(&t->arena, struct room, 2);
}

static size_t encode_and_compare(struct t *t, struct room *in, struct room *out, size_t n, const char *what) {
    struct points p = points_of(in, n), q = points_of(out, 0);
    struct chunk_head h;
    size_t len = chunk_encode(77, &p, in->bytes);
    CHECK_SAY(t, len <= CHUNK_BYTES_MAX && len % 8 == 0, "%s: %zu bytes", what, len);
    bool ok =
        chunk_head_read((struct bytes){in->bytes, len}, &h) && chunk_bytes(&h) == len && h.series == 77 && h.count == n;
    CHECK_SAY(t, ok, "%s: head", what);
    CHECK_SAY(t, ok && chunk_decode(&h, in->bytes, &q) && q.n == n, "%s: body", what);
    CHECK_SAY(t, !memcmp(in->at, out->at, n * sizeof in->at[0]), "%s: times", what);
    CHECK_SAY(t, !memcmp(in->value, out->value, n * sizeof in->value[0]), "%s: values", what);
    CHECK_SAY(t, !memcmp(in->quality, out->quality, n), "%s: qualities", what);
    return len;
}

static double any_double(struct t *t) {
    uint64_t bits = test_random(t);
    return double_of(bits);
}

static const double special[] = {
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    -0.3,
    1e-12,
    1e12,
    123456789.012,
    1e15,
    1e300,
    -1e-300,
    4.9e-324,
    INFINITY,
    -INFINITY,
    5e-5,
    9007199254740991.0,
    9007199254740993.0,
    1.0 / 3,
    21.4,
    21.5,
    1e-13,
    2.2250738585072014e-308,
};

static void any_doubles_come_back_bit_by_bit(struct t *t) {
    struct room *r = rooms(t);
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = 1 + test_random(t) % CHUNK_POINTS_MAX;
        int kind = (int)(test_random(t) % 6);
        int64_t at = (int64_t)(test_random(t) % INT64_C(4000000000000)) - INT64_C(1000000000000);
        int64_t span = INT64_C(1) << (test_random(t) % 21);
        for (size_t i = 0; i < n; i++, at += 1 + (int64_t)(test_random(t) % (uint64_t)span)) {
            r->at[i] = at;
            r->quality[i] = kind == 3 ? (uint8_t)test_random(t) : test_random(t) % 50 == 0;
            double steps = (double)(int64_t)(test_random(t) % 2000) - 1000;
            r->value[i] = kind == 0   ? any_double(t)
                          : kind == 1 ? steps / 10
                          : kind == 2 ? 42.0
                          : kind == 3 ? special[test_random(t) % COUNT(special)]
                          : kind == 4 ? steps * 1.1
                                      : (test_random(t) % 9 ? steps / 1000 : NAN);
        }
        encode_and_compare(t, &r[0], &r[1], n, "random");
        if (t->failed) break;
    }
}

static void each_special_value_comes_back(struct t *t) {
    struct room *r = rooms(t);
    for (size_t i = 0; i < COUNT(special); i++) {
        r->at[0] = INT64_MIN / 2;
        r->value[0] = special[i];
        encode_and_compare(t, &r[0], &r[1], 1, "special");
    }
    r->value[0] = double_of(UINT64_C(0x7ff8000000000000));
    encode_and_compare(t, &r[0], &r[1], 1, "NaN");
}

/* Bytes a point, the head included, of 1,000 points: what sensors of each kind cost. */
static void steady_sensors_are_small(struct t *t) {
    static const struct {
        const char *what;
        double step;
        uint64_t moves; /* values it may step to, 1: it stands still */
        size_t most;
    } rows[] = {
        {"constant", 0.1, 1, 72},
        {"tenths that move by up to 0.3", 0.1, 7, 480},
        {"counts", 1, 3, 350},
        {"hundredths that move by up to 10", 0.01, 2001, 1500},
    };
    struct room *r = rooms(t);
    for (size_t k = 0; k < COUNT(rows); k++) {
        int64_t level = 200;
        for (size_t i = 0; i < CHUNK_POINTS_MAX; i++) {
            r->at[i] = INT64_C(1790000000000) + (int64_t)i * 60000;
            level += (int64_t)(test_random(t) % rows[k].moves) - (int64_t)(rows[k].moves / 2);
            r->value[i] = (double)level / (1 / rows[k].step);
            r->quality[i] = 0;
        }
        size_t n = encode_and_compare(t, &r[0], &r[1], CHUNK_POINTS_MAX, rows[k].what);
        CHECK_SAY(t, n <= rows[k].most, "%s: %zu bytes", rows[k].what, n);
    }
}

static void a_summary_leaves_out_what_is_no_value(struct t *t) {
    struct room *r = rooms(t);
    const double values[] = {NAN, 3, -1, 2, NAN};
    struct points p = points_of(r, COUNT(values));
    struct chunk_head h;
    for (size_t i = 0; i < COUNT(values); i++) {
        r->at[i] = 1000 + (int64_t)i;
        r->value[i] = values[i];
    }
    r->quality[4] = 9;
    struct bytes whole = {r->bytes, chunk_encode(1, &p, r->bytes)};
    CHECK(t, chunk_head_read(whole, &h) && h.count == 5 && h.valid == 3 && h.min == -1 && h.max == 3 && h.sum == 4);
    CHECK(t, isnan(h.first) && isnan(h.last) && h.first_ms == 1000 && h.last_ms == 1004 && h.last_quality == 9);
}

static void no_damaged_byte_goes_unseen(struct t *t) {
    struct room *r = rooms(t);
    for (size_t i = 0; i < 50; i++) {
        r->at[i] = INT64_C(1790000000000) + (int64_t)(i * i) * 1000;
        r->value[i] = (double)(i % 7) / 10;
        r->quality[i] = i == 3;
    }
    struct points p = points_of(r, 50), q = points_of(&r[1], 0);
    struct chunk_head h;
    size_t len = chunk_encode(5, &p, r->bytes);
    (void)chunk_head_read((struct bytes){r->bytes, len}, &h);
    size_t used = (size_t)h.head_len + h.body_len;
    for (size_t i = 0; i < used; i++) {
        r->bytes[i] ^= (uint8_t)(1 << (i % 8));
        bool ok = chunk_head_read((struct bytes){r->bytes, len}, &h) && chunk_decode(&h, r->bytes, &q);
        CHECK_SAY(t, !ok, "byte %zu of %zu", i, len);
        r->bytes[i] ^= (uint8_t)(1 << (i % 8));
    }
}

/* A body whose sum is right but whose head lies: nothing outside is touched, nothing wrong is given for right. */
static void a_body_that_lies_is_refused(struct t *t) {
    struct room *r = rooms(t);
    for (int round = 0; round < ROUNDS * 20; round++) {
        uint8_t *body = arena_alloc(&t->arena, 64, 1, 1); /* of its own, so that a sanitizer sees every step outside */
        struct points q = points_of(r, 0);
        size_t n = test_random(t) % 64;
        if (!body) break;
        for (size_t i = 0; i < n; i++) body[i] = test_random(t) % 3 ? (uint8_t)test_random(t) : 0;
        struct chunk_head h = {.count = (uint16_t)(1 + test_random(t) % CHUNK_POINTS_MAX), .body_len = (uint16_t)n};
        h.times_len = (uint16_t)(test_random(t) % (n + 1));
        h.values_len = (uint16_t)(test_random(t) % (n - h.times_len + 1));
        h.coding = (uint8_t)(test_random(t) % 4);
        h.scale = (uint8_t)(test_random(t) % 16);
        h.body_sum = chunk_sum(body, n);
        if (!chunk_decode(&h, body, &q)) continue;
        CHECK(t, q.n == h.count && q.at[0] == h.first_ms && q.at[q.n - 1] == h.last_ms);
    }
}

TESTS(CASE(any_doubles_come_back_bit_by_bit), CASE(each_special_value_comes_back), CASE(steady_sensors_are_small),
      CASE(a_summary_leaves_out_what_is_no_value), CASE(no_damaged_byte_goes_unseen), CASE(a_body_that_lies_is_refused))
