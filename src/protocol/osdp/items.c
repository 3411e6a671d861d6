/* Commands and replies of OSDP: names, layouts, what they say.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cursor.h"
#include "protocol/osdp/osdp_internal.h"
#include "protocol/wiegand/wiegand.h"

#include <stdio.h>
#include <string.h>

#define STAR     0x7f
#define HASH     0x0d
#define KEYS_MAX 255 /* of one report */

static const struct osdp_layout commands[] = {
    {OSDP_POLL, "poll", {{0}}, false},
    {OSDP_ID, "id", {{"type", 1, OSDP_ZERO}}, false},
    {OSDP_CAP, "cap", {{"type", 1, OSDP_ZERO}}, false},
    {OSDP_LSTAT, "lstat", {{0}}, false},
    {OSDP_ISTAT, "istat", {{0}}, false},
    {OSDP_OSTAT, "ostat", {{0}}, false},
    {OSDP_RSTAT, "rstat", {{0}}, false},
    /* control: 0 nothing, 1 off, 2 on, 3 off and 4 on behind the timer, 5 on and 6 off as long as it runs; timer in
     * 100 ms */
    {OSDP_OUT, "out", {{"output", 1}, {"control", 1}, {"timer", 2}}, true},
    {OSDP_LED,
     "led",
     {{"reader", 1},
      {"led", 1},
      {"temporary_control", 1},
      {"temporary_on", 1},
      {"temporary_off", 1},
      {"temporary_on_colour", 1},
      {"temporary_off_colour", 1},
      {"timer", 2},
      {"control", 1},
      {"on", 1},
      {"off", 1},
      {"on_colour", 1},
      {"off_colour", 1}},
     true},
    {OSDP_BUZ, "buz", {{"reader", 1}, {"tone", 1}, {"on", 1}, {"off", 1}, {"count", 1}}, false},
    {0x6b, "text", {{0}}, false},
    {0x6e, "comset", {{"new_address", 1}, {"baud", 4}}, false},
    {0x73, "bioread", {{0}}, false},
    {0x74, "biomatch", {{0}}, false},
    {0x75, "keyset", {{0}}, false},
    {0x76, "chlng", {{0}}, false},
    {0x77, "scrypt", {{0}}, false},
    {0x7b, "acurxsize", {{0}}, false},
    {0x7c, "filetransfer", {{0}}, false},
    {0x80, "mfg", {{0}}, false},
    {0xa1, "xwr", {{0}}, false},
    {0xa2, "abort", {{0}}, false},
    {0xa7, "keepactive", {{0}}, false},
};
static const struct osdp_layout replies[] = {
    {OSDP_ACK, "ack", {{0}}, false},
    {OSDP_NAK, "nak", {{"reason", 1}}, false},
    {OSDP_PDID,
     "pdid",
     {{"vendor", 3, OSDP_HEX}, {"model", 1}, {"version", 1}, {"serial", 4, OSDP_HEX}, {"firmware", 3, OSDP_HEX}},
     false},
    {OSDP_PDCAP, "pdcap", {{"function", 1}, {"compliance", 1}, {"number", 1}}, true},
    {OSDP_LSTATR, "lstatr", {{"tamper", 1}, {"power", 1}}, false},
    {OSDP_ISTATR, "istatr", {{"state", 1}}, true},
    {OSDP_OSTATR, "ostatr", {{"state", 1}}, true},
    {OSDP_RSTATR, "rstatr", {{"state", 1}}, true},
    {OSDP_RAW, "raw", {{"reader", 1}, {"format", 1}, {"bits", 2}}, false},
    {OSDP_KEYPAD, "keypad", {{"reader", 1}, {"count", 1}}, false},
    {0x54, "com", {{"new_address", 1}, {"baud", 4}}, false},
    {0x76, "ccrypt", {{0}}, false},
    {0x78, "rmac_i", {{0}}, false},
    {OSDP_BUSY, "busy", {{0}}, false},
    {0x7a, "ftstat", {{0}}, false},
    {0x90, "mfgrep", {{0}}, false},
};

static const struct osdp_layout *table_of(bool is_reply, size_t *ret_n) {
    *ret_n = is_reply ? COUNT(replies) : COUNT(commands);
    return is_reply ? replies : commands;
}

const struct osdp_layout *osdp_layout_of(bool is_reply, uint8_t code) {
    size_t n;
    const struct osdp_layout *all = table_of(is_reply, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].code == code) return &all[i];
    return NULL;
}

const struct osdp_layout *osdp_layout_named(bool is_reply, struct str name) {
    size_t n;
    const struct osdp_layout *all = table_of(is_reply, &n);
    for (size_t i = 0; i < n; i++)
        if (str_is(name, all[i].name)) return &all[i];
    return NULL;
}

size_t osdp_fields(const struct osdp_layout *l) {
    size_t n = 0;
    while (n < OSDP_FIELDS_MAX && l->fields[n].name) n++;
    return n;
}

size_t osdp_record_bytes(const struct osdp_layout *l) {
    size_t bytes = 0;
    for (size_t i = 0; i < osdp_fields(l); i++) bytes += l->fields[i].bytes;
    return bytes;
}

const char *osdp_refusal(uint8_t reason) {
    static const char *const words[] = {NULL,
                                        "check",
                                        "length",
                                        "unknown_command",
                                        "sequence",
                                        "no_secure_channel",
                                        "needs_secure_channel",
                                        "biometric_type",
                                        "biometric_format",
                                        "record"};
    return reason < COUNT(words) ? words[reason] : NULL;
}

/* ---- what replies say ---- */

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

struct saying {
    struct arena *a;
    struct decoded *ret;
    struct device_event *events;
    struct reading *readings;
    bool failed;
};

static struct str numbered(struct saying *s, const char *word, size_t n) {
    char text[24];
    struct str ret = {NULL, 0};
    snprintf(text, sizeof text, "%s%zu", word, n);
    s->failed |= !arena_str(s->a, str_of(text), &ret);
    return ret;
}

static void tell(struct saying *s, const char *code, struct str part, bool is_set) {
    if (s->failed) return;
    s->events[s->ret->events_n++] =
        (struct device_event){.device = s->ret->sender, .code = str_of(code), .part = part, .is_set = is_set};
}

static void pass(struct saying *s, enum passing_kind kind, const char *value) {
    struct passing *p = arena_new(s->a, struct passing, 1);
    s->failed |= !p;
    if (!p) return;
    *p = (struct passing){.device = s->ret->sender, .kind = kind};
    s->failed |= !arena_str(s->a, str_of(value), &p->value);
    s->ret->passings = p;
    s->ret->passings_n = 1;
}

static bool say_card(struct saying *s, struct bytes data, struct wire_error *reterr) {
    struct wiegand w;
    char number[WIEGAND_NUMBER_BYTES];
    struct cursor c = cursor_of(data);
    uint8_t reader = cursor_u8(&c);
    (void)cursor_u8(&c); /* the format: raw bits and Wiegand come alike */
    size_t bits = cursor_u16_le(&c);
    if (c.is_broken) return bad(reterr, "OSDP RAW: reader, format, number of bits and bits", data.len);
    if (!wiegand_read((struct bytes){data.ptr + c.at, data.len - c.at}, bits, &w, reterr)) {
        reterr->at = c.at + reterr->at / 8;
        return false;
    }
    wiegand_number(&w, number);
    tell(s, "card_read", numbered(s, "", reader), true);
    pass(s, PASSING_CARD, number);
    return true;
}

/* What was pressed since it was asked last; one that types slowly is told of in pieces. */
static bool say_keys(struct saying *s, struct bytes data, struct wire_error *reterr) {
    char pressed[KEYS_MAX + 1];
    if (data.len < 2 || data.len - 2 != data.ptr[1])
        return bad(reterr, "OSDP KEYPAD: reader, number of keys and keys", data.len < 2 ? data.len : 1);
    size_t n = data.len - 2;
    const uint8_t *keys = data.ptr + 2;
    for (size_t i = 0; i < n; i++) {
        bool is_digit = keys[i] >= '0' && keys[i] <= '9';
        if (!is_digit && keys[i] != STAR && keys[i] != HASH)
            return bad(reterr, "OSDP KEYPAD: a key is a digit, 7F or 0D", 2 + i);
        pressed[i] = (char)(is_digit ? keys[i] : keys[i] == STAR ? '*' : '#');
    }
    pressed[n] = 0;
    tell(s, "keys_pressed", numbered(s, "", data.ptr[0]), true);
    if (n) pass(s, PASSING_KEYS, pressed);
    return true;
}

static void say_states(struct saying *s, uint8_t code, struct bytes data) {
    for (size_t i = 0; i < data.len && !s->failed; i++) {
        struct str part = numbered(s, code == OSDP_RSTATR ? "" : code == OSDP_ISTATR ? "input_" : "output_", i);
        if (code == OSDP_RSTATR) {
            tell(s, "reader_lost", part, data.ptr[i] == 1);
            tell(s, "reader_tamper", part, data.ptr[i] == 2);
        } else {
            s->readings[s->ret->readings_n++] =
                (struct reading){.device = s->ret->sender, .metric = part, .unit = S(""), .value = data.ptr[i]};
        }
    }
}

bool osdp_say(uint8_t address, uint8_t code, struct bytes data, struct arena *a, struct decoded *ret,
              struct wire_error *reterr) {
    struct saying s = {.a = a, .ret = ret};
    s.events = arena_new(a, struct device_event, 2 * data.len + 2);
    s.readings = arena_new(a, struct reading, data.len + 1);
    *ret = (struct decoded){.events = s.events, .readings = s.readings};
    s.failed = !s.events || !s.readings;
    ret->sender = numbered(&s, "", address);
    bool ok = true;
    switch (code) {
    case OSDP_RAW: ok = say_card(&s, data, reterr); break;
    case OSDP_KEYPAD: ok = say_keys(&s, data, reterr); break;
    case OSDP_LSTATR:
        if (data.len != 2) return bad(reterr, "OSDP LSTATR: tamper and power", data.len);
        tell(&s, "tamper", (struct str){NULL, 0}, data.ptr[0]);
        tell(&s, "power_failure", (struct str){NULL, 0}, data.ptr[1]);
        break;
    case OSDP_ISTATR:
    case OSDP_OSTATR:
    case OSDP_RSTATR: say_states(&s, code, data); break;
    default: break; /* about the device, not about what it sees */
    }
    if (ok && s.failed) return bad(reterr, "out of memory", 0);
    return ok;
}
