/* Gathering what a frame of a watch says: numbers, times, values of tables.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/watch/watch_internal.h"

#include "base/civil.h"

#include <string.h>

#define NUMBER_MAX 24

void watch_add_reading(struct watch_said *s, const char *metric, const char *unit, double value) {
    if (s->readings_n == WATCH_READINGS_MAX) return;
    s->readings[s->readings_n++] = (struct reading){.device = s->device,
                                                    .metric = str_of(metric),
                                                    .unit = str_of(unit),
                                                    .value = value,
                                                    .at_ms = s->at_ms,
                                                    .quality = s->quality};
}

void watch_add_event(struct watch_said *s, struct device_event e) {
    if (s->events_n == WATCH_EVENTS_MAX) return;
    e.device = s->device;
    e.at_ms = s->fix_ms;
    s->events[s->events_n++] = e;
}

void watch_says_when(struct watch_said *s, int64_t at_ms, bool has_fix) {
    s->at_ms = at_ms;
    s->fix_ms = has_fix ? at_ms : 0;
}

void watch_add_position(struct watch_said *s, double latitude, double longitude) {
    watch_add_reading(s, "latitude", "deg", latitude);
    watch_add_reading(s, "longitude", "deg", longitude);
}

bool watch_is(struct str command, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i < n && i < command.len; i++) {
        char a = command.ptr[i], b = name[i];
        bool are_letters = (a | 0x20) >= 'a' && (a | 0x20) <= 'z';
        if (are_letters ? (a | 0x20) != (b | 0x20) : a != b) return false;
    }
    return command.len == n;
}

bool watch_number(struct str text, double low, double high, double *ret) {
    char bare[NUMBER_MAX];
    size_t n = 0;
    double v;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ' ') continue;
        if (n == sizeof bare) return false;
        bare[n++] = text.ptr[i];
    }
    if (!str_to_f64((struct str){bare, n}, &v) || v < low || v > high) return false;
    *ret = v;
    return true;
}

/* Two digits at `at`; -1: none. */
static int pair(struct str s, size_t at) {
    int64_t v;
    return str_to_i64((struct str){s.ptr + at, 2}, &v) && v >= 0 ? (int)v : -1;
}

int64_t watch_time_ms(struct str date, const char *order, struct str time) {
    int32_t year = -1, month = -1, day = -1;
    if (date.len != 6 || time.len != 6) return 0;
    for (size_t i = 0; i < 3; i++) {
        int32_t v = pair(date, 2 * i);
        if (order[i] == 'y') year = v < 0 ? v : 2000 + v;
        if (order[i] == 'm') month = v;
        if (order[i] == 'd') day = v;
    }
    int h = pair(time, 0), m = pair(time, 2), s = pair(time, 4);
    if (year < 0 || !civil_is_date(year, month, day) || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59) return 0;
    return (civil_day(year, month, day) * 86400 + h * 3600 + m * 60 + s) * 1000;
}

void watch_cut(struct str fields, struct watch_fields *ret) {
    *ret = (struct watch_fields){0};
    while (ret->n < WATCH_FIELDS_MAX && str_cut(&fields, ',', &ret->at[ret->n])) {
        ret->at[ret->n] = str_trim(ret->at[ret->n]);
        ret->n++;
    }
}

bool watch_add_values(struct watch_said *s, const struct watch_frame *f, const struct watch_fields *fields,
                      const struct watch_value *values, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct watch_value *v = &values[i];
        double x;
        if (!watch_is(f->command, v->command) || fields->n < v->least || !fields->at[v->field].len) continue;
        if (!watch_number(fields->at[v->field], -1e9, 1e9, &x)) return false;
        if (x >= v->low && x <= v->high) watch_add_reading(s, v->metric, v->unit, x);
    }
    return true;
}
