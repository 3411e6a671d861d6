/* Lines that are pushed to: POST /api/v1/push/{key}.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/push.h"

#include "base/utf8.h"
#include "net/address.h"
#include "platform/passes/passes.h"
#include "sensing/lines/line_internal.h"
#include "sensing/lines/lines_internal.h"

#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#define QUERY_MAX 4096

/* ---- whose address it is ---- */

struct line_pushed { /* what a push needs of its line, as it was then */
    const struct codec *codec;
    struct figures *figures;
    struct heard *heard;
    const struct zone *zone;
    _Atomic int *pushes;
    bool is_too_often;
    int64_t id, community_id;
    char name[LINE_NAME_MAX * 4 + 1], secret[LINE_SECRET_MAX * 4 + 1], senders[LINE_SENDERS_MAX * 4 + 1];
};

/* Every key is compared as a whole: how long it takes tells nothing of how much of one is right. */
static bool find(struct line_set *l, struct str key, bool counts, struct line_pushed *ret) {
    int64_t now_us = l->o.world->mono_us(l->o.world->self);
    bool found = false;
    if (key.len != LINE_PUSH_KEY) return false;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->entries_n; i++) {
        struct line_entry *e = &l->entries[i];
        const struct line_spec *s = &e->spec;
        bool is_it = !sodium_memcmp(s->push_key, key.ptr, LINE_PUSH_KEY);
        if (!is_it || !s->id || !s->enabled || !e->figures || !e->heard || !line_is_pushed(s)) continue;
        found = true;
        *ret = (struct line_pushed){.codec = codec_find(str_of(s->kind)),
                                    .figures = e->figures,
                                    .heard = e->heard,
                                    .zone = s->zone,
                                    .pushes = &e->pushes,
                                    .id = s->id,
                                    .community_id = s->community_id};
        memcpy(ret->name, s->name, sizeof ret->name);
        memcpy(ret->secret, s->secret, sizeof ret->secret);
        memcpy(ret->senders, s->senders, sizeof ret->senders);
        if (counts) ret->is_too_often = !bucket_take(&e->bucket, now_us, PUSHES_A_SECOND, PUSHES_AT_ONCE);
    }
    pthread_mutex_unlock(&l->lock);
    return found;
}

static bool is_sender(const struct line_pushed *line, const struct api_call *call) {
    return !line->senders[0] || address_list_has(str_of(line->senders), call->req->peer);
}

/* As any address that there is not. */
static enum err nobody(struct ctx *ctx) {
    return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is nothing at this address");
}

/* ---- judging ---- */

enum push_judged push_judge(const struct codec *codec, struct bytes body, struct str secret, struct arena *a,
                            struct decoded *ret, struct wire_error *reterr) {
    *ret = (struct decoded){0};
    if (body.len > codec->frame_max) {
        *reterr = (struct wire_error){WIRE_LIMIT "the body is longer than this protocol has it", codec->frame_max};
        return PUSH_TOO_LONG;
    }
    if (codec->is_genuine && (!secret.len || !codec->is_genuine(body, secret))) {
        *reterr = (struct wire_error){secret.len ? PUSH_BAD_SIGNATURE : PUSH_NO_SECRET, 0};
        return PUSH_UNSIGNED;
    }
    return codec->decode(body, a, ret, reterr) ? PUSH_GOOD : PUSH_BAD;
}

/* ---- a push's way ---- */

struct push { /* in the request's arena */
    struct api_unit *unit;
    struct line_set *lines;
    struct line_pushed line;
    struct intake_site site;
    struct intake intake;
    struct decoded decoded;
    struct pass_verdict verdict; /* of one who wants through; else that nothing speaks against it */
    bool opens;                  /* the answer says so */
    struct arena *arena;         /* the request's: the loop thread's from take() on */
    struct bytes reply;
    char peer[46];
    struct loop_task task;
};

/* False: there are too many. */
static bool under_way(struct push *p, int more) {
    int of_line = atomic_fetch_add(p->line.pushes, more), all = atomic_fetch_add(&p->lines->pushes, more);
    return of_line < PUSHES_OF_LINE && all < PUSHES_MAX;
}

/* Whoever was let in and was not told so: his device says it again, and is told then. */
static void owe(struct line_set *l, int64_t passage_id) {
    pthread_mutex_lock(&l->lock);
    l->owed[l->owed_n++ % LINES_OWED_MAX] = passage_id;
    pthread_mutex_unlock(&l->lock);
}

static bool take_owed(struct line_set *l, int64_t passage_id) {
    bool found = false;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < LINES_OWED_MAX && !found; i++) {
        found = l->owed[i] == passage_id;
        if (found) l->owed[i] = 0;
    }
    pthread_mutex_unlock(&l->lock);
    return found;
}

static void not_answered(const struct push *p) {
    FIGURES_ADD(p->line.figures, unanswered, 1);
    if (p->opens && p->verdict.passage_id) owe(p->lines, p->verdict.passage_id);
}

static void answer(void *arg, bool is_stored) {
    struct push *p = arg;
    struct api_unit *unit = p->unit;
    const struct api_answer ok = {.status = 200, .body = p->reply};
    const struct fault away = {
        .kind = ERR_UNAVAILABLE, .code = "not_stored", .text = "this could not be stored; say it again"};
    if (!is_stored) not_answered(p);
    intake_note_refused(&p->intake, p->line.figures, p->peer);
    under_way(p, -1);
    api_finish(unit, is_stored ? &ok : NULL, is_stored ? NULL : &away);
}

/* Else a device waits for a command. */
static bool answer_opens(const struct codec *c) {
    return c->let || c->reply;
}

static void take(void *arg) { /* loop thread */
    struct push *p = arg;
    if (answer_opens(p->line.codec)) p->decoded.passings_n = 0; /* they are decided */
    intake_take(&p->intake, &p->decoded, p->arena, 0);
}

static struct sample sample_of(struct ctx *ctx, const struct api_call *call, size_t len) {
    struct sample x = {.at_ms = ctx->now_ms, .offset = NO_OFFSET, .len = len};
    utf8_copy(x.peer, sizeof x.peer, call->req->peer);
    if (call->args[2].ptr) utf8_copy(x.about, sizeof x.about, call->args[2]);
    return x;
}

/* What shows who passed is personal: such a frame is counted, its bytes are not kept; nor are those of one that is
 * nothing else and has a fault. */
static struct bytes kept_of(const struct api_call *call, const struct push *p) {
    return p->decoded.passings_n || p->line.codec->let ? (struct bytes){NULL, 0} : call->req->body;
}

static void note_good(struct ctx *ctx, const struct api_call *call, const struct push *p) {
    struct bytes body = kept_of(call, p);
    struct sample x = sample_of(ctx, call, body.len);
    if (!x.about[0] && p->decoded.events_n) utf8_copy(x.about, sizeof x.about, p->decoded.events[0].code);
    utf8_copy(x.device, sizeof x.device, figures_device(&p->decoded, S("")));
    figures_good(p->line.figures, &x, body);
}

static enum err refuse(struct ctx *ctx, const struct api_call *call, const struct push *p, enum push_judged why,
                       const struct wire_error *e) {
    static const enum err kinds[] = {[PUSH_TOO_LONG] = ERR_LIMIT,
                                     [PUSH_UNSIGNED] = ERR_UNAUTHENTICATED,
                                     [PUSH_BAD] = ERR_INVALID,
                                     [PUSH_FOREIGN] = ERR_DENIED,
                                     [PUSH_STRANGER] = ERR_DENIED};
    static const char *const codes[] = {[PUSH_TOO_LONG] = "too_long",
                                        [PUSH_UNSIGNED] = "bad_signature",
                                        [PUSH_BAD] = "bad_frame",
                                        [PUSH_FOREIGN] = "of_another_line",
                                        [PUSH_STRANGER] = "not_a_sender"};
    struct bytes body = kept_of(call, p);
    struct sample x = sample_of(ctx, call, body.len);
    if (p->decoded.sender.len) utf8_copy(x.about, sizeof x.about, p->decoded.sender);
    utf8_copy(x.device, sizeof x.device, figures_device(&p->decoded, S("")));
    x.offset = why == PUSH_BAD ? e->at : NO_OFFSET;
    utf8_copy(x.rule, sizeof x.rule, str_of(e->rule));
    figures_bad(p->line.figures, &x, body, false);
    return FAIL(&ctx->fault, kinds[why], codes[why], "%s", e->rule);
}

static enum err too_often(struct ctx *ctx, struct push *p) {
    struct figures *f = p->line.figures;
    pthread_mutex_lock(&f->lock);
    f->limited++;
    f->limited_ms = ctx->now_ms;
    pthread_mutex_unlock(&f->lock);
    ctx->fault.retry_after_s = 1;
    return FAIL(&ctx->fault, ERR_TOO_MANY, "too_often", PUSH_TOO_OFTEN);
}

/* A camera says a message again until it is answered; its answer went out, so it opens once.  A controller is told as
 * before: what it does with it is its own. */
static enum err let_pass(struct ctx *ctx, struct push *p) {
    const struct codec *codec = p->line.codec;
    struct pass_verdict *v = &p->verdict;
    *v = (struct pass_verdict){.why = PASS_GIVEN};
    if (!answer_opens(codec)) return OK;
    if (p->decoded.passings_n) TRY(pass_take(ctx, p->line.community_id, p->decoded.passings, p->decoded.passings_n, v));
    p->opens = v->why == PASS_GIVEN && (codec->let || !v->is_repeat || take_owed(p->lines, v->passage_id));
    return OK;
}

/* The answer that is due once all is in the store.  A passage is already: said again it is the same one. */
static enum err make_reply(struct ctx *ctx, const struct api_call *call, struct push *p) {
    const struct codec *codec = p->line.codec;
    struct buf b;
    int64_t now_s = ctx->now_ms / 1000 + zone_offset_s(p->line.zone, ctx->now_ms);
    if (!codec->reply && !codec->let) return OK;
    buf_init_arena(&b, ctx->arena, codec->frame_max + 1);
    if (codec->let)
        codec->let(p->opens, pass_word(p->verdict.why), &b);
    else
        codec->reply(call->req->body, p->opens, now_s, &b);
    if (b.overflow) return FAIL_MEMORY(ctx);
    p->reply = (struct bytes){(const uint8_t *)b.ptr, b.len};
    return OK;
}

static enum err begin(struct ctx *ctx, const struct api_call *call, struct push *p, struct api_answer *ret) {
    const struct lines_options *o = &p->lines->o;
    utf8_copy(p->peer, sizeof p->peer, call->req->peer);
    p->intake = (struct intake){.site = &p->site, .done = answer, .arg = p, .peer = p->peer};
    p->task = (struct loop_task){.fn = take, .arg = p};
    if (!under_way(p, 1)) {
        under_way(p, -1);
        return FAIL(&ctx->fault, ERR_BUSY, "busy", "too much is pushed at once; say it again");
    }
    p->arena = ctx->arena;
    p->unit = api_defer(call, ret);
    loop_post_task(o->loop, &p->task);
    return OK;
}

enum err line_push(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct push *p = arena_new(ctx->arena, struct push, 1);
    struct wire_error e = {"", 0};
    if (!p) return FAIL_MEMORY(ctx);
    p->lines = call->arg;
    if (!find(p->lines, call->args[0], true, &p->line)) return nobody(ctx);
    if (p->line.is_too_often) return too_often(ctx, p);
    const struct lines_options *o = &p->lines->o;
    p->site = (struct intake_site){.loop = o->loop,
                                   .feed = o->feed,
                                   .world = o->world,
                                   .zone = p->line.zone,
                                   .community_id = p->line.community_id,
                                   .line = p->line.name,
                                   .heard = p->line.heard};
    FIGURES_ADD(p->line.figures, bytes, (int64_t)call->req->body.len);
    if (!is_sender(&p->line, call)) {
        e = (struct wire_error){LINE_NOT_A_SENDER, 0};
        return refuse(ctx, call, p, PUSH_STRANGER, &e);
    }
    enum push_judged judged =
        push_judge(p->line.codec, call->req->body, str_of(p->line.secret), ctx->arena, &p->decoded, &e);
    if (judged == PUSH_GOOD && !intake_is_of(&p->site, p->line.id, &p->decoded)) {
        e = (struct wire_error){LINE_FOREIGN, 0};
        judged = PUSH_FOREIGN;
    }
    if (judged != PUSH_GOOD) return refuse(ctx, call, p, judged, &e);
    note_good(ctx, call, p);
    enum err failed = let_pass(ctx, p);
    if (!failed) failed = make_reply(ctx, call, p);
    if (!failed) failed = begin(ctx, call, p, ret);
    if (failed) not_answered(p);
    return failed;
}

/* Who signs what he pushes signs this, too: the query as an object of texts is a frame then, and answered like one.  In
 * a signature + is no blank. */
static enum err query_frame(struct ctx *ctx, const struct api_call *call, struct bytes *ret) {
    static const char *const names[] = {"msg", "nonce", "signature"};
    struct buf b;
    struct jw j;
    struct str text;
    buf_init_arena(&b, ctx->arena, QUERY_MAX);
    jw_init(&j, &b);
    jw_open(&j, '{');
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str value = {NULL, 0}, plain;
        TRY(api_query(ctx, call, names[i], &value));
        if (!value.ptr) continue;
        if (!arena_str(ctx->arena, value, &plain)) return FAIL_MEMORY(ctx);
        for (char *c = (char *)(uintptr_t)plain.ptr; i && c < plain.ptr + plain.len; c++)
            if (*c == ' ') *c = '+';
        jw_kstr(&j, names[i], plain);
    }
    jw_close(&j, '}');
    if (!buf_done(&b, &text)) return FAIL(&ctx->fault, ERR_LIMIT, "too_long", "the query is too long");
    *ret = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

enum err line_push_look(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct line_pushed line;
    struct bytes frame;
    struct buf b;
    if (!find(call->arg, call->args[0], false, &line) || !is_sender(&line, call)) return nobody(ctx);
    ret->status = 200;
    if (!line.codec->is_genuine || !call->req->query.len) return OK;
    TRY(query_frame(ctx, call, &frame));
    if (!line.secret[0] || !line.codec->is_genuine(frame, str_of(line.secret)))
        return FAIL(&ctx->fault, ERR_UNAUTHENTICATED, "bad_signature", "the signature is wrong");
    buf_init_arena(&b, ctx->arena, QUERY_MAX);
    if (line.codec->reply) line.codec->reply(frame, true, ctx->now_ms / 1000, &b);
    if (b.overflow) return FAIL_MEMORY(ctx);
    ret->body = (struct bytes){(const uint8_t *)b.ptr, b.len};
    return OK;
}
