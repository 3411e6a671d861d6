/* Devices that push over HTTP: the request, and its answer.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/simulate.h"

#include <string.h>
#include <strings.h>

bool sim_push(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
    char mem[SIM_FRAME_MAX];
    const char *below = "";
    struct buf body;
    buf_init(&body, mem, sizeof mem);
    if (!d->protocol->push(o, d, sim_clock_ms(d, now_ms), &body, &below)) return false;
    buf_fmt(out,
            "POST /api/v1/push/%s%s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nX-Request-Id: "
            "linli-%05u\r\nContent-Length: %zu\r\n\r\n",
            o->key, below, o->host, o->port, (unsigned)d->serial, body.len);
    buf_add(out, body.ptr, body.len);
    return !body.overflow && !out->overflow;
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

enum sim_heard sim_push_hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    size_t n = head_of(in);
    struct str head = {(const char *)in.ptr, n};
    int64_t body = 0, status = 0, serial = 0;
    if (!n) return SIM_NOTHING;
    struct str length = header(head, "Content-Length"), trace = header(head, "X-Request-Id");
    if (length.ptr && (!str_to_i64(length, &body) || body < 0)) return SIM_REFUSED;
    if (in.len - n < (size_t)body) return SIM_NOTHING;
    *ret_used = n + (size_t)body;
    if (n < 12 || !str_to_i64((struct str){head.ptr + 9, 3}, &status)) return SIM_REFUSED;
    if (status == 404) return SIM_REFUSED; /* another key */
    if (!str_starts(trace, S("linli-")) || !str_to_i64(str_from(trace, 6), &serial)) return SIM_OTHER;
    *ret_serial = (uint16_t)serial;
    return status == 200 ? SIM_CONFIRMED : SIM_DENIED;
}

struct str sim_push_body(struct bytes answer) {
    return str_from((struct str){(const char *)answer.ptr, answer.len}, head_of(answer));
}
