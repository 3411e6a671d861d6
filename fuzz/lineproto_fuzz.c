/* Fuzzes line protocol: what is accepted has names, fields and a number that rises, and reading ends.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lineproto/lineproto.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int64_t ticks[] = {1, 1000, 1000000, 1000000000};
    static struct lineproto_line line;
    struct arena arena;
    if (!size) return 0;
    arena_init(&arena, 1u << 20);
    struct lineproto p = {.rest = {(const char *)data + 1, size - 1}, .tick_ns = ticks[data[0] % 4], .arena = &arena};
    size_t before = 0;
    while (lineproto_next(&p, &line)) {
        must(line.number > before && line.device.len && line.fields_n && line.fields_n <= LINEPROTO_FIELDS_MAX);
        must(line.tags_n <= LINEPROTO_TAGS_MAX && !p.rule);
        for (size_t i = 0; i < line.tags_n; i++) must(line.tags[i].key.len && line.tags[i].value.len);
        for (size_t i = 0; i < line.fields_n; i++) must(line.fields[i].metric.len && isfinite(line.fields[i].value));
        before = line.number;
    }
    must(p.rule ? p.number > before : !p.rest.ptr);
    arena_finish(&arena);
    return 0;
}
