/* What a client needs to draw itself: resources, fields, states and steps, in the caller's rights.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/describe_internal.h"

#include <sodium.h>
#include <string.h>

#define COMMUNITIES_MOST 1000

static void put_word_if(struct jw *j, bool yes, const char *word) {
    if (yes) jw_cstr(j, word);
}

/* ---- who and where ---- */

static void put_me(struct jw *j, struct ctx *ctx, struct str user) {
    const struct actor *a = &ctx->actor;
    jw_key(j, "me");
    jw_open(j, '{');
    jw_kid(j, "id", a->person_id ? a->person_id : a->user_id);
    jw_kstr(j, "name", a->name);
    jw_kstr(j, "user", user);
    jw_key(j, "roles");
    jw_open(j, '[');
    const char *role;
    for (size_t bit = 0; bit < 64 && (role = kernel_role_name(ctx->kernel, bit)); bit++)
        put_word_if(j, a->roles >> bit & 1, role);
    jw_close(j, ']');
    jw_kstr(j, "language", a->language.ptr ? a->language : S("zh"));
    jw_close(j, '}');
}

static bool reaches(const struct actor *a, int64_t community) {
    if (a->is_system) return true;
    for (size_t i = 0; i < a->scopes_n; i++) {
        const struct scope *s = &a->scopes[i];
        if (!s->place_id || s->within == community) return true;
        for (size_t c = 0; c < s->communities_n; c++)
            if (s->communities[c] == community) return true;
    }
    return false;
}

static enum err put_communities(struct jw *j, struct ctx *ctx) {
    struct db_rows rows = {0};
    jw_key(j, "communities");
    jw_open(j, '[');
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT id, code, name, zone FROM communities ORDER BY code LIMIT $1",
                          VALS(V_I64(COMMUNITIES_MOST)), &rows);
    for (bool more = true; !e;) {
        e = db_next(&rows, &ctx->fault, &more);
        if (e || !more) break;
        if (!reaches(&ctx->actor, db_i64(&rows, 0))) continue;
        jw_open(j, '{');
        jw_kid(j, "id", db_i64(&rows, 0));
        jw_kstr(j, "code", db_text(&rows, 1));
        jw_kstr(j, "name", db_text(&rows, 2));
        jw_kstr(j, "zone", db_text(&rows, 3));
        jw_close(j, '}');
    }
    db_done(&rows);
    jw_close(j, ']');
    return e;
}

/* ---- one resource ---- */

static void classes_of(struct ctx *ctx, const struct resource *r, uint32_t *ret_clear, uint32_t *ret_reveal) {
    *ret_clear = *ret_reveal = ctx->actor.is_system ? ~(uint32_t)SECRET : 0;
    for (size_t i = 0; i < r->grants_n; i++) {
        if (!(kernel_roles(ctx->kernel, r->grants[i].roles) & ctx->actor.roles)) continue;
        *ret_clear |= r->grants[i].clear;
        *ret_reveal |= r->grants[i].reveal;
    }
}

static void put_fields(struct jw *j, const struct kernel *k, const struct resource *r, uint32_t clear) {
    jw_key(j, "fields");
    jw_open(j, '[');
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].class != SECRET) field_describe(j, k, r->name, &r->fields[i], clear);
    jw_close(j, ']');
    jw_key(j, "form_groups");
    jw_open(j, '[');
    for (size_t i = 0; i < r->fields_n; i++) {
        const char *group = r->fields[i].group ? r->fields[i].group : "main";
        bool told = false;
        for (size_t k2 = 0; k2 < i; k2++) told |= !strcmp(r->fields[k2].group ? r->fields[k2].group : "main", group);
        if (told) continue;
        jw_open(j, '{');
        jw_kcstr(j, "name", group);
        describe_words_put(j, k, "title", "", "%s.group.%s", r->name, group);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_words(struct jw *j, const char *key, const char *words) {
    struct str rest = str_of(words), part;
    jw_key(j, key);
    jw_open(j, '[');
    while (str_cut(&rest, ' ', &part))
        if (part.len) jw_str(j, part);
    jw_close(j, ']');
}

static bool same_action(const struct step *a, const struct step *b) {
    return !strcmp(a->name, b->name) && a->to == b->to;
}

/* One step with several arrows to the same state is one action. */
static void put_action(struct jw *j, const struct kernel *k, const struct resource *r, size_t at) {
    const struct step *s = &r->steps[at];
    jw_open(j, '{');
    jw_kcstr(j, "name", s->name);
    describe_words_put(j, k, "title", s->name, "%s.step.%s", r->name, s->name);
    jw_key(j, "from");
    jw_open(j, '[');
    for (size_t i = 0; i < r->states_n; i++)
        for (size_t n = at; n < r->steps_n; n++)
            if (same_action(s, &r->steps[n]) && (r->steps[n].from == (int32_t)i || r->steps[n].from == ANY_STATE)) {
                jw_cstr(j, r->states[i]);
                break;
            }
    jw_close(j, ']');
    jw_kstr(j, "to", str_of(s->to == ANY_STATE ? NULL : r->states[s->to]));
    jw_kbool(j, "danger", s->danger);
    put_words(j, "takes", s->takes);
    put_words(j, "need", s->need);
    jw_close(j, '}');
}

static bool may_step(struct ctx *ctx, const struct step *s) {
    uint64_t people = ctx->actor.is_system ? ~UINT64_C(1) : ctx->actor.roles & ~UINT64_C(1);
    return (kernel_roles(ctx->kernel, s->roles) & people) != 0;
}

static void put_state(struct jw *j, struct ctx *ctx, const struct resource *r) {
    const char *field = NULL;
    struct str tones = str_of(r->tones), tone;
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].kind == FIELD_STATE) field = r->fields[i].name;
    jw_key(j, "state");
    if (!field && !r->steps_n) {
        jw_null(j);
        return;
    }
    jw_open(j, '{');
    jw_kstr(j, "field", str_of(field));
    jw_key(j, "values");
    jw_open(j, '[');
    for (size_t i = 0; i < r->states_n; i++) {
        if (!str_cut(&tones, ' ', &tone)) tone = (struct str){NULL, 0};
        jw_open(j, '{');
        jw_kcstr(j, "v", r->states[i]);
        describe_words_put(j, ctx->kernel, "t", r->states[i], "%s.state.%s", r->name, r->states[i]);
        jw_kstr(j, "tone", tone);
        jw_close(j, '}');
    }
    jw_close(j, ']');
    jw_key(j, "actions");
    jw_open(j, '[');
    for (size_t i = 0; i < r->steps_n; i++) {
        bool told = false;
        for (size_t n = 0; n < i; n++) told |= same_action(&r->steps[n], &r->steps[i]) && may_step(ctx, &r->steps[n]);
        if (!told && may_step(ctx, &r->steps[i])) put_action(j, ctx->kernel, r, i);
    }
    jw_close(j, ']');
    jw_close(j, '}');
}

static void put_views(struct jw *j, const struct kernel *k, const struct resource *r) {
    jw_key(j, "views");
    jw_open(j, '[');
    for (size_t i = 0; i < r->views_n; i++) {
        const struct view *v = &r->views[i];
        struct str rest = str_of(v->filter), part, name;
        jw_open(j, '{');
        jw_kcstr(j, "name", v->name);
        describe_words_put(j, k, "title", v->name, "%s.view.%s", r->name, v->name);
        jw_key(j, "filter");
        jw_open(j, '{');
        while (str_cut(&rest, '&', &part)) {
            if (!str_cut(&part, '=', &name) || !part.ptr) continue;
            jw_key_str(j, name);
            jw_str(j, part);
        }
        jw_close(j, '}');
        jw_kstr(j, "sort", str_of(v->sort));
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_resource(struct jw *j, struct ctx *ctx, const struct resource *r, uint32_t verbs) {
    uint32_t clear, reveal;
    classes_of(ctx, r, &clear, &reveal);
    jw_open(j, '{');
    jw_kcstr(j, "name", r->name);
    jw_key(j, "path");
    char path[64];
    struct buf b;
    buf_init(&b, path, sizeof path);
    buf_fmt(&b, "/api/v1/%s", r->name);
    jw_cstr(j, path);
    jw_kstr(j, "group", str_of(r->group));
    jw_kstr(j, "icon", str_of(r->icon));
    jw_kstr(j, "label_field", str_of(r->label));
    describe_words_put(j, ctx->kernel, "title", r->name, "%s", r->name);
    describe_words_put(j, ctx->kernel, "help", "", "%s.help", r->name);
    jw_key(j, "rights");
    jw_open(j, '[');
    put_word_if(j, !r->select && (verbs & CREATE), "create");
    put_word_if(j, verbs & READ, "read");
    put_word_if(j, !r->select && (verbs & UPDATE), "update");
    put_word_if(j, !r->select && (verbs & ARCHIVE) && !(r->flags & NO_ARCHIVE), "archive");
    put_word_if(j, !r->select && (reveal & ~(uint32_t)SECRET), "reveal");
    jw_close(j, ']');
    put_fields(j, ctx->kernel, r, clear);
    put_state(j, ctx, r);
    put_views(j, ctx->kernel, r);
    jw_close(j, '}');
}

static void put_groups(struct jw *j, struct ctx *ctx) {
    const struct kernel *k = ctx->kernel;
    jw_key(j, "groups");
    jw_open(j, '[');
    for (size_t i = 0; i < kernel_resources(k); i++) {
        const struct resource *r = kernel_resource_at(k, i);
        bool told = !r->group || !resource_verbs(ctx, r);
        for (size_t n = 0; n < i && !told; n++) {
            const struct resource *other = kernel_resource_at(k, n);
            told = other->group && !strcmp(other->group, r->group) && resource_verbs(ctx, other);
        }
        if (told) continue;
        jw_open(j, '{');
        jw_kcstr(j, "name", r->group);
        describe_words_put(j, k, "title", r->group, "group.%s", r->group);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

enum err describe_json(struct ctx *ctx, struct str user, const char *version, struct buf *ret) {
    static const char *const tones[] = {"bad", "warn", "info", "ok", "off"};
    struct jw w, *j = &w;
    jw_init(j, ret);
    jw_open(j, '{');
    jw_kcstr(j, "version", version);
    put_me(j, ctx, user);
    TRY(put_communities(j, ctx));
    put_groups(j, ctx);
    jw_key(j, "tones");
    jw_open(j, '{');
    for (size_t i = 0; i < COUNT(tones); i++) {
        jw_key(j, tones[i]);
        jw_open(j, '{');
        jw_close(j, '}');
    }
    jw_close(j, '}');
    jw_key(j, "resources");
    jw_open(j, '[');
    for (size_t i = 0; i < kernel_resources(ctx->kernel); i++) {
        const struct resource *r = kernel_resource_at(ctx->kernel, i);
        uint32_t verbs = resource_verbs(ctx, r);
        if (verbs) put_resource(j, ctx, r, verbs);
    }
    jw_close(j, ']');
    jw_close(j, '}');
    return OK;
}

enum err describe_handle(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct buf b;
    struct str text;
    uint8_t sum[16];
    char tag[sizeof sum * 2 + 1];
    const struct api *api = call->arg;
    buf_init_arena(&b, ctx->arena, ANSWER_MAX);
    TRY(describe_json(ctx, call->user, api->o.version, &b));
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    crypto_generichash(sum, sizeof sum, (const uint8_t *)text.ptr, text.len, NULL, 0);
    sodium_bin2hex(tag, sizeof tag, sum, sizeof sum);
    TRY(answer_header(ctx, ret, "ETag", "\"%s\"", tag));
    TRY(answer_header(ctx, ret, "Cache-Control", "private, no-cache"));
    if (is_same_tag(call->req, str_of(tag)))
        ret->status = 304;
    else
        ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}
