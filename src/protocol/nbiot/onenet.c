/* OneNET's pushes: {"msg":…,"msg_signature":…,"nonce":…}, msg one message or a list of them, as JSON or as a text of
 * it.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/base64.h"
#include "protocol/md5.h"
#include "protocol/nbiot/nbiot_internal.h"
#include "protocol/publish.h"

#include <sodium.h>

#define BODY_MAX ((size_t)64 << 10)

/* ---- the body ---- */

struct body {
    struct str msg, nonce, signature; /* msg: a text's content, else JSON as it stands there */
    size_t msg_at;
    bool is_text /* msg */, is_encrypted;
};

static bool read_part(struct json_in *in, struct str key, struct body *b) {
    bool is_msg = str_is(key, "msg"), is_encrypted = str_is(key, "enc_msg");
    bool is_text = in->at < in->end && *in->at == '"';
    const char *begin = in->at;
    struct str value;
    if (is_text ? !json_in_text(in, &value) : !json_in_leaves(in, NULL, NULL)) return false;
    if (!is_text) value = (struct str){begin, (size_t)(in->at - begin)};
    struct str *part = is_msg || is_encrypted                                     ? &b->msg
                       : !is_text                                                 ? NULL
                       : str_is(key, "nonce")                                     ? &b->nonce
                       : str_is(key, "msg_signature") || str_is(key, "signature") ? &b->signature
                                                                                  : NULL;
    if (!part) return true; /* time, id */
    if (part->ptr) return json_in_bad(in, "a member stands twice");
    *part = value;
    b->is_encrypted |= is_encrypted;
    if (part != &b->msg) return true;
    b->msg_at = (size_t)(begin - in->begin);
    b->is_text = is_text;
    return true;
}

/* texts: as large as the body. */
static bool read_body(struct bytes whole, struct buf *texts, struct body *ret, struct wire_error *reterr) {
    struct json_in in = json_in_of(whole, texts);
    struct str key;
    bool ok = true, more = true;
    if (!nbiot_is_body(whole, reterr)) return false;
    *ret = (struct body){.msg_at = 0};
    in.at++;
    for (bool is_first = true; ok; is_first = false) {
        ok = json_in_member(&in, is_first, &key, &more);
        if (!ok || !more) break;
        ok = read_part(&in, key, ret);
    }
    if (ok && json_in_end(&in)) return true;
    *reterr = (struct wire_error){in.rule, in.rule_at};
    return false;
}

static bool is_check(const struct body *b) { /* of the address: any text but a message's */
    return b->is_text && b->msg.len && b->msg.ptr[0] != '{' && b->msg.ptr[0] != '[';
}

static bool is_genuine(struct bytes whole, struct str token) {
    char mem[BODY_MAX + 1], want[MD5_BYTES / 3 * 4 + 5];
    struct buf texts, base64;
    struct body b;
    struct wire_error ignored;
    struct md5 m;
    uint8_t digest[MD5_BYTES];
    if (whole.len > BODY_MAX) return false;
    buf_init(&texts, mem, sizeof mem);
    if (!read_body(whole, &texts, &b, &ignored)) return false;
    const struct str parts[] = {token, b.nonce, b.msg};
    md5_init(&m);
    for (size_t i = 0; i < COUNT(parts); i++) md5_add(&m, (struct bytes){(const uint8_t *)parts[i].ptr, parts[i].len});
    md5_end(&m, digest);
    buf_init(&base64, want, sizeof want);
    base64_put(&base64, (struct bytes){digest, sizeof digest});
    return b.signature.len == base64.len && !sodium_memcmp(b.signature.ptr, want, base64.len);
}

/* ---- one message ---- */

enum field {
    TYPE,
    DATASTREAM,
    AT,
    STATUS,
    MESSAGE,
    NOTIFY,
    PRODUCT,
    NAME,
    STATE,
    TIME,
    TIMESTAMP,
    LATITUDE,
    LONGITUDE,
    FIELDS
};
static const struct pushed_field fields[FIELDS] = {
    [TYPE] = PUSHED_NUMBER("type"),
    [DATASTREAM] = PUSHED_TEXT("ds_id"),
    [AT] = PUSHED_NUMBER("at"),
    [STATUS] = PUSHED_NUMBER("status"),
    [MESSAGE] = PUSHED_TEXT("messageType"),
    [NOTIFY] = PUSHED_TEXT("notifyType"),
    [PRODUCT] = PUSHED_TEXT("productId"),
    [NAME] = PUSHED_TEXT("deviceName"),
    [STATE] = PUSHED_TEXT("data.status"),
    [TIME] = PUSHED_NUMBER("data.time"),
    [TIMESTAMP] = PUSHED_NUMBER("timestamp"),
    [LATITUDE] = PUSHED_NUMBER("data.lat"),
    [LONGITUDE] = PUSHED_NUMBER("data.lon"),
};

enum { DATA_POINT = 1, ONLINE_OFFLINE = 2 }; /* type */

struct message {
    struct pushed *p;
    struct pushed_value values[FIELDS];
    struct str dev_id;  /* a number or a text */
    struct str *params; /* of each reading; absent: of a data point */
};

static bool take(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct message *m = arg;
    bool is_one;
    if (pushed_is(leaf, "dev_id")) m->dev_id = nbiot_name(m->p->a, leaf);
    return pushed_take(fields, FIELDS, m->values, in, leaf, &is_one);
}

/* Data points: value, whatever it is, under its ds_id. */
static bool take_value(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct message *m = arg;
    (void)in;
    if (!leaf->path_n || !leaf->path[0].name.ptr || !str_is(leaf->path[0].name, "value")) return true;
    return pushed_add_leaf(m->p, m->values[DATASTREAM].text, leaf, 1);
}

/* The thing model: data.params.NAME.value, of which the time stands beside it. */
static bool take_param(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct message *m = arg;
    size_t below = pushed_below(leaf, "data.params"), n = m->p->readings_n;
    (void)in;
    if (!below || leaf->path_n < below + 2 || !leaf->path[below].name.ptr || !leaf->path[below + 1].name.ptr ||
        !str_is(leaf->path[below + 1].name, "value"))
        return true;
    if (!pushed_add_leaf(m->p, leaf->path[below].name, leaf, below + 2)) return false;
    if (m->p->readings_n > n) m->params[n] = leaf->path[below].name;
    return true;
}

static bool add_event(struct message *m, struct str code) {
    for (size_t i = m->p->events_from; i < m->p->events_n; i++)
        if (str_eq(m->p->events[i].code, code)) return true;
    if (!code.len || code.len > PUSHED_NAME_MAX) return pushed_bad(m->p, "an event's name: it has 1 to 64 bytes", 0);
    return pushed_event(m->p, code, true);
}

static bool take_time(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct message *m = arg;
    struct pushed *p = m->p;
    int64_t at_ms;
    size_t below = pushed_below(leaf, "data.params");
    (void)in;
    if (!below || leaf->path_n < below + 2 || !leaf->path[below].name.ptr || !leaf->path[below + 1].name.ptr)
        return true;
    struct str param = leaf->path[below].name;
    if (str_is(m->values[NOTIFY].text, "event") && !add_event(m, param)) return false;
    if (leaf->path_n != below + 2 || !str_is(leaf->path[below + 1].name, "time") || leaf->type != JSON_LEAF_NUMBER)
        return true;
    if (!nbiot_time(p, leaf->number, "time: it is no time in milliseconds", &at_ms)) return false;
    for (size_t i = p->readings_from; i < p->readings_n; i++)
        if (str_eq(m->params[i], param)) p->readings[i].at_ms = at_ms;
    for (size_t i = p->events_from; i < p->events_n; i++)
        if (str_eq(p->events[i].code, param)) p->events[i].at_ms = at_ms;
    return true;
}

/* ---- what messages say ---- */

static bool set_device(struct message *m) {
    const struct pushed_value *v = m->values;
    struct buf b;
    struct str device;
    if (!v[NAME].has) return pushed_of(m->p, m->dev_id, "dev_id: it is missing, or no name of a device");
    buf_init_arena(&b, m->p->a, PUSHED_NAME_MAX + 1);
    buf_fmt(&b, STR_FMT "%s" STR_FMT, STR_ARG(v[PRODUCT].text), v[PRODUCT].text.len ? ":" : "", STR_ARG(v[NAME].text));
    if (!buf_done(&b, &device)) device = (struct str){NULL, 0};
    return pushed_of(m->p, device, "deviceName: with productId it is no name of a device");
}

static bool set_time(struct message *m) {
    static const enum field times[] = {AT, TIME, TIMESTAMP};
    for (size_t i = 0; i < COUNT(times); i++)
        if (m->values[times[i]].has)
            return nbiot_time(m->p, m->values[times[i]].number, "at, time: it is no time in milliseconds",
                              &m->p->at_ms);
    return true;
}

static bool say(struct message *m, struct bytes json, size_t at) {
    const struct pushed_value *v = m->values;
    double type = v[TYPE].number;
    if (str_is(v[MESSAGE].text, "lifeCycle") && v[STATE].has)
        return pushed_event(m->p, S("offline"), !str_is(v[STATE].text, "online"));
    if (str_is(v[MESSAGE].text, "lbsAndWifi") && v[LATITUDE].has && v[LONGITUDE].has)
        return pushed_add(m->p, S("latitude"), "deg", v[LATITUDE].number) &&
               pushed_add(m->p, S("longitude"), "deg", v[LONGITUDE].number);
    if (v[NAME].has) return pushed_object(m->p, json, at, take_param, m) && pushed_object(m->p, json, at, take_time, m);
    if (type == DATA_POINT) return pushed_object(m->p, json, at, take_value, m);
    if (type != ONLINE_OFFLINE) return true;
    if (!v[STATUS].has) return pushed_bad(m->p, "status: it is missing", 0);
    return pushed_event(m->p, S("offline"), v[STATUS].number == 0);
}

/* *ret_sender: the last one of a list. */
static bool read_message(struct message *m, struct bytes json, size_t at, struct str *ret_sender) {
    *m = (struct message){.p = m->p, .params = m->params};
    if (!pushed_object(m->p, json, at, take, m) || !set_device(m) || !set_time(m) || !say(m, json, at)) return false;
    *ret_sender = m->p->device;
    pushed_next(m->p);
    return true;
}

static bool read_list(struct message *m, struct bytes json, struct buf *texts, struct str *ret_sender) {
    struct json_in in = json_in_of(json, texts);
    in.at++;
    json_in_blanks(&in);
    if (json_in_char(&in, ']')) return true;
    do {
        json_in_blanks(&in);
        const char *begin = in.at;
        if (!json_in_leaves(&in, NULL, NULL)) return pushed_bad(m->p, in.rule, in.rule_at);
        struct bytes one = {(const uint8_t *)begin, (size_t)(in.at - begin)};
        if (!read_message(m, one, (size_t)(begin - in.begin), ret_sender)) return false;
        json_in_blanks(&in);
    } while (json_in_char(&in, ','));
    if (!json_in_char(&in, ']')) return pushed_bad(m->p, "neither , nor ] behind a value", (size_t)(in.at - in.begin));
    return json_in_end(&in) || pushed_bad(m->p, in.rule, in.rule_at);
}

/* ---- the narrow waist ---- */

static bool read_frame(struct bytes whole, struct arena *a, struct decoded *ret, const char **ret_what,
                       struct wire_error *reterr) {
    struct body b;
    struct pushed p;
    struct str sender = {NULL, 0};
    struct buf texts;
    struct message m = {.p = &p, .params = arena_new(a, struct str, PUSHED_READINGS_MAX)};
    char *mem = arena_alloc(a, whole.len + 1, 2, 1); /* for the body, and for a list within it */
    *ret = (struct decoded){0};
    *ret_what = "check";
    pushed_init(&p, ret, a, reterr, 0);
    if (!mem || !m.params) return pushed_bad(&p, "out of memory", 0);
    buf_init(&texts, mem, 2 * (whole.len + 1));
    if (!read_body(whole, &texts, &b, reterr)) return false;
    if (b.is_encrypted) return pushed_bad(&p, "enc_msg: what is encrypted is not understood", b.msg_at);
    if (!b.msg.ptr) return pushed_bad(&p, "msg: it is missing", 0);
    if (is_check(&b)) return true;
    *ret_what = "message";
    bool is_there = (const uint8_t *)b.msg.ptr >= whole.ptr && (const uint8_t *)b.msg.ptr < whole.ptr + whole.len;
    struct bytes json = {(const uint8_t *)b.msg.ptr, b.msg.len};
    p.at = is_there ? (size_t)(json.ptr - whole.ptr) : 0;
    bool is_list = json.len && json.ptr[0] == '[';
    if (!(is_list ? read_list(&m, json, &texts, &sender) : read_message(&m, json, 0, &sender))) {
        if (!is_there) reterr->at = b.msg_at; /* a text with escapes */
        return false;
    }
    pushed_end(&p);
    ret->sender = sender;
    return true;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    const char *what;
    return read_frame(whole, a, ret, &what, reterr);
}

/* The check of an address wants its msg back. */
static void reply(struct bytes whole, bool ok, int64_t now_s, struct buf *out) {
    char mem[BODY_MAX + 1];
    struct buf texts;
    struct body b;
    struct wire_error ignored;
    (void)now_s;
    buf_init(&texts, mem, sizeof mem);
    if (ok && whole.len <= BODY_MAX && read_body(whole, &texts, &b, &ignored) && !b.is_encrypted && is_check(&b))
        buf_str(out, b.msg);
}

static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct decoded d;
    const char *what;
    if (!read_frame(whole, a, &d, &what, reterr)) return false;
    nbiot_show(whole, str_of(what), d.sender, a, j);
    return true;
}

const struct codec onenet_codec = {
    .name = "onenet",
    .standard = "China Mobile OneNET, HTTP push",
    .frame_max = BODY_MAX,
    .decode = decode,
    .reply = reply,
    .show = show,
    .make = publish_make,
    .is_text = true,
    .carrier = CARRIER_BODY,
    .is_genuine = is_genuine,
};
