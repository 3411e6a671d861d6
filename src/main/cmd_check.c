/* linli check: looks whether this machine and this installation are fit to serve.  SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "main/cmd.h"
#include "main/site.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define DISK_LEAST_MB 500

struct check {
    bool json, bad;
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
    return OK;
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
        check_disk(&c, site.dir);
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
    .summary = "looks whether store, words, clock and disk are fit",
    .usage = "linli check [--data DIR | --db URL] [--json]\n\nExit 1 when something is not.\n",
    .run = run,
};
