/* linli check: looks whether this machine and this installation are fit to serve.  SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "main/cmd.h"
#include "main/site.h"
#include "platform/telemetry/telemetry.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DISK_LEAST_MB 500

struct check {
    bool json, bad;
    bool is_served; /* a server holds the folder */
    struct jw *w;
};

static void say(struct check *c, const char *what, bool ok, const char *words) {
    c->bad |= !ok;
    if (c->json) {
        jw_open(c->w, '{');
        jw_kcstr(c->w, "check", what);
        jw_kbool(c->w, "ok", ok);
        jw_kcstr(c->w, "words", words);
        jw_close(c->w, '}');
    } else {
        printf("%-4s %-14s %s\n", ok ? "ok" : "BAD", what, words);
    }
}

static void check_words(struct check *c, const struct kernel *k) {
    char first[160], words[224];
    struct buf b;
    buf_init(&b, first, sizeof first);
    size_t missing = kernel_words_missing(k, &b);
    if (missing)
        snprintf(words, sizeof words, "%zu words are missing, the first is %s", missing, first);
    else
        snprintf(words, sizeof words, "every field, state and step has its Chinese and English words");
    say(c, "words", missing == 0, words);
}

static void check_disk(struct check *c, const char *dir) {
    struct statvfs v;
    char words[96];
    bool known = !statvfs(dir, &v);
    unsigned long long mb = known ? (unsigned long long)v.f_bavail * v.f_frsize / 1000000 : 0;
    snprintf(words, sizeof words, known ? "%llu MB free" : "cannot be asked (%llu)", mb);
    say(c, "disk", known && mb >= DISK_LEAST_MB, words);
}

/* ---- readings: opened over a disk that reads and forgets what is written ---- */

static int64_t only_open(void *self, const char *path, enum io_mode mode) {
    const struct io *io = self;
    (void)mode;
    return io->open(io->self, path, IO_READ);
}
static int64_t only_read(void *self, int64_t file, void *ret, size_t n, int64_t at) {
    const struct io *io = self;
    return io->read(io->self, file, ret, n, at);
}
static int64_t only_write(void *self, int64_t file, const void *bytes, size_t n, int64_t at) {
    (void)self, (void)file, (void)bytes, (void)at;
    return (int64_t)n;
}
static int only_sync(void *self, int64_t file) {
    (void)self, (void)file;
    return 0;
}
static int only_truncate(void *self, int64_t file, int64_t size) {
    (void)self, (void)file, (void)size;
    return 0;
}
static int64_t only_size(void *self, int64_t file) {
    const struct io *io = self;
    return io->size(io->self, file);
}
static int only_close(void *self, int64_t file) {
    const struct io *io = self;
    return io->close(io->self, file);
}
static int only_rename(void *self, const char *from, const char *to) {
    (void)self, (void)from, (void)to;
    return 0;
}
static int only_path(void *self, const char *path) {
    (void)self, (void)path;
    return 0;
}
static int only_list(void *self, const char *path, int (*fn)(void *arg, const char *name), void *arg) {
    const struct io *io = self;
    return io->list(io->self, path, fn, arg);
}

static struct io only_reads(struct io *io) {
    return (struct io){io,         only_open,   only_read, only_write, only_sync, only_truncate, only_size,
                       only_close, only_rename, only_path, only_path,  only_path, only_list};
}

#define DAMAGE_SHOWN 20

struct damage { /* a line of each of the first */
    int64_t n;
    char lines[DAMAGE_SHOWN][320];
};

static void note_damage(void *arg, const struct telemetry_damage *d) {
    struct damage *all = arg;
    struct buf b;
    struct str line;
    if (all->n++ >= DAMAGE_SHOWN) return;
    char *mem = all->lines[all->n - 1];
    buf_init(&b, mem, sizeof all->lines[0] - 1);
    buf_fmt(&b, "%s, byte %lld: ", d->file, (long long)d->at);
    if (!d->device.ptr) {
        buf_cstr(&b, "a chunk whose head is damaged");
    } else {
        buf_fmt(&b, "%lld %s of " STR_FMT " " STR_FMT ", ", (long long)d->n, d->window_min ? "windows" : "readings",
                STR_ARG(d->device), STR_ARG(d->metric));
        civil_put_time(&b, NULL, d->first_ms);
        buf_cstr(&b, " to ");
        civil_put_time(&b, NULL, d->last_ms);
        if (d->is_unread) buf_cstr(&b, ": the disk does not read it");
    }
    mem[buf_done(&b, &line) ? line.len : 0] = 0;
}

/* A server that ran here made the folder before it was ready. */
static bool should_be_there(const struct site *site) {
    char path[640];
    struct stat st;
    snprintf(path, sizeof path, "%s/lock", site->dir);
    return !stat(path, &st);
}

static void check_readings(struct check *c, struct site *site) {
    char dir[640], words[320];
    static struct damage damage;
    struct stat st;
    struct telemetry *t = NULL;
    struct telemetry_stats s = {0};
    struct fault f = {0};
    struct site_chunks chunks = {0};
    const struct io reads = only_reads(&site->io), chunk_reads = only_reads(&chunks.io);
    snprintf(dir, sizeof dir, "%s/" SITE_READINGS, site->dir);
    if (c->is_served) {
        say(c, "readings", true, "in the hands of the server: its /readyz tells");
        return;
    }
    if (stat(dir, &st)) {
        bool gone = should_be_there(site);
        say(c, "readings", !gone,
            gone ? "the folder " SITE_READINGS
                   " is gone, though a server ran here: put it back from a backup before one "
                   "starts again, for it would begin anew"
                 : "there are none yet");
        return;
    }
    enum err e = site_chunks_open(site, &(struct site_chunks_options){0}, &chunks, &f);
    if (!e)
        e = telemetry_open(
            &(struct telemetry_options){
                .io = &reads, .chunk_io = &chunk_reads, .world = &site->world, .dir = dir, .threadless = true},
            &t, &f);
    if (!e) telemetry_stats(t, &s);
    if (!e) e = telemetry_verify(t, note_damage, &damage, &f);
    if (e)
        snprintf(words, sizeof words, "%s", f.text);
    else if (damage.n || s.damaged)
        snprintf(words, sizeof words,
                 "%lld places are damaged; what is around them is read.  Put those files back from a backup, or erase "
                 "what is lost",
                 (long long)(damage.n > s.damaged ? damage.n : s.damaged));
    else
        snprintf(words, sizeof words, "%lld series, %lld points", (long long)s.series,
                 (long long)(s.chunk_points + s.head_points));
    say(c, "readings", !e && !s.damaged && !damage.n, words);
    for (int64_t i = 0; i < damage.n && i < DAMAGE_SHOWN; i++) printf("     %s\n", damage.lines[i]);
    if (damage.n > DAMAGE_SHOWN) printf("     and %lld more\n", (long long)(damage.n - DAMAGE_SHOWN));
    telemetry_close(t);
    site_chunks_close(&chunks);
}

/* ---- ports ---- */

static bool is_free(int port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); /* as the server does */
    bool ok = fd >= 0 && !bind(fd, (const struct sockaddr *)&at, sizeof at);
    if (fd >= 0) close(fd);
    return ok;
}

/* Those of HTTP and MQTT give way to the next free one; a line stands where its devices look for it. */
static enum err check_ports(struct ctx *ctx, struct check *c) {
    struct db_rows rows = {0};
    char words[200], taken[120] = "";
    int n = 0;
    if (c->is_served) {
        say(c, "ports", true, "in the hands of the server");
        return OK;
    }
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT name, port FROM lines WHERE archived_ms = 0 AND port > 0 ORDER BY port LIMIT 1000",
                          NO_VALS, &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        if (is_free((int)db_i64(&rows, 1))) continue;
        struct str name = db_text(&rows, 0);
        if (!n++) snprintf(taken, sizeof taken, STR_FMT " (%d)", STR_ARG(name), (int)db_i64(&rows, 1));
    }
    db_done(&rows);
    TRY(e);
    if (n)
        snprintf(words, sizeof words, "ports of %d lines are taken by others, the first is %s", n, taken);
    else
        snprintf(words, sizeof words, "those of the lines are free; HTTP 8080 is %s, MQTT 1883 is %s",
                 is_free(8080) ? "free" : "taken, the next free one serves", is_free(1883) ? "free" : "taken");
    say(c, "ports", !n, words);
    return OK;
}

/* ---- */

static void check_server(struct check *c, const struct site *site) {
    char path[600];
    snprintf(path, sizeof path, "%s/lock", site->dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    c->is_served = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB);
    if (fd >= 0) close(fd);
}

static enum err look(struct ctx *ctx, void *arg) {
    struct check *c = arg;
    int64_t n = 0;
    bool found;
    char words[96];
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT COUNT(*) FROM events WHERE dead = 1", NO_VALS, &n, &found));
    snprintf(words, sizeof words, "%lld events were set aside after 20 tries", (long long)n);
    say(c, "events", n == 0, words);
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT COUNT(*) FROM communities", NO_VALS, &n, &found));
    snprintf(words, sizeof words, "%lld communities", (long long)n);
    say(c, "communities", true, words);
    return check_ports(ctx, c);
}

static int run(int argc, char **argv) {
    const char *data = NULL, *db = NULL;
    struct check c = {0};
    const struct option options[] = {{"data", &data, NULL}, {"db", &db, NULL}, {"json", NULL, &c.json}};
    int bad = options_read(argc, argv, options, COUNT(options), NULL, NULL, 0);
    if (bad) return usage_error(&cmd_check, "%s is not understood", argv[bad]);
    struct arena arena;
    struct buf b;
    struct jw w;
    struct str text;
    struct site site;
    struct fault f = {0};
    arena_init(&arena, (size_t)1 << 20);
    buf_init_arena(&b, &arena, (size_t)1 << 19);
    jw_init(&w, &b);
    jw_open(&w, '[');
    c.w = &w;
    enum err e = site_open(&site, &(struct site_options){.data = data, .db = db, .must_exist = true}, &f);
    say(&c, "store", !e,
        e    ? f.text
        : db ? "the database answers, its tables fit this program"
             : "opened, its tables fit this program");
    if (!e) {
        check_words(&c, site.kernel);
        check_server(&c, &site);
        check_disk(&c, site.dir);
        check_readings(&c, &site);
        bool clock_ok = site.world.utc_ms(site.world.self) > INT64_C(1750000000000);
        say(&c, "clock", clock_ok,
            clock_ok ? "stands at a sensible date" : "stands in the past: set it before anything is recorded");
        e = site_do(&site, look, &c, &f);
        if (e) say(&c, "records", false, f.text);
    }
    site_close(&site);
    jw_close(&w, ']');
    if (c.json && buf_done(&b, &text)) printf(STR_FMT "\n", STR_ARG(text));
    arena_finish(&arena);
    return c.bad ? EXIT_PROBLEM : EXIT_FINE;
}

const struct command cmd_check = {
    .name = "check",
    .summary = "looks whether stores, words, clock, disk and ports are fit",
    .usage = "linli check [--data DIR | --db URL] [--json]\n\nExit 1 when something is not.\n",
    .run = run,
};
