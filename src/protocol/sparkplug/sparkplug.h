/* Sparkplug B (Eclipse Sparkplug 3.0.0, and 2.2): edge nodes and their devices over MQTT, payloads in protobuf.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_SPARKPLUG_SPARKPLUG_H
#define LINLI_PROTOCOL_SPARKPLUG_SPARKPLUG_H

#include "protocol/codec.h"

/* A frame is a publish, "topic LF payload".  A device is "GROUP:EDGE" or "GROUP:EDGE:DEVICE", blanks, control
 * characters and : % written %20 and so on.  Readings are numbers and flags under their metric's name, / and blanks as
 * "_"; neither bdSeq, Node Control and Device Control, nor what is null, transient, or has a name that no reading can
 * have.  Events: offline.  A codec sees one frame: metrics that have but an alias say nothing; a host keeps struct
 * sparkplug_node.
 *
 * Questions: the item is a metric's name, ":TYPE" behind it where the value alone does not say it (true and false are
 * Boolean, whole numbers Int64, others Double, what is no number String); a later DATA with the value is the answer. */
extern const struct codec sparkplug_codec;
/* Does a reading of its device say that the metric has the value that it was told?  Data may name it by an alias, which
 * no frame explains; a text is no reading. */
bool sparkplug_says(const struct question *q, const struct reading *r);

/* ---- frames ---- */

#define SPARKPLUG_METRICS_MAX 4096 /* of one payload */
#define SPARKPLUG_NAME_MAX    64   /* bytes of what a reading can be called */

enum sparkplug_what {
    SPARKPLUG_NBIRTH,
    SPARKPLUG_NDEATH,
    SPARKPLUG_NDATA,
    SPARKPLUG_NCMD,
    SPARKPLUG_DBIRTH,
    SPARKPLUG_DDEATH,
    SPARKPLUG_DDATA,
    SPARKPLUG_DCMD,
    SPARKPLUG_STATE /* of a host: JSON, or a word; edge and device are absent */
};
struct sparkplug_topic {
    enum sparkplug_what what;
    struct str group, edge, device; /* device: absent of an edge node */
};
bool sparkplug_topic(struct str topic, struct sparkplug_topic *ret); /* false: none of Sparkplug B */

/* 6.4.16 to 6.4.18; arrays (22 to 34), data sets and templates are bytes here. */
enum sparkplug_type {
    SPARKPLUG_INT8 = 1,
    SPARKPLUG_INT16,
    SPARKPLUG_INT32,
    SPARKPLUG_INT64,
    SPARKPLUG_UINT8,
    SPARKPLUG_UINT16,
    SPARKPLUG_UINT32,
    SPARKPLUG_UINT64,
    SPARKPLUG_FLOAT,
    SPARKPLUG_DOUBLE,
    SPARKPLUG_BOOLEAN,
    SPARKPLUG_STRING
};
/* Numbers of their fields in protobuf (6.4.6); a bit a number says which there are. */
enum { SPARKPLUG_TIMESTAMP = 1, SPARKPLUG_METRIC, SPARKPLUG_SEQ, SPARKPLUG_UUID, SPARKPLUG_BODY };
enum {
    METRIC_NAME = 1,
    METRIC_ALIAS,
    METRIC_TIMESTAMP,
    METRIC_TYPE,
    METRIC_IS_HISTORICAL,
    METRIC_IS_TRANSIENT,
    METRIC_IS_NULL,
    METRIC_METADATA,
    METRIC_PROPERTIES,
    METRIC_INT,
    METRIC_LONG,
    METRIC_FLOAT,
    METRIC_DOUBLE,
    METRIC_BOOLEAN,
    METRIC_STRING,
    METRIC_BYTES,
    METRIC_DATASET,
    METRIC_TEMPLATE,
    METRIC__COUNT
};
struct sparkplug_metric {
    uint32_t has;
    struct str name;
    uint64_t alias, timestamp, type;
    bool is_historical, is_transient, is_null;
    struct bytes metadata, properties;
    int value; /* METRIC_INT … METRIC_TEMPLATE; 0: there is none */
    union {
        uint64_t integer; /* INT, LONG: as on the wire; BOOLEAN */
        double real;      /* FLOAT, DOUBLE */
        struct bytes bytes;
    };
};
struct sparkplug_payload {
    uint32_t has;
    uint64_t timestamp, seq; /* ms since 1970 UTC; 0..255 */
    struct sparkplug_metric *metrics;
    size_t metrics_n;
    struct str uuid;
    struct bytes body;
};
/* `at`: of the payload in its frame. */
bool sparkplug_read(struct bytes payload, size_t at, struct arena *a, struct sparkplug_payload *ret,
                    struct wire_error *reterr);
void sparkplug_put(const struct sparkplug_payload *p, struct buf *out); /* fields by their numbers */
bool sparkplug_type_of(struct str name, uint64_t *ret);                 /* "Int8" … */
const char *sparkplug_type_name(uint64_t type);                         /* NULL: there is none */

/* ---- what a host knows of an edge node ---- */

#define SPARKPLUG_DEVICES_MAX 128            /* of one edge node */
#define SPARKPLUG_REBIRTH_MS  INT64_C(30000) /* no sooner it is asked for again */

struct sparkplug_alias {
    uint64_t alias;
    enum { SPARKPLUG_NO_ALIAS, SPARKPLUG_OLD_ALIAS, SPARKPLUG_ALIAS } state;
    uint16_t device;                   /* 0: the node, else 1 + its place in devices[] */
    uint8_t type;                      /* datatype */
    char name[SPARKPLUG_NAME_MAX + 1]; /* of its readings; empty: they are none */
};
struct sparkplug_node {
    struct sparkplug_alias *all;                                 /* the caller's memory, a table by alias */
    size_t cap;                                                  /* places in it */
    char devices[SPARKPLUG_DEVICES_MAX][SPARKPLUG_NAME_MAX + 1]; /* codes */
    size_t devices_n;
    bool is_born[SPARKPLUG_DEVICES_MAX + 1]; /* 0: the node itself */
    bool has_bd_seq, is_full; /* is_full: not all aliases had room; one that is unknown is none of the lost */
    uint64_t bd_seq;
    uint8_t seq;
    int64_t asked_ms;    /* when a rebirth was; 0: not since it was born */
    const char *unknown; /* what values of the last frame broke whose aliases nobody knows; NULL: there were none */
};
/* What a frame of this node says.  All zero but `all` and `cap` before the first one.  Births teach its aliases; a
 * frame out of turn (seq), an unknown alias, data before a birth: something was lost, aliases mean nothing until it is
 * born again, and *ret_wants_birth says that sparkplug_rebirth() is to be published now.  Values under such aliases are
 * lost: `unknown` says it.  A death is only that of the birth with the same bdSeq, and is all its devices'.  False: the
 * frame breaks a rule; after a birth the node is not born. */
bool sparkplug_hear(struct sparkplug_node *n, struct bytes whole, int64_t now_ms, struct arena *a, struct decoded *ret,
                    bool *ret_wants_birth, struct wire_error *reterr);
/* NCMD "Node Control/Rebirth" = true to the edge node of the topic, as a frame. */
void sparkplug_rebirth(const struct sparkplug_topic *t, int64_t now_ms, struct buf *out);
/* A host's own state, as a frame: its birth, and its death with the same time, to be kept by the broker (3.0.0, STATE).
 */
void sparkplug_state(struct str host, bool is_online, int64_t at_ms, struct buf *out);

#endif
