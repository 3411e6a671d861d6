/* What gateways and nodes of a home say over MQTT: Zigbee2MQTT, Tasmota, ESPHome, and whatever Home Assistant's
 * discovery describes.  A frame is a publish: its topic, a line feed, its payload.  Sources: the topic guides and MQTT
 * chapters of the four projects, as of 2025.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_HOME_HOME_H
#define LINLI_PROTOCOL_HOME_HOME_H

#include "protocol/codec.h"

#define HOME_TOPIC_MAX    256
#define HOME_PAYLOAD_MAX  (256 * 1024)
#define HOME_FRAME_MAX    (HOME_TOPIC_MAX + 1 + HOME_PAYLOAD_MAX)
#define HOME_CODE_MAX     64
#define HOME_READINGS_MAX 256 /* of one publish; as many events */

/* A device is called by its friendly name, topic or identifier.  In its code blanks, control characters and / : + # %
 * are written as in addresses (RFC 3986, 2.1): "living/lamp 2" is living%2Flamp%202, so that two names are two codes.
 * Values: true and ON, open, locked are 1, false and OFF, closed, unlocked 0; `open` is a contact's opposite.  Events:
 * smoke, gas, carbon_monoxide, water_leak, tamper, low_battery, while they hold; sos; offline until it is online. */
extern const struct codec zigbee2mqtt_codec, tasmota_codec, esphome_codec, homeassistant_codec;

/* ---- several conventions side by side ---- */

enum home_convention_id { HOME_ZIGBEE2MQTT, HOME_TASMOTA, HOME_ESPHOME, HOME_HOMEASSISTANT, HOME__COUNT };
struct home_speaks { /* slices the words */
    bool is_spoken[HOME__COUNT];
    /* Behind NAME=: the base topic of zigbee2mqtt, the discovery prefix of homeassistant, the one device of tasmota and
     * esphome; absent: as the project has it, any device. */
    struct str base[HOME__COUNT];
    /* The word "sparkplug", whose codec is another: of a gateway GROUP or GROUP/EDGE that it alone may be behind =, of
     * a broker the name under which we are its host; empty: any, the usual one. */
    bool is_sparkplug;
    struct str sparkplug;
};
/* "zigbee2mqtt tasmota=plug-17".  NULL, or the code of what is wrong. */
const char *home_speaks_read(struct str words, struct home_speaks *ret);

/* What Home Assistant's discovery has told so far.  The caller's memory, zero at first; `all` has `cap` places, 640
 * bytes or so each.  Past them a config is refused. */
#define HOME_POINT_TEXTS 512
struct home_points {
    struct home_point *all;
    size_t cap, n;
};
struct home_point {                       /* an entity: where its state comes and what it is; private to the folder */
    uint64_t config, state, availability; /* hashes of topics; 0: none */
    uint16_t ends[14];                    /* of its texts, one behind the other */
    uint8_t ops[4], ops_n;                /* of its template */
    uint8_t words;                        /* what it is told in; 0: any */
    bool is_json, is_binary;
    const char *event;
    char texts[HOME_POINT_TEXTS];
};

enum home_taken {
    HOME_OTHER, /* no topic of what is spoken */
    HOME_TAKEN,
    HOME_BAD /* *reterr, its byte counted in the payload */
};
/* What a publish says in one of the conventions that are spoken.  Configs are learnt; what they describe is left to the
 * other conventions where its topics are theirs and they are spoken.  points may be NULL: none is learnt. */
enum home_taken home_take(const struct home_speaks *speaks, struct home_points *points, struct str topic,
                          struct bytes payload, struct arena *a, struct decoded *ret, struct wire_error *reterr);
/* ---- what devices are told ---- */

/* Whose topics say how its devices are told; NULL for Home Assistant, whose configs do. */
extern const struct codec *const home_codecs[HOME__COUNT];
/* The codec that a topic is of, whose asking makes commands, and the key that these need; NULL: none with topics of its
 * own. */
const struct codec *home_codec_of(const struct home_speaks *speaks, struct str topic, struct str *ret_key);
/* An entity that discovery described is told under the topic that it named.  The item is the entity's reading or its
 * object; values are on and off, lock and unlock, open and close, press, where the entity has such words, else what it
 * takes.  Appends "topic LF payload"; *ret_tells: its state will say that it is done. */
enum home_asked {
    HOME_UNKNOWN, /* no entity of that name, or none that can be told */
    HOME_ASKED,
    HOME_UNSAYABLE /* its words or its template know no such value */
};
enum home_asked home_points_ask(const struct home_points *p, const struct question *q, struct buf *out,
                                bool *ret_tells);
/* Is the publish its state, with what it was told to become? */
bool home_points_answer(const struct home_points *p, const struct question *q, struct str topic, struct bytes payload,
                        struct arena *a);

/* May who speaks so subscribe to the filter?  What it is told comes there, and Home Assistant's birth. */
bool home_may_hear(const struct home_speaks *speaks, struct str filter);

/* What comes under topics of nobody's convention: a JSON object is of the device that its topic names, its numbers by
 * the names above them; a number alone is the value that the last level of its topic names.  HOME_OTHER: neither. */
enum home_taken home_plain(struct str topic, struct bytes payload, struct arena *a, struct decoded *ret,
                           struct wire_error *reterr);
/* Which topics of a broker are listened to: words of conventions, as above, and filters of MQTT.  *ret slices the words
 * and speaks all conventions, those not named as the project has them; filters: each with a zero byte behind it, at
 * most HOME_FILTERS_MAX.  NULL, or the code of what is wrong. */
#define HOME_FILTERS_MAX 32
const char *home_topics_read(struct str words, struct home_speaks *ret, struct buf *filters);
/* The topics of states and availability that a config described; at most cap. */
size_t home_points_topics(const struct home_points *p, struct str config, struct str *ret, size_t cap);

/* Name to code and back.  False: over HOME_CODE_MAX bytes, or empty. */
bool home_code_put(struct buf *b, struct str name);
void home_name_put(struct buf *b, struct str code);

#endif
