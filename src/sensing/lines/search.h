/* Who is there: the order of a search's questions, and what comes of them.  Pure: no line, no clock.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_SEARCH_H
#define LINLI_SENSING_LINES_SEARCH_H

#include "protocol/codec.h"
#include "sensing/poll/poll.h"

#define SEARCH_LEVELS    (FIND_ADDRESS_MAX / 2 + 1)
#define SEARCH_KNOWN_MAX 256 /* addresses that are told once; others each time */

/* Questions that follow one by one: the codec's own, or to some of those that `address` stands for. */
struct search_level {
    char address[FIND_ADDRESS_MAX + 1], item[FIND_ITEM_MAX + 1];
    size_t next, n;
    bool is_met; /* somebody was understood, or counted */
};
struct search {
    const struct asking *asking;
    void (*found)(void *arg, struct str address); /* somebody is there; each once */
    void *arg;
    size_t asked, of; /* so far, and of how many that are known of by now */
    size_t found_n;
    size_t mixed;   /* questions that several answered at once, of whom none could be found out */
    size_t refused; /* that somebody answered without saying who he is */
    bool is_met;    /* the one under way: by somebody who says so */
    /* its own */
    struct search_level levels[SEARCH_LEVELS];
    size_t depth; /* 0: none is under way */
    struct question q;
    char address[FIND_ADDRESS_MAX + 1];
    char told_apart[FIND_ITEM_MAX + 1]; /* the item by which they were */
    bool is_first_here;
    uint32_t decoys_here; /* a bit each: struct asking */
    char known[SEARCH_KNOWN_MAX][FIND_ADDRESS_MAX + 1];
};
/* asking->find is not NULL. */
void search_begin(struct search *s, const struct asking *asking, void (*found)(void *arg, struct str address),
                  void *arg);
static inline bool search_goes_on(const struct search *s) {
    return s->depth;
}
/* The next question; lives until the call after it.  False: it is over. */
bool search_next(struct search *s, struct question *ret);
void search_met(struct search *s, const struct decoded *d); /* an answer to it: any number of them, then its end */
void search_ended(struct search *s, enum poll_end end);     /* POLL_LOST: the search is over, too */

#endif
