/* Figures of a line: counters, the last bad samples and the last good frames.  Written by the loop, those of HTTP by
 * workers; read by workers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_FIGURES_H
#define LINLI_SENSING_LINES_FIGURES_H

#include "base/json.h"
#include "protocol/codec.h"
#include "sensing/lines/heard.h"

#include <pthread.h>

#define FIGURES_BAD_MAX    16
#define FIGURES_GOOD_MAX   8
#define FIGURES_BAD_BYTES  256  /* kept of a bad sample */
#define FIGURES_GOOD_BYTES 1100 /* kept of a good frame; a longer one is not shown decoded */

#define FIGURES_ASKED_MAX  64 /* a longer question is not kept */
#define FIGURES_DEVICE_MAX 64

#define NO_OFFSET ((size_t)-1)
struct sample {
    int64_t at_ms;
    char peer[46];
    char about[96];                      /* topic, device or log-in that it came with; "": none */
    char device[FIGURES_DEVICE_MAX + 1]; /* code of whose it is; "": of several, or nobody can say */
    char rule[128];                      /* what was broken, with its clause where there is one; "": a good frame */
    size_t offset;                       /* of the byte that broke it; NO_OFFSET: no single one did */
    size_t number;                       /* of the line or item in what was sent, from 1; 0: the whole */
    size_t len;                          /* of the whole; fewer bytes may be kept */
    uint8_t asked[FIGURES_ASKED_MAX];    /* the question that it followed; none: it came by itself, or what was told */
    size_t asked_n;                      /* is nobody's to see */
};
/* A search for devices: how far it is, or how it ended. */
struct figures_search {
    int64_t began_ms, ended_ms; /* 0: never; it goes on */
    int64_t asked, of;          /* questions; ended before all: it was cut short */
    int64_t found;
    int64_t mixed;   /* questions that several answered at once, of whom none could be found out */
    int64_t refused; /* that somebody answered without saying who he is */
};
struct figures {
    pthread_mutex_t lock;
    int64_t frames;              /* decoded */
    int64_t bad;                 /* frames refused, and runs of bytes that were no frame */
    int64_t skipped_bytes;       /* of those runs */
    int64_t bytes;               /* heard */
    int64_t unanswered;          /* good frames that could not be stored: the device says them again; -1: not counted */
    int64_t asked, missed;       /* questions said; those that nobody answered, however often said; -1: not counted */
    int64_t limited, limited_ms; /* told to wait, when last */
    int64_t connections, connections_total; /* -1: not counted */
    int64_t last_ms;                        /* last good frame; 0: none yet */
    struct sample bad_samples[FIGURES_BAD_MAX], good_samples[FIGURES_GOOD_MAX];
    uint8_t bad_bytes[FIGURES_BAD_MAX][FIGURES_BAD_BYTES], good_bytes[FIGURES_GOOD_MAX][FIGURES_GOOD_BYTES];
    uint32_t bad_n, good_n; /* ever kept: the newest is at (n - 1) modulo the ring's size */
    struct figures_search search;
    struct heard *clocks; /* of devices that nobody counts one by one: whose clock is off, or was */
    bool keeps_no_samples;
};
struct figures *figures_create(void); /* NULL: out of memory */
void figures_asks(struct figures *f); /* of a line that does, and counts its questions */
void figures_missed(struct figures *f);
void figures_destroy(struct figures *f);

/* Figures of the lines that one server has open for several communities: each community's own, from its first line of
 * that kind on, since what its devices say is nobody else's to see.  What is of none of them is counted as nobody's,
 * and no sample of it is kept. */
#define FIGURES_BOOK_MAX 64                                     /* communities; others are nobody's */
enum { FIGURES_NO_CONNECTIONS = 1, FIGURES_NO_UNANSWERED = 2 }; /* what the server does not count */
struct figures_book;
struct figures_book *figures_book_create(unsigned uncounted); /* NULL: out of memory */
void figures_book_destroy(struct figures_book *b);            /* NULL is fine */
/* There is a line of that community.  Loop thread; what is there stays as long as the book. */
void figures_book_add(struct figures_book *b, int64_t community_id);
/* Any thread, without a lock.  figures_of: nobody's where the community has none; figures_own: NULL then. */
struct figures *figures_of(struct figures_book *b, int64_t community_id);
struct figures *figures_own(struct figures_book *b, int64_t community_id);

/* `skipped`: the bytes belong to no frame. */
void figures_bad(struct figures *f, const struct sample *what, struct bytes bytes, bool skipped);
void figures_good(struct figures *f, const struct sample *what, struct bytes whole);
/* A device gave that time: how far ahead of ours it is.  One whose clock was never off takes no place. */
void figures_clock(struct figures *f, struct str device, int64_t ahead_ms, int64_t now_ms);
#define FIGURES_ADD(f, counter, n)        \
    do {                                  \
        pthread_mutex_lock(&(f)->lock);   \
        (f)->counter += (n);              \
        pthread_mutex_unlock(&(f)->lock); \
    } while (0)
void figures_search(struct figures *f, const struct figures_search *how);
/* The one device that a frame speaks of; of several: absent; `otherwise` where it names none. */
struct str figures_device(const struct decoded *d, struct str otherwise);

/* Who reads them.  Of a sample that he may not see, "is_private" stands for its bytes, text, frame and events. */
struct figures_reader {
    /* *bytes may be cut to what he may see; d: what they say, NULL where that is not known. */
    bool (*sees)(void *arg, const struct sample *s, struct bytes *bytes, const struct decoded *d, bool is_bad);
    bool (*sees_reading)(void *arg, struct str device, struct str metric);
    void *arg;
};
/* Members of a JSON object that is open: the counters that are counted, "search" once there was one, "bad_samples" and
 * "good_samples", newest first; good ones with the frame, its readings and events beside the bytes where the codec
 * shows them, else with their text where they are one.  codec may be NULL; reader NULL: he sees all. */
void figures_put(struct figures *f, const struct codec *codec, const struct figures_reader *reader, struct arena *a,
                 struct jw *j);

#endif
