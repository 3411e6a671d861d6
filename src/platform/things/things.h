/* Things: devices, their models, where they are.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_THINGS_THINGS_H
#define LINLI_PLATFORM_THINGS_THINGS_H

#include "kernel/kernel.h"

enum device_state { DEVICE_NEW, DEVICE_NORMAL, DEVICE_ALARM, DEVICE_OFFLINE, DEVICE_RETIRED };

struct device {
    struct row row;
    struct str name, code, former_code, model, line, attributes /* JSON object of strings */;
    int64_t place_id, last_ms;
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
};
struct device_model {
    struct row row;
    struct str code, name, icon;
    struct lines metrics;
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
extern const struct resource devices, device_models, reading_classes;
/* Another number after each change of what metrics are: models, classes, or too many devices at once. */
int64_t things_generation(void);
/* Devices that this process heard have changed since the last call; ids with room for THINGS_CHANGED_MAX. */
#define THINGS_CHANGED_MAX 256
size_t things_take_changed(int64_t *ids);
bool things_have_changed(void);
enum err things_changed(struct ctx *ctx, const struct event *e);
enum err things_device_changed(struct ctx *ctx, const struct event *e);
extern const struct module things_module;

/* The device of that code in the community; *ret_found false when there is none.  As the system. */
NODISCARD enum err device_by_code(struct ctx *ctx, int64_t community_id, struct str code, struct device *ret,
                                  bool *ret_found);
/* A device nobody knows is put aside (state new) for adoption; at most DEVICES_NEW_MAX a community, then ERR_TOO_MANY.
 */
#define DEVICES_NEW_MAX 20000
NODISCARD enum err device_put_aside(struct ctx *ctx, int64_t community_id, struct str code, struct str line,
                                    int64_t *ret_id);
/* Takes one of the system's own steps where the state has it; else nothing: "alarm" and "calm", while it has an alarm;
 * "lose" and "hear", while nobody hears it. */
NODISCARD enum err device_step(struct ctx *ctx, int64_t id, const char *step);

enum field_class metric_privacy(const struct model_metric *m);
/* What the device's model says of the metric; *ret_found false when it says nothing.  As the system. */
NODISCARD enum err device_metric(struct ctx *ctx, const struct device *d, struct str metric, struct model_metric *ret,
                                 bool *ret_found);

/* MQTT credentials: user name and a password of which only the hash is kept. */
NODISCARD enum err device_key_make(struct ctx *ctx, int64_t device_id, struct str *ret_user, struct str *ret_password);
NODISCARD enum err device_key_check(struct ctx *ctx, struct str user, struct str password, int64_t *ret_device_id,
                                    bool *ret_ok);
/* Another number for each password of a device; 0 while the device may not log in: retired, archived, without one. */
NODISCARD enum err device_key_tag(struct ctx *ctx, int64_t device_id, uint64_t *ret_tag);

#endif
