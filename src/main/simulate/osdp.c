/* Readers of doors that are polled: somebody holds a card to each every few seconds, and an output opens its door.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/osdp/osdp.h"
#include "main/simulate/slave.h"
#include "protocol/cursor.h"
#include "protocol/wiegand/wiegand.h"

#include <string.h>

#define EVERY_MS   5000 /* somebody comes */
#define TICK_MS    100  /* of OSDP's timers */
#define TELL_BYTES 4    /* of one OUT */
#define FORGETS_MS 8000 /* nothing was asked: it begins anew */
#define UNKNOWN    3    /* NAK: an unknown command */
#define NO_CHANNEL 5    /* NAK: no secure channel here */

enum { OUT_OFF = 1, OUT_ON, OUT_OFF_LATER_ON, OUT_ON_LATER_OFF, OUT_ON_FOR, OUT_OFF_FOR };

/* Of the list, or made up: one of 26 bits where it fits into that. */
static void next_card(struct slave_device *d, const char *cards, struct wiegand *ret) {
    struct str rest = str_of(cards), one = {NULL, 0};
    int64_t number = 0;
    size_t n = 1;
    for (size_t i = 0; i < rest.len; i++) n += rest.ptr[i] == ',';
    for (size_t nth = d->shown++ % n + 1; cards && nth && str_cut(&rest, ',', &one); nth--) continue;
    if (!str_to_i64(str_trim(one), &number) || number < 0 || number > UINT32_MAX)
        number = (int64_t)slave_around(d, 8000000, 4000);
    if (number >> 24)
        wiegand_make(34, 0, (uint32_t)number, ret);
    else
        wiegand_make(26, (uint32_t)number >> 16, (uint32_t)number & UINT16_MAX, ret);
}

static void poll(struct slave_device *d, const char *cards, int64_t now_ms, struct osdp_frame *f, struct buf *data) {
    struct wiegand card;
    if (now_ms - d->shown_ms < EVERY_MS) return; /* an acknowledgement */
    d->shown_ms = now_ms;
    next_card(d, cards, &card);
    f->code = OSDP_RAW;
    buf_char(data, 0); /* the reader itself */
    buf_char(data, 1); /* Wiegand */
    cursor_put_le(data, card.bits, 2);
    buf_add(data, card.data, (card.bits + 7) / 8);
}

static bool is_on(const struct slave_device *d, int64_t now_ms) {
    return d->coils & 1 || now_ms < d->open_until_ms;
}

static bool obey(struct slave_device *d, struct bytes told, int64_t now_ms) {
    if (told.len != TELL_BYTES || told.ptr[0] != 0) return false;
    int64_t for_ms = (told.ptr[2] | told.ptr[3] << 8) * TICK_MS;
    if (told.ptr[1] == OUT_ON || told.ptr[1] == OUT_ON_LATER_OFF || told.ptr[1] == OUT_OFF_LATER_ON) d->coils |= 1;
    if (told.ptr[1] == OUT_OFF) d->coils &= (uint16_t)~1u;
    if (told.ptr[1] == OUT_OFF) d->open_until_ms = 0;
    if (told.ptr[1] == OUT_ON_FOR) d->open_until_ms = now_ms + for_ms;
    return true;
}

static void answer(struct slave_device *d, const char *cards, const struct osdp_frame *q, int64_t now_ms,
                   struct osdp_frame *f, struct buf *data) {
    static const uint8_t id[] = {0x4c, 0x4e, 0x4c, 1, 1, 0, 0, 0, 0, 1, 0, 0};
    static const uint8_t can[] = {3, 1, 1 /* cards as bits */, 4, 1, 1 /* an LED */, 5, 1, 1 /* a buzzer */};
    f->code = OSDP_ACK;
    switch (q->code) {
    case OSDP_POLL: poll(d, cards, now_ms, f, data); return;
    case OSDP_ID:
        f->code = OSDP_PDID;
        buf_add(data, id, sizeof id);
        return;
    case OSDP_CAP:
        f->code = OSDP_PDCAP;
        buf_add(data, can, sizeof can);
        return;
    case OSDP_LSTAT:
        f->code = OSDP_LSTATR;
        buf_add(data, "\0\0", 2);
        return;
    case OSDP_ISTAT: /* the door's contact */
        f->code = OSDP_ISTATR;
        buf_char(data, is_on(d, now_ms));
        return;
    case OSDP_OUT:
        if (!obey(d, q->data, now_ms)) break;
        f->code = OSDP_OSTATR;
        buf_char(data, is_on(d, now_ms));
        return;
    case OSDP_OSTAT:
        f->code = OSDP_OSTATR;
        buf_char(data, is_on(d, now_ms));
        return;
    case OSDP_RSTAT:
        f->code = OSDP_RSTATR;
        buf_char(data, 0);
        return;
    case OSDP_LED:
    case OSDP_BUZ: return;
    default: break;
    }
    f->code = OSDP_NAK;
    buf_char(data, UNKNOWN);
}

/* ---- a packet ---- */

static void remember(struct slave_device *d, uint8_t sequence, const struct buf *said, int64_t now_ms) {
    d->said_n = said->len <= sizeof d->said ? said->len : 0;
    if (d->said_n) memcpy(d->said, said->ptr, d->said_n);
    d->said_ms = now_ms;
    d->sequence = sequence;
}

/* Numbers are 0 at the start, then 1, 2, 3, 1 …  With the last one the last answer is asked for again. */
static enum slave_heard hear_one(struct slave_device *d, const char *cards, const struct osdp_frame *q, int64_t now_ms,
                                 struct buf *out) {
    bool is_on_line = d->said_n && now_ms - d->said_ms < FORGETS_MS;
    bool is_next = !q->sequence || (is_on_line && q->sequence == d->sequence % 3 + 1);
    char mem[64];
    struct buf data;
    struct osdp_frame f = {
        .address = (uint8_t)d->number, .is_reply = true, .sequence = q->sequence, .has_sum = q->has_sum};
    if (q->sequence && is_on_line && q->sequence == d->sequence) {
        buf_add(out, d->said, d->said_n);
        d->said_ms = now_ms;
        return SLAVE_ANSWERS;
    }
    buf_init(&data, mem, sizeof mem);
    if (!is_next || q->security.ptr) {
        f.code = OSDP_NAK;
        buf_char(&data, is_next ? NO_CHANNEL : OSDP_WRONG_SEQUENCE);
    } else {
        answer(d, cards, q, now_ms, &f, &data);
    }
    f.data = (struct bytes){(const uint8_t *)mem, data.len};
    if (!osdp_encode(&f, out)) return SLAVE_NOT_OURS;
    if (is_next) remember(d, q->sequence, out, now_ms);
    return f.code == OSDP_NAK ? SLAVE_REFUSES : SLAVE_ANSWERS;
}

static enum slave_heard hear(struct slave_line *line, struct bytes whole, int64_t now_ms, struct buf *out) {
    struct osdp_frame q;
    struct wire_error e;
    enum slave_heard heard = SLAVE_NOT_OURS;
    if (!osdp_decode(whole, &q, &e) || q.is_reply) return SLAVE_NOT_OURS;
    for (size_t i = 0, n = 0; i < line->devices_n; i++) {
        char mem[SLAVE_FRAME_MAX];
        struct buf one;
        if (q.address != OSDP_ALL && q.address != line->devices[i].number) continue;
        buf_init(&one, mem, sizeof mem);
        enum slave_heard how = hear_one(&line->devices[i], line->cards, &q, now_ms, &one);
        if (how == SLAVE_NOT_OURS) continue;
        heard = how;
        slave_join(out, n++, (struct bytes){(const uint8_t *)mem, one.len});
    }
    return heard;
}

const struct slave_protocol slave_osdp = {.name = "osdp",
                                          .codec = &osdp_codec,
                                          .faults = (1u << SLAVE_DRIFT) - 1,
                                          .sum_at = 2,
                                          .first = 1,
                                          .last = OSDP_ADDRESS_MAX,
                                          .baud = 9600,
                                          .hear = hear};
