/* CJ/T 188 as a master: questions, and what answers them.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cjt188/cjt188_internal.h"

#include <string.h>

#define SERIAL_AT    2
#define ANY_TYPE     0xaa
#define ITEM_ADDRESS 0x810a
#define VALVE_MS     INT64_C(120000) /* that a valve may take */
#define WAIT_MS      3000            /* of meters on M-Bus, or such as sleep */

/* "901F" is asked for high byte first, "901F<" low byte first: both are in the field.  A type in front, "10:901F", is
 * the meter's; without one any type answers. */
struct item {
    uint16_t di;
    uint8_t type;
    bool is_low_first;
};

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hex(struct str s, size_t digits, uint32_t *ret) {
    *ret = 0;
    if (s.len != digits) return false;
    for (size_t i = 0; i < digits; i++) {
        int d = hex_digit(s.ptr[i]);
        if (d < 0) return false;
        *ret = *ret << 4 | (uint32_t)d;
    }
    return true;
}

static bool read_item(struct str text, struct item *ret) {
    uint32_t di = ITEM_ADDRESS, type = ANY_TYPE;
    *ret = (struct item){ITEM_ADDRESS, ANY_TYPE, false};
    if (text.len > 3 && text.ptr[2] == ':') {
        if (!read_hex((struct str){text.ptr, 2}, 2, &type)) return false;
        text = str_from(text, 3);
    }
    ret->is_low_first = text.len && text.ptr[text.len - 1] == '<';
    if (ret->is_low_first) text.len--;
    if (text.len && !read_hex(text, 4, &di)) return false;
    ret->di = (uint16_t)di;
    ret->type = (uint8_t)type;
    return true;
}

static uint8_t function_for(const struct question *q, const struct item *i) {
    if (q->value.ptr) return CJT188_WRITE;
    return i->di == ITEM_ADDRESS ? CJT188_ADDRESS : CJT188_READ;
}

static bool ask(const struct question *q, struct buf *out) {
    struct item i;
    struct cjt188_frame f = {.wake = METER_WAKE_MAX};
    if (q->part || q->address.len != sizeof f.address - 1 || !read_item(q->item, &i)) return false;
    bool opens = str_is(q->value, "open");
    if (q->value.ptr && memchr(q->address.ptr, 'A', q->address.len)) return false; /* others would do it, too */
    if (q->value.ptr && (i.di != CJT188_VALVE || (!opens && !str_is(q->value, "close")))) return false;
    uint8_t high = (uint8_t)(i.di >> 8), low = (uint8_t)i.di;
    uint8_t data[] = {i.is_low_first ? low : high, i.is_low_first ? high : low, q->serial,
                      opens ? CJT188_OPEN : CJT188_CLOSE};
    memcpy(f.address, q->address.ptr, q->address.len);
    f.type = i.type;
    f.control = function_for(q, &i);
    f.data = (struct bytes){data, sizeof data - !q->value.ptr};
    return cjt188_encode(&f, out);
}

/* What it reads is the whole frame's, since units and status hang on its type: so the data are the frame. */
static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct cjt188_frame f;
    struct cjt188_body b;
    struct item i;
    struct wire_error ignored;
    if (!cjt188_decode(whole, &f, &ignored) || !read_item(q->item, &i) || !(f.control & CJT188_REPLY) ||
        !meter_is_asked(q->address, f.address) || (f.control & 0x3f) != function_for(q, &i) ||
        (i.type != ANY_TYPE && f.type != i.type))
        return ANSWER_OTHER;
    if (f.control & CJT188_REFUSED) {
        if (f.data.len && f.data.ptr[0] != q->serial) return ANSWER_OTHER;
        *ret_why = "refused";
        return ANSWER_REFUSED;
    }
    bool is_bare = function_for(q, &i) == CJT188_ADDRESS && f.data.len <= SERIAL_AT; /* its head says it all */
    if (!is_bare && (!cjt188_body(&f, &b, &ignored) || !b.has_item || b.item != i.di || b.serial != q->serial))
        return ANSWER_OTHER;
    buf_add(data, whole.ptr, whole.len);
    return ANSWER_WHOLE;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    (void)q;
    return cjt188_codec.decode(data, a, ret, reterr);
}

/* A meter answers to any address; of several none may be heard. */
static bool find(size_t nth, struct question *ret) {
    *ret = (struct question){.address = S("AAAAAAAAAAAAAA"), .item = nth ? S("810A<") : S("")};
    return nth < 2;
}

static void put_item(uint8_t type, const struct item *i, bool is_low_first, struct buf *out) {
    if (type != ANY_TYPE) buf_fmt(out, "%02X:", type);
    buf_fmt(out, "%04X%s", i->di, is_low_first ? "<" : "");
}

/* Each type in both orders.  An item with a type is tried with others of its kind, water, heat or gas, and with any. */
static bool otherwise(struct str text, unsigned nth, struct buf *ret) {
    static const uint8_t types[] = {0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x22, 0x30, ANY_TYPE};
    struct item i;
    if (nth > 2 * COUNT(types) || !read_item(text, &i)) return false;
    uint8_t type = types[(nth - 1) / 2];
    bool is_low_first = nth % 2 == 0, is_kin = type == ANY_TYPE || i.type == ANY_TYPE || type >> 4 == i.type >> 4;
    if (is_kin && (type != i.type || is_low_first != i.is_low_first)) put_item(type, &i, is_low_first, ret);
    return true;
}

/* A valve moves slowly: where it stands, the status behind the metering data says. */
static bool proof(const struct question *q, struct buf *item, int64_t *ret_within_ms) {
    struct item i;
    if (!q->value.ptr || !read_item(q->item, &i)) return false;
    put_item(i.type, &(struct item){.di = CJT188_METERING}, i.is_low_first, item);
    *ret_within_ms = VALVE_MS;
    return true;
}

static enum proof shows(const struct question *q, const struct decoded *d, const char **ret_why) {
    double wanted = str_is(q->value, "open") ? 1 : 0;
    for (size_t i = 0; i < d->events_n; i++) {
        if (!str_is(d->events[i].code, "valve_fault") || !d->events[i].is_set) continue;
        *ret_why = "the valve has a fault, says the meter";
        return PROOF_FAILED;
    }
    for (size_t i = 0; i < d->readings_n; i++)
        if (str_is(d->readings[i].metric, "valve") && d->readings[i].value == wanted) return PROOF_DONE;
    return PROOF_NONE;
}

/* Nothing but its valve is told. */
static bool moves(const struct question *q) {
    return q->value.ptr;
}

const struct asking cjt188_asking = {.ask = ask,
                                     .answers = answers,
                                     .read = understand,
                                     .find = find,
                                     .finds_all = true,
                                     .otherwise = otherwise,
                                     .proof = proof,
                                     .shows = shows,
                                     .moves = moves,
                                     .addresses = "00000000000000",
                                     .wait_ms = WAIT_MS};
