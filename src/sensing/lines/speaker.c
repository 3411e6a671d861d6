/* Connections of devices that speak by themselves: frames split, decoded, on their way into the store, answered; and
 * what such a device is told in between.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/line_internal.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CAP   ((size_t)1 << 20)
#define JOINED_CAP  ((size_t)16 << 20) /* where a message may come in many frames */
#define READ_MAX    65536              /* what one read may bring on top of a frame */
#define KEEP_FIRST  2048
#define RUN_MAX     4096 /* bytes that are no frame become a sample at the latest then */
#define ANSWER_MS   15000
#define TOLD_MAX    200  /* of each text of an order */
#define WRONG_MAX   5    /* frames in a row with a wrong password */
#define MISSING_MAX 2048 /* bytes that ask for what is missing */
#define NAMES_MAX   64   /* devices of one connection that can be told something */
#define STEPS_MAX   512  /* of one connection, until the others have their turn */
#define SUMS_FIRST  8    /* longest frames that may be summed up in vain, besides */
#define SUMS_A_BYTE 8    /* bytes that may be summed up for each that came: one or two are usual */
#define REKEY       (-1) /* as a command's number: the line itself tells a device its other password */

/* What a device was told and has not answered yet. */
struct told {
    int64_t command_id; /* 0: nothing */
    int64_t until_us;
    uint8_t serial;
    int64_t now_s;
    char device[TELEMETRY_DEVICE_MAX + 1], item[TOLD_MAX + 1], value[TOLD_MAX + 1], key[TOLD_MAX + 1];
};
struct named { /* a device that speaks over the connection, behind a concentrator one of several */
    char device[TELEMETRY_DEVICE_MAX + 1];
    int64_t heard_us;
    struct told *told; /* NULL: nothing ever */
};
struct speaker { /* a connection */
    struct line *line;
    struct tcp_conn *conn; /* NULL once it is gone */
    struct speaker *next, *prev;
    char peer[46], who[TELEMETRY_DEVICE_MAX + 1]; /* spoke last */
    uint8_t *keep;                                /* NULL: nothing waits */
    size_t at, have, cap;                         /* what waits begins at `at` */
    struct followed followed;
    size_t sums;                    /* bytes that may be summed up still */
    int64_t heard_us;               /* when bytes came last */
    uint8_t run[FIGURES_BAD_BYTES]; /* bytes in a row that are no frame: the first of them */
    size_t run_n;                   /* and how many there are */
    int wrong_n;                    /* frames in a row with a wrong password */
    bool is_over;                   /* it was hung up on: what still comes is not read */
    bool waiting;                   /* an answer is due */
    bool is_going;                  /* go_on() is at it */
    struct loop_task turn;          /* when it is its turn again */
    int refs;                       /* the connection, and the answer under way */
    void *kept;                     /* the codec's: of messages that come in parts; NULL: there was none yet */
    struct arena arena;
    char answer[512];
    size_t answer_n;
    struct intake intake;
    struct named *names;
    size_t names_n, names_cap;
    uint8_t serial; /* of what was told last */
};

static void release(struct speaker *s) {
    if (--s->refs) return;
    line_release(s->line);
    arena_finish(&s->arena);
    for (size_t i = 0; i < s->names_n; i++) free(s->names[i].told);
    free(s->names);
    free(s->kept);
    free(s->keep);
    free(s);
}

static void go_on(struct speaker *s);

/* ---- a frame's way: into the store, then the answer ---- */

static void answer(struct speaker *s) {
    s->waiting = false;
    if (s->conn) {
        if (s->answer_n && tcp_write(s->conn, (struct bytes){(const uint8_t *)s->answer, s->answer_n})) s->answer_n = 0;
        tcp_resume(s->conn);
        if (!s->is_going) go_on(s);
    }
    release(s);
}

/* What it said is not in the store: not answered, so the device says it again. */
static void taken(void *arg, bool is_stored) {
    struct speaker *s = arg;
    if (!is_stored) {
        FIGURES_ADD(s->line->o.figures, unanswered, 1);
        s->answer_n = 0;
    }
    intake_note_refused(&s->intake, s->line->o.figures, s->peer);
    answer(s);
}

/* ---- what is no frame ---- */

static void run_end(struct speaker *s) {
    struct line *l = s->line;
    struct decoded d;
    struct wire_error e = {"these bytes are no frame", 0};
    size_t kept = s->run_n < sizeof s->run ? s->run_n : sizeof s->run;
    if (!s->run_n) return;
    if (l->o.codec->decode && l->o.codec->decode((struct bytes){s->run, kept}, &s->arena, &d, &e))
        e = (struct wire_error){"these bytes are no frame", 0};
    struct sample x = line_sample(l, s->peer, s->run_n, &e);
    utf8_copy(x.about, sizeof x.about, str_of(s->who));
    utf8_copy(x.device, sizeof x.device, str_of(s->who));
    figures_bad(l->o.figures, &x, (struct bytes){s->run, kept}, true);
    s->run_n = 0;
}

static void run_add(struct speaker *s, struct bytes skipped) {
    if (s->run_n < sizeof s->run) {
        size_t room = sizeof s->run - s->run_n;
        memcpy(s->run + s->run_n, skipped.ptr, skipped.len < room ? skipped.len : room);
    }
    s->run_n += skipped.len;
    if (s->run_n >= RUN_MAX) run_end(s);
}

/* ---- whose connection it is ---- */

static bool copy(char *ret, size_t size, struct str s) {
    if (s.len >= size) return false;
    if (s.len) memcpy(ret, s.ptr, s.len);
    ret[s.len] = 0;
    return true;
}

static struct named *named_at(struct speaker *s, struct str device) {
    for (size_t i = 0; i < s->names_n; i++)
        if (str_is(device, s->names[i].device)) return &s->names[i];
    return NULL;
}

static bool is_told(const struct named *n) {
    return n->told && n->told->command_id;
}

/* Room for one more; at the bound of him who was silent longest and waits for nothing.  NULL: there is none. */
static struct named *room_for_name(struct speaker *s) {
    struct named *oldest = NULL;
    if (s->names_n == s->names_cap && s->names_cap < NAMES_MAX) {
        size_t cap = s->names_cap ? s->names_cap * 4 : 1;
        struct named *grown = realloc(s->names, cap * sizeof *grown);
        if (!grown) return NULL;
        s->names = grown;
        s->names_cap = cap;
    }
    if (s->names_n < s->names_cap) {
        s->names[s->names_n] = (struct named){.told = NULL};
        return &s->names[s->names_n++];
    }
    for (size_t i = 0; i < s->names_n; i++)
        if (!is_told(&s->names[i]) && (!oldest || s->names[i].heard_us < oldest->heard_us)) oldest = &s->names[i];
    return oldest;
}

/* It spoke, and may be told something over this connection. */
static struct named *name_it(struct speaker *s, struct str who) {
    struct named *n = named_at(s, who);
    if (!copy(s->who, sizeof s->who, who)) return NULL;
    if (!n && (n = room_for_name(s))) (void)copy(n->device, sizeof n->device, who);
    if (n) n->heard_us = s->line->o.world->mono_us(s->line->o.world->self);
    return n;
}

/* Somebody spoke in its name who could not prove it. */
static void unname(struct speaker *s, struct str who) {
    struct named *n = named_at(s, who);
    if (str_is(who, s->who)) s->who[0] = 0;
    if (!n) return;
    n->device[0] = 0;
    n->heard_us = INT64_MIN; /* it makes room first */
}

/* ---- what it is told ---- */

static struct question question_of(const struct told *t) {
    return (struct question){.address = str_of(t->device),
                             .item = str_of(t->item),
                             .value = t->value[0] ? str_of(t->value) : (struct str){NULL, 0},
                             .key = t->key[0] ? str_of(t->key) : (struct str){NULL, 0},
                             .now_s = t->now_s,
                             .serial = t->serial};
}

static void told_ends(struct speaker *s, struct told *t, bool is_done, const char *why) {
    struct line *l = s->line;
    int64_t id = t->command_id;
    t->command_id = 0;
    if (id > 0 && l->o.told) l->o.told(l->o.arg, id, is_done, str_of(why));
    if (id == REKEY && s->conn) presence_rekeyed(l, str_of(t->device));
}

static int64_t answer_until(const struct line *l) {
    return l->o.world->mono_us(l->o.world->self) + ANSWER_MS * INT64_C(1000);
}

static void hear_one(struct speaker *s, struct told *t, struct bytes whole) {
    struct question q = question_of(t);
    struct buf data;
    const char *why = "refused";
    buf_init_arena(&data, &s->arena, s->line->o.codec->frame_max + 1);
    enum answer answer = s->line->o.codec->asking->answers(&q, whole, &data, &why);
    if (answer == ANSWER_WHOLE) {
        presence_await(s->line, &q);
        told_ends(s, t, true, "");
    }
    if (answer == ANSWER_REFUSED) told_ends(s, t, false, why);
    if (answer == ANSWER_MORE) t->until_us = answer_until(s->line);
}

/* The frame goes its way all the same: what it says is kept, too. */
static void hear_answer(struct speaker *s, struct bytes whole) {
    for (size_t i = 0; i < s->names_n; i++)
        if (is_told(&s->names[i])) hear_one(s, s->names[i].told, whole);
}

static bool tell(struct speaker *s, struct named *n, const struct line_order *o, const char **ret_why) {
    const struct line_options *line = &s->line->o;
    int64_t now_ms = line_now_ms(s->line);
    struct told t = {.command_id = o->command_id,
                     .until_us = answer_until(s->line),
                     .serial = ++s->serial,
                     .now_s = now_ms / 1000 + zone_offset_s(line->zone, now_ms)};
    struct buf b;
    struct str frame;
    bool fits = copy(t.device, sizeof t.device, o->device) && copy(t.item, sizeof t.item, o->item) &&
                copy(t.value, sizeof t.value, o->value) && copy(t.key, sizeof t.key, o->key);
    struct question q = question_of(&t);
    struct arena arena;
    if (!n->told) n->told = calloc(1, sizeof *n->told);
    arena_init(&arena, ARENA_CAP);
    buf_init_arena(&b, &arena, line->codec->frame_max + 1);
    bool ok = n->told && fits && line->codec->asking->ask(&q, &b) && buf_done(&b, &frame) && frame.len;
    *ret_why = "its protocol cannot say this";
    if (ok && tcp_write(s->conn, (struct bytes){(const uint8_t *)frame.ptr, frame.len})) {
        *ret_why = "its connection is gone";
        ok = false;
    }
    arena_finish(&arena);
    if (ok) *n->told = t;
    return ok;
}

/* Where it spoke last, if it came back over another connection. */
static struct named *find(struct line *l, struct str device, struct speaker **ret) {
    struct named *last = NULL;
    for (struct speaker *s = l->speakers; s; s = s->next) {
        struct named *n = named_at(s, device);
        if (!n || (last && last->heard_us >= n->heard_us)) continue;
        last = n;
        *ret = s;
    }
    return last;
}

bool speakers_tell(struct line *l, const struct line_order *o, const char **ret_why) {
    const char *rekey = l->o.codec->asking->rekey;
    struct speaker *s;
    struct named *n = find(l, o->device, &s);
    *ret_why = "it is not connected";
    if (!n) return false;
    *ret_why = "it is told another password by the step set_password of its row";
    if (rekey && str_is(o->item, rekey)) return false; /* many read what a command says */
    *ret_why = "it has not answered what it was told before";
    return !is_told(n) && tell(s, n, o, ret_why);
}

/* Its row has another password than the one that it showed.  Taken or not, that is over then. */
static void rekey(struct speaker *s, struct named *n, const struct line_device *d) {
    const char *ignored;
    const struct line_order o = {.command_id = REKEY,
                                 .device = d->code,
                                 .item = str_of(s->line->o.codec->asking->rekey),
                                 .value = d->password,
                                 .key = d->former};
    if (!is_told(n) && !tell(s, n, &o, &ignored)) presence_rekeyed(s->line, d->code);
}

/* ---- splitting ---- */

static struct str who_of(const struct decoded *d) {
    return d->sender.len   ? d->sender
           : d->readings_n ? d->readings[0].device
           : d->events_n   ? d->events[0].device
                           : (struct str){NULL, 0};
}

/* Of a device that has a password only one that knows it; the one that its row had before is good until the device was
 * told the other. */
static enum claim claim_of(struct speaker *s, struct bytes whole, struct line_device *d, bool *ret_is_former,
                           struct wire_error *reterr) {
    const struct codec *codec = s->line->o.codec;
    struct wire_error ignored;
    *ret_is_former = false;
    if (!codec->prove || !d || !d->password.len) return CLAIM_PROVEN;
    enum claim claim = codec->prove(whole, d->password, reterr);
    if (claim == CLAIM_PROVEN) presence_rekeyed(s->line, d->code);
    if (claim != CLAIM_WRONG || !d->former.len) return claim;
    *ret_is_former = codec->prove(whole, d->former, &ignored) == CLAIM_PROVEN;
    return *ret_is_former ? CLAIM_PROVEN : CLAIM_WRONG;
}

/* Orders go to whom a connection is. */
static bool is_proved(struct speaker *s, struct bytes whole, struct str who, struct wire_error *reterr) {
    struct line_device *d = s->line->o.codec->prove ? asked_at(s->line->plan, who) : NULL;
    struct named *n = NULL;
    bool is_former;
    enum claim claim = claim_of(s, whole, d, &is_former, reterr);
    if (claim == CLAIM_WRONG) {
        unname(s, who);
        s->wrong_n++;
        return false;
    }
    if (claim == CLAIM_PROVEN && who.len) n = name_it(s, who);
    if (claim == CLAIM_PROVEN) s->wrong_n = 0;
    if (is_former && n) rekey(s, n, d);
    return true;
}

/* Some name themselves when they log in and never again: what names nobody is of whom the connection is.  False: it is
 * nobody's. */
static bool give_name(struct speaker *s, struct decoded *d) {
    struct reading *readings = arena_new(&s->arena, struct reading, d->readings_n + 1);
    struct device_event *events = arena_new(&s->arena, struct device_event, d->events_n + 1);
    struct str who = str_of(s->who);
    bool ok = readings && events;
    for (size_t i = 0; ok && i < d->readings_n; i++) {
        readings[i] = d->readings[i];
        if (!readings[i].device.len) readings[i].device = who;
        ok = readings[i].device.len;
    }
    for (size_t i = 0; ok && i < d->events_n; i++) {
        events[i] = d->events[i];
        if (!events[i].device.len) events[i].device = who;
        ok = events[i].device.len;
    }
    d->readings = readings;
    d->events = events;
    return ok;
}

static int64_t mono_ms(const struct line *l) {
    return l->o.world->mono_us(l->o.world->self) / 1000;
}

static bool understand(struct speaker *s, struct bytes whole, struct decoded *ret, struct wire_error *reterr) {
    const struct codec *codec = s->line->o.codec;
    const struct joining *j = codec->joining;
    if (!j || !j->is_part(whole)) return codec->decode(whole, &s->arena, ret, reterr);
    if (!s->kept) s->kept = calloc(1, j->bytes);
    if (s->kept) return j->join(s->kept, whole, mono_ms(s->line), &s->arena, ret, reterr);
    *reterr = (struct wire_error){"out of memory", 0};
    return false;
}

/* Of messages in parts: not all came, or is late. */
static void ask_for_missing(struct speaker *s) {
    struct line *l = s->line;
    struct wire_error e = {0};
    struct buf b;
    char mem[MISSING_MAX];
    buf_init(&b, mem, sizeof mem);
    if (!l->o.codec->joining->missing(s->kept, mono_ms(l), &b, &e)) {
        struct sample x = line_sample(l, s->peer, 0, &e);
        utf8_copy(x.about, sizeof x.about, str_of(s->who));
        figures_bad(l->o.figures, &x, (struct bytes){NULL, 0}, false);
    }
    if (b.len && !b.overflow) (void)!tcp_write(s->conn, (struct bytes){(const uint8_t *)mem, b.len});
}

static void forget_all(struct speaker *s) {
    s->at = s->have = 0;
    s->followed = (struct followed){0};
}

/* What came behind is not looked at. */
static void hang_up(struct speaker *s) {
    s->answer_n = 0;
    forget_all(s);
    s->is_over = true;
    tcp_close(s->conn);
}

/* ret_about: whose frame it is where that matters to whoever looks for the fault. */
static bool accept(struct speaker *s, struct bytes whole, struct decoded *ret, struct str *ret_about,
                   struct wire_error *reterr) {
    struct line *l = s->line;
    bool ok = understand(s, whole, ret, reterr);
    *ret_about = ok || ret->sender.len ? who_of(ret) : str_of(s->who);
    if (!ok) return false;
    if (!is_proved(s, whole, *ret_about, reterr)) return false;
    *ret_about = str_of(s->who);
    *reterr = (struct wire_error){"nobody has logged in on this connection", 0};
    if (!give_name(s, ret)) return false;
    *reterr = (struct wire_error){LINE_FOREIGN, 0};
    return intake_is_of(&l->site, l->o.id, ret);
}

/* `whole` lives in the speaker's arena until the answer. */
static void take_frame(struct speaker *s, struct bytes whole) {
    struct line *l = s->line;
    struct wire_error e = {0};
    struct decoded decoded = {0};
    struct str about;
    struct buf b;
    int64_t now = line_now_ms(l);
    bool ok = accept(s, whole, &decoded, &about, &e);
    bool is_understood = ok && !decoded.strange;
    if (ok && decoded.strange) e = (struct wire_error){decoded.strange, 0};
    struct sample x = line_sample(l, s->peer, whole.len, is_understood ? NULL : &e);
    if (!is_understood) utf8_copy(x.about, sizeof x.about, about);
    utf8_copy(x.device, sizeof x.device, ok ? figures_device(&decoded, str_of(s->who)) : about);
    if (is_understood)
        figures_good(l->o.figures, &x, whole);
    else
        figures_bad(l->o.figures, &x, whole, false);
    buf_init(&b, s->answer, sizeof s->answer);
    if (l->o.codec->reply) l->o.codec->reply(whole, ok, now / 1000 + zone_offset_s(l->o.zone, now), &b);
    s->answer_n = b.overflow ? 0 : b.len;
    s->waiting = true;
    s->refs++;
    tcp_pause(s->conn);
    if (!ok) {
        if (s->wrong_n >= WRONG_MAX) hang_up(s);
        answer(s);
        return;
    }
    hear_answer(s, whole);
    presence_hear(l, who_of(&decoded).len ? decoded.sender : str_of(s->who), &decoded);
    intake_take(&s->intake, &decoded, &s->arena, 0);
}

static struct bytes waits(const struct speaker *s) {
    return (struct bytes){s->keep + s->at, s->have};
}

static void to_front(struct speaker *s) {
    if (s->at && s->have) memmove(s->keep, s->keep + s->at, s->have);
    s->at = 0;
}

/* Most connections keep nothing most of the time; of some a little waits where there was much. */
static void give_back(struct speaker *s) {
    size_t cap = s->have * 2 > KEEP_FIRST ? s->have * 2 : KEEP_FIRST;
    arena_finish(&s->arena);
    to_front(s);
    if (!s->have) {
        free(s->keep);
        s->keep = NULL;
        s->cap = 0;
    } else if (s->cap / 2 > cap) {
        uint8_t *less = realloc(s->keep, cap);
        if (!less) return;
        s->keep = less;
        s->cap = cap;
    }
}

static void names_tick(struct speaker *s, int64_t now_us) {
    for (size_t i = 0; i < s->names_n; i++) {
        const struct named *n = &s->names[i];
        if (is_told(n) && now_us >= n->told->until_us) told_ends(s, n->told, false, "no answer");
        if (s->waiting)
            presence_hear(s->line, str_of(n->device), &(struct decoded){0}); /* it is we who do not listen */
    }
}

void speakers_tick(struct line *l) {
    int64_t now_us = l->o.world->mono_us(l->o.world->self);
    for (struct speaker *s = l->speakers; s; s = s->next) {
        names_tick(s, now_us);
        if (s->kept && l->o.codec->joining->missing && !s->waiting) ask_for_missing(s);
        if (s->waiting || now_us - s->heard_us < LINE_PARTIAL_MS * INT64_C(1000)) continue;
        if (s->have) run_add(s, waits(s));
        forget_all(s);
        run_end(s);
        give_back(s);
    }
    presence_tick(l);
}

bool speakers_rest(const struct line *l) {
    for (const struct speaker *s = l->speakers; s; s = s->next)
        if (s->keep || s->arena.blocks) return false;
    return true;
}

static enum frame look(struct speaker *s, size_t *ret_len) {
    const struct codec *codec = s->line->o.codec;
    size_t before = s->followed.summed;
    enum frame f = codec->follow ? codec->follow(waits(s), &s->followed, ret_len) : codec->frame(waits(s), ret_len);
    size_t cost = s->followed.summed - before;
    s->sums = s->sums > cost ? s->sums - cost : 0;
    return f;
}

static struct bytes drop(struct speaker *s, size_t n) {
    struct bytes gone = {s->keep + s->at, n};
    s->at += n;
    s->have -= n;
    return gone;
}

/* The sum of each frame that lies in others would be looked at: a thousand times what came. */
static void give_up(struct speaker *s) {
    struct wire_error e = {WIRE_LIMIT "beginnings of frames that are none, one within the other", 0};
    struct sample x = line_sample(s->line, s->peer, s->have, &e);
    struct bytes shown = waits(s);
    if (shown.len > FIGURES_BAD_BYTES) shown.len = FIGURES_BAD_BYTES;
    run_end(s);
    utf8_copy(x.about, sizeof x.about, str_of(s->who));
    utf8_copy(x.device, sizeof x.device, str_of(s->who));
    figures_bad(s->line->o.figures, &x, shown, true);
    forget_all(s);
    s->is_over = true;
    tcp_drop(s->conn); /* at once: he would go on */
}

/* The next of what waits is taken or dropped.  False: more bytes are needed. */
static bool step(struct speaker *s) {
    size_t len = 0;
    enum frame f = look(s, &len);
    if (!s->sums) give_up(s);
    if (f == FRAME_SHORT || s->is_over) return false;
    if (f == FRAME_SKIP) {
        run_add(s, drop(s, len));
        return true;
    }
    run_end(s);
    arena_reset(&s->arena);
    uint8_t *whole = arena_alloc(&s->arena, len, 1, 1);
    if (!whole) { /* no memory for a frame: the device says it again */
        hang_up(s);
        return false;
    }
    memcpy(whole, drop(s, len).ptr, len);
    take_frame(s, (struct bytes){whole, len});
    return true;
}

static void turn(void *arg) {
    struct speaker *s = arg;
    if (s->conn) {
        tcp_resume(s->conn);
        go_on(s);
    }
    release(s);
}

/* Splits what is kept until an answer is due or more bytes are needed.  A frame that is answered at once comes back
 * here: the next one is the loop's, not the stack's. */
static void go_on(struct speaker *s) {
    size_t steps = 0;
    s->is_going = true;
    while (steps < STEPS_MAX && s->conn && !s->waiting && s->have && step(s)) steps++;
    s->is_going = false;
    if (steps == STEPS_MAX && s->conn && !s->waiting && s->have) {
        s->refs++;
        tcp_pause(s->conn);
        loop_post_task(s->line->loop, &s->turn);
        return;
    }
    if (!s->waiting) give_back(s);
}

/* ---- the connection ---- */

void speaker_open(struct line *l, struct tcp_conn *conn) {
    struct speaker *s = calloc(1, sizeof *s);
    if (!s) {
        tcp_close(conn);
        return;
    }
    *s = (struct speaker){.line = l, .conn = conn, .refs = 1, .next = l->speakers};
    s->sums = l->o.codec->frame_max * SUMS_FIRST;
    s->turn = (struct loop_task){.fn = turn, .arg = s};
    s->intake = (struct intake){.site = &l->site, .done = taken, .arg = s, .peer = s->peer, .conn = ++l->conns};
    utf8_copy(s->peer, sizeof s->peer, tcp_peer(conn));
    if (s->next) s->next->prev = s;
    l->speakers = s;
    l->refs++;
    arena_init(&s->arena, l->o.codec->joining ? JOINED_CAP : ARENA_CAP);
    tcp_set_user(conn, s);
}

/* Room for `more` bytes; a line keeps at most two frames and what one read brings. */
static bool make_room(struct speaker *s, size_t more) {
    size_t need = s->have + more, cap = s->cap ? s->cap : KEEP_FIRST;
    if (need > s->line->o.codec->frame_max * 2 + READ_MAX) return false;
    to_front(s);
    while (cap < need) cap *= 2;
    uint8_t *grown = cap == s->cap ? s->keep : realloc(s->keep, cap);
    if (!grown) return false;
    s->keep = grown;
    s->cap = cap;
    return true;
}

/* What nobody needed is not saved up: it would be spent at once. */
static void earn(struct speaker *s, size_t bytes) {
    size_t most = (s->line->o.codec->frame_max * 2 + READ_MAX) * SUMS_A_BYTE;
    s->sums += bytes * SUMS_A_BYTE;
    if (s->sums > most) s->sums = most;
}

void speaker_bytes(struct tcp_conn *conn, struct bytes bytes) {
    struct speaker *s = tcp_user(conn);
    if (!s || s->is_over) return;
    s->heard_us = s->line->o.world->mono_us(s->line->o.world->self);
    if (!make_room(s, bytes.len)) { /* cannot be while reads are paused, but for want of memory */
        tcp_close(conn);
        return;
    }
    memcpy(s->keep + s->have, bytes.ptr, bytes.len);
    s->have += bytes.len;
    earn(s, bytes.len);
    go_on(s);
}

void speaker_gone(struct tcp_conn *conn) {
    struct speaker *s = tcp_user(conn);
    if (!s) return;
    s->conn = NULL;
    for (size_t i = 0; i < s->names_n; i++)
        if (is_told(&s->names[i])) told_ends(s, s->names[i].told, false, "its connection was lost before an answer");
    if (s->have && !s->waiting) run_add(s, waits(s));
    run_end(s);
    if (s->prev)
        s->prev->next = s->next;
    else
        s->line->speakers = s->next;
    if (s->next) s->next->prev = s->prev;
    release(s);
}
