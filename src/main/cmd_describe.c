/* linli describe: what the tables say, for clients, programs, types and people.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"
#include "main/cmd.h"
#include "main/modules.h"
#include "main/reference.h"
#include "main/site.h"
#include "main/version.h"

#include <stdio.h>

#define TEXT_MAX ((size_t)32 * 1024 * 1024)

struct telling {
    bool openapi, types, markdown;
    struct kernel *kernel;
    struct db *db;
    struct world world;
    struct arena arena;
    struct buf out;
};

/* As an administrator sees it: the system may do everything; the store behind it is empty and in memory. */
static enum err put_json(struct telling *j, struct fault *f) {
    TRY(db_open(&(struct db_options){.url = "sqlite::memory:"}, &j->db, f));
    TRY(kernel_install(j->kernel, j->db, &j->world, f));
    struct ctx ctx = {
        .kernel = j->kernel, .db = j->db, .arena = &j->arena, .world = &j->world, .actor = actor_system()};
    ctx_begin(&ctx);
    enum err e = describe_json(&ctx, S("system"), linli_version(), &j->out);
    if (e) *f = ctx.fault;
    return e;
}

static enum err put(struct telling *j, struct fault *f) {
    TRY(site_kernel(&j->kernel, &(struct kernel_options){0}, f));
    struct api_with with[MODULES_WITH];
    modules_with(&(struct running){0}, with);
    if (j->openapi) return describe_openapi(j->kernel, linli_version(), with, MODULES_WITH, &j->out, f);
    if (j->types) {
        reference_types(j->kernel, &j->out);
        return OK;
    }
    if (j->markdown) {
        reference_markdown(j->kernel, &j->out);
        return OK;
    }
    return put_json(j, f);
}

static int run(int argc, char **argv) {
    struct telling j = {.world = world_real(0)};
    struct fault f = {0};
    struct str text;
    bool json = false;
    const struct option options[] = {{"openapi", NULL, &j.openapi},
                                     {"types", NULL, &j.types},
                                     {"markdown", NULL, &j.markdown},
                                     {"json", NULL, &json}};
    int bad = options_read(argc, argv, options, COUNT(options), NULL, NULL, 0);
    if (bad) return usage_error(&cmd_describe, "%s is not understood", argv[bad]);
    if (j.openapi + j.types + j.markdown + json > 1) return usage_error(&cmd_describe, "one form at a time");
    arena_init(&j.arena, TEXT_MAX * 2);
    buf_init_arena(&j.out, &j.arena, TEXT_MAX);
    enum err e = put(&j, &f);
    if (!e && !buf_done(&j.out, &text)) e = FAIL(&f, ERR_LIMIT, "too_large", "the text is too large");
    if (!e && (fwrite(text.ptr, 1, text.len, stdout) != text.len || fputc('\n', stdout) == EOF || fflush(stdout)))
        e = FAIL(&f, ERR_UNAVAILABLE, "output", "the output cannot be written");
    if (e) site_say("describe", &f);
    db_close(j.db);
    kernel_destroy(j.kernel);
    arena_finish(&j.arena);
    return e ? EXIT_PROBLEM : EXIT_FINE;
}

const struct command cmd_describe = {
    .name = "describe",
    .summary = "prints what there is: resources, fields, states, steps, rights",
    .usage = "linli describe [--json | --openapi | --types | --markdown]\n\n"
             "  --json      what GET /api/v1/describe tells an administrator (the default)\n"
             "  --openapi   the OpenAPI 3.1 document\n"
             "  --types     TypeScript interfaces\n"
             "  --markdown  a reference for people\n",
    .run = run,
};
