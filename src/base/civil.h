/* Civil time: local days, months and working hours of a place, over zone data handed in at start.  UTC milliseconds are
 * stored; nobody else in the tree turns them into dates.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_CIVIL_H
#define LINLI_BASE_CIVIL_H

#include "base/base.h"
#include "base/err.h"

struct civil {
    int32_t year, month, day, hour, minute, second, ms; /* proleptic Gregorian; month 1..12, day 1..31 */
};

/* Days since 1970-01-01 and back (H. Hinnant, chrono-compatible low-level date algorithms). */
int64_t civil_day(int32_t year, int32_t month, int32_t day);
void civil_from_day(int64_t day, int32_t *ret_year, int32_t *ret_month, int32_t *ret_day);
bool civil_is_date(int32_t year, int32_t month, int32_t day);
int32_t civil_weekday(int64_t day); /* 1 Monday .. 7 Sunday (ISO 8601) */
int32_t civil_month_days(int32_t year, int32_t month);

/* A zone's rules, read from TZif bytes (RFC 8536, version 2+ with its POSIX footer).  Zero value: UTC. */
struct zone;
NODISCARD enum err zone_parse(struct bytes tzif, struct zone **ret, struct fault *f); /* caller zone_free()s */
void zone_free(struct zone *z);
int32_t zone_offset_s(const struct zone *z, int64_t utc_ms); /* east positive; z NULL = UTC */
struct civil zone_civil(const struct zone *z, int64_t utc_ms);
/* Local to UTC.  A time skipped by a forward jump moves to the jump's end; a doubled one means the first. */
int64_t zone_utc_ms(const struct zone *z, struct civil local);
int64_t zone_day_start_ms(const struct zone *z, int64_t utc_ms);              /* local midnight at or before */
int64_t zone_month_start_ms(const struct zone *z, int64_t utc_ms);            /* local first of month at or before */
int64_t zone_add_days_ms(const struct zone *z, int64_t utc_ms, int64_t days); /* same wall time */
int64_t zone_add_months_ms(const struct zone *z, int64_t utc_ms, int64_t months); /* day clamped to the month's end */

/* Text.  RFC 3339 with offset or Z, up to ms; dates YYYY-MM-DD as days since 1970-01-01. */
NODISCARD bool civil_read_time(struct str s, int64_t *ret_utc_ms);
NODISCARD bool civil_read_date(struct str s, int64_t *ret_day);
void civil_put_time(struct buf *b, const struct zone *z, int64_t utc_ms); /* 2026-11-24T10:42:00.000+08:00 */
void civil_put_date(struct buf *b, int64_t day);

#endif
