/* What a platform pushes for its devices as JSON: fields by their paths, numbers below a path as readings.  Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_PUSHED_H
#define LINLI_PROTOCOL_PUSHED_H

#include "protocol/codec.h"
#include "protocol/json_in.h"

#define PUSHED_READINGS_MAX 512
#define PUSHED_EVENTS_MAX   64
#define PUSHED_NAME_MAX     64 /* bytes of a metric, of a device */

struct pushed {
    struct decoded *ret;
    struct arena *a;
    struct wire_error *error;
    size_t at; /* of the JSON in its frame */
    struct str device;
    int64_t at_ms; /* UTC, of all that says no time of its own; 0: none */
    struct reading *readings;
    struct device_event *events;
    size_t readings_n, events_n, readings_cap, events_cap;
    size_t readings_from, events_from; /* of the device that is spoken of now */
};
/* *ret is empty until pushed_end(), but for the sender once that was read: a frame with a fault is somebody's. */
void pushed_init(struct pushed *p, struct decoded *ret, struct arena *a, struct wire_error *reterr, size_t at);
/* Gives device and time to what was said since the last time; what follows is of another. */
void pushed_next(struct pushed *p);
void pushed_end(struct pushed *p);                                     /* the same, and nothing follows */
bool pushed_bad(struct pushed *p, const char *rule, size_t at);        /* false; `at` in the JSON */
bool pushed_of(struct pushed *p, struct str device, const char *rule); /* false: no code of a device, told so */
bool pushed_time(struct pushed *p, struct str text, const char *rule); /* RFC 3339 */
bool pushed_add(struct pushed *p, struct str metric, const char *unit, double value); /* said twice breaks a rule */
struct reading *pushed_find(const struct pushed *p, struct str metric);               /* NULL: it is not said */
bool pushed_event(struct pushed *p, struct str code, bool is_set);
/* A number, true or false as a reading, named by path[from] and what follows, joined by "_", after `before` if that is
 * not empty; units of names that mean the same everywhere.  Texts and nulls are no readings. */
bool pushed_add_leaf(struct pushed *p, struct str before, const struct json_leaf *leaf, size_t from);
/* An object, each of its scalars told to fn; and nothing else is left.  `at` in the text that pushed_init() named. */
bool pushed_object(struct pushed *p, struct bytes json, size_t at, json_leaf_fn *fn, void *arg);

/* "rxInfo.#.rssi": # is any member of a list; the first name is one. */
bool pushed_is(const struct json_leaf *leaf, const char *path);
/* How many steps `path` has, if the leaf is below it; else 0. */
size_t pushed_below(const struct json_leaf *leaf, const char *path);

/* Fields that are wanted, each at most once; null is as if absent. */
struct pushed_field {
    const char *path, *rule; /* rule: of one that is of another type */
    enum json_leaf_type type;
};
#define PUSHED_TEXT(path) \
    { path, path ": it is no text", JSON_LEAF_TEXT }
#define PUSHED_NUMBER(path) \
    { path, path ": it is no number", JSON_LEAF_NUMBER }
#define PUSHED_FLAG(path) \
    { path, path ": it is neither true nor false", JSON_LEAF_FLAG }
struct pushed_value {
    bool has;
    double number;
    struct str text;
};
/* *ret_is: it is one of them.  False: it is wrong, *in has the rule. */
bool pushed_take(const struct pushed_field *fields, size_t n, struct pushed_value *values, struct json_in *in,
                 const struct json_leaf *leaf, bool *ret_is);

#endif
