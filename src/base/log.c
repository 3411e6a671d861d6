/* One JSON line an event.  SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/civil.h"
#include "base/json.h"

#include <unistd.h>

#define LINE_MAX_BYTES 4096

void log_write(const struct log *log, enum log_level level, struct str trace, const char *event,
               const struct log_pair *pairs, size_t pairs_n) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char mem[LINE_MAX_BYTES], at[40];
    struct buf b, time;
    struct jw j;
    struct str line;
    if (!log || log->fd < 0 || level < log->least) return;
    buf_init(&b, mem, sizeof mem);
    buf_init(&time, at, sizeof at);
    civil_put_time(&time, NULL, log->world->utc_ms(log->world->self));
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_kcstr(&j, "at", at);
    jw_kcstr(&j, "level", names[level]);
    jw_kcstr(&j, "event", event);
    if (trace.len) jw_kstr(&j, "trace", trace);
    for (size_t i = 0; i < pairs_n; i++) {
        if (pairs[i].text.ptr)
            jw_kstr(&j, pairs[i].key, pairs[i].text);
        else
            jw_ki64(&j, pairs[i].key, pairs[i].number);
    }
    jw_close(&j, '}');
    buf_char(&b, '\n');
    if (!buf_done(&b, &line)) line = S("{\"level\":\"error\",\"event\":\"a log line was too long\"}\n");
    ssize_t written = write(log->fd, line.ptr, line.len);
    (void)written; /* a log that cannot be written has nobody to tell */
}
