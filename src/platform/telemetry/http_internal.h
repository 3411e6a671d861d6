/* What the readings' routes share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_TELEMETRY_HTTP_INTERNAL_H
#define LINLI_PLATFORM_TELEMETRY_HTTP_INTERNAL_H

#include "platform/telemetry/telemetry_http.h"
#include "platform/things/things.h"

#include <stdatomic.h>

#define TAGS_SEEN 4096

struct tail;                                   /* http_tail.c */
struct tail *tail_create(struct telemetry *t); /* NULL: out of memory */
void tail_stop(struct tail *tail);             /* loop thread: ends the streams */
void tail_destroy(struct tail *tail);          /* NULL is fine */

struct telemetry_http {
    struct telemetry *telemetry;
    struct tail *tail;
    void (*tell)(void *arg, const struct telemetry_post *post); /* NULL: nobody wants to know */
    void *tell_arg;
    _Atomic uint64_t seen[TAGS_SEEN]; /* tags of devices that their rows have already, by hash */
};

/* The community that `community=CODE` names, or the only one the caller reaches: the only one, or the only one of those
 * that has devices.  ERR_INVALID (field community): required, unknown. */
NODISCARD enum err http_community(struct ctx *ctx, const struct api_call *call, int64_t *ret);
bool http_may_write(struct ctx *ctx, int64_t community_id, bool *ret_own_only); /* own only: role device alone */
/* May the caller read that device's readings?  Unknown and new ones are the manager's and the administrator's.
 * ERR_NOT_FOUND otherwise.  *ret_found false: no row of it. */
NODISCARD enum err http_may_read(struct ctx *ctx, int64_t community_id, struct str code, struct device *ret,
                                 bool *ret_found);
/* Unit of a metric: the series' own, else the model's; absent where nobody said. */
NODISCARD enum err http_unit(struct ctx *ctx, const struct telemetry_series *s, const struct device *d,
                             struct str *ret);
/* May the caller see the metric's class plainly? */
NODISCARD enum err http_sees(struct ctx *ctx, const struct device *d, const struct telemetry_series *s, bool *ret);
/* Where not, it is refused (ERR_DENIED). */
NODISCARD enum err http_check_class(struct ctx *ctx, const struct device *d, const struct telemetry_series *s);
/* Field classes whose readers alone may see it. */
NODISCARD enum err http_class(struct ctx *ctx, const struct telemetry_series *s, uint8_t *ret);

/* from, to, every, agg, limit, cursor of the query. */
struct http_range {
    int64_t from_ms, to_ms;
    size_t limit;
    bool has_every;
    struct telemetry_every every;
    enum telemetry_agg aggs[TELEMETRY_AGGS_MAX];
    size_t aggs_n;
    bool is_csv, has_limit; /* a limit that was asked for */
};
NODISCARD enum err http_range_read(struct ctx *ctx, const struct api_call *call, struct http_range *ret);

/* 1 .. most */
NODISCARD enum err http_number(struct ctx *ctx, const char *name, struct str text, int64_t most, int64_t *ret);
/* Milliseconds or RFC 3339, within the calendar's years. */
NODISCARD enum err http_time(struct ctx *ctx, const struct api_call *call, const char *name, int64_t fallback,
                             int64_t *ret);
NODISCARD enum err http_need(struct ctx *ctx, const struct api_call *call, const char *name, struct str *ret);

/* A body of `size` bytes at most, at once: growing would leave its smaller selves behind in the arena. */
#define HTTP_JSON_POINT 22 /* bytes: [1790000000000,…], and */
#define HTTP_JSON_VALUE 26 /* -1.2345678901234567e-300, */
NODISCARD enum err http_open_body(struct ctx *ctx, size_t size, struct buf *ret);
NODISCARD enum err http_close_body(struct ctx *ctx, struct buf *b, struct api_answer *ret);
bool http_is_over(const void *call); /* struct api_call: does its caller wait no more? */
void http_put_points(struct jw *j, const struct telemetry_points *p);

/* Readings as CSV: of one series or several together, or of groups one after the other.  What is pointed to lives as
 * long as the call.  A last line that begins with # says what is damaged. */
struct http_table {
    struct telemetry *telemetry;
    const struct zone *zone;
    struct http_range range; /* without `every`: the first series of each group, as it came */
    const char *by;          /* what groups are, in the heading; NULL: there is one, and it is not said */
    const struct http_table_group {
        struct str key, name;
        const uint32_t *series;
        size_t n;
    } * groups;
    size_t groups_n;
};
NODISCARD enum err http_csv(struct ctx *ctx, const struct http_table *table, struct api_answer *ret);

enum err http_tail(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
enum err http_ingest_line(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
enum err http_ingest_json(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
enum err http_telemetry(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
enum err http_latest(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
enum err http_erase(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
enum err http_aggregate(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);

/* Tags of line protocol become attributes of the device's row, once. */
struct http_tags {
    struct str device;
    json_t *values; /* object of texts; the caller's */
};
NODISCARD enum err http_keep_tags(struct ctx *ctx, struct telemetry_http *h, int64_t community_id, struct str device,
                                  json_t *values, uint64_t hash);

#endif
