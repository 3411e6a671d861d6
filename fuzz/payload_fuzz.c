/* Fuzzes payloads of devices: what is accepted has names and finite numbers, and jansson accepts it too.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/payload/payload.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
    if (!ok) abort();
}

/* Numbers past 64 bits and deep nesting are jansson's own limits: as real numbers it takes them. */
static void must_be_json(struct bytes b) {
    json_t *v = json_loadb((const char *)b.ptr, b.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    must(v != NULL);
    json_decref(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct payload_value values[PAYLOAD_VALUES_MAX];
    static char mem[65536];
    struct bytes payload = {data, size};
    struct payload_fault f = {0};
    struct payload_event e;
    struct buf names;
    size_t n = 0;
    buf_init(&names, mem, sizeof mem);
    if (payload_readings(payload, &names, values, COUNT(values), &n, &f)) {
        must(n && n <= COUNT(values));
        for (size_t i = 0; i < n; i++) {
            must(values[i].metric.len && values[i].metric.len <= PAYLOAD_NAME_MAX && isfinite(values[i].value));
            for (size_t at = 0; at < values[i].metric.len; at++) must((unsigned char)values[i].metric.ptr[at] >= ' ');
        }
        must_be_json(payload);
    } else {
        must(f.rule && f.at <= size);
    }
    buf_init(&names, mem, sizeof mem);
    f = (struct payload_fault){0};
    if (payload_event(payload, &names, &e, &f)) {
        must(e.code.len && e.code.len <= PAYLOAD_NAME_MAX && e.part.len <= PAYLOAD_NAME_MAX);
        if (e.data.ptr) must_be_json((struct bytes){(const uint8_t *)e.data.ptr, e.data.len});
        must_be_json(payload);
    } else {
        must(f.rule && f.at <= size);
    }
    return 0;
}
