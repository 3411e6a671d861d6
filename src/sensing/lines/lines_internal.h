/* What the files of the lines share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_LINES_INTERNAL_H
#define LINLI_SENSING_LINES_LINES_INTERNAL_H

#include "base/bucket.h"
#include "net/runner.h"
#include "sensing/lines/figures.h"
#include "sensing/lines/heard.h"
#include "sensing/lines/line.h"
#include "sensing/lines/lines.h"
#include "sensing/mqtt_client/client.h"

#define LINES_SERVERS_MAX    4
#define LINES_ORDERS_MAX     64                /* that go out in one round */
#define LINES_ENDED_MAX      1024              /* orders whose end is not yet in their rows */
#define LINES_MIDNIGHT_US    INT64_C(60000000) /* midnights that are missing are looked for so often */
#define LINES_MIDNIGHTS_EACH 16                /* devices of a line that are looked at then */
#define LINES_MIDNIGHTS_MAX  4096 /* devices that are asked for midnights, or did not answer such a question */
#define LINES_SILENT_MAX     4096 /* devices that fell silent, or spoke again, and whose rows do not say so yet */
#define LINES_OWED_MAX       64   /* passages that were let in, and could not be answered */

/* A row as the loop thread knows it. */
struct line_spec {
    int64_t id, community_id, every_s, find_low, find_high;
    int64_t own_every_s; /* as the row says; 0: it does not */
    const struct zone *zone;
    char name[LINE_NAME_MAX * 4 + 1], kind[24], bind[46], host[LINE_HOST_MAX + 1], serial[64], greeting[260];
    char senders[LINE_SENDERS_MAX * 4 + 1];                            /* empty: anybody */
    char push_key[LINE_PUSH_KEY + 1], secret[LINE_SECRET_MAX * 4 + 1]; /* empty: it has none */
    char user[484], topics[LINE_TOPICS_MAX * 4 + 1], community[260];   /* of an outside broker */
    char address[LINE_ADDRESS_MAX], problem[LINE_PROBLEM_MAX];
    int port, reach, baud, stop_bits;
    char parity;
    int32_t state; /* as the row says; address and problem too */
    bool enabled, has_port, tls;
};
struct line_entry {
    struct line_spec spec;
    struct line *line;          /* NULL: it is closed */
    struct mqtt_client *client; /* instead, of an outside broker */
    struct figures *figures;    /* live as long as the server: they are asked for by workers; see line_figures() */
    struct heard *heard;        /* so does this */
    int start_port;             /* what the row said when the server started; -1: it was not there */
    int kept_port;              /* that the system chose, and the row is to say from now on; 0: none */
    int32_t state;              /* as it is */
    char address[LINE_ADDRESS_MAX], problem[LINE_PROBLEM_MAX];
    bool is_seen, is_new; /* its row is there; and says something else */
    int64_t again_us;     /* one that failed is not tried before */
    struct bucket bucket; /* of what is pushed */
    _Atomic int pushes;   /* that are not answered yet */
};

/* What goes out: read by a worker, told on the loop thread. */
struct line_outgoing {
    struct arena arena;
    struct line_order orders[LINES_ORDERS_MAX];
    int64_t line_ids[LINES_ORDERS_MAX], community_ids[LINES_ORDERS_MAX]; /* line 0: the device logs in by itself */
    size_t n;
};
struct line_ended { /* an order that came to its end */
    int64_t command_id;
    bool is_done;
    char answer[200];
};
/* A device that is asked for its midnights, the latest first, then back in time. */
struct line_midnight {
    int64_t device_id;
    int64_t latest_ms, before_ms; /* the first; those from there on are done */
    int64_t again_ms;             /* no sooner */
    int silences;                 /* in a row */
};
struct line_silent {
    int64_t device_id;
    bool is_silent;
};
struct line_set {
    struct lines_options o;
    struct line_entry entries[LINES_MAX];
    size_t entries_n;
    struct lines_server servers[LINES_SERVERS_MAX];
    size_t servers_n;
    pthread_mutex_t lock; /* over what workers read: entries_n, ids, figures, kinds, states, servers; and `ended`,
                             `silent`, `midnights` */
    struct runner runner;
    bool closing, started, has_servers;
    struct line_ended ended[LINES_ENDED_MAX];
    struct line_silent silent[LINES_SILENT_MAX];
    struct line_midnight midnights[LINES_MIDNIGHTS_MAX];
    size_t ended_n, silent_n, midnights_n;
    /* Between the loop thread and the worker; whoever works owns them. */
    int64_t loaded_generation, orders_generation;
    struct line_spec loaded[LINES_MAX];
    struct line_plan *plans[LINES_MAX]; /* of `loaded`; NULL: none is needed */
    size_t loaded_n;
    bool has_loaded, has_orders;
    struct line_outgoing out;
    int64_t filled_us; /* when midnights were looked for last */
    int64_t ticked_us; /* loop thread: when the lines were */
    enum err failed;
    _Atomic int pushes;           /* that are not answered yet */
    int64_t owed[LINES_OWED_MAX]; /* passages whose devices were not told that they open; under the lock */
    size_t owed_n;
};

int64_t line_rows_generation(void);   /* rises when rows changed: lines, or what hangs on them */
int64_t line_orders_generation(void); /* rises when something may wait to be told */
#define LINE_FINDS_MAX 16
size_t line_finds_take(int64_t ids[LINE_FINDS_MAX]);         /* lines on which somebody wants to know who is there */
enum err line_set_read(struct line_set *l, struct ctx *ctx); /* rows to l->loaded */
enum err line_set_tell(struct line_set *l, struct ctx *ctx); /* what the entries are, where rows say otherwise */

bool line_is_pushed(const struct line_spec *s); /* by HTTP requests to its own address */
/* What is counted of a line: its own, or its community's at the server that has it open.  NULL: nothing.  Under the
 * set's lock. */
struct figures *line_figures(const struct line_set *l, const struct line_entry *e, bool *ret_served);
/* seen.c: figures_put() of what the caller may see. */
enum err line_figures_put(struct ctx *ctx, const struct line_entry *e, bool is_served, struct jw *j);
/* push.c, workers: POST and GET of a pushed line's address. */
enum err line_push(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
enum err line_push_look(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);

/* plan.c: what the devices of a line are asked, by their models, or those that speak by themselves; NULL: its kind has
 * neither. */
enum err line_plan_read(struct ctx *ctx, const struct line_spec *s, struct line_plan **ret);

/* clients.c: lines to outside brokers, loop thread */
bool line_is_client(const struct line_spec *s);
bool line_client_is_otherwise(const struct line_spec *a, const struct line_spec *b);
void line_client_open(struct line_set *l, struct line_entry *e);
void line_client_look(struct line_set *l, struct line_entry *e);
bool line_client_tick(struct line_set *l, struct line_entry *e); /* true: it is otherwise than it was told */

/* orders.c, a worker: ends and silences become rows; commands that wait are marked as sent and put into l->out. */
enum err line_orders_settle(struct line_set *l, struct ctx *ctx);
enum err line_orders_read(struct line_set *l, struct ctx *ctx);
/* From the loop thread. */
void line_ended_add(struct line_set *l, int64_t command_id, bool is_done, struct str answer);
void line_silent_add(struct line_set *l, int64_t device_id, bool is_silent);

/* midnights.c, a worker: questions for those that are missing, into l->out. */
enum err line_midnights_read(struct line_set *l, struct ctx *ctx);
/* From the loop thread. */
void line_midnight_ended(struct line_set *l, int64_t device_id, int64_t midnight_ms, enum line_kept what);

/* doctor.c: GET /api/v1/devices/{id}/doctor, its argument the set. */
enum err line_doctor(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
/* guess.c: "models", "place_id" and "place" of an open object; line NULL: it has none. */
enum err line_guess(struct ctx *ctx, const struct device *d, const struct line_spec *line,
                    const struct telemetry_series *series, size_t n, struct jw *j);

#endif
