/* Rows of CSV, cell by cell.  SPDX-License-Identifier: Apache-2.0 */
#include "main/ingest/cells.h"

#include <string.h>

void cells_first_line(struct str text, struct cells *c) {
    const char *end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
    c->bytes = end ? (size_t)(end - text.ptr) + 1 : text.len;
    c->is_ended = end != NULL;
    c->lines = 1;
}

static enum cells_result bad(struct str text, struct cells *c, const char *rule) {
    cells_first_line(text, c);
    c->rule = rule;
    return CELLS_BAD;
}

/* Behind the quote that ends the cell; NULL: it does not end here. */
static const char *quoted(const char *at, const char *end, struct cell *ret, size_t *lines) {
    const char *from = at;
    ret->has_pairs = false;
    for (; at < end; at++) {
        *lines += *at == '\n';
        if (*at != '"') continue;
        if (at + 1 == end || at[1] != '"') {
            ret->text = (struct str){from, (size_t)(at - from)};
            return at + 1;
        }
        ret->has_pairs = true;
        at++;
    }
    return NULL;
}

enum cells_result cells_read(struct str text, bool is_last, char separator, struct cells *c) {
    const char *at = text.ptr, *end = at + text.len;
    c->n = 0;
    c->lines = 1;
    c->is_ended = false;
    for (;; at++) { /* past the separator */
        struct cell cell = {{at, 0}, false};
        bool is_quoted = at < end && *at == '"';
        if (is_quoted) {
            const char *behind = quoted(at + 1, end, &cell, &c->lines);
            if (!behind) return is_last ? bad(text, c, "a quote is never closed") : CELLS_MORE;
            at = behind;
            if (at < end && *at == '\r') at++;
            if (at < end && *at != separator && *at != '\n')
                return bad(text, c, "something stands behind a closing quote");
        } else {
            while (at < end && *at != separator && *at != '\n') at++;
            cell.text.len = (size_t)(at - cell.text.ptr);
            if ((at == end || *at == '\n') && cell.text.len && cell.text.ptr[cell.text.len - 1] == '\r')
                cell.text.len--;
        }
        if (at == end && !is_last) return CELLS_MORE;
        if (c->n == CELLS_MAX) return bad(text, c, "more than 1,024 cells");
        bool is_row_end = at == end || *at == '\n';
        if (!is_row_end || c->n || cell.text.len || is_quoted) c->cell[c->n++] = cell;
        if (!is_row_end) continue;
        c->is_ended = at < end;
        c->bytes = (size_t)(at - text.ptr) + c->is_ended;
        return CELLS_ROW;
    }
}
