/* Who sees what of a line's samples.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "sensing/estate_test_internal.h"
#include "sensing/lines/lines_internal.h"

#define SOS(id) "[3G*" id "*004F*AL,211126,003000,A,22.543096,N,114.057865,E,0.0,0.0,0.0,8,90,55,1200,0,00010000]"
#define METER   "\x68\x61\x01\x00\x00\x00\x00\x68\x91\x08\x33\x33\x34\x33\x59\x33\x33\x33\x8A\x16"
#define SAID    "{\"temperature\":21}"

static int64_t meters; /* a line */

static enum err put_model(struct ctx *ctx, const char *code, struct model_metric *metrics, size_t n) {
    struct device_model m = {0};
    SET(&device_models, &m, code, str_of(code));
    SET(&device_models, &m, name, str_of(code));
    SET(&device_models, &m, metrics, (struct lines){metrics, n});
    return row_create(ctx, &device_models, &m);
}

static enum err put_device(struct ctx *ctx, struct estate *e, const char *code, const char *model,
                           const char *address) {
    struct device d = {.row.community_id = e->id};
    SET(&devices, &d, name, str_of(code));
    SET(&devices, &d, code, str_of(code));
    SET(&devices, &d, place_id, e->id);
    if (model) SET(&devices, &d, model, str_of(model));
    if (address) SET(&devices, &d, address, str_of(address));
    if (address) SET(&devices, &d, line_id, meters);
    TRY(row_create(ctx, &devices, &d));
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                   UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"),
                   NULL);
}

static enum err set_up(struct ctx *ctx, struct estate *e) {
    static struct model_metric bracelet[] = {{.has = 0x101, .metric = {"latitude", 8}, .privacy = {"contact", 7}},
                                             {.has = 0x101, .metric = {"longitude", 9}, .privacy = {"contact", 7}},
                                             {.has = 0x101, .metric = {"heart_rate", 10}, .privacy = {"health", 6}},
                                             {.has = 0x1, .metric = {"battery", 7}}};
    static struct model_metric gauge[] = {{.has = 0x1, .metric = {"temperature", 11}}};
    static struct model_metric purse[] = {{.has = 0x101, .metric = {"energy", 6}, .privacy = {"monetary", 8}}};
    struct line_row l = {.row.community_id = e->id};
    int64_t ignored;
    SET(&line_rows, &l, name, S("meters"));
    SET(&line_rows, &l, kind, S("dlt645"));
    TRY(row_create(ctx, &line_rows, &l));
    meters = l.row.id;
    TRY(put_model(ctx, "bracelet", bracelet, COUNT(bracelet)));
    TRY(put_model(ctx, "gauge", gauge, COUNT(gauge)));
    TRY(put_model(ctx, "purse", purse, COUNT(purse)));
    TRY(put_device(ctx, e, "8800000015", "bracelet", NULL));
    TRY(put_device(ctx, e, "8800000017", "gauge", NULL));
    TRY(put_device(ctx, e, "bed", "bracelet", NULL));
    TRY(put_device(ctx, e, "gauge", "gauge", NULL));
    TRY(put_device(ctx, e, "plain", NULL, NULL));
    TRY(put_device(ctx, e, "purse", "purse", "000000000161"));
    return device_put_aside(ctx, e->id, S("new"), S(""), NULL, &ignored);
}

/* One sample, as somebody with those roles gets it. */
struct asked {
    struct estate *e;
    const char *kind, *roles, *device, *bytes;
    size_t n;
    bool is_bad, is_cut;
    json_t *ret;
};
static struct asked asked;

static enum err ask(struct ctx *ctx, struct estate *e) {
    struct line_entry *entry = arena_new(ctx->arena, struct line_entry, 1);
    struct membership all[4];
    struct str rest = str_of(asked.roles), word, text;
    struct buf b;
    struct jw j;
    size_t n = 0;
    struct sample x = {.at_ms = 1, .offset = NO_OFFSET, .len = asked.n, .number = asked.is_bad};
    snprintf(x.device, sizeof x.device, "%s", asked.device);
    if (asked.is_bad) snprintf(x.rule, sizeof x.rule, "a rule");
    *entry = (struct line_entry){.figures = figures_create()};
    entry->spec.id = !strcmp(asked.kind, "dlt645") ? meters : 1;
    entry->spec.community_id = e->id;
    snprintf(entry->spec.kind, sizeof entry->spec.kind, "%s", asked.kind);
    uint8_t kept[FIGURES_GOOD_BYTES];
    struct bytes bytes = {(const uint8_t *)asked.bytes, asked.n};
    if (asked.is_cut) { /* empty lines before it; one byte more is lost */
        memset(kept, '\n', sizeof kept);
        memcpy(kept + sizeof kept - asked.n, asked.bytes, asked.n);
        bytes = (struct bytes){kept, sizeof kept};
        x.len = sizeof kept + 1;
    }
    if (asked.is_bad)
        figures_bad(entry->figures, &x, bytes, false);
    else
        figures_good(entry->figures, &x, bytes);
    ctx->actor = (struct actor){.user_id = 7};
    while (str_word(&rest, &word)) all[n++] = (struct membership){word, e->id};
    TRY(actor_scopes(ctx, all, n));
    buf_init_arena(&b, ctx->arena, 65536);
    jw_init(&j, &b);
    jw_open(&j, '{');
    bool is_served = !codec_find(str_of(asked.kind)) || !strcmp(asked.kind, "mqtt");
    enum err err = line_figures_put(ctx, entry, is_served, &j);
    jw_close(&j, '}');
    figures_destroy(entry->figures);
    if (err) return err;
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    return json_read(text, &asked.ret, &ctx->fault);
}

static const json_t *sample(void) {
    return json_array_get(json_object_get(asked.ret, asked.is_bad ? "bad_samples" : "good_samples"), 0);
}

static size_t readings_of(const char *key) { /* NULL: all of them */
    const json_t *x;
    size_t i, n = 0;
    json_array_foreach(json_object_get(sample(), "readings"), i, x) n +=
        !key || str_is(json_text(json_object_get(x, "key")), key);
    return n;
}

static const json_t *look(struct estate *e, struct asked what) {
    json_decref(asked.ret);
    asked = what;
    asked.e = e;
    asked.n = what.n ? what.n : strlen(what.bytes);
    estate_do(e, ask);
    return sample();
}

static bool is_hidden(const json_t *x) {
    bool is_private = json_is_true(json_object_get(x, "is_private"));
    bool shows = json_text(json_object_get(x, "hex")).len || json_object_get(x, "text") ||
                 json_object_get(x, "frame") || json_object_get(x, "events");
    CHECK(asked.e->t, is_private != shows && json_object_get(x, "length") && json_object_get(x, "at_ms"));
    return is_private;
}

static void a_bracelet_s_frames_are_for_those_who_care_for_its_wearer(struct t *t) {
    static const char *const others[] = {"repairer", "manager", "dispatcher", "admin"};
    struct estate e;
    estate_start(&e, t);
    estate_do(&e, set_up);
    test_loop_start(&e.loop);
    const struct asked good = {
        .kind = "watch", .roles = "repairer carer", .device = "8800000015", .bytes = SOS("8800000015")};
    const json_t *x = look(&e, good);
    CHECK(t, !is_hidden(x) && readings_of("latitude") == 1 && readings_of("battery") == 1);
    CHECK(t, json_object_get(x, "frame") && json_array_size(json_object_get(x, "events")) > 0);
    for (size_t i = 0; i < COUNT(others); i++) {
        struct asked a = good;
        a.roles = others[i];
        x = look(&e, a);
        CHECK_SAY(t, is_hidden(x) && !readings_of("latitude") && !readings_of("longitude"), "%s", others[i]);
        CHECK(t, readings_of("battery") == 1 && str_is(json_text(json_object_get(x, "device")), "8800000015"));
        a.is_bad = true; /* what cannot be read may say where he is */
        CHECK_SAY(t, is_hidden(look(&e, a)), "%s", others[i]);
        CHECK(t, str_is(json_text(json_object_get(sample(), "rule")), "a rule"));
    }
    json_decref(asked.ret);
    asked.ret = NULL;
    estate_stop(&e, NULL, NULL);
}

static void what_is_hidden_from_a_repairer(struct t *t) {
    static const struct {
        struct asked a;
        bool is_hidden;
    } rows[] = {
        /* nobody knows it; it is no bracelet; nobody can say whose it is */
        {{.kind = "watch", .device = "8800000016", .bytes = SOS("8800000016")}, true},
        {{.kind = "watch", .device = "8800000017", .bytes = SOS("8800000017")}, false},
        {{.kind = "watch", .device = "", .bytes = SOS("8800000015")}, true},
        {{.kind = "watch", .device = "", .bytes = SOS("8800000017")}, false},
        {{.kind = "watch", .device = "8800000017", .bytes = "[3G*8800000017*", .is_bad = true}, true},
        {{.kind = "watch", .device = "", .bytes = "xyz", .is_bad = true}, true},
        {{.kind = "jt808", .device = "", .bytes = "xyz", .is_bad = true}, true},
        {{.kind = "hj212", .device = "", .bytes = "xyz", .is_bad = true}, false},
        {{.kind = "hj212", .device = "8800000016", .bytes = "xyz"}, false},
        {{.kind = "hj212", .device = "bed", .bytes = "xyz", .is_bad = true}, true}, /* whatever the line is */
        {{.kind = "dlt645", .device = "purse", .bytes = METER, .n = 20}, true},
        {{.kind = "dlt645", .device = "", .bytes = METER, .n = 20}, true}, /* by its address */
        {{.kind = "modbus", .device = "", .bytes = "xyz"}, false},
        /* a device adopted without a model is as for readings */
        {{.kind = "mqtt", .device = "gauge", .bytes = SAID}, false},
        {{.kind = "mqtt", .device = "plain", .bytes = SAID}, false},
        {{.kind = "mqtt", .device = "bed", .bytes = SAID}, true},
        {{.kind = "mqtt", .device = "bed", .bytes = "{", .is_bad = true}, true},
        {{.kind = "mqtt", .device = "new", .bytes = SAID}, true},
        {{.kind = "mqtt", .device = "nobody", .bytes = SAID}, true},
        {{.kind = "mqtt", .device = "", .bytes = "gauge x=1", .is_bad = true}, true},
        {{.kind = "mqtt-client", .device = "gauge", .bytes = SAID}, false},
        {{.kind = "mqtt-client", .device = "", .bytes = SAID}, true},
        {{.kind = "http", .device = "", .bytes = "gauge x=1\nplain,floor=2 y=2"}, false},
        {{.kind = "http", .device = "", .bytes = "gauge x=1\nbed heart_rate=61"}, true},
        {{.kind = "http", .device = "", .bytes = "m,device=bed heart_rate=61"}, true},
        {{.kind = "http", .device = "", .bytes = "gauge x=1\nnobody x=1"}, true},
        {{.kind = "http", .device = "", .bytes = "gauge x=1\nbed hear", .is_cut = true}, false},
        {{.kind = "http", .device = "", .bytes = "bed heart_rate=1,x", .is_cut = true}, true},
        {{.kind = "http", .device = "", .bytes = "gauge x=", .is_bad = true}, false},
        {{.kind = "http", .device = "", .bytes = "bed x=", .is_bad = true}, true},
        {{.kind = "http", .device = "", .bytes = "gauge,x,device=bed x=1", .is_bad = true}, true},
        {{.kind = "http", .device = "", .bytes = "[{\"device\":\"gauge\",\"values\":{\"x\":1}}]"}, false},
        {{.kind = "http", .device = "", .bytes = "[{\"device\":\"gauge\"},{\"device\":\"bed\"}]"}, true},
        {{.kind = "http", .device = "", .bytes = "{\"device\":\"gauge\",\"values\":{\"x\":\"a\"}}", .is_bad = true},
         false},
        {{.kind = "http", .device = "", .bytes = "{\"device\":\"bed\",\"values\":{\"x\":\"a\"}}", .is_bad = true},
         true},
        {{.kind = "http", .device = "", .bytes = "[", .is_bad = true}, true},
    };
    struct estate e;
    estate_start(&e, t);
    estate_do(&e, set_up);
    test_loop_start(&e.loop);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct asked a = rows[i].a;
        a.roles = "repairer";
        CHECK_SAY(t, is_hidden(look(&e, a)) == rows[i].is_hidden, "row %zu: %s", i, a.bytes);
        if (rows[i].is_hidden) CHECK_SAY(t, !readings_of(a.n ? "energy" : "latitude"), "row %zu", i);
    }
    /* Of what was cut whole lines alone are shown: the last one may be anybody's. */
    const struct asked cut = {
        .kind = "http", .roles = "repairer", .device = "", .bytes = "gauge x=1\nbed hear", .is_cut = true};
    struct str text = json_text(json_object_get(look(&e, cut), "text"));
    CHECK(t, text.len > 10 && str_is(str_from(text, text.len - 10), "gauge x=1\n"));
    json_decref(asked.ret);
    asked.ret = NULL;
    estate_stop(&e, NULL, NULL);
}

TESTS(CASE(a_bracelet_s_frames_are_for_those_who_care_for_its_wearer), CASE(what_is_hidden_from_a_repairer))
