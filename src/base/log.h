/* Structured log: one JSON line an event, with level, time, trace id, words and pairs.  Libraries do not log; the
 * outermost frame of a unit of work does, once.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_LOG_H
#define LINLI_BASE_LOG_H

#include "base/base.h"
#include "base/clock.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_pair {
    const char *key;
    struct str text; /* used when text.ptr is set */
    int64_t number;
};
#define LOG_TEXT(k, s) ((struct log_pair){.key = (k), .text = (s)})
#define LOG_NUM(k, n)  ((struct log_pair){.key = (k), .number = (n)})

/* Where lines go; `fd` -1 silences.  Lines under `least` are dropped.  One line, at most 4 KiB, one write(2). */
struct log {
    int fd;
    enum log_level least;
    const struct world *world;
};
void log_write(const struct log *log, enum log_level level, struct str trace, const char *event,
               const struct log_pair *pairs, size_t pairs_n);
#define LOG(log, level, trace, event, ...)                                              \
    log_write((log), (level), (trace), (event), (const struct log_pair[]){__VA_ARGS__}, \
              sizeof((const struct log_pair[]){__VA_ARGS__}) / sizeof(struct log_pair))

#endif
