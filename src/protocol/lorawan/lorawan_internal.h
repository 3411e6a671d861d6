/* What the network servers of LoRaWAN have in common.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_LORAWAN_LORAWAN_INTERNAL_H
#define LINLI_PROTOCOL_LORAWAN_LORAWAN_INTERNAL_H

#include "protocol/lorawan/lorawan.h"
#include "protocol/publish.h"
#include "protocol/pushed.h"

#define LORAWAN_EUI 16 /* hex digits */

/* How an uplink came: of the gateways that heard it the loudest one. */
struct lorawan_gateway {
    bool has_rssi, has_snr;
    double rssi, snr; /* dBm, dB */
    struct str time;  /* absent: its clock is not set */
};
struct lorawan_radio {
    struct lorawan_gateway best, next; /* next: the member of the list whose leaves come */
    size_t index;                      /* of next */
};
/* Which path of a list's members says what; "#" is the member. */
struct lorawan_radio_field {
    const char *path;
    enum { LORAWAN_RSSI, LORAWAN_SNR, LORAWAN_TIME } what;
};
void lorawan_radio_take(struct lorawan_radio *r, const struct lorawan_radio_field *fields, size_t n,
                        const struct json_leaf *leaf);
void lorawan_radio_end(struct lorawan_radio *r);
bool lorawan_radio_put(const struct lorawan_radio *r, struct pushed *p); /* what the device itself did not say */

/* Hex in any case, or base64 of eight bytes, as small hex.  False: neither. */
bool lorawan_eui(struct str text, char ret[LORAWAN_EUI + 1]);
bool lorawan_payload(struct pushed *p, struct str base64, const char *rule); /* readings, if it is Cayenne LPP */
bool lorawan_place(struct pushed *p, const struct pushed_value *latitude_longitude_altitude);

/* A frame that decodes, for tools; device: absent where nobody speaks. */
bool lorawan_show(struct bytes whole, const char *what, struct str device, struct arena *a, struct jw *j);

/* Of a question.  put_value: a member `bytes` as base64, or `object`; false: the value is neither. */
bool lorawan_port(struct str item, int64_t *ret);
bool lorawan_put_value(struct jw *j, struct str value, const char *bytes, const char *object);
bool lorawan_key_is_right(const struct question *q);
/* An answer says nothing of the device but that it is there. */
bool lorawan_understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                        struct wire_error *reterr);
/* The fields of a payload that may be an answer; false: it is no such payload. */
bool lorawan_fields(struct bytes payload, const struct pushed_field *fields, size_t n, struct pushed_value *values);

#endif
