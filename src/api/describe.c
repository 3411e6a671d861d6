/* What a client needs to draw itself: resources, fields, states and steps, in the caller's rights.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/describe_internal.h"

#include <stdio.h>
#include <string.h>

#define COMMUNITIES_MOST 1000

/* ---- who and where ---- */

static void put_me(struct jw *j, struct ctx *ctx, struct str user) {
    const struct actor *a = &ctx->actor;
    const char *role;
    jw_put(j, "'me':{'id':$,'name':$,'user':$,'roles':[",
           JV(J_ID(a->person_id ? a->person_id : a->user_id), J_STR(a->name), J_STR(user)));
    for (size_t bit = 0; bit < 64 && (role = kernel_role_name(ctx->kernel, bit)); bit++)
        jw_cstr_if(j, a->roles >> bit & 1, role);
    jw_put(j, "],'language':$}", JV(J_STR(a->language.ptr ? a->language : S("zh"))));
}

static enum err put_communities(struct jw *j, struct ctx *ctx) {
    struct db_rows rows = {0};
    jw_put(j, "'communities':[", NO_JV);
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT id, code, name, zone FROM communities ORDER BY code LIMIT $1",
                          VALS(V_I64(COMMUNITIES_MOST)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        if (!actor_reaches(&ctx->actor, db_i64(&rows, 0), ~UINT64_C(0))) continue;
        jw_put(
            j, "{'id':$,'code':$,'name':$,'zone':$}",
            JV(J_ID(db_i64(&rows, 0)), J_STR(db_text(&rows, 1)), J_STR(db_text(&rows, 2)), J_STR(db_text(&rows, 3))));
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

static const char *group_of(const struct field *f) {
    return f->group ? f->group : "main";
}

/* A secret is in no row; it is told of where a step takes a new one. */
static bool is_told(const struct resource *r, const struct field *f) {
    bool told = f->class != SECRET;
    for (size_t i = 0; i < r->steps_n && !told; i++) told = word_in(r->steps[i].takes, str_of(f->name));
    return told;
}

static void put_fields(struct jw *j, struct ctx *ctx, const struct resource *r, uint32_t clear) {
    jw_put(j, "'fields':[", NO_JV);
    for (size_t i = 0; i < r->fields_n; i++)
        if (is_told(r, &r->fields[i])) field_describe(j, ctx, r->name, &r->fields[i], clear);
    jw_put(j, "],'form_groups':[", NO_JV);
    for (size_t i = 0; i < r->fields_n; i++) {
        const char *group = group_of(&r->fields[i]);
        size_t first = 0;
        while (strcmp(group_of(&r->fields[first]), group)) first++;
        if (first < i) continue;
        jw_put(j, "{'name':$", JV(J_CSTR(group)));
        describe_words_put(j, ctx, "title", "", "%s.group.%s", r->name, group);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static bool same_action(const struct step *a, const struct step *b) {
    return !strcmp(a->name, b->name) && a->to == b->to;
}

/* One step with several arrows to the same state is one action. */
static void put_action(struct jw *j, struct ctx *ctx, const struct resource *r, size_t at) {
    const struct step *s = &r->steps[at];
    jw_put(j, "{'name':$", JV(J_CSTR(s->name)));
    describe_words_put(j, ctx, "title", s->name, "%s.step.%s", r->name, s->name);
    jw_put(j, "'from':[", NO_JV);
    for (size_t i = 0; i < r->states_n; i++)
        for (size_t n = at; n < r->steps_n; n++)
            if (same_action(s, &r->steps[n]) && (r->steps[n].from == (int32_t)i || r->steps[n].from == ANY_STATE)) {
                jw_cstr(j, r->states[i]);
                break;
            }
    jw_put(j,
           "],'to':$,'danger':$,'takes':", JV(J_CSTR(s->to == ANY_STATE ? NULL : r->states[s->to]), J_BOOL(s->danger)));
    jw_words(j, s->takes);
    jw_key(j, "need");
    jw_words(j, s->need);
    jw_close(j, '}');
}

static bool may_step(struct ctx *ctx, const struct step *s) {
    uint64_t people = ctx->actor.is_system ? ~UINT64_C(1) : ctx->actor.roles & ~UINT64_C(1);
    return (kernel_roles(ctx->kernel, s->roles) & people) != 0;
}

static void put_state(struct jw *j, struct ctx *ctx, const struct resource *r) {
    const char *field = field_state(r) == NO_FIELD ? NULL : r->fields[field_state(r)].name;
    struct str tones = str_of(r->tones), tone;
    if (!field && !r->steps_n) {
        jw_put(j, "'state':null", NO_JV);
        return;
    }
    jw_put(j, "'state':{'field':$,'values':[", JV(J_CSTR(field)));
    for (size_t i = 0; i < r->states_n; i++) {
        if (!str_word(&tones, &tone)) tone = (struct str){NULL, 0};
        jw_put(j, "{'v':$", JV(J_CSTR(r->states[i])));
        describe_words_put(j, ctx, "t", r->states[i], "%s.state.%s", r->name, r->states[i]);
        jw_put(j, "'tone':$}", JV(J_STR(tone)));
    }
    jw_put(j, "],'actions':[", NO_JV);
    for (size_t i = 0; i < r->steps_n; i++) {
        bool told = false;
        for (size_t n = 0; n < i; n++) told |= same_action(&r->steps[n], &r->steps[i]) && may_step(ctx, &r->steps[n]);
        if (!told && may_step(ctx, &r->steps[i])) put_action(j, ctx, r, i);
    }
    jw_put(j, "],'steps':{", NO_JV); /* the words of all: a history names those of others, too */
    for (size_t i = 0; i < r->steps_n; i++)
        if (!i || strcmp(r->steps[i].name, r->steps[i - 1].name))
            describe_words_put(j, ctx, r->steps[i].name, r->steps[i].name, "%s.step.%s", r->name, r->steps[i].name);
    jw_put(j, "}}", NO_JV);
}

static void put_views(struct jw *j, struct ctx *ctx, const struct resource *r) {
    jw_put(j, "'views':[", NO_JV);
    for (size_t i = 0; i < r->views_n; i++) {
        const struct view *v = &r->views[i];
        struct str rest = str_of(v->filter), part, name;
        jw_put(j, "{'name':$", JV(J_CSTR(v->name)));
        describe_words_put(j, ctx, "title", v->name, "%s.view.%s", r->name, v->name);
        jw_put(j, "'filter':{", NO_JV);
        while (str_cut(&rest, '&', &part)) {
            if (!str_cut(&part, '=', &name) || !part.ptr) continue;
            jw_key_str(j, name);
            jw_str(j, part);
        }
        jw_put(j, "},'sort':$}", JV(J_CSTR(v->sort)));
    }
    jw_close(j, ']');
}

static bool is_searched(const struct resource *r) {
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].flags & SEARCH) return true;
    return false;
}

static void put_resource(struct jw *j, struct ctx *ctx, const struct resource *r, uint32_t verbs) {
    char path[64];
    uint32_t clear, reveal;
    classes_of(ctx, r, &clear, &reveal);
    snprintf(path, sizeof path, "/api/v1/%s", r->name);
    jw_put(j, "{'name':$,'path':$,'group':$,'icon':$,'label_field':$",
           JV(J_CSTR(r->name), J_CSTR(path), J_CSTR(r->group), J_CSTR(r->icon), J_CSTR(r->label)));
    describe_words_put(j, ctx, "title", r->name, "%s", r->name);
    describe_words_put(j, ctx, "help", "", "%s.help", r->name);
    jw_put(j, "'rights':[", NO_JV);
    jw_cstr_if(j, !r->select && (verbs & CREATE), "create");
    jw_cstr_if(j, verbs & READ, "read");
    jw_cstr_if(j, !r->select && (verbs & READ) && is_searched(r), "search");
    jw_cstr_if(j, !r->select && (verbs & UPDATE), "update");
    jw_cstr_if(j, !r->select && (verbs & ARCHIVE) && !(r->flags & NO_ARCHIVE), "archive");
    jw_cstr_if(j, !r->select && (reveal & ~(uint32_t)SECRET), "reveal");
    jw_close(j, ']');
    put_fields(j, ctx, r, clear);
    put_state(j, ctx, r);
    put_views(j, ctx, r);
    jw_close(j, '}');
}

/* The groups of the menu in which the caller has something, in order of the resources. */
static void put_groups(struct jw *j, struct ctx *ctx) {
    const char *told[64];
    size_t told_n = 0;
    jw_put(j, "'groups':[", NO_JV);
    for (size_t i = 0; i < kernel_resources(ctx->kernel); i++) {
        const struct resource *r = kernel_resource_at(ctx->kernel, i);
        size_t n = 0;
        if (!r->group || !resource_verbs(ctx, r)) continue;
        while (n < told_n && strcmp(told[n], r->group)) n++;
        if (n < told_n || n == COUNT(told)) continue;
        told[told_n++] = r->group;
        jw_put(j, "{'name':$", JV(J_CSTR(r->group)));
        describe_words_put(j, ctx, "title", r->group, "group.%s", r->group);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

enum err describe_json(struct ctx *ctx, struct str user, const char *version, struct buf *ret) {
    struct jw w, *j = &w;
    jw_init(j, ret);
    jw_put(j, "{'version':$", JV(J_CSTR(version)));
    put_me(j, ctx, user);
    TRY(put_communities(j, ctx));
    put_groups(j, ctx);
    jw_put(j, "'tones':{'bad':{},'warn':{},'info':{},'ok':{},'off':{}},'resources':[", NO_JV);
    for (size_t i = 0; i < kernel_resources(ctx->kernel); i++) {
        const struct resource *r = kernel_resource_at(ctx->kernel, i);
        uint32_t verbs = resource_verbs(ctx, r);
        if (verbs) put_resource(j, ctx, r, verbs);
    }
    jw_put(j, "]}", NO_JV);
    return OK;
}

/* Of the community that is asked for by its code, else of the only one the caller reaches. */
static enum err own_words(struct ctx *ctx, const struct api_call *call) {
    struct str code;
    int64_t id = 0;
    bool found;
    TRY(api_query(ctx, call, "community", &code));
    if (!code.ptr) {
        TRY(actor_community(ctx, &id));
        return words_use(ctx, id);
    }
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM communities WHERE code = $1", VALS(V_TEXT(code)), &id,
                   &found));
    return found && actor_reaches(&ctx->actor, id, ~UINT64_C(0)) ? words_use(ctx, id)
                                                                 : FAIL_FIELD(&ctx->fault, "community", "bad_ref", 0);
}

enum err describe_handle(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct api_text b;
    char tag[HASH_SIZE];
    api_text_open(&b, ctx);
    TRY(own_words(ctx, call));
    TRY(describe_json(ctx, call->user, call->unit->api->o.version, &b.buf));
    TRY(api_text_close(&b, ctx, ret));
    hash_text(&(struct str){(const char *)ret->body.ptr, ret->body.len}, 1, tag);
    return answer_tag(ctx, call->req, str_of(tag), ret);
}
