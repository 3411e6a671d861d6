/* Wire formats.  Pure: bytes in, struct out.  No I/O, no clock, no globals, no malloc.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_PROTOCOL_CODEC_H
#define LINLI_PROTOCOL_CODEC_H

#include "base/json.h"

enum frame { FRAME_WHOLE, FRAME_SHORT /* needs more bytes */, FRAME_SKIP /* drop *ret_len bytes and look again */ };
/* A stream of which bytes wait for more: zero at first, and where they are given up.  codec.follow() keeps it. */
struct followed {
    size_t seen;   /* of what waits: no right frame is within it */
    size_t inside; /* what is before holds none, whatever comes; 0: that is not known */
    size_t summed; /* bytes of what had a length and was looked at as a whole, ever */
};
struct wire_error {
    const char *rule; /* clause of the standard that was broken; static text */
    size_t at;        /* byte offset */
};
#define WIRE_LIMIT \
    "over the limit: " /* stands in the rule where a bound of ours was broken, and none of the standard */

enum quality { QUALITY_GOOD, QUALITY_SUSPECT };
struct reading {
    struct str device, metric, unit;
    double value;
    int64_t at_s;  /* local civil seconds since 1970 as the frame says; 0: not on the wire */
    int64_t at_ms; /* UTC, where the wire has that; else 0 */
    enum quality quality;
};
struct device_event {
    struct str device, code, text;
    int64_t at_s, at_ms; /* as above */
    bool is_set;         /* false: what was reported is over */
    struct str part;     /* of the device, "1.1.131082"; absent: the device itself */
    /* The report named all that holds of `part`: what it did not name is over.  Events of one report stand together. */
    bool is_level;
    bool is_kept; /* how it is, and no news: nobody is called for it */
    /* Nobody is called for it either while the device's last reading of this metric is that value; text is static,
     * NULL: it always counts.  It is over all the same. */
    const char *unless_metric;
    double unless_value;
};
/* Who wants through, by what he shows.  It concerns a person: no event and no reading tells it. */
#define PASSING_CODE_MIN 4 /* digits */
#define PASSING_CODE_MAX 16
enum passing_kind {
    PASSING_PLATE,
    PASSING_CARD,
    PASSING_CODE, /* digits that were typed */
    PASSING_FACE,
    PASSING_KEYS /* a piece of a code, or all of it: digits, * and #; whoever polls the device puts them together */
};
struct passing {
    struct str device;
    enum passing_kind kind;
    /* In its normal form: plate_read(), wiegand_number(), digits; of a face what the device calls it, never what it
     * looks like. */
    struct str value;
    struct str serial; /* of the message: said again it is the same passing; absent: the wire has none */
    struct str way;    /* in, out; absent: as the device's row says */
    int64_t at_s;      /* local civil seconds since 1970 as the frame says; 0: not on the wire */
    int64_t at_ms;     /* UTC, where the wire has that; else 0 */
    int32_t sure_pct;  /* how sure the device is of the value; 0: it does not say */
    bool is_late;      /* kept by the device while nobody answered: nothing waits at the gate any more */
};
struct decoded {
    struct str sender; /* the device that spoke, where a frame without readings and events names it; else absent */
    const struct reading *readings;
    size_t readings_n;
    const struct device_event *events;
    size_t events_n;
    const struct passing *passings; /* several in a frame are of one who passes: any of them opens */
    size_t passings_n;
    /* What the device's clock showed when it spoke: local civil seconds since 1970; 0: the frame does not tell.  Times
     * of readings may be those of hours before. */
    int64_t clock_s;
    /* Nothing of what it holds has a meaning here.  It is taken all the same, and shown as what was not understood, by
     * that rule.  NULL: something has, or it holds nothing. */
    const char *strange;
};

/* What a device is asked or told, and whether a frame answers it. */
struct question {
    struct str address; /* of the device, as its frames name it */
    struct str item;    /* what is asked for, as the standard writes it: "0001FF00", "901F"; empty: its address */
    struct str value;   /* what the item is to become, or is to be done with it; absent: it is read */
    struct str key;     /* what the device wants with a value: password, operator; absent: nothing */
    int64_t now_s;      /* local civil seconds since 1970, for frames that tell the time */
    int64_t now_ms;     /* UTC, for those that tell that; 0: it is not known */
    uint8_t serial;     /* answers repeat it where the protocol has one */
    uint8_t nth;        /* of those its device was asked in a row, from 0, behind 255 from 1; see asking.forgets_ms */
    uint8_t part;       /* of an answer that comes in parts, from 0 */
};
enum answer {
    ANSWER_OTHER, /* of somebody else, to something else, or no answer at all */
    ANSWER_WHOLE,
    ANSWER_PART,   /* the next part is asked for */
    ANSWER_MORE,   /* so far; the rest comes by itself */
    ANSWER_ANEW,   /* not done: the device wants them counted from 0 again; *ret_why: a word for it */
    ANSWER_REFUSED /* *ret_why: a word for it */
};
enum proof { PROOF_NONE /* so far */, PROOF_DONE, PROOF_FAILED /* *ret_why: words for it */ };
#define FIND_ADDRESS_MAX 14 /* digits */
#define FIND_ITEM_MAX    8
struct asking {
    bool (*ask)(const struct question *q, struct buf *out); /* false: there is no such address or item */
    /* Appends to `data` what the answer holds, without what only repeats the question. */
    enum answer (*answers)(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why);
    /* What the data of all parts together say.  False: the rule they break. */
    bool (*read)(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                 struct wire_error *reterr);
    /* Who is there?  The questions of a search in their order; false: there is none after that.  An answer's sender is
     * a device.  NULL: nobody can be searched for. */
    bool (*find)(size_t nth, struct question *ret);
    /* They are to everybody, or to many: several may answer one. */
    bool finds_all;
    /* Where several did so at once, and could not be told apart: the nth question to some of those that `from` was to,
     * all together to each of them.  Its address is in `mem`.  False: there is none after that.  NULL: nobody can be
     * told apart. */
    bool (*narrow)(const struct question *from, size_t nth, char mem[FIND_ADDRESS_MAX + 1], struct question *ret);
    /* So many of them, at most 8, behind the first are to addresses that hardly anybody has: whoever answers to all of
     * these answers to any, and is the first one alone. */
    uint8_t find_decoys;
    /* Writes the item under which a device that is asked for `beside` keeps what it had read at a midnight: 0 the last
     * one, 1 the one before; gives the metric of it that counts; NULL: it keeps none, or none so far back.  Its
     * readings have the time at which they were kept (at_s), which may be another.  NULL itself: it never does. */
    const char *(*midnight)(struct str beside, unsigned ago, struct buf *item);
    /* The event that must follow what was told, within *ret_within_ms; *ret_else is the event that it did not, and over
     * with the next one.  NULL: none must.  NULL itself: never. */
    const char *(*follows)(const struct question *q, int64_t *ret_within_ms, const char **ret_else);
    /* Of CARRIER_TOPIC: what of a topic that a device spoke under its questions want as their key.  False, or NULL:
     * nothing. */
    bool (*key)(struct str topic, struct str *ret);
    /* The item under which a device is given another password, its value, by the one that it has, its key.  The line
     * says it by itself, when the device's row has another one: values of commands are read by many.  NULL: none. */
    const char *rekey;
    /* How devices of other types or makes want the item: the nth way, from 1; empty: it is none for this item.  False:
     * there is no such way.  A device that never answered is asked in each.  NULL itself: all want it as it is. */
    bool (*otherwise)(struct str item, unsigned nth, struct buf *ret);
    bool refuses_its_own; /* a device refuses only what it was asked in its way: that is known by it, too */
    /* Will a frame say that what is told is done?  NULL: one will. */
    bool (*tells)(const struct question *q);
    /* Where an answer only says that what was told is taken: writes the item that is read until it shows that it is
     * done, within *ret_within_ms.  False, or NULL: none is. */
    bool (*proof)(const struct question *q, struct buf *item, int64_t *ret_within_ms);
    /* What such an answer, or one to that item, shows of what was told.  Not NULL where proof() is not. */
    enum proof (*shows)(const struct question *q, const struct decoded *d, const char **ret_why);
    /* Addresses as its devices have them, and items that are told and never asked for; blanks between.  Any other item
     * can be asked for under one of them, or is none.  NULL: what is an item hangs on the device. */
    const char *addresses, *only_told;
    int64_t wait_ms; /* for an answer to begin; 0: as usual */
    /* A device counts what it is asked (question.nth; what is said again keeps its number), and begins anew behind so
     * long a silence.  0: it does not. */
    int64_t forgets_ms;
    /* Does what is told move a valve, a relay or a door?  Then it waits for a confirmation, whatever its model says.
     * NULL: who knows. */
    bool (*moves)(const struct question *q);
    /* Does a device know this one again when it is said twice, and do it once?  NULL: it does not. */
    bool (*is_known_again)(const struct question *q);
};

/* Messages that come in several frames: `bytes` of memory that a connection keeps for them, zero at first.  now_ms: of
 * a clock that never goes back. */
struct joining {
    size_t bytes;
    bool (*is_part)(struct bytes whole);
    /* decode() of such a frame: with the last one that was missing all is said that they say together, again when that
     * frame comes again.  Each is answered by itself. */
    bool (*join)(void *kept, struct bytes whole, int64_t now_ms, struct arena *a, struct decoded *ret,
                 struct wire_error *reterr);
    /* Every second or so: appends frames that ask for what is missing.  False: parts were given up, by that rule.
     * NULL: nothing is asked for. */
    bool (*missing)(void *kept, int64_t now_ms, struct buf *out, struct wire_error *reterr);
};

/* Is a frame of whom it names?  By the password of that device. */
enum claim {
    CLAIM_PROVEN,
    CLAIM_OPEN, /* it has no password, and says nothing that is kept */
    CLAIM_WRONG /* the rule that it breaks is told */
};

/* The narrow waist that lines use.  Each protocol also exports its typed frame for tests and tools.  decode, reply:
 * NULL where frames only mean something within their connection. */
struct codec {
    const char *name, *standard;
    size_t frame_max; /* bytes; a transport never buffers more */
    enum frame (*frame)(struct bytes in, size_t *ret_len);
    /* The same again and again, each time with what came since, so that what is no frame is summed up once, however its
     * bytes come.  NULL: frame() costs no more than the bytes of a frame. */
    enum frame (*follow)(struct bytes in, struct followed *followed, size_t *ret_len);
    /* False: *ret has the sender at most, where that was read before the fault. */
    bool (*decode)(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr);
    /* The answer the sender expects, if any: nothing is appended when none is due.  now_s: local civil seconds.  A
     * whole frame that did not decode, one who may not pass, and one whose message was answered before, is answered
     * with a refusal (ok false). */
    void (*reply)(struct bytes whole, bool ok, int64_t now_s, struct buf *out);
    /* Instead, where a frame is one who wants through: whether he may, and a word why (platform/passes).  NULL: reply()
     * says it, or the device waits for a command. */
    void (*let)(bool opens, struct str why, struct buf *out);
    /* For tools: the typed frame as one JSON value, and such a value as a frame.  What show() wrote make() turns into
     * the same bytes.  make() wants what the standard has no default for; *reterr.rule says what is missing or wrong
     * with it, in words.  NULL: it cannot. */
    bool (*show)(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
    bool (*make)(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);
    const struct joining *joining; /* NULL: each frame is a message */
    const struct asking *asking;   /* NULL: nothing can be asked */
    bool is_polled;                /* devices speak only when they are asked */
    int64_t silent_after_ms; /* of one that speaks by itself: so long it never is, by its standard; 0: who knows */
    bool is_local;           /* addresses tell devices apart on their own line alone */
    bool is_blind;           /* an answer does not say which question of its device it answers */
    bool is_text;            /* the wire is text for people: tools take it as it is, not as hex */
    /* How frames travel where that is not a stream of bytes: BODY of one HTTP request, its answer's body being the
     * reply; TOPIC: a publish, its topic, a line feed, its payload, and frame() says whether the topic is one of its
     * own; DATAGRAM of UDP. */
    enum carrier { CARRIER_STREAM, CARRIER_BODY, CARRIER_TOPIC, CARRIER_DATAGRAM } carrier;
    bool (*is_genuine)(struct bytes whole, struct str key); /* signed with the line's key; NULL: nothing is signed */
    /* Of a frame that decodes; NULL: frames have no password. */
    enum claim (*prove)(struct bytes whole, struct str password, struct wire_error *reterr);
};
/* Do its frames come as bodies of requests?  Those of publishes do, too, where they stand without their topic. */
static inline bool codec_is_pushed(const struct codec *c) {
    return c->carrier == CARRIER_BODY || c->carrier == CARRIER_TOPIC;
}
/* Are its devices asked what their models list? */
static inline bool codec_is_asked(const struct codec *c) {
    return c->asking && (c->is_polled || c->carrier == CARRIER_DATAGRAM);
}
const struct codec *codec_find(struct str name); /* NULL when there is none */
extern const struct codec *const codecs[];
extern const size_t codecs_n;

#endif
