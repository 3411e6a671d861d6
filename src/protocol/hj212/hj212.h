/* HJ 212-2017 and HJ/T 212-2005: stations of dust, air, noise and water, text over TCP.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_PROTOCOL_HJ212_HJ212_H
#define LINLI_PROTOCOL_HJ212_HJ212_H

#include "protocol/codec.h"

/* ## LLLL data CRC4 CR LF, where data is QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;[PNUM=…;PNO=…;]CP=&&…&&
 * Bytes of data are 1024 at most in the standard; stations send more. */
#define HJ212_DATA_MAX  9999
#define HJ212_FRAME_MAX (2 + 4 + HJ212_DATA_MAX + 4 + 2)

enum { HJ212_ANSWER_WANTED = 1, HJ212_PARTS = 2 }; /* bits of Flag; the version stands above them */
enum hj212_command {
    HJ212_CLOCK_NOTICE = 1013,
    HJ212_REALTIME = 2011,
    HJ212_STATE = 2021,
    HJ212_DAY = 2031,
    HJ212_DAY_STATE = 2041,
    HJ212_MINUTE = 2051,
    HJ212_HOUR = 2061,
    HJ212_STARTED = 2081,
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

extern const struct codec hj212_codec;

#endif
