/* UTF-8 at the border: checking, counting, walking, folding for search.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_UTF8_H
#define LINLI_BASE_UTF8_H

#include "base/base.h"

/* Well formed (RFC 3629: no surrogates, nothing overlong, at most U+10FFFF) and without NUL. */
bool utf8_is_valid(struct str s);
size_t utf8_count(struct str s); /* code points of valid text */
/* Next code point of valid text at *at, which moves on; -1 at the end. */
int32_t utf8_next(struct str s, size_t *at);
void utf8_put(struct buf *b, int32_t code);
struct str utf8_head(struct str s, size_t count); /* the first `count` code points */
struct str utf8_tail(struct str s, size_t count); /* the last ones; the whole where there are no more */
/* People type no control characters; new lines and tabs only where there is room for more than a line. */
bool utf8_is_typed(struct str s, bool many_lines);
/* Copies what fits of valid text, cut between code points, and a NUL. */
void utf8_copy(char *to, size_t size, struct str s);
/* Search form: full-width ASCII to ASCII, lower case (ASCII, Latin-1, Greek, Cyrillic), runs of white space and
 * punctuation to one blank, trimmed.  Never longer than the input plus one. */
void utf8_fold(struct buf *b, struct str s);

#endif
