/* DL/T 645 as a master: questions, and what answers them.  SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "protocol/dlt645/dlt645_internal.h"

#include <string.h>

#define ADDRESS_BYTES 6
#define ENERGY        "00010000" /* that every meter has: positive active energy, all tariffs */
#define ENERGY_97     "9010"

/* Eight hex digits are an identifier of 2007, four one of 1997. */
static bool read_item(struct str item, uint32_t *ret, size_t *ret_bytes) {
    *ret = 0;
    *ret_bytes = item.len / 2;
    if (item.len != 8 && item.len != 4) return false;
    for (size_t i = 0; i < item.len; i++) {
        char c = item.ptr[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return false;
        *ret = *ret << 4 | (uint32_t)digit;
    }
    return true;
}

/* "05060001+05060101": what was kept, and before it when, which is asked for first. */
#define TIME_DIGITS 8
#define TIME_BYTES  5
struct asked {
    uint32_t di;
    size_t bytes; /* of it; 0: the address is asked for */
    uint8_t part;
    bool is_time, is_timed;
};

static bool read_asked(const struct question *q, struct asked *ret) {
    struct str item = q->item;
    *ret = (struct asked){.part = q->part};
    if (item.len == 2 * TIME_DIGITS + 1 && item.ptr[TIME_DIGITS] == '+') {
        ret->is_timed = true;
        ret->is_time = !q->part;
        item = q->part ? str_from(item, TIME_DIGITS + 1) : (struct str){item.ptr, TIME_DIGITS};
        if (q->part) ret->part--;
    }
    return !item.len || read_item(item, &ret->di, &ret->bytes);
}

/* What item "1C" may be told: N1 of the standard's table. */
static const struct change {
    const char *value;
    uint8_t n1;
    enum { UNMOVED, ANYWHERE, CLOSED, OPEN } relay; /* where it stands then */
} changes[] = {{"trip", 0x1a, OPEN},        {"permit_close", 0x1b, ANYWHERE}, {"close", 0x1c, CLOSED},
               {"alarm_on", 0x2a, UNMOVED}, {"alarm_off", 0x2b, UNMOVED},     {"protect", 0x3a, UNMOVED},
               {"unprotect", 0x3b, UNMOVED}};
#define SWITCH_VALID_S 3600           /* a meter does not obey what is older: of its own clock */
#define RELAY_MS       INT64_C(60000) /* that a relay may take */

static const struct change *change_of(struct str value) {
    for (size_t i = 0; i < COUNT(changes); i++)
        if (str_is(value, changes[i].value)) return &changes[i];
    return NULL;
}

static void put_two(struct dlt645_frame *f, unsigned digits) {
    f->data[f->data_n++] = (uint8_t)(digits / 10 % 10 << 4 | digits % 10);
}

/* Second first, as the wire has times. */
static void put_time(struct dlt645_frame *f, int64_t at_s) {
    struct civil c = zone_civil(NULL, at_s * 1000);
    const unsigned parts[] = {(unsigned)c.second, (unsigned)c.minute, (unsigned)c.hour,
                              (unsigned)c.day,    (unsigned)c.month,  (unsigned)c.year};
    for (size_t i = 0; i < COUNT(parts); i++) put_two(f, parts[i] % 100);
}

/* The key is the password, "PPpppppp": its class, then six digits; behind a blank the operator's eight digits. */
static bool put_key(struct dlt645_frame *f, struct str key) {
    uint32_t password = 0, operator_code = 0;
    size_t bytes;
    struct str first = key.len >= 8 ? (struct str){key.ptr, 8} : key;
    if (!read_item(first, &password, &bytes) || bytes != 4) return false;
    if (key.len > 8 && (key.ptr[8] != ' ' || !read_item(str_from(key, 9), &operator_code, &bytes) || bytes != 4))
        return false;
    f->data[f->data_n++] = (uint8_t)(password >> 24);
    for (int i = 0; i < 3; i++) f->data[f->data_n++] = (uint8_t)(password >> 8 * i);
    for (int i = 0; i < 4; i++) f->data[f->data_n++] = (uint8_t)(operator_code >> 8 * i);
    return true;
}

#define EVERYBODY "999999999999"

static bool tell(const struct question *q, struct dlt645_frame *f) {
    const struct change *c = change_of(q->value);
    f->control = DLT645_SWITCH;
    if (strchr(f->address, 'A') || !strcmp(f->address, EVERYBODY)) return false; /* others would do it, too */
    if (!c || !str_is(q->item, "1C") || !put_key(f, q->key)) return false;
    f->data[f->data_n++] = c->n1;
    f->data[f->data_n++] = 0;
    put_time(f, q->now_s + SWITCH_VALID_S);
    return true;
}

static uint8_t function_for(const struct question *q, const struct asked *a) {
    if (q->value.ptr) return DLT645_SWITCH;
    if (!a->bytes) return DLT645_ADDRESS;
    if (a->bytes == 2) return a->part ? DLT645_97_FOLLOWING : DLT645_97_READ;
    return a->part ? DLT645_FOLLOWING : DLT645_READ;
}

static bool ask(const struct question *q, struct buf *out) {
    struct dlt645_frame f = {.wake = METER_WAKE_MAX};
    struct asked a;
    if (q->address.len != sizeof f.address - 1) return false;
    memcpy(f.address, q->address.ptr, q->address.len);
    if (q->value.ptr) return tell(q, &f) && dlt645_encode(&f, out);
    if (!read_asked(q, &a)) return false;
    f.control = function_for(q, &a);
    for (; f.data_n < a.bytes; f.data_n++) f.data[f.data_n] = (uint8_t)(a.di >> 8 * f.data_n);
    if (a.part) f.data[f.data_n++] = a.part;
    return dlt645_encode(&f, out);
}

static bool is_to_many(const struct question *q) {
    return q->address.len && memchr(q->address.ptr, 'A', q->address.len);
}

/* Who answers what many are asked is known by his address alone: it goes before the data. */
static void put_address(const char *address, struct buf *data) {
    uint8_t wire[ADDRESS_BYTES] = {0};
    (void)meter_address_of(address, wire, sizeof wire);
    buf_add(data, wire, sizeof wire);
}

static const char *why(uint8_t bits) {
    for (int i = 1; i < 8; i++)
        if (bits >> i & 1 && dlt645_error_word(i)) return dlt645_error_word(i);
    return dlt645_error_word(0);
}

static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct dlt645_frame f;
    struct wire_error ignored;
    uint32_t di = 0;
    struct asked a = {0};
    if (!dlt645_decode(whole, &f, &ignored) || !(f.control & DLT645_REPLY) || !meter_is_asked(q->address, f.address) ||
        (!q->value.ptr && !read_asked(q, &a)) || (f.control & 0x1f) != function_for(q, &a))
        return ANSWER_OTHER;
    if (f.control & DLT645_REFUSED) {
        *ret_why = why(f.data[0]);
        return ANSWER_REFUSED;
    }
    if (a.bytes && (!dlt645_item(&f, &di) || di != a.di)) return ANSWER_OTHER;
    size_t end = f.data_n;
    if (a.part && (end == a.bytes || f.data[--end] != a.part)) return ANSWER_OTHER; /* the number of another part */
    if (a.is_time && end - a.bytes != TIME_BYTES) {
        *ret_why = dlt645_error_word(1);
        return ANSWER_REFUSED;
    }
    if (is_to_many(q) && a.bytes && !a.part) put_address(f.address, data);
    buf_add(data, f.data + a.bytes, end - a.bytes);
    return f.control & DLT645_MORE || a.is_time ? ANSWER_PART : ANSWER_WHOLE;
}

/* All data of the answer to a question for the address, and the first of what many are asked. */
static bool read_address(struct bytes data, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    char address[2 * ADDRESS_BYTES + 1];
    bool ok = data.len == ADDRESS_BYTES && meter_address(data, address);
    if (!ok) *reterr = (struct wire_error){"DL/T 645 address: it has 12 digits", 0};
    if (!ok || arena_str(a, str_of(address), &ret->sender)) return ok;
    *reterr = (struct wire_error){"out of memory", 0};
    return false;
}

static bool read_time(struct bytes *data, int64_t *ret_s) {
    uint8_t time[1 + TIME_BYTES] = {0}; /* second first, of which it has none */
    if (data->len < TIME_BYTES) return false;
    memcpy(time + 1, data->ptr, TIME_BYTES);
    *data = (struct bytes){data->ptr + TIME_BYTES, data->len - TIME_BYTES};
    return meter_time((struct bytes){time, sizeof time}, ret_s);
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    struct dlt645_value values[DLT645_VALUES_MAX];
    struct asked asked;
    int64_t at_s = 0;
    size_t rest = 0, n = 0;
    *ret = (struct decoded){.sender = q->address};
    if (q->value.ptr) return true; /* done, says the function */
    if (!read_asked(q, &asked)) {
        *reterr = (struct wire_error){"DL/T 645 DI: it has eight or four hex digits", 0};
        return false;
    }
    if (!asked.bytes) return read_address(data, a, ret, reterr);
    if (is_to_many(q)) {
        size_t own = data.len < ADDRESS_BYTES ? data.len : ADDRESS_BYTES;
        if (!read_address((struct bytes){data.ptr, own}, a, ret, reterr)) return false;
        data = (struct bytes){data.ptr + own, data.len - own};
    }
    if (asked.is_timed && !read_time(&data, &at_s)) {
        *reterr = (struct wire_error){"DL/T 645 050600NN: it is no time", 0};
        return false;
    }
    n = dlt645_values(asked.di, asked.bytes == 2, data, values, &rest);
    return dlt645_readings(values, n, at_s, a, ret, reterr);
}

/* Some meters say their address only while their key for programming is pressed: they are asked for an energy, too,
 * those of 1997 for theirs. */
static bool find(size_t nth, struct question *ret) {
    static const char *const items[] = {"", ENERGY, ENERGY_97};
    *ret = (struct question){.address = S("AAAAAAAAAAAA"), .item = str_of(nth < COUNT(items) ? items[nth] : "")};
    return nth < COUNT(items);
}

/* The address is given from its end on, two digits more each time: AA stands for those before.  Only what is read may
 * be asked so, not the address itself. */
static bool narrow(const struct question *from, size_t nth, char mem[FIND_ADDRESS_MAX + 1], struct question *ret) {
    size_t given = 2 * ADDRESS_BYTES;
    while (given >= 2 && from->address.ptr[given - 1] != 'A') given -= 2;
    if (given < 2 || nth > 99) return false;
    memcpy(mem, from->address.ptr, 2 * ADDRESS_BYTES);
    mem[2 * ADDRESS_BYTES] = 0;
    mem[given - 2] = (char)('0' + nth / 10);
    mem[given - 1] = (char)('0' + nth % 10);
    *ret = (struct question){.address = {mem, 2 * ADDRESS_BYTES}, .item = from->item.len ? from->item : S(ENERGY)};
    return true;
}

/* As meters of 1997 have it: the same metrics under another identifier. */
static bool otherwise(struct str item, unsigned nth, struct buf *ret) {
    uint32_t di;
    size_t bytes;
    uint16_t di_97;
    if (nth == 1 && read_item(item, &di, &bytes) && bytes == 4 && dlt645_item_97(di, &di_97))
        buf_fmt(ret, "%04X", di_97);
    return nth == 1;
}

/* Those of 1997, whose items have four digits, keep none.  Which day an item is, counts by the days on which the meter
 * had power: so it says itself. */
static const char *midnight(struct str beside, unsigned ago, struct buf *item) {
    if (beside.len != TIME_DIGITS || ago >= DLT645_MIDNIGHTS) return NULL;
    buf_fmt(item, "%08X+%08X", DLT645_FROZEN + ago + 1, DLT645_MIDNIGHT + ago + 1);
    return "energy";
}

/* A meter answers before its relay moves, and some never move it: where it stands, run status word 3 says. */
static bool proof(const struct question *q, struct buf *item, int64_t *ret_within_ms) {
    const struct change *c = q->value.ptr ? change_of(q->value) : NULL;
    if (!c || c->relay < CLOSED) return false;
    buf_fmt(item, "%08X", DLT645_STATUS_3);
    *ret_within_ms = RELAY_MS;
    return true;
}

static enum proof shows(const struct question *q, const struct decoded *d, const char **ret_why) {
    double wanted = change_of(q->value)->relay == OPEN ? 1 : 0;
    (void)ret_why; /* the word has no bit for a relay that failed */
    for (size_t i = 0; i < d->readings_n; i++)
        if (str_is(d->readings[i].metric, "relay_open") && d->readings[i].value == wanted) return PROOF_DONE;
    return PROOF_NONE;
}

static bool moves(const struct question *q) {
    const struct change *c = q->value.ptr ? change_of(q->value) : NULL;
    return c && c->relay;
}

const struct asking dlt645_asking = {.ask = ask,
                                     .answers = answers,
                                     .read = understand,
                                     .find = find,
                                     .finds_all = true,
                                     .narrow = narrow,
                                     .otherwise = otherwise,
                                     .refuses_its_own = true,
                                     .midnight = midnight,
                                     .proof = proof,
                                     .shows = shows,
                                     .moves = moves,
                                     .addresses = "000000000000",
                                     .only_told = "1C"};
