/* GB/T 26875.3 as the centre: what a device is asked or told, and what answers it.  SPDX-License-Identifier: Apache-2.0
 */
#include "protocol/gb26875/gb26875_internal.h"

#define GB26875_DUTY 91
#define ADDRESS_MAX  ((INT64_C(1) << 48) - 1)

static const struct wish {
    uint8_t type, answer; /* 0: it is told, and confirmed */
    const char *word;
} wishes[] = {{61, 1, "system_state"},
              {62, 2, "component_state"},
              {63, 3, "analogue"},
              {64, 4, "system_operations"},
              {65, 5, "system_version"},
              {66, 6, "system_configuration"},
              {67, 7, "component_configuration"},
              {68, 8, "system_clock"},
              {81, 21, "device_state"},
              {84, 24, "device_operations"},
              {85, 25, "device_version"},
              {86, 26, "device_configuration"},
              {88, 28, "device_clock"},
              {89, 0, "init"},
              {90, 0, "clock"},
              {GB26875_DUTY, 0, "duty"}};

static bool read_number(struct str text, int64_t most, int64_t *ret) {
    return str_to_i64(text, ret) && *ret >= 0 && *ret <= most;
}

/* *ret_about: what stands behind the colon; absent: there is none. */
static const struct wish *wish_of(struct str item, struct str *ret_about) {
    struct str name;
    int64_t type = 0;
    *ret_about = item;
    (void)str_cut(ret_about, ':', &name);
    (void)!read_number(name, UINT8_MAX, &type);
    for (size_t i = 0; i < COUNT(wishes); i++)
        if (type == wishes[i].type || str_is(name, wishes[i].word)) return &wishes[i];
    return NULL;
}

static bool is_now(struct str text) {
    return str_is(text, "now");
}

/* The device's clock shows what question.now_s says; one before 2000 is none. */
static bool now_of(const struct question *q, struct gb26875_time *ret) {
    struct gb26875_time t = gb26875_time_of(q->now_s);
    int64_t again;
    if (!gb26875_time_s(t, &again) || again != q->now_s) return false;
    *ret = t;
    return true;
}

/* ---- the object that is sent, from what was said: its parts in their order ---- */

static struct str next_word(struct str *rest) {
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != '.' && rest->ptr[n] != ' ') n++;
    struct str word = {rest->ptr, n};
    *rest = n < rest->len ? str_from(*rest, n + 1) : (struct str){NULL, 0};
    return word;
}

static bool fill_part(const struct question *q, const struct wish *w, const struct gb26875_part *part, struct str word,
                      struct gb26875_object *o) {
    void *at = (char *)o + part->at;
    int64_t n = 0;
    switch (part->form) {
    case GB26875_U8:
        if (at == &o->reserved) return w->answer ? !word.ptr : is_now(word);
        if (!read_number(word, UINT8_MAX, &n)) return false;
        *(uint8_t *)at = (uint8_t)n;
        return true;
    case GB26875_U32:
        if (!read_number(word, UINT32_MAX, &n)) return false;
        *(uint32_t *)at = (uint32_t)n;
        return true;
    case GB26875_TIME: return is_now(word) ? now_of(q, &o->time) : gb26875_time_read(word, &o->time);
    case GB26875_STATE8:
    case GB26875_U16:
    case GB26875_I16:
    case GB26875_TEXT31:
    case GB26875_TEXT_L: break; /* of answers only */
    }
    return false;
}

static bool fill(const struct question *q, const struct wish *w, struct str about, struct gb26875_object *o) {
    struct str value = q->value;
    if (w->answer && str_is(value, "read")) value = (struct str){NULL, 0};
    if (about.ptr ? !w->answer || value.ptr : !w->answer && !value.ptr) return false;
    if (!about.ptr) about = value;
    for (const struct gb26875_part *const *part = gb26875_parts(w->type); *part; part++)
        if (!fill_part(q, w, *part, next_word(&about), o)) return false;
    return !about.ptr;
}

static bool ask(const struct question *q, struct buf *out) {
    struct str about;
    const struct wish *w = wish_of(q->item, &about);
    struct gb26875_object o = {0};
    struct gb26875_frame f = {.serial = q->serial, .version = {1, 1}};
    int64_t device, centre = 0;
    char mem[32];
    struct buf data;
    if (!w || q->part || !read_number(q->address, ADDRESS_MAX, &device) || !fill(q, w, about, &o) ||
        (q->key.ptr && !read_number(q->key, ADDRESS_MAX, &centre)))
        return false;
    buf_init(&data, mem, sizeof mem);
    gb26875_put_objects(w->type, &o, 1, &data);
    (void)now_of(q, &f.time);
    f.source = (uint64_t)centre;
    f.destination = (uint64_t)device;
    f.command = w->answer ? GB26875_REQUEST : GB26875_CONTROL;
    f.data = (struct bytes){(const uint8_t *)mem, data.len};
    gb26875_encode(&f, out);
    return true;
}

/* ---- answers ---- */

static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct gb26875_frame f;
    struct wire_error ignored;
    struct str about;
    const struct wish *w = wish_of(q->item, &about);
    int64_t device;
    if (!w || !read_number(q->address, ADDRESS_MAX, &device) || !gb26875_decode(whole, &f, &ignored) ||
        f.source != (uint64_t)device || f.serial != q->serial)
        return ANSWER_OTHER;
    if (f.command == GB26875_DENY) {
        *ret_why = "denied";
        return ANSWER_REFUSED;
    }
    if (!w->answer) return f.command == GB26875_CONFIRM ? ANSWER_WHOLE : ANSWER_OTHER;
    if (f.command != GB26875_ANSWER || !f.data.len || f.data.ptr[0] != w->answer) return ANSWER_OTHER;
    buf_add(data, whole.ptr, whole.len);
    return ANSWER_WHOLE;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    *ret = (struct decoded){.sender = q->address};
    return data.len ? gb26875_codec.decode(data, a, ret, reterr) : true; /* a confirmation says no more */
}

/* A guard who is called presses his key in time, or is not there. */
static const char *follows(const struct question *q, int64_t *ret_within_ms, const char **ret_else) {
    struct str about;
    const struct wish *w = wish_of(q->item, &about);
    int64_t minutes;
    if (!w || w->type != GB26875_DUTY || !read_number(about.ptr ? about : q->value, UINT8_MAX, &minutes)) return NULL;
    *ret_within_ms = minutes * 60000;
    *ret_else = "guard_absent";
    return "duty_answer";
}

const struct asking gb26875_asking = {.ask = ask, .answers = answers, .read = understand, .follows = follows};
