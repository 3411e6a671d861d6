/* linli ingest: readings of files into a running server.  SPDX-License-Identifier: Apache-2.0 */
#include "main/cmd.h"
#include "main/ingest/ingest.h"
#include "main/site.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX    1000
#define SECRET_MAX   256
#define ZONE_DEFAULT "Asia/Shanghai" /* where the meters hang that say no zone */
#define TO_DEFAULT   "http://127.0.0.1:8080"

struct asked {
    struct ingest_options o;
    const char *to, *zone, *shift, *batch, *password_file, *token_file;
    const char *files[FILES_MAX];
    size_t files_n;
    char password[SECRET_MAX], token[SECRET_MAX], signature[2048];
    struct zone *parsed;
    struct world world;
};

static volatile bool is_stopped;

/* The second time it ends at once: what is stored is in the state anyhow. */
static void on_signal(int number) {
    (void)number;
    is_stopped = true;
}

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* The first line of a file. */
static const char *read_secret(const char *path, char ret[SECRET_MAX]) {
    FILE *in = fopen(path, "rb");
    size_t n = in ? fread(ret, 1, SECRET_MAX - 1, in) : 0;
    if (in) fclose(in);
    ret[n] = 0;
    ret[strcspn(ret, "\r\n")] = 0;
    return ret[0] ? ret : NULL;
}

static const char *read_who(struct asked *a) {
    struct link_options *l = &a->o.link;
    l->token = a->token_file ? read_secret(a->token_file, a->token) : getenv("LINLI_TOKEN");
    if (a->token_file && !l->token) return "--token-file: the file holds no token, or cannot be read";
    if (l->user) l->token = NULL;
    if (!l->user)
        return l->token ? NULL
                        : "who writes?  --user NAME with --password-file F (or LINLI_PASSWORD), or --token-file F";
    l->password = a->password_file ? read_secret(a->password_file, a->password) : getenv("LINLI_PASSWORD");
    return l->password ? NULL : "--password-file F or LINLI_PASSWORD must give the password";
}

static const char *read_zone(struct asked *a) {
    const char *name = a->zone ? a->zone : ZONE_DEFAULT;
    struct bytes tzif;
    struct fault f = {0};
    if (when_offset(str_of(name), &a->o.csv.offset_s)) return NULL;
    if (!site_zone_data(name, &tzif) || zone_parse(tzif, &a->parsed, &f))
        return "--zone is a name such as Asia/Shanghai, or an offset such as +08:00";
    a->o.csv.zone = a->parsed;
    return NULL;
}

/* What must be the same for a run to go on where another ended. */
static const char *sign(struct asked *a) {
    const struct csv_options *c = &a->o.csv;
    const char *const parts[] = {a->to,        a->o.link.community, a->o.as, c->time,  c->device, c->metric,
                                 c->value,     c->format,           a->zone, a->shift, c->header, c->empty,
                                 c->separator, c->encoding};
    struct buf b;
    struct str ignored;
    buf_init(&b, a->signature, sizeof a->signature);
    for (size_t i = 0; i < COUNT(parts); i++) buf_fmt(&b, "%s\n", parts[i] ? parts[i] : "");
    a->o.signature = a->signature;
    return buf_done(&b, &ignored) ? NULL : "the options are too long";
}

static const char *read_asked(struct asked *a) {
    int64_t batch = 0;
    const char *wrong = read_zone(a);
    if (!a->files_n) return "which file?  - is the standard input";
    if (a->o.state && a->files_n > 1) return "--state is for one file";
    if (a->o.as && strcmp(a->o.as, "csv") != 0 && strcmp(a->o.as, "line") != 0) return "--as is csv or line";
    if (a->batch && (!str_to_i64(str_of(a->batch), &batch) || batch < 1 || batch > BATCH_VALUES_MAX))
        return "--batch is a number of readings up to 50000";
    if (a->shift && !when_shift(str_of(a->shift), &a->o.csv.shift_ms)) return "--shift is such as 8h, -30m, 4300d";
    if (!wrong && !a->o.dry_run) wrong = read_who(a);
    a->o.batch = (size_t)batch;
    if (!a->to) a->to = TO_DEFAULT;
    a->o.link.to = a->to;
    return wrong ? wrong : sign(a);
}

static int run_files(struct asked *a) {
    int worst = EXIT_FINE;
    a->world = world_real(0);
    a->o.world = &a->world;
    a->o.stop = &is_stopped;
    catch_signals();
    for (size_t i = 0; i < a->files_n && !is_stopped; i++) {
        int code = ingest_file(&a->o, a->files[i]);
        if (code) worst = code;
    }
    return worst;
}

static int run(int argc, char **argv) {
    struct asked *a = calloc(1, sizeof *a);
    if (!a) return EXIT_PROBLEM;
    struct csv_options *c = &a->o.csv;
    struct link_options *l = &a->o.link;
    const struct option options[] = {{"to", &a->to, NULL},
                                     {"community", &l->community, NULL},
                                     {"user", &l->user, NULL},
                                     {"password-file", &a->password_file, NULL},
                                     {"token-file", &a->token_file, NULL},
                                     {"as", &a->o.as, NULL},
                                     {"time", &c->time, NULL},
                                     {"device", &c->device, NULL},
                                     {"metric", &c->metric, NULL},
                                     {"value", &c->value, NULL},
                                     {"format", &c->format, NULL},
                                     {"zone", &a->zone, NULL},
                                     {"shift", &a->shift, NULL},
                                     {"separator", &c->separator, NULL},
                                     {"encoding", &c->encoding, NULL},
                                     {"header", &c->header, NULL},
                                     {"empty", &c->empty, NULL},
                                     {"batch", &a->batch, NULL},
                                     {"state", &a->o.state, NULL},
                                     {"again", NULL, &a->o.again},
                                     {"skip-bad", NULL, &a->o.skip_bad},
                                     {"dry-run", NULL, &a->o.dry_run},
                                     {"quiet", NULL, &a->o.quiet},
                                     {"json", NULL, &a->o.json}};
    int bad = options_read(argc, argv, options, COUNT(options), a->files, &a->files_n, FILES_MAX), code;
    const char *wrong = bad ? NULL : read_asked(a);
    if (bad)
        code = usage_error(&cmd_ingest, "%s is not understood", argv[bad]);
    else
        code = wrong ? usage_error(&cmd_ingest, "%s", wrong) : run_files(a);
    zone_free(a->parsed);
    free(a);
    return code;
}

const struct command cmd_ingest = {
    .name = "ingest",
    .summary = "sends readings of files (CSV, line protocol) to a server",
    .usage =
        "linli ingest FILE... [--to http://127.0.0.1:8080] --user NAME [--password-file F]   (- is the standard "
        "input)\n"
        "linli ingest FILE... --dry-run     shows how the first rows are understood, checks all of them, sends "
        "nothing\n\n"
        "  --user NAME --password-file F (or LINLI_PASSWORD), or --token-file F (or LINLI_TOKEN): an administrator, of "
        "the\n"
        "                      installation or of the community\n"
        "  --community CODE    where the server keeps several\n"
        "  --as csv|line       [by the name of the file, else by its first line]\n\n"
        "  Columns of CSV by name, or #N by number; what is not said is guessed from the header:\n"
        "  --time COL[+COL]    the time; two columns are joined by a blank\n"
        "  --device COL|=NAME  the device's code, or one code for the whole file\n"
        "  --value COL[=METRIC],…   a column a metric [all that hold numbers]\n"
        "  --metric COL|=NAME --value COL   a row a reading\n"
        "  --format F          of times: iso, s, ms, us, ns, or such as '%d/%m/%Y %H:%M'; line protocol: ns, us, ms, s "
        "[ns]\n"
        "  --zone Z            of times that say none: a name, or +08:00, which never changes [Asia/Shanghai]\n"
        "  --shift T           put on top of each time: 8h, -30m, 4300d\n"
        "  --header NAMES      for a file that has none     --empty NA,-,…  cells that are no reading, beside empty "
        "ones\n"
        "  --separator , ; tab     --encoding utf-8|gb18030\n\n"
        "  --skip-bad          leaves bad rows out and counts them; else the first one ends it\n"
        "  --batch N           readings of a request, stored whole or not at all [20000]\n"
        "  --state F           where it is kept how far all is stored [FILE.ingest];  --again begins anew\n"
        "  --quiet  --json\n\n"
        "Ended at any moment, the same command goes on where it was; no reading is lost or doubled.  Exit: 0 all is "
        "stored\n"
        "(or left out by --skip-bad), 1 something is not, 2 wrong usage, 130 stopped by Ctrl-C.  See docs/ingest.md.\n",
    .run = run,
};
