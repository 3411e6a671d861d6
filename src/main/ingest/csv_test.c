/* How CSV is understood: what the columns mean, times, encodings, quotes, and rows that are refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/gb18030.h"
#include "main/ingest/csv.h"
#include "main/site.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

struct csv_case {
    const char *what;
    struct csv_options o;
    const char *zone, *text;
    const char *lines; /* what is sent, or behind "!" the words of the refusal to begin, in part */
    const char *bad;   /* "line: words of its rule, in part"; lines apart by '|' */
    bool is_gb;        /* the text is turned into GB 18030 first */
};

static struct zone *zone_of(struct t *t, const char *name) {
    struct bytes tzif;
    struct zone *z = NULL;
    CHECK_SAY(t, site_zone_data(name, &tzif) && !zone_parse(tzif, &z, &t->fault), "%s", name);
    return z;
}

/* Reads the whole text: lines go to `lines`, refusals to `bad`. */
static void read_all(struct csv *c, struct str text, struct position at, struct batch *b, struct cells *cells,
                     struct buf *bad) {
    struct str rest = str_from(text, (size_t)at.offset);
    for (int64_t line = at.line; rest.len; line += (int64_t)cells->lines) {
        enum cells_result r = cells_read(rest, true, c->separator, cells);
        if (r != CELLS_ROW || !csv_row(c, cells, line + 1, b)) {
            buf_fmt(bad, "%lld: %s|", (long long)line + 1, r == CELLS_ROW ? c->rule : cells->rule);
            cells_first_line(rest, cells);
        }
        rest = str_from(rest, cells->bytes);
    }
}

/* Each part between '|' is found in its turn. */
static bool says(const char *told, const char *wanted) {
    struct str rest = str_of(wanted), part, told_rest = str_of(told), told_part;
    while (str_cut(&rest, '|', &part)) {
        char word[200];
        if (!str_cut(&told_rest, '|', &told_part)) return false;
        snprintf(word, sizeof word, STR_FMT, STR_ARG(part));
        char line[400];
        snprintf(line, sizeof line, STR_FMT, STR_ARG(told_part));
        const char *colon = strchr(word, ':');
        size_t n = colon ? (size_t)(colon - word) + 1 : 0;
        if (strncmp(line, word, n) != 0 || !strstr(line, word + n)) return false;
    }
    return !told_rest.len;
}

static void check_case(struct t *t, const struct csv_case *k) {
    struct csv *c = arena_new(&t->arena, struct csv, 1);
    struct cells *cells = arena_new(&t->arena, struct cells, 1);
    struct batch b;
    struct position at;
    struct fault f = {0};
    struct buf gb, bad;
    struct csv_options o = k->o;
    struct str text = str_of(k->text), told;
    struct zone *z = k->zone ? zone_of(t, k->zone) : NULL;
    buf_init_arena(&gb, &t->arena, 65536);
    buf_init_arena(&bad, &t->arena, 65536);
    if (k->is_gb) CHECK(t, gb18030_from_utf8(text, &gb) && buf_done(&gb, &text));
    o.zone = z;
    CHECK(t, batch_init(&b));
    enum err e = csv_begin(c, &o, text, true, &t->arena, &at, &f);
    if (e) {
        CHECK_SAY(t, k->lines[0] == '!' && strstr(f.text, k->lines + 1), "%s: refused: %s", k->what, f.text);
    } else {
        read_all(c, text, at, &b, cells, &bad);
        CHECK_SAY(t, str_is((struct str){b.body, b.len}, k->lines), "%s: %.*s", k->what, (int)b.len, b.body);
        CHECK(t, buf_done(&bad, &told));
        CHECK_SAY(t, says(told.len ? told.ptr : "", k->bad ? k->bad : ""), "%s: bad: %s", k->what, told.ptr);
    }
    batch_finish(&b);
    zone_free(z);
}

static void rows_become_lines(struct t *t) {
    static const struct csv_case cases[] = {
        {"wide, one device",
         {.device = "=d"},
         NULL,
         "time,a,b c\n2026-01-01 00:00,1,2.5\n2026-01-01T00:00:01Z,-3,4e2\n",
         "d a=1,b\\ c=2.5 1767225600000\nd a=-3,b\\ c=4e2 1767225601000\n",
         NULL,
         false},
        {"wide, the device in a column",
         {0},
         NULL,
         "device,ts,a\nm1,1767225600,1\nm2,1767225600,2\n",
         "m1 a=1 1767225600000\nm2 a=2 1767225600000\n",
         NULL,
         false},
        {"long, guessed",
         {0},
         NULL,
         "sensor_id;metric;Timestamp;value\nm1;kWh, total;1767225600000;7\n",
         "m1 kWh\\,\\ total=7 1767225600000\n",
         NULL,
         false},
        {"long, one metric for the file",
         {.metric = "=kwh"},
         NULL,
         "meter\tdate\treading\nm1\t2026-01-01\t7\n",
         "m1 kwh=7 1767225600000\n",
         NULL,
         false},
        {"Chinese names in UTF-8 with a byte order mark",
         {0},
         NULL,
         "\xef\xbb\xbf设备编号,采集时间,温度\n表1,2026/1/1 8:00,21.5\n",
         "表1 温度=21.5 1767254400000\n",
         NULL,
         false},
        {"the same in GB 18030",
         {0},
         NULL,
         "设备编号,采集时间,温度\n表1,2026/1/1 8:00,21.5\n",
         "表1 温度=21.5 1767254400000\n",
         NULL,
         true},
        {"GB 18030 in rows only",
         {.encoding = "gb18030"},
         NULL,
         "device,metric,time,value\n表,电流,2026-01-01,3\n",
         "表 电流=3 1767225600000\n",
         NULL,
         true},
        {"date and hour in two columns",
         {.device = "=d"},
         NULL,
         "日期,时间,a\n2026-01-01,1:30,1\n",
         "d a=1 1767231000000\n",
         NULL,
         false},
        {"columns said, by name and number, with other names",
         {.device = "=d", .time = "when", .value = "A=x,#3=y"},
         NULL,
         "when,a,a,note\n2026-01-01,1,2,hello\n",
         "d x=1,y=2 1767225600000\n",
         NULL,
         false},
        {"quotes, pairs of them, separators and line ends within",
         {0},
         NULL,
         "device,time,\"a \"\"x\"\",\nb\"\n\"m1\",\"2026-01-01\",\"5\"\r\n",
         "m1 a\\ \"x\"\\,\\ b=5 1767225600000\n",
         NULL,
         false},
        {"empty cells are no reading, nor are the words said",
         {.device = "=d", .empty = "NA,-"},
         NULL,
         "time,a,b,c\n2026-01-01,,2,NA\n2026-01-02,-,NA,\n\n2026-01-03, 1 ,true,false\n",
         "d b=2 1767225600000\nd a=1,b=1,c=0 1767398400000\n",
         NULL,
         false},
        {"a header without the name of the row's number",
         {.device = "=d"},
         NULL,
         "\"date\",\"a\"\n\"1\",\"2026-01-01 00:00:00\",5\n",
         "d a=5 1767225600000\n",
         NULL,
         false},
        {"texts and numbers of rows are left out",
         {.device = "=d"},
         NULL,
         "序号,time,a,room\n1,2026-01-01,5,hall\n",
         "d a=5 1767225600000\n",
         NULL,
         false},
        {"no header", {.header = "device,time,a"}, NULL, "m1,2026-01-01,5\n", "m1 a=5 1767225600000\n", NULL, false},
        {"more cells than names, if they are empty",
         {.device = "=d"},
         NULL,
         "time,a\n2026-01-01,5,,\n",
         "d a=5 1767225600000\n",
         NULL,
         false},
        {"the last row may have no end",
         {.device = "=d"},
         NULL,
         "time,a\r\n2026-01-01,5",
         "d a=5 1767225600000\n",
         NULL,
         false},
        {"a shift",
         {.device = "=d", .shift_ms = -60000},
         NULL,
         "time,a\n2026-01-01,5\n",
         "d a=5 1767225540000\n",
         NULL,
         false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) check_case(t, &cases[i]);
}

static void bad_rows_are_named(struct t *t) {
    static const struct csv_case cases[] = {
        {"a value",
         {.device = "=d"},
         NULL,
         "time,a,b\n2026-01-01,1,x\n2026-01-02,1,2\n2026-01-03,1,0x10\n2026-01-04,inf,1\n",
         "d a=1,b=2 1767312000000\n",
         "2:column b: \"x\" is no number|4:is no number|5:column a|",
         false},
        {"a time",
         {.device = "=d"},
         NULL,
         "time,a\n2026-01-01,1\n2026-02-29,1\n2026-01-01 24:01,1\nnever,1\n,1\n2026-01-01 24:00,2\n",
         "d a=1 1767225600000\nd a=2 1767312000000\n",
         "3:no such day|4:no such time|5:not written|6:missing|",
         false},
        {"too few cells, too many",
         {.device = "=d"},
         NULL,
         "time,a,b\n2026-01-01,1\n2026-01-01,1,2,3\n2026-01-01,1,2\n",
         "d a=1,b=2 1767225600000\n",
         "2:2 cells, where the header has 3|3:4 cells|",
         false},
        {"names",
         {0},
         NULL,
         "device,time,a\nm 1,2026-01-01,1\na/b,2026-01-01,1\n,2026-01-01,1\nm\\,2026-01-01,1\nm1,2026-01-01,1\n",
         "m1 a=1 1767225600000\n",
         "2:no blanks|3:no blanks|4:missing|5:backslash|",
         false},
        {"a quote that is never closed takes its own row only",
         {.device = "=d"},
         NULL,
         "time,a\n2026-01-01,\"1\n2026-01-02,2\n2026-01-03,3\n",
         "d a=2 1767312000000\nd a=3 1767398400000\n",
         "2:never closed|",
         false},
        {"nor do two of them take what is between",
         {.device = "=d"},
         NULL,
         "time,a\n2026-01-01,\"1\n2026-01-02,2\n2026-01-03,\"3\n2026-01-04,4\n",
         "d a=2 1767312000000\nd a=4 1767484800000\n",
         "2:closing quote|4:never closed|",
         false},
        {"text that is neither UTF-8 nor GB 18030",
         {.encoding = "gb18030"},
         NULL,
         "device,time,a\n\xff\xff,2026-01-01,1\n",
         "",
         "2:not GB 18030|",
         false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) check_case(t, &cases[i]);
}

static void clocks_that_change(struct t *t) {
    static const struct csv_case cases[] = {
        {"Shanghai",
         {.device = "=d"},
         "Asia/Shanghai",
         "time,a\n2026-01-01 08:00,1\n",
         "d a=1 1767225600000\n",
         NULL,
         false},
        {"an hour that is there twice: the first, then the second",
         {.device = "=d"},
         "Europe/Berlin",
         "time,a\n2026-10-25 01:30,1\n2026-10-25 02:00,2\n2026-10-25 02:30,3\n2026-10-25 02:00,4\n2026-10-25 "
         "02:30,5\n2026-10-25 03:00,6\n",
         "d a=1 1792884600000\nd a=2 1792886400000\nd a=3 1792888200000\nd a=4 1792890000000\nd a=5 1792891800000\nd "
         "a=6 1792893600000\n",
         NULL,
         false},
        {"hourly",
         {.device = "=d"},
         "Europe/Berlin",
         "time,a\n2026-10-25 01:00,1\n2026-10-25 02:00,2\n2026-10-25 02:00,3\n2026-10-25 03:00,4\n",
         "d a=1 1792882800000\nd a=2 1792886400000\nd a=3 1792890000000\nd a=4 1792893600000\n",
         NULL,
         false},
        {"two devices at one time are no second pass",
         {0},
         "Europe/Berlin",
         "device,time,a\nx,2026-10-25 02:00,1\ny,2026-10-25 02:00,2\nx,2026-10-25 03:00,3\n",
         "x a=1 1792886400000\ny a=2 1792886400000\nx a=3 1792893600000\n",
         NULL,
         false},
        {"an hour that is not there",
         {.device = "=d"},
         "Europe/Berlin",
         "time,a\n2026-03-29 01:59,1\n2026-03-29 02:00,2\n2026-03-29 03:00,3\n",
         "d a=1 1774745940000\nd a=3 1774746000000\n",
         "3:left this time out|",
         false},
        {"an offset in the time is stronger than the zone",
         {.device = "=d"},
         "Europe/Berlin",
         "time,a\n2026-03-29 02:30+08:00,2\n",
         "d a=2 1774722600000\n",
         NULL,
         false},
        {"a zone that never changes",
         {.device = "=d", .offset_s = 28800},
         NULL,
         "time,a\n2026-01-01 08:00,1\n",
         "d a=1 1767225600000\n",
         NULL,
         false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) check_case(t, &cases[i]);
}

static void what_cannot_be_guessed_is_asked(struct t *t) {
    static const struct csv_case cases[] = {
        {"no device", {0}, NULL, "time,a\n2026-01-01,1\n", "!--device", NULL, false},
        {"no time", {.device = "=d"}, NULL, "x,a\n5,1\n", "!--time", NULL, false},
        {"a format", {.device = "=d"}, NULL, "time,a\n1/2/2026 1:00,1\n", "!--format", NULL, false},
        {"a column that is not there",
         {.device = "meter"},
         NULL,
         "time,a\n2026-01-01,1\n",
         "!there are: time, a",
         NULL,
         false},
        {"two columns of one name", {.device = "=d"}, NULL, "time,a,a\n2026-01-01,1,2\n", "!'#3=METRIC", NULL, false},
        {"a name that is too long",
         {.device = "=d"},
         NULL,
         "time,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n2026-01-01,1\n",
         "!too long",
         NULL,
         false},
        {"UTF-16", {.device = "=d"}, NULL, "\xff\xfet", "!UTF-16", NULL, false},
        {"nothing", {.device = "=d"}, NULL, "", "!empty", NULL, false},
        {"no numbers", {.device = "=d"}, NULL, "time,a\n2026-01-01,hall\n", "!--value", NULL, false},
        {"a long file without its value",
         {.device = "=d", .metric = "=a"},
         NULL,
         "time,x\n2026-01-01,1\n",
         "!--value",
         NULL,
         false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) check_case(t, &cases[i]);
}

static void times_are_read_as_they_are_written(struct t *t) {
    static const struct {
        const char *format, *text; /* format NULL: guessed */
        int64_t ms;                /* -1: refused */
    } rows[] = {
        {NULL, "2026-11-24 10:42", 1795516920000},
        {NULL, "2026/1/2 3:04:05", 1767323045000},
        {NULL, "2026.11.24", 1795478400000},
        {NULL, "2026-11-24T10:42:00.5+08:00", 1795488120500},
        {NULL, "20261124104200", 1795516920000},
        {NULL, "20261124", 1795478400000},
        {NULL, "1795516920", 1795516920000},
        {NULL, "1795516920.25", 1795516920250},
        {NULL, "1795516920123", 1795516920123},
        {NULL, "1795516920123456", 1795516920123},
        {NULL, "1795516920123456789", 1795516920123},
        {NULL, "24/11/2026", -1},
        {NULL, "12", -1},
        {"s", "-1", -1000},
        {"ms", "1.5e3", -1},
        {"%d/%m/%Y %H:%M", "24/11/2026 9:05", 1795511100000},
        {"%m/%d/%y %I:%M %p", "11/24/26 12:05 AM", 1795478700000},
        {"%m/%d/%y %I:%M %p", "11/24/26 12:05 pm", 1795521900000},
        {"%d %b %Y %T.%f %z", "24 Nov 2026 10:42:00.250 -0100", 1795520520250},
        {"%Y年%m月%d日 %H时", "2026年11月24日 10时", 1795514400000},
        {"%F", "2026-11-24 1", -1},
        {"%F", "2026-13-24", -1},
        {"%H:%M", "10:00", -1},
        {"%Q %d", "x", -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct when w = {0};
        int64_t ms = 0;
        struct str text = str_of(rows[i].text);
        bool ok = rows[i].format ? when_format(&w, str_of(rows[i].format)) : when_guess(&w, text);
        ok = ok && !when_read(&w, text, &ms);
        CHECK_SAY(t, rows[i].ms == -1 ? !ok : ok && ms == rows[i].ms, "%s: %d %lld", rows[i].text, ok, (long long)ms);
    }
}

static void wide_rows_take_several_lines(struct t *t) {
    struct csv *c = arena_new(&t->arena, struct csv, 1);
    struct cells *cells = arena_new(&t->arena, struct cells, 1);
    struct batch b;
    struct position at;
    struct buf text, bad;
    struct str whole, told;
    buf_init_arena(&text, &t->arena, 65536);
    buf_init_arena(&bad, &t->arena, 4096);
    buf_cstr(&text, "time");
    for (int i = 0; i < 300; i++) buf_fmt(&text, ",m%d", i);
    for (int row = 0; row < 2; row++) {
        buf_fmt(&text, "\n2026-01-0%d", row + 1);
        for (int i = 0; i < 300; i++) buf_fmt(&text, row && i == 299 ? ",x" : ",%d", i);
    }
    CHECK(t, buf_done(&text, &whole) && batch_init(&b));
    CHECK(t, !csv_begin(c, &(struct csv_options){.device = "=d"}, whole, true, &t->arena, &at, &t->fault));
    read_all(c, whole, at, &b, cells, &bad);
    CHECK(t, b.n == 2 && b.lines[0].values == 256 && b.lines[1].values == 44 && b.values == 300);
    CHECK(t, str_starts(batch_text(&b, 1), S("d m256=256,m257=257")) && b.lines[1].row == 2);
    CHECK(t, buf_done(&bad, &told) && str_starts(told, S("3: column m299"))); /* of which nothing is left */
    batch_cut(&b, 1);
    CHECK(t, b.n == 1 && b.values == 256 && b.len == batch_text(&b, 0).len + 1);
    batch_finish(&b);
}

static void rows_may_come_in_pieces(struct t *t) {
    static const char text[] = "a,\"b\n\"\"\",c\r\nd\n";
    struct cells *c = arena_new(&t->arena, struct cells, 1);
    size_t first = strlen("a,\"b\n\"\"\",c\r\n");
    for (size_t n = 0; n < sizeof text; n++) {
        enum cells_result r = cells_read((struct str){text, n}, false, ',', c);
        CHECK_SAY(t, r == (n < first ? CELLS_MORE : CELLS_ROW), "%zu bytes", n);
    }
    CHECK(t, c->n == 3 && c->bytes == first && c->lines == 2 && c->is_ended);
    CHECK(t, str_is(c->cell[1].text, "b\n\"\"") && c->cell[1].has_pairs && str_is(c->cell[2].text, "c"));
    CHECK(t, cells_read(S("x,"), true, ',', c) == CELLS_ROW && c->n == 2 && !c->is_ended);
    CHECK(t, cells_read(S("\r\nx"), false, ',', c) == CELLS_ROW && c->n == 0 && c->bytes == 2);
}

TESTS(CASE(rows_become_lines), CASE(bad_rows_are_named), CASE(clocks_that_change),
      CASE(what_cannot_be_guessed_is_asked), CASE(times_are_read_as_they_are_written),
      CASE(wide_rows_take_several_lines), CASE(rows_may_come_in_pieces))
