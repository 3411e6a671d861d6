/* What the files of the home conventions share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_HOME_HOME_INTERNAL_H
#define LINLI_PROTOCOL_HOME_HOME_INTERNAL_H

#include "protocol/home/home.h"
#include "protocol/json_in.h"
#include "protocol/publish.h"

/* ---- a topic ---- */

enum home_what { HOME_STATE, HOME_AVAILABILITY, HOME_COMMAND, HOME_CONFIG, HOME_ELSE };
struct home_topic {
    enum home_what what;
    struct str name; /* of the device, as its topics have it; absent: of none */
    struct str item; /* what is said of it: SENSOR, relay/switch; absent: all */
};
struct home_report;
struct home_convention {
    enum home_convention_id id;
    const char *name, *base;
    /* False: no topic of the convention.  base: see struct home_speaks; never absent for those that have one. */
    bool (*topic)(struct str base, struct str topic, struct home_topic *ret);
    bool (*said)(struct home_report *r, const struct home_topic *t); /* of a device; false: the rule is told */
};
extern const struct home_convention home_zigbee2mqtt, home_tasmota, home_esphome, home_homeassistant;
extern const struct home_convention *const home_conventions[HOME__COUNT];

struct str home_last(struct str topic, struct str *ret_before); /* level; before: without it and its slash */
bool home_starts(struct str *topic, struct str levels);         /* cuts "levels/" off */

/* ---- a report: what one publish says ---- */

struct home_report {
    struct arena *a;
    struct wire_error *error;
    struct bytes payload;
    size_t payload_at; /* in the frame */
    struct str device; /* code */
    struct reading *readings;
    struct device_event *events;
    size_t readings_n, events_n;
    int64_t at_s, at_ms; /* as in struct reading */
};
bool home_report_init(struct home_report *r, struct arena *a, struct wire_error *reterr, struct bytes payload,
                      size_t payload_at);
void home_report_end(struct home_report *r, struct decoded *ret);
bool home_bad(struct home_report *r, const char *rule, size_t at);   /* false; `at` in the payload */
bool home_of(struct home_report *r, struct str name);                /* what follows is of this device */
struct reading *home_find(struct home_report *r, struct str metric); /* of the report's device; NULL: not said yet */
/* `metric` is copied.  Once each: said twice breaks a rule. */
bool home_add(struct home_report *r, struct str metric, const char *unit, double value);
bool home_event(struct home_report *r, const char *code, struct str part, bool is_set);
bool home_leaves(struct home_report *r, json_leaf_fn *fn, void *arg); /* of a payload that must be an object */
/* A payload, or its "state": either of the words in any case.  The device is offline, or no longer. */
bool home_available(struct home_report *r, struct str online, struct str offline);
struct str home_text(const struct home_report *r); /* the payload without blanks around it */

/* ---- words ---- */

struct home_word {
    const char *name;         /* in snake_case: Zigbee2MQTT, ESPHome; a device class of Home Assistant */
    const char *tasmota;      /* as Tasmota has it; NULL: it has none */
    const char *metric;       /* NULL: the name */
    const char *unit, *event; /* event: of a flag, while it holds */
};
const struct home_word *home_word(struct str name); /* NULL: none of the table */
const struct home_word *home_word_tasmota(struct str name);
struct str home_word_metric(const struct home_word *w);
bool home_switched(struct str text, double *ret);     /* ON, off, open, LOCKED … */
bool home_same(struct str a, struct str b);           /* in any case of ASCII letters */
bool home_is(struct str text, const char *word);      /* the same */
bool home_is_move(struct str value);                  /* toggle, stop: what will be then nobody knows */
bool home_is_value(struct str told, struct str said); /* the same number, or word in any case */
/* "CarbonDioxide", "Front door" as carbon_dioxide, front_door; what has no letter or digit of ASCII stays. */
bool home_snake(struct arena *a, struct str name, struct str *ret);

/* ---- what codecs have in common ---- */

enum frame home_frame(const struct home_convention *c, struct bytes in, size_t *ret_len);
bool home_decode(const struct home_convention *c, struct bytes whole, struct arena *a, struct decoded *ret,
                 struct wire_error *reterr);
bool home_show(const struct home_convention *c, struct bytes whole, struct arena *a, struct jw *j,
               struct wire_error *reterr);

/* A frame of the convention about the device that is asked; *ret_payload behind its topic.  The question's key is the
 * base, where the convention has one. */
bool home_answers(const struct home_convention *c, const struct question *q, struct bytes whole, struct home_topic *ret,
                  struct bytes *ret_payload);

/* ---- Home Assistant: discovery.c, template.c, points.c ---- */

enum home_key {
    KEY_BASE, /* ~ */
    KEY_NAME,
    KEY_CLASS,
    KEY_UNIT,
    KEY_STATE,
    KEY_TEMPLATE,
    KEY_AVAILABILITY,
    KEY_ONLINE,
    KEY_OFFLINE,
    KEY_ON,
    KEY_OFF,
    KEY_STATE_ON,
    KEY_STATE_OFF,
    KEY_COMPONENT,
    KEY_DEVICE,
    KEY_DEVICE_NAME,
    KEY_ORIGIN,
    KEY_OBJECT,
    KEY_COMMAND,
    KEY_COMMAND_TEMPLATE,
    KEY_LOCK,
    KEY_UNLOCK,
    KEY_OPEN,
    KEY_CLOSE,
    KEY_PRESS,
    KEY__COUNT
};
struct home_entity {
    struct str text[KEY__COUNT]; /* absent: not told */
};
/* The entities of a config, one by one; the report becomes of their device.  fn NULL: only looked at. */
typedef bool home_entity_fn(void *arg, struct home_report *r, const struct home_entity *e);
bool home_config(struct home_report *r, const struct home_topic *t, home_entity_fn *fn, void *arg);

#define HOME_OPS_MAX 4
struct home_template {
    bool is_json;    /* a path of the payload, else the payload as it is */
    struct str path; /* a.b[0] */
    uint8_t ops[HOME_OPS_MAX], ops_n;
};
/* False: none of {{ value }}, {{ value_json.path }} with int, float, round behind it.  mem: for the path. */
bool home_template_read(struct str text, struct buf *mem, struct home_template *ret);
bool home_path_is(struct str path, const struct json_leaf *leaf);
double home_ops(const uint8_t *ops, size_t n, double v);
/* As UCUM has it; one that it has not stays as it was told; over 24 bytes, none.  Copied. */
bool home_unit(struct arena *a, struct str told, struct str *ret);

enum home_text {
    POINT_STATE,
    POINT_AVAILABILITY,
    POINT_ONLINE,
    POINT_OFFLINE,
    POINT_ON,
    POINT_OFF,
    POINT_PATH,
    POINT_METRIC,
    POINT_UNIT,
    POINT_DEVICE,
    POINT_PART,
    POINT_COMMAND,
    POINT_SAY_ON,
    POINT_SAY_OFF,
    POINT__COUNT
};
struct str home_point_text(const struct home_point *p, enum home_text i);
bool home_point_is_at(const struct home_point *p, struct str topic); /* its state comes there */
/* The words that entities of a component are told in: those of a config, else its usual ones; 0: any value. */
uint8_t home_words_of(const struct home_entity *e, struct str *ret_on, struct str *ret_off);
bool home_is_told(const struct home_entity *e); /* it has a topic for commands, and no template for them */

/* Learns a config, or forgets what its topic described where the payload is empty.  The report becomes of its device.
 */
bool home_points_learn(struct home_points *p, const struct home_speaks *speaks, struct str topic,
                       const struct home_topic *t, struct home_report *r);
bool home_points_know(const struct home_points *p, struct str topic);
bool home_points_said(const struct home_points *p, struct str topic, struct home_report *r);

#endif
