/* What the files of the codec of watches share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_WATCH_WATCH_INTERNAL_H
#define LINLI_PROTOCOL_WATCH_WATCH_INTERNAL_H

#include "protocol/watch/watch.h"

enum frame watch_split(struct bytes in, size_t *ret_len);
enum frame watch_follow(struct bytes in, struct followed *followed, size_t *ret_len); /* codec.follow() */

#define WATCH_READINGS_MAX 16
#define WATCH_EVENTS_MAX   12
/* What a frame says, as it is gathered.  `add` calls beyond the room there is cannot be: a frame has fewer fields. */
struct watch_said {
    struct str device;
    struct reading *readings;
    struct device_event *events;
    size_t readings_n, events_n;
    int64_t at_ms;  /* of readings that are added next; 0: not on the wire */
    int64_t fix_ms; /* of events: an alarm counts from when it comes, unless satellites say the time */
    enum quality quality;
};
void watch_add_reading(struct watch_said *s, const char *metric, const char *unit, double value);
void watch_add_event(struct watch_said *s, struct device_event e); /* device and time are put in */
void watch_says_when(struct watch_said *s, int64_t at_ms, bool has_fix);
/* A number; makers leave blanks in them.  False: none, or not of low to high. */
bool watch_number(struct str text, double low, double high, double *ret);
/* Six digits each, in the order that year, month and day have in `date`: UTC; 0: no time. */
int64_t watch_time_ms(struct str date, const char *order, struct str time);
void watch_add_position(struct watch_said *s, double latitude, double longitude);

/* Fields of a content, blanks around them away.  What is missing on the right is absent. */
#define WATCH_FIELDS_MAX 24
struct watch_fields {
    struct str at[WATCH_FIELDS_MAX];
    size_t n;
};
void watch_cut(struct str fields, struct watch_fields *ret);

/* One value of one field. */
struct watch_value {
    const char *command;
    uint8_t least, field; /* fields that there are at least; which one holds it, from 0 */
    const char *metric, *unit;
    double low, high; /* what is beyond was not measured: a heart rate of 0 is that of nobody */
};
/* Adds those of the frame's command.  False: one of them is there but no number. */
bool watch_add_values(struct watch_said *s, const struct watch_frame *f, const struct watch_fields *fields,
                      const struct watch_value *values, size_t n);
bool watch_is(struct str command, const char *name); /* makers do not agree on capitals */

/* What a frame's content says.  False: *reterr. */
bool watch_say(const struct watch_frame *f, struct watch_said *s, struct wire_error *reterr);
bool watch_needs_help(const struct watch_frame *f); /* an alarm after which its place is asked for */
bool watch_say_iw(const struct watch_frame *f, struct watch_said *s, struct wire_error *reterr);
bool watch_read(const struct watch_frame *f, struct arena *a, struct decoded *ret, struct wire_error *reterr);

bool watch_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool watch_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);
extern const struct asking watch_asking;

#endif
