/* An installation on disk: its folder, its lock, its store, its kernel.  What every command that needs them opens.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_SITE_H
#define LINLI_MAIN_SITE_H

#include "base/log.h"
#include "kernel/kernel.h"

#define SITE_DATA_DEFAULT "data"

struct site {
    char dir[512], db_url[768], files_dir[640];
    int lock_fd; /* -1: not held */
    struct world world;
    struct log log;
    struct io io;
    struct db_pool *pool;
    struct kernel *kernel;
    void (*wake)(void *arg); /* may be set after site_open: called when events wait */
    void *wake_arg;
};
struct site_options {
    const char *data, *db; /* NULL: SITE_DATA_DEFAULT, SQLite in it */
    bool lock;             /* be the only server on this folder: ERR_BUSY says who holds it */
    size_t connections;    /* 0: 2 */
    bool fresh;            /* forget what is there (only with lock) */
    bool must_exist;       /* ERR_NOT_FOUND where no installation is; nothing is made then */
};
/* Makes the folder (0700), opens store and kernel, installs or upgrades tables. */
NODISCARD enum err site_open(struct site *s, const struct site_options *options, struct fault *f);
void site_close(struct site *s); /* half-open ones too */

/* A unit of work outside of the server: as the system, on a connection of the pool. */
NODISCARD enum err site_do(struct site *s, enum err (*fn)(struct ctx *ctx, void *arg), void *arg, struct fault *f);
void site_say(const char *command, const struct fault *f); /* the fault for a person, on stderr */

/* Bytes of a zone (base/civil.h), from the system; they stay.  False: there is none of that name. */
bool site_zone_data(const char *name, struct bytes *ret);

/* The kernel alone, without a store: words and tables of this program. */
NODISCARD enum err site_kernel(struct kernel **ret, const struct kernel_options *base, struct fault *f);

#endif
