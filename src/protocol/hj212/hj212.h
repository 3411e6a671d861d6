/* HJ 212-2017 and HJ/T 212-2005: stations of dust, air, noise and water, text over TCP.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_PROTOCOL_HJ212_HJ212_H
#define LINLI_PROTOCOL_HJ212_HJ212_H

#include "protocol/codec.h"

/* ## LLLL data CRC4 CR LF, where data is QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;[PNUM=…;PNO=…;]CP=&&…&&
 * Bytes of data are 1024 at most in the standard; stations send more. */
#define HJ212_DATA_MAX  9999
#define HJ212_FRAME_MAX (2 + 4 + HJ212_DATA_MAX + 4 + 2)
#define HJ212_MN_MAX    64 /* 24 in the standard, 14 in that of 2005 */

enum { HJ212_ANSWER_WANTED = 1, HJ212_PARTS = 2, HJ212_VERSION_2017 = 4 }; /* bits of Flag; the version stands above */
enum hj212_command {
    HJ212_GET_CLOCK = 1011,
    HJ212_SET_CLOCK = 1012,
    HJ212_CLOCK_NOTICE = 1013,
    HJ212_GET_INTERVAL = 1061,
    HJ212_SET_INTERVAL = 1062,
    HJ212_GET_MINUTES = 1063,
    HJ212_SET_MINUTES = 1064,
    HJ212_SET_PASSWORD = 1072,
    HJ212_REALTIME = 2011,
    HJ212_STATE = 2021,
    HJ212_DAY = 2031,
    HJ212_DAY_STATE = 2041,
    HJ212_MINUTE = 2051,
    HJ212_HOUR = 2061,
    HJ212_STARTED = 2081,
    HJ212_KEEP_SAMPLE = 3015,
    HJ212_GET_SAMPLING = 3017,
    HJ212_GET_INFO = 3020,
    HJ212_REQUEST_ANSWER = 9011,
    HJ212_RESULT = 9012,
    HJ212_NOTICE_ANSWER = 9013,
    HJ212_DATA_ANSWER = 9014
};
struct hj212_frame { /* slices the frame; what the station left out is absent */
    struct str data, qn, st, pw, mn, cp /* without its && */, sum /* digits as they came */;
    int64_t command, flag, parts, part; /* -1: left out */
    const char *end;                    /* "crlf", "lf", "" */
};
/* Appendix A of 2017: the register is shifted by a byte before the byte is put in, which is not what Modbus does. */
uint16_t hj212_crc(struct bytes data);
bool hj212_decode(struct bytes whole, struct hj212_frame *ret, struct wire_error *reterr);
/* Appends a frame around the data.  False: too long. */
bool hj212_encode(struct str data, struct buf *out);

/* The next item of CP: key and value; what has no = is passed over.  False: no more. */
bool hj212_next(struct str *rest, struct str *ret_key, struct str *ret_value);

void hj212_put_time(struct buf *b, int64_t s); /* local civil seconds since 1970: "20261121083000" */
int64_t hj212_time_of(struct str text);        /* of such a text, milliseconds behind it or not; 0: not a time */

/* ---- uploads in several packets (PNUM, PNO) ---- */

#define HJ212_UNDERWAY 8 /* that a connection knows the time of */
#define HJ212_PARTS_MS 60000
#define HJ212_QN_MAX   32
struct hj212_underway {
    char mn[HJ212_MN_MAX + 1], qn[HJ212_QN_MAX + 1];
    int64_t command; /* 0: nothing is under way here */
    int64_t at_s;    /* their DataTime; 0: there was none */
    int64_t heard_ms;
};
struct hj212_times { /* zero at first */
    struct hj212_underway all[HJ212_UNDERWAY];
};
/* One packet, part or not, as decode() has it, with the time of the part that has one: they belong together by MN, CN
 * and QN.  One that comes before that part breaks a rule, and is not answered: it comes again.  now_ms: of a clock that
 * never goes back. */
bool hj212_hear(struct hj212_times *t, struct bytes whole, int64_t now_ms, struct arena *a, struct decoded *ret,
                struct wire_error *reterr);

extern const struct codec hj212_codec;

/* What a station is asked or told (struct question).  `address` is its MN: one of 14 characters is of 2005, and is
 * spoken to so.  `key` is its password; absent: none is sent.  `item` is a word, in front of it, where the station
 * minds, its system type ST: "39:clock"; else that is 91.  `value`: what the word needs, separated by blanks; "read" is
 * none. clock                                  nothing: it is read; "now", which is now_s, or "20261121083000"
 *   interval, minute_interval              nothing: it is read; seconds, minutes
 *   timeout                                seconds before a station says again, and how often
 *   password                               the new one; the line itself says it, by the one it replaces, its key
 *   realtime, state                        nothing: they are sent; "stop"
 *   minute, hour, day, day_state           from when to when: "20261121080000 20261121090000"; either may be "now"
 *   calibrate, sample, clean, compare      the factor: "w01018"
 *   keep_sample                            "now"
 *   sampling                               the factor: it is read; "w01018 080000 2": from when on, every so many hours
 *   sampling_time, serial_number           the factor
 * or the number of any other command from 1000 to 3999 but 1072, with CP as the standard writes it:
 * "PolId=w01018;InfoId=i12001". Answers are known by QN.  9011 accepts, data follow, 9012 ends; 9013 ends what only is
 * a notice.  A station of 2005 repeats QN in CP. */

#endif
