/* What time will bring: the watches whose state changes without a reading, the earliest first.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/rules_internal.h"

static void rise(struct coming *heap, size_t i) {
    for (size_t up; i && heap[i].at_ms < heap[up = (i - 1) / 2].at_ms; i = up) {
        struct coming swap = heap[i];
        heap[i] = heap[up];
        heap[up] = swap;
    }
}

static void sink(struct coming *heap, size_t n, size_t i) {
    for (;;) {
        size_t least = i;
        for (size_t c = 2 * i + 1; c < 2 * i + 3 && c < n; c++)
            if (heap[c].at_ms < heap[least].at_ms) least = c;
        if (least == i) return;
        struct coming swap = heap[i];
        heap[i] = heap[least];
        heap[least] = swap;
        i = least;
    }
}

void due_arm(struct book *b, uint32_t watch, int64_t not_before_ms) {
    struct watched *w = &b->watches[watch];
    if (w->armed) return;
    int64_t at_ms = rule_due_ms(&w->terms, &w->state);
    if (at_ms == INT64_MAX) return;
    w->armed = true;
    b->due[b->due_n++] = (struct coming){at_ms < not_before_ms ? not_before_ms : at_ms, watch};
    rise(b->due, b->due_n - 1);
}

bool due_take(struct book *b, int64_t now_ms, uint32_t *ret) {
    if (!b->due_n || b->due[0].at_ms > now_ms) return false;
    *ret = b->due[0].watch;
    b->watches[*ret].armed = false;
    b->due[0] = b->due[--b->due_n];
    sink(b->due, b->due_n, 0);
    return true;
}
