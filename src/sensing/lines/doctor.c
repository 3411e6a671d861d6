/* Why is a device silent?  What its row, its line, the line's figures and its own history say, most telling first.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "sensing/lines/line_internal.h"
#include "sensing/lines/lines_internal.h"
#include "sensing/lines/push.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX          ((size_t)256 << 10)
#define LATE_MS             INT64_C(600000) /* silent is who said nothing for so long, or for LATE_TIMES intervals */
#define LATE_TIMES          3
#define SWAPS_MANY          2
#define STRANGERS_MAX_SHOWN 5

/* All that is known, taken at one moment. */
struct patient {
    struct ctx *ctx;
    struct device d;
    struct device_model model;
    bool has_model, has_line, is_polled, is_datagrams, is_served, has_key;
    bool is_pushed;                        /* over HTTP, to the address of its line */
    char elsewhere[LINE_NAME_MAX * 4 + 1]; /* line on which somebody speaks for it; "": none */
    struct str twin;                       /* code of another device with its address on its line; empty: none */
    struct str strangers[STRANGERS_MAX_SHOWN];
    size_t strangers_n;
    struct line_spec spec;
    int32_t line_state;
    char problem[LINE_PROBLEM_MAX];
    struct figures f; /* of the line; only its numbers and samples */
    struct heard_device heard;
    bool is_heard;
    int64_t gateway; /* by which it logs in; 0: by itself */
    int64_t last_ms; /* of a reading, or of a frame; 0: never */
    struct jw *j;
};

/* ---- saying ---- */

/* Opens a finding; tone: "bad" why it is silent, "warn" wrong though it speaks, "ok". */
static void say(struct patient *p, const char *code, const char *tone) {
    jw_open(p->j, '{');
    jw_kcstr(p->j, "code", code);
    jw_kcstr(p->j, "tone", tone);
}

static bool done(struct patient *p) {
    jw_close(p->j, '}');
    return true;
}

static const struct sample *last_bad(const struct patient *p) {
    return p->f.bad_n ? &p->f.bad_samples[(p->f.bad_n - 1) % FIGURES_BAD_MAX] : NULL;
}

static void put_sample(struct patient *p, const struct sample *s) {
    if (!s) return;
    jw_kcstr(p->j, "rule", s->rule);
    if (s->offset != NO_OFFSET) jw_ki64(p->j, "offset", (int64_t)s->offset);
    if (s->peer[0]) jw_kcstr(p->j, "peer", s->peer);
    jw_ki64(p->j, "at_ms", s->at_ms);
}

/* Devices nobody knows that speak on the line: perhaps it is one of these, under another address. */
static void put_strangers(struct patient *p) {
    jw_key(p->j, "strangers");
    jw_open(p->j, '[');
    for (size_t i = 0; i < p->strangers_n; i++) jw_str(p->j, p->strangers[i]);
    jw_close(p->j, ']');
}

/* ---- findings: each says itself and answers true where it holds ---- */

static bool is_retired(struct patient *p) {
    if (p->d.state != DEVICE_RETIRED) return false;
    say(p, "retired", "bad");
    return done(p);
}

static bool waits_for_adoption(struct patient *p) {
    if (p->d.state != DEVICE_NEW) return false;
    say(p, "waits_for_adoption", "warn");
    return done(p);
}

static bool is_late(const struct patient *p) {
    if (p->d.state == DEVICE_OFFLINE) return true;
    int64_t every_ms = (p->has_line ? p->spec.every_s : 0) * 1000 * LATE_TIMES;
    return p->ctx->now_ms - p->last_ms > (every_ms > LATE_MS ? every_ms : LATE_MS);
}

static bool has_no_line(struct patient *p) {
    if (p->has_line || (p->last_ms && !is_late(p))) return false;
    say(p, "no_line", "bad");
    return done(p);
}

static bool line_is_shut(struct patient *p) {
    if (!p->has_line || p->line_state == LINE_OPEN) return false;
    say(p, p->line_state == LINE_FAILED ? "line_failed" : "line_closed", "bad");
    if (p->problem[0]) jw_kcstr(p->j, "problem", p->problem);
    return done(p);
}

static bool has_no_model(struct patient *p) {
    if (!p->is_polled || p->d.state == DEVICE_NEW) return false;
    size_t items = 0;
    const struct model_metric *all = p->model.metrics.rows;
    for (size_t i = 0; p->has_model && i < p->model.metrics.n; i++) items += all[i].item.len > 0;
    if (items) return false;
    say(p, "nothing_to_ask", "bad");
    return done(p);
}

static bool has_a_twin(struct patient *p) {
    if (!p->twin.len) return false;
    say(p, "same_address", "bad");
    jw_kstr(p->j, "device", p->twin);
    return done(p);
}

/* GATEWAY:NAME logs in by its gateway. */
static struct str gateway_of(struct str code) {
    size_t n = code.len;
    while (n && code.ptr[n - 1] != ':') n--;
    return n ? (struct str){code.ptr, n - 1} : S("");
}

/* It came with its code, or on a topic that has it for a part; "GATEWAY TOPIC" of a gateway, where its own name is one.
 */
static bool is_of(const struct patient *p, const struct sample *s) {
    struct str own = p->d.code, before = gateway_of(own), about = str_of(s->about);
    if (p->gateway && str_starts(about, before) && about.len > before.len && about.ptr[before.len] == ' ') {
        own = str_from(own, before.len + 1);
        about = str_from(about, before.len + 1);
    }
    for (size_t at = 0; at < about.len; at++)
        if ((!at || about.ptr[at - 1] == '/') && str_starts(str_from(about, at), own) &&
            (at + own.len == about.len || about.ptr[at + own.len] == '/'))
            return true;
    return false;
}

/* Over MQTT: its log-in, or its gateway's, unless it got in since. */
static bool has_bad_credentials(struct patient *p) {
    char user[32];
    if (!p->has_line || strcmp(p->spec.kind, "mqtt") != 0) return false;
    if (!p->has_key) {
        say(p, "no_credentials", "bad");
        return done(p);
    }
    snprintf(user, sizeof user, "d%" PRId64, p->gateway ? p->gateway : p->d.row.id);
    for (uint32_t i = p->f.bad_n; i > 0 && p->f.bad_n - i < FIGURES_BAD_MAX; i--) {
        const struct sample *s = &p->f.bad_samples[(i - 1) % FIGURES_BAD_MAX];
        if (s->at_ms < p->last_ms || is_of(p, s)) return false;
        if (strcmp(s->about, user) != 0) continue;
        say(p, "wrong_password", "bad");
        put_sample(p, s);
        return done(p);
    }
    return false;
}

/* In frames of its name, unless it had the right one since. */
static bool say_wrong_password(struct patient *p, const char *tone) {
    if (!p->has_line || p->is_served) return false;
    for (uint32_t i = p->f.bad_n; i > 0 && p->f.bad_n - i < FIGURES_BAD_MAX; i--) {
        const struct sample *s = &p->f.bad_samples[(i - 1) % FIGURES_BAD_MAX];
        if (!is_of(p, s) || s->at_ms < p->last_ms || !strstr(s->rule, "password")) continue;
        say(p, "wrong_password", tone);
        put_sample(p, s);
        return done(p);
    }
    return false;
}

static bool has_wrong_password(struct patient *p) {
    return is_late(p) && say_wrong_password(p, "bad");
}

/* It is heard all the same: somebody else tries. */
static bool somebody_tries(struct patient *p) {
    return !is_late(p) && say_wrong_password(p, "warn");
}

static bool is_limit(const char *rule) {
    return strstr(rule, WIRE_LIMIT) != NULL;
}

/* Whoever pushes to its line signs wrongly, the line cannot check it, or who pushes or connects is none of its
 * senders. */
static bool is_refused(struct patient *p) {
    const struct sample *s = last_bad(p);
    if (!p->has_line || p->is_served || !s || s->at_ms < p->last_ms || !is_late(p)) return false;
    static const struct {
        const char *rule, *code;
    } all[] = {
        {PUSH_NO_SECRET, "no_secret"}, {PUSH_BAD_SIGNATURE, "bad_signature"}, {LINE_NOT_A_SENDER, "not_a_sender"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        if (strcmp(s->rule, all[i].rule) != 0) continue;
        say(p, all[i].code, "bad");
        put_sample(p, s);
        return done(p);
    }
    return false;
}

/* Its line was told to wait since it was last heard. */
static bool is_held_up(struct patient *p) {
    if (!p->is_pushed || !p->f.limited || p->f.limited_ms < p->last_ms || !is_late(p)) return false;
    say(p, "over_limit", "bad");
    jw_kcstr(p->j, "rule", PUSH_TOO_OFTEN);
    jw_ki64(p->j, "times", p->f.limited);
    return done(p);
}

/* Its own bad samples behind its last good word, where samples name who they came from. */
static bool is_not_understood(struct patient *p) {
    if (!p->is_served && !is_late(p)) return false; /* noise on a wire */
    for (uint32_t i = p->f.bad_n; i > 0 && p->f.bad_n - i < FIGURES_BAD_MAX; i--) {
        const struct sample *s = &p->f.bad_samples[(i - 1) % FIGURES_BAD_MAX];
        if (!is_of(p, s) || s->at_ms < p->last_ms) continue;
        say(p, is_limit(s->rule) ? "over_limit" : "not_decodable", "bad");
        put_sample(p, s);
        return done(p);
    }
    return false;
}

/* It never spoke, no stranger does, and what came last on its line from whom nobody knows was no good frame. */
static bool is_perhaps_bad(struct patient *p) {
    const struct sample *s = last_bad(p);
    if (!p->has_line || p->is_served || p->is_polled || p->is_heard || p->strangers_n || !s || s->about[0] ||
        !is_late(p))
        return false;
    say(p, is_limit(s->rule) ? "over_limit" : "not_decodable", "bad");
    put_sample(p, s);
    return done(p);
}

static bool store_was_away(struct patient *p) {
    if (!p->has_line || p->f.unanswered <= 0 || !is_late(p)) return false;
    say(p, "not_stored", "bad");
    jw_ki64(p->j, "times", p->f.unanswered);
    return done(p);
}

static bool nobody_connects(struct patient *p) {
    bool could = p->has_line && !p->is_served && !p->is_datagrams && !p->is_pushed && p->spec.reach == LINE_LISTEN;
    if (!could || p->f.connections > 0 || !is_late(p)) return false;
    if (!p->last_ms && p->f.frames > 0) return false; /* others did: it has another address, perhaps */
    say(p, p->f.connections_total > 0 || p->last_ms ? "connection_lost" : "nothing_connects", "bad");
    return done(p);
}

static bool nothing_arrives(struct patient *p) {
    if (!p->has_line || p->is_served || p->f.bytes > 0 || !is_late(p)) return false;
    if (p->last_ms && !p->is_polled) return false; /* it did, before the server began anew */
    say(p, p->is_pushed ? "nothing_pushed" : "nothing_arrives", "bad");
    return done(p);
}

/* Bytes came, never a frame.  Of devices that are asked this is how a wrong rate or parity looks. */
static bool nothing_is_a_frame(struct patient *p) {
    if (!p->has_line || p->is_served || p->f.frames > 0 || p->f.bytes <= 0 || !is_late(p)) return false;
    say(p, p->is_polled && !p->is_datagrams ? "wrong_baud" : "not_decodable", "bad");
    if (p->spec.reach == LINE_SERIAL) jw_ki64(p->j, "baud", p->spec.baud);
    put_sample(p, last_bad(p));
    return done(p);
}

/* Bytes answer its address and are no answer: two speak at once, or the line is disturbed. */
static bool two_answer(struct patient *p) {
    if (!p->is_heard || !p->is_polled || p->heard.garbled < 2 || p->heard.garbled < p->heard.frames) return false;
    say(p, "duplicate_address", "bad");
    jw_ki64(p->j, "times", p->heard.garbled);
    return done(p);
}

static bool is_another_address(struct patient *p) {
    bool asked_in_vain = p->is_polled && p->is_heard && p->heard.silences > 0 && !p->heard.frames;
    bool never_spoke = !p->is_polled && p->has_line && !p->is_served && !p->is_heard && p->f.frames > 0;
    if ((!asked_in_vain && !never_spoke) || p->last_ms || !is_late(p)) return false;
    say(p, "unknown_address", "bad");
    put_strangers(p);
    return done(p);
}

static bool does_not_answer(struct patient *p) {
    if (!p->is_polled || !p->is_heard || !p->heard.silences || !is_late(p)) return false;
    say(p, "no_answer", "bad");
    jw_ki64(p->j, "times", p->heard.silences);
    return done(p);
}

/* Moved, or somebody takes its name. */
static bool speaks_elsewhere(struct patient *p) {
    if (!p->elsewhere[0]) return false;
    say(p, "speaks_elsewhere", "warn");
    jw_kcstr(p->j, "line", p->elsewhere);
    return done(p);
}

static bool two_addresses_speak(struct patient *p) {
    if (!p->is_heard || p->heard.swaps < SWAPS_MANY) return false;
    if (p->heard.last_ms - p->heard.swap_ms > HEARD_SWAPPED_MS) return false;
    say(p, "duplicate_address", "warn");
    jw_kcstr(p->j, "peer", p->heard.peer);
    return done(p);
}

static bool clock_is_off(struct patient *p) {
    bool is_old = p->last_ms - p->heard.skew_at_ms > HEARD_CLOCK_MS; /* it spoke since, and said nothing of it */
    if (!heard_is_off(p->heard.skew_ms) || is_old) return false;
    say(p, "clock_off", "warn");
    jw_ki64(p->j, "ahead_ms", p->heard.skew_ms);
    return done(p);
}

static bool refuses(struct patient *p) {
    if (!p->is_heard || !p->heard.why[0]) return false;
    say(p, "refuses", "warn");
    jw_kcstr(p->j, "why", p->heard.why);
    return done(p);
}

static bool says_nothing_more(struct patient *p) {
    if (!is_late(p)) return false;
    say(p, p->last_ms ? "silent_since" : "never_heard", "bad");
    if (p->last_ms) jw_ki64(p->j, "at_ms", p->last_ms);
    return done(p);
}

/* Those that explain silence, of which the first is told, and those that are wrong beside it, of which all are. */
static bool (*const causes[])(struct patient *p) = {
    is_retired,          line_is_shut,       has_no_model,       has_no_line,       has_a_twin,
    has_bad_credentials, has_wrong_password, is_refused,         is_not_understood, is_perhaps_bad,
    is_held_up,          store_was_away,     nothing_is_a_frame, nobody_connects,   nothing_arrives,
    two_answer,          is_another_address, does_not_answer,    says_nothing_more};
static bool (*const beside[])(struct patient *p) = {waits_for_adoption,  somebody_tries, speaks_elsewhere,
                                                    two_addresses_speak, clock_is_off,   refuses};

static void put_findings(struct patient *p) {
    bool some = false;
    jw_key(p->j, "findings");
    jw_open(p->j, '[');
    for (size_t i = 0; i < COUNT(causes) && !some; i++) some = causes[i](p);
    for (size_t i = 0; i < COUNT(beside); i++) some |= beside[i](p);
    if (!some) {
        say(p, "well", "ok");
        jw_ki64(p->j, "at_ms", p->last_ms);
        (void)done(p);
    }
    jw_close(p->j, ']');
}

/* ---- GET /api/v1/devices/{id}/doctor ---- */

static bool was_refused_as_foreign(struct figures *f, struct str code) {
    bool found = false;
    pthread_mutex_lock(&f->lock);
    for (uint32_t i = f->bad_n; i > 0 && f->bad_n - i < FIGURES_BAD_MAX; i--) {
        const struct sample *s = &f->bad_samples[(i - 1) % FIGURES_BAD_MAX];
        found |= str_is(code, s->about) && !strcmp(s->rule, LINE_FOREIGN);
    }
    pthread_mutex_unlock(&f->lock);
    return found;
}

/* Who has a log-in and names no line is one of MQTT. */
static bool is_of_line(const struct patient *p, const struct line_spec *s) {
    if (p->d.line_id) return s->id == p->d.line_id;
    return p->has_key && s->community_id == p->d.row.community_id && !strcmp(s->kind, "mqtt");
}

static void look_at_clock(struct figures *f, struct patient *p) {
    struct heard_device said;
    if (!heard_get(f->clocks, p->d.code, &said)) return;
    p->heard.skew_ms = said.skew_ms;
    p->heard.skew_at_ms = said.skew_at_ms;
}

static void look_at_line(struct line_set *l, struct patient *p) {
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->entries_n; i++)
        if (l->entries[i].figures && l->entries[i].spec.community_id == p->d.row.community_id &&
            was_refused_as_foreign(l->entries[i].figures, p->d.code))
            memcpy(p->elsewhere, l->entries[i].spec.name, sizeof p->elsewhere);
    for (size_t i = 0; i < l->entries_n; i++) {
        const struct line_entry *e = &l->entries[i];
        if (!is_of_line(p, &e->spec)) continue;
        p->has_line = true;
        p->spec = e->spec;
        p->line_state = e->state;
        memcpy(p->problem, e->problem, sizeof p->problem);
        struct figures *f = line_figures(l, e, &p->is_served);
        if (e->heard) p->is_heard = heard_get(e->heard, p->d.code, &p->heard);
        if (f && !p->is_heard) look_at_clock(f, p);
        if (f) {
            pthread_mutex_lock(&f->lock);
            memcpy(&p->f, f, sizeof p->f);
            pthread_mutex_unlock(&f->lock);
        }
    }
    pthread_mutex_unlock(&l->lock);
    const struct codec *codec = p->has_line ? codec_find(str_of(p->spec.kind)) : NULL;
    p->is_polled = codec && codec_is_asked(codec);
    p->is_datagrams = codec && codec->carrier == CARRIER_DATAGRAM;
    p->is_pushed = codec && codec_is_pushed(codec);
}

/* Who else is on its line, unknown, or under the same address. */
static enum err look_at_others(struct patient *p) {
    struct ctx *ctx = p->ctx;
    struct db_rows rows = {0};
    const struct str own = p->d.address.len ? p->d.address : p->d.code;
    if (!p->d.line_id) return OK;
    enum err e =
        db_query(ctx->db, &ctx->fault,
                 "SELECT code, CASE WHEN state = 'new' THEN 1 ELSE 0 END FROM devices WHERE line_id = $1 AND "
                 "id <> $2 AND archived_ms = 0 AND state <> 'retired' AND (state = 'new' OR (CASE WHEN "
                 "address IS NULL OR address = '' THEN code ELSE address END) = $3) ORDER BY state = 'new', "
                 "COALESCE(last_ms, 0) DESC, id LIMIT $4",
                 VALS(V_I64(p->d.line_id), V_I64(p->d.row.id), V_TEXT(own), V_I64(STRANGERS_MAX_SHOWN)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        struct str *to = db_i64(&rows, 1) ? &p->strangers[p->strangers_n++] : &p->twin;
        if (!arena_str(ctx->arena, db_text(&rows, 0), to)) e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    return e;
}

static enum err examine(struct line_set *l, struct patient *p) {
    struct ctx *ctx = p->ctx;
    struct telemetry_series *series = NULL;
    size_t n = 0;
    int64_t keys = 0;
    bool found;
    TRY(device_model_of(ctx, p->d.model, &p->model, &p->has_model));
    TRY(telemetry_latest(feed_telemetry(l->o.feed), p->d.row.community_id, &p->d.code, 1, (struct str){NULL, 0},
                         ctx->arena, &series, &n, &ctx->fault));
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM devices WHERE community_id = $1 AND code = $2 AND speaks <> '' AND archived_ms = 0",
                   VALS(V_I64(p->d.row.community_id), V_TEXT(gateway_of(p->d.code))), &p->gateway, &found));
    if (!found) p->gateway = 0;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT COUNT(*) FROM device_keys WHERE device_id = $1",
                   VALS(V_I64(p->gateway ? p->gateway : p->d.row.id)), &keys, &found));
    p->has_key = keys > 0;
    look_at_line(l, p);
    TRY(look_at_others(p));
    p->last_ms = p->heard.last_ms > p->d.last_ms ? p->heard.last_ms : p->d.last_ms;
    for (size_t i = 0; i < n; i++)
        if (series[i].has_latest && series[i].latest.at_ms > p->last_ms && series[i].latest.at_ms <= ctx->now_ms)
            p->last_ms = series[i].latest.at_ms; /* what is ahead tells its clock, not when it spoke */
    jw_open(p->j, '{');
    jw_kid(p->j, "device_id", p->d.row.id);
    if (p->last_ms) jw_ki64(p->j, "last_ms", p->last_ms);
    put_findings(p);
    if (p->is_heard) {
        jw_ki64(p->j, "frames", p->heard.frames);
        jw_ki64(p->j, "refusals", p->heard.refusals);
        jw_ki64(p->j, "silences", p->heard.silences);
    }
    if (p->d.state == DEVICE_NEW) TRY(line_guess(ctx, &p->d, p->has_line ? &p->spec : NULL, series, n, p->j));
    jw_close(p->j, '}');
    return OK;
}

enum err line_doctor(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct patient *p = arena_new(ctx->arena, struct patient, 1);
    struct buf b;
    struct str text;
    struct jw j;
    int64_t id = 0;
    if (!p) return FAIL_MEMORY(ctx);
    if (!str_to_i64(call->args[0], &id))
        return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such device");
    *p = (struct patient){.ctx = ctx, .j = &j};
    TRY(row_get(ctx, &devices, id, &p->d)); /* who may read the row may ask why it is silent */
    buf_init_arena(&b, ctx->arena, ANSWER_MAX);
    jw_init(&j, &b);
    TRY(examine(call->arg, p));
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}
