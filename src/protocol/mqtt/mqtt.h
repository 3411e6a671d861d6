/* MQTT 3.1.1 and 5.0 packets (OASIS standards of 2014 and 2019), both directions.  Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_MQTT_MQTT_H
#define LINLI_PROTOCOL_MQTT_MQTT_H

#include "protocol/codec.h"

enum mqtt_level { MQTT_V311 = 4, MQTT_V5 = 5 }; /* "protocol level" of CONNECT (3.1.2.2) */
enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT,
    MQTT_AUTH
};
#define MQTT_PACKET_MAX 268435460u /* 1 + 4 + the largest remaining length (1.5.5) */

/* Reason codes that a broker gives (5.0, 2.4); 3.1.1 has others in CONNACK (3.2.2.3), and 0x80 in SUBACK. */
enum mqtt_reason {
    MQTT_OK = 0x00,
    MQTT_UNSPECIFIED = 0x80,
    MQTT_MALFORMED = 0x81,
    MQTT_PROTOCOL_ERROR = 0x82,
    MQTT_NOT_TAKEN = 0x83, /* "Implementation specific error": valid, and not accepted */
    MQTT_BAD_VERSION = 0x84,
    MQTT_BAD_CLIENT_ID = 0x85,
    MQTT_BAD_USER = 0x86,
    MQTT_NOT_AUTHORIZED = 0x87,
    MQTT_UNAVAILABLE = 0x88,
    MQTT_SERVER_BUSY = 0x89,
    MQTT_SHUTTING_DOWN = 0x8b,
    MQTT_BAD_AUTH_METHOD = 0x8c,
    MQTT_KEEP_ALIVE_TIMEOUT = 0x8d,
    MQTT_TAKEN_OVER = 0x8e,
    MQTT_BAD_FILTER = 0x8f,
    MQTT_BAD_TOPIC = 0x90,
    MQTT_RECEIVE_MAX = 0x93,
    MQTT_BAD_ALIAS = 0x94,
    MQTT_TOO_LARGE = 0x95,
    MQTT_QUOTA = 0x97,
    MQTT_BAD_PAYLOAD = 0x99,
    MQTT_NO_RETAIN = 0x9a,
    MQTT_NO_QOS = 0x9b,
    MQTT_NO_SHARED = 0x9e,
    MQTT_NO_WILDCARD = 0xa2
};

/* What is wrong with a packet: the clause ("MQTT5 …" alone where 3.1.1 has none), where, and what 5.0 answers. */
struct mqtt_fault {
    const char *rule; /* static text */
    size_t at;        /* byte offset in the packet */
    enum mqtt_reason reason;
};

/* Properties (5.0, 2.2.2.2).  `id` says which member holds the value: `number` for bytes, integers and the subscription
 * identifier, `text` for strings and binary data, `key` and `text` for user properties. */
struct mqtt_property {
    uint8_t id;
    uint32_t number;
    struct str key, text;
};
enum {
    MQTT_PAYLOAD_FORMAT = 1,
    MQTT_MESSAGE_EXPIRY = 2, /* s */
    MQTT_CONTENT_TYPE = 3,
    MQTT_RESPONSE_TOPIC = 8,
    MQTT_CORRELATION_DATA = 9,
    MQTT_SUBSCRIPTION_ID = 11,
    MQTT_SESSION_EXPIRY = 17, /* s */
    MQTT_ASSIGNED_CLIENT_ID = 18,
    MQTT_SERVER_KEEP_ALIVE = 19, /* s */
    MQTT_AUTH_METHOD = 21,
    MQTT_AUTH_DATA = 22,
    MQTT_REQUEST_PROBLEM_INFO = 23,
    MQTT_WILL_DELAY = 24, /* s */
    MQTT_REQUEST_RESPONSE_INFO = 25,
    MQTT_RESPONSE_INFO = 26,
    MQTT_SERVER_REFERENCE = 28,
    MQTT_REASON_STRING = 31,
    MQTT_RECEIVE_MAXIMUM = 33,
    MQTT_TOPIC_ALIAS_MAXIMUM = 34,
    MQTT_TOPIC_ALIAS = 35,
    MQTT_MAXIMUM_QOS = 36,
    MQTT_RETAIN_AVAILABLE = 37,
    MQTT_USER_PROPERTY = 38,
    MQTT_MAXIMUM_PACKET_SIZE = 39,
    MQTT_WILDCARD_AVAILABLE = 40,
    MQTT_SUBSCRIPTION_ID_AVAILABLE = 41,
    MQTT_SHARED_AVAILABLE = 42
};

struct mqtt_will {
    struct str topic;
    struct bytes payload, properties;
    uint8_t qos;
    bool retain;
};
/* A packet; which members count, the type says.  Slices point into the bytes it was read from. */
struct mqtt_packet {
    enum mqtt_type type;
    enum mqtt_level level;   /* in which it is written */
    uint16_t id;             /* PUBLISH with QoS, its answers, (UN)SUBSCRIBE and theirs; never 0 */
    uint8_t reason;          /* CONNACK, PUBACK…PUBCOMP, DISCONNECT, AUTH */
    struct bytes properties; /* as on the wire without their length; checked */

    bool dup, retain; /* PUBLISH */
    uint8_t qos;
    struct str topic; /* empty: 5.0 with an alias */
    struct bytes payload;

    bool session_present; /* CONNACK */

    bool clean_start, has_will; /* CONNECT; clean session in 3.1.1 */
    uint16_t keep_alive_s;
    struct str client_id, user; /* user: absent when there is none */
    struct bytes password;      /* ptr NULL when there is none */
    struct mqtt_will will;

    struct bytes list; /* filters of (UN)SUBSCRIBE, one code each in SUBACK and UNSUBACK; as on the wire, checked */
};
struct mqtt_filter {
    struct str filter;
    uint8_t qos; /* SUBSCRIBE; the most that is wanted */
    bool no_local, retain_as_published;
    uint8_t retain_handling;
};

/* Splits.  FRAME_WHOLE: *ret_len bytes are a packet.  FRAME_SHORT: more are needed, *ret_len in all once that is known,
 * else 0.  FRAME_SKIP: no packet of at most `packet_max` bytes can begin so; the connection must end. */
enum frame mqtt_frame(struct bytes in, size_t packet_max, size_t *ret_len, struct mqtt_fault *reterr);
/* `level` is the connection's; CONNECT brings its own.  Everything that 5.0 and 3.1.1 call malformed or a protocol
 * error and that one packet shows is refused; *ret is not touched then. */
bool mqtt_decode(struct bytes whole, enum mqtt_level level, struct mqtt_packet *ret, struct mqtt_fault *reterr);
/* Appends the packet; the buffer needs up to 3 bytes more than that has.  False, with nothing appended and the buffer
 * marked as full: it does not fit, or a field does not fit its length. */
bool mqtt_encode(const struct mqtt_packet *p, struct buf *out);

/* Walks properties from *rest on; false at the end.  For reading, the bytes are those of a decoded packet. */
bool mqtt_property_next(struct bytes *rest, struct mqtt_property *ret);
bool mqtt_property_find(struct bytes properties, uint8_t id, struct mqtt_property *ret); /* the first one */
void mqtt_property_put(struct buf *out, const struct mqtt_property *p);                  /* nothing for an unknown id */
const char *mqtt_property_name(uint8_t id); /* "session_expiry"; NULL: unknown */

/* Walks the filters of a decoded packet: *rest begins as p->list. */
bool mqtt_filter_next(const struct mqtt_packet *p, struct bytes *rest, struct mqtt_filter *ret);
void mqtt_filter_put(struct buf *out, enum mqtt_type type, const struct mqtt_filter *f);

/* Topics (4.7).  Names have no wildcards; a filter's + stands for one level, a last # for all that follow and their
 * parent; neither matches a first level that begins with $.  "$share/NAME/FILTER" (5.0, 4.8.2) is a filter, too. */
bool mqtt_topic_is_name(struct str topic);
bool mqtt_topic_is_filter(struct str filter, enum mqtt_level level);
bool mqtt_topic_is_shared(struct str filter);
bool mqtt_topic_matches(struct str filter, struct str topic);

const char *mqtt_type_name(enum mqtt_type type); /* "publish" */

/* Tools only: what a connection means depends on what went before, so decode() and reply() are NULL. */
extern const struct codec mqtt_codec, mqtt5_codec;

#endif
