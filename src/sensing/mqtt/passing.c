/* Who stands before a door, published by its controller: decided upon, put down, answered by a command and PUBACK.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include "protocol/door/door.h"

#include <string.h>

#define REPORT_BYTES ((size_t)64 << 10)

/* Personal: neither a good one's bytes are kept nor a bad one's. */
static struct mqtt_packet without_payload(const struct mqtt_packet *p) {
    struct mqtt_packet shown = *p;
    shown.payload = (struct bytes){NULL, 0};
    return shown;
}

void mqtt_passing_take(struct mqtt_conn *c, const struct mqtt_packet *p) {
    struct mqtt_listener *l = c->l;
    struct mqtt_report *r = calloc(1, sizeof *r);
    struct wire_error e = {"out of memory", NO_OFFSET};
    struct mqtt_packet shown = without_payload(p);
    if (!r) {
        mqtt_conn_end(c, MQTT_UNSPECIFIED); /* not answered, so it comes again */
        return;
    }
    arena_init(&r->arena, REPORT_BYTES);
    struct str device = {c->device, c->device_n};
    if (!door_read(p->payload, device, &r->arena, &r->decoded, &e)) {
        mqtt_report_destroy(r);
        mqtt_report_bad(c, &shown, &e);
        return;
    }
    mqtt_heard(c, shown.topic, shown.payload);
    r->at_ms = now_ms(l);
    r->site = (struct intake_site){l->loop, l->o.feed, l->o.world, NULL, c->community_id, "mqtt"};
    mqtt_report_add(c, p, r, false);
}
