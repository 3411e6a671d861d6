/* Platforms of NB-IoT, which push what devices said in HTTP requests: a frame is a request's body, a JSON object.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_NBIOT_NBIOT_H
#define LINLI_PROTOCOL_NBIOT_NBIOT_H

#include "protocol/codec.h"

/* CTWing (China Telecom AEP).  A device is its deviceId.  Readings: the numbers of payload.serviceData, of payload
 * itself, or of the JSON object in the base64 of payload.APPdata; names of nested ones joined by "_".  Events: offline,
 * and "event_ID" of an eventReport's serviceId.  Any 200 is an answer; there is no body in it, and nothing is signed.
 */
extern const struct codec ctwing_codec;

/* OneNET (China Mobile).  A device is its dev_id; of the thing model "PRODUCT:NAME".  Readings: of a data point under
 * its ds_id, of the thing model's properties, where it was located.  Events: offline, and the thing model's own.
 *
 * OneNET checks an address with a GET that has msg, nonce and signature in its query.  The frame is then the query as
 * an object of texts, {"msg":"…","nonce":"…","signature":"…"}, percent signs decoded and + left alone; the reply, msg,
 * is the body of the answer.  Both ways are signed: is_genuine() wants the token, base64(md5(token + nonce + msg)), msg
 * as it stands in the body. */
extern const struct codec onenet_codec;

#endif
