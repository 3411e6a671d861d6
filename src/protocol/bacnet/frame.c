/* Datagrams of BACnet/IP: BVLL, NPDU and the head of the APDU.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet_internal.h"

#include <string.h>

#define BVLL      0x81
#define VERSION   1
#define HOPS      255
#define LIMITS    0x05 /* no segments, 1476 bytes */
#define LENGTH_AT 2
#define FLAGS     0x0f

/* What the control byte of the NPDU says (6.2.2). */
enum { NETWORK_MESSAGE = 0x80, HAS_TO = 0x20, HAS_FROM = 0x08, EXPECTS = 0x04, PRIORITY = 0x03, RESERVED = 0x50 };

/* Functions: what is between head and NPDU, and how many bytes of data there are where no NPDU follows. */
static const struct function {
    uint8_t code;
    bool has_origin, has_npdu;
    uint8_t data;
} functions[] = {
    {BACNET_RESULT, false, false, 2},    {BACNET_FORWARDED, true, true, 0}, {BACNET_REGISTER, false, false, 2},
    {BACNET_DISTRIBUTE, false, true, 0}, {BACNET_UNICAST, false, true, 0},  {BACNET_BROADCAST, false, true, 0},
};

static const struct function *function_of(uint8_t code) {
    for (size_t i = 0; i < COUNT(functions); i++)
        if (functions[i].code == code) return &functions[i];
    return NULL;
}

/* Heads of APDUs: which flags there are, and what stands before the data. */
static const struct head {
    uint8_t flags;
    bool has_limits, has_invoke, has_service, has_data;
    const char *rule;
} heads[] = {
    [BACNET_CONFIRMED] = {0x0e, true, true, true, true, "BACnet 20.1.2: flags, limits, invoke id, service, parameters"},
    [BACNET_UNCONFIRMED] = {0, false, false, true, true, "BACnet 20.1.3: service, parameters"},
    [BACNET_SIMPLE_ACK] = {0, false, true, true, false, "BACnet 20.1.4: invoke id, service"},
    [BACNET_COMPLEX_ACK] = {0x0c, false, true, true, true, "BACnet 20.1.5: flags, invoke id, service, parameters"},
    [BACNET_SEGMENT_ACK] = {0x03, false, true, false, false, "BACnet 20.1.6: flags, invoke id, sequence, window"},
    [BACNET_ERROR] = {0, false, true, true, true, "BACnet 20.1.7: invoke id, service, error"},
    [BACNET_REJECT] = {0, false, true, true, false, "BACnet 20.1.8: invoke id, reason"},
    [BACNET_ABORT] = {0x01, false, true, true, false, "BACnet 20.1.9: flags, invoke id, reason"},
};

static bool has_window(const struct bacnet_frame *f) {
    bool may = f->kind == BACNET_CONFIRMED || f->kind == BACNET_COMPLEX_ACK;
    return f->kind == BACNET_SEGMENT_ACK || (may && f->flags & BACNET_SEGMENTED);
}

/* ---- reading ---- */

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static struct bytes rest_of(struct cursor *c) {
    return cursor_bytes(c, cursor_left(c));
}

static bool read_address(struct cursor *c, bool may_be_all, struct bacnet_address *ret, struct wire_error *reterr) {
    size_t at = c->at;
    struct bacnet_address a = {.net = cursor_u16_be(c), .mac_n = cursor_u8(c)};
    if (!c->is_broken && a.mac_n > BACNET_MAC_MAX)
        return bad(reterr, "BACnet 6.2.2: an address has at most 7 bytes", at + 2);
    struct bytes mac = cursor_bytes(c, a.mac_n);
    if (c->is_broken) return bad(reterr, "BACnet 6.2.2: the address ends early", at);
    if (!a.net || (!may_be_all && (a.net == BACNET_EVERYWHERE || !a.mac_n)))
        return bad(reterr, "BACnet 6.2.2: no such network or station", at);
    if (mac.len) memcpy(a.mac, mac.ptr, mac.len);
    *ret = a;
    return true;
}

static bool read_npdu(struct cursor *c, struct bacnet_frame *f, struct wire_error *reterr) {
    size_t at = c->at;
    uint8_t version = cursor_u8(c), control = cursor_u8(c);
    if (c->is_broken || version != VERSION) return bad(reterr, "BACnet 6.2.1: the version is 1", at);
    if (control & RESERVED) return bad(reterr, "BACnet 6.2.2: bits 6 and 4 of the control byte are 0", at + 1);
    f->is_network = control & NETWORK_MESSAGE;
    f->is_expecting = control & EXPECTS;
    f->priority = control & PRIORITY;
    if (control & HAS_TO && !read_address(c, true, &f->to, reterr)) return false;
    if (control & HAS_FROM && !read_address(c, false, &f->from, reterr)) return false;
    if (control & HAS_TO) f->hops = cursor_u8(c);
    if (f->is_network && !c->is_broken) {
        f->data = rest_of(c);
        if (!f->data.len) return bad(reterr, "BACnet 6.2.4: a message of the network layer has a type", c->at);
    }
    return !c->is_broken || bad(reterr, "BACnet 6.2.2: the NPDU ends early", c->at);
}

static bool read_apdu(struct cursor *c, struct bacnet_frame *f, struct wire_error *reterr) {
    size_t at = c->at;
    uint8_t first = cursor_u8(c);
    if (c->is_broken || first >> 4 > BACNET_ABORT) return bad(reterr, "BACnet 20.1.1: there is no such PDU", at);
    f->kind = first >> 4;
    f->flags = first & FLAGS;
    const struct head *h = &heads[f->kind];
    if (f->flags & ~h->flags) return bad(reterr, h->rule, at);
    if (h->has_limits) f->limits = cursor_u8(c);
    if (h->has_invoke) f->invoke = cursor_u8(c);
    if (has_window(f)) {
        f->sequence = cursor_u8(c);
        f->window = cursor_u8(c);
    }
    if (h->has_service) f->service = cursor_u8(c);
    if (c->is_broken) return bad(reterr, h->rule, c->at);
    if (h->has_data) f->data = rest_of(c);
    if (f->data.len > BACNET_APDU_MAX) return bad(reterr, "BACnet J.1.2: an APDU has at most 1476 bytes", c->at);
    return !cursor_left(c) || bad(reterr, h->rule, c->at);
}

bool bacnet_decode(struct bytes whole, struct bacnet_frame *ret, struct wire_error *reterr) {
    struct cursor c = cursor_of(whole);
    struct bacnet_frame f = {0};
    if (cursor_u8(&c) != BVLL) return bad(reterr, "BACnet J.2: it begins with 81", 0);
    f.function = cursor_u8(&c);
    size_t length = cursor_u16_be(&c);
    if (c.is_broken || length != whole.len)
        return bad(reterr, "BACnet J.2: the length is not that of the datagram", whole.len < 4 ? whole.len : LENGTH_AT);
    const struct function *how = function_of(f.function);
    if (!how) return bad(reterr, "BACnet J.2: the function is none of 00, 04, 05, 09, 0A, 0B", 1);
    if (!how->has_npdu && cursor_left(&c) != how->data)
        return bad(reterr, "BACnet J.2: the function has two bytes of data", c.at);
    if (how->has_origin) {
        struct bytes origin = cursor_bytes(&c, sizeof f.origin);
        if (c.is_broken) return bad(reterr, "BACnet J.2.5: the origin has six bytes", c.at);
        memcpy(f.origin, origin.ptr, origin.len);
    }
    if (!how->has_npdu) f.data = rest_of(&c);
    if (how->has_npdu && !read_npdu(&c, &f, reterr)) return false;
    if (how->has_npdu && !f.is_network && !read_apdu(&c, &f, reterr)) return false;
    *ret = f;
    return true;
}

/* ---- writing ---- */

static void put_address(const struct bacnet_address *a, struct buf *out) {
    cursor_put_be(out, a->net, 2);
    buf_char(out, (char)a->mac_n);
    buf_add(out, a->mac, a->mac_n);
}

static void put_npdu(const struct bacnet_frame *f, struct buf *out) {
    buf_char(out, VERSION);
    buf_char(out, (char)(uint8_t)((f->is_network ? NETWORK_MESSAGE : 0) | (f->to.net ? HAS_TO : 0) |
                                  (f->from.net ? HAS_FROM : 0) | (f->is_expecting ? EXPECTS : 0) | f->priority));
    if (f->to.net) put_address(&f->to, out);
    if (f->from.net) put_address(&f->from, out);
    if (f->to.net) buf_char(out, (char)f->hops);
}

static void put_apdu(const struct bacnet_frame *f, struct buf *out) {
    const struct head *h = &heads[f->kind];
    buf_char(out, (char)(uint8_t)(f->kind << 4 | f->flags));
    if (h->has_limits) buf_char(out, (char)f->limits);
    if (h->has_invoke) buf_char(out, (char)f->invoke);
    if (has_window(f)) {
        buf_char(out, (char)f->sequence);
        buf_char(out, (char)f->window);
    }
    if (h->has_service) buf_char(out, (char)f->service);
}

bool bacnet_encode(const struct bacnet_frame *f, struct buf *out) {
    char mem[BACNET_FRAME_MAX + 1];
    struct buf b;
    const struct function *how = function_of(f->function);
    bool ok = how && f->kind <= BACNET_ABORT && f->to.mac_n <= BACNET_MAC_MAX && f->from.mac_n <= BACNET_MAC_MAX &&
              f->priority <= PRIORITY && f->data.len <= BACNET_APDU_MAX;
    if (!ok || f->flags & ~heads[f->kind].flags) return false;
    buf_init(&b, mem, sizeof mem);
    if (how->has_origin) buf_add(&b, f->origin, sizeof f->origin);
    if (how->has_npdu) put_npdu(f, &b);
    if (how->has_npdu && !f->is_network) put_apdu(f, &b);
    buf_add(&b, f->data.ptr, f->data.len);
    if (b.overflow || b.len + 4 > BACNET_FRAME_MAX) return false;
    buf_char(out, (char)BVLL);
    buf_char(out, (char)f->function);
    cursor_put_be(out, b.len + 4, 2);
    buf_add(out, b.ptr, b.len);
    return true;
}

struct bacnet_frame bacnet_request(uint8_t service, uint8_t invoke, const struct bacnet_address *to) {
    struct bacnet_frame f = {.function = BACNET_UNICAST,
                             .is_expecting = true,
                             .kind = BACNET_CONFIRMED,
                             .limits = LIMITS,
                             .invoke = invoke,
                             .service = service};
    if (to && to->net) f.to = *to;
    if (f.to.net) f.hops = HOPS;
    return f;
}

struct bacnet_frame bacnet_announcement(uint8_t service) {
    return (struct bacnet_frame){.function = BACNET_BROADCAST,
                                 .to.net = BACNET_EVERYWHERE,
                                 .hops = HOPS,
                                 .kind = BACNET_UNCONFIRMED,
                                 .service = service};
}

struct bacnet_frame bacnet_answer(const struct bacnet_frame *f, enum bacnet_kind kind, uint8_t service_or_reason) {
    return (struct bacnet_frame){.function = BACNET_UNICAST,
                                 .to = f->from,
                                 .hops = f->from.net ? HOPS : 0,
                                 .kind = (uint8_t)kind,
                                 .invoke = f->invoke,
                                 .service = service_or_reason};
}
