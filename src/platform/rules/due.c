/* What time will bring: the watches whose state changes without a reading, the earliest first.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/rules_internal.h"

static void put(struct book *b, size_t i, struct coming c) {
    b->due[i] = c;
    b->watches[c.watch].place = (uint32_t)i + 1;
}

static void rise(struct book *b, size_t i, struct coming c) {
    for (size_t up; i && c.at_ms < b->due[up = (i - 1) / 2].at_ms; i = up) put(b, i, b->due[up]);
    put(b, i, c);
}

static void sink(struct book *b, size_t i, struct coming c) {
    for (size_t next = 2 * i + 1; next < b->due_n; i = next, next = 2 * i + 1) {
        if (next + 1 < b->due_n && b->due[next + 1].at_ms < b->due[next].at_ms) next++;
        if (c.at_ms <= b->due[next].at_ms) break;
        put(b, i, b->due[next]);
    }
    put(b, i, c);
}

void due_arm(struct book *b, uint32_t watch, int64_t not_before_ms) {
    struct watched *w = &b->watches[watch];
    int64_t at_ms = rule_due_ms(&w->terms, &w->state);
    if (at_ms == INT64_MAX) return;
    if (at_ms < not_before_ms) at_ms = not_before_ms;
    if (w->place && b->due[w->place - 1].at_ms <= at_ms) return;
    rise(b, w->place ? w->place - 1 : b->due_n++, (struct coming){at_ms, watch});
}

bool due_take(struct book *b, int64_t now_ms, uint32_t *ret) {
    if (!b->due_n || b->due[0].at_ms > now_ms) return false;
    *ret = b->due[0].watch;
    b->watches[*ret].place = 0;
    if (--b->due_n) sink(b, 0, b->due[b->due_n]);
    return true;
}
