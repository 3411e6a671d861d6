/* Fuzzes MQTT packets in both versions: what is read can be written, and is then read as the same bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/mqtt/mqtt.h"

#include <stdlib.h>
#include <string.h>

#define PACKET_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
    if (!ok) abort();
}

static void walk(const struct mqtt_packet *p) {
    struct bytes rest = p->properties;
    struct mqtt_property x;
    struct mqtt_filter f;
    while (mqtt_property_next(&rest, &x)) must(mqtt_property_name(x.id) != NULL);
    must(!rest.len);
    rest = p->list;
    if (p->type != MQTT_SUBSCRIBE && p->type != MQTT_UNSUBSCRIBE) return;
    while (mqtt_filter_next(p, &rest, &f)) (void)mqtt_topic_matches(f.filter, (struct str){"a/b", 3});
    must(!rest.len);
}

static size_t write(const struct mqtt_packet *p, char *mem) {
    struct buf b;
    buf_init(&b, mem, PACKET_MAX);
    must(mqtt_encode(p, &b));
    return b.len;
}

/* Bytes of a longer form (3.1.1 lengths, reasons that may be left out) are written shorter, once. */
static void whole(struct bytes in, enum mqtt_level level) {
    static char first[PACKET_MAX], second[PACKET_MAX];
    struct mqtt_packet p, again;
    struct mqtt_fault f = {0};
    if (!mqtt_decode(in, level, &p, &f)) {
        must(f.rule && f.at <= in.len);
        return;
    }
    walk(&p);
    size_t n = write(&p, first);
    must(n <= in.len);
    must(mqtt_decode((struct bytes){(const uint8_t *)first, n}, level, &again, &f));
    must(again.type == p.type && again.id == p.id && again.payload.len == p.payload.len);
    must(write(&again, second) == n && !memcmp(first, second, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes rest = {data, size < PACKET_MAX / 2 ? size : PACKET_MAX / 2};
    struct mqtt_fault f = {0};
    size_t len;
    for (;;) {
        enum frame frame = mqtt_frame(rest, PACKET_MAX / 2, &len, &f);
        if (frame == FRAME_SKIP) must(f.rule != NULL);
        if (frame == FRAME_SHORT) must(!len || len > rest.len);
        if (frame != FRAME_WHOLE) return 0;
        must(len >= 2 && len <= rest.len);
        whole((struct bytes){rest.ptr, len}, MQTT_V311);
        whole((struct bytes){rest.ptr, len}, MQTT_V5);
        rest = (struct bytes){rest.ptr + len, rest.len - len};
    }
}
