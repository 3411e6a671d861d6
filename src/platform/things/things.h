/* Things: devices, their models, where they are, the lines they speak on, what they are told.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_PLATFORM_THINGS_THINGS_H
#define LINLI_PLATFORM_THINGS_THINGS_H

#include "kernel/kernel.h"

enum device_state { DEVICE_NEW, DEVICE_NORMAL, DEVICE_ALARM, DEVICE_OFFLINE, DEVICE_RETIRED };

struct device {
    struct row row;
    struct str name, code, former_code, model, attributes /* JSON object of strings */;
    struct str address;  /* on its line; absent: its code */
    struct str password; /* that it wants when it is told something */
    struct str way;      /* of a gate's reader or camera: in, out */
    struct str speaks;   /* of a gateway: conventions of homes beside its own topics, struct home_speaks */
    int64_t place_id, line_id, last_ms;
    int32_t state;
    bool alarmed; /* while it is offline, too */
};
struct model_metric {
    uint64_t has;
    struct str metric, name_zh, name_en, unit;
    int64_t low, high;  /* sensible range, scale 3 */
    struct str kind;    /* gauge, or counter: it only rises, unless it begins anew at zero */
    int64_t class_id;   /* of reading_classes */
    struct str privacy; /* word of the field class whose readers may see it; absent: whoever sees the device */
    struct str item;    /* where a device that is asked has it, as its protocol writes it: struct question */
    int64_t every_s;    /* how often it is asked; absent: as its line says */
};
struct model_event { /* what a device says beside readings */
    uint64_t has;
    struct str event, name_zh, name_en;
};
struct model_command { /* what a device can be told */
    uint64_t has;
    struct str command, name_zh, name_en;
    struct str item, value; /* as its protocol writes them; value absent: whoever commands says it */
    bool dangerous;         /* waits for a confirmation */
    bool alone;             /* it has no value, and nobody says one */
};
#define MODEL_RULES_MAX 32
/* Becomes a rule of a community with its first device of the model, where it has none of that name or about the same.
 */
struct model_rule {
    uint64_t has;
    struct str name, kind, metric, event_code, severity, message, case_type;
    int64_t limit_value, clear_value, for_s; /* with scale 3; absent ones by `has` */
};
enum { MODEL_RULE_LIMIT = 1 << 4, MODEL_RULE_CLEAR = 1 << 5, MODEL_RULE_FOR = 1 << 6 }; /* bits of `has` */
/* What any rule must have to be one, a community's as well: NULL, or the field that is wrong, with its code. */
const char *model_rule_check(const struct model_rule *r, const char **ret_code, int64_t *ret_limit);
/* The console has these of its icons for devices; "device" where none fits. */
#define DEVICE_ICONS                                                                                                  \
    "device chart alarm shield bell key badge visit lock camera eye person place pin globe idea up trash link clock " \
    "today sound retry inbox out phone"
struct device_model {
    struct row row;
    struct str code, name, name_en, category, icon, protocol, upkeep;
    int64_t upkeep_days; /* 0: none */
    struct lines metrics, events, commands, rules;
};
#define CLASS_WINDOWS_MAX 2
struct class_window { /* points of a month rolled up into windows */
    uint64_t has;
    struct str minutes;
    int64_t days; /* 0: for ever */
};
struct reading_class {
    struct row row;
    struct str code, name;
    int64_t raw_days; /* as they came; 0: for ever */
    struct lines windows;
    bool for_all; /* of metrics that name no class; the first one so marked */
};
/* Where devices reach this server, or are reached by it.  sensing/lines opens what the rows say. */
enum line_state { LINE_CLOSED, LINE_OPEN, LINE_FAILED };
#define LINE_SENDERS_MAX 400
#define LINE_KINDS                                                                                                     \
    "gb26875 hj212 dlt645 cjt188 modbus modbus_rtu bacnet watch jt808 osdp door vz itsapi lift chirpstack ttn ctwing " \
    "onenet mqtt http "                                                                                                \
    "mqtt-client"
#define LINE_NAME_MAX    40
#define LINE_ADDRESS_MAX 64
#define LINE_PROBLEM_MAX 200
#define LINE_PUSH_KEY    32
#define LINE_SECRET_MAX  200
#define LINE_HOST_MAX    100
#define LINE_TOPICS_MAX  400
struct line_row {
    struct row row;
    struct str name, kind;
    struct str reach;    /* listen, which is meant where it is absent; dial; serial */
    struct str bind;     /* listen: on this address of the machine */
    struct str host;     /* dial: numeric; a broker's may be a name */
    struct str greeting; /* listen, where devices are asked: what their gateway (DTU) says first */
    struct str serial, baud, parity, stop_bits;
    struct str senders;          /* who may push, or connect: address_list_is(); absent: anybody */
    struct str numbers;          /* of the devices that are looked for: "1000-1999", "1234"; absent: any */
    struct str username, topics; /* at a broker: topics as home_topics_read() has them */
    struct str address /* where it is open */, problem /* why it is not */;
    struct str
        push_key;      /* of kinds that are pushed over HTTP: the last part of their address; whoever has it may push */
    struct str secret; /* with which what is pushed is signed, where its protocol does that; a broker's password */
    int64_t port, every_s;
    int32_t state;
    bool enabled, tls;
};

/* -1 and -1 where it is absent.  False: it is none, or the second is lower. */
bool line_numbers_read(struct str numbers, int64_t *ret_low, int64_t *ret_high);

/* What a device is told.  One way for all: right, reason, confirmation where it is dangerous, what became of it. */
enum command_state {
    COMMAND_ASKED, /* waits for a confirmation */
    COMMAND_QUEUED,
    COMMAND_SENT, /* on its way: it may be carried out from here on */
    COMMAND_DONE,
    COMMAND_FAILED,
    COMMAND_EXPIRED,
    COMMAND_WITHDRAWN
};
struct device_command {
    struct row row;
    struct str command; /* of the device's model */
    struct str value, reason, answer /* what the device said */;
    struct str item, told; /* as its protocol writes them, when it was asked: a model that changes changes none of it */
    int64_t passage_id;    /* of one who stood before the device: a pass was the right, not the one who commands */
    int64_t device_id, until_ms, confirmed_by, confirmed_ms, sent_ms, ended_ms;
    int32_t state;
    bool dangerous;
};
#define COMMAND_PATIENCE_MS INT64_C(600000) /* where nobody says until when */
#define COMMAND_UNTIL_MAX_MS \
    (INT64_C(7) * 86400000) /* from its creation on; who wanted it may think otherwise by then */

extern const struct resource devices, device_models, reading_classes, line_rows /* "lines" */, commands;
extern const struct setting command_settings[1];
/* Another number after each change of what metrics are: models, classes, or too many devices at once. */
int64_t things_generation(void);
/* Devices that this process heard have changed since the last call; ids with room for THINGS_CHANGED_MAX. */
#define THINGS_CHANGED_MAX 256
size_t things_take_changed(int64_t *ids);
bool things_have_changed(void);
enum err things_changed(struct ctx *ctx, const struct event *e);
enum err things_device_changed(struct ctx *ctx, const struct event *e);
extern const struct module things_module;

/* May it be told something?  Not before it is adopted, nor once it is retired or archived. */
bool device_is_in_use(const struct device *d);
/* The device of that code in the community; *ret_found false when there is none.  As the system. */
NODISCARD enum err device_by_code(struct ctx *ctx, int64_t community_id, struct str code, struct device *ret,
                                  bool *ret_found);
/* A device nobody knows is put aside (state new) for adoption; at most DEVICES_NEW_MAX a community, then ERR_TOO_MANY,
 * and DEVICES_NEW_OF_LINE that come by one line.
 * `line`: name of a line, or kind where only one speaks it. */
#define DEVICES_NEW_MAX     20000
#define DEVICES_NEW_OF_LINE 2000 /* so that whoever makes up names on one leaves room for those of the others */
struct device_about {            /* what it says of itself; absent where it does not */
    struct str name, attributes /* JSON object of strings */, address;
};
/* about NULL: nothing.  Of one that was put aside before, what it did not say then is kept now. */
NODISCARD enum err device_put_aside(struct ctx *ctx, int64_t community_id, struct str code, struct str line,
                                    const struct device_about *about, int64_t *ret_id);
/* Takes one of the system's own steps where the state has it; else nothing: "alarm" and "calm", while it has an alarm;
 * "lose" and "hear", while nobody hears it. */
NODISCARD enum err device_step(struct ctx *ctx, int64_t id, const char *step);

/* It was heard then: its row says so, as the same version and without an event. */
NODISCARD enum err device_heard(struct ctx *ctx, int64_t community_id, struct str code, int64_t at_ms);

/* The model of that code; *ret_found false when there is none.  As the system. */
NODISCARD enum err device_model_of(struct ctx *ctx, struct str code, struct device_model *ret, bool *ret_found);
enum err device_model_check(struct ctx *ctx, const void *row); /* its `validate` */
enum field_class metric_privacy(const struct model_metric *m);
/* May the caller see plainly what the device says of these field classes?  `d`: of one that has no row, its community
 * alone. */
bool device_is_clear(struct ctx *ctx, const struct device *d, unsigned classes);
/* What the device's model says of the metric; *ret_found false when it says nothing.  As the system. */
NODISCARD enum err device_metric(struct ctx *ctx, const struct device *d, struct str metric, struct model_metric *ret,
                                 bool *ret_found);

/* The command of that name of the device's model.  As the system. */
NODISCARD enum err device_command(struct ctx *ctx, const struct device *d, struct str command,
                                  struct model_command *ret, bool *ret_found);

/* MQTT credentials: user name and a password of which only the hash is kept.  Tells "devices.key". */
NODISCARD enum err device_key_make(struct ctx *ctx, int64_t device_id, struct str *ret_user, struct str *ret_password);
NODISCARD enum err device_key_check(struct ctx *ctx, struct str user, struct str password, int64_t *ret_device_id,
                                    bool *ret_ok);
/* Another number for each password of a device; 0 while the device may not log in: retired, archived, without one. */
NODISCARD enum err device_key_tag(struct ctx *ctx, int64_t device_id, uint64_t *ret_tag);

#endif
