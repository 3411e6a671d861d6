/* One line: devices of one kind that speak or are asked over TCP, UDP or a serial port; what they say is decoded, made
 * durable, answered.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_LINE_H
#define LINLI_SENSING_LINES_LINE_H

#include "net/tcp.h"
#include "platform/things/things.h"
#include "protocol/codec.h"
#include "sensing/feed/feed.h"
#include "sensing/lines/figures.h"
#include "sensing/lines/heard.h"
#include "sensing/lines/keys.h"

struct line_serial {
    const char *path;
    int baud, stop_bits;
    char parity; /* 'N', 'E', 'O' */
};
enum line_kept { LINE_KEPT, LINE_KEPT_NONE, LINE_KEPT_SILENT };
struct line_options {
    const struct codec *codec;
    const char *name; /* what people call it; texts are copied */
    enum { LINE_LISTEN, LINE_DIAL, LINE_SERIAL } reach;
    const char *bind; /* LINE_LISTEN */
    const char *host; /* LINE_DIAL; of datagrams: of who passes on what is for everybody, or is everybody */
    int port;         /* of both */
    /* LINE_LISTEN of devices that are asked: what their gateway says first; others are hung up on.  NULL: the first
     * that connects is it, until it is gone or still for LINE_STILL_MS. */
    const char *greeting;
    const char *senders; /* LINE_LISTEN to a stream: who may connect, address_list_is(); NULL, "": anybody */
    struct line_serial serial;
    int64_t find_low, find_high; /* numbers of the devices that are looked for; -1: of any */
    int64_t id;                  /* of its row */
    int64_t community_id;        /* whose devices speak here */
    const struct zone *zone;     /* of their clocks; NULL: UTC */
    const struct world *world;
    struct feed *feed;
    struct figures *figures; /* outlives the line */
    struct heard *heard;     /* so does this */
    /* Loop thread: what came of an order; who does not answer any more, or does again. */
    void (*told)(void *arg, int64_t command_id, bool is_done, struct str answer);
    void (*silent)(void *arg, int64_t device_id, bool is_silent);
    /* What a device said of a midnight: it is in the store, or was of none; it has none (refused); nothing.  Not called
     * where that is not known: it is asked again. */
    void (*kept)(void *arg, int64_t device_id, int64_t midnight_ms, enum line_kept what);
    void *arg;
};
#define LINE_STILL_MS     60000
#define LINE_NOT_A_SENDER "its address is none of the line's senders"
struct line;
/* A frame is answered only when what it says is in the store; while an answer is due the connection is not read on.
 * What is no frame is counted and kept as a sample.  One that dials, or has a port of the machine, is open once that
 * works and tries again by itself.  Loop thread, all of it. */
NODISCARD enum err line_open(struct loop *loop, const struct line_options *options, struct line **ret,
                             struct fault *fault);
int line_port(const struct line *line);                          /* 0: it listens nowhere */
bool line_is_open(const struct line *line, struct str *ret_why); /* why not */
/* Call every second or so: a frame that began and was not gone on with for LINE_PARTIAL_MS is given up. */
#define LINE_PARTIAL_MS 10000
void line_tick(struct line *line);
/* Closes the listener and its connections, before feed_stop; the memory goes when the loop has run what was left.  NULL
 * is fine. */
void line_close(struct line *line);

/* ---- devices that are asked ---- */
struct line_awaited {              /* what must follow of a device, by what it was told; texts are the codec's */
    const char *event, *otherwise; /* event NULL: nothing */
    int64_t until_us;              /* 0: it is late, and that was said */
};
struct line_device {
    int64_t id;
    struct str code, address;
    bool is_silent; /* its row says so */
    /* Of one that speaks by itself: with which password, and with which until it has shown that. */
    struct str password, former;
    bool was_heard;   /* ever, else it is not waited for */
    int64_t heard_us; /* last, or since when it is waited for */
    struct line_awaited awaited;
    struct keys keys; /* that were pressed at it */
};
struct line_point { /* `item` may be a list, where one question asks for several */
    uint32_t device;
    struct str item;
    int64_t every_ms;
};
struct line_value { /* what an item is to us, where the protocol has no name for it */
    uint32_t device;
    struct str item, metric, unit;
};
struct line_plan { /* made by line_plan_create, its texts in its arena */
    struct arena arena;
    struct line_device *devices;
    struct line_point *points;
    struct line_value *values;
    size_t devices_n, points_n, values_n;
    int64_t silent_ms; /* a device that speaks by itself is lost when it is silent for so long; 0: never */
};
void line_plan_free(struct line_plan *p); /* NULL is fine */
/* Takes it.  Where devices speak by themselves it is in order of ids: who is waited for, and of whom a password is
 * wanted. */
void line_plan(struct line *line, struct line_plan *plan);
bool line_find(struct line *line); /* asks who is there; false: nobody can be asked, or now */

#define LINE_MIDNIGHT_NEAR_MS INT64_C(1800000) /* what was read or kept so near is of midnight */
struct line_order {
    int64_t command_id;  /* 0: none; told() hears of those that have one */
    int64_t midnight_ms; /* instead: what was kept of it is asked for, and stored as of when it was; behind points */
    int64_t device_id;
    struct str device, address, item, value, key;
    int64_t until_ms; /* UTC */
};
/* Why an order ended that was not said, or was and shows nothing more. */
#define LINE_NOT_IN_USE "the device is not in use any more, or has another address"
#define LINE_IS_CLOSED  "its line was closed or changed"
/* The texts are copied.  False: it did not go out, *ret_why is words for people, told() is not called. */
bool line_tell(struct line *line, const struct line_order *o, const char **ret_why);

#endif
