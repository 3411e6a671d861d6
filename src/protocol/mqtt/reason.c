/* Which packets have which reason codes (MQTT 5.0, 2.4), and names.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/mqtt/mqtt_internal.h"

#define IN(type) (1u << MQTT_##type)
#define RECEIVED (IN(PUBACK) | IN(PUBREC))
#define RELEASED (IN(PUBREL) | IN(PUBCOMP))

static const struct {
    uint8_t code;
    uint16_t where;
} codes[] = {
    {0x00, IN(CONNACK) | RECEIVED | RELEASED | IN(SUBACK) | IN(UNSUBACK) | IN(DISCONNECT) | IN(AUTH)},
    {0x01, IN(SUBACK)},
    {0x02, IN(SUBACK)},
    {0x04, IN(DISCONNECT)},
    {0x10, RECEIVED},
    {0x11, IN(UNSUBACK)},
    {0x18, IN(AUTH)},
    {0x19, IN(AUTH)},
    {0x80, IN(CONNACK) | RECEIVED | IN(SUBACK) | IN(UNSUBACK) | IN(DISCONNECT)},
    {0x81, IN(CONNACK) | IN(DISCONNECT)},
    {0x82, IN(CONNACK) | IN(DISCONNECT)},
    {0x83, IN(CONNACK) | RECEIVED | IN(SUBACK) | IN(UNSUBACK) | IN(DISCONNECT)},
    {0x84, IN(CONNACK)},
    {0x85, IN(CONNACK)},
    {0x86, IN(CONNACK)},
    {0x87, IN(CONNACK) | RECEIVED | IN(SUBACK) | IN(UNSUBACK) | IN(DISCONNECT)},
    {0x88, IN(CONNACK)},
    {0x89, IN(CONNACK) | IN(DISCONNECT)},
    {0x8a, IN(CONNACK)},
    {0x8b, IN(DISCONNECT)},
    {0x8c, IN(CONNACK) | IN(DISCONNECT)},
    {0x8d, IN(DISCONNECT)},
    {0x8e, IN(DISCONNECT)},
    {0x8f, IN(SUBACK) | IN(UNSUBACK) | IN(DISCONNECT)},
    {0x90, IN(CONNACK) | RECEIVED | IN(DISCONNECT)},
    {0x91, RECEIVED | IN(SUBACK) | IN(UNSUBACK)},
    {0x92, RELEASED},
    {0x93, IN(DISCONNECT)},
    {0x94, IN(DISCONNECT)},
    {0x95, IN(CONNACK) | IN(DISCONNECT)},
    {0x96, IN(DISCONNECT)},
    {0x97, IN(CONNACK) | RECEIVED | IN(SUBACK) | IN(DISCONNECT)},
    {0x98, IN(DISCONNECT)},
    {0x99, IN(CONNACK) | RECEIVED | IN(DISCONNECT)},
    {0x9a, IN(CONNACK) | IN(DISCONNECT)},
    {0x9b, IN(CONNACK) | IN(DISCONNECT)},
    {0x9c, IN(CONNACK) | IN(DISCONNECT)},
    {0x9d, IN(CONNACK) | IN(DISCONNECT)},
    {0x9e, IN(SUBACK) | IN(DISCONNECT)},
    {0x9f, IN(CONNACK) | IN(DISCONNECT)},
    {0xa0, IN(DISCONNECT)},
    {0xa1, IN(SUBACK) | IN(DISCONNECT)},
    {0xa2, IN(SUBACK) | IN(DISCONNECT)},
};

bool mqtt_reason_is_of(enum mqtt_type type, enum mqtt_level level, uint8_t reason) {
    if (level == MQTT_V311)
        return type == MQTT_CONNACK ? reason <= 5 : type == MQTT_SUBACK && (reason <= 2 || reason == 0x80);
    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].code == reason) return codes[i].where >> type & 1;
    return false;
}

const char *mqtt_type_name(enum mqtt_type type) {
    static const char *const names[] = {"",        "connect",  "connack",    "publish", "puback",      "pubrec",
                                        "pubrel",  "pubcomp",  "subscribe",  "suback",  "unsubscribe", "unsuback",
                                        "pingreq", "pingresp", "disconnect", "auth"};
    return (size_t)type < COUNT(names) ? names[type] : "";
}
