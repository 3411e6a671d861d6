/* What the columns of a CSV file mean: said by options, else guessed from the header and the first rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "main/ingest/csv_internal.h"
#include "platform/telemetry/telemetry.h"

#include <string.h>

/* Names that columns have in the exports of meters and building systems, folded. */
static const char time_words[] =
    "time timestamp datetime date_time date ts at_ms local_date local_time 时间 日期 采集时间 上报时间 "
    "记录时间 数据时间 抄表时间 时间戳";
static const char date_words[] = "date local_date day 日期";
static const char clock_words[] = "time hour local_time time_of_day 时间 小时 时刻";
static const char device_words[] =
    "device device_id device_code deviceid sensor sensor_id meter meter_id 设备 设备编号 "
    "设备编码 设备号 表号 表计编号 仪表编号 测点";
static const char metric_words[] = "metric measure measurement parameter field variable 指标 参数 测量项 项目 指标名称";
static const char value_words[] = "value reading val 值 数值 读数 示数 测量值";
static const char number_words[] = "no no. # row index rownum 序号 行号"; /* of rows: no readings */

#define NOWHERE SIZE_MAX

struct look {
    struct csv *c;
    const struct csv_options *o;
    struct fault *f;
    struct cells *first, *row;
    bool has_first;
    size_t rows_n;
    struct {
        size_t numbers, texts;
    } seen[CELLS_MAX];
};

/* ---- encoding and separator ---- */

static bool is_utf8(struct str s) { /* the sample may end within a character */
    for (int i = 0; i < 4 && s.len && (unsigned char)s.ptr[s.len - 1] >= 0x80; i++) {
        if (utf8_is_valid(s)) return true;
        s.len--;
    }
    return utf8_is_valid(s);
}

static enum err read_encoding(struct look *l, struct str *sample, size_t *ret_skip) {
    *ret_skip = 0;
    if (str_starts(*sample, S("\xff\xfe")) || str_starts(*sample, S("\xfe\xff")))
        return FAIL(l->f, ERR_INVALID, "encoding", "the file is UTF-16: save it as CSV UTF-8");
    bool has_mark = str_starts(*sample, S("\xef\xbb\xbf"));
    if (has_mark) *ret_skip = 3;
    *sample = str_from(*sample, *ret_skip);
    const char *said = l->o->encoding;
    if (said && strcmp(said, "utf-8") != 0 && strcmp(said, "gb18030") != 0)
        return FAIL(l->f, ERR_INVALID, "encoding", "--encoding is utf-8 or gb18030 (GBK and GB 2312 are part of it)");
    l->c->is_gb = said ? !strcmp(said, "gb18030") : !has_mark && !is_utf8(*sample);
    return OK;
}

static enum err read_separator(struct look *l, struct str sample) {
    static const char marks[] = ",;\t";
    size_t count[3] = {0}, best = 0;
    bool in_quotes = false;
    const char *said = l->o->separator;
    struct str line = l->o->header ? str_of(l->o->header) : sample;
    if (said) {
        l->c->separator = !strcmp(said, "tab") ? '\t' : said[0];
        if (!strcmp(said, "tab") || (strlen(said) == 1 && strchr(marks, said[0]))) return OK;
        return FAIL(l->f, ERR_INVALID, "separator", "--separator is , or ; or tab");
    }
    for (size_t i = 0; i < line.len && (line.ptr[i] != '\n' || in_quotes); i++) {
        in_quotes ^= line.ptr[i] == '"';
        for (size_t k = 0; k < 3 && !in_quotes; k++) count[k] += line.ptr[i] == marks[k];
    }
    for (size_t k = 1; k < 3; k++)
        if (count[k] > count[best]) best = k;
    l->c->separator = marks[best];
    return OK;
}

/* ---- header and sample ---- */

static enum err add_columns(struct look *l, const struct cells *header, bool is_gb, struct arena *a) {
    struct csv *c = l->c;
    bool was_gb = c->is_gb;
    c->columns = arena_new(a, struct csv_column, header->n + 1); /* one more: see below */
    if (!c->columns) return FAIL(l->f, ERR_LIMIT, "no_memory", "out of memory");
    c->is_gb = is_gb;
    for (size_t i = 0; i < header->n; i++) {
        struct str name;
        const char *rule = csv_text(c, &header->cell[i], &name);
        if (rule) return FAIL(l->f, ERR_INVALID, "header", "the header, column %zu: %s", i + 1, rule);
        if (!utf8_is_valid(name))
            return FAIL(l->f, ERR_INVALID, "header", "the header is not well-formed text; --encoding says which it is");
        char *copy = arena_cstr(a, name);
        if (!copy) return FAIL(l->f, ERR_LIMIT, "no_memory", "out of memory");
        for (size_t k = 0; k < name.len; k++)
            if ((unsigned char)copy[k] < 0x20) copy[k] = ' '; /* spreadsheets break long headings into lines */
        c->columns[i].name = (struct str){copy, name.len};
    }
    c->columns_n = header->n;
    c->is_gb = was_gb;
    return OK;
}

static enum err read_header(struct look *l, struct str *rest, bool is_whole, struct position *begin, struct arena *a) {
    struct str said = str_of(l->o->header);
    if (said.ptr) {
        if (cells_read(said, true, l->c->separator, l->row) != CELLS_ROW || !l->row->n)
            return FAIL(l->f, ERR_INVALID, "header", "--header is no row of names");
        return add_columns(l, l->row, false, a);
    }
    for (;;) {
        if (!rest->len) return FAIL(l->f, ERR_INVALID, "header", "the file is empty");
        enum cells_result r = cells_read(*rest, is_whole, l->c->separator, l->row);
        if (r == CELLS_BAD) return FAIL(l->f, ERR_INVALID, "header", "the header: %s", l->row->rule);
        if (r == CELLS_MORE) return FAIL(l->f, ERR_INVALID, "header", "the header has no end");
        begin->offset += (int64_t)l->row->bytes;
        begin->line += (int64_t)l->row->lines;
        *rest = str_from(*rest, l->row->bytes);
        if (l->row->n) return add_columns(l, l->row, l->c->is_gb, a);
    }
}

static void look_at_rows(struct look *l, struct str rest, bool is_whole) {
    for (size_t i = 0; i < CSV_SAMPLE && rest.len; i++) {
        struct cells *row = l->has_first ? l->row : l->first;
        if (cells_read(rest, is_whole, l->c->separator, row) != CELLS_ROW) return;
        rest = str_from(rest, row->bytes);
        if (!row->n) continue;
        l->has_first = true;
        l->rows_n++;
        for (size_t k = 0; k < row->n; k++) {
            struct str s = str_trim(row->cell[k].text);
            if (!s.len) continue;
            if (csv_number(s))
                l->seen[k].numbers++;
            else
                l->seen[k].texts++;
        }
    }
}

/* The header of a table that R wrote has no name for the numbers of its rows. */
static void mend_header(struct look *l) {
    struct csv *c = l->c;
    size_t last = c->columns_n;
    if (!l->has_first || l->first->n != last + 1 || !str_trim(l->first->cell[last].text).len) return;
    memmove(c->columns + 1, c->columns, c->columns_n * sizeof *c->columns);
    c->columns[0] = (struct csv_column){.name = S("")};
    c->columns_n++;
}

/* ---- columns by name ---- */

static bool same_folded(struct str a, struct str b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        char x = a.ptr[i], y = b.ptr[i];
        if (x >= 'A' && x <= 'Z') x = (char)(x | 0x20);
        if (y >= 'A' && y <= 'Z') y = (char)(y | 0x20);
        if (x != y) return false;
    }
    return true;
}

static size_t find(const struct csv *c, struct str name) {
    int64_t number;
    for (size_t i = 0; i < c->columns_n; i++)
        if (str_eq(c->columns[i].name, name)) return i;
    for (size_t i = 0; i < c->columns_n; i++)
        if (same_folded(c->columns[i].name, name)) return i;
    if (name.len > 1 && name.ptr[0] == '#' && str_to_i64(str_from(name, 1), &number) && number >= 1 &&
        number <= (int64_t)c->columns_n)
        return (size_t)number - 1;
    return NOWHERE;
}

static enum err no_column(struct look *l, const char *option, struct str name) {
    char all[120];
    struct buf b;
    buf_init(&b, all, sizeof all);
    for (size_t i = 0; i < l->c->columns_n && !b.overflow; i++)
        buf_fmt(&b, "%s" STR_FMT, i ? ", " : "", STR_ARG(l->c->columns[i].name));
    return FAIL(l->f, ERR_INVALID, "column", "--%s: no column is called %.40s; there are: %s%s", option,
                name.len ? arena_cstr(l->c->arena, name) : "so", all, b.overflow ? "…" : "");
}

static size_t by_words(const struct csv *c, const char *words) {
    struct str rest = str_of(words), word;
    while (str_word(&rest, &word))
        for (size_t i = 0; i < c->columns_n; i++)
            if (c->columns[i].role == CSV_OUT && same_folded(c->columns[i].name, word)) return i;
    return NOWHERE;
}

/* ---- time ---- */

static bool time_fits(struct look *l) {
    struct str text;
    struct when w = l->c->when;
    if (!l->has_first || csv_time(l->c, l->first, &text)) return false;
    return when_guess(&w, text);
}

static bool try_times(struct look *l, size_t a, size_t b) {
    struct csv *c = l->c;
    size_t most = a > b && b != NOWHERE ? a : b != NOWHERE ? b : a;
    if (a == NOWHERE || !l->has_first || most >= l->first->n) return false;
    c->time_at[0] = a;
    c->time_at[1] = b;
    c->times_n = b == NOWHERE ? 1 : 2;
    return time_fits(l);
}

static enum err say_times(struct look *l) {
    struct csv *c = l->c;
    struct str rest = str_of(l->o->time), part;
    c->times_n = 0;
    size_t whole = find(c, rest);
    if (whole != NOWHERE) {
        c->time_at[c->times_n++] = whole;
        return OK;
    }
    while (str_cut(&rest, '+', &part)) {
        size_t at = find(c, str_trim(part));
        if (at == NOWHERE) return no_column(l, "time", part);
        if (c->times_n == CSV_TIMES_MAX) return FAIL(l->f, ERR_INVALID, "time", "--time: at most four columns");
        c->time_at[c->times_n++] = at;
    }
    return OK;
}

static enum err find_times(struct look *l) {
    struct csv *c = l->c;
    if (l->o->time) return say_times(l);
    size_t date = by_words(c, date_words), hour = by_words(c, clock_words), time = by_words(c, time_words);
    if (date != NOWHERE && hour != NOWHERE && try_times(l, date, hour)) return OK;
    if (try_times(l, time, NOWHERE) || try_times(l, hour, NOWHERE)) return OK;
    if (time != NOWHERE) { /* with a format that --format says */
        c->time_at[0] = time;
        c->times_n = 1;
        return OK;
    }
    for (size_t i = 0; i < c->columns_n; i++)
        if (try_times(l, i, NOWHERE)) return OK;
    return FAIL(l->f, ERR_INVALID, "time", "no column looks like the time: say which by --time COLUMN");
}

static enum err find_format(struct look *l) {
    struct csv *c = l->c;
    struct str text = {"", 0};
    if (l->o->format) {
        if (when_format(&c->when, str_of(l->o->format))) return OK;
        return FAIL(
            l->f, ERR_INVALID, "format",
            "--format is iso, s, ms, us, ns, or a pattern such as '%%d/%%m/%%Y %%H:%%M' (%%Y %%m %%d %%H %%I %%p "
            "%%M %%S %%f %%b %%y %%z)");
    }
    if (!l->has_first || l->first->n < c->columns_n || csv_time(c, l->first, &text) || when_guess(&c->when, text))
        return OK;
    return FAIL(l->f, ERR_INVALID, "format",
                "how is the time \"%.40s\" written?  --format '%%d/%%m/%%Y %%H:%%M' or so says it",
                arena_cstr(c->arena, text));
}

/* ---- device, metric, value ---- */

const char *csv_device_rule(struct str device) {
    const char *rule = name_rule(device, TELEMETRY_DEVICE_MAX);
    if (rule) return rule;
    return str_is_code(device) ? NULL : "a device's name has no blanks, none of / + #";
}

/* A column, or a name behind "=". */
static enum err say(struct look *l, const char *option, const char *said, const char *(*rule_of)(struct str),
                    struct str *ret_name, size_t *ret_at) {
    struct str s = str_trim(str_of(said));
    if (s.len && s.ptr[0] == '=') {
        *ret_name = str_from(s, 1);
        const char *rule = rule_of(*ret_name);
        return rule ? FAIL(l->f, ERR_INVALID, option, "--%s: %s", option, rule) : OK;
    }
    *ret_at = find(l->c, s);
    return *ret_at == NOWHERE ? no_column(l, option, s) : OK;
}

static const char *metric_rule(struct str s) {
    return name_rule(s, TELEMETRY_METRIC_MAX);
}

static enum err find_device(struct look *l) {
    struct csv *c = l->c;
    c->device_at = NOWHERE;
    if (l->o->device)
        TRY(say(l, "device", l->o->device, csv_device_rule, &c->device, &c->device_at));
    else
        c->device_at = by_words(c, device_words);
    if (!c->device.ptr && c->device_at == NOWHERE)
        return FAIL(l->f, ERR_INVALID, "device",
                    "whose readings are these?  --device COLUMN, or --device =NAME for one device");
    if (c->device_at != NOWHERE) c->columns[c->device_at].role = CSV_DEVICE;
    return OK;
}

static enum err find_metric(struct look *l) {
    struct csv *c = l->c;
    c->metric_at = NOWHERE;
    if (l->o->metric)
        TRY(say(l, "metric", l->o->metric, metric_rule, &c->metric, &c->metric_at));
    else if (by_words(c, value_words) != NOWHERE || (l->o->value && find(c, str_of(l->o->value)) != NOWHERE))
        c->metric_at = by_words(c, metric_words);
    c->is_long = c->metric.ptr || c->metric_at != NOWHERE;
    if (c->metric_at != NOWHERE) c->columns[c->metric_at].role = CSV_METRIC;
    return OK;
}

static enum err find_value(struct look *l) {
    struct csv *c = l->c;
    c->value_at = l->o->value ? find(c, str_of(l->o->value)) : by_words(c, value_words);
    if (c->value_at == NOWHERE && l->o->value) return no_column(l, "value", str_of(l->o->value));
    if (c->value_at == NOWHERE)
        return FAIL(l->f, ERR_INVALID, "value", "which column holds the value?  --value COLUMN says it");
    c->columns[c->value_at].role = CSV_VALUE;
    return OK;
}

static enum err say_values(struct look *l) {
    struct csv *c = l->c;
    struct str rest = str_of(l->o->value), part;
    while (str_cut(&rest, ',', &part)) {
        part = str_trim(part);
        struct str metric = {NULL, 0};
        size_t at = find(c, part);
        for (size_t i = part.len; at == NOWHERE && i-- > 0;) {
            if (part.ptr[i] != '=') continue;
            at = find(c, str_trim((struct str){part.ptr, i}));
            metric = str_trim(str_from(part, i + 1));
        }
        if (at == NOWHERE) return no_column(l, "value", part);
        c->columns[at].role = CSV_VALUE;
        c->columns[at].metric = metric.ptr ? metric : c->columns[at].name;
    }
    return OK;
}

static void guess_values(struct look *l) {
    struct csv *c = l->c;
    for (size_t i = 0; i < c->columns_n; i++) {
        struct csv_column *column = &c->columns[i];
        struct str rest = str_of(number_words), word;
        if (column->role != CSV_OUT) continue;
        if (!column->name.len) column->why_out = "it has no name";
        while (str_word(&rest, &word))
            if (same_folded(column->name, word)) column->why_out = "it numbers the rows";
        if (l->seen[i].texts > l->seen[i].numbers) column->why_out = "it holds no numbers";
        if (column->why_out) continue;
        column->role = CSV_VALUE;
        column->metric = column->name;
    }
}

static enum err check_values(struct look *l) {
    struct csv *c = l->c;
    size_t n = 0;
    for (size_t i = 0; i < c->columns_n; i++) {
        struct csv_column *column = &c->columns[i];
        if (column->role != CSV_VALUE) continue;
        n++;
        const char *rule = metric_rule(column->metric);
        if (rule)
            return FAIL(l->f, ERR_INVALID, "value",
                        "column %zu, \"%.40s\": %s; --value '#%zu=METRIC,…' gives it another", i + 1,
                        arena_cstr(c->arena, column->metric), rule, i + 1);
        for (size_t k = 0; k < i; k++)
            if (c->columns[k].role == CSV_VALUE && str_eq(c->columns[k].metric, column->metric))
                return FAIL(l->f, ERR_INVALID, "value",
                            "columns %zu and %zu are both called %.40s; --value '#%zu=METRIC,…' tells "
                            "them apart",
                            k + 1, i + 1, arena_cstr(c->arena, column->metric), i + 1);
    }
    return n ? OK : FAIL(l->f, ERR_INVALID, "value", "no column holds numbers; --value COLUMN,… says which do");
}

static enum err find_roles(struct look *l) {
    struct csv *c = l->c;
    TRY(find_times(l));
    for (size_t i = 0; i < c->times_n; i++) c->columns[c->time_at[i]].role = CSV_TIME;
    TRY(find_format(l));
    TRY(find_device(l));
    TRY(find_metric(l));
    if (c->is_long) return find_value(l);
    if (l->o->value)
        TRY(say_values(l));
    else
        guess_values(l);
    return check_values(l);
}

static enum err begin(struct look *l, struct str sample, bool is_whole, struct arena *arena, struct position *ret) {
    struct csv *c = l->c;
    size_t skip = 0;
    struct position reach = {.last_ms = INT64_MIN};
    l->first = arena_new(arena, struct cells, 1);
    l->row = arena_new(arena, struct cells, 1);
    if (!l->first || !l->row) return FAIL(l->f, ERR_LIMIT, "no_memory", "out of memory");
    TRY(read_encoding(l, &sample, &skip));
    reach.offset = (int64_t)skip;
    TRY(read_separator(l, sample));
    TRY(read_header(l, &sample, is_whole, &reach, arena));
    look_at_rows(l, sample, is_whole);
    mend_header(l);
    TRY(find_roles(l));
    c->when.is_single = !c->is_long && c->device.ptr;
    c->when.last_ms = INT64_MIN;
    c->when.doubled = 0;
    *ret = reach;
    return OK;
}

enum err csv_begin(struct csv *c, const struct csv_options *o, struct str sample, bool is_whole, struct arena *arena,
                   struct position *ret_begin, struct fault *f) {
    *c = (struct csv){.empty = str_of(o->empty), .arena = arena};
    c->when = (struct when){.zone = o->zone, .offset_s = o->offset_s, .shift_ms = o->shift_ms, .last_ms = INT64_MIN};
    struct look *l = arena_new(arena, struct look, 1);
    if (!l) return FAIL(f, ERR_LIMIT, "no_memory", "out of memory");
    *l = (struct look){.c = c, .o = o, .f = f};
    return begin(l, sample, is_whole, arena, ret_begin);
}
