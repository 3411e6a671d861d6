/* What the files of one line share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_LINE_INTERNAL_H
#define LINLI_SENSING_LINES_LINE_INTERNAL_H

#include "sensing/lines/intake.h"
#include "sensing/lines/line.h"
#include "sensing/poll/poll.h"

struct speaker;
struct bus;
struct controllers;
struct line {
    struct line_options o;
    struct loop *loop;
    char name[LINE_NAME_MAX * 4 + 1], host[LINE_HOST_MAX + 1], serial[64], greeting[260];
    char senders[LINE_SENDERS_MAX * 4 + 1];
    struct intake_site site;
    struct tcp_listener *listener;
    struct tcp_conn *conn;           /* dial and serial: that which stands, or is being made */
    struct bus *bus;                 /* where devices are asked; else NULL */
    struct controllers *controllers; /* where they are over datagrams; else NULL */
    struct speaker *speakers;        /* where they speak by themselves */
    struct line_plan *plan;          /* of those; NULL: nobody is waited for, no password is wanted */
    char problem[LINE_PROBLEM_MAX];
    int64_t again_us; /* dial and serial: when to try again; 0: not now */
    int fails;        /* of connecting, in a row */
    size_t strangers; /* that were found and noted */
    uint64_t conns;   /* of speakers, ever */
    bool is_open, is_closing;
    int refs; /* the owner, every connection, every speaker, the bus or the controllers */
};
void line_release(struct line *l);
int64_t line_now_ms(const struct line *l);
/* Into the arena, unless it is empty.  False: out of memory. */
static inline bool keep(struct arena *a, struct str *s) {
    return !s->len || arena_str(a, *s, s);
}
/* A sample of bytes that came from there; e NULL: they are good. */
struct sample line_sample(const struct line *l, const char *peer, size_t len, const struct wire_error *e);

/* ---- speaker.c: connections of devices that speak by themselves */
void speaker_open(struct line *l, struct tcp_conn *conn);
void speaker_bytes(struct tcp_conn *conn, struct bytes bytes);
void speaker_gone(struct tcp_conn *conn);
void speakers_tick(struct line *l);
bool speakers_rest(const struct line *l); /* no connection has memory for bytes or frames: none is under way */
bool speakers_tell(struct line *l, const struct line_order *o, const char **ret_why);

/* ---- presence.c: who of them is there, by the line's plan */
void presence_plan(struct line *l, struct line_plan *plan); /* takes it */
/* A frame of `speaker`, absent where it names nobody, that says `d`. */
void presence_hear(const struct line *l, struct str speaker, const struct decoded *d);
void presence_await(const struct line *l, const struct question *q); /* it was told, and took it */
void presence_rekeyed(const struct line *l, struct str device);      /* only its own password is good from now on */
void presence_tick(const struct line *l);

/* ---- asked.c: devices that are asked, by their plan (NULL: there is none yet) */
struct line_device *asked_at(const struct line_plan *p, struct str address); /* NULL: nobody of the plan is there */
/* Of a stranger nothing is noted or told. */
void asked_note(const struct line *l, const struct line_plan *p, struct str address, enum heard_how how,
                const char *text);
/* How an order or a question out of turn ended; of one that was lost nobody knows, and nothing is noted. */
void asked_ended(const struct line *l, const struct line_plan *p, struct str address, enum poll_end end,
                 const char *why);
/* Of an order that waits: another device may have its address by now, or nobody. */
bool asked_is_of_plan(const struct line_plan *p, const struct poll_order *o);
bool asked_is_of_none(void *arg, const struct poll_order *o);
void asked_silent(const struct line *l, const struct line_plan *p, struct str address, bool is_silent);
/* What a stranger is called: by its address, behind the line's name where addresses are of one line alone. */
#define ASKED_CODE_SIZE (TELEMETRY_DEVICE_MAX + 1)
struct str asked_code(const struct line *l, struct str address, char mem[ASKED_CODE_SIZE]);
void asked_found(struct line *l, const struct line_plan *p, struct str address, const char *from,
                 const struct feed_about *about); /* NULL: it says nothing of itself */
/* A copy in the arena, under the devices' own codes and the names of their models.  asked NULL: what is said names its
 * devices by their addresses.  False: out of memory. */
bool asked_copy(const struct line *l, struct arena *a, const struct line_plan *p, const struct line_device *asked,
                const struct decoded *from, struct decoded *ret);

/* ---- bus.c: devices that are asked over the one connection there is */
NODISCARD enum err bus_create(struct line *l, struct bus **ret, struct fault *f);
void bus_destroy(struct bus *b);
void bus_open(struct bus *b, struct tcp_conn *conn);
void bus_bytes(struct bus *b, struct tcp_conn *conn, struct bytes bytes);
void bus_gone(struct bus *b, struct tcp_conn *conn); /* b may be NULL: destroyed before its connection */
void bus_plan(struct bus *b, struct line_plan *plan);
bool bus_tell(struct bus *b, const struct line_order *o, const char **ret_why);
bool bus_find(struct bus *b);
void bus_tick(struct bus *b);
void bus_end_orders(struct bus *b, const char *why); /* NULL is fine */

/* ---- controllers.c: devices that are asked, and speak, in datagrams: BACnet */
NODISCARD enum err controllers_open(struct line *l, struct controllers **ret, struct fault *f);
void controllers_close(struct controllers *c); /* NULL is fine */
int controllers_port(const struct controllers *c);
void controllers_plan(struct controllers *c, struct line_plan *plan);
bool controllers_tell(struct controllers *c, const struct line_order *o, const char **ret_why);
bool controllers_find(struct controllers *c);
void controllers_tick(struct controllers *c);
void controllers_end_orders(struct controllers *c, const char *why); /* NULL is fine */

#endif
