/* The codecs there are.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/codec.h"

#include "protocol/bacnet/bacnet.h"
#include "protocol/cjt188/cjt188.h"
#include "protocol/dlt645/dlt645.h"
#include "protocol/door/door.h"
#include "protocol/gb26875/gb26875.h"
#include "protocol/hj212/hj212.h"
#include "protocol/home/home.h"
#include "protocol/itsapi/itsapi.h"
#include "protocol/jt808/jt808.h"
#include "protocol/lift/lift.h"
#include "protocol/lorawan/lorawan.h"
#include "protocol/modbus/modbus.h"
#include "protocol/mqtt/mqtt.h"
#include "protocol/nbiot/nbiot.h"
#include "protocol/osdp/osdp.h"
#include "protocol/plate/plate.h"
#include "protocol/sparkplug/sparkplug.h"
#include "protocol/vz/vz.h"
#include "protocol/watch/watch.h"
#include "protocol/wiegand/wiegand.h"

const struct codec *const codecs[] = {
    &bacnet_codec,  &chirpstack_codec, &cjt188_codec,     &ctwing_codec,        &dlt645_codec, &door_codec,
    &esphome_codec, &gb26875_codec,    &hj212_codec,      &homeassistant_codec, &itsapi_codec, &jt808_codec,
    &lift_codec,    &modbus_codec,     &modbus_rtu_codec, &mqtt5_codec,         &mqtt_codec,   &onenet_codec,
    &osdp_codec,    &plate_codec,      &sparkplug_codec,  &tasmota_codec,       &ttn_codec,    &vz_codec,
    &watch_codec,   &wiegand_codec,    &zigbee2mqtt_codec};
const size_t codecs_n = COUNT(codecs);

const struct codec *codec_find(struct str name) {
    for (size_t i = 0; i < codecs_n; i++)
        if (str_is(name, codecs[i]->name)) return codecs[i];
    return NULL;
}
