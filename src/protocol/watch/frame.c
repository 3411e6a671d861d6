/* Frames of watches: splitting, checking, building.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/watch/watch_internal.h"

#include "protocol/split.h"

#include <string.h>

#define ID_DIGITS   10
#define IMEI_DIGITS 15
#define HEX_DIGITS  4
#define COMMAND_MAX 20
#define IW_HEAD     6 /* IWAP00 */

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c) {
    return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static bool is_word(uint8_t c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static enum frame bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return FRAME_SKIP;
}

/* n characters of a kind and a * behind them: a slice of them, and *at moves past the *. */
static enum frame take(struct bytes in, bool (*is)(uint8_t), size_t n, size_t *at, struct str *ret) {
    for (size_t i = 0; i <= n; i++) {
        if (*at + i == in.len) return FRAME_SHORT;
        uint8_t c = in.ptr[*at + i];
        if (i < n ? !is(c) : c != '*') return FRAME_SKIP;
    }
    *ret = (struct str){(const char *)in.ptr + *at, n};
    *at += n + 1;
    return FRAME_WHOLE;
}

static enum frame take_id(struct bytes in, size_t *at, struct str *ret) {
    size_t n = 0;
    while (n <= IMEI_DIGITS && *at + n < in.len && is_digit(in.ptr[*at + n])) n++;
    if (*at + n == in.len && n <= IMEI_DIGITS) return FRAME_SHORT;
    return n == ID_DIGITS || n == IMEI_DIGITS ? take(in, is_digit, n, at, ret) : FRAME_SKIP;
}

static size_t hex_of(struct str digits) {
    size_t v = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = (uint8_t)digits.ptr[i];
        v = v << 4 | (size_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

static size_t unescaped_len(struct str s) {
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++, n++)
        if (s.ptr[i] == 0x7d && i + 1 < s.len) i++;
    return n;
}

/* The command up to the comma; IW: `n` characters, and a comma behind them or not. */
static bool read_command(struct watch_frame *f, size_t n) {
    while (n < f->content.len && f->content.ptr[n] != ',' && f->maker.ptr) n++;
    for (size_t i = 0; i < n; i++)
        if (!is_word((uint8_t)f->content.ptr[i])) return false;
    f->command = (struct str){f->content.ptr, n};
    if (n < f->content.len) f->fields = str_from(f->content, f->content.ptr[n] == ',' ? n + 1 : n);
    return n && n <= COMMAND_MAX;
}

/* Fast: content may be long, and is looked through whenever some of it comes. */
static size_t to_bracket(struct bytes in) {
    const uint8_t *end = in.len ? memchr(in.ptr, ']', in.len) : NULL;
    size_t n = end ? (size_t)(end - in.ptr) : in.len;
    const uint8_t *begin = n ? memchr(in.ptr, '[', n) : NULL;
    return begin ? (size_t)(begin - in.ptr) : n;
}

/* Whether LEN counts voice with its escapes or without them makers do not say: both are right. */
static enum frame read_content(struct bytes in, size_t at, struct watch_frame *f, size_t *ret_len,
                               struct wire_error *e) {
    size_t len = hex_of(f->length), n, most = 2 * len + 1;
    if (most > WATCH_CONTENT_MAX) most = WATCH_CONTENT_MAX;
    n = to_bracket((struct bytes){in.ptr + at, in.len - at < most + 1 ? in.len - at : most + 1});
    if (n > most) return bad(e, "watch LEN: it does not fit the content", at - HEX_DIGITS - 1);
    if (at + n == in.len) return FRAME_SHORT;
    if (in.ptr[at + n] == '[') return bad(e, "watch CONTENT: a frame begins before this one ends", at + n);
    f->content = (struct str){(const char *)in.ptr + at, n};
    f->is_miscounted = n != len && unescaped_len(f->content) != len;
    if (f->is_miscounted && n + 1 != len && n != len + 1)
        return bad(e, "watch LEN: it does not fit the content", at - HEX_DIGITS - 1);
    if (!read_command(f, 0)) return bad(e, "watch CONTENT: it begins with a command of letters and digits", at);
    *ret_len = at + n + 1;
    return FRAME_WHOLE;
}

static enum frame open_bracket(struct bytes in, struct watch_frame *f, size_t *ret_len, struct wire_error *e) {
    size_t at = 1;
    enum frame what = take(in, is_word, 2, &at, &f->maker);
    if (what == FRAME_SKIP) return bad(e, "watch MF: two characters and a *", at);
    if (what == FRAME_WHOLE && (what = take_id(in, &at, &f->id)) == FRAME_SKIP)
        return bad(e, "watch ID: 10 or 15 digits and a *", at);
    if (what == FRAME_WHOLE && (what = take(in, is_hex, HEX_DIGITS, &at, &f->length)) == FRAME_SKIP)
        return bad(e, "watch LEN: four hex digits and a *", at);
    if (what != FRAME_WHOLE) return what;
    struct str first = f->length;
    what = take(in, is_hex, HEX_DIGITS, &at, &f->length); /* then the first was the serial: no command is like this */
    if (what == FRAME_SHORT) return what;
    if (what == FRAME_WHOLE) f->serial = first;
    return read_content(in, at, f, ret_len, e);
}

static bool begins_iw(struct bytes in, size_t at, size_t n) { /* the n characters of IW?P that are there */
    static const char start[] = "IWAP";
    for (size_t i = 0; i < n; i++)
        if (in.ptr[at + i] != start[i] && (i != 2 || in.ptr[at + i] != 'B')) return false;
    return true;
}

static enum frame open_iw(struct bytes in, struct watch_frame *f, size_t *ret_len, struct wire_error *e) {
    size_t n = 4;
    if (!begins_iw(in, 0, in.len < 4 ? in.len : 4)) return bad(e, "watch: a frame begins with [, IWAP or IWBP", 0);
    if (in.len < 4) return FRAME_SHORT;
    for (; n < in.len && n < WATCH_IW_MAX && in.ptr[n] != '#'; n++)
        if (in.len - n >= 4 && begins_iw(in, n, 4)) return bad(e, "watch IW: a frame begins before this one ends", n);
    if (n == WATCH_IW_MAX) return bad(e, "watch IW: no # in 2048 bytes", n);
    if (n == in.len) return FRAME_SHORT;
    f->content = (struct str){(const char *)in.ptr + 2, n - 2};
    if (n < IW_HEAD || !read_command(f, IW_HEAD - 2))
        return bad(e, "watch IW: two letters or digits name the frame", 4);
    *ret_len = n + 1;
    return FRAME_WHOLE;
}

static enum frame open_any(struct bytes in, struct watch_frame *ret, size_t *ret_len, struct wire_error *e) {
    *ret = (struct watch_frame){0};
    return in.len && in.ptr[0] == '[' ? open_bracket(in, ret, ret_len, e) : open_iw(in, ret, ret_len, e);
}

/* ---- a stream ---- */

static size_t start_of(struct bytes in) { /* the first [ or IW, or an I at the very end */
    size_t i = 0;
    while (i < in.len && in.ptr[i] != '[' && (in.ptr[i] != 'I' || (i + 1 < in.len && in.ptr[i + 1] != 'W'))) i++;
    return i;
}

static enum frame look(const void *arg, struct bytes in, size_t *ret_len) {
    struct watch_frame f;
    struct wire_error ignored;
    (void)arg;
    return open_any(in, &f, ret_len, &ignored);
}

enum frame watch_follow(struct bytes in, struct followed *followed, size_t *ret_len) {
    return split_next(&(struct split){start_of, look, NULL, NULL}, in, followed, ret_len);
}

enum frame watch_split(struct bytes in, size_t *ret_len) {
    return watch_follow(in, NULL, ret_len);
}

/* ---- one frame ---- */

bool watch_decode(struct bytes whole, struct watch_frame *ret, struct wire_error *reterr) {
    struct watch_frame f;
    size_t len = 0;
    enum frame what = open_any(whole, &f, &len, reterr);
    if (what == FRAME_SHORT) what = bad(reterr, "watch: the frame has no end", whole.len);
    if (what == FRAME_WHOLE && len < whole.len) what = bad(reterr, "watch: bytes behind the end", len);
    if (what == FRAME_WHOLE) *ret = f;
    return what == FRAME_WHOLE;
}

void watch_encode(const struct watch_frame *f, struct buf *out) {
    if (!f->maker.ptr) {
        buf_cstr(out, "IW");
        buf_add(out, f->content.ptr, f->content.len);
        buf_char(out, '#');
        return;
    }
    buf_fmt(out, "[" STR_FMT "*" STR_FMT "*", STR_ARG(f->maker), STR_ARG(f->id));
    if (f->serial.ptr) buf_fmt(out, STR_FMT "*", STR_ARG(f->serial));
    if (f->length.ptr)
        buf_str(out, f->length);
    else
        buf_fmt(out, "%04zX", f->content.len);
    buf_char(out, '*');
    buf_add(out, f->content.ptr, f->content.len);
    buf_char(out, ']');
}
