/* Readings in: line protocol and JSON become one batch, answered when it is durable.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/http_internal.h"

#include "protocol/lineproto/lineproto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAGGED_MAX 1000 /* devices of a request whose tags are new; more come with the next one */

/* A batch under construction.  `from`: line or item of each point, for the words of a refusal. */
struct incoming {
    int64_t community_id;
    bool own_only;
    struct telemetry_point *points;
    uint32_t *from;
    size_t n, cap;
    const char *unit; /* "line", "item" */
    const char *rule; /* of a line that could not be read */
    bool is_told;     /* the fault says which line or item */
    size_t at;        /* line or item being read, or refused, from 1; 0: none yet */
    struct tagged {
        struct str device;
        json_t *values;
        uint64_t hash;
    } * tagged;
    size_t tagged_n;
};

static enum err begin(struct ctx *ctx, const struct api_call *call, const char *unit, struct incoming *in) {
    *in = (struct incoming){.unit = unit};
    if (http_header_get(call->req, "content-encoding").len)
        return FAIL(&ctx->fault, ERR_INVALID, "unsupported_type", "the body must come uncompressed");
    TRY(http_community(ctx, call, &in->community_id));
    if (http_may_write(ctx, in->community_id, &in->own_only)) return OK;
    return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not write readings");
}

static enum err add(struct ctx *ctx, const struct api_call *call, struct incoming *in, const struct telemetry_point *p,
                    size_t from) {
    if (in->own_only && !str_eq(p->device, call->user))
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "a device may write its own readings only");
    if (in->n == in->cap) {
        size_t cap = in->cap ? in->cap * 2 : 256;
        if (in->n >= TELEMETRY_BATCH_MAX)
            return FAIL(&ctx->fault, ERR_LIMIT, "too_many_points", "more than %d points at once", TELEMETRY_BATCH_MAX);
        if (cap > TELEMETRY_BATCH_MAX) cap = TELEMETRY_BATCH_MAX;
        struct telemetry_point *points = arena_new(ctx->arena, struct telemetry_point, cap);
        uint32_t *lines = arena_new(ctx->arena, uint32_t, cap);
        if (!points || !lines) return FAIL_MEMORY(ctx);
        if (in->n) {
            memcpy(points, in->points, in->n * sizeof *points);
            memcpy(lines, in->from, in->n * sizeof *lines);
        }
        in->points = points;
        in->from = lines;
        in->cap = cap;
    }
    in->points[in->n] = *p;
    in->from[in->n++] = (uint32_t)from;
    return OK;
}

/* ---- storing ---- */

struct waiting {
    struct api_unit *unit;
    struct telemetry_http *h;
    int64_t community_id;
};

static void stored(void *arg, enum err e) {
    struct waiting w = *(struct waiting *)arg;
    struct fault f = {.kind = e, .code = "disk_full", .text = "the disk is full or failing: nothing was stored"};
    const struct telemetry_post post = {.outcome = POST_NOT_STORED, .community_id = w.community_id};
    if (e && w.h->tell) w.h->tell(w.h->tell_arg, &post);
    api_finish(w.unit, &(struct api_answer){.status = 204}, e ? &f : NULL);
}

/* Says at which line or item. */
static void locate(struct fault *f, const char *unit, size_t number) {
    if (!f->text[0]) snprintf(f->text, sizeof f->text, "%s %zu breaks a rule; nothing was stored", unit, number);
    (void)fault_field(f, __FILE__, __LINE__, unit, "refused", (int64_t)number);
}

/* Hands the batch over.  Where its own reading is what was refused (`source` said so), the fault says it all. */
static enum err store(struct ctx *ctx, const struct api_call *call, struct incoming *in,
                      const struct telemetry_batch *b, struct api_answer *ret) {
    struct telemetry_http *h = call->arg;
    size_t bad = 0;
    struct waiting *w = arena_new(ctx->arena, struct waiting, 1);
    if (!w) return FAIL_MEMORY(ctx);
    struct api_unit *unit = api_defer(call, ret);
    *w = (struct waiting){unit, h, in->community_id};
    enum err e = telemetry_put(h->telemetry, b, stored, w, &bad, &ctx->fault);
    if (!e) return OK;
    if (!in->is_told) {
        if (!b->next) in->at = e == ERR_INVALID || e == ERR_TOO_MANY ? in->from[bad] + 1 : 0;
        if (e == ERR_INVALID || e == ERR_TOO_MANY) locate(&ctx->fault, in->unit, in->at - !b->next);
    }
    api_finish(unit, NULL, &ctx->fault);
    return e;
}

/* ---- tags ---- */

static uint64_t tags_hash(const struct incoming *in, const struct lineproto_line *line) {
    uint64_t h = str_hash(line->device) ^ (uint64_t)in->community_id;
    for (size_t i = 0; i < line->tags_n; i++)
        h = (h * UINT64_C(0x9e3779b97f4a7c15) ^ str_hash(line->tags[i].key)) * UINT64_C(31) +
            str_hash(line->tags[i].value);
    return h ? h : 1;
}

static enum err note_tags(struct ctx *ctx, const struct api_call *call, struct incoming *in,
                          const struct lineproto_line *line) {
    struct telemetry_http *h = call->arg;
    uint64_t hash = line->tags_n ? tags_hash(in, line) : 0;
    if (!hash || atomic_load(&h->seen[hash % TAGS_SEEN]) == hash || in->tagged_n == TAGGED_MAX) return OK;
    for (size_t i = 0; i < in->tagged_n; i++)
        if (in->tagged[i].hash == hash) return OK;
    if (!in->tagged) in->tagged = arena_new(ctx->arena, struct tagged, TAGGED_MAX);
    json_t *values = in->tagged ? json_object() : NULL;
    if (!values) return FAIL_MEMORY(ctx);
    in->tagged[in->tagged_n++] = (struct tagged){line->device, values, hash};
    for (size_t i = 0; i < line->tags_n; i++) {
        const char *key = arena_cstr(ctx->arena, line->tags[i].key);
        struct str value = line->tags[i].value;
        if (!key || json_object_set_new(values, key, json_stringn(value.ptr, value.len)))
            return FAIL(&ctx->fault, ERR_INVALID, "bad_line", "line %zu: a tag is no valid text", line->number);
    }
    return OK;
}

/* The readings are on their way already: a tag that finds no store now comes again with the next line. */
static void keep_tags(struct ctx *ctx, const struct api_call *call, struct incoming *in) {
    for (size_t i = 0; i < in->tagged_n; i++) {
        (void)!http_keep_tags(ctx, call->arg, in->community_id, in->tagged[i].device, in->tagged[i].values,
                              in->tagged[i].hash);
        ctx->fault = (struct fault){0};
    }
}

static void drop_tags(struct incoming *in) {
    for (size_t i = 0; i < in->tagged_n; i++) json_decref(in->tagged[i].values);
}

/* ---- telling ---- */

static struct str line_of(struct str body, size_t number) {
    struct str line = {NULL, 0};
    for (size_t i = 0; i < number && str_cut(&body, '\n', &line); i++) {
    }
    return line;
}

/* The text of what was refused; `text` is freed by the caller. */
static struct str part_of(const struct incoming *in, struct str body, const json_t *list, char **text) {
    if (!in->at) return body;
    if (!strcmp(in->unit, "line")) return line_of(body, in->at);
    *text = json_dumps(json_array_get(list, in->at - 1), JSON_COMPACT | JSON_ENCODE_ANY);
    return *text ? str_of(*text) : body;
}

static void tell(struct ctx *ctx, const struct api_call *call, const struct incoming *in, const json_t *list) {
    struct telemetry_http *h = call->arg;
    const struct fault *f = &ctx->fault;
    enum err e = f->kind;
    char *text = NULL, mem[160];
    struct buf rule;
    /* Who may not write at all is nobody of the line: he must not push its bad posts out of sight. */
    if (!h->tell || (e == ERR_DENIED && !in->own_only)) return;
    buf_init(&rule, mem, sizeof mem);
    if (in->rule)
        buf_cstr(&rule, in->rule);
    else if (f->fields_n && !strcmp(f->code, "bad_field"))
        buf_fmt(&rule, "%s: %s", f->fields[0].field, f->fields[0].code);
    else if (e)
        buf_fmt(&rule, "%.150s", f->text[0] ? f->text : f->code);
    bool refused = e == ERR_INVALID || e == ERR_TOO_MANY || e == ERR_LIMIT || e == ERR_DENIED;
    struct str body = {(const char *)call->req->body.ptr, call->req->body.len};
    struct telemetry_post post = {.outcome = !e        ? POST_TAKEN
                                             : refused ? POST_REFUSED
                                                       : POST_NOT_STORED,
                                  .at_ms = ctx->now_ms,
                                  .community_id = in->community_id,
                                  .peer = call->req->peer,
                                  .user = call->user,
                                  .rule = {mem, rule.len},
                                  .part = e ? part_of(in, body, list, &text) : body,
                                  .number = e ? in->at : 0,
                                  .bytes = body.len};
    h->tell(h->tell_arg, &post);
    free(text);
}

/* ---- line protocol ---- */

struct line_source {
    struct ctx *ctx;
    const struct api_call *call;
    struct incoming *in;
    int64_t tick_ns;
    struct lineproto reader;
    struct lineproto_line line;
    size_t field; /* of the line, what comes next */
};

static void rewind_lines(void *arg) {
    struct line_source *l = arg;
    l->reader = (struct lineproto){.rest = {(const char *)l->call->req->body.ptr, l->call->req->body.len},
                                   .tick_ns = l->tick_ns,
                                   .arena = l->ctx->arena};
    l->line.fields_n = l->field = 0;
}

static enum err read_line(struct line_source *l, bool *ret_more, struct fault *f) {
    struct incoming *in = l->in;
    *ret_more = lineproto_next(&l->reader, &l->line);
    in->at = l->reader.number;
    if (*ret_more) {
        l->field = 0;
        if (in->own_only && !str_eq(l->line.device, l->call->user))
            return FAIL(f, ERR_DENIED, "not_allowed", "a device may write its own readings only");
        return l->line.tags_n ? note_tags(l->ctx, l->call, in, &l->line) : OK;
    }
    if (!l->reader.rule) return OK;
    in->rule = l->reader.rule;
    enum err e = FAIL(f, ERR_INVALID, "bad_line", "line %zu: %s; nothing was stored", in->at, in->rule);
    (void)FAIL_FIELD(f, "line", "bad_line", (int64_t)in->at);
    return e;
}

static enum err next_field(void *arg, struct telemetry_point *p, bool *ret_more, struct fault *f) {
    struct line_source *l = arg;
    *ret_more = true;
    if (l->field == l->line.fields_n) {
        enum err e = read_line(l, ret_more, f);
        l->in->is_told = e != OK;
        if (e || !*ret_more) return e;
        p->device = l->line.device;
        p->at_ms = l->line.has_at ? l->line.at_ms : l->ctx->now_ms;
    }
    p->metric = l->line.fields[l->field].metric;
    p->value = l->line.fields[l->field++].value;
    return OK;
}

static enum err ingest_line(struct ctx *ctx, const struct api_call *call, struct incoming *in, struct api_answer *ret) {
    struct str precision;
    TRY(begin(ctx, call, "line", in));
    TRY(api_query(ctx, call, "precision", &precision));
    struct line_source *l = arena_new(ctx->arena, struct line_source, 1);
    if (!l) return FAIL_MEMORY(ctx);
    *l = (struct line_source){.ctx = ctx, .call = call, .in = in, .tick_ns = lineproto_tick_ns(precision)};
    if (!l->tick_ns) return FAIL_FIELD(&ctx->fault, "precision", "bad_choice", 0);
    rewind_lines(l);
    struct telemetry_batch b = {.community_id = in->community_id, .next = next_field, .rewind = rewind_lines, .arg = l};
    if (!store(ctx, call, in, &b, ret)) keep_tags(ctx, call, in);
    return ret->later ? OK : ctx->fault.kind; /* later: the answer is given or on its way */
}

enum err http_ingest_line(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct incoming in = {.unit = "line"};
    enum err e = ingest_line(ctx, call, &in, ret);
    tell(ctx, call, &in, NULL);
    drop_tags(&in);
    return e;
}

/* ---- JSON ---- */

static enum err bad_item(struct ctx *ctx, size_t number, const char *field, const char *code) {
    char name[64];
    snprintf(name, sizeof name, "[%zu].%.32s", number, field);
    return FAIL_FIELD(&ctx->fault, name, code, 0);
}

static enum err read_ts(struct ctx *ctx, const json_t *ts, size_t number, int64_t *ret) {
    *ret = ctx->now_ms;
    if (!ts || json_is_null(ts)) return OK;
    if (json_is_integer(ts))
        *ret = json_integer_value(ts);
    else if (!json_is_string(ts) || !civil_read_time(json_text(ts), ret))
        return bad_item(ctx, number, "ts", "bad_type");
    return OK;
}

static enum err read_item(struct ctx *ctx, const struct api_call *call, json_t *item, size_t number,
                          struct incoming *in) {
    const char *key;
    json_t *value;
    json_object_foreach(item, key, value) if (strcmp(key, "device") && strcmp(key, "ts") &&
                                              strcmp(key, "values")) return bad_item(ctx, number, key, "unknown_field");
    struct telemetry_point p = {.device = json_text(json_object_get(item, "device"))};
    json_t *values = json_object_get(item, "values");
    if (!p.device.len) return bad_item(ctx, number, "device", "required");
    if (!json_is_object(values)) return bad_item(ctx, number, "values", "required");
    TRY(read_ts(ctx, json_object_get(item, "ts"), number, &p.at_ms));
    json_object_foreach(values, key, value) {
        if (!json_is_number(value) && !json_is_boolean(value)) return bad_item(ctx, number, key, "not_a_number");
        p.metric = str_of(key);
        p.value = json_is_number(value) ? json_number_value(value) : json_is_true(value);
        TRY(add(ctx, call, in, &p, number));
    }
    return OK;
}

static enum err ingest_json(struct ctx *ctx, const struct api_call *call, struct incoming *in, json_t **body,
                            struct api_answer *ret) {
    json_t *item;
    size_t i;
    TRY(begin(ctx, call, "item", in));
    TRY(api_body(ctx, call, body));
    if (!json_is_array(*body))
        return FAIL(&ctx->fault, ERR_INVALID, "not_a_list", "the body must be a list of readings");
    json_array_foreach(*body, i, item) {
        in->at = i + 1;
        if (!json_is_object(item)) return bad_item(ctx, i, "device", "required");
        TRY(read_item(ctx, call, item, i, in));
    }
    in->at = 0;
    struct telemetry_batch b = {.community_id = in->community_id, .points = in->points, .n = in->n};
    enum err e = store(ctx, call, in, &b, ret);
    return ret->later ? OK : e; /* later: the answer is given or on its way */
}

enum err http_ingest_json(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct incoming in = {.unit = "item"};
    json_t *body = NULL;
    enum err e = ingest_json(ctx, call, &in, &body, ret);
    tell(ctx, call, &in, body);
    return e;
}
