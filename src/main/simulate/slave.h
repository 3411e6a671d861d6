/* Devices of a line that speak when they are asked, played against any master: behind a gateway that we dial as, behind
 * one that listens, or on a serial port.  What they answer is their protocol's row.  SPDX-License-Identifier:
 * Apache-2.0
 */
#ifndef LINLI_MAIN_SIMULATE_SLAVE_H
#define LINLI_MAIN_SIMULATE_SLAVE_H

#include "base/clock.h"
#include "base/err.h"
#include "protocol/codec.h"

#define SLAVE_DEVICES_MAX 2000
#define SLAVE_WORDS       100 /* registers that remember what is written */
#define SLAVE_SAID_MAX    64
#define SLAVE_SLOW_MS     1500
#define SLAVE_DRIFT_MS    INT64_C(60000)
#define SLAVE_CHINA_S     (8 * 3600) /* their clocks show local time */

/* What goes wrong; each answer suffers one of those asked for, in turn. */
enum slave_fault {
    SLAVE_NOISE,  /* bytes in front of it */
    SLAVE_SPLIT,  /* it comes in pieces */
    SLAVE_MERGE,  /* the question comes back with it */
    SLAVE_BADSUM, /* its sum is wrong */
    SLAVE_LOST,   /* it does not come */
    SLAVE_SLOW,   /* it comes SLAVE_SLOW_MS later */
    SLAVE_REPLAY, /* the answer before comes again with it: in front, behind where it could be taken for this one */
    SLAVE_STORM,  /* it comes SIM_STORM_TIMES */
    SLAVE_DRIFT,  /* not in turn: with each its clock is SLAVE_DRIFT_MS more ahead, and its instruments show more */
    SLAVE_FAULTS
};
extern const char *const slave_fault_names[SLAVE_FAULTS];

struct slave_device {
    int64_t number; /* its address */
    uint64_t random;
    bool is_off; /* the relay is open, the valve closed: nothing flows, nothing is counted */
    int64_t off_since_ms, off_ms;
    bool moves; /* its valve, to the other end, where it is at moved_ms */
    int64_t moved_ms;
    bool is_drifting, is_of_1997; /* the latter: the edition of DL/T 645 */
    int64_t ahead_ms;             /* its clock */
    uint16_t coils, words[SLAVE_WORDS];
    size_t shown;                    /* cards that were held to it */
    int64_t shown_ms, open_until_ms; /* the last one; its door */
    uint8_t said[SLAVE_SAID_MAX];    /* its last answer, where it is said again to a question that is */
    size_t said_n;
    int64_t said_ms;
    uint8_t sequence; /* of it */
};
void slave_switch(struct slave_device *d, bool is_off, int64_t now_ms);
/* Hours in which something flowed, from 2026 to a moment that is not after now; negative: before. */
double slave_hours(const struct slave_device *d, int64_t at_ms, int64_t now_ms);
int64_t slave_clock_ms(struct slave_device *d, int64_t now_ms); /* once an answer: of what drifts it drifts */
double slave_around(struct slave_device *d, double middle, double wander); /* chance */

struct slave_line {
    struct slave_device *devices;
    size_t devices_n;
    const char *cards; /* that are held to readers, commas between; NULL: made up */
};
enum slave_heard { SLAVE_NOT_OURS, SLAVE_ANSWERS, SLAVE_REFUSES };
struct slave_protocol {
    const char *name;
    const struct codec *codec;
    uint32_t faults;                             /* those that make sense, bits 1 << enum slave_fault */
    size_t sum_at;                               /* of SLAVE_BADSUM: the byte, counted from the frame's end */
    void (*spoil)(uint8_t *frame, int64_t turn); /* instead, where there is no sum; NULL: there is one */
    int64_t first, last; /* numbers of devices: the first unless another is asked for, the last there can be */
    int baud;
    bool is_even; /* parity */
    /* Puts what the line answers to a whole frame. */
    enum slave_heard (*hear)(struct slave_line *line, struct bytes whole, int64_t now_ms, struct buf *out);
};
extern const struct slave_protocol slave_dlt645, slave_cjt188, slave_modbus, slave_modbus_rtu, slave_osdp;
const struct slave_protocol *slave_find(const char *name); /* NULL: there is none */

struct slave_options {
    enum { SLAVE_DIAL, SLAVE_LISTEN, SLAVE_SERIAL } reach;
    char host[46]; /* SLAVE_DIAL: numeric */
    int port;      /* SLAVE_LISTEN: 0 takes a free one */
    const char *serial;
    int baud;
    const char *greeting; /* SLAVE_DIAL: what the gateway says first; NULL: nothing */
    const char *cards;    /* of readers */
    const char *forms;    /* of dlt645: editions in turn, "2007,1997"; NULL: 2007 */
    int64_t count;        /* answers; 0: until a signal */
    size_t devices;
    int64_t first;
    uint64_t seed;
    uint32_t faults;
    const struct world *world;
    void (*listens)(int port); /* called once that is known */
};
struct slave_figures {
    int64_t heard, answered, refused, ignored, connections, took_ms, faults[SLAVE_FAULTS];
};
#define SLAVE_FRAME_MAX 300 /* of any of these protocols */
struct slave_answer {
    struct bytes question, frame, before; /* the answer before; absent: there was none */
    enum slave_fault fault;               /* SLAVE_FAULTS: nothing goes wrong */
    int64_t turn;                         /* how often it did */
};
/* What the nth says at the same time as those before: it begins a little later, and of two bits at once the zero is
 * heard. */
void slave_join(struct buf *out, size_t nth, struct bytes one);
void slave_put(const struct slave_protocol *p, const struct slave_answer *a, uint64_t *random, struct buf *out);
const char *slave_form(const char *forms, size_t nth); /* that of a device: what comes up to the next comma */
void slave_devices(struct slave_device *devices, size_t n, int64_t first, uint64_t seed);
/* Until SIGTERM, SIGINT, or so many answers.  ERR_UNAVAILABLE: nobody is there, or whoever is hangs up at once, three
 * times; the serial port is gone. */
NODISCARD enum err slave_run(const struct slave_protocol *p, const struct slave_options *o, struct slave_figures *ret,
                             struct fault *f);

/* faults.c: sim_faults_read() of such devices; room for SIM_WHY_MAX. */
bool slave_faults_read(const struct slave_protocol *p, const char *list, uint32_t *ret, char *why);
/* linli simulate NAME … of such devices. */
struct command;
int slave_command(const struct command *c, int argc, char **argv);
#define SLAVE_USAGE                                                                                                  \
    "cjt188, dlt645, modbus, modbus_rtu, osdp: devices on one line, which answer when they are asked, until a "      \
    "signal\n"                                                                                                       \
    "or --count N answers.\n\n"                                                                                      \
    "  --to ADDRESS:PORT   connects as a gateway (DTU) does;  --greeting TEXT  which it says first\n"                \
    "  --listen PORT       waits for the master on the loopback, as a serial server; 0 prints a free port\n"         \
    "  --serial PATH       sits on a serial port;  --baud N [2400, Modbus, OSDP 9600]\n"                             \
    "  --devices N [1], --first N   their addresses, one after the other [889; Modbus, OSDP 1]\n"                    \
    "  --faults LIST       an answer each in turn: noise,split,merge,badsum,lost,slow,replay,storm (badsum of\n"     \
    "                 modbus: a wrong transaction or length); of all of them but osdp's drift: the clock runs\n"     \
    "                 away, values rise\n\n"                                                                         \
    "  dlt645: energies, voltages, power, midnights; the relay obeys the password 02123456;\n"                       \
    "          --forms LIST   editions, in turn [2007], which 1997 may be\n"                                         \
    "  cjt188: a water meter with a valve, which takes 4 s\n"                                                        \
    "  modbus: input 0 voltage /10, 1 current /100, 2 power f32, 4 energy u32 Wh, 6 temperature s16 /10,\n"          \
    "          7 coils; the same at holding 100; holding 0 to 99 keep what is written; coil 0 cuts the power\n"      \
    "  osdp: every 5 s a card of --cards N,N in turn (else a made up one) is held to each reader; output 0 opens;\n" \
    "        asked with its last number it says its last answer again, out of turn it refuses\n"

#endif
