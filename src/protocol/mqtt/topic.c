/* Topic names and filters (MQTT 5.0, 4.7 and 4.8.2).  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/mqtt/mqtt_internal.h"

#include <string.h>

#define SHARE S("$share/")

static bool has(struct str s, char c) {
    return s.len && memchr(s.ptr, c, s.len);
}

bool mqtt_topic_is_name(struct str topic) {
    return topic.len && topic.len <= MQTT_TEXT_MAX && !has(topic, '+') && !has(topic, '#');
}

static bool is_plain_filter(struct str filter) {
    if (!filter.len || filter.len > MQTT_TEXT_MAX) return false;
    for (size_t i = 0; i < filter.len; i++) {
        char c = filter.ptr[i];
        bool starts = i == 0 || filter.ptr[i - 1] == '/', is_last = i + 1 == filter.len;
        if (c == '#' && !(starts && is_last)) return false;
        if (c == '+' && !(starts && (is_last || filter.ptr[i + 1] == '/'))) return false;
    }
    return true;
}

bool mqtt_topic_is_shared(struct str filter) {
    return str_starts(filter, SHARE);
}

bool mqtt_topic_is_filter(struct str filter, enum mqtt_level level) {
    struct str name;
    if (level != MQTT_V5 || !mqtt_topic_is_shared(filter)) return is_plain_filter(filter);
    struct str rest = str_from(filter, SHARE.len);
    return filter.len <= MQTT_TEXT_MAX && str_cut(&rest, '/', &name) && mqtt_topic_is_name(name) && rest.ptr &&
           is_plain_filter(rest);
}

bool mqtt_topic_matches(struct str filter, struct str topic) {
    bool is_first = true;
    while (filter.ptr) {
        struct str want, level;
        bool wild = filter.len && (filter.ptr[0] == '+' || filter.ptr[0] == '#');
        if (wild && is_first && topic.len && topic.ptr[0] == '$') return false;
        is_first = false;
        (void)str_cut(&filter, '/', &want);
        if (str_is(want, "#")) return true; /* the parent, too: its topic is used up then */
        if (!str_cut(&topic, '/', &level)) return false;
        if (!str_is(want, "+") && !str_eq(want, level)) return false;
    }
    return !topic.ptr;
}
