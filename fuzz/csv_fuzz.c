/* Fuzzes CSV files of readings: rows cover the text without gap, and what is sent for them is line protocol that the
 * server reads back.  SPDX-License-Identifier: Apache-2.0 */
#include "main/ingest/csv.h"
#include "protocol/lineproto/lineproto.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
    if (!ok) abort();
}

static void read_back(const struct batch *b, struct arena *arena) {
    static struct lineproto_line line;
    struct lineproto p = {.rest = {b->body, b->len}, .tick_ns = 1000000, .arena = arena};
    size_t n = 0, values = 0;
    for (; n < b->n && lineproto_next(&p, &line); n++) {
        must(line.at_ms == b->lines[n].at_ms && line.fields_n == b->lines[n].values && !line.tags_n);
        values += line.fields_n;
    }
    must(n == b->n && values == b->values && !p.rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct csv csv;
    static struct cells cells;
    static struct batch batch;
    static const struct csv_options options[] = {
        {.device = "=d"}, {.device = "#1", .time = "#2"}, {.metric = "#2"}, {.encoding = "gb18030", .empty = "NA,-"}};
    struct arena arena;
    struct fault f = {0};
    struct position at;
    if (!size) return 0;
    if (!batch.body) must(batch_init(&batch));
    batch_clear(&batch);
    arena_init(&arena, (size_t)4 << 20);
    struct str text = {(const char *)data + 1, size - 1};
    if (!csv_begin(&csv, &options[data[0] % COUNT(options)], text, true, &arena, &at, &f)) {
        must(at.offset <= (int64_t)text.len);
        for (struct str rest = str_from(text, (size_t)at.offset); rest.len; rest = str_from(rest, cells.bytes)) {
            enum cells_result r = cells_read(rest, true, csv.separator, &cells);
            must(r != CELLS_MORE && cells.bytes && cells.bytes <= rest.len && cells.n <= CELLS_MAX);
            if (r == CELLS_ROW && !batch_is_full(&batch, BATCH_VALUES_MAX)) (void)csv_row(&csv, &cells, 1, &batch);
        }
        read_back(&batch, &arena);
    }
    arena_finish(&arena);
    return 0;
}
