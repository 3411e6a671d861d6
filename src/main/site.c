/* An installation on disk.  SPDX-License-Identifier: Apache-2.0 */
#include "main/site.h"

#include "main/assets.h"
#include "main/modules.h"
#include "main/presets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_MAX     1100
#define ZONE_SIZE_MAX 65536
#define ARENA_CAP     ((size_t)64 * 1024 * 1024)
#define NODES         1024 /* of world_real() */

/* ---- zones from the system's own data, kept for the life of the program ---- */

struct zone_file {
    struct zone_file *next;
    char name[64];
    size_t len;
    uint8_t bytes[];
};
static struct zone_file *zone_files;
static pthread_mutex_t zone_lock = PTHREAD_MUTEX_INITIALIZER;

static struct zone_file *zone_load(const char *name) {
    char path[128];
    for (const char *p = name; *p; p++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/", *p)) return NULL;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.60s", name);
    FILE *in = fopen(path, "rb");
    struct zone_file *z = in ? calloc(1, sizeof *z + ZONE_SIZE_MAX) : NULL;
    if (z) {
        snprintf(z->name, sizeof z->name, "%s", name);
        z->len = fread(z->bytes, 1, ZONE_SIZE_MAX, in);
        z->next = zone_files;
        zone_files = z;
    }
    if (in) fclose(in);
    return z;
}

bool site_zone_data(const char *name, struct bytes *ret) {
    pthread_mutex_lock(&zone_lock);
    struct zone_file *z = zone_files;
    while (z && strcmp(z->name, name)) z = z->next;
    if (!z) z = zone_load(name);
    pthread_mutex_unlock(&zone_lock);
    if (z) *ret = (struct bytes){z->bytes, z->len};
    return z != NULL;
}

static bool zone_data(void *arg, const char *name, struct bytes *ret) {
    (void)arg;
    return site_zone_data(name, ret);
}

/* ---- the kernel with this program's modules and words ---- */

enum err site_kernel(struct kernel **ret, const struct kernel_options *base, struct fault *f) {
    static struct str words[WORDS_MAX]; /* the same bytes each time */
    struct kernel_options o = *base;
    size_t n = 0;
    for (size_t i = 0; i < assets_n && n < WORDS_MAX; i++) {
        size_t len = strlen(assets[i].path);
        if (len > 6 && !strcmp(assets[i].path + len - 6, ".words"))
            words[n++] = (struct str){assets[i].begin, (size_t)(assets[i].end - assets[i].begin)};
    }
    o.modules = modules;
    o.modules_n = modules_n;
    o.words = words;
    o.words_n = n;
    o.zone_data = zone_data;
    return kernel_create(&o, ret, f);
}

/* ---- the folder ---- */

static enum err lock_folder(struct site *s, struct fault *f) {
    char path[600], who[32] = "";
    snprintf(path, sizeof path, "%s/lock", s->dir);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return FAIL(f, ERR_UNAVAILABLE, "data_folder", "the data folder cannot be written: %s", strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB)) {
        ssize_t n = read(s->lock_fd, who, sizeof who - 1);
        who[n > 0 ? strcspn(who, "\n") : 0] = 0;
        close(s->lock_fd);
        s->lock_fd = -1;
        return FAIL(f, ERR_BUSY, "data_folder",
                    "process %.12s already serves this data folder; stop it, or use --data for another",
                    who[0] ? who : "?");
    }
    int len = snprintf(who, sizeof who, "%ld\n", (long)getpid());
    if (ftruncate(s->lock_fd, 0) || write(s->lock_fd, who, (size_t)len) != len)
        return FAIL(f, ERR_UNAVAILABLE, "disk_full", "the data folder cannot be written");
    return OK;
}

static bool is_ours(const char *name) {
    static const char *const names[] = {"linli.db",  "linli.db-wal",     "linli.db-shm",
                                        "passwords", "device-passwords", "replay"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* Only what we made ourselves, never a folder's other contents. */
static void forget(const char *dir, bool everything) {
    char path[1600];
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        bool folder = !everything && (!strcmp(e->d_name, "files") || !strcmp(e->d_name, "telemetry"));
        if (folder || everything) forget(path, true);
        if (everything || folder || is_ours(e->d_name)) (void)!remove(path);
    }
    if (d) closedir(d);
}

static void wake(void *arg) {
    struct site *s = arg;
    if (s->wake) s->wake(s->wake_arg);
}

static enum err no_installation(struct fault *f) {
    return FAIL(f, ERR_NOT_FOUND, "no_installation",
                "there is no installation here; linli serve or linli demo makes one, --data or --db names another");
}

/* A store of ours, before anything opens it: opening would make it. */
static bool has_store(const char *url) {
    static const char sqlite[] = "sqlite:";
    return strncmp(url, sqlite, sizeof sqlite - 1) != 0 || !access(url + sizeof sqlite - 1, F_OK);
}

static enum err make_folder(struct site *s, struct fault *f) {
    if (s->io.make_dir(s->io.self, s->dir) < 0)
        return FAIL(f, ERR_UNAVAILABLE, "data_folder", "the data folder cannot be made");
    (void)!chmod(s->dir, 0700);
    return OK;
}

static enum err open_records(struct site *s, const struct site_options *options, struct fault *f) {
    char columns[1024];
    struct buf b;
    struct db *db;
    size_t connections = options->connections ? options->connections : 2;
    TRY(db_pool_open(&(struct db_options){.url = s->db_url}, connections, &s->pool, f));
    TRY(db_pool_take(s->pool, &db, f));
    buf_init(&b, columns, sizeof columns);
    enum err e = options->must_exist ? db_columns(db, f, "upgrades", &b) : OK;
    if (!e && options->must_exist && !b.len) e = no_installation(f);
    if (!e) e = kernel_install(s->kernel, db, &s->world, f);
    db_pool_give(s->pool, db);
    return e;
}

enum err site_open(struct site *s, const struct site_options *options, struct fault *f) {
    /* A command beside the server writes to the same tables, so its ids need a node of their own. */
    uint32_t node = options->lock ? 0 : 1 + (uint32_t)getpid() % (NODES - 1);
    *s = (struct site){.lock_fd = -1, .world = world_real(node), .io = io_real()};
    s->log = (struct log){.fd = STDERR_FILENO, .least = LOG_INFO, .world = &s->world};
    int n = snprintf(s->dir, sizeof s->dir, "%s", options->data ? options->data : SITE_DATA_DEFAULT);
    if (n < 0 || (size_t)n >= sizeof s->dir)
        return FAIL(f, ERR_INVALID, "data_folder", "the name of the data folder is too long");
    if (options->db)
        snprintf(s->db_url, sizeof s->db_url, "%s", options->db);
    else
        snprintf(s->db_url, sizeof s->db_url, "sqlite:%s/linli.db", s->dir);
    if (options->must_exist && !has_store(s->db_url)) return no_installation(f);
    if (!options->must_exist) TRY(make_folder(s, f));
    if (options->lock) TRY(lock_folder(s, f));
    if (options->fresh && options->lock) forget(s->dir, false);
    snprintf(s->files_dir, sizeof s->files_dir, "%s/files", s->dir);
    struct kernel_options k = {.io = &s->io, .files_dir = s->files_dir, .wake = wake, .wake_arg = s};
    TRY(site_kernel(&s->kernel, &k, f));
    TRY(open_records(s, options, f));
    return options->lock ? site_do(s, presets_load, NULL, f) : OK;
}

void site_close(struct site *s) {
    db_pool_close(s->pool);
    kernel_destroy(s->kernel);
    if (s->lock_fd >= 0) close(s->lock_fd);
    s->lock_fd = -1;
    s->pool = NULL;
    s->kernel = NULL;
}

enum err site_do(struct site *s, enum err (*fn)(struct ctx *ctx, void *arg), void *arg, struct fault *f) {
    struct arena arena;
    struct ctx ctx = {.kernel = s->kernel, .arena = &arena, .world = &s->world, .actor = actor_system()};
    TRY(db_pool_take(s->pool, &ctx.db, f));
    arena_init(&arena, ARENA_CAP);
    ctx_begin(&ctx);
    enum err e = fn(&ctx, arg);
    if (e) *f = ctx.fault;
    arena_finish(&arena);
    db_pool_give(s->pool, ctx.db);
    return e;
}

void site_say(const char *command, const struct fault *f) {
    fprintf(stderr, "linli %s: %s", command, f->text[0] ? f->text : err_name(f->kind));
    for (size_t i = 0; i < f->fields_n; i++)
        fprintf(stderr, "%s%s: %s", i ? ", " : " (", f->fields[i].field, f->fields[i].code);
    fprintf(stderr, "%s\n", f->fields_n ? ")" : "");
}
