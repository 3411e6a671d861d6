/* Number plates of China (GA 36), as people write them and cameras read them.  Pure.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_PROTOCOL_PLATE_PLATE_H
#define LINLI_PROTOCOL_PLATE_PLATE_H

#include "protocol/codec.h"

enum plate_kind {
    PLATE_NONE, /* what cameras say of a vehicle without one */
    PLATE_NEV_SMALL,
    PLATE_NEV_LARGE,
    PLATE_CIVIL,  /* cars, and lorries and coaches, whose plates have another colour */
    PLATE_SUFFIX, /* trailer, learner, police, consulate, test */
    PLATE_HK_MACAU,
    PLATE_ARMED_POLICE,
    PLATE_MILITARY,
    PLATE_AVIATION,
    PLATE_EMBASSY
};
#define PLATE_BYTES     40 /* of a plate in its normal form, and its end */
#define PLATE_INPUT_MAX 64 /* bytes of text that are looked at */
struct plate {
    enum plate_kind kind;
    char text[PLATE_BYTES]; /* without blanks, dots and hyphens, in capitals: "粤B12345"; empty for PLATE_NONE */
    struct plate_part {
        uint8_t at, n; /* bytes of text; n 0: this kind has none */
    } province, letters, serial, suffix;
    bool is_new_energy, is_electric; /* one letter of new energy says whether it runs on a battery alone */
};
/* One plate.  False: the rule that the text breaks in the form that it follows furthest, and the byte. */
bool plate_read(struct str text, struct plate *ret, struct wire_error *reterr);
/* The next plate of a vehicle that carries several, joined with |.  False: no more. */
bool plate_next(struct str *rest, struct str *ret_one);
const char *plate_kind_name(enum plate_kind kind);                    /* "nev_small" */
struct str plate_part(const struct plate *p, struct plate_part part); /* slices p->text; absent where there is none */

extern const struct codec plate_codec;

#endif
