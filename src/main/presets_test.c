/* The device models that an installation comes with: what they name exists and can be asked, and their rules are taken.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/presets.h"

#include "base/json.h"
#include "kernel/outbox.h"
#include "kernel/rows.h"
#include "main/assets.h"
#include "main/site.h"
#include "platform/places/places.h"
#include "platform/rules/rules.h"
#include "platform/things/things.h"
#include "protocol/cjt188/cjt188.h"
#include "tests/lib/test.h"
#include "tests/lib/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODELS     64
#define FOLDER     "presets/device_models/"
#define ICON_BYTES (64 * 1024)

struct catalogue {
    struct t *t;
    const struct device_model *all;
    size_t n;
    void (*check)(struct ctx *ctx, struct catalogue *c);
};

static enum err read_catalogue(struct ctx *ctx, void *arg) {
    struct catalogue *c = arg;
    struct device_model *all = arena_new(ctx->arena, struct device_model, MODELS + 1);
    struct db_rows rows = {0};
    int64_t ids[MODELS + 1];
    if (!all) return FAIL_MEMORY(ctx);
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT id FROM device_models ORDER BY id LIMIT 65", NULL, 0, &rows);
    while (db_more(&rows, &ctx->fault, &e)) ids[c->n++] = db_i64(&rows, 0);
    db_done(&rows);
    for (size_t i = 0; !e && i < c->n; i++) e = row_get(ctx, &device_models, ids[i], &all[i]);
    c->all = all;
    if (!e) c->check(ctx, c);
    return e;
}

/* Over a new installation. */
static void check_models(struct t *t, const char *name, void (*check)(struct ctx *ctx, struct catalogue *c)) {
    struct site s;
    struct catalogue c = {.t = t, .check = check};
    char dir[300];
    snprintf(dir, sizeof dir, "%s/%s", test_dir(t), name);
    enum err e = site_open(&s, &(struct site_options){.data = dir, .lock = true}, &t->fault);
    if (!e) e = site_do(&s, read_catalogue, &c, &t->fault);
    CHECK_SAY(t, !e && c.n == MODELS, "%zu models: %s", c.n, t->fault.text);
    site_close(&s);
}

static const struct model_metric *metrics_of(const struct device_model *m) {
    return m->metrics.rows;
}

/* ---- files ---- */

static size_t objects_of(struct t *t, const struct asset *a) {
    json_t *all = NULL;
    CHECK(t, !json_read((struct str){a->begin, (size_t)(a->end - a->begin)}, &all, &t->fault));
    size_t n = json_array_size(all);
    for (size_t i = 0; i < n; i++) {
        struct str category = json_text(json_object_get(json_array_get(all, i), "category"));
        char path[80];
        snprintf(path, sizeof path, FOLDER STR_FMT ".json", STR_ARG(category));
        CHECK_SAY(t, !strcmp(path, a->path), "a model of " STR_FMT " is in %s", STR_ARG(category), a->path);
    }
    json_decref(all);
    return n;
}

/* A code that two of them have would be a row once. */
static void each_model_is_a_row(struct ctx *ctx, struct catalogue *c) {
    size_t n = 0;
    (void)ctx;
    for (size_t i = 0; i < assets_n; i++)
        if (!strncmp(assets[i].path, FOLDER, strlen(FOLDER))) n += objects_of(c->t, &assets[i]);
    CHECK_SAY(c->t, n == MODELS && c->n == n, "%zu objects, %zu rows", n, c->n);
}

static void the_catalogue_has_64_models_in_files_of_their_categories(struct t *t) {
    check_models(t, "files", each_model_is_a_row);
}

/* ---- words, units, ranges ---- */

static bool is_console_icon(const char *icons, struct str name) {
    char key[40];
    snprintf(key, sizeof key, " " STR_FMT ": '", STR_ARG(name));
    return strstr(icons, key);
}

static const char *console_icons(struct t *t) {
    char *text = arena_new(&t->arena, char, ICON_BYTES);
    char path[400];
    const char *source = getenv("LINLI_SOURCE");
    snprintf(path, sizeof path, "%s/web/shared/kit/icons.ts", source ? source : ".");
    FILE *f = fopen(path, "r");
    CHECK_SAY(t, text && f && fread(text, 1, ICON_BYTES - 1, f), "%s", path);
    if (f) fclose(f);
    return text;
}

/* The console calls a metric by one name, whatever device has it, and compares devices only in one unit.  The demo's
 * machine rooms are measured in another. */
static void check_alike(struct catalogue *c, const struct device_model *m, const struct model_metric *x) {
    for (size_t i = 0; i < c->n; i++) {
        const struct model_metric *others = metrics_of(&c->all[i]);
        for (size_t k = 0; k < c->all[i].metrics.n; k++) {
            const struct model_metric *y = &others[k];
            bool is_one = x != y && &c->all[i] == m && str_eq(x->metric, y->metric);
            CHECK_SAY(c->t, !is_one, STR_FMT " has " STR_FMT " twice", STR_ARG(m->code), STR_ARG(x->metric));
            if (!str_eq(x->metric, y->metric)) continue;
            CHECK_SAY(c->t,
                      str_eq(x->name_zh, y->name_zh) && str_eq(x->name_en, y->name_en) && str_eq(x->kind, y->kind) &&
                          str_eq(x->privacy, y->privacy),
                      STR_FMT " and " STR_FMT " differ about " STR_FMT, STR_ARG(m->code), STR_ARG(c->all[i].code),
                      STR_ARG(x->metric));
            CHECK_SAY(c->t,
                      str_eq(x->unit, y->unit) || str_is(m->code, "machine_room") ||
                          str_is(c->all[i].code, "machine_room"),
                      STR_FMT " and " STR_FMT ": units of " STR_FMT, STR_ARG(m->code), STR_ARG(c->all[i].code),
                      STR_ARG(x->metric));
        }
    }
}

/* What has no unit: counts, flags, codes, and what is a ratio by its nature. */
static const char unitless[] =
    "visitors satellites steps tumbles ports_in_use floor runs nodes_online uplinks openings "
    "linkquality poll operating_mode direction service_mode fault_code power_factor ph";

/* A flag goes from 0 to 1. */
static void check_gauge(struct catalogue *c, const struct device_model *m, const struct model_metric *x) {
    bool is_flag = x->low == 0 && x->high == 1000;
    CHECK_SAY(c->t, x->has & 1 << 4 && x->has & 1 << 5, STR_FMT "." STR_FMT " has no range", STR_ARG(m->code),
              STR_ARG(x->metric));
    CHECK_SAY(c->t, x->unit.len || is_flag || word_in(unitless, x->metric), STR_FMT "." STR_FMT " has no unit",
              STR_ARG(m->code), STR_ARG(x->metric));
}

static void check_metrics(struct catalogue *c, const struct device_model *m) {
    const struct model_metric *all = metrics_of(m);
    uint64_t low = UINT64_C(1) << 4, high = UINT64_C(1) << 5; /* of `has` */
    for (size_t i = 0; i < m->metrics.n; i++) {
        const struct model_metric *x = &all[i];
        CHECK_SAY(c->t, x->name_zh.len && x->name_en.len && x->kind.len, STR_FMT "." STR_FMT, STR_ARG(m->code),
                  STR_ARG(x->metric));
        CHECK_SAY(c->t, !(x->has & low) || !(x->has & high) || x->low < x->high, STR_FMT "." STR_FMT ": its range",
                  STR_ARG(m->code), STR_ARG(x->metric));
        check_gauge(c, m, x);
        check_alike(c, m, x);
    }
}

static void check_words(struct ctx *ctx, struct catalogue *c) {
    const char *icons = console_icons(c->t);
    (void)ctx;
    for (size_t i = 0; i < c->n; i++) {
        const struct device_model *m = &c->all[i];
        const struct model_event *e = m->events.rows;
        const struct model_command *d = m->commands.rows;
        CHECK_SAY(c->t, m->name.len && m->name_en.len && m->category.len, STR_FMT, STR_ARG(m->code));
        CHECK_SAY(c->t, is_console_icon(icons, m->icon), STR_FMT ": no icon " STR_FMT, STR_ARG(m->code),
                  STR_ARG(m->icon));
        for (size_t k = 0; k < m->events.n; k++)
            CHECK_SAY(c->t, e[k].name_zh.len && e[k].name_en.len, STR_FMT "!" STR_FMT, STR_ARG(m->code),
                      STR_ARG(e[k].event));
        for (size_t k = 0; k < m->commands.n; k++)
            CHECK_SAY(c->t, d[k].name_zh.len && d[k].name_en.len, STR_FMT ": " STR_FMT, STR_ARG(m->code),
                      STR_ARG(d[k].command));
        check_metrics(c, m);
    }
}

static void models_have_words_in_two_languages_and_one_name_for_a_metric(struct t *t) {
    check_models(t, "words", check_words);
}

/* ---- each is whole: who it is, what it says, what is watched, how it is kept up ---- */

#define TYPES_WANTED 58

/* The console has no icon for these. */
static const char no_icon_fits[] =
    "ev_charger ebike_charger smart_plug heat_station transformer generator switchgear valve valve_lorawan";

static void check_whole(struct ctx *ctx, struct catalogue *c) {
    (void)ctx;
    CHECK(c->t, c->n >= TYPES_WANTED);
    for (size_t i = 0; i < c->n; i++) {
        const struct device_model *m = &c->all[i];
        CHECK_SAY(c->t, m->metrics.n + m->events.n, STR_FMT " says nothing", STR_ARG(m->code));
        CHECK_SAY(c->t, m->upkeep.len && m->upkeep_days, STR_FMT " is not kept up", STR_ARG(m->code));
        CHECK_SAY(c->t, str_is(m->icon, "device") == word_in(no_icon_fits, m->code), STR_FMT ": its icon",
                  STR_ARG(m->code));
        CHECK_SAY(c->t, m->rules.n, STR_FMT " is not watched", STR_ARG(m->code));
        for (size_t k = 0; k < i; k++)
            CHECK_SAY(c->t, !str_eq(c->all[k].name, m->name) && !str_eq(c->all[k].name_en, m->name_en),
                      STR_FMT " and " STR_FMT " have one name", STR_ARG(c->all[k].code), STR_ARG(m->code));
    }
}

static void each_of_at_least_58_types_is_whole(struct t *t) {
    check_models(t, "whole", check_whole);
}

static void the_console_has_every_icon_of_a_device(struct t *t) {
    const char *icons = console_icons(t);
    struct str rest = str_of(DEVICE_ICONS), icon;
    while (str_word(&rest, &icon)) CHECK_SAY(t, is_console_icon(icons, icon), STR_FMT, STR_ARG(icon));
}

/* ---- what is asked and told ---- */

static const struct asked {
    const char *protocol, *address, *key; /* of a device, as its frames name it */
    const char *category;                 /* of its models; NULL: any */
} asked[] = {{"dlt645", "000000000161", "02123456", NULL},
             {"cjt188", "33780011223344", NULL, NULL},
             {"watch", "8800000015", NULL, NULL},
             {"jt808", "013800138000", NULL, NULL},
             {"gb26875", "889", NULL, NULL},
             {"hj212", "010000A8900016F000169DC0", NULL, NULL},
             {"osdp", "3", NULL, NULL},
             {"modbus", "1", NULL, NULL},
             {"bacnet", "1234.lift_1", NULL, "lift"},
             {"bacnet", "1234", NULL, NULL},
             {"chirpstack", "0101010101010101", "1", NULL}};

static const struct asked *asked_of(const struct device_model *m) {
    for (size_t i = 0; i < COUNT(asked); i++)
        if (str_is(m->protocol, asked[i].protocol) && (!asked[i].category || str_is(m->category, asked[i].category)))
            return &asked[i];
    return NULL;
}

static bool can_ask(struct t *t, const struct codec *codec, const struct asked *who, struct str item,
                    const char *value) {
    struct question q = {.address = str_of(who->address), .item = item, .now_s = 1795000000};
    struct buf out;
    if (value) q.value = str_of(value);
    if (value && who->key) q.key = str_of(who->key);
    buf_init_arena(&out, &t->arena, codec->frame_max + 1);
    return codec->asking->ask(&q, &out) && out.len;
}

/* A command whose value the user says is tried with one; one that is told alone, as nobody else may give it one. */
static bool can_tell(struct t *t, const struct codec *codec, const struct asked *who, const struct model_command *x) {
    char value[96];
    snprintf(value, sizeof value, STR_FMT, STR_ARG(x->value));
    if (x->value.len) return can_ask(t, codec, who, x->item, value);
    if (str_is(x->item, "server")) return can_ask(t, codec, who, x->item, "198.51.100.7:7611");
    return can_ask(t, codec, who, x->item, x->alone ? NULL : "60");
}

static void check_asked(struct ctx *ctx, struct catalogue *c) {
    (void)ctx;
    for (size_t i = 0; i < c->n; i++) {
        const struct device_model *m = &c->all[i];
        const struct model_metric *x = metrics_of(m);
        const struct model_command *d = m->commands.rows;
        const struct codec *codec = codec_find(m->protocol);
        const struct asked *who = asked_of(m);
        if (!codec || !codec->asking) continue;
        for (size_t k = 0; k < m->metrics.n; k++)
            CHECK_SAY(c->t, x[k].item.len ? who && can_ask(c->t, codec, who, x[k].item, NULL) : !codec_is_asked(codec),
                      STR_FMT "." STR_FMT " cannot be asked for", STR_ARG(m->code), STR_ARG(x[k].metric));
        for (size_t k = 0; k < m->commands.n; k++)
            CHECK_SAY(c->t, who && can_tell(c->t, codec, who, &d[k]), STR_FMT " cannot be told " STR_FMT,
                      STR_ARG(m->code), STR_ARG(d[k].command));
    }
}

static void what_a_model_asks_and_tells_its_protocol_can_say(struct t *t) {
    check_models(t, "asked", check_asked);
}

/* ---- what is answered ---- */

/* Metering data in the units of the models: identifier, serial, values, clock, status. */
#define WATER "901F00 000000002C 000000002C 00000000000000 0000"
#define HEAT  "901F00 0000000005 0000000005 0000000017 0000000035 000000002C 000000 000000 000000 00000000000000 0000"

/* What a meter answers; empty: its protocol names readings as the model does. */
static struct bytes answer_to(struct t *t, struct str protocol, struct str item) {
    static const uint8_t zeros[64]; /* more than any item has; DL/T 645 leaves the rest */
    char mem[CJT188_FRAME_MAX];
    struct cjt188_frame f = {.control = CJT188_REPLY | CJT188_READ, .address = "33780011223344"};
    struct buf b;
    struct str whole;
    if (str_is(protocol, "dlt645")) return (struct bytes){zeros, sizeof zeros};
    if (!str_is(protocol, "cjt188")) return (struct bytes){NULL, 0};
    f.type = str_starts(item, S("10:")) ? 0x10 : str_starts(item, S("20:")) ? 0x20 : 0x30;
    f.data = vector_bytes(t, f.type == 0x20 ? HEAT : WATER);
    buf_init(&b, mem, sizeof mem);
    CHECK(t, cjt188_encode(&f, &b) && arena_str(&t->arena, (struct str){b.ptr, b.len}, &whole));
    return (struct bytes){(const uint8_t *)whole.ptr, whole.len};
}

static const struct reading *reading_of(const struct decoded *d, struct str metric) {
    for (size_t i = 0; i < d->readings_n; i++)
        if (str_eq(d->readings[i].metric, metric)) return &d->readings[i];
    return NULL;
}

static const struct model_metric *metric_of(const struct device_model *m, struct str metric) {
    for (size_t i = 0; i < m->metrics.n; i++)
        if (str_eq(metrics_of(m)[i].metric, metric)) return &metrics_of(m)[i];
    return NULL;
}

/* Both ways: the item gives the metric, in its unit, and nothing that the model does not name. */
static void check_answer(struct t *t, const struct device_model *m, const struct model_metric *x) {
    struct decoded d;
    struct wire_error e = {"", 0};
    struct bytes data = answer_to(t, m->protocol, x->item);
    const struct question q = {.address = S("000000000161"), .item = x->item};
    if (!data.len) return;
    CHECK_SAY(t, codec_find(m->protocol)->asking->read(&q, data, &t->arena, &d, &e), STR_FMT ": %s", STR_ARG(x->item),
              e.rule);
    const struct reading *r = reading_of(&d, x->metric);
    CHECK_SAY(t, r && str_eq(r->unit, x->unit), STR_FMT "." STR_FMT " is not what " STR_FMT " gives", STR_ARG(m->code),
              STR_ARG(x->metric), STR_ARG(x->item));
    for (size_t i = 0; i < d.readings_n; i++) {
        const struct model_metric *named = metric_of(m, d.readings[i].metric);
        CHECK_SAY(t, named && str_eq(named->item, x->item), STR_FMT " does not name " STR_FMT " of " STR_FMT,
                  STR_ARG(m->code), STR_ARG(d.readings[i].metric), STR_ARG(x->item));
    }
}

static void check_answers(struct ctx *ctx, struct catalogue *c) {
    (void)ctx;
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->all[i].metrics.n; k++)
            if (metrics_of(&c->all[i])[k].item.len) check_answer(c->t, &c->all[i], &metrics_of(&c->all[i])[k]);
}

static void a_model_names_what_its_meter_answers(struct t *t) {
    check_models(t, "answers", check_answers);
}

/* ---- rules ---- */

static enum err make_estate(struct ctx *ctx, int64_t *ret) {
    struct place p = {0};
    SET(&places, &p, name, S("estate"));
    SET(&places, &p, kind, S("estate"));
    SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    *ret = p.row.id;
    return OK;
}

static enum err adopt(struct ctx *ctx, int64_t estate, const struct device_model *m) {
    struct device d = {.row.community_id = estate}, named = {0};
    SET(&devices, &d, name, m->name);
    SET(&devices, &d, code, m->code);
    SET(&devices, &d, model, m->code);
    SET(&devices, &d, place_id, estate);
    TRY(row_create(ctx, &devices, &d));
    SET(&devices, &named, name, m->name);
    SET(&devices, &named, place_id, estate);
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &named, named.row.has, NULL);
}

static int64_t count(struct ctx *ctx, struct t *t, const char *sql, struct str word) {
    int64_t n = -1;
    bool found;
    CHECK(t, !db_one_i64(ctx->db, &ctx->fault, sql, VALS(V_TEXT(word)), &n, &found));
    return n;
}

static bool has_event(const struct device_model *m, struct str code) {
    const struct model_event *all = m->events.rows;
    for (size_t i = 0; i < m->events.n; i++)
        if (str_eq(all[i].event, code)) return true;
    return false;
}

/* What the table takes of any rule, and this one must have. */
static void check_rule(struct ctx *ctx, struct t *t, const struct device_model *m, const struct model_rule *r) {
    bool is_known = str_is(r->kind, "event")     ? has_event(m, r->event_code) && !r->metric.len
                    : str_is(r->kind, "silence") ? m->metrics.n && !r->metric.len
                                                 : metric_of(m, r->metric) && !r->event_code.len;
    CHECK_SAY(t, is_known, STR_FMT ": " STR_FMT " is about nothing it has", STR_ARG(m->code), STR_ARG(r->name));
    bool is_limit = str_is(r->kind, "above") || str_is(r->kind, "below");
    CHECK_SAY(t, !is_limit || r->has & MODEL_RULE_CLEAR, STR_FMT ": " STR_FMT " says not when it is over",
              STR_ARG(m->code), STR_ARG(r->name));
    CHECK_SAY(t, r->case_type.len || str_is(r->severity, "info"), STR_FMT ": nobody is sent for " STR_FMT,
              STR_ARG(m->code), STR_ARG(r->name));
    if (r->case_type.len)
        CHECK_SAY(t, count(ctx, t, "SELECT COUNT(*) FROM case_types WHERE code = $1", r->case_type) == 1,
                  STR_FMT ": there is no " STR_FMT, STR_ARG(m->code), STR_ARG(r->case_type));
}

static void check_rules(struct ctx *ctx, struct catalogue *c) {
    struct t *t = c->t;
    int64_t estate;
    size_t done = 1;
    CHECK(t, !make_estate(ctx, &estate));
    for (size_t i = 0; i < c->n; i++)
        CHECK_SAY(t, !adopt(ctx, estate, &c->all[i]), STR_FMT ": %s", STR_ARG(c->all[i].code), ctx->fault.text);
    for (int i = 0; done && i < 100; i++) CHECK(t, !events_deliver(ctx, 100, &done));
    for (size_t i = 0; i < c->n; i++) {
        const struct device_model *m = &c->all[i];
        const struct model_rule *all = m->rules.rows;
        int64_t n = count(ctx, t, "SELECT COUNT(*) FROM rules WHERE model = $1 AND enabled = 1", m->code);
        CHECK_SAY(t, n == (int64_t)m->rules.n, STR_FMT ": %d rules of %zu", STR_ARG(m->code), (int)n, m->rules.n);
        for (size_t k = 0; k < m->rules.n; k++) check_rule(ctx, t, m, &all[k]);
    }
}

static void rules_come_with_each_model_and_are_about_what_it_has(struct t *t) {
    check_models(t, "rules", check_rules);
}

/* ---- what people make ---- */

static void try_items(struct ctx *ctx, struct catalogue *c) {
    static const struct {
        const char *protocol, *item, *command;
        const char *field, *text; /* NULL: taken */
    } rows[] = {
        {"modbus", "holding:7", "coil:0", NULL, NULL},
        {"modbus", "holdng:7", "coil:0", "metrics.1.item", "metrics.1.item: modbus has no item \"holdng:7\""},
        {"modbus_rtu", "holding:70000", "coil:0", "metrics.1.item", "holding:70000"},
        {"modbus", "holding:7", "coil:O", "commands.0.item", "coil:O"},
        {"dlt645", "0001FF00", "1C", NULL, NULL},
        {"dlt645", "0001FF0G", "1C", "metrics.1.item", "0001FF0G"},
        {"dlt645", "0001FF00", "1D", "commands.0.item", "1D"},
        {"cjt188", "10:901F", "A017", NULL, NULL},
        {"cjt188", "10:901", "A017", "metrics.1.item", "10:901"},
        {"osdp", "poll", "out", NULL, NULL},
        {"osdp", "pol", "out", "metrics.1.item", "pol"},
        {"bacnet", "ai_1", "ao_1@8", NULL, NULL},
        {"bacnet", "car_mode fault_signals", "ao_1@8", NULL, NULL}, /* of a lift */
        {"bacnet", "ai_1 az_2", "ao_1@8", "metrics.1.item", "az_2"},
        {"watch", "whatever", "else", NULL, NULL}, /* who speaks by himself is not asked */
        {NULL, "whatever", "else", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct model_metric metrics[] = {{.has = 0x001, .metric = S("said")}, /* by itself */
                                         {.has = 0x201, .metric = S("asked"), .item = str_of(rows[i].item)}};
        struct model_command told = {.has = 0x09, .command = S("told"), .item = str_of(rows[i].command)};
        struct device_model m = {0};
        char code[] = {'m', (char)('a' + i), 0};
        ctx->fault = (struct fault){0};
        SET(&device_models, &m, code, str_of(code));
        SET(&device_models, &m, name, str_of(code));
        if (rows[i].protocol) SET(&device_models, &m, protocol, str_of(rows[i].protocol));
        SET(&device_models, &m, metrics, (struct lines){metrics, COUNT(metrics)});
        SET(&device_models, &m, commands, (struct lines){&told, 1});
        enum err e = row_create(ctx, &device_models, &m);
        const struct fault *f = &ctx->fault;
        CHECK_SAY(c->t,
                  rows[i].field ? e == ERR_INVALID && f->fields_n == 1 && !strcmp(f->fields[0].field, rows[i].field) &&
                                      !strcmp(f->fields[0].code, "bad_item") && strstr(f->text, rows[i].text)
                                : !e,
                  "row %zu: %s", i, f->text);
    }
    ctx->fault = (struct fault){0};
}

static void a_model_whose_protocol_has_no_such_item_is_refused(struct t *t) {
    check_models(t, "items", try_items);
}

TESTS(CASE(the_catalogue_has_64_models_in_files_of_their_categories), CASE(each_of_at_least_58_types_is_whole),
      CASE(the_console_has_every_icon_of_a_device), CASE(models_have_words_in_two_languages_and_one_name_for_a_metric),
      CASE(what_a_model_asks_and_tells_its_protocol_can_say), CASE(a_model_names_what_its_meter_answers),
      CASE(rules_come_with_each_model_and_are_about_what_it_has),
      CASE(a_model_whose_protocol_has_no_such_item_is_refused))
