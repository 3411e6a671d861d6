/* What the files of the OSDP codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_OSDP_OSDP_INTERNAL_H
#define LINLI_PROTOCOL_OSDP_OSDP_INTERNAL_H

#include "protocol/osdp/osdp.h"

/* A packet that is in the clear; one of a secure channel is refused, since nobody has its keys here. */
bool osdp_open(struct bytes whole, struct osdp_frame *ret, struct wire_error *reterr);

/* How the data of a command or reply are laid out: fields in their order, numbers with the low byte first. */
#define OSDP_FIELDS_MAX 14
struct osdp_layout {
    uint8_t code;
    const char *name;
    struct osdp_field {
        const char *name;
        uint8_t bytes;
        enum { OSDP_NUMBER, OSDP_HEX, OSDP_ZERO /* a number that may be left out */ } kind;
    } fields[OSDP_FIELDS_MAX]; /* up to the one without a name */
    bool is_list;              /* as many of these records as there are */
};
const struct osdp_layout *osdp_layout_of(bool is_reply, uint8_t code); /* NULL: there is none of that code */
const struct osdp_layout *osdp_layout_named(bool is_reply, struct str name);
size_t osdp_record_bytes(const struct osdp_layout *l);
size_t osdp_fields(const struct osdp_layout *l);

/* What a reply says of its device. */
bool osdp_say(uint8_t address, uint8_t code, struct bytes data, struct arena *a, struct decoded *ret,
              struct wire_error *reterr);
extern const struct asking osdp_asking;
bool osdp_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool osdp_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
