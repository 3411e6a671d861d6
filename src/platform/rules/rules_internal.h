/* What the rules' own files share: everything read from the store at one time.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_RULES_RULES_INTERNAL_H
#define LINLI_PLATFORM_RULES_RULES_INTERNAL_H

#include "platform/rules/eval.h"
#include "platform/rules/rules.h"

int64_t rules_generation(void); /* rises when rules or devices changed */

struct watched { /* one rule on one device */
    const struct rule *rule;
    struct rule_terms terms;
    struct rule_state state;
    uint32_t device; /* index */
    uint32_t next;   /* next of the same device, index + 1 */
    bool carried;    /* its state goes on from the book before */
    bool armed;      /* it is in the heap of what time will bring */
    bool is_private; /* not everybody who sees the alarm may see the reading */
};
struct known_device {
    int64_t id, community_id;
    struct str code, model;
    uint32_t first; /* of its watches, index + 1 */
};
struct coming {
    int64_t at_ms;
    uint32_t watch;
};
struct book {
    struct arena arena;
    struct rule *rules;
    struct known_device *devices;
    struct watched *watches;
    uint32_t *by_code;
    struct coming *due; /* a heap, the earliest first; each watch at most once */
    size_t rules_n, devices_n, watches_n, by_code_size, due_n;
};
/* Rules, devices and who watches whom; states are new.  *ret is freed by book_free. */
NODISCARD enum err book_read(struct ctx *ctx, struct book **ret);
void book_free(struct book *b);                                                                /* NULL is fine */
struct known_device *book_device(const struct book *b, int64_t community_id, struct str code); /* NULL: none; b too */
/* What was known goes on.  A threshold or a silence that somebody ended by hand while it lasts stays firing: the same
 * cause raises nothing again until it was over.  Events have no state here: what is open the alarms say, by part. */
void book_carry(const struct book *from, struct book *to);
/* Alarms that are open count as firing where nothing newer is known: the end of one may still wait in the queue. */
NODISCARD enum err book_alarms(struct ctx *ctx, struct book *b);

/* The heap (due.c).  A watch whose state time alone may change is armed for that moment; one that is armed already
 * stays as it is, and is looked at anew when its moment comes. */
void due_arm(struct book *b, uint32_t watch, int64_t not_before_ms);
bool due_take(struct book *b, int64_t now_ms, uint32_t *ret); /* the next one whose moment has come */

#endif
