/* Sized text and bytes, capped arenas, bounded builders.  Depends on nothing but libc.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_BASE_H
#define LINLI_BASE_BASE_H

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT(a)     (sizeof(a) / sizeof((a)[0]))
#define NODISCARD    __attribute__((warn_unused_result))
#define PRINTF(f, v) __attribute__((format(printf, f, v)))

/* Text slice: UTF-8, not owned, not NUL-terminated.  {NULL, 0} is "absent"; {p, 0} is "empty". */
struct str {
    const char *ptr;
    size_t len;
};
/* Byte slice: wire data, not owned. */
struct bytes {
    const uint8_t *ptr;
    size_t len;
};

#define S(lit)     ((struct str){"" lit, sizeof(lit) - 1})
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).len, ((s).ptr ? (s).ptr : "")

struct str str_of(const char *cstr); /* NULL gives the absent slice */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *cstr);
bool str_starts(struct str s, struct str prefix);
int str_cmp(struct str a, struct str b); /* by bytes; a prefix sorts first */
struct str str_trim(struct str s);
struct str str_from(struct str s, size_t at); /* the rest from byte `at`; empty past the end */
/* Cuts the part before the first `sep` off *rest; false at the end of an exhausted *rest (ptr NULL). */
bool str_cut(struct str *rest, char sep, struct str *ret_part);
/* Fit to name something in addresses and topics: no blank or control character, none of / + #. */
bool str_is_code(struct str s);
bool str_word(struct str *rest, struct str *ret_word); /* the next of blank-separated words; false after the last */
bool word_in(const char *words, struct str word);      /* is it one of the blank-separated words? */
NODISCARD bool str_to_i64(struct str s, int64_t *ret); /* whole slice, base 10, overflow checked */
/* Digits alone, no zero before others: each number is written in one way.  Up to `most`. */
NODISCARD bool str_to_number(struct str s, int64_t most, int64_t *ret);
/* What buf_decimal() writes; zeros at the end may be missing.  NULL, or the code of what is wrong: bad_type,
 * too_precise, too_large. */
const char *str_to_decimal(struct str s, int scale, int64_t *ret);
/* 10^0 .. 10^22: those that a double holds exactly. */
#define F64_POWERS 23
extern const double f64_powers[F64_POWERS];
NODISCARD bool str_to_f64(struct str s, double *ret); /* whole slice, finite decimal; locale-free */
uint64_t str_hash(struct str s);                      /* of this process; for tables, not for security */

/* Sets of ids; the sorted ones are found quickly. */
bool ids_have(const int64_t *ids, size_t n, int64_t id);   /* in any order */
size_t ids_unique(int64_t *ids, size_t n);                 /* sorts, drops 0 and repeats; gives how many are left */
size_t ids_find(const int64_t *ids, size_t n, int64_t id); /* where it is; SIZE_MAX: not there */
/* Ids from a text with blanks between; there is room for text.len / 2 + 1.  False: it is none of that kind. */
NODISCARD bool str_to_ids(struct str text, int64_t *ids, size_t *ret_n);

/* What is known of pairs of ids, in an arena.  All zero: of none.  The first of a pair is not 0. */
struct arena;
struct id_pairs {
    struct id_pair {
        int64_t a, b, value;
    } * slots;
    size_t slots_n, used;
};
NODISCARD bool id_pairs_put(struct id_pairs *p, struct arena *arena, int64_t a, int64_t b, int64_t value);
bool id_pairs_get(const struct id_pairs *p, int64_t a, int64_t b, int64_t *ret); /* false: nothing is known */

/* Arena: everything made for one unit of work (request, message, job) dies together.
 * Grows in blocks up to `cap` bytes in all; past it arena_alloc gives NULL.  `fail_in` counts allocations down for
 * tests: at 1 the next one fails; 0 never fails. */
struct arena_block;
struct arena {
    struct arena_block *blocks;
    size_t used, cap;
    int64_t fail_in;
};

void arena_init(struct arena *a, size_t cap);
void arena_reset(struct arena *a);  /* forgets everything, keeps one block for reuse */
void arena_finish(struct arena *a); /* frees everything */
/* Zeroed memory; NULL at the cap, out of memory, or if n * size overflows. */
void *arena_alloc(struct arena *a, size_t n, size_t size, size_t align);
char *arena_cstr(struct arena *a, struct str s);                          /* NUL-terminated copy; NULL as above */
NODISCARD bool arena_str(struct arena *a, struct str s, struct str *ret); /* copy; absent stays absent */
/* Room for one more than the n of `size` bytes at old: old itself, or a copy twice as large.  NULL as above. */
void *arena_grow(struct arena *a, void *old, size_t n, size_t *cap, size_t size);
#define arena_new(a, T, n) ((T *)arena_alloc((a), (n), sizeof(T), _Alignof(T)))

/* Arenas that are used again, so that a unit of work does not begin with the allocator.  From any thread. */
struct arena_pool {
    pthread_mutex_t lock;
    struct arena spare[8];
    size_t n;
};
void arena_pool_init(struct arena_pool *p);
void arena_pool_finish(struct arena_pool *p);
void arena_take(struct arena_pool *p, struct arena *ret, size_t cap);
void arena_give(struct arena_pool *p, struct arena *a); /* becomes all zero */

/* Numbers of names: an open table in an arena, for at most as many names as it was made for, which are not copied. */
struct names {
    struct name_slot {
        struct str name; /* absent: a free slot */
        size_t number;
    } * slots;
    size_t size, n;
};
NODISCARD bool names_init(struct names *t, struct arena *a, size_t most);
size_t names_put(struct names *t, struct str name);        /* 0 for the first, 1 …; what is there keeps its number */
size_t names_find(const struct names *t, struct str name); /* SIZE_MAX: not there */

/* Builder with a hard cap.  After the first overflow every append is a no-op; check once, at buf_done().
 * Always NUL-terminated within ptr[len], so cap counts one byte more than the longest text. */
struct buf {
    char *ptr;
    size_t len, size, cap;
    struct arena *arena; /* NULL: caller's fixed memory */
    bool overflow;
};

void buf_init(struct buf *b, char *mem, size_t cap);
void buf_init_arena(struct buf *b, struct arena *a, size_t cap); /* grows inside the arena up to cap */
void buf_add(struct buf *b, const void *bytes, size_t n);
char *buf_take(struct buf *b, size_t n); /* n more bytes, for the caller to fill; NULL: they do not fit */
void buf_str(struct buf *b, struct str s);
void buf_cstr(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_i64(struct buf *b, int64_t v);
void buf_ids(struct buf *b, const int64_t *ids, size_t n); /* as str_to_ids() reads them */
void buf_decimal(struct buf *b, int64_t v, int scale);     /* v / 10^scale with all its digits; scale 0..9 */
/* A cell of CSV (RFC 4180).  What people typed must not become a formula in the spreadsheet that opens it. */
void buf_csv(struct buf *b, struct str text, bool is_typed);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vfmt(struct buf *b, const char *fmt, va_list args) PRINTF(2, 0);
void buf_hex(struct buf *b, struct bytes bytes);               /* upper case, no blanks */
NODISCARD bool buf_done(const struct buf *b, struct str *ret); /* false: it did not fit */

#endif
