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
/* Makes the folder (0700), opens store and kernel, installs or upgrades tables, and with lock loads the presets. */
NODISCARD enum err site_open(struct site *s, const struct site_options *options, struct fault *f);
void site_close(struct site *s); /* half-open ones too */

/* A unit of work outside of the server: as the system, on a connection of the pool. */
NODISCARD enum err site_do(struct site *s, enum err (*fn)(struct ctx *ctx, void *arg), void *arg, struct fault *f);
void site_say(const char *command, const struct fault *f); /* the fault for a person, on stderr */

/* Where sealed readings are: in files below the folder, or in the PostgreSQL that has the records. */
#define SITE_READINGS "telemetry" /* the readings' folder, below the site's */
struct site_chunks {
    struct io io;
    struct io_postgres *rows; /* NULL: in files, and io is the site's own */
};
struct site_chunks_options {
    const char *where; /* "files" or "store"; NULL: where they are already, else in files */
    bool owner;        /* holds the folder's lock; others only read */
    bool fresh;        /* those in the store are forgotten, as those of the folder were */
};
/* ERR_INVALID (code chunks_where): there is no such place; ERR_CONFLICT (chunks_elsewhere): they are in the other,
 * or the store has those of another folder. */
NODISCARD enum err site_chunks_open(struct site *s, const struct site_chunks_options *options, struct site_chunks *ret,
                                    struct fault *f);
void site_chunks_close(struct site_chunks *c);

/* Bytes of a zone (base/civil.h), from the system; they stay.  False: there is none of that name. */
bool site_zone_data(const char *name, struct bytes *ret);

/* The kernel alone, without a store: words and tables of this program. */
NODISCARD enum err site_kernel(struct kernel **ret, const struct kernel_options *base, struct fault *f);

#endif
