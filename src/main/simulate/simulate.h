/* Devices of the field, played against any server: connections, pace, answers waited for, things that go wrong on a
 * line.  What a device says is its protocol's row.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_SIMULATE_SIMULATE_H
#define LINLI_MAIN_SIMULATE_SIMULATE_H

#include "base/clock.h"
#include "base/err.h"
#include "protocol/codec.h"

#define SIM_DEVICES_MAX 2000
#define SIM_FRAME_MAX   2048
#define SIM_METRICS_MAX 16
#define SIM_TRIES       3     /* clause 6.5 of GB/T 26875.3; others do well with it */
#define SIM_WAIT_MS     10000 /* for an answer, then it is said again */

#define SIM_ANSWER_MAX 16384 /* bytes of all that one question brings */
#define SIM_TOLD_MAX   4
#define SIM_KEPT_MAX   1400 /* bytes of a message in parts */

/* What goes wrong; each message suffers one of those on the wire that are asked for, in turn. */
enum sim_fault {
    SIM_NOISE,
    SIM_SPLIT,
    SIM_MERGE,
    SIM_BADSUM,
    SIM_LOST,
    SIM_REPLAY,
    SIM_STORM,  /* it is said SIM_STORM_TIMES at once */
    SIM_ABSENT, /* nobody is there who would do what people are to do */
    SIM_DRIFT,  /* with each message the clock walks away by up to SIM_DRIFT_S, and instruments do */
    SIM_FAULTS
};
#define SIM_WIRE_FAULTS ((1u << SIM_ABSENT) - 1)
#define SIM_PUSH_FAULTS (1u << SIM_SPLIT | 1u << SIM_MERGE | 1u << SIM_REPLAY | 1u << SIM_STORM | 1u << SIM_DRIFT)
#define SIM_STORM_TIMES 40
#define SIM_DRIFT_S     60
extern const char *const sim_fault_names[SIM_FAULTS];

struct sim_credential {
    struct str user, password, topic;
};
struct sim_metric {
    struct str name;
    double low, high;
};
struct sim_options {
    char host[46]; /* numeric */
    int port;
    int64_t count, rate; /* messages of all devices; a second, 0: as fast as they are answered */
    size_t devices;
    uint64_t seed;
    uint32_t faults;            /* bits 1 << enum sim_fault */
    int64_t first;              /* number of the first device where numbers name them */
    const char *description;    /* of the part that reports, UTF-8 */
    const char *key;            /* of the address that is pushed to */
    const char *secret;         /* that pushes are signed with */
    const char *topic;          /* that all topics begin with, where a convention lets it be chosen; NULL: its own */
    const char *plates, *cards; /* that come, commas between; NULL: made up ones */
    const char *forms;          /* of the protocol, which devices speak in turn, commas between; NULL: all it has */
    const struct sim_credential *credentials;
    const struct sim_metric *metrics;
    size_t metrics_n;
    const struct world *world;
};
struct sim_protocol;
struct sim_device {
    const struct sim_protocol *protocol;
    size_t index;
    uint64_t random; /* state of its own chance */
    uint16_t serial; /* of the last message */
    bool in_fire, in_fault;
    double values[SIM_METRICS_MAX];
    int64_t shift_s;            /* its clock, as it was set and as it drifts, is ahead of the right time by so much */
    int drifted;                /* thousandths by which its instruments show too much; less than nothing: too little */
    int64_t owes_ms;            /* from then on speak() has something that is due; 0: nothing */
    uint8_t kept[SIM_KEPT_MAX]; /* of the last message in parts, which may be asked for again */
    size_t kept_n;
    uint16_t kept_serial;       /* of its first part */
    bool is_left_out;           /* a part of it, until it is asked for */
    int64_t told[SIM_TOLD_MAX]; /* what it was told to be, as its protocol counts; 0: nothing yet */
};
/* ---- device.c */
uint64_t sim_next(uint64_t *random);
uint64_t sim_random(struct sim_device *d);
/* The fault whose turn it is, of bits below `none`; none: there are none. */
int sim_fault_of(uint32_t faults, int none, size_t *turn);
#define SIM_NOISE_MAX 24
size_t sim_noise(uint64_t *random, uint8_t ret[SIM_NOISE_MAX]);
int64_t sim_clock_ms(const struct sim_device *d, int64_t now_ms);
/* The next step of SIM_DRIFT: every other device is ahead and shows too much, the rest are behind and show too little.
 */
void sim_drift(struct sim_device *d);
struct sim_range {
    int start, low, high, wander;
};
/* What the instrument shows of values[i], which walks; 0 there: it starts. */
int sim_walk(struct sim_device *d, size_t i, const struct sim_range *r);
struct str sim_one_of(struct sim_device *d, const char *list); /* commas between; absent: there is none */
/* One of the plates that come, else one that is made up. */
void sim_put_plate(const struct sim_options *o, struct sim_device *d, struct buf *out);
/* Which form of its protocol it speaks. */
struct str sim_form(const struct sim_options *o, const struct sim_device *d);
int64_t sim_number(const struct sim_options *o, const struct sim_device *d);
void sim_put_name(const struct sim_options *o, const struct sim_device *d, struct buf *out); /* linli-889 */
void sim_put_local(struct buf *out, int64_t at_ms); /* 2026-11-24T10:42:00 in China */

/* HOST, HOST:PORT or [HOST]:PORT; names are looked up once.  Without a port: `port`; 0 is one where it may be any. */
bool sim_address(const char *text, int port, bool may_be_any, char ret_host[46], int *ret_port);

enum sim_heard {
    SIM_NOTHING /* more bytes are needed */,
    SIM_OTHER,
    SIM_READY,
    SIM_CONFIRMED,
    SIM_NEXT_CONFIRMED /* what was said first of what is not answered yet */,
    SIM_DENIED,
    SIM_REFUSED,
    SIM_ASKED /* the device answers at once */
};
struct sim_figures {
    int64_t sent, confirmed, denied, repeated, unanswered, connections, faults[SIM_FAULTS];
    int64_t asked;                           /* of devices that are asked */
    int64_t took_ms, p50_us, p99_us, max_us; /* from the last byte of a message to its last answer */
};
void sim_sum_up(struct sim_figures *f, uint32_t *times_us, size_t n); /* sorts the times */

struct sim_convention;
struct sim_protocol {
    const char *name;
    const char *forms; /* commas between, the usual one first; NULL: there is but one */
    int port;
    uint32_t faults;    /* those that make sense */
    size_t sum_at;      /* of SIM_BADSUM: the byte, counted from the frame's end */
    bool needs_account; /* credentials */
    bool needs_key, needs_secret;
    const struct sim_protocol *with_account; /* what it is where there are credentials; NULL: they are not used */
    /* Of those that push: the body of the next push; *ret_below: what of the address stands behind its key. */
    bool (*push)(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                 const char **ret_below);
    const struct sim_convention
        *convention; /* of those that speak over MQTT, talk.h; an account is as the broker wants */
    /* NULL: nothing is said before the first message. */
    bool (*greet)(const struct sim_options *o, struct sim_device *d, struct buf *out);
    bool (*speak)(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out);
    enum sim_heard (*hear)(struct bytes in, size_t *ret_used, uint16_t *ret_serial);
    /* What a device says to `heard`, on which hear() gave SIM_ASKED; it may be nothing.  NULL: that it never gives. */
    bool (*answer)(const struct sim_options *o, struct sim_device *d, struct bytes heard, struct buf *out);
    /* Devices that are asked: they are at host and port, until `count` questions came, or they are stopped.  NULL: they
     * speak to whoever is there. */
    enum err (*run)(const struct sim_options *o, struct sim_figures *ret, struct fault *f);
};
/* ---- faults.c: names with commas between; absent: none.  False: which of them is none of this protocol's, why, and
 * which are. */
#define SIM_WHY_MAX 300
bool sim_faults_read(const struct sim_protocol *p, const char *list, uint32_t *ret, char why[SIM_WHY_MAX]);
/* ---- push.c: a body over HTTP; the number of the message is its trace, which the answer repeats */
bool sim_push(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out);
enum sim_heard sim_push_hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial);
struct str sim_push_body(struct bytes answer); /* of one that was heard */
#define SIM_PUSHES(of) \
    .port = 8080, .faults = SIM_PUSH_FAULTS, .needs_key = true, .push = of, .speak = sim_push, .hear = sim_push_hear

extern const struct sim_protocol sim_bacnet, sim_chirpstack, sim_ctwing, sim_door, sim_door_mqtt, sim_esphome,
    sim_gb26875, sim_hj212, sim_homeassistant, sim_itsapi, sim_jt808, sim_lift, sim_mqtt, sim_onenet, sim_sparkplug,
    sim_tasmota, sim_ttn, sim_vz, sim_watch, sim_zigbee2mqtt;

/* Plays until every message is answered or given up.  ERR_UNAVAILABLE: nobody is there, or the account is refused. */
NODISCARD enum err sim_run(const struct sim_protocol *p, const struct sim_options *o, struct sim_figures *ret,
                           struct fault *f);

#endif
