/* Commands and replies as JSON.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/topics/order.h"

#include <inttypes.h>
#include <stdio.h>

#define COMMAND_MAX 1024 /* bytes of a command, as JSON */
#define REPLY_MAX   4096

bool order_put(const struct line_order *o, struct arena *a, struct str *ret) {
    struct fault ignored = {0};
    struct buf b;
    struct jw j;
    json_t *args = NULL;
    char id[24];
    bool is_object = o->value.len && o->value.ptr[0] == '{' && !json_read(o->value, &args, &ignored);
    json_decref(args);
    snprintf(id, sizeof id, "%" PRId64, o->command_id);
    buf_init_arena(&b, a, COMMAND_MAX);
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_kcstr(&j, "id", id);
    jw_kstr(&j, "name", o->item);
    jw_key(&j, "args");
    if (is_object) {
        jw_raw(&j, o->value);
    } else {
        jw_open(&j, '{');
        if (o->value.ptr) jw_kstr(&j, "value", o->value);
        jw_close(&j, '}');
    }
    jw_close(&j, '}');
    return buf_done(&b, ret);
}

bool order_reply_read(struct bytes payload, struct arena *a, struct order_reply *ret) {
    struct fault ignored = {0};
    json_t *v = NULL;
    if (payload.len > REPLY_MAX || json_read((struct str){(const char *)payload.ptr, payload.len}, &v, &ignored))
        return false;
    struct order_reply r = {.is_done = json_is_true(json_object_get(v, "ok"))};
    struct str error = json_text(json_object_get(v, "error"));
    bool ok = str_to_i64(json_text(json_object_get(v, "id")), &r.id) && r.id &&
              arena_str(a, r.is_done || error.len ? error : S("refused"), &r.answer);
    json_decref(v);
    if (ok) *ret = r;
    return ok;
}
