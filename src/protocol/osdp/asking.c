/* OSDP as a panel: questions, and what answers them.  They are numbered (sequence): to one that is said again with its
 * number a device says its last reply again, so that no card is lost and no door opens twice.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/osdp/osdp_internal.h"

#include "protocol/cursor.h"

#define EVERYBODY  "127" /* who is alone on the bus answers to it */
#define FORGETS_MS 8000  /* behind such a silence a device is offline, and begins anew */

static bool read_address(struct str text, uint8_t *ret) {
    int64_t n;
    if (!str_to_number(text, OSDP_ALL, &n)) return false;
    *ret = (uint8_t)n;
    return true;
}

/* 0 begins anew, then 1, 2, 3, 1 …  Who answers to all is not known. */
static uint8_t sequence_of(const struct question *q) {
    return q->nth && !str_is(q->address, EVERYBODY) ? (uint8_t)(1 + (q->nth - 1) % 3) : 0;
}

static bool is_known_again(const struct question *q) {
    return sequence_of(q);
}

/* Commands that ask come without a value, those that tell have one; others cannot be given from here.  Without an item
 * it is asked who it is; nothing else is asked of all. */
static const struct osdp_layout *command_of(const struct question *q) {
    static const struct {
        uint8_t code;
        bool tells;
    } all[] = {{OSDP_POLL, false},  {OSDP_ID, false},    {OSDP_CAP, false}, {OSDP_LSTAT, false}, {OSDP_ISTAT, false},
               {OSDP_OSTAT, false}, {OSDP_RSTAT, false}, {OSDP_OUT, true},  {OSDP_LED, true},    {OSDP_BUZ, true}};
    const struct osdp_layout *l = q->item.len ? osdp_layout_named(false, q->item) : osdp_layout_of(false, OSDP_ID);
    bool is_all = str_is(q->address, EVERYBODY);
    for (size_t i = 0; l && i < COUNT(all); i++)
        if (all[i].code == l->code) return all[i].tells == !!q->value.ptr && (!is_all || l->code == OSDP_ID) ? l : NULL;
    return NULL;
}

/* The fields in their order, blanks between: "0 5 30" turns output 0 on for 3 s. */
static bool put_value(const struct osdp_layout *l, struct str value, struct buf *data) {
    struct str word;
    for (size_t i = 0; i < osdp_fields(l); i++) {
        int64_t n, most = (INT64_C(1) << 8 * l->fields[i].bytes) - 1;
        if (!str_word(&value, &word) || !str_to_i64(word, &n) || n < 0 || n > most) return false;
        cursor_put_le(data, (uint64_t)n, l->fields[i].bytes);
    }
    return !str_word(&value, &word);
}

static bool ask(const struct question *q, struct buf *out) {
    char mem[32];
    struct buf data;
    const struct osdp_layout *l = command_of(q);
    struct osdp_frame f = {0};
    buf_init(&data, mem, sizeof mem);
    if (!l || !read_address(q->address, &f.address)) return false;
    if (q->value.ptr && !put_value(l, q->value, &data)) return false;
    if (!q->value.ptr)
        for (size_t i = 0; i < osdp_record_bytes(l); i++) buf_char(&data, 0);
    f.code = l->code;
    f.sequence = sequence_of(q);
    f.data = (struct bytes){(const uint8_t *)mem, data.len};
    return osdp_encode(&f, out);
}

/* To a poll a device says whatever it has; to others what belongs to them. */
static bool belongs(uint8_t command, uint8_t reply) {
    static const struct {
        uint8_t command, reply;
    } pairs[] = {{OSDP_ID, OSDP_PDID},      {OSDP_CAP, OSDP_PDCAP},    {OSDP_LSTAT, OSDP_LSTATR},
                 {OSDP_ISTAT, OSDP_ISTATR}, {OSDP_OSTAT, OSDP_OSTATR}, {OSDP_RSTAT, OSDP_RSTATR},
                 {OSDP_OUT, OSDP_OSTATR},   {OSDP_OUT, OSDP_ACK},      {OSDP_LED, OSDP_ACK},
                 {OSDP_BUZ, OSDP_ACK}};
    for (size_t i = 0; i < COUNT(pairs); i++)
        if (pairs[i].command == command && pairs[i].reply == reply) return true;
    return command == OSDP_POLL;
}

static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct osdp_frame f;
    struct wire_error ignored;
    uint8_t address;
    const struct osdp_layout *l = command_of(q);
    if (!l || !read_address(q->address, &address) || !osdp_decode(whole, &f, &ignored) || !f.is_reply ||
        (f.address != address && address != OSDP_ALL) || f.sequence != sequence_of(q))
        return ANSWER_OTHER;
    if (f.security.ptr) { /* it speaks within a channel, to which we have no keys */
        *ret_why = osdp_refusal(OSDP_NEEDS_CHANNEL);
        return ANSWER_REFUSED;
    }
    if (f.code == OSDP_NAK) {
        *ret_why = f.data.len ? osdp_refusal(f.data.ptr[0]) : NULL;
        if (!*ret_why) *ret_why = "other";
        return f.sequence && f.data.len && f.data.ptr[0] == OSDP_WRONG_SEQUENCE ? ANSWER_ANEW : ANSWER_REFUSED;
    }
    if (f.code == OSDP_BUSY) {
        *ret_why = "busy";
        return ANSWER_REFUSED;
    }
    if (!belongs(l->code, f.code)) return ANSWER_OTHER;
    buf_char(data, (char)f.address); /* of all it is not known before */
    buf_char(data, (char)f.code);
    buf_add(data, f.data.ptr, f.data.len);
    return ANSWER_WHOLE;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    (void)q;
    if (data.len >= 2 && data.ptr[0] < OSDP_ALL)
        return osdp_say(data.ptr[0], data.ptr[1], (struct bytes){data.ptr + 2, data.len - 2}, a, ret, reterr);
    *reterr = (struct wire_error){"OSDP address: it is a number from 0 to 126", 0};
    return false;
}

static bool find(size_t nth, struct question *ret) {
    *ret = (struct question){.address = S(EVERYBODY), .item = S("")};
    return nth == 0;
}

/* An output holds the door's lock. */
static bool moves(const struct question *q) {
    const struct osdp_layout *l = command_of(q);
    return l && l->code == OSDP_OUT;
}

const struct asking osdp_asking = {.ask = ask,
                                   .answers = answers,
                                   .read = understand,
                                   .find = find,
                                   .finds_all = true,
                                   .addresses = "0",
                                   .only_told = "out led buz",
                                   .forgets_ms = FORGETS_MS,
                                   .is_known_again = is_known_again,
                                   .moves = moves};
