/* Bracelets and watches: text over TCP, in brackets (makers 3G, SG, CS, ZJ …) or ended by # (IW).  Makers' papers; no
 * standard.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_WATCH_WATCH_H
#define LINLI_PROTOCOL_WATCH_WATCH_H

#include "protocol/codec.h"

/* [MF*ID*LEN*CONTENT] or [MF*ID*SERIAL*LEN*CONTENT]: MF two characters of the maker, ID 10 digits or an IMEI of 15,
 * SERIAL and LEN four hex digits, LEN the bytes of CONTENT.  CONTENT is a command and its fields, commas between; in
 * the voice that it may hold [ ] * , and } are escaped (7D 02, 03, 05, 04, 01), so that ] always ends a frame.
 * IWAPnn… # of a watch, IWBPnn… # to it: only the log-in (IWAP00) says whose it is. */
#define WATCH_CONTENT_MAX 65536
#define WATCH_FRAME_MAX   (31 + WATCH_CONTENT_MAX)
#define WATCH_IW_MAX      2048

struct watch_frame {      /* slices the frame */
    struct str maker, id; /* absent: IW */
    struct str serial;    /* absent: the form without */
    struct str length;    /* digits as they came; absent: those that are right */
    struct str content;   /* IW: all between IW and # */
    struct str command;   /* its beginning up to the comma; IW: "AP49" */
    struct str fields;    /* what is behind, without the comma; absent: nothing */
    bool is_miscounted;   /* LEN is wrong by one, which some firmware always is: taken, but not trusted */
};
bool watch_decode(struct bytes whole, struct watch_frame *ret, struct wire_error *reterr);
/* Appends maker, id, serial, length and content, or IW and the content.  What they are worth decoding says. */
void watch_encode(const struct watch_frame *f, struct buf *out);

extern const struct codec watch_codec;

#endif
