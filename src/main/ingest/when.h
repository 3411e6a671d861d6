/* Times as files write them: civil times of a zone, offsets, numbers since 1970.  SPDX-License-Identifier: Apache-2.0
 */
#ifndef LINLI_MAIN_INGEST_WHEN_H
#define LINLI_MAIN_INGEST_WHEN_H

#include "base/civil.h"

#define WHEN_FORMAT_MAX 64

struct when {
    enum {
        WHEN_CIVIL, /* 2026-11-24 10:42[:00[.5]] with - / or . between, year first, Z or an offset behind; a date alone
                     */
        WHEN_NUMBER,
        WHEN_PATTERN
    } kind;
    int64_t tick_ns; /* WHEN_NUMBER */
    char pattern[WHEN_FORMAT_MAX];
    const struct zone *zone; /* of times that say none; NULL: offset_s */
    int32_t offset_s;
    int64_t shift_ms; /* put on top of each */
    /* Of a time that the zone has twice, its second pass is meant where the row before is later; or where it is at that
     * very time, when no two rows of the file share one. */
    bool is_single;
    int64_t last_ms; /* of the row before, without shift */
    int64_t doubled; /* times that the zone has twice */
    int64_t quarter; /* of an hour, local: what is kept of the last one looked at */
    bool is_kept;
    int64_t kept_first_s, kept_second_s; /* offsets, equal where the time is there once */
};

/* iso, s, ms, us, ns, or a pattern: %Y %m %d %H %I %p %M %S %f %b %y %z %% %F %T; a blank is any number of blanks. */
NODISCARD bool when_format(struct when *w, struct str format);
/* The format that a time seems to have; false: say it. */
NODISCARD bool when_guess(struct when *w, struct str text);
/* NULL, or the rule that it breaks; static text. */
const char *when_read(struct when *w, struct str text, int64_t *ret_ms);
NODISCARD bool when_offset(struct str text, int32_t *ret_s); /* +08:00, -0330, Z */
NODISCARD bool when_shift(struct str text, int64_t *ret_ms); /* -30m, 8h, 4300d */

#endif
