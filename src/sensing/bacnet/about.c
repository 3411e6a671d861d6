/* A BACnet client: what a device is that nobody planned, and which lifts stand behind it.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "sensing/bacnet/client_internal.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define NOT_TEXT SIZE_MAX

/* One by one: not every device reads several, and any of them may be refused. */
static const struct {
    const char *property;
    size_t at; /* of its text; NOT_TEXT: objects */
} questions[] = {
    {"object_name", offsetof(struct bacnet_about, name)},
    {"vendor_name", offsetof(struct bacnet_about, vendor)},
    {"model_name", offsetof(struct bacnet_about, model)},
    {"object_list", NOT_TEXT},
};

bool client_begin_about(struct station *s) {
    if (s->is_introduced) return false;
    s->is_introduced = true;
    s->about = calloc(1, sizeof *s->about);
    return s->about != NULL;
}

void client_prepare_about(struct station *s) {
    struct buf b;
    buf_init(&b, s->about->address, sizeof s->about->address);
    buf_fmt(&b, "%u", s->device);
    buf_init(&b, s->about->item, sizeof s->about->item);
    buf_fmt(&b, "device_%u_%s", s->device, questions[s->about->part].property);
}

static void keep_text(struct about *a, struct bytes values) {
    struct bacnet_value v;
    struct str text;
    if (!bacnet_next_value(&values, &v) || v.type != BACNET_TEXT) return;
    text = (struct str){(const char *)v.data.ptr, v.data.len};
    if (utf8_is_typed(text, false)) utf8_copy((char *)&a->said + questions[a->part].at, BACNET_ABOUT_MAX + 1, text);
}

static void keep_things(struct about *a, struct bytes values) {
    struct bacnet_value v;
    while (a->things_n < BACNET_THINGS_MAX && bacnet_next_value(&values, &v))
        if (v.type == BACNET_OBJECT && bacnet_is_thing(v.whole)) a->things[a->things_n++] = v.whole;
}

bool client_go_on_about(struct station *s, struct bytes values) {
    struct about *a = s->about;
    if (values.ptr && questions[a->part].at == NOT_TEXT) keep_things(a, values);
    if (values.ptr && questions[a->part].at != NOT_TEXT) keep_text(a, values);
    return ++a->part < COUNT(questions);
}

void client_end_about(struct bacnet_client *c, struct station *s) {
    struct about *a = s->about;
    char mem[64];
    struct buf b;
    struct udp_peer at = s->at;
    s->about = NULL;
    buf_init(&b, mem, sizeof mem);
    buf_fmt(&b, "%u", s->device);
    size_t n = b.len;
    c->o.calls.found(c->o.calls.arg, (struct str){mem, n}, &at, &a->said);
    for (size_t i = 0; i < a->things_n; i++) {
        b.len = n;
        buf_char(&b, '.');
        bacnet_put_object(a->things[i], &b);
        c->o.calls.found(c->o.calls.arg, (struct str){mem, b.len}, &at, NULL);
    }
    free(a);
}
