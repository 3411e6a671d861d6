/* A module is constant data plus the few functions that are truly its own.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_MODULE_H
#define LINLI_KERNEL_MODULE_H

#include "kernel/resource.h"

/* ---- events: rows of an outbox, written in the change's own transaction, delivered after commit, at least once, in
 * order per subject.  Handlers run in one transaction with the mark "delivered", so a handler that only writes to the
 * store acts exactly once. */
struct event {
    int64_t id, at_ms, community_id, place_id, row_id, actor_id;
    struct str resource, topic /* "visits.approve" */, body /* JSON object */, trace;
};
struct subscription {
    const char *topic;                                      /* "alarms.create", or "cases.*" */
    enum err (*on)(struct ctx *ctx, const struct event *e); /* ctx acts as the system, at the event's trace */
};

/* ---- jobs: run every so often by one process at a time */
struct job {
    const char *name;
    int64_t every_ms;
    enum err (*run)(struct ctx *ctx); /* at most a minute's work; comes again */
};

/* ---- settings: one value an installation, overridden a community */
struct setting {
    const char *name;     /* "cases.accept_limit_ms" */
    enum field_kind kind; /* INT, DECIMAL (scale 3), MONEY, FLAG, TEXT */
    const char *fallback, *unit;
    int64_t min, max; /* of the value (both 0: any), or TEXT's length, at most 1000 */
};

/* ---- contributions: an engine exports a point, modules bring rows, the kernel groups them by pointer */
struct point {
    const char *name;
    size_t row_size;
};
struct contribution {
    const struct point *point;
    const void *rows;
    size_t n;
};
#define CONTRIBUTE(p, table) \
    { &(p), (table), COUNT(table) }

/* ---- upgrades: append only, from the first release on */
struct upgrade {
    int32_t number;
    const char *sql, *sqlite, *postgres; /* both, or one each */
    enum err (*run)(struct ctx *ctx);
};

struct module {
    const char *name;
    const char *part; /* sensing platform security operations governance property services commerce */
    const struct resource *const *resources;
    size_t resources_n;
    const char *ddl; /* tables of its own that are no resources; types as {I} {T} {B} {R} */
    const struct subscription *listens;
    size_t listens_n;
    const struct job *jobs;
    size_t jobs_n;
    const struct setting *settings;
    size_t settings_n;
    const struct contribution *contributes;
    size_t contributes_n;
    const struct upgrade *upgrades;
    size_t upgrades_n;
    const char *roles; /* role words it brings */
};

#endif
