/* Forms of a protocol that are played: watches of several makers, vehicles of several years, and messages in parts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/simulate.h"
#include "protocol/jt808/jt808.h"
#include "tests/lib/test.h"

#include <string.h>

#define NOW_MS INT64_C(1795221000000)

struct play {
    struct t *t;
    const struct sim_protocol *sim;
    const struct codec *codec;
    struct world_sim clock;
    struct world world;
    struct sim_options o;
    struct sim_device d;
    char device[24]; /* as what it says has it; empty: nothing did */
    struct jt808_parts parts;
};

static void begin(struct play *p, struct t *t, const struct sim_protocol *sim, const char *form, uint32_t faults) {
    memset(p, 0, sizeof *p);
    p->t = t;
    p->sim = sim;
    p->codec = codec_find(str_of(sim->name));
    p->clock.utc_ms = NOW_MS;
    p->world = world_sim(&p->clock);
    p->o = (struct sim_options){.first = 889, .faults = faults, .world = &p->world, .forms = form};
    p->d = (struct sim_device){.protocol = sim, .random = 1};
}

/* What the server answers to all frames of what was said; decodes each. */
static struct bytes serve(struct play *p, struct buf said, size_t *ret_frames) {
    struct buf back;
    size_t len = 0;
    *ret_frames = 0;
    buf_init_arena(&back, &p->t->arena, SIM_ANSWER_MAX);
    for (size_t at = 0; at < said.len; at += len) {
        struct bytes rest = {(const uint8_t *)said.ptr + at, said.len - at};
        struct decoded d = {0};
        struct wire_error e = {"", 0};
        CHECK(p->t, p->codec->frame(rest, &len) == FRAME_WHOLE);
        bool ok = p->codec->decode((struct bytes){rest.ptr, len}, &p->t->arena, &d, &e);
        CHECK_SAY(p->t, ok, "%.*s: %s", (int)len, (const char *)rest.ptr, e.rule);
        p->codec->reply((struct bytes){rest.ptr, len}, ok, NOW_MS / 1000 + 8 * 3600, &back);
        if (d.sender.len && d.sender.len < sizeof p->device) memcpy(p->device, d.sender.ptr, d.sender.len);
        ++*ret_frames;
    }
    return (struct bytes){(const uint8_t *)back.ptr, back.len};
}

static struct buf room(struct play *p) {
    struct buf b;
    buf_init_arena(&b, &p->t->arena, SIM_ANSWER_MAX);
    return b;
}

/* How often each was heard in the answers; what is asked is answered, and that served in turn. */
static void hear(struct play *p, struct bytes in, size_t heard[SIM_ASKED + 1], uint16_t *ret_serial) {
    size_t used = 0, frames;
    for (; in.len; in = (struct bytes){in.ptr + used, in.len - used}) {
        enum sim_heard what = p->sim->hear(in, &used, ret_serial);
        struct buf out = room(p);
        heard[what]++;
        if (what == SIM_NOTHING) return;
        if (what != SIM_ASKED) continue;
        CHECK(p->t, p->sim->answer(&p->o, &p->d, (struct bytes){in.ptr, used}, &out));
        if (out.len) hear(p, serve(p, out, &frames), heard, ret_serial);
    }
}

static void each_form_logs_in_and_is_answered(struct t *t) {
    static const struct {
        const struct sim_protocol *sim;
        const char *form, *device;
    } all[] = {{&sim_watch, "ZJ", "860000000000889"},
               {&sim_watch, "3G", "0000000889"},
               {&sim_watch, "SG", "0000000889"},
               {&sim_watch, "CS", "0000000889"},
               {&sim_watch, "IW", "860000000000889"},
               {&sim_jt808, "2013", "000000000889"},
               {&sim_jt808, "2019", "00000000000000000889"},
               {&sim_jt808, "2011", "000000000889"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct play p;
        size_t heard[SIM_ASKED + 1] = {0}, frames;
        uint16_t serial = 0;
        begin(&p, t, all[i].sim, all[i].form, 0);
        struct buf out = room(&p);
        CHECK(t, p.sim->greet(&p.o, &p.d, &out));
        hear(&p, serve(&p, out, &frames), heard, &serial);
        CHECK_SAY(t, heard[SIM_READY] == 1 && !heard[SIM_REFUSED], "%s: it does not log in", all[i].form);
        for (int k = 0; k < 300; k++) {
            memset(heard, 0, sizeof heard);
            out = room(&p);
            p.d.serial++;
            CHECK(t, p.sim->speak(&p.o, &p.d, NOW_MS, &out));
            hear(&p, serve(&p, out, &frames), heard, &serial);
            bool by_serial = heard[SIM_CONFIRMED] && serial == p.d.serial;
            CHECK_SAY(t, by_serial || heard[SIM_NEXT_CONFIRMED] == 1, "%s: %.*s", all[i].form, (int)out.len, out.ptr);
            CHECK(t, !heard[SIM_DENIED] && !heard[SIM_REFUSED] && !heard[SIM_OTHER]);
        }
        CHECK_SAY(t, !strcmp(p.device, all[i].device), "%s: %s", all[i].form, p.device);
    }
}

static void devices_speak_forms_in_turn(struct t *t) {
    struct play p;
    begin(&p, t, &sim_watch, "3G,IW", 0);
    p.d.index = 2;
    CHECK(t, str_is(sim_form(&p.o, &p.d), "3G"));
    p.d.index = 3;
    CHECK(t, str_is(sim_form(&p.o, &p.d), "IW"));
    p.o.forms = NULL;
    CHECK(t, str_is(sim_form(&p.o, &p.d), "SG")); /* the fourth of all */
}

/* Readings that the server has once it heard all that was said. */
static size_t joined(struct play *p, struct buf said) {
    size_t n = 0, len = 0;
    for (size_t at = 0; at < said.len; at += len) {
        struct bytes rest = {(const uint8_t *)said.ptr + at, said.len - at};
        struct decoded d = {0};
        struct wire_error e = {"", 0};
        CHECK(p->t, p->codec->frame(rest, &len) == FRAME_WHOLE);
        CHECK_SAY(p->t, jt808_hear(&p->parts, (struct bytes){rest.ptr, len}, 0, &p->t->arena, &d, &e), "%s", e.rule);
        n += d.readings_n;
    }
    return n;
}

/* A long batch comes in parts; one of them that was lost is said when it is asked for, and the message is awaited under
 * the serial of the last. */
static void a_batch_comes_in_parts(struct t *t) {
    static const char *const forms[] = {"2013", "2019"};
    for (size_t i = 0; i < COUNT(forms); i++)
        for (int loses = 0; loses < 2; loses++) {
            struct play p;
            int whole = 0, mended = 0;
            begin(&p, t, &sim_jt808, forms[i], loses ? 1u << SIM_LOST : 0);
            for (int k = 0; k < 1000; k++) {
                struct buf out = room(&p), again = room(&p), answer = room(&p);
                uint16_t before = ++p.d.serial, serial = 0;
                size_t frames, used, heard[SIM_ASKED + 1] = {0};
                struct wire_error e = {"", 0};
                CHECK(t, p.sim->speak(&p.o, &p.d, NOW_MS, &out));
                if (p.d.serial == before) continue;
                struct bytes back = serve(&p, out, &frames);
                size_t n = joined(&p, out);
                whole += n > 0;
                if (n) continue;
                CHECK(t, loses && frames == 1);
                hear(&p, back, heard, &serial);
                CHECK(t, serial != p.d.serial); /* it is not confirmed */
                CHECK(t, jt808_missing(&p.parts, JT808_AGAIN_MS, &again, &e) && again.len);
                back = (struct bytes){(const uint8_t *)again.ptr, again.len};
                CHECK(t, p.sim->hear(back, &used, &serial) == SIM_ASKED);
                CHECK(t, p.sim->answer(&p.o, &p.d, back, &answer));
                mended += joined(&p, answer) > 100;
                hear(&p, serve(&p, answer, &frames), heard, &serial);
                CHECK(t, serial == p.d.serial);
            }
            CHECK_SAY(t, whole > 5 && (mended > 5) == loses, "%s: %d whole, %d mended", forms[i], whole, mended);
        }
}

TESTS(CASE(each_form_logs_in_and_is_answered), CASE(devices_speak_forms_in_turn), CASE(a_batch_comes_in_parts))
