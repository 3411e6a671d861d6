/* What the files of the BACnet client share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_BACNET_CLIENT_INTERNAL_H
#define LINLI_SENSING_BACNET_CLIENT_INTERNAL_H

#include "sensing/bacnet/client.h"

#define ADDRESS_MAX 48
#define TEXT_MAX    200  /* of an order's item and value */
#define ITEMS_MAX   2000 /* bytes of the items of a point */

enum watch { WATCH_NOT, WATCH_WANTED, WATCH_ON, WATCH_REFUSED };
struct point {
    struct point *next;
    int64_t every_ms, due_ms;
    int64_t object; /* that is watched */
    enum watch watch;
    bool is_kept; /* in the plan that is being made */
    bool is_one_by_one;
    size_t part; /* the item whose turn it is then */
    char address[ADDRESS_MAX + 1];
    char items[]; /* of a watched one: the object */
};
struct waiting { /* an order */
    struct waiting *next;
    int64_t tag, whose, until_ms, now_s;
    int tries;
    bool has_value;
    char address[ADDRESS_MAX + 1], item[TEXT_MAX + 1], value[TEXT_MAX + 1];
};
struct about { /* of a device that is asked what it is */
    struct bacnet_about said;
    size_t part;                       /* which question's turn it is */
    char address[16], item[48];        /* that one's */
    int64_t things[BACNET_THINGS_MAX]; /* objects */
    size_t things_n;
};
struct station {
    uint32_t device;
    struct udp_peer at;        /* where it is, or the router to it */
    struct bacnet_address net; /* behind that */
    bool is_here;              /* where that is */
    bool is_silent;            /* was wanted, and gave no answer */
    int64_t heard_ms, free_ms; /* when it spoke last; ask no sooner */
    int64_t who_ms, pause_ms;  /* when it is searched for again, and how long after that */
    int64_t searched_ms;       /* when it was */
    bool is_introduced;        /* was asked what it is, or is to be */
    struct about *about;       /* while that is so */
    struct point *points;
    struct waiting *orders;
    /* the question under way, if any: one of these */
    struct point *point;
    struct waiting *order;
    bool asks_about;
    uint8_t invoke;
    int tries;
    int64_t until_ms;
};
struct bacnet_client {
    struct bacnet_client_options o;
    struct udp_peer bbmd;
    struct station **stations;
    size_t n, cap, turn;
    size_t points_n, orders_n, under_way, abouts;
    uint8_t invoke; /* of the last question */
    bool wants_find;
    int64_t find_low, find_high;
    int64_t register_ms; /* at the BBMD, next */
    struct arena arena;
};

struct station *client_station(struct bacnet_client *c, int64_t device, bool makes_one); /* NULL: there is none */
/* Another question is under way, or none: what was goes back to where it was. */
void client_drop(struct bacnet_client *c, struct station *s);
bool client_is_asking(const struct station *s); /* is a question under way? */
void client_silent(struct bacnet_client *c, struct station *s, bool is_silent);
/* What the question under way asks; lives until the client's next step. */
struct question client_question(const struct station *s);
void client_forget_order(struct bacnet_client *c, struct station *s, struct waiting *o);
void client_end_order(struct bacnet_client *c, struct station *s, struct waiting *o, enum poll_end end,
                      const struct decoded *d, const char *why);
/* The question under way has an answer, or is refused. */
void client_answered(struct bacnet_client *c, struct station *s, int64_t now_ms, const struct bacnet_frame *f,
                     const struct udp_peer *from, struct bytes whole);

/* ---- about.c: what a device is.  False: it was asked, or will not be. */
bool client_begin_about(struct station *s);
void client_prepare_about(struct station *s);                      /* the next question's item */
bool client_go_on_about(struct station *s, struct bytes values);   /* ptr NULL: refused; false: that was the last */
void client_end_about(struct bacnet_client *c, struct station *s); /* says that it is found */

#endif
