/* Reading of files, row by row.  SPDX-License-Identifier: Apache-2.0 */
#include "main/ingest/source.h"

#include "platform/telemetry/telemetry.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW  (SOURCE_ROW_MAX * 4)
#define IDLE_MS 1000
#define SCRATCH ((size_t)4 << 20)

/* ---- bytes ---- */

enum more { MORE_CAME, MORE_IDLE, MORE_NONE, MORE_FAILED };

/* Room is made by moving what is left to the front. */
static enum more read_more(struct source *s) {
    if (s->at) {
        memmove(s->mem, s->mem + s->at, s->n - s->at);
        s->n -= s->at;
        s->at = 0;
    }
    if (s->is_end || s->n == WINDOW) return MORE_NONE;
    if (!s->is_file) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        int ready = poll(&p, 1, IDLE_MS);
        if (ready == 0 || (ready < 0 && errno == EINTR)) return MORE_IDLE;
    }
    ssize_t n = read(s->fd, s->mem + s->n, WINDOW - s->n);
    if (n < 0) return errno == EINTR ? MORE_IDLE : MORE_FAILED;
    s->is_end = n == 0;
    s->n += (size_t)n;
    return n ? MORE_CAME : MORE_NONE;
}

static struct str rest_of(const struct source *s) {
    return (struct str){s->mem + s->at, s->n - s->at};
}

/* ---- line protocol ---- */

static bool refuse(struct source *s, const char *rule) {
    snprintf(s->rule, sizeof s->rule, "%s", rule);
    return false;
}

/* The line as it stands, with its time in ms. */
static bool put_line(struct source *s, struct str text, int64_t number, struct batch *b) {
    struct batch_mark mark = batch_mark(b);
    struct lineproto reader = {.rest = text, .tick_ns = s->tick_ns, .arena = &s->scratch};
    if (s->scratch.used > SCRATCH / 2) arena_reset(&s->scratch);
    if (!lineproto_next(&reader, &s->line)) return !reader.rule || refuse(s, reader.rule);
    const char *rule = name_rule(s->line.device, TELEMETRY_DEVICE_MAX);
    for (size_t i = 0; !rule && i < s->line.fields_n; i++)
        rule = name_rule(s->line.fields[i].metric, TELEMETRY_METRIC_MAX);
    if (!rule && !s->line.has_at && s->is_file) rule = "the time is missing: nobody knows when it was";
    if (rule) return refuse(s, rule);
    int64_t at_ms = s->line.has_at ? s->line.at_ms + s->shift_ms : s->world->utc_ms(s->world->self);
    text = str_trim(text);
    if (s->line.has_at)
        while (text.len && text.ptr[text.len - 1] != ' ') text.len--;
    text = str_trim(text);
    size_t at = b->len;
    batch_bytes(b, text.ptr, text.len);
    batch_end(b, at, number, at_ms, (uint32_t)s->line.fields_n);
    if (!b->overflow) return true;
    batch_back(b, mark);
    return refuse(s, "the line is too long");
}

/* ---- a row ---- */

/* True: it is whole, or there is no more of it.  *ret_ok: its readings are in the batch. */
static bool csv_step(struct source *s, struct batch *b, bool *ret_ok) {
    struct str rest = rest_of(s);
    bool is_full = rest.len >= SOURCE_ROW_MAX;
    enum cells_result r = cells_read(rest, s->is_end, s->csv.separator, &s->cells);
    if (r == CELLS_MORE && !is_full) return false;
    if (r == CELLS_ROW) {
        *ret_ok = csv_row(&s->csv, &s->cells, s->here.line + 1, b);
        if (!*ret_ok) snprintf(s->rule, sizeof s->rule, "%s", s->csv.rule);
        if (!*ret_ok && s->cells.lines > 1) cells_first_line(rest, &s->cells); /* a quote that nobody meant */
        return true;
    }
    if (r == CELLS_MORE) cells_first_line(rest, &s->cells);
    *ret_ok = refuse(s, r == CELLS_BAD ? s->cells.rule : "a row of more than 1 MiB: a quote that is never closed?");
    return true;
}

static bool line_step(struct source *s, struct batch *b, bool *ret_ok) {
    struct str rest = rest_of(s);
    const char *end = memchr(rest.ptr, '\n', rest.len);
    if (!end && !s->is_end && rest.len < SOURCE_ROW_MAX) return false;
    cells_first_line(rest, &s->cells);
    s->cells.n = 1;
    bool is_long = !end && !s->is_end;
    *ret_ok = is_long ? refuse(s, "a line of more than 1 MiB")
                      : put_line(s, (struct str){rest.ptr, s->cells.bytes - s->cells.is_ended}, s->here.line + 1, b);
    return true;
}

static void pass(struct source *s, struct batch *b, struct batch_mark mark, bool ok) {
    batch_place(b, mark, &s->safe);
    s->at += s->cells.bytes;
    s->here.offset += (int64_t)s->cells.bytes;
    s->here.line += (int64_t)s->cells.lines;
    s->here.rows += !ok || s->cells.n > 0;
    s->here.bad += !ok;
    s->here.readings += (int64_t)(b->values - mark.values);
    s->here.last_ms = s->is_csv ? s->csv.when.last_ms : 0;
    if (s->cells.is_ended) s->safe = s->here;
}

enum source_step source_next(struct source *s, struct batch *b) {
    struct batch_mark mark = batch_mark(b);
    bool ok = true;
    for (;;) {
        if (s->n > s->at && (s->is_csv ? csv_step(s, b, &ok) : line_step(s, b, &ok))) break;
        if (s->is_end) return SOURCE_END;
        switch (read_more(s)) {
        case MORE_CAME: break;
        case MORE_IDLE: return SOURCE_IDLE;
        case MORE_NONE: break; /* the end is known now, and what is left is a row */
        case MORE_FAILED: return SOURCE_FAILED;
        }
    }
    pass(s, b, mark, ok);
    return ok ? SOURCE_ROW : SOURCE_BAD;
}

/* ---- the file ---- */

static bool ends_in(const char *name, const char *end) {
    size_t n = strlen(name), m = strlen(end);
    return n > m && !strcmp(name + n - m, end);
}

/* By its name, else by its first line. */
static bool looks_like_csv(struct source *s, const char *name) {
    struct str rest = rest_of(s), line;
    if (ends_in(name, ".csv") || ends_in(name, ".tsv")) return true;
    if (ends_in(name, ".lp") || ends_in(name, ".line")) return false;
    while (str_cut(&rest, '\n', &line)) {
        line = str_trim(line);
        if (!line.len || line.ptr[0] == '#') continue;
        struct lineproto reader = {.rest = line, .tick_ns = 1, .arena = &s->scratch};
        return !lineproto_next(&reader, &s->line);
    }
    return true;
}

static enum err begin_lines(struct source *s, const struct csv_options *o, struct fault *f) {
    s->tick_ns = lineproto_tick_ns(str_of(o->format));
    s->shift_ms = o->shift_ms;
    if (s->tick_ns) return OK;
    return FAIL(f, ERR_INVALID, "format", "--format of line protocol is ns, us, ms or s");
}

/* What a guess needs: a window of a file; of a pipe what has come by then, and of line protocol no more than a line. */
static enum err read_first(struct source *s, const char *name, const char *as, struct fault *f) {
    for (;;) {
        enum more m = read_more(s);
        bool has_line = s->n && memchr(s->mem, '\n', s->n);
        if (m == MORE_FAILED) return FAIL(f, ERR_UNAVAILABLE, "file", "it cannot be read: %s", strerror(errno));
        if (m == MORE_NONE) break;
        if (s->is_file || !has_line) continue;
        if (m == MORE_IDLE || s->n > 65536 || !(as ? !strcmp(as, "csv") : looks_like_csv(s, name))) break;
    }
    s->is_csv = as ? !strcmp(as, "csv") : looks_like_csv(s, name);
    return OK;
}

enum err source_open(struct source *s, int fd, const char *name, const char *as, const struct csv_options *o,
                     const struct world *world, struct arena *arena, struct fault *f) {
    struct stat st;
    s->fd = fd;
    s->world = world;
    s->arena = arena;
    s->mem = malloc(WINDOW);
    arena_init(&s->scratch, SCRATCH);
    if (!s->mem) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    if (fstat(fd, &st) || S_ISDIR(st.st_mode)) return FAIL(f, ERR_INVALID, "file", "it is a folder");
    s->is_file = S_ISREG(st.st_mode);
    s->size = s->is_file ? st.st_size : 0;
    TRY(read_first(s, name, as, f));
    s->here = (struct position){.last_ms = INT64_MIN};
    if (s->is_csv)
        TRY(csv_begin(&s->csv, o, rest_of(s), s->is_end, arena, &s->here, f));
    else
        TRY(begin_lines(s, o, f));
    s->at += (size_t)s->here.offset;
    s->safe = s->here;
    return OK;
}

enum err source_seek(struct source *s, const struct position *to, struct fault *f) {
    if (lseek(s->fd, to->offset, SEEK_SET) != to->offset)
        return FAIL(f, ERR_UNAVAILABLE, "file", "it cannot be read from its middle");
    s->at = s->n = 0;
    s->is_end = false;
    s->here = s->safe = *to;
    if (s->is_csv) s->csv.when.last_ms = to->last_ms;
    return OK;
}

void source_close(struct source *s) {
    free(s->mem);
    arena_finish(&s->scratch);
    if (s->fd > 0) close(s->fd);
}
