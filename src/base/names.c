/* Numbers of names.  SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

bool names_init(struct names *t, struct arena *a, size_t most) {
    *t = (struct names){.slots = arena_new(a, struct name_slot, most * 2 + 1), .size = most * 2 + 1};
    return t->slots != NULL;
}

static struct name_slot *slot_of(const struct names *t, struct str name) {
    size_t at = str_hash(name) % t->size;
    while (t->slots[at].name.ptr && !str_eq(t->slots[at].name, name)) at = (at + 1) % t->size;
    return &t->slots[at];
}

size_t names_put(struct names *t, struct str name) {
    struct name_slot *s = slot_of(t, name);
    if (!s->name.ptr) *s = (struct name_slot){name, t->n++};
    return s->number;
}

size_t names_find(const struct names *t, struct str name) {
    const struct name_slot *s = slot_of(t, name);
    return s->name.ptr ? s->number : SIZE_MAX;
}
