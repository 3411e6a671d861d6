/* JSON of devices read in place, token by token: strict (RFC 8259), UTF-8, without allocation. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_PROTOCOL_JSON_IN_H
#define LINLI_PROTOCOL_JSON_IN_H

#include "base/base.h"

#include <string.h>

#define JSON_IN_DEPTH_MAX 32
#define JSON_PATH_MAX     8 /* names above a leaf; what lies deeper is checked and not told */

struct json_in {
    const char *at, *end, *begin;
    struct buf *texts; /* of texts that are written with escapes; all others slice what is read */
    const char *rule;  /* what was broken, static text; who called may say it in words of its own */
    size_t rule_at;
};
static inline struct json_in json_in_of(struct bytes text, struct buf *texts) {
    const char *p = (const char *)text.ptr;
    return (struct json_in){.at = p, .end = p + text.len, .begin = p, .texts = texts};
}
bool json_in_bad(struct json_in *in, const char *rule); /* false; here */
static inline void json_in_blanks(struct json_in *in) {
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')) in->at++;
}
/* Passes it over when it is next. */
static inline bool json_in_char(struct json_in *in, char c) {
    if (in->at == in->end || *in->at != c) return false;
    in->at++;
    return true;
}
static inline bool json_in_word(struct json_in *in, struct str word) {
    if ((size_t)(in->end - in->at) < word.len || memcmp(in->at, word.ptr, word.len) != 0) return false;
    in->at += word.len;
    return true;
}
bool json_in_text(struct json_in *in, struct str *ret);
/* What jansson would read, rounded once.  ret_text (may be NULL): as it was written; ret_whole (may be NULL): neither
 * point nor exponent. */
bool json_in_number(struct json_in *in, double *ret, struct str *ret_text, bool *ret_whole);
bool json_in_value(struct json_in *in, double *ret); /* a number, or true and false as 1 and 0 */
/* Behind '{' or behind a member: *ret_more when a member follows, with its key and the place of its value. */
bool json_in_member(struct json_in *in, bool is_first, struct str *ret_key, bool *ret_more);
bool json_in_end(struct json_in *in); /* nothing but blanks is left */

/* A scalar within a value, and what leads to it. */
struct json_leaf {
    struct json_step {
        struct str name; /* ptr NULL: the member `index` of a list */
        size_t index;
    } path[JSON_PATH_MAX];
    size_t path_n;
    enum json_leaf_type { JSON_LEAF_NULL, JSON_LEAF_FLAG, JSON_LEAF_NUMBER, JSON_LEAF_TEXT } type;
    double number; /* 1 and 0 of a flag */
    struct str text;
};
/* Any value, its scalars told in order; fn false ends it there, with a rule of its own.  fn NULL: the value is checked
 * and passed over. */
typedef bool json_leaf_fn(void *arg, struct json_in *in, const struct json_leaf *leaf);
bool json_in_leaves(struct json_in *in, json_leaf_fn *fn, void *arg);

#endif
