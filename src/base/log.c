/* One JSON line an event.  SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/civil.h"
#include "base/json.h"
#include "base/utf8.h"

#include <unistd.h>

#define LINE_MAX_BYTES  4096
#define EVENT_MAX_CHARS 100

static void put_head(struct jw *j, const struct log *log, enum log_level level, struct str trace, const char *event) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char at[40];
    struct buf time;
    buf_init(&time, at, sizeof at);
    civil_put_time(&time, NULL, log->world->utc_ms(log->world->self));
    jw_open(j, '{');
    jw_kcstr(j, "at", at);
    jw_kcstr(j, "level", names[level]);
    jw_kcstr(j, "event", event);
    if (trace.len) jw_kstr(j, "trace", trace);
}

/* What stands for a line that does not fit: when it was and which event, so that it can be looked for. */
static struct str too_long(struct buf *b, const struct log *log, const char *event) {
    struct jw j;
    struct str line;
    jw_init(&j, b);
    put_head(&j, log, LOG_ERROR, S(""), "line_too_long");
    jw_kstr(&j, "of", utf8_head(str_of(event), EVENT_MAX_CHARS));
    jw_close(&j, '}');
    buf_char(b, '\n');
    return buf_done(b, &line) ? line : S("");
}

void log_write(const struct log *log, enum log_level level, struct str trace, const char *event,
               const struct log_pair *pairs, size_t pairs_n) {
    char mem[LINE_MAX_BYTES];
    struct buf b;
    struct jw j;
    struct str line;
    if (!log || log->fd < 0 || level < log->least) return;
    buf_init(&b, mem, sizeof mem);
    jw_init(&j, &b);
    put_head(&j, log, level, trace, event);
    for (size_t i = 0; i < pairs_n; i++) {
        if (pairs[i].text.ptr)
            jw_kstr(&j, pairs[i].key, pairs[i].text);
        else
            jw_ki64(&j, pairs[i].key, pairs[i].number);
    }
    jw_close(&j, '}');
    buf_char(&b, '\n');
    if (!buf_done(&b, &line)) {
        buf_init(&b, mem, sizeof mem);
        line = too_long(&b, log, event);
    }
    ssize_t written = write(log->fd, line.ptr, line.len);
    (void)written; /* a log that cannot be written has nobody to tell */
}
