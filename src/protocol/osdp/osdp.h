/* OSDP v2 (SIA; IEC 60839-11-5): readers of doors on a half-duplex bus, both directions.  The panel asks, a device
 * answers.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_OSDP_OSDP_H
#define LINLI_PROTOCOL_OSDP_OSDP_H

#include "protocol/codec.h"

/* FF     a mark that some put in front, not counted
 * 0      53
 * 1      address 00..7E, 7F: all; bit 7: from the device
 * 2..3   length of the packet, low byte first
 * 4      control: bits 1..0 sequence, 2 a CRC ends the packet and no sum, 3 a security block follows
 * 5..    [security block: its length, type 11..18, data] command or reply, its data, [4 bytes MAC under types 15..18]
 * end    CRC-16, low byte first; or one byte with which the sum of all is 0 */
#define OSDP_PACKET_MAX  1440
#define OSDP_DATA_MAX    (OSDP_PACKET_MAX - 8)
#define OSDP_ADDRESS_MAX 0x7e
#define OSDP_ALL         0x7f

enum osdp_command {
    OSDP_POLL = 0x60,
    OSDP_ID = 0x61,
    OSDP_CAP = 0x62,
    OSDP_LSTAT = 0x64,
    OSDP_ISTAT = 0x65,
    OSDP_OSTAT = 0x66,
    OSDP_RSTAT = 0x67,
    OSDP_OUT = 0x68,
    OSDP_LED = 0x69,
    OSDP_BUZ = 0x6a
};
enum osdp_reply {
    OSDP_ACK = 0x40,
    OSDP_NAK = 0x41,
    OSDP_PDID = 0x45,
    OSDP_PDCAP = 0x46,
    OSDP_LSTATR = 0x48,
    OSDP_ISTATR = 0x49,
    OSDP_OSTATR = 0x4a,
    OSDP_RSTATR = 0x4b,
    OSDP_RAW = 0x50,
    OSDP_KEYPAD = 0x53,
    OSDP_BUSY = 0x79
};
struct osdp_frame { /* slices the packet */
    uint8_t address, sequence, reserved /* bits 7..4 of control */, code;
    bool is_reply, has_mark, has_sum /* and no CRC */;
    struct bytes data;
    struct bytes security, mac; /* type and data of the block; absent: the packet is in the clear */
};
/* CRC-16: polynomial 1021, begins with 1D0F, nothing reflected. */
uint16_t osdp_crc(struct bytes b);
/* What a security block covers is taken apart, not opened: `data` is ciphertext under types 17 and 18. */
bool osdp_decode(struct bytes whole, struct osdp_frame *ret, struct wire_error *reterr);
bool osdp_encode(const struct osdp_frame *f, struct buf *out); /* in the clear.  False: the data are too long */
#define OSDP_WRONG_SEQUENCE 4
#define OSDP_NEEDS_CHANNEL  6
const char *osdp_refusal(uint8_t reason); /* of a NAK: "sequence"; NULL: there is no such reason */

extern const struct codec osdp_codec;

#endif
