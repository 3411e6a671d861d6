/* What is inside frames of Modbus: functions, questions, answers, exceptions.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cursor.h"
#include "protocol/modbus/modbus_internal.h"

#define MEI        0x0e /* of function 2B: identification, 6.21 */
#define OBJECTS_AT 7    /* in its answer */
#define MORE       0xff
#define OBJECTS    0xff /* answers_more_at: lengths stand in the objects */

static const struct modbus_shape shapes[] = {
    {MODBUS_READ_COILS, "read_coils", 5, 0, 2, 1, MODBUS_BITS_MAX,
     "Modbus 6.1: the length is neither a question's nor an answer's",
     "Modbus 6.1: 1 to 2000 coils are read, eight a byte"},
    {MODBUS_READ_DISCRETE, "read_discrete", 5, 0, 2, 1, MODBUS_BITS_MAX,
     "Modbus 6.2: the length is neither a question's nor an answer's",
     "Modbus 6.2: 1 to 2000 inputs are read, eight a byte"},
    {MODBUS_READ_HOLDING, "read_holding", 5, 0, 2, 1, MODBUS_REGISTERS_MAX,
     "Modbus 6.3: the length is neither a question's nor an answer's",
     "Modbus 6.3: 1 to 125 registers are read, two bytes each"},
    {MODBUS_READ_INPUT, "read_input", 5, 0, 2, 1, MODBUS_REGISTERS_MAX,
     "Modbus 6.4: the length is neither a question's nor an answer's",
     "Modbus 6.4: 1 to 125 registers are read, two bytes each"},
    {MODBUS_WRITE_COIL, "write_coil", 5, 0, 5, 0, 0, "Modbus 6.5: it has five bytes",
     "Modbus 6.5: a coil becomes FF00 or 0000"},
    {MODBUS_WRITE_REGISTER, "write_register", 5, 0, 5, 0, 0, "Modbus 6.6: it has five bytes", NULL},
    {MODBUS_WRITE_COILS, "write_coils", 6, 5, 5, 0, 1968,
     "Modbus 6.11: the length is neither a question's nor an answer's",
     "Modbus 6.11: 1 to 1968 coils are written, eight a byte"},
    {MODBUS_WRITE_REGISTERS, "write_registers", 6, 5, 5, 0, 123,
     "Modbus 6.12: the length is neither a question's nor an answer's",
     "Modbus 6.12: 1 to 123 registers are written, two bytes each"},
    {MODBUS_MASK_REGISTER, "mask_register", 7, 0, 7, 0, 0, "Modbus 6.16: it has seven bytes", NULL},
    {MODBUS_READ_WRITE, "read_write", 10, 9, 2, 1, MODBUS_REGISTERS_MAX,
     "Modbus 6.17: the length is neither a question's nor an answer's",
     "Modbus 6.17: 1 to 125 registers are read, 1 to 121 written, two bytes each"},
    {MODBUS_IDENTIFY, "identify", 4, 0, OBJECTS_AT, OBJECTS, 0,
     "Modbus 6.21: the length is neither a question's nor an answer's", NULL},
};
#define READ_WRITE_MAX 121 /* written by function 17 */

static const struct {
    uint8_t code;
    const char *word;
} exceptions[] = {{MODBUS_ILLEGAL_FUNCTION, "illegal_function"},
                  {MODBUS_ILLEGAL_ADDRESS, "illegal_address"},
                  {MODBUS_ILLEGAL_VALUE, "illegal_value"},
                  {MODBUS_DEVICE_FAILURE, "device_failure"},
                  {MODBUS_ACKNOWLEDGE, "takes_long"},
                  {MODBUS_BUSY, "busy"},
                  {MODBUS_MEMORY_PARITY, "memory_parity"},
                  {MODBUS_GATEWAY_PATH, "gateway_path"},
                  {MODBUS_GATEWAY_SILENT, "gateway_no_answer"}};

const char *modbus_exception_word(uint8_t exception) {
    for (size_t i = 0; i < COUNT(exceptions); i++)
        if (exceptions[i].code == exception) return exceptions[i].word;
    return NULL;
}

const struct modbus_shape *modbus_shape(uint8_t function) {
    for (size_t i = 0; i < COUNT(shapes); i++)
        if (shapes[i].function == function) return &shapes[i];
    return NULL;
}

const char *modbus_function_name(uint8_t function) {
    const struct modbus_shape *s = modbus_shape(function);
    return s ? s->name : NULL;
}

bool modbus_function_of(struct str name, uint8_t *ret) {
    for (size_t i = 0; i < COUNT(shapes); i++) {
        if (!str_is(name, shapes[i].name)) continue;
        *ret = shapes[i].function;
        return true;
    }
    return false;
}

/* ---- lengths ---- */

bool modbus_object(struct bytes *rest, uint8_t *ret_id, struct bytes *ret_value) {
    if (rest->len < 2 || rest->len < 2 + (size_t)rest->ptr[1]) return false;
    *ret_id = rest->ptr[0];
    *ret_value = (struct bytes){rest->ptr + 2, rest->ptr[1]};
    *rest = (struct bytes){rest->ptr + 2 + ret_value->len, rest->len - 2 - ret_value->len};
    return true;
}

static size_t identity_len(struct bytes pdu) {
    if (pdu.len < OBJECTS_AT) return 0;
    size_t at = OBJECTS_AT;
    for (unsigned n = pdu.ptr[OBJECTS_AT - 1]; n && at <= MODBUS_PDU_MAX; n--) {
        if (pdu.len < at + 2) return 0;
        at += 2 + (size_t)pdu.ptr[at + 1];
    }
    return at;
}

size_t modbus_pdu_len(const struct modbus_shape *s, enum modbus_from from, struct bytes pdu) {
    bool is_answer = from == MODBUS_DEVICE;
    if (pdu.len && pdu.ptr[0] & MODBUS_REFUSED) return is_answer ? 2 : MODBUS_PDU_MAX + 1;
    size_t n = is_answer ? s->answers : s->asks, more_at = is_answer ? s->answers_more_at : s->asks_more_at;
    if (more_at == OBJECTS) return identity_len(pdu);
    if (!more_at) return n;
    return pdu.len > more_at ? n + pdu.ptr[more_at] : 0;
}

/* ---- in ---- */

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static bool is_of_bits(uint8_t function) {
    return function == MODBUS_READ_COILS || function == MODBUS_READ_DISCRETE || function == MODBUS_WRITE_COILS;
}

static size_t bytes_for(uint8_t function, size_t count) {
    return is_of_bits(function) ? (count + 7) / 8 : count * 2;
}

/* What an answer to a reading holds: whole registers, or bytes of bits. */
static bool read_data(const struct modbus_shape *s, struct cursor *c, struct modbus_frame *f, struct wire_error *e) {
    f->data = cursor_bytes(c, cursor_u8(c));
    bool fits = f->data.len && f->data.len <= bytes_for(s->function, s->count_max);
    return (fits && (is_of_bits(s->function) || f->data.len % 2 == 0)) || bad(e, s->counts, 1);
}

static bool read_range(const struct modbus_shape *s, struct cursor *c, struct modbus_frame *f, struct wire_error *e) {
    f->address = cursor_u16_be(c);
    f->count = cursor_u16_be(c);
    return (f->count && f->count <= s->count_max) || bad(e, s->counts, 3);
}

static bool read_written(const struct modbus_shape *s, struct cursor *c, struct modbus_frame *f, struct wire_error *e) {
    if (!read_range(s, c, f, e)) return false;
    if (f->from == MODBUS_DEVICE) return true;
    f->data = cursor_bytes(c, cursor_u8(c));
    return f->data.len == bytes_for(s->function, f->count) || bad(e, s->counts, 5);
}

static bool read_read_write(const struct modbus_shape *s, struct cursor *c, struct modbus_frame *f,
                            struct wire_error *e) {
    if (f->from == MODBUS_DEVICE) return read_data(s, c, f, e);
    if (!read_range(s, c, f, e)) return false;
    f->write_address = cursor_u16_be(c);
    f->write_count = cursor_u16_be(c);
    f->data = cursor_bytes(c, cursor_u8(c));
    bool fits = f->write_count && f->write_count <= READ_WRITE_MAX;
    return (fits && f->data.len == 2u * f->write_count) || bad(e, s->counts, 7);
}

static bool read_identity(struct cursor *c, struct modbus_frame *f, struct wire_error *e) {
    if (cursor_u8(c) != MEI) return bad(e, "Modbus 6.19: of the MEI types only 0E is known here", 1);
    f->code = cursor_u8(c);
    if (f->code < 1 || f->code > 4) return bad(e, "Modbus 6.21: a code is 01 to 04", 2);
    if (f->from == MODBUS_MASTER) {
        f->object = cursor_u8(c);
        return true;
    }
    f->conformity = cursor_u8(c);
    uint8_t more = cursor_u8(c);
    if (more && more != MORE) return bad(e, "Modbus 6.21: that more follows is FF or 00", 4);
    f->more = more;
    f->next = cursor_u8(c);
    f->objects_n = cursor_u8(c);
    f->data = cursor_bytes(c, cursor_left(c));
    return true;
}

static bool read_exception(struct bytes pdu, struct modbus_frame *f, struct wire_error *e) {
    f->from = MODBUS_DEVICE;
    if (pdu.len != 2) return bad(e, "Modbus 7: an exception has one byte", pdu.len < 2 ? pdu.len : 2);
    f->exception = pdu.ptr[1];
    return f->exception || bad(e, "Modbus 7: there is no exception 00", 1);
}

static bool read_body(const struct modbus_shape *s, struct cursor *c, struct modbus_frame *f, struct wire_error *e) {
    switch ((enum modbus_function)f->function) {
    case MODBUS_READ_COILS:
    case MODBUS_READ_DISCRETE:
    case MODBUS_READ_HOLDING:
    case MODBUS_READ_INPUT: return f->from == MODBUS_DEVICE ? read_data(s, c, f, e) : read_range(s, c, f, e);
    case MODBUS_WRITE_COIL:
    case MODBUS_WRITE_REGISTER:
        f->from = MODBUS_EITHER;
        f->address = cursor_u16_be(c);
        f->value = cursor_u16_be(c);
        return !s->counts || !f->value || f->value == MODBUS_COIL_ON || bad(e, s->counts, 3);
    case MODBUS_WRITE_COILS:
    case MODBUS_WRITE_REGISTERS: return read_written(s, c, f, e);
    case MODBUS_MASK_REGISTER:
        f->from = MODBUS_EITHER;
        f->address = cursor_u16_be(c);
        f->and_mask = cursor_u16_be(c);
        f->or_mask = cursor_u16_be(c);
        return true;
    case MODBUS_READ_WRITE: return read_read_write(s, c, f, e);
    case MODBUS_IDENTIFY: return read_identity(c, f, e);
    }
    return false;
}

static bool decode_as(enum modbus_from from, struct bytes pdu, struct modbus_frame *ret, struct wire_error *reterr) {
    struct cursor c = cursor_of(pdu);
    uint8_t function = cursor_u8(&c);
    const struct modbus_shape *s = modbus_shape(function & ~MODBUS_REFUSED & 0xff);
    struct modbus_frame f = *ret;
    if (!s) return bad(reterr, "Modbus 6: this function is none of those known here", 0);
    f.function = s->function;
    f.from = from;
    if (function & MODBUS_REFUSED) {
        if (!read_exception(pdu, &f, reterr)) return false;
    } else if (modbus_pdu_len(s, from, pdu) != pdu.len) {
        return bad(reterr, s->length, pdu.len);
    } else if (!read_body(s, &c, &f, reterr)) {
        return false;
    }
    *ret = f;
    return true;
}

bool modbus_pdu_decode(enum modbus_from from, struct bytes pdu, struct modbus_frame *ret, struct wire_error *reterr) {
    bool is_read = pdu.len && pdu.ptr[0] <= MODBUS_READ_INPUT;
    struct wire_error first = {NULL, 0}, second = {NULL, 0};
    if (from != MODBUS_EITHER) return decode_as(from, pdu, ret, reterr);
    if (decode_as(is_read ? MODBUS_DEVICE : MODBUS_MASTER, pdu, ret, &first)) return true;
    if (decode_as(is_read ? MODBUS_MASTER : MODBUS_DEVICE, pdu, ret, &second)) return true;
    *reterr = first.at == pdu.len ? second : first; /* the one whose length is right knows better */
    return false;
}

/* ---- out ---- */

static void put_counted(struct buf *b, struct bytes data) {
    buf_char(b, (char)(uint8_t)data.len);
    buf_add(b, data.ptr, data.len);
}

static void put_identity(const struct modbus_frame *f, struct buf *b) {
    buf_char(b, MEI);
    buf_char(b, (char)f->code);
    if (f->from == MODBUS_MASTER) {
        buf_char(b, (char)f->object);
        return;
    }
    buf_char(b, (char)f->conformity);
    buf_char(b, f->more ? (char)MORE : 0);
    buf_char(b, (char)f->next);
    buf_char(b, (char)f->objects_n);
    buf_add(b, f->data.ptr, f->data.len);
}

static void put_body(const struct modbus_frame *f, struct buf *b) {
    bool is_answer = f->from == MODBUS_DEVICE;
    switch ((enum modbus_function)f->function) {
    case MODBUS_READ_COILS:
    case MODBUS_READ_DISCRETE:
    case MODBUS_READ_HOLDING:
    case MODBUS_READ_INPUT:
    case MODBUS_READ_WRITE:
        if (is_answer) {
            put_counted(b, f->data);
            return;
        }
        cursor_put_be(b, f->address, 2);
        cursor_put_be(b, f->count, 2);
        if (f->function != MODBUS_READ_WRITE) return;
        cursor_put_be(b, f->write_address, 2);
        cursor_put_be(b, f->write_count, 2);
        put_counted(b, f->data);
        return;
    case MODBUS_WRITE_COIL:
    case MODBUS_WRITE_REGISTER:
        cursor_put_be(b, f->address, 2);
        cursor_put_be(b, f->value, 2);
        return;
    case MODBUS_WRITE_COILS:
    case MODBUS_WRITE_REGISTERS:
        cursor_put_be(b, f->address, 2);
        cursor_put_be(b, f->count, 2);
        if (!is_answer) put_counted(b, f->data);
        return;
    case MODBUS_MASK_REGISTER:
        cursor_put_be(b, f->address, 2);
        cursor_put_be(b, f->and_mask, 2);
        cursor_put_be(b, f->or_mask, 2);
        return;
    case MODBUS_IDENTIFY: put_identity(f, b); return;
    }
}

bool modbus_pdu_encode(const struct modbus_frame *f, struct buf *out) {
    struct modbus_frame again = {0};
    struct wire_error ignored;
    char mem[MODBUS_PDU_MAX + 1];
    struct buf b;
    if (!modbus_shape(f->function) || f->data.len > MODBUS_PDU_MAX) return false;
    buf_init(&b, mem, sizeof mem);
    buf_char(&b, (char)(uint8_t)(f->function | (f->exception ? MODBUS_REFUSED : 0)));
    if (f->exception)
        buf_char(&b, (char)f->exception);
    else
        put_body(f, &b);
    struct bytes pdu = {(const uint8_t *)b.ptr, b.len};
    enum modbus_from from = f->from == MODBUS_EITHER ? MODBUS_MASTER : f->from;
    if (b.overflow || !decode_as(from, pdu, &again, &ignored)) return false;
    buf_add(out, b.ptr, b.len);
    return true;
}
