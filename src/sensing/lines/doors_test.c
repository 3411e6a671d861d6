/* Readers that are polled: whoever may pass is let in, over the line on which his card was read.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/slave.h"
#include "protocol/osdp/osdp.h"
#include "sensing/estate_test_internal.h"
#include "sensing/lines/lines.h"
#include "sensing/lines/lines_internal.h"

#include "kernel/outbox.h"

struct site {
    struct estate e;
    struct line_set *lines;
    struct slave_device device;
    struct slave_line line;
    int fd;            /* the reader's end of the line */
    int lit;           /* how often it was told of its light, and with which colour last */
    int light;         /* 1 red, 2 green */
    const char *typed; /* at it, a piece for each poll, blanks between; NULL: cards */
};
static int port; /* of the serial server */

static enum err a_door(struct ctx *ctx, struct estate *e) {
    static struct model_metric asked[] = {
        {.has = 0x601, .metric = {"poll", 4}, .item = {"poll", 4}, .every_s = 1},
        {.has = 0x601, .metric = {"output_0", 8}, .item = {"ostat", 5}, .every_s = 1}};
    static struct model_command told[] = {
        {.has = 0x39, .command = {"open", 4}, .item = {"out", 3}, .value = {"0 5 30", 6}, .dangerous = true},
        {.has = 0x19, .command = {"granted", 7}, .item = {"led", 3}, .value = {"0 0 2 1 0 2 0 30 0 0 0 0 0", 26}},
        {.has = 0x19, .command = {"refused", 7}, .item = {"led", 3}, .value = {"0 0 2 2 2 1 0 20 0 0 0 0 0", 26}}};
    struct device_model m = {0};
    struct line_row l = {.row.community_id = e->id};
    struct device d = {.row.community_id = e->id};
    struct pass p = {0};
    SET(&device_models, &m, code, S("reader"));
    SET(&device_models, &m, name, S("reader"));
    SET(&device_models, &m, metrics, (struct lines){asked, COUNT(asked)});
    SET(&device_models, &m, commands, (struct lines){told, COUNT(told)});
    TRY(row_create(ctx, &device_models, &m));
    SET(&line_rows, &l, name, S("readers"));
    SET(&line_rows, &l, kind, S("osdp"));
    SET(&line_rows, &l, reach, S("dial"));
    SET(&line_rows, &l, host, S("127.0.0.1"));
    SET(&line_rows, &l, port, port);
    SET(&line_rows, &l, enabled, true);
    TRY(row_create(ctx, &line_rows, &l));
    SET(&devices, &d, name, S("north door"));
    SET(&devices, &d, code, S("D-1"));
    SET(&devices, &d, model, S("reader"));
    SET(&devices, &d, address, S("5"));
    SET(&devices, &d, way, S("in"));
    SET(&devices, &d, line_id, l.row.id);
    SET(&devices, &d, place_id, e->id);
    TRY(row_create(ctx, &devices, &d));
    SET(&passes, &p, kind, S("card"));
    SET(&passes, &p, value, S("8065495"));
    SET(&passes, &p, place_id, e->id);
    TRY(row_create(ctx, &passes, &p));
    p = (struct pass){0};
    SET(&passes, &p, kind, S("code"));
    SET(&passes, &p, value, S("135790"));
    SET(&passes, &p, place_id, e->id);
    TRY(row_create(ctx, &passes, &p));
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                   UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"),
                   NULL);
}

static enum err deliver(struct ctx *ctx, struct estate *e) {
    size_t done;
    (void)e;
    return events_deliver(ctx, 100, &done);
}

static void type(struct site *s, const struct osdp_frame *q, struct buf *out) {
    struct str rest = str_of(s->typed), piece;
    uint8_t keys[16] = {0};
    struct osdp_frame f = {.address = q->address, .is_reply = true, .sequence = q->sequence, .code = OSDP_ACK};
    if (str_word(&rest, &piece)) {
        keys[1] = (uint8_t)piece.len;
        for (size_t i = 0; i < piece.len; i++) keys[2 + i] = piece.ptr[i] == '#' ? 0x0d : (uint8_t)piece.ptr[i];
        f.code = OSDP_KEYPAD;
        f.data = (struct bytes){keys, 2 + piece.len};
        s->typed = rest.ptr ? rest.ptr : "";
    }
    if (!osdp_encode(&f, out)) abort();
}

static void hear(struct site *s, struct bytes whole) {
    const struct world *w = &s->e.t->world;
    char mem[64];
    struct buf out;
    struct osdp_frame f;
    struct wire_error e;
    buf_init(&out, mem, sizeof mem);
    if (osdp_decode(whole, &f, &e) && f.code == OSDP_LED) {
        s->lit++;
        s->light = f.data.ptr[5];
    }
    if (s->typed && f.code == OSDP_POLL)
        type(s, &f, &out);
    else
        (void)slave_osdp.hear(&s->line, whole, w->utc_ms(w->self), &out);
    if (out.len) peer_send(s->fd, (struct str){mem, out.len});
}

/* Answers what is asked for a while, in which time goes on. */
static void answer_for(struct site *s, int64_t ms) {
    const struct world *w = &s->e.t->world;
    uint8_t in[300];
    size_t have = 0, len = 0;
    for (int64_t end_ms = w->utc_ms(w->self) + ms; w->utc_ms(w->self) < end_ms;) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        world_sim_advance(&s->e.t->sim, 50);
        estate_do(&s->e, deliver);
        if (poll(&p, 1, 5) != 1) continue;
        ssize_t n = recv(s->fd, in + have, sizeof in - have, 0);
        if (n <= 0) return;
        have += (size_t)n;
        for (enum frame what; have && (what = osdp_codec.frame((struct bytes){in, have}, &len)) != FRAME_SHORT;) {
            if (what == FRAME_WHOLE) hear(s, (struct bytes){in, len});
            memmove(in, in + len, have -= len);
        }
    }
}

static void start(struct site *s, struct t *t, const char *cards, int *ret_listener) {
    *s = (struct site){.fd = -1};
    *ret_listener = peer_listen(&port);
    estate_start(&s->e, t);
    estate_do(&s->e, a_door);
    slave_devices(&s->device, 1, 5, 1);
    s->line = (struct slave_line){&s->device, 1, cards};
    struct lines_options o = {.kernel = s->e.kernel,
                              .pool = s->e.pool,
                              .loop = s->e.loop.loop,
                              .world = &t->world,
                              .log = &s->e.log,
                              .feed = s->e.feed};
    CHECK(t, !lines_open(&o, &s->lines, &t->fault));
    test_loop_start(&s->e.loop);
    s->fd = accept(*ret_listener, NULL, NULL);
}

static void stop(struct site *s, int listener) {
    close(s->fd);
    close(listener);
    estate_stop(&s->e, (loop_fn *)lines_stop, s->lines);
    lines_free(s->lines);
}

static void whose_card_has_a_pass_is_let_in(struct t *t) {
    struct site s;
    int listener;
    start(&s, t, "8065495", &listener);
    answer_for(&s, 4000);
    static const char done[] = "SELECT COUNT(*) FROM commands WHERE command = 'open' AND state = 'done'";
    for (int i = 0; i < 10 && (s.light != 2 || !estate_count(&s.e, done)); i++) answer_for(&s, 50);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages WHERE granted AND direction = 'in'") == 1);
    CHECK_SAY(t, s.device.open_until_ms && s.light == 2, "light %d", s.light);
    CHECK(t, estate_count(&s.e, done) == 1);
    int64_t opened = s.device.open_until_ms;
    answer_for(&s, 5000); /* he stands there still: the same passage, and the door opens again */
    for (int i = 0; i < 40 && s.device.open_until_ms <= opened; i++) answer_for(&s, 100);
    CHECK(t, s.device.open_until_ms > opened);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages") == 1);
    struct figures *f = s.lines->entries[0].figures;
    bool is_kept = false;
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < FIGURES_GOOD_MAX; i++)
        for (size_t k = 0; k + 4 <= FIGURES_GOOD_BYTES; k++)
            is_kept |= !memcmp(f->good_bytes[i] + k, "\x01\x1a\x00\xbd", 4); /* format, bits, the card */
    pthread_mutex_unlock(&f->lock);
    CHECK(t, !is_kept);
    stop(&s, listener);
}

static void whose_card_has_none_sees_red(struct t *t) {
    struct site s;
    int listener;
    start(&s, t, "77", &listener);
    answer_for(&s, 8000);
    for (int i = 0; i < 40 && s.lit < 2; i++) answer_for(&s, 500); /* workers take their own time */
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages WHERE why = 'unknown'") == 1);
    CHECK_SAY(t, !s.device.open_until_ms && s.lit == 2 && s.light == 1, "lit %d, light %d", s.lit, s.light);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM commands WHERE command = 'open'") == 0);
    stop(&s, listener);
}

static void a_code_is_typed_key_by_key(struct t *t) {
    struct site s;
    int listener;
    start(&s, t, "77", &listener);
    s.typed = "13 5 79 0#";
    answer_for(&s, 12000);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages WHERE kind = 'code' AND granted") == 1);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM passages") == 1 && s.device.open_until_ms && s.light == 2);
    stop(&s, listener);
}

TESTS(CASE(whose_card_has_a_pass_is_let_in), CASE(a_code_is_typed_key_by_key), CASE(whose_card_has_none_sees_red))
