/* Tests of the structured log: one line an event, whatever is in it.  SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/json.h"
#include "tests/lib/test.h"

#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

struct pipe_log {
    int ends[2];
    struct log log;
    char text[2 * LINE_MAX_BYTES];
};

static void pipe_open(struct t *t, struct pipe_log *p, enum log_level least) {
    CHECK(t, !pipe(p->ends));
    p->log = (struct log){.fd = p->ends[1], .least = least, .world = &t->world};
}

/* Everything that was written; ends the log. */
static struct str pipe_text(struct pipe_log *p) {
    size_t n = 0;
    ssize_t got;
    close(p->ends[1]);
    while ((got = read(p->ends[0], p->text + n, sizeof p->text - n)) > 0) n += (size_t)got;
    close(p->ends[0]);
    return (struct str){p->text, n};
}

static void a_line_holds_time_level_event_trace_and_pairs(struct t *t) {
    static struct pipe_log p;
    t->sim.utc_ms = INT64_C(1700000000123);
    pipe_open(t, &p, LOG_INFO);
    LOG(&p.log, LOG_WARN, S("tr-1"), "disk_low", LOG_NUM("mb", 12), LOG_TEXT("where", S("数据")));
    struct str s = pipe_text(&p);
    CHECK_SAY(t,
              str_is(s, "{\"at\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warn\",\"event\":\"disk_low\","
                        "\"trace\":\"tr-1\",\"mb\":12,\"where\":\"数据\"}\n"),
              STR_FMT, STR_ARG(s));
}

static void no_text_can_make_a_second_line(struct t *t) {
    static struct pipe_log p;
    json_t *v = NULL;
    pipe_open(t, &p, LOG_DEBUG);
    LOG(&p.log, LOG_ERROR, S("a\nb"), "x", LOG_TEXT("k", S("1\n{\"level\":\"error\"}\r\n\"")));
    struct str s = pipe_text(&p);
    CHECK(t, s.len && s.ptr[s.len - 1] == '\n' && !memchr(s.ptr, '\n', s.len - 1));
    CHECK(t, !json_read(s, &v, &t->fault));
    CHECK(t, str_is(json_text(json_object_get(v, "k")), "1\n{\"level\":\"error\"}\r\n\""));
    json_decref(v);
}

static void lines_under_the_least_level_are_dropped(struct t *t) {
    static struct pipe_log p;
    pipe_open(t, &p, LOG_WARN);
    LOG(&p.log, LOG_DEBUG, S(""), "no", LOG_NUM("n", 1));
    LOG(&p.log, LOG_INFO, S(""), "no", LOG_NUM("n", 1));
    LOG(&p.log, LOG_WARN, S(""), "yes", LOG_NUM("n", 1));
    struct str s = pipe_text(&p);
    CHECK(t, strstr(p.text, "\"yes\"") && !strstr(p.text, "\"no\"") && s.len);
}

static void a_line_that_is_too_long_says_so_instead(struct t *t) {
    static struct pipe_log p;
    static char longest[LINE_MAX_BYTES];
    json_t *v = NULL;
    memset(longest, 'x', sizeof longest);
    pipe_open(t, &p, LOG_DEBUG);
    LOG(&p.log, LOG_INFO, S(""), "big", LOG_TEXT("k", ((struct str){longest, sizeof longest})));
    struct str s = pipe_text(&p);
    CHECK(t, s.len < LINE_MAX_BYTES && !json_read(s, &v, &t->fault));
    CHECK(t, str_is(json_text(json_object_get(v, "event")), "line_too_long"));
    CHECK(t, str_is(json_text(json_object_get(v, "of")), "big"));
    json_decref(v);
}

static void silence_is_allowed(struct t *t) {
    struct log off = {.fd = -1, .world = &t->world};
    LOG(&off, LOG_ERROR, S(""), "nobody", LOG_NUM("n", 1));
    log_write(NULL, LOG_ERROR, S(""), "nobody", NULL, 0);
    CHECK(t, !t->failed);
}

TESTS(CASE(a_line_holds_time_level_event_trace_and_pairs), CASE(no_text_can_make_a_second_line),
      CASE(lines_under_the_least_level_are_dropped), CASE(a_line_that_is_too_long_says_so_instead),
      CASE(silence_is_allowed))
