/* Bodies of the platforms of NB-IoT.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/nbiot/nbiot_internal.h"

#include "protocol/publish.h"

#define TIME_MAX  1e14 /* ms: the year 5138 */
#define WHOLE_MAX 9007199254740992.0

bool nbiot_is_body(struct bytes whole, struct wire_error *reterr) {
    if (whole.len && whole.ptr[0] == '{') return true;
    *reterr = (struct wire_error){"body: it is no JSON object", 0};
    return false;
}

bool nbiot_time(struct pushed *p, double ms, const char *rule, int64_t *ret) {
    if (!(ms > 0 && ms < TIME_MAX)) return pushed_bad(p, rule, 0);
    *ret = (int64_t)ms;
    return true;
}

bool nbiot_is_json(struct pushed *p, struct str text) {
    struct buf texts;
    char *mem = arena_alloc(p->a, text.len + 1, 1, 1);
    if (!mem || !text.len || text.ptr[0] != '{') return false;
    buf_init(&texts, mem, text.len + 1);
    struct json_in in = json_in_of((struct bytes){(const uint8_t *)text.ptr, text.len}, &texts);
    return json_in_leaves(&in, NULL, NULL) && json_in_end(&in);
}

struct str nbiot_name(struct arena *a, const struct json_leaf *leaf) {
    struct buf b;
    struct str text = leaf->text;
    bool is_whole = leaf->type == JSON_LEAF_NUMBER && leaf->number > -WHOLE_MAX && leaf->number < WHOLE_MAX &&
                    leaf->number == (double)(int64_t)leaf->number;
    if (!is_whole) return text;
    buf_init_arena(&b, a, 32);
    buf_i64(&b, (int64_t)leaf->number);
    return buf_done(&b, &text) ? text : (struct str){NULL, 0};
}

void nbiot_show(struct bytes whole, struct str what, struct str device, struct arena *a, struct jw *j) {
    struct publish body = {.payload = whole};
    jw_open(j, '{');
    jw_kstr(j, "what", what);
    if (device.ptr) jw_kstr(j, "device", device);
    publish_show(j, a, &body);
    jw_close(j, '}');
}
