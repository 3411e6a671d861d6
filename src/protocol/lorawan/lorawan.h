/* Network servers of LoRaWAN: what they say of devices, and what devices are told through them.
 *
 * A frame is a publish of the server's MQTT integration, "topic LF payload", or the body of a request of its HTTP
 * integration or webhook, which is the same JSON without a topic and begins with {.  A request is answered 200 without
 * a body.  Commands go out as publishes only.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_LORAWAN_LORAWAN_H
#define LINLI_PROTOCOL_LORAWAN_LORAWAN_H

#include "protocol/codec.h"

/* A device is its DevEUI in 16 small hex digits, in which way the server may write it (The Things Stack knows devices
 * without one: then its device id).  Readings are the numbers and flags of the decoded object, names of nested ones
 * joined by "_"; where there is none, of the payload if it is Cayenne LPP, "temperature_1" of channel 1.  Beside them
 * rssi and snr of the gateway that heard it loudest, battery, and where the network located it.  Events: join.  Their
 * time is that gateway's, else the server's, so that an uplink that comes twice is one.
 *
 * Questions: the item is the port, 1 to 223; the value is hex, or an object that the server's own codec encodes; the
 * key is where the server's topics have the device: ChirpStack's application id, "APPLICATION@TENANT/devices/DEVICE_ID"
 * of The Things Stack.  Downlinks are confirmed ones: the device's acknowledgement is the answer. */
extern const struct codec chirpstack_codec; /* v4; v3 with its JSON or JSON (v3) marshaler */
extern const struct codec ttn_codec;        /* v3 */

#endif
