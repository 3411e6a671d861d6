/* HJ 212 as the centre: what a station is asked or told, and what answers it.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/hj212/hj212_internal.h"

#include <string.h>

#define CP_MAX   512
#define MN_2005  14
#define KEYS_MAX 3
#define REKEY    "password"

/* A key of CP and what its value looks like; SAID is no key but a word that is said. */
struct key {
    const char *name;
    enum { NUMBER, TIME, CLOCK, CODE, SAID } form;
};
/* Which row a word is, how many words its value has decides. */
static const struct command {
    const char *word;
    int cn;
    struct key keys[KEYS_MAX]; /* up to one without a name */
    enum { BOTH, ONLY_2005, ONLY_2017 } edition;
} commands[] = {
    {"timeout", 1000, {{"OverTime", NUMBER}, {"ReCount", NUMBER}}, BOTH},
    {"clock", HJ212_GET_CLOCK, {{NULL}}, BOTH},
    {"clock", HJ212_SET_CLOCK, {{"SystemTime", TIME}}, BOTH},
    {"interval", HJ212_GET_INTERVAL, {{NULL}}, BOTH},
    {"interval", HJ212_SET_INTERVAL, {{"RtdInterval", NUMBER}}, BOTH},
    {"minute_interval", HJ212_GET_MINUTES, {{NULL}}, ONLY_2017},
    {"minute_interval", HJ212_SET_MINUTES, {{"MinInterval", NUMBER}}, ONLY_2017},
    {REKEY, HJ212_SET_PASSWORD, {{"NewPW", CODE}}, ONLY_2017},
    {REKEY, HJ212_SET_PASSWORD, {{"PW", CODE}}, ONLY_2005},
    {"realtime", HJ212_REALTIME, {{NULL}}, BOTH},
    {"realtime", 2012, {{"stop", SAID}}, BOTH},
    {"state", HJ212_STATE, {{NULL}}, BOTH},
    {"state", 2022, {{"stop", SAID}}, BOTH},
    {"day", HJ212_DAY, {{"BeginTime", TIME}, {"EndTime", TIME}}, BOTH},
    {"day_state", HJ212_DAY_STATE, {{"BeginTime", TIME}, {"EndTime", TIME}}, BOTH},
    {"minute", HJ212_MINUTE, {{"BeginTime", TIME}, {"EndTime", TIME}}, BOTH},
    {"hour", HJ212_HOUR, {{"BeginTime", TIME}, {"EndTime", TIME}}, BOTH},
    {"calibrate", 3011, {{"PolId", CODE}}, ONLY_2017},
    {"sample", 3012, {{"PolId", CODE}}, ONLY_2017},
    {"clean", 3013, {{"PolId", CODE}}, ONLY_2017},
    {"compare", 3014, {{"PolId", CODE}}, ONLY_2017},
    {"keep_sample", HJ212_KEEP_SAMPLE, {{"now", SAID}}, ONLY_2017},
    {"sampling", 3016, {{"PolId", CODE}, {"CstartTime", CLOCK}, {"CTime", NUMBER}}, ONLY_2017},
    {"sampling", HJ212_GET_SAMPLING, {{"PolId", CODE}}, ONLY_2017},
    {"sampling_time", 3018, {{"PolId", CODE}}, ONLY_2017},
    {"serial_number", 3019, {{"PolId", CODE}}, ONLY_2017},
};

/* ---- CP ---- */

/* What can stand in a packet without being taken for its end or for the next field. */
static bool is_plain(struct str text, const char *but) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || strchr(but, text.ptr[i])) return false;
    return text.len > 0;
}

static bool is_digits(struct str text, size_t least, size_t most) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    return text.len >= least && text.len <= most;
}

static bool put_value(const struct question *q, const struct key *k, struct str word, struct buf *cp) {
    bool ok = false;
    switch (k->form) {
    case SAID: return str_is(word, k->name);
    case NUMBER: ok = is_digits(word, 1, 5); break;
    case CLOCK: ok = is_digits(word, 6, 6); break;
    case CODE: ok = word.len <= 20 && is_plain(word, "&;,=#"); break;
    case TIME: ok = str_is(word, "now") || (word.len == 14 && hj212_time_of(word)); break;
    }
    buf_fmt(cp, "%s=", k->name);
    if (k->form == TIME && str_is(word, "now"))
        hj212_put_time(cp, q->now_s);
    else
        buf_str(cp, word);
    return ok;
}

static size_t keys_of(const struct command *c) {
    size_t n = 0;
    while (n < KEYS_MAX && c->keys[n].name) n++;
    return n;
}

static bool put_values(const struct question *q, const struct command *c, bool is_2005, struct str value,
                       struct buf *cp) {
    struct str word;
    size_t n = 0, all = keys_of(c);
    cp->len = 0;
    while (str_word(&value, &word)) {
        if (n == all) return false;
        if (n) buf_char(cp, is_2005 ? ',' : ';');
        if (!put_value(q, &c->keys[n++], word, cp)) return false;
    }
    return n == all;
}

/* ---- what is asked ---- */

struct wish {
    struct str st;
    int cn;
};

/* cp may be NULL: only which command it is. */
static bool read_wish(const struct question *q, struct wish *ret, struct buf *cp) {
    bool is_2005 = q->address.len == MN_2005;
    struct str item = q->item, value = q->value;
    int64_t cn;
    char mem[CP_MAX];
    struct buf unused;
    if (!cp) buf_init(cp = &unused, mem, sizeof mem);
    if (str_is(value, "read")) value = (struct str){NULL, 0};
    *ret = (struct wish){.st = S("91")};
    if (item.len > 3 && item.ptr[2] == ':') {
        ret->st = (struct str){item.ptr, 2};
        item = str_from(item, 3);
        if (!is_digits(ret->st, 2, 2)) return false;
    }
    if (is_digits(item, 4, 4) && str_to_i64(item, &cn) && cn >= 1000 && cn < 4000 && cn != HJ212_SET_PASSWORD) {
        ret->cn = (int)cn;
        buf_str(cp, value);
        return !value.len || (value.len < CP_MAX && is_plain(value, "&#"));
    }
    for (size_t i = 0; i < COUNT(commands) && !ret->cn; i++) {
        const struct command *c = &commands[i];
        if (!str_is(item, c->word) || c->edition == (is_2005 ? ONLY_2017 : ONLY_2005)) continue;
        if (put_values(q, c, is_2005, value, cp)) ret->cn = c->cn;
    }
    if (ret->cn == HJ212_SET_PASSWORD && !str_is(q->item, REKEY)) return false; /* under one name only, see rekey */
    return ret->cn > 0;
}

/* The number of the question: when, and in its milliseconds which. */
static void put_number(const struct question *q, struct buf *b) {
    hj212_put_time(b, q->now_s);
    buf_fmt(b, "%03u", q->serial);
}

static bool ask(const struct question *q, struct buf *out) {
    char mem[CP_MAX], data[2 * CP_MAX];
    struct buf cp, b;
    struct wish w;
    buf_init(&cp, mem, sizeof mem);
    buf_init(&b, data, sizeof data);
    if (q->part || q->address.len > HJ212_MN_MAX || !is_plain(q->address, "&;,=#") ||
        (q->key.ptr && (q->key.len > HJ212_MN_MAX || !is_plain(q->key, "&;,=#"))) || !read_wish(q, &w, &cp))
        return false;
    buf_cstr(&b, "QN=");
    put_number(q, &b);
    buf_fmt(&b, ";ST=" STR_FMT ";CN=%d;", STR_ARG(w.st), w.cn);
    if (q->key.ptr) buf_fmt(&b, "PW=" STR_FMT ";", STR_ARG(q->key));
    buf_fmt(&b, "MN=" STR_FMT ";Flag=%d;CP=&&" STR_FMT "&&", STR_ARG(q->address),
            q->address.len == MN_2005 ? HJ212_ANSWER_WANTED : HJ212_VERSION_2017 | HJ212_ANSWER_WANTED,
            STR_ARG(((struct str){mem, cp.len})));
    return !cp.overflow && !b.overflow && hj212_encode((struct str){data, b.len}, out);
}

/* ---- answers ---- */

static struct str item_of(struct str cp, const char *key) {
    struct str k, value;
    while (hj212_next(&cp, &k, &value))
        if (str_is(k, key)) return value;
    return (struct str){NULL, 0};
}

static bool is_number(const struct question *q, const struct hj212_frame *f) {
    char mem[32];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    put_number(q, &b);
    return str_eq(f->qn.ptr ? f->qn : item_of(f->cp, "QN"), (struct str){mem, b.len});
}

struct word {
    const char *code, *word;
};
static const struct word requests[] = {
    {"2", "refused"},    {"3", "wrong_password"}, {"4", "wrong_station"},   {"5", "wrong_system"},
    {"6", "wrong_flag"}, {"7", "wrong_number"},   {"8", "no_such_command"}, {"9", "wrong_sum"},
};
static const struct word results[] = {
    {"2", "failed"}, {"3", "wrong_condition"}, {"4", "timed_out"},
    {"5", "busy"},   {"6", "system_fault"},    {"100", "no_data"},
};

static const char *word_of(const struct word *all, size_t n, struct str code) {
    for (size_t i = 0; i < n; i++)
        if (str_is(code, all[i].code)) return all[i].word;
    return "unknown_error";
}

static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct hj212_frame f;
    struct wire_error ignored;
    struct wish w;
    struct str code;
    if (!read_wish(q, &w, NULL) || !hj212_decode(whole, &f, &ignored) || !str_eq(f.mn, q->address) || !is_number(q, &f))
        return ANSWER_OTHER;
    switch (f.command) {
    case HJ212_REQUEST_ANSWER:
        code = item_of(f.cp, "QnRtn");
        if (str_is(code, "1")) return ANSWER_MORE;
        *ret_why = word_of(requests, COUNT(requests), code);
        return ANSWER_REFUSED;
    case HJ212_RESULT:
        code = item_of(f.cp, "ExeRtn");
        if (str_is(code, "1")) return ANSWER_WHOLE;
        *ret_why = word_of(results, COUNT(results), code);
        return ANSWER_REFUSED;
    case HJ212_NOTICE_ANSWER:
    case HJ212_DATA_ANSWER: return ANSWER_WHOLE;
    default:
        if (f.command != w.cn) return ANSWER_OTHER;
        buf_add(data, whole.ptr, whole.len);
        return ANSWER_MORE;
    }
}

/* ---- what they say: packets one behind the other ---- */

struct parts {
    struct hj212_frame *all;
    size_t n, cap;
    int64_t told; /* PNUM */
};

static bool has_part(const struct parts *p, int64_t no) {
    for (size_t i = 0; i < p->n; i++)
        if (p->all[i].part == no) return true;
    return false;
}

/* One that came twice counts once. */
static bool add_part(struct parts *p, const struct hj212_frame *f, struct arena *a) {
    if (f->parts > p->told) p->told = f->parts;
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->all[i].data, f->data)) return true;
    p->all = arena_grow(a, p->all, p->n, &p->cap, sizeof *p->all);
    if (p->all) p->all[p->n++] = *f;
    return p->all;
}

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static bool read_parts(struct bytes data, struct arena *a, struct parts *ret, struct wire_error *reterr) {
    for (size_t at = 0, len; at < data.len; at += len) {
        struct bytes rest = {data.ptr + at, data.len - at};
        struct hj212_frame f;
        if (hj212_split(rest, &len) != FRAME_WHOLE) return bad(reterr, "HJ 212 packet: the answer is no packet", at);
        if (!hj212_decode((struct bytes){rest.ptr, len}, &f, reterr)) return false;
        if (!add_part(ret, &f, a)) return bad(reterr, "out of memory", at);
    }
    for (int64_t no = 1; no <= ret->told; no++) /* ends at the first that is missing, at the latest behind the last */
        if (!has_part(ret, no)) return bad(reterr, "HJ 212 PNO: a part of the answer is missing", data.len);
    return true;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    struct parts p = {0};
    *ret = (struct decoded){.sender = q->address};
    if (!read_parts(data, a, &p, reterr)) return false;
    if (!p.n) return true; /* what was told is done */
    return hj212_mean(p.all, p.n, 0, a, ret) || bad(reterr, "out of memory", 0);
}

const struct asking hj212_asking = {.ask = ask, .answers = answers, .read = understand, .rekey = REKEY};
