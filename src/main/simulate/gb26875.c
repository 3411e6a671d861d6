/* A fire panel's transmission device: heartbeats, pressures, fires and faults that come and go, operators; states and
 * records for those who ask, a clock that can be set, a guard who answers when he is called.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/gb26875/gb26875.h"
#include "base/gb18030.h"
#include "main/simulate/simulate.h"

#define CHINA_S (8 * 3600) /* panels keep local time */
#define CENTRE  1
#define LOOP    2 /* the detector's address: loop and number */

#define GUARD_MS    2000 /* the guard needs so long to answer, and up to twice as long again */
#define RECORDS_MAX 8    /* of one answer */
#define RECORD_S    3600 /* from one to the next */
#define OBJECTS_MAX 102
#define CALLED      (1u << 5) /* operations: the duty check was answered */
#define TEST        (1u << 6)
#define ARENA_BYTES ((size_t)64 * 1024)

static int64_t clock_s(const struct sim_device *d, int64_t now_ms) {
    return now_ms / 1000 + CHINA_S + d->shift_s;
}

static uint16_t state_of(const struct sim_device *d) {
    return (uint16_t)(1 | d->in_fire << 1 | d->in_fault << 2);
}

static struct gb26875_object part_of(struct sim_device *d, int64_t now_s) {
    return (struct gb26875_object){.system = 1,
                                   .system_address = 1,
                                   .component = 40,
                                   .component_address = (uint32_t)(LOOP << 16 | (10 + sim_random(d) % 3)),
                                   .time = gb26875_time_of(now_s)};
}

/* One of the things that a panel says; 0: a heartbeat, which has no data. */
static uint8_t choose(struct sim_device *d, bool is_called, struct gb26875_object *o) {
    if (is_called) {
        o->state = CALLED;
        o->operator_id = 1;
        return 24;
    }
    switch (sim_random(d) % 10) {
    case 0:
        d->in_fire = !d->in_fire;
        o->state = state_of(d);
        return 2;
    case 1:
        d->in_fault = !d->in_fault;
        o->state = state_of(d);
        return 2;
    case 2:
        o->state = (uint16_t)(1 | (sim_random(d) % 4 == 0) << 3); /* mains lost, now and then */
        return 21;
    case 3:
        o->state = (uint16_t)(sim_random(d) % 8 ? 1u << sim_random(d) % 5 : TEST);
        o->operator_id = (uint8_t)(1 + sim_random(d) % 9);
        return 24;
    case 4:
    case 5:
    case 6:
        o->system = 11; /* hydrants: a pressure of 0.3 to 0.5 MPa */
        o->component = 99;
        o->component_address = 65541;
        o->analogue = 4;
        o->value = (int16_t)(3 + sim_random(d) % 3);
        return 3;
    default: return 0;
    }
}

static bool speak(const struct sim_options *opt, struct sim_device *d, int64_t now_ms, struct buf *out) {
    int64_t now_s = clock_s(d, now_ms);
    struct gb26875_object o = part_of(d, now_s);
    bool is_called = d->owes_ms && now_ms >= d->owes_ms;
    if (is_called) d->owes_ms = 0;
    uint8_t type = choose(d, is_called, &o);
    char text[32], data[64];
    struct buf words, objects;
    buf_init(&words, text, sizeof text); /* 31 bytes fit */
    if (!gb18030_from_utf8(str_of(opt->description), &words) || words.overflow) return false;
    o.text = (struct bytes){(const uint8_t *)text, words.len};
    buf_init(&objects, data, sizeof data);
    if (type) gb26875_put_objects(type, &o, 1, &objects);
    struct gb26875_frame f = {.serial = d->serial,
                              .version = {1, 1},
                              .time = gb26875_time_of(now_s),
                              .source = (uint64_t)opt->first + d->index,
                              .destination = CENTRE,
                              .command = GB26875_SEND,
                              .data = {(const uint8_t *)data, objects.len}};
    gb26875_encode(&f, out);
    return !out->overflow && !objects.overflow;
}

/* What is damaged is denied (clause 6.5), so it is answered, too. */
static enum sim_heard hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    struct gb26875_frame f;
    struct wire_error e;
    enum frame what = gb26875_split(in, ret_used);
    if (what == FRAME_SHORT) return SIM_NOTHING;
    if (what == FRAME_SKIP) return SIM_OTHER;
    if (!gb26875_decode((struct bytes){in.ptr, *ret_used}, &f, &e)) return SIM_ASKED;
    *ret_serial = f.serial;
    if (f.command == GB26875_REQUEST || f.command == GB26875_CONTROL) return SIM_ASKED;
    return f.command == GB26875_CONFIRM ? SIM_CONFIRMED : f.command == GB26875_DENY ? SIM_DENIED : SIM_OTHER;
}

/* ---- what it is asked and told ---- */

/* Makes of one that asks the object that answers it. */
static void fill(struct sim_device *d, int64_t now_s, struct gb26875_object *o) {
    static const char words[] = "linli simulate";
    o->time = gb26875_time_of(now_s);
    o->state = o->type == 81 ? 1 : state_of(d);
    o->component = o->type == 63 ? 99 : 40;
    o->analogue = 4;
    o->value = (int16_t)(3 + sim_random(d) % 3);
    o->major = 2;
    o->minor = 1;
    o->text = (struct bytes){(const uint8_t *)words, sizeof words - 1};
}

/* Records of operations: as many as were asked for, from the time on that was said, and none that is still to come. */
static size_t put_records(const struct gb26875_object *asked, int64_t now_s, struct gb26875_object *ret) {
    int64_t from_s;
    size_t n = 0;
    if (!gb26875_time_s(asked->time, &from_s)) return 0;
    for (; n < RECORDS_MAX && n < asked->records && from_s <= now_s; n++, from_s += RECORD_S) {
        ret[n] = *asked;
        ret[n].state = n % 2 ? 1u << 1 : 1; /* reset, silenced */
        ret[n].operator_id = 1;
        ret[n].time = gb26875_time_of(from_s);
    }
    return n;
}

/* The type of the answer's data; 0: this cannot be asked. */
static uint8_t read_out(struct sim_device *d, int64_t now_s, struct gb26875_object *all, size_t *n) {
    uint8_t type = all[0].type;
    if (type == 64 || type == 84) {
        struct gb26875_object asked = all[0];
        *n = put_records(&asked, now_s, all);
        return *n ? type - 60 : 0;
    }
    if (type < 61 || type > 88) return 0;
    for (size_t i = 0; i < *n; i++) fill(d, now_s, &all[i]);
    return type - 60;
}

static bool obey(const struct sim_options *opt, struct sim_device *d, const struct gb26875_object *o, int64_t now_ms) {
    int64_t s;
    switch (o->type) {
    case 89: d->in_fire = d->in_fault = false; return true;
    case 90:
        if (!gb26875_time_s(o->time, &s)) return false;
        d->shift_s += s - clock_s(d, now_ms);
        return true;
    case 91:
        if (!(opt->faults >> SIM_ABSENT & 1))
            d->owes_ms = now_ms + GUARD_MS + (int64_t)(sim_random(d) % (2 * GUARD_MS));
        return true;
    default: return false;
    }
}

/* What is meant for another is not answered; what it cannot do, and what is damaged, is denied. */
static bool answer(const struct sim_options *opt, struct sim_device *d, struct bytes heard, struct buf *out) {
    struct gb26875_frame f, back = {.version = {1, 1}, .source = (uint64_t)opt->first + d->index};
    const struct gb26875_object *asked;
    struct gb26875_object all[OBJECTS_MAX];
    struct bytes rest;
    struct wire_error e;
    struct arena arena;
    struct buf data;
    char mem[GB26875_DATA_MAX + 1];
    size_t n = 0;
    int64_t now_ms = opt->world->utc_ms(opt->world->self);
    uint8_t type = 0;
    bool is_done = false;
    if (!gb26875_decode(heard, &f, &e)) {
        gb26875_codec.reply(heard, false, clock_s(d, now_ms), out);
        return !out->overflow;
    }
    if (f.destination != back.source) return true;
    arena_init(&arena, ARENA_BYTES);
    if (!gb26875_objects(&f, &arena, &asked, &n, &rest, &e)) n = 0;
    for (size_t i = 0; i < n && i < OBJECTS_MAX; i++) all[i] = asked[i];
    arena_finish(&arena);
    buf_init(&data, mem, sizeof mem);
    if (n && f.command == GB26875_CONTROL) is_done = obey(opt, d, all, now_ms);
    if (n && f.command == GB26875_REQUEST) type = read_out(d, clock_s(d, now_ms), all, &n);
    if (type) gb26875_put_objects(type, all, n, &data);
    back.serial = f.serial;
    back.destination = f.source;
    back.time = gb26875_time_of(clock_s(d, now_ms));
    back.command = type ? GB26875_ANSWER : is_done ? GB26875_CONFIRM : GB26875_DENY;
    back.data = (struct bytes){(const uint8_t *)mem, data.len};
    gb26875_encode(&back, out);
    return !data.overflow && !out->overflow;
}

const struct sim_protocol sim_gb26875 = {.name = "gb26875",
                                         .port = 26875,
                                         .faults = SIM_WIRE_FAULTS | 1u << SIM_ABSENT | 1u << SIM_DRIFT,
                                         .sum_at = 3,
                                         .speak = speak,
                                         .hear = hear,
                                         .answer = answer};
