/* Lines as rows: where devices reach this server, or are reached by it.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/things/things.h"

#include "kernel/rows.h"
#include "net/address.h"
#include "protocol/bacnet/bacnet.h"
#include "protocol/codec.h"
#include "protocol/home/home.h"

#include <arpa/inet.h>
#include <string.h>

static const char *check_address(struct str s) {
    char text[INET6_ADDRSTRLEN + 1];
    uint8_t addr[16];
    if (s.len >= sizeof text) return "bad_address";
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    return inet_pton(AF_INET, text, addr) == 1 || inet_pton(AF_INET6, text, addr) == 1 ? NULL : "bad_address";
}

/* A numeric address or a name. */
static const char *check_host(struct str s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_plain && (!c || !strchr(".-_:", c))) return "bad_host";
    }
    return NULL;
}

static const char *check_senders(struct str s) {
    return address_list_is(s) ? NULL : "bad_senders";
}

static const char *check_topics(struct str s) {
    char mem[8 * LINE_TOPICS_MAX];
    struct buf filters;
    struct home_speaks ignored;
    buf_init(&filters, mem, sizeof mem);
    return home_topics_read(s, &ignored, &filters);
}

/* A port of the machine, and no other file of it. */
static const char *check_serial(struct str s) {
    if (!str_starts(s, S("/dev/")) || s.len == 5) return "bad_serial";
    for (size_t i = 5; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_-:/", c);
        if (!is_plain && c != '.') return "bad_serial";
        if (c == '.' && s.ptr[i - 1] == '.') return "bad_serial";
    }
    return NULL;
}

bool line_numbers_read(struct str numbers, int64_t *ret_low, int64_t *ret_high) {
    struct str high = numbers, low;
    *ret_low = *ret_high = -1;
    if (!str_cut(&high, '-', &low) || !numbers.len) return true;
    int64_t first, last;
    if (!str_to_i64(low, &first) || first < 0 || first >= BACNET_INSTANCE_MAX) return false;
    if (!str_to_i64(high.ptr ? high : low, &last) || last < first || last >= BACNET_INSTANCE_MAX) return false;
    *ret_low = first;
    *ret_high = last;
    return true;
}

static const char *check_numbers(struct str s) {
    int64_t low, high;
    return line_numbers_read(s, &low, &high) ? NULL : "bad_numbers";
}

static const struct field fields[] = {
    {STATE(struct line_row, state)},
    {TEXT(struct line_row, name), .min = 1, .max = LINE_NAME_MAX, .flags = REQUIRED | UNIQUE | SEARCH | COLUMN},
    {CHOICE(struct line_row, kind, LINE_KINDS), .flags = REQUIRED | FIXED | COLUMN},
    {CHOICE(struct line_row, reach, "listen dial serial")},
    {TEXT(struct line_row, bind), .max = 45, .check = check_address},
    {TEXT(struct line_row, host), .max = LINE_HOST_MAX, .check = check_host},
    {INT(struct line_row, port), .min = 0, .max = 65535},
    {TEXT(struct line_row, senders), .max = LINE_SENDERS_MAX, .check = check_senders},
    {TEXT(struct line_row, greeting), .max = 64},
    {TEXT(struct line_row, numbers), .max = 20, .check = check_numbers},
    {TEXT(struct line_row, serial), .max = 60, .check = check_serial},
    {CHOICE(struct line_row, baud, "1200 2400 4800 9600 19200 38400 57600 115200")},
    {CHOICE(struct line_row, parity, "even none odd")},
    {CHOICE(struct line_row, stop_bits, "1 2")},
    {FLAG(struct line_row, tls)},
    {TEXT(struct line_row, username), .max = 120},
    {TEXT(struct line_row, topics), .max = LINE_TOPICS_MAX, .check = check_topics},
    {INT(struct line_row, every_s), .min = 1, .max = 86400, .unit = "s"},
    {FLAG(struct line_row, enabled), .flags = COLUMN},
    {TEXT(struct line_row, address), .max = LINE_ADDRESS_MAX, .flags = SYSTEM | COLUMN},
    {TEXT(struct line_row, problem), .max = LINE_PROBLEM_MAX, .flags = SYSTEM | COLUMN},
    /* Shown to those who may move the line, in part to those who may see it. */
    {TEXT(struct line_row, push_key), .max = LINE_PUSH_KEY, .flags = SYSTEM, .class = IDENTITY},
    {TEXT(struct line_row, secret), .max = LINE_SECRET_MAX, .flags = SYSTEM, .class = SECRET},
};
/* 128 bits of chance: the address that devices push to. */
static enum err make_key(struct ctx *ctx, struct line_row *l) {
    uint8_t chance[LINE_PUSH_KEY / 2];
    struct buf b;
    struct str key;
    ctx->world->random(ctx->world->self, chance, sizeof chance);
    buf_init_arena(&b, ctx->arena, LINE_PUSH_KEY + 1);
    buf_hex(&b, (struct bytes){chance, sizeof chance});
    if (!buf_done(&b, &key)) return FAIL_MEMORY(ctx);
    SET(&line_rows, l, push_key, key);
    return OK;
}

/* The old one opens nothing from the moment on in which the lines are read again. */
static enum err renew_key(struct ctx *ctx, void *row) {
    return make_key(ctx, row);
}

static enum err has_key(struct ctx *ctx, const void *row) {
    if (row_has(&line_rows, row, "push_key")) return OK;
    return FAIL(&ctx->fault, ERR_CONFLICT, "not_pushed", "nothing is pushed to a line of this kind");
}

/* Else it would be answered, and nothing would be asked. */
static enum err can_search(struct ctx *ctx, const void *row) {
    const struct line_row *l = row;
    const struct codec *c = codec_find(l->kind);
    if (!c || !c->asking || !c->asking->find)
        return FAIL(&ctx->fault, ERR_CONFLICT, "not_searchable", "nobody can be searched for on a line of this kind");
    if (l->state == LINE_OPEN) return OK;
    return FAIL(&ctx->fault, ERR_CONFLICT, "line_not_open", "the line is not open: nobody there can be asked");
}

/* What is pushed is signed with it, or a broker wants it. */
static enum err takes_secret(struct ctx *ctx, const void *row) {
    const struct line_row *l = row;
    const struct codec *c = codec_find(l->kind);
    if (str_is(l->kind, "mqtt-client") || (c && c->is_genuine)) return OK;
    return FAIL(&ctx->fault, ERR_CONFLICT, "takes_no_secret", "nothing on a line of this kind wants a secret");
}

static const char *const states[] = {[LINE_CLOSED] = "closed", [LINE_OPEN] = "open", [LINE_FAILED] = "failed"};
static const struct step steps[] = {
    {ANY_STATE, "open", LINE_OPEN, "timer", .takes = "address problem port"},
    {ANY_STATE, "fail", LINE_FAILED, "timer", .takes = "address problem"},
    {ANY_STATE, "close", LINE_CLOSED, "timer", .takes = "address problem"},
    {ANY_STATE, "find", ANY_STATE, "manager admin", .guard = can_search},
    {ANY_STATE, "set_secret", ANY_STATE, "admin", .takes = "secret", .guard = takes_secret},
    {ANY_STATE, "new_push_key", ANY_STATE, "admin", .danger = true, .guard = has_key, .effect = renew_key},
};
/* A line opens a socket of the server: only its administrator may say which. */
static const struct grant grants[] = {
    {"admin", CREATE | READ | UPDATE | ARCHIVE, PLACE, .clear = IDENTITY},
    {"manager dispatcher repairer", READ, COMMUNITY},
};

static enum err prepare(struct ctx *ctx, void *row, const void *before) {
    struct line_row *l = row;
    const struct codec *codec = codec_find(l->kind);
    return before || !codec || !codec_is_pushed(codec) ? OK : make_key(ctx, l);
}

static enum err validate(struct ctx *ctx, const void *row) {
    const struct line_row *l = row;
    if (str_is(l->reach, "dial") && !l->host.len) return FAIL_FIELD(&ctx->fault, "host", "required", 0);
    if (str_is(l->reach, "dial") && check_address(l->host)) return FAIL_FIELD(&ctx->fault, "host", "bad_address", 0);
    if (str_is(l->kind, "mqtt-client") && !l->host.len) return FAIL_FIELD(&ctx->fault, "host", "required", 0);
    if (str_is(l->kind, "mqtt-client") && !l->topics.len) return FAIL_FIELD(&ctx->fault, "topics", "required", 0);
    if (str_is(l->reach, "dial") && !l->port) return FAIL_FIELD(&ctx->fault, "port", "required", 0);
    if (str_is(l->reach, "serial") && str_is(l->kind, "bacnet"))
        return FAIL_FIELD(&ctx->fault, "reach", "bad_choice", 0);
    if (str_is(l->reach, "serial") && !l->serial.len) return FAIL_FIELD(&ctx->fault, "serial", "required", 0);
    return OK;
}

const struct resource line_rows = {
    .name = "lines",
    .group = "operations",
    .icon = "device",
    .size = sizeof(struct line_row),
    .label = "name",
    .tones = "off ok bad",
    ROWS(fields, fields),
    ROWS(states, states),
    ROWS(steps, steps),
    ROWS(grants, grants),
    .prepare = prepare,
    .validate = validate,
};
