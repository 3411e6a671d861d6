/* What the files of the MQTT listener share.  All on the loop thread unless said.  SPDX-License-Identifier: Apache-2.0
 */
#ifndef LINLI_SENSING_MQTT_MQTT_INTERNAL_H
#define LINLI_SENSING_MQTT_MQTT_INTERNAL_H

#include "protocol/home/home.h"
#include "protocol/mqtt/mqtt.h"
#include "protocol/payload/payload.h"
#include "sensing/lines/figures.h"
#include "sensing/lines/intake.h"
#include "sensing/mqtt/listener.h"
#include "sensing/topics/host.h"
#include "sensing/topics/teller.h"

#include <pthread.h>

#define CONNECT_BYTES_MAX  8192               /* of a packet before the log-in */
#define PACKET_BYTES_MAX   (256u * 1024)      /* of one after it: Maximum Packet Size (5.0, 3.2.2.3.6) */
#define IN_FLIGHT_MAX      1024               /* publishes not yet answered: Receive Maximum (5.0, 3.2.2.3.3) */
#define CONN_BYTES_MAX     ((size_t)1 << 20)  /* of publishes under way of one connection; past it, reading pauses */
#define LISTENER_BYTES_MAX ((size_t)64 << 20) /* of all connections together */
#define CONNECTIONS_MAX    10000
#define DEVICE_CONNS_MAX   1000 /* of one device */
#define CLIENT_ID_MAX      128
#define CODE_MAX           64 /* of a community, of a device */
#define BATCH_PUBLISHES    256
#define BATCH_POINTS       8192 /* at least twice PAYLOAD_VALUES_MAX, so that a payload always fits an empty half */
#define ROUND_BATCHES      1024
#define BATCH_REFUSALS     16 /* publishes of a batch that the store of readings refuses; past it, the connection ends */
#define LOGINS_AT_ONCE     2  /* units of work; the others wait */
#define LOGIN_US           INT64_C(10000000) /* from opening to CONNECT */
#define BUCKETS            1024
#define DOORS              256
#define COMMANDS_MAX       256   /* told and not answered */
#define FILTERS_BYTES_MAX  16384 /* of one gateway's subscriptions */
#define MEMORIES           64    /* gateways whose configs are remembered; the one unused longest gives way */
#define MEMORY_POINTS      512   /* entities of one */

struct mqtt_conn;

/* Publishes of one connection that become durable, and are answered, together. */
enum batch_kind { BATCH_PLAIN, BATCH_READINGS, BATCH_EVENTS, BATCH_STATE, BATCH_REPORT };
struct mqtt_report { /* what a gateway's publish says, or who stands before a door */
    struct arena arena;
    struct decoded decoded;
    int64_t at_ms;  /* of what has no time of its own */
    uint8_t reason; /* of its answer, once it is stored */
    struct intake_site site;
    struct intake intake;
};
struct mqtt_batch {
    struct mqtt_batch *next, *next_stuck; /* of the connection, in order of arrival; of those to be tried again */
    struct mqtt_conn *c;
    enum batch_kind kind;
    bool is_begun, is_done, is_will, online; /* state: the last one said */
    enum err result;
    struct loop_task task;
    uint8_t *raw;               /* packets of readings and events, for another try */
    struct mqtt_report *report; /* the batch's one publish */
    size_t raw_n, raw_cap;
    size_t publishes_n, told_n;  /* told_n: events before it are with the rules */
    size_t point, points_n;      /* readings: its points among those of the round */
    struct mqtt_batch *next_put; /* of those that the store was given together */
    struct publish {
        uint16_t id;    /* 0: QoS 0, no answer */
        uint8_t reason; /* what PUBACK says in 5.0 */
        bool is_raw;
    } publishes[BATCH_PUBLISHES];
};

enum conn_state { CONN_NEW, CONN_LOGIN, CONN_REFUSED, CONN_OPEN, CONN_ENDED };
struct mqtt_conn {
    struct mqtt_listener *l;
    struct tcp_conn *tcp;          /* NULL once it is gone */
    struct mqtt_conn *next, *prev; /* all */
    struct mqtt_conn *same_bucket; /* of those logged in */
    int refs;                      /* the connection; a log-in; each batch */
    enum conn_state state;
    enum mqtt_level level;
    enum mqtt_reason refusal;                  /* CONN_REFUSED: said at until_us */
    int64_t heard_us, until_us, keep_alive_us; /* monotonic; keep_alive_us 0: none */
    uint8_t *keep;                             /* bytes not yet taken */
    size_t keep_n, keep_cap;
    bool is_taking, is_paused, is_subscribed;
    bool is_refused;     /* the store refused a publish of it: from then on its batches go to the store alone */
    bool has_told_wrong; /* a time that was off */
    bool is_answered;    /* is among those that are to be answered now */
    struct mqtt_conn *next_answered;
    bool has_will, will_online;
    int64_t device_id, community_id;
    uint64_t key_tag; /* of the password it came with */
    char device[CODE_MAX + 1], topic[2 * CODE_MAX + 16], client_id[CLIENT_ID_MAX + 1]; /* topic: "linli/c/d/" */
    size_t device_n, topic_n, client_id_n;
    bool id_is_ours, wants_session; /* for CONNACK */
    size_t in_flight, bytes, stuck_n;
    struct mqtt_batch *first, **last, *gathering; /* gathering: only while its bytes are taken */
    struct mqtt_login *login;                     /* under way */
    struct mqtt_gateway *gateway;                 /* NULL: it speaks for itself alone */
    size_t passes;                                /* bytes still to come of a publish that is passed over */
    struct figures *line;                         /* among whose connections it counts; see mqtt_line() */
};
struct mqtt_gateway {
    struct home_speaks speaks;
    struct intake_site site;
    uint8_t *will; /* a PUBLISH; NULL: none */
    size_t will_n;
    uint16_t passed_id;
    bool wants_birth, wants_state; /* as soon as its SUBSCRIBE is answered */
    bool hears_state;              /* that of Sparkplug's host */
    char *filters;                 /* that it subscribed to, each with its zero byte */
    size_t filters_n;
    char words[]; /* that speaks slices */
};
struct mqtt_memory { /* of a gateway, also while it is away */
    int64_t device_id, used_us;
    struct home_points points;
    struct home_point all[MEMORY_POINTS];
};

struct mqtt_told {                   /* a command that is not answered yet */
    int64_t id, device_id, until_us; /* id 0: a free place */
};
struct door { /* failed log-ins of an address */
    char peer[48];
    int64_t last_us;
    int failed;
};
struct mqtt_login;
struct mqtt_listener {
    struct mqtt_options o;
    struct loop *loop;
    struct tcp_listener *tcp;
    struct loop_timer *timer;
    struct mqtt_conn *conns, *buckets[BUCKETS];
    struct mqtt_batch *free, *stuck, **stuck_last;
    size_t free_n, bytes;
    int64_t retry_us, watch_us;
    bool is_closing, is_watching;
    struct mqtt_login *waiting, **waiting_last;
    int logins;
    struct mqtt_memory *memories[MEMORIES];
    struct door doors[DOORS];
    struct mqtt_told told[COMMANDS_MAX];
    struct sparkplug_host *host;
    int64_t since_ms;      /* of its birth */
    struct teller *teller; /* of what is behind gateways */
    int64_t tell_us;       /* when what waits is tried again */
    /* A round: batches of readings that go to the store together once all that came in this round of the loop is
     * heard, and the one being gathered. */
    struct loop_soon *soon;
    struct mqtt_batch *round[ROUND_BATCHES];
    size_t round_n;
    struct telemetry_point points[BATCH_POINTS]; /* a batch's stand together; texts are in its `raw` or in `names` */
    uint16_t point_of[BATCH_POINTS];             /* its publish */
    size_t points_n;
    struct payload_value values[PAYLOAD_VALUES_MAX];
    int64_t gather_ms; /* when the batch being gathered began */
    struct shown {     /* good packets of it, as places in its `raw`: the last ones are shown */
        size_t topic, topic_n, payload, payload_n;
    } heard[FIGURES_GOOD_MAX];
    size_t heard_n;
    char names_mem[PACKET_BYTES_MAX + 1];
    struct buf names;
    pthread_mutex_t lock; /* over figures */
    struct mqtt_figures figures;
    struct figures_book *lines; /* each community's, with a lock of their own */
};

static inline int64_t now_us(const struct mqtt_listener *l) {
    return l->o.world->mono_us(l->o.world->self);
}
static inline int64_t now_ms(const struct mqtt_listener *l) {
    return l->o.world->utc_ms(l->o.world->self);
}

/* figures.c */
#define FIGURE(l, name, n)                \
    do {                                  \
        pthread_mutex_lock(&(l)->lock);   \
        (l)->figures.name += (n);         \
        pthread_mutex_unlock(&(l)->lock); \
    } while (0)
/* The figures of its community's line, once it is logged in; until then, and where there is no such line, nobody's. */
struct figures *mqtt_line(struct mqtt_conn *c);
/* Keeps a sample of what was wrong; `which` is one of the figures' counters; `at`: the byte, or NO_OFFSET. */
void mqtt_sample(struct mqtt_listener *l, struct mqtt_conn *c, int64_t *which, struct str topic, struct bytes bytes,
                 const char *rule, size_t at);
/* Of a log-in that failed: shown to the community whose device has that name; 0: to nobody. */
void mqtt_wrong_password(struct mqtt_conn *c, int64_t community_id, struct str user);
void mqtt_heard(struct mqtt_conn *c, struct str topic, struct bytes payload); /* and of what was good */
void mqtt_heard_report(struct mqtt_conn *c, struct str topic, struct bytes payload, const struct decoded *d);
/* Of what was understood not all is taken: `bad` with its device. */
void mqtt_bad_report(struct mqtt_conn *c, struct str topic, struct bytes payload, const struct decoded *d,
                     const char *rule);
/* The same of a packet that the batch keeps, later: who sends hundreds at once is shown by the last of them. */
/* A time that came with what a device said. */
void mqtt_clock_told(struct mqtt_conn *c, struct str device, int64_t at_ms, int64_t now);
void mqtt_heard_kept(struct mqtt_batch *b, struct bytes whole, const struct mqtt_packet *p);
void mqtt_heard_all(struct mqtt_batch *b);

/* conn.c */
void mqtt_conn_bytes(struct mqtt_conn *c, struct bytes bytes);
void mqtt_conn_gone(struct mqtt_conn *c);  /* its socket is closed */
void mqtt_conn_drop(struct mqtt_conn *c);  /* a reference */
void mqtt_conn_go_on(struct mqtt_conn *c); /* takes what is kept, reads on or pauses */
/* Says why (5.0: DISCONNECT, or CONNACK before the log-in) and closes.  The will is published. */
void mqtt_conn_end(struct mqtt_conn *c, enum mqtt_reason reason);
void mqtt_conn_fail(struct mqtt_conn *c, const struct mqtt_fault *f, struct bytes packet); /* malformed */
bool mqtt_conn_send(struct mqtt_conn *c, const struct mqtt_packet *p);
/* Another connection of the device that is logged in: any, or the one of that client id. */
struct mqtt_conn *mqtt_conn_other(const struct mqtt_conn *c, bool same_client);

/* login.c */
void mqtt_login(struct mqtt_conn *c, const struct mqtt_packet *connect);
void mqtt_login_refuse(struct mqtt_conn *c, enum mqtt_reason reason); /* CONNACK, and the end */
void mqtt_logins_go_on(struct mqtt_listener *l);

/* command.c */
void mqtt_replied(struct mqtt_conn *c, struct bytes payload);
void mqtt_commands_tick(struct mqtt_listener *l);

/* gateway.c */
bool mqtt_gateway_create(struct mqtt_conn *c, const char *words, const struct zone *zone); /* false: no memory */
void mqtt_gateway_destroy(struct mqtt_gateway *g);                                         /* NULL is fine */
/* False: no topic of what it speaks. */
bool mqtt_gateway_take(struct mqtt_conn *c, const struct mqtt_packet *p, bool is_will);
bool mqtt_gateway_will(struct mqtt_conn *c, struct str topic, struct bytes payload); /* false: not its own */
void mqtt_gateway_forgets_will(struct mqtt_conn *c);
void mqtt_gateway_left(struct mqtt_conn *c);                  /* without a word: the will is said */
struct home_points *mqtt_gateway_points(struct mqtt_conn *c); /* NULL: it speaks of none */
bool mqtt_gateway_may_hear(struct mqtt_conn *c, struct str filter);
void mqtt_gateway_subscribed(struct mqtt_conn *c);
/* A packet over the limit that begins there is passed over: c->passes bytes of it, or 0 while its head is not whole. */
bool mqtt_gateway_passes(struct mqtt_conn *c, struct bytes rest);
void mqtt_gateway_passed(struct mqtt_conn *c);
/* One publish a batch: several devices may be in it, each of them for good or not at all.  Takes the report. */
void mqtt_report_add(struct mqtt_conn *c, const struct mqtt_packet *p, struct mqtt_report *r, bool is_will);
void mqtt_report_bad(struct mqtt_conn *c, const struct mqtt_packet *p, const struct wire_error *e); /* answered so */
void mqtt_report_begin(struct mqtt_batch *b);
void mqtt_report_destroy(struct mqtt_report *r); /* NULL is fine */

/* told.c */
bool mqtt_gateway_listens(struct mqtt_gateway *g, struct str filter); /* false: too much */
bool mqtt_gateway_listens_no_more(struct mqtt_gateway *g, struct str filter);
struct teller_voice mqtt_gateway_voice(struct mqtt_conn *c);
bool mqtt_gateway_out(struct mqtt_conn *of, struct str topic, struct bytes payload); /* false: it does not listen */
struct teller *mqtt_teller_create(struct mqtt_listener *l);
/* Is the device one that a gateway speaks for, also while that is away? */
bool mqtt_is_behind_gateway(struct mqtt_listener *l, int64_t community_id, struct str device);

/* sparkplug.c */
enum home_taken mqtt_sparkplug_take(struct mqtt_conn *c, struct str topic, struct bytes payload, struct arena *a,
                                    struct decoded *ret, struct host_lost *ret_lost, struct wire_error *reterr);
bool mqtt_sparkplug_is_death(const struct home_speaks *s, struct str topic);
bool mqtt_sparkplug_wants_state(const struct home_speaks *s, struct str filter);
void mqtt_sparkplug_say_online(struct mqtt_conn *c);
void mqtt_sparkplug_die(struct mqtt_listener *l);

/* passing.c */
void mqtt_passing_take(struct mqtt_conn *c, const struct mqtt_packet *p);

/* watch.c */
void mqtt_watch(struct mqtt_listener *l, int64_t now);

/* publish.c */
void mqtt_publish(struct mqtt_conn *c, struct bytes whole);
bool mqtt_state_read(struct bytes payload, bool *ret_online);

/* batch.c */
struct mqtt_batch *mqtt_batch_for(struct mqtt_conn *c, enum batch_kind kind); /* the one gathering; NULL: no memory */
void mqtt_batch_flush(struct mqtt_conn *c);
/* Gives the copy, which lives as long as the batch; false: no memory. */
bool mqtt_batch_keep(struct mqtt_batch *b, struct bytes whole, struct bytes *ret);
void mqtt_batch_unkeep(struct mqtt_batch *b, struct bytes copy);       /* the one kept last */
void mqtt_batch_state(struct mqtt_conn *c, bool online, bool is_will); /* without an answer */
void mqtt_batches_retry(struct mqtt_listener *l, size_t most);
void mqtt_batches_free(struct mqtt_listener *l);
void mqtt_batches_of_free(struct mqtt_conn *c);
void mqtt_batch_done(struct mqtt_batch *b);      /* answers it, once those before it are */
void mqtt_batches_done(struct mqtt_batch *list); /* by next_put; the same, each connection in one piece */
void mqtt_batch_stick(struct mqtt_batch *b);     /* the store takes nothing now: another try later */

/* land.c */
#define MQTT_CLOCK_MS 60000                  /* less than what the store of readings allows, so that it agrees */
void mqtt_batch_begin(struct mqtt_batch *b); /* done or stuck, now or later */
/* A clock that is off: what it says counts from now, as on the lines; refused, it would be lost. */
int64_t mqtt_clock(bool has_at, int64_t at_ms, int64_t now);
/* The next packet kept, for publish *at or a later one; false at the end.  It was read before, so it can be. */
bool mqtt_kept_next(const struct mqtt_batch *b, struct bytes *rest, size_t *at, struct mqtt_packet *ret);

/* round.c */
/* Adds the readings of a decoded packet to the batch's points; false: the payload is bad.  The payload stays where it
 * is as long as the points are wanted. */
bool mqtt_points_add(struct mqtt_batch *b, const struct mqtt_packet *p, size_t publish, struct payload_fault *reterr);
bool mqtt_round_has_room(const struct mqtt_listener *l, size_t payload); /* for a payload of so many bytes */
void mqtt_round_add(struct mqtt_batch *b);    /* goes to the store with others, or alone at once */
void mqtt_round_put(struct mqtt_listener *l); /* now; nobody is gathering */
void mqtt_round_again(struct mqtt_batch *b);  /* another try, alone */

#endif
