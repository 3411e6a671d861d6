/* What the files of the MQTT codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_MQTT_MQTT_INTERNAL_H
#define LINLI_PROTOCOL_MQTT_MQTT_INTERNAL_H

#include "protocol/cursor.h"
#include "protocol/mqtt/mqtt.h"

#define MQTT_VARINT_MAX  268435455u /* 4 bytes of 7 bits (5.0, 1.5.5) */
#define MQTT_TEXT_MAX    65535u     /* a two-byte length stands before it (5.0, 1.5.4) */
#define MQTT_WILL        0u         /* where properties stand, beside the types of packets */
#define MQTT_PROPERTIES  43u        /* ids are below */
#define MQTT_BIT(number) (UINT64_C(1) << (number))

/* A packet being read. */
struct mqtt_in {
    struct cursor c;
    enum mqtt_level level;
    struct mqtt_fault *fault;
};
/* Says what is wrong at `at`; always false. */
bool mqtt_bad(struct mqtt_in *in, size_t at, enum mqtt_reason reason, const char *rule);
/* Each false with the fault set. */
bool mqtt_read_varint(struct mqtt_in *in, uint32_t *ret);
bool mqtt_read_text(struct mqtt_in *in, struct str *ret);     /* UTF-8, without U+0000 */
bool mqtt_read_binary(struct mqtt_in *in, struct bytes *ret); /* two bytes of length, then as many */
/* Length and properties that may stand in `where`: a type of packet or MQTT_WILL.  In 3.1.1 there are none. */
bool mqtt_read_properties(struct mqtt_in *in, unsigned where, struct bytes *ret);

/* Does the type have that reason code? */
bool mqtt_reason_is_of(enum mqtt_type type, enum mqtt_level level, uint8_t reason);

size_t mqtt_varint_size(uint32_t v);
void mqtt_put_varint(struct buf *out, uint32_t v);
void mqtt_put_text(struct buf *out, struct str s); /* at most MQTT_TEXT_MAX bytes; more: the buffer overflows */

/* Forms of a property's value. */
enum mqtt_form { MQTT_NO_FORM, MQTT_FLAG, MQTT_U16, MQTT_U32, MQTT_VARINT, MQTT_TEXT, MQTT_BINARY, MQTT_PAIR };
enum mqtt_form mqtt_property_form(uint8_t id);

#endif
