/* Network servers of LoRaWAN that push what a sensor of temperature and humidity sends: ChirpStack v4 and The Things
 * Stack v3.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lorawan/lorawan.h"
#include "base/civil.h"
#include "base/json.h"
#include "main/simulate/simulate.h"
#include "protocol/base64.h"
#include "protocol/cursor.h"

#include <inttypes.h>

#define STATUS_OF 20  /* of so many messages one is what the network asked */
#define WAY_MS    100 /* from the network server to the application's */
#define PORT      2
#define FREQUENCY 470300000 /* CN470 */

enum { TEMPERATURE, HUMIDITY, RSSI, SNR, BATTERY };
static const struct sim_range ranges[] = {[TEMPERATURE] = {215, -100, 420, 3}, /* 0.1 Cel */
                                          [HUMIDITY] = {94, 30, 198, 3},       /* 0.5 % */
                                          [RSSI] = {-96, -125, -40, 4},
                                          [SNR] = {65, -100, 120, 12}, /* 0.1 dB */
                                          [BATTERY] = {90, 5, 100, 1}};

static int walk(struct sim_device *d, size_t i) {
    return sim_walk(d, i, &ranges[i]);
}

struct uplink {
    char eui[24], address[12], name[32], time[40], later[40], payload[16];
    double temperature, humidity;
};

static void put_time(char *mem, size_t size, int64_t at_ms) {
    struct buf b;
    buf_init(&b, mem, size);
    civil_put_time(&b, NULL, at_ms);
}

/* Its payload is Cayenne LPP: channel, type, value. */
static void measure(const struct sim_options *o, struct sim_device *d, int64_t at_ms, bool is_big, struct uplink *ret) {
    char mem[8];
    struct buf b, bytes;
    int64_t number = sim_number(o, d);
    int temperature = walk(d, TEMPERATURE), humidity = walk(d, HUMIDITY);
    buf_init(&b, ret->eui, sizeof ret->eui);
    buf_fmt(&b, is_big ? "0004A30B%08" PRIX32 : "0004a30b%08" PRIx32, (uint32_t)number);
    buf_init(&b, ret->address, sizeof ret->address);
    buf_fmt(&b, is_big ? "%08" PRIX32 : "%08" PRIx32, (uint32_t)number & 0x01ffffff);
    buf_init(&b, ret->name, sizeof ret->name);
    sim_put_name(o, d, &b);
    put_time(ret->time, sizeof ret->time, at_ms);
    put_time(ret->later, sizeof ret->later, at_ms + WAY_MS);
    buf_init(&bytes, mem, sizeof mem);
    cursor_put_be(&bytes, 0x0167, 2);
    cursor_put_be(&bytes, (uint16_t)temperature, 2);
    cursor_put_be(&bytes, 0x0268, 2);
    cursor_put_be(&bytes, (uint8_t)humidity, 1);
    buf_init(&b, ret->payload, sizeof ret->payload);
    base64_put(&b, (struct bytes){(const uint8_t *)mem, bytes.len});
    ret->temperature = temperature / 10.0;
    ret->humidity = humidity / 2.0;
}

/* First it joins. */
static bool push_chirpstack(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                            const char **ret_below) {
    struct uplink u;
    struct jw j;
    char mem[40];
    struct buf id;
    uint64_t a = sim_random(d), b = sim_random(d);
    measure(o, d, at_ms, false, &u);
    buf_init(&id, mem, sizeof mem);
    buf_fmt(&id, "%08" PRIx32 "-%04x-4%03x-8%03x-%012" PRIx64, (uint32_t)a, (unsigned)(a >> 32 & 0xffff),
            (unsigned)(a >> 48 & 0xfff), (unsigned)(b & 0xfff), b >> 16);
    jw_init(&j, json);
    jw_put(&j,
           "{'deduplicationId':$,'time':$,'deviceInfo':{'tenantId':'52f14cd4-c6f1-4fbd-8f87-4025e1d49242','tenantName':"
           "'linli','applicationId':'17c82e96-be03-4f38-aef3-f83d48582d97','applicationName':'meters',"
           "'deviceProfileId':'14855bf7-d10d-4aee-b618-ebfcb64dc7ad','deviceProfileName':'th','deviceName':$,'devEui':"
           "$,'tags':{}}",
           JV(J_CSTR(mem), J_CSTR(u.time), J_CSTR(u.name), J_CSTR(u.eui)));
    if (!d->told[0]++) {
        *ret_below = "?event=join";
        jw_put(&j, "'devAddr':$}", JV(J_CSTR(u.address)));
        return true;
    }
    if (sim_random(d) % STATUS_OF == 0) {
        *ret_below = "?event=status";
        jw_put(&j, "'margin':$,'externalPowerSource':false,'batteryLevelUnavailable':false,'batteryLevel':$}",
               JV(J_I64(10), J_I64(walk(d, BATTERY))));
        return true;
    }
    *ret_below = "?event=up";
    jw_put(&j,
           "'devAddr':$,'adr':true,'dr':5,'fCnt':$,'fPort':$,'confirmed':false,'data':$,'object':{'temperature':$,"
           "'humidity':$},'rxInfo':[{'gatewayId':'0016c001f153a14c','uplinkId':$,'rssi':$,'snr':$,'context':"
           "'AAAAAA=='}],'txInfo':{'frequency':$,'modulation':{'lora':{'bandwidth':125000,'spreadingFactor':7,"
           "'codeRate':'CR_4_5'}}}}",
           JV(J_CSTR(u.address), J_I64(d->serial), J_I64(PORT), J_CSTR(u.payload), J_F64(u.temperature),
              J_F64(u.humidity), J_I64((int64_t)(uint32_t)sim_random(d)), J_I64(walk(d, RSSI)),
              J_F64(walk(d, SNR) / 10.0), J_I64(FREQUENCY)));
    return true;
}

/* What is zero is left out: the first uplink has no f_cnt. */
static bool push_ttn(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                     const char **ret_below) {
    struct uplink u;
    struct jw j;
    int64_t count = d->told[0]++;
    (void)ret_below;
    measure(o, d, at_ms, true, &u);
    jw_init(&j, json);
    jw_put(&j,
           "{'end_device_ids':{'device_id':$,'application_ids':{'application_id':'estate'},'dev_eui':$,'join_eui':"
           "'800000000000000C','dev_addr':$},'received_at':$,'uplink_message':{'session_key_id':'AXBSH1Pk6Z0=',"
           "'f_port':$",
           JV(J_CSTR(u.name), J_CSTR(u.eui), J_CSTR(u.address), J_CSTR(u.later), J_I64(PORT)));
    if (count) jw_ki64(&j, "f_cnt", count);
    jw_put(&j,
           "'frm_payload':$,'decoded_payload':{'temperature':$,'humidity':$},'rx_metadata':[{'gateway_ids':{"
           "'gateway_id':'gw1'},'rssi':$,'snr':$}],'settings':{'data_rate':{'lora':{'bandwidth':125000,"
           "'spreading_factor':7}},'frequency':'470300000'},'received_at':$}}",
           JV(J_CSTR(u.payload), J_F64(u.temperature), J_F64(u.humidity), J_I64(walk(d, RSSI)),
              J_F64(walk(d, SNR) / 10.0), J_CSTR(u.time)));
    return true;
}

const struct sim_protocol sim_chirpstack = {.name = "chirpstack", SIM_PUSHES(push_chirpstack)};
const struct sim_protocol sim_ttn = {.name = "ttn", SIM_PUSHES(push_ttn)};
