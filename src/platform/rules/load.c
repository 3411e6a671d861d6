/* Rules read anew while readings are judged by those that were there: the store is asked first, then states are carried
 * over some at a time, and those who judge wait for no more than that and for the change of books.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/rules_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

#define AT_ONCE 4096

static void carry(const struct book *from, struct book *to, uint32_t watch) {
    to->watches[watch].state = from->watches[to->watches[watch].was - 1].state;
}

/* What changes meanwhile is noted by those who change it. */
static void carry_all(struct rules_engine *e, struct book *to) {
    for (size_t i = 0, end; i < to->watches_n; i = end) {
        end = i + AT_ONCE < to->watches_n ? i + AT_ONCE : to->watches_n;
        pthread_mutex_lock(&e->lock);
        for (size_t w = i; w < end; w++)
            if (to->watches[w].was) carry(e->book, to, (uint32_t)w);
        pthread_mutex_unlock(&e->lock);
        for (size_t w = i; w < end; w++) due_arm(to, (uint32_t)w, 0);
    }
}

static void carry_changed(struct rules_engine *e, struct book *to) {
    for (size_t i = 0; i < e->changed_n; i++) {
        uint32_t goes = e->book->watches[e->changed[i]].goes;
        if (!goes) continue;
        carry(e->book, to, goes - 1);
        due_arm(to, goes - 1, 0);
    }
}

static void note_changes(struct rules_engine *e, uint32_t *changed) {
    pthread_mutex_lock(&e->lock);
    e->changed = changed;
    e->changed_n = 0;
    pthread_mutex_unlock(&e->lock);
}

static struct book *change_books(struct rules_engine *e, struct book *to, int64_t generation) {
    pthread_mutex_lock(&e->lock);
    struct book *old = e->book;
    carry_changed(e, to);
    e->changed = NULL;
    e->changed_n = 0;
    e->book = to;
    e->book_number++;
    e->links_n = 0;
    atomic_store(&e->generation, generation);
    pthread_mutex_unlock(&e->lock);
    return old;
}

static enum err load(struct rules_engine *e, struct ctx *ctx) {
    struct book *b = NULL;
    int64_t generation = rules_generation();
    TRY(book_read(ctx, &e->limits, &b));
    book_match(e->book, b);
    enum err err = book_alarms(ctx, &e->limits, b);
    uint32_t *changed = malloc(((e->book ? e->book->watches_n : 0) + 1) * sizeof *changed);
    if (!err && !changed) err = FAIL_MEMORY(ctx);
    if (!err) {
        rules_watches((int64_t)b->watches_n);
        note_changes(e, changed);
        carry_all(e, b);
        b = change_books(e, b, generation);
    }
    free(changed);
    book_free(b);
    return err;
}

enum err rules_load(struct rules_engine *e, struct ctx *ctx) {
    pthread_mutex_lock(&e->loading);
    enum err err = load(e, ctx);
    pthread_mutex_unlock(&e->loading);
    return err;
}

bool rules_is_stale(const struct rules_engine *e) {
    return atomic_load(&e->generation) != rules_generation();
}

void rules_renamed(struct rules_engine *e) {
    pthread_mutex_lock(&e->lock);
    e->book_number++;
    e->links_n = 0;
    pthread_mutex_unlock(&e->lock);
}

bool rules_left_out(struct rules_engine *e, struct buf *ret) {
    pthread_mutex_lock(&e->lock);
    bool some = e->book && e->book->left_out.len;
    if (some) buf_cstr(ret, e->book->left_out.ptr);
    pthread_mutex_unlock(&e->lock);
    return some;
}

/* Some at a time: what is told of them takes other locks. */
void rules_each_device(struct rules_engine *e, void (*fn)(void *arg, int64_t community_id, struct str code),
                       void *arg) {
    uint32_t number = 0;
    bool more = true;
    for (size_t i = 0; more;) {
        pthread_mutex_lock(&e->lock);
        if (number != e->book_number) i = 0; /* another book came between */
        number = e->book_number;
        size_t n = e->book ? e->book->devices_n : 0, end = n - i > AT_ONCE ? i + AT_ONCE : n;
        for (; i < end; i++) fn(arg, e->book->devices[i].community_id, e->book->devices[i].code);
        more = i < n;
        pthread_mutex_unlock(&e->lock);
    }
}
