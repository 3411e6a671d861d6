/* A camera of a gate that pushes the plates it reads over HTTP.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/vz/vz.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UNSURE_OF 20 /* of so many plates one is read badly */

/* One of those asked for; else one that is made up. */
static void put_plate(const struct sim_options *o, struct sim_device *d, struct buf *out) {
    static const char serial[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    struct str rest = str_of(o->plates), one = {NULL, 0};
    size_t n = 1;
    for (size_t i = 0; i < rest.len; i++) n += rest.ptr[i] == ',';
    for (size_t nth = sim_random(d) % n + 1; rest.ptr && nth && str_cut(&rest, ',', &one); nth--) continue;
    if (one.len) {
        buf_str(out, one);
        return;
    }
    buf_cstr(out, "粤");
    buf_char(out, serial[10 + sim_random(d) % 24]);
    for (int i = 0; i < 5; i++) buf_char(out, serial[sim_random(d) % (i < 4 ? 10 : sizeof serial - 1)]);
}

/* The number of the message is its trace, too, which the answer repeats. */
static bool speak(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
    char text[64], name[32], body[SIM_FRAME_MAX];
    struct buf plate, device, json;
    buf_init(&plate, text, sizeof text);
    put_plate(o, d, &plate);
    buf_init(&device, name, sizeof name);
    buf_fmt(&device, "linli-%" PRId64, o->first + (int64_t)d->index);
    buf_init(&json, body, sizeof body);
    vz_write(&(struct vz_push){.device = {name, device.len},
                               .name = S("IN-1"),
                               .plate = {text, plate.len},
                               .colour = 1,
                               .type = 1,
                               .confidence = sim_random(d) % UNSURE_OF ? 90 + (int64_t)(sim_random(d) % 10) : 60,
                               .direction = 4,
                               .trigger = 8,
                               .plate_id = d->serial,
                               .at_ms = now_ms},
             &json);
    buf_fmt(out,
            "POST /api/v1/push/%s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nX-Request-Id: "
            "linli-%05u\r\nContent-Length: %zu\r\n\r\n",
            o->key, o->host, o->port, (unsigned)d->serial, json.len);
    buf_add(out, json.ptr, json.len);
    return !plate.overflow && !json.overflow && !out->overflow;
}

/* The value of a header of the answer's head; absent: it has none. */
static struct str header(struct str head, const char *name) {
    struct str line, key;
    size_t n = strlen(name);
    while (str_cut(&head, '\n', &line)) {
        key = line;
        if (line.len > n && line.ptr[n] == ':' && !strncasecmp(key.ptr, name, n))
            return str_trim(str_from(line, n + 1));
    }
    return (struct str){NULL, 0};
}

static size_t head_of(struct bytes in) {
    for (size_t i = 0; i + 4 <= in.len; i++)
        if (!memcmp(in.ptr + i, "\r\n\r\n", 4)) return i + 4;
    return 0;
}

static enum sim_heard hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    size_t n = head_of(in);
    struct str head = {(const char *)in.ptr, n};
    int64_t body = 0, status = 0, serial = 0;
    if (!n) return SIM_NOTHING;
    struct str length = header(head, "Content-Length"), trace = header(head, "X-Request-Id");
    if (length.ptr && (!str_to_i64(length, &body) || body < 0)) return SIM_REFUSED;
    if (in.len - n < (size_t)body) return SIM_NOTHING;
    *ret_used = n + (size_t)body;
    if (n < 12 || !str_to_i64((struct str){head.ptr + 9, 3}, &status)) return SIM_REFUSED;
    if (status == 404 || status == 401) return SIM_REFUSED; /* another key, another secret */
    if (!str_starts(trace, S("linli-")) || !str_to_i64(str_from(trace, 6), &serial)) return SIM_OTHER;
    *ret_serial = (uint16_t)serial;
    return status == 200 ? SIM_CONFIRMED : SIM_DENIED;
}

const struct sim_protocol sim_vz = {.name = "vz",
                                    .port = 8080,
                                    .faults = 1u << SIM_SPLIT | 1u << SIM_MERGE | 1u << SIM_REPLAY,
                                    .needs_key = true,
                                    .speak = speak,
                                    .hear = hear};
