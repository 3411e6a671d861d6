/* linli bench codec: processor time of a typical frame, split, decoded and answered.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "main/bench/bench.h"

#include "protocol/codec.h"
#include "protocol/frame_json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS      200000
#define ARENA_BYTES ((size_t)1 << 20)

/* Of the protocols' sheets: a fire, an energy, a water and a heat meter, a station with five factors, a watch's alarm,
 * a vehicle's place. */
static const struct typical {
    const char *figure, *codec, *hex, *text;
} typicals[] = {
    {"gb26875_ns", "gb26875",
     "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 30 00 02 02 01 01 01 28 0A "
     "00 02 00 02 00 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 00 02 "
     "3A 09 1A 09 0C 46 23 23",
     NULL},
    {"dlt645_ns", "dlt645", "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16", NULL},
    {"cjt188_water_ns", "cjt188",
     "FE FE FE FE 68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84 "
     "13 16",
     NULL},
    {"cjt188_heat_ns", "cjt188",
     "FE FE 68 20 44 33 22 11 00 33 78 81 2E 1F 90 01 78 56 34 12 05 90 78 56 34 05 00 12 00 00 17 50 34 12 00 35 78 "
     "56 34 12 2C 50 55 00 25 40 00 56 04 00 31 01 22 11 05 15 20 00 00 23 16",
     NULL},
    {"hj212_ns", "hj212", NULL,
     "##0252QN=20261121083000000;ST=39;CN=2011;PW=123456;MN=440300ESTATE000000000001;Flag=5;CP=&&DataTime="
     "20261121083000;a34004-Rtd=35.2,a34004-Flag=N;a34002-Rtd=61.0,a34002-Flag=N;a01001-Rtd=21.5,a01001-Flag=N;"
     "a01002-Rtd=55.1,a01002-Flag=N;LA-Rtd=52.3,LA-Flag=N&&1B00\r\n"},
    {"watch_ns", "watch", NULL,
     "[3G*8800000015*0069*AL,211126,003000,A,22.543096,N,114.057865,E,0.00,0.0,0.0,8,90,55,1200,0,00200000,1,255,460,0,"
     "9340,3663,35]"},
    {"jt808_ns", "jt808",
     "7E 02 00 00 2F 01 35 78 88 88 88 00 B6 00 00 00 00 00 00 00 03 01 59 72 B4 06 CB F6 B8 02 23 00 00 00 01 16 06 "
     "13 "
     "17 57 13 01 04 00 00 00 00 03 02 00 00 EB 07 00 05 00 01 01 67 08 B3 7E",
     NULL},
};

static int64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool take(const struct codec *c, struct bytes whole, struct arena *a) {
    struct decoded d;
    struct wire_error e;
    char answer[512];
    struct buf b;
    size_t len = 0;
    buf_init(&b, answer, sizeof answer);
    if (c->frame(whole, &len) != FRAME_WHOLE || len != whole.len || !c->decode(whole, a, &d, &e)) return false;
    if (c->reply) c->reply(whole, true, 0, &b);
    return d.readings_n + d.events_n > 0;
}

static enum err run_one(const struct typical *y, struct arena *a, double *ret_ns, struct fault *f) {
    const struct codec *c = codec_find(str_of(y->codec));
    struct arena keep;
    struct bytes whole = {(const uint8_t *)y->text, y->text ? strlen(y->text) : 0};
    arena_init(&keep, ARENA_BYTES);
    bool ok = c && (y->text || frame_unhex(&keep, str_of(y->hex), &whole));
    int64_t begin = cpu_ns();
    for (int i = 0; ok && i < ROUNDS && !bench_is_stopped; i++) {
        ok = take(c, whole, a);
        arena_reset(a);
    }
    *ret_ns = (double)(cpu_ns() - begin) / ROUNDS;
    arena_finish(&keep);
    return ok ? OK : FAIL(f, ERR_INTERNAL, "bench", "%s: its frame does not decode", y->codec);
}

static enum err run(const struct bench_options *o, struct figures *ret, struct fault *f) {
    struct arena a;
    enum err e = OK;
    (void)o;
    arena_init(&a, ARENA_BYTES);
    for (size_t i = 0; !e && i < COUNT(typicals); i++) {
        double ns = 0;
        e = run_one(&typicals[i], &a, &ns, f);
        if (!e) figure_put(ret, typicals[i].figure, ns, 0, "ns");
    }
    arena_finish(&a);
    return e;
}

const struct bench bench_codec = {"codec", "processor time of a typical frame of each protocol", run};
