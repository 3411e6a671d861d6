/* Modbus as a master: questions, and what answers them.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/modbus/modbus_internal.h"

#include <string.h>

#define WORDS_MAX 4
#define WORD_BITS 16

/* What goes out for a question. */
struct asked {
    struct modbus_frame frame;
    uint8_t data[2 * WORDS_MAX];
};

/* On a line there are the units that the standard knows; over TCP a device that is no gateway may be 255 or 0. */
static bool read_unit(enum modbus_wire wire, struct str s, uint8_t *ret) {
    int64_t n;
    if (!str_to_number(s, UINT8_MAX, &n)) return false;
    *ret = (uint8_t)n;
    return wire == MODBUS_TCP || (n >= 1 && n <= MODBUS_UNITS);
}

/* ---- what is read at once ---- */

struct span {
    uint8_t reads;
    uint32_t from, to;
};

static bool join(struct span *s, const struct modbus_item *i) {
    uint32_t from = i->address, to = from + i->words, gap = MODBUS_GAP_MAX, most = MODBUS_REGISTERS_MAX;
    if (modbus_is_bits(i)) {
        gap *= WORD_BITS;
        most = MODBUS_BITS_MAX;
    }
    if (!s->reads) *s = (struct span){i->reads, from, to};
    if (i->reads != s->reads || from > s->to + gap || to + gap < s->from) return false;
    if (from < s->from) s->from = from;
    if (to > s->to) s->to = to;
    return s->to - s->from <= most;
}

static bool span_of(struct str items, struct span *ret) {
    struct modbus_item i;
    struct str one;
    *ret = (struct span){0};
    while (str_word(&items, &one))
        if (!modbus_item_read(one, &i) || !join(ret, &i)) return false;
    return ret->reads;
}

static size_t bytes_of(const struct span *s) {
    bool is_bits = s->reads == MODBUS_READ_COILS || s->reads == MODBUS_READ_DISCRETE;
    return is_bits ? (s->to - s->from + 7) / 8 : 2 * (s->to - s->from);
}

static bool ask_to_read(struct str items, struct modbus_frame *f) {
    struct span s = {MODBUS_READ_HOLDING, 0, 1}; /* who is there?  A refusal says it as well */
    if (items.len && !span_of(items, &s)) return false;
    f->function = s.reads;
    f->address = (uint16_t)s.from;
    f->count = (uint16_t)(s.to - s.from);
    return true;
}

/* ---- what is written ---- */

static bool ask_for_coil(const struct modbus_item *i, struct str value, struct asked *a) {
    bool is_on;
    if (!modbus_switch_of(value, &is_on)) return false;
    a->frame.function = i->many ? MODBUS_WRITE_COILS : MODBUS_WRITE_COIL;
    a->frame.value = is_on ? MODBUS_COIL_ON : 0;
    a->data[0] = is_on;
    a->frame.data = (struct bytes){a->data, 1};
    return true;
}

static bool ask_for_bit(const struct modbus_item *i, struct str value, struct asked *a) {
    bool is_on;
    if (!modbus_switch_of(value, &is_on)) return false;
    a->frame.function = MODBUS_MASK_REGISTER;
    a->frame.and_mask = (uint16_t) ~(1u << i->bit);
    a->frame.or_mask = (uint16_t)(is_on ? 1u << i->bit : 0);
    return true;
}

static bool ask_for_registers(const struct modbus_item *i, struct str value, struct asked *a) {
    if (!modbus_item_registers(i, value, a->data)) return false;
    a->frame.function = i->many || i->words > 1 ? MODBUS_WRITE_REGISTERS : MODBUS_WRITE_REGISTER;
    a->frame.value = (uint16_t)(a->data[0] << 8 | a->data[1]);
    a->frame.data = (struct bytes){a->data, 2u * i->words};
    return true;
}

static bool ask_to_write(const struct question *q, struct asked *a) {
    struct modbus_item i;
    if (!modbus_item_read(q->item, &i)) return false;
    a->frame.address = i.address;
    a->frame.count = i.words;
    if (i.reads == MODBUS_READ_COILS) return ask_for_coil(&i, q->value, a);
    if (i.reads != MODBUS_READ_HOLDING) return false;
    return i.form == MODBUS_BIT ? ask_for_bit(&i, q->value, a) : ask_for_registers(&i, q->value, a);
}

static bool plan(enum modbus_wire wire, const struct question *q, struct asked *ret) {
    struct modbus_frame *f = &ret->frame;
    *ret = (struct asked){.frame = {.from = MODBUS_MASTER}};
    if (q->part || !read_unit(wire, q->address, &f->unit)) return false;
    f->transaction = (uint16_t)(f->unit << 8 | q->serial);
    return q->value.ptr ? ask_to_write(q, ret) : ask_to_read(q->item, f);
}

static bool ask(enum modbus_wire wire, const struct question *q, struct buf *out) {
    struct asked a;
    return plan(wire, q, &a) && modbus_encode(wire, &a.frame, out);
}

/* ---- what answers ---- */

/* Some adapters bring back what they send; of a reading that may look like its answer. */
static bool is_echo(enum modbus_wire wire, const struct modbus_frame *asked, struct bytes whole) {
    char mem[MODBUS_TCP_MAX + 1];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    return modbus_encode(wire, asked, &b) && b.len == whole.len && !memcmp(b.ptr, whole.ptr, b.len);
}

static bool confirms(const struct modbus_frame *asked, const struct modbus_frame *f) {
    switch ((enum modbus_function)f->function) {
    case MODBUS_WRITE_COIL:
    case MODBUS_WRITE_REGISTER: return f->address == asked->address && f->value == asked->value;
    case MODBUS_WRITE_COILS:
    case MODBUS_WRITE_REGISTERS: return f->address == asked->address && f->count == asked->count;
    case MODBUS_MASK_REGISTER:
        return f->address == asked->address && f->and_mask == asked->and_mask && f->or_mask == asked->or_mask;
    case MODBUS_READ_COILS:
    case MODBUS_READ_DISCRETE:
    case MODBUS_READ_HOLDING:
    case MODBUS_READ_INPUT: {
        struct span s = {asked->function, asked->address, (uint32_t)asked->address + asked->count};
        return f->data.len == bytes_of(&s);
    }
    case MODBUS_READ_WRITE:
    case MODBUS_IDENTIFY: return false; /* nobody asks these */
    }
    return false;
}

static enum answer refused(const struct question *q, uint8_t exception, const char **ret_why) {
    if (exception == MODBUS_GATEWAY_PATH || exception == MODBUS_GATEWAY_SILENT) return ANSWER_OTHER;
    if (!q->item.len) return ANSWER_WHOLE;
    if (exception == MODBUS_ACKNOWLEDGE && q->value.ptr) return ANSWER_WHOLE; /* it does it, and takes long */
    bool has_no_time = exception == MODBUS_BUSY || exception == MODBUS_ACKNOWLEDGE;
    if (has_no_time && !q->value.ptr) return ANSWER_OTHER; /* it is asked again, clause 7 */
    const char *word = modbus_exception_word(exception);
    *ret_why = word ? word : "exception";
    return ANSWER_REFUSED;
}

static enum answer answers(enum modbus_wire wire, const struct question *q, struct bytes whole, struct buf *data,
                           const char **ret_why) {
    struct asked a;
    struct modbus_frame f;
    struct wire_error ignored;
    if (!plan(wire, q, &a) || !modbus_decode(wire, MODBUS_DEVICE, whole, &f, &ignored) || f.from == MODBUS_MASTER ||
        f.unit != a.frame.unit || f.function != a.frame.function ||
        f.transaction != (wire == MODBUS_TCP ? a.frame.transaction : 0))
        return ANSWER_OTHER;
    if (f.exception) return refused(q, f.exception, ret_why);
    if (!confirms(&a.frame, &f) || (f.from == MODBUS_DEVICE && is_echo(wire, &a.frame, whole))) return ANSWER_OTHER;
    if (!q->value.ptr) buf_add(data, f.data.ptr, f.data.len);
    return ANSWER_WHOLE;
}

/* ---- what it says ---- */

static bool value_of(const struct modbus_item *i, const struct span *s, struct bytes data, double *ret) {
    size_t at = i->address - s->from;
    if (!modbus_is_bits(i)) return modbus_item_value(i, data.ptr + 2 * at, ret);
    *ret = data.ptr[at / 8] >> at % 8 & 1;
    return true;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    struct span s;
    struct modbus_item i;
    struct str items = q->item, one;
    *ret = (struct decoded){.sender = q->address};
    if (q->value.ptr || !q->item.len) return true;
    bool fits = span_of(items, &s) && data.len == bytes_of(&s);
    struct reading *readings = fits ? arena_new(a, struct reading, items.len / 2 + 1) : NULL;
    if (!readings) {
        *reterr = (struct wire_error){fits ? "out of memory" : "Modbus: the answer is not of that many", 0};
        return false;
    }
    ret->readings = readings;
    while (str_word(&items, &one)) {
        struct reading *r = &readings[ret->readings_n];
        *r = (struct reading){.device = q->address, .metric = one};
        ret->readings_n += modbus_item_read(one, &i) && value_of(&i, &s, data, &r->value);
    }
    return true;
}

/* ---- who is there ---- */

#define DECOYS 3

#define TEN(d) d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9"
#define HUNDRED(d) \
    TEN(d "0") TEN(d "1") TEN(d "2") TEN(d "3") TEN(d "4") TEN(d "5") TEN(d "6") TEN(d "7") TEN(d "8") TEN(d "9")

static bool find_unit(size_t unit, struct question *ret) {
    static const char numbers[] = HUNDRED("0") HUNDRED("1") HUNDRED("2");
    size_t zeros = unit < 10 ? 2 : unit < 100 ? 1 : 0;
    if (unit > MODBUS_UNITS) return false;
    *ret = (struct question){.address = {numbers + 3 * unit + zeros, 3 - zeros}, .item = S("")};
    return true;
}

static bool find_rtu(size_t nth, struct question *ret) {
    return find_unit(nth + 1, ret);
}

/* Many devices over TCP do not look at the unit: behind 1 the last ones come, then those between. */
static bool find_tcp(size_t nth, struct question *ret) {
    size_t unit = nth < 1 ? 1 : nth <= DECOYS ? MODBUS_UNITS + 1 - nth : nth + 1 - DECOYS;
    return nth < MODBUS_UNITS && find_unit(unit, ret);
}

/* ---- the two wires ---- */

static bool ask_tcp(const struct question *q, struct buf *out) {
    return ask(MODBUS_TCP, q, out);
}
static bool ask_rtu(const struct question *q, struct buf *out) {
    return ask(MODBUS_RTU, q, out);
}
static enum answer answers_tcp(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    return answers(MODBUS_TCP, q, whole, data, ret_why);
}
static enum answer answers_rtu(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    return answers(MODBUS_RTU, q, whole, data, ret_why);
}

const struct asking modbus_tcp_asking = {.ask = ask_tcp,
                                         .answers = answers_tcp,
                                         .read = understand,
                                         .find = find_tcp,
                                         .find_decoys = DECOYS,
                                         .addresses = "1"};
const struct asking modbus_rtu_asking = {
    .ask = ask_rtu, .answers = answers_rtu, .read = understand, .find = find_rtu, .addresses = "1"};
