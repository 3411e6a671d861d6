/* Rows of CSV as readings.  SPDX-License-Identifier: Apache-2.0 */
#include "main/ingest/csv.h"

#include "main/ingest/csv_internal.h"
#include "platform/telemetry/telemetry.h"
#include "protocol/lineproto/lineproto.h"

#include "base/gb18030.h"

#include <stdio.h>
#include <string.h>

static bool refuse(struct csv *c, const char *fmt, ...) PRINTF(2, 3);
static bool refuse(struct csv *c, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(c->rule, sizeof c->rule, fmt, args);
    va_end(args);
    for (char *at = c->rule; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?'; /* it goes to a terminal */
    return false;
}

/* ---- texts of cells ---- */

static bool is_ascii(struct str s) {
    unsigned char all = 0;
    for (size_t i = 0; i < s.len; i++) all |= (unsigned char)s.ptr[i];
    return all < 0x80;
}

const char *csv_text(struct csv *c, const struct cell *cell, struct str *ret) {
    struct str s = str_trim(cell->text);
    struct buf b;
    if (cell->has_pairs) {
        if (s.len >= sizeof c->other) return "a name is too long";
        size_t n = 0;
        for (size_t i = 0; i < s.len; i++) {
            c->other[n++] = s.ptr[i];
            if (s.ptr[i] == '"' && i + 1 < s.len && s.ptr[i + 1] == '"') i++;
        }
        s = (struct str){c->other, n};
    }
    *ret = s;
    if (!c->is_gb || is_ascii(s)) return NULL;
    buf_init(&b, c->scratch, sizeof c->scratch);
    if (!gb18030_to_utf8((struct bytes){(const uint8_t *)s.ptr, s.len}, &b))
        return "a text is not GB 18030; --encoding says which it is";
    return buf_done(&b, ret) ? NULL : "a name is too long";
}

/* ---- a row ---- */

static bool is_empty(const struct csv *c, struct str s) {
    struct str rest = c->empty, word;
    if (!s.len) return true;
    while (str_cut(&rest, ',', &word))
        if (str_eq(str_trim(word), s)) return true;
    return false;
}

static struct str truth(struct str s) {
    if (str_is(s, "true") || str_is(s, "TRUE") || str_is(s, "True")) return S("1");
    if (str_is(s, "false") || str_is(s, "FALSE") || str_is(s, "False")) return S("0");
    return s;
}

bool csv_number(struct str s) {
    double v;
    return str_to_f64(truth(s), &v);
}

static bool no_number(struct csv *c, size_t column, struct str cell) {
    struct cell text = {{cell.ptr, cell.len > 40 ? 40 : cell.len}, false};
    struct str shown;
    if (csv_text(c, &text, &shown)) shown = S("…");
    return refuse(c, "column " STR_FMT ": \"" STR_FMT "\" is no number", STR_ARG(c->columns[column].name),
                  STR_ARG(shown));
}

const char *csv_time(struct csv *c, const struct cells *row, struct str *ret) {
    *ret = str_trim(row->cell[c->time_at[0]].text);
    if (c->times_n == 1) return NULL;
    size_t n = 0;
    for (size_t i = 0; i < c->times_n; i++) {
        struct str part = str_trim(row->cell[c->time_at[i]].text);
        if (!part.len) return "the time is missing";
        if (part.len + 1 >= sizeof c->scratch - n) return "the time is too long";
        if (i) c->scratch[n++] = ' ';
        memcpy(c->scratch + n, part.ptr, part.len);
        n += part.len;
    }
    *ret = (struct str){c->scratch, n};
    return NULL;
}

static bool put_device(struct csv *c, const struct cells *row, struct batch *b) {
    struct str device = c->device;
    if (!device.ptr) {
        const char *rule = csv_text(c, &row->cell[c->device_at], &device);
        if (!rule) rule = csv_device_rule(device);
        if (rule) return refuse(c, "device: %s", rule);
    }
    batch_name(b, device, ", ");
    return true;
}

static bool put_long(struct csv *c, const struct cells *row, int64_t line, int64_t at_ms, struct batch *b) {
    struct str value = str_trim(row->cell[c->value_at].text), metric = c->metric;
    size_t at = b->len;
    if (is_empty(c, value)) return true;
    if (!csv_number(value)) return no_number(c, c->value_at, value);
    if (!put_device(c, row, b)) return false;
    if (!metric.ptr) {
        const char *rule = csv_text(c, &row->cell[c->metric_at], &metric);
        if (!rule) rule = name_rule(metric, TELEMETRY_METRIC_MAX);
        if (rule) return refuse(c, "metric: %s", rule);
    }
    value = truth(value);
    batch_bytes(b, " ", 1);
    batch_name(b, metric, ", =");
    batch_bytes(b, "=", 1);
    batch_bytes(b, value.ptr, value.len);
    batch_end(b, at, line, at_ms, 1);
    return true;
}

/* A line of line protocol has so many fields at most; what is left goes on in the next one. */
static bool put_wide(struct csv *c, const struct cells *row, int64_t line, int64_t at_ms, struct batch *b) {
    uint32_t values = 0;
    size_t at = b->len;
    for (size_t i = 0; i < c->columns_n; i++) {
        const struct csv_column *column = &c->columns[i];
        if (column->role != CSV_VALUE) continue;
        struct str value = str_trim(row->cell[i].text);
        if (is_empty(c, value)) continue;
        if (!csv_number(value)) return no_number(c, i, value);
        if (values == LINEPROTO_FIELDS_MAX) {
            batch_end(b, at, line, at_ms, values);
            at = b->len;
            values = 0;
        }
        if (!values && !put_device(c, row, b)) return false;
        value = truth(value);
        batch_bytes(b, values++ ? "," : " ", 1);
        batch_name(b, column->metric, ", =");
        batch_bytes(b, "=", 1);
        batch_bytes(b, value.ptr, value.len);
    }
    if (values) batch_end(b, at, line, at_ms, values);
    return true;
}

static bool counts(struct csv *c, const struct cells *row) {
    bool ok = row->n >= c->columns_n;
    for (size_t i = c->columns_n; ok && i < row->n; i++) ok = !str_trim(row->cell[i].text).len;
    return ok || refuse(c, "%zu cells, where the header has %zu", row->n, c->columns_n);
}

bool csv_row(struct csv *c, const struct cells *row, int64_t line, struct batch *b) {
    struct batch_mark mark = batch_mark(b);
    struct str time;
    int64_t at_ms;
    if (!row->n) return true;
    if (!counts(c, row)) return false;
    const char *rule = csv_time(c, row, &time);
    if (!rule) rule = when_read(&c->when, time, &at_ms);
    if (rule) return refuse(c, "%s: \"" STR_FMT "\"", rule, (int)(time.len > 40 ? 40 : time.len), time.ptr);
    bool ok = c->is_long ? put_long(c, row, line, at_ms, b) : put_wide(c, row, line, at_ms, b);
    if (ok && b->overflow) ok = refuse(c, "the row is too long");
    if (!ok) batch_back(b, mark);
    return ok;
}
