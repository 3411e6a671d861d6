/* linli bench codec: processor time of a typical frame, split, decoded and answered.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "main/bench/bench.h"

#include "protocol/codec.h"
#include "protocol/frame_json.h"
#include "protocol/mqtt/mqtt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS      200000
#define ARENA_BYTES ((size_t)1 << 20)
#define TOKEN       "estate2026" /* with which the sheet's pushes of OneNET are signed */

/* Of the protocols' sheets: a fire, an energy, a water and a heat meter, a station with five factors, a watch's alarm,
 * a vehicle's place, a register, a room, a card, uplinks of LoRa and NB-IoT, a door, a socket, a node, a lift, two
 * cameras, a door's controller, a plate and a card by themselves, a sensor, what a home says of its sensors, a publish
 * with QoS 1. */
static const struct typical {
    const char *figure, *codec, *hex, *text;
} typicals[] = {
    {"gb26875_ns", "gb26875",
     "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 30 00 02 02 01 01 01 28 0A "
     "00 02 00 02 00 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 00 02 "
     "3A 09 1A 09 0C 46 23 23",
     NULL},
    {"dlt645_ns", "dlt645", "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16", NULL},
    {"cjt188_water_ns", "cjt188",
     "FE FE FE FE 68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84 "
     "13 16",
     NULL},
    {"cjt188_heat_ns", "cjt188",
     "FE FE 68 20 44 33 22 11 00 33 78 81 2E 1F 90 01 78 56 34 12 05 90 78 56 34 05 00 12 00 00 17 50 34 12 00 35 78 "
     "56 34 12 2C 50 55 00 25 40 00 56 04 00 31 01 22 11 05 15 20 00 00 23 16",
     NULL},
    {"hj212_ns", "hj212", NULL,
     "##0252QN=20261121083000000;ST=39;CN=2011;PW=123456;MN=440300ESTATE000000000001;Flag=5;CP=&&DataTime="
     "20261121083000;a34004-Rtd=35.2,a34004-Flag=N;a34002-Rtd=61.0,a34002-Flag=N;a01001-Rtd=21.5,a01001-Flag=N;"
     "a01002-Rtd=55.1,a01002-Flag=N;LA-Rtd=52.3,LA-Flag=N&&1B00\r\n"},
    {"watch_ns", "watch", NULL,
     "[3G*8800000015*0069*AL,211126,003000,A,22.543096,N,114.057865,E,0.00,0.0,0.0,8,90,55,1200,0,00200000,1,255,460,0,"
     "9340,3663,35]"},
    {"jt808_ns", "jt808",
     "7E 02 00 00 2F 01 35 78 88 88 88 00 B6 00 00 00 00 00 00 00 03 01 59 72 B4 06 CB F6 B8 02 23 00 00 00 01 16 06 "
     "13 "
     "17 57 13 01 04 00 00 00 00 03 02 00 00 EB 07 00 05 00 01 01 67 08 B3 7E",
     NULL},
    {"modbus_rtu_ns", "modbus_rtu", "01 04 02 00 01 78 F0", NULL},
    {"modbus_ns", "modbus", "00 01 00 00 00 05 01 03 02 00 0A", NULL},
    {"bacnet_ns", "bacnet", "81 0A 00 17 01 00 30 01 0C 0C 00 00 00 01 19 55 3E 44 41 AC 00 00 3F", NULL},
    {"osdp_ns", "osdp", "53 80 10 00 05 50 00 01 1A 00 BD 88 EB 80 CD 65", NULL},
    {"chirpstack_ns", "chirpstack", NULL,
     "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010101/event/"
     "up\n{\"deduplicationId\":\"11111111-2222-3333-4444-555555555555\",\"time\":\"2026-11-21T00:30:00.123456+00:00\","
     "\"deviceInfo\":{\"tenantId\":\"52f14cd4-c6f1-4fbd-8f87-4025e1d49242\",\"tenantName\":\"estate\","
     "\"applicationId\":\"17c82e96-be03-4f38-aef3-f83d48582d97\",\"applicationName\":\"meters\",\"deviceProfileId\":"
     "\"14855bf7-d10d-4aee-b618-ebfcb64dc7ad\",\"deviceProfileName\":\"th\",\"deviceName\":\"B3-12F-TH\",\"devEui\":"
     "\"0101010101010101\",\"tags\":{}},\"devAddr\":\"00189440\",\"adr\":true,\"dr\":5,\"fCnt\":4,\"fPort\":2,"
     "\"confirmed\":false,\"data\":\"AWcA1wJoXg==\",\"object\":{\"temperature\":21.5,\"humidity\":47.0},\"rxInfo\":[{"
     "\"gatewayId\":\"0016c001f153a14c\",\"uplinkId\":4217106255,\"rssi\":-36,\"snr\":10.5,\"context\":\"AAAAAA==\"}],"
     "\"txInfo\":{\"frequency\":470300000,\"modulation\":{\"lora\":{\"bandwidth\":125000,\"spreadingFactor\":7,"
     "\"codeRate\":\"CR_4_5\"}}}}"},
    {"ctwing_ns", "ctwing", NULL,
     "{\"upPacketSN\":-1,\"upDataSN\":-1,\"topic\":\"v1/up/"
     "ad\",\"timestamp\":1650554828842,\"tenantId\":\"2000000000\",\"serviceId\":\"\",\"protocol\":\"lwm2m\","
     "\"productId\":\"15000000\",\"payload\":{\"APPdata\":\"eyJsaXF1aWQiOjQwMiwiYmF0Ijo5OH0=\"},\"messageType\":"
     "\"dataReport\",\"deviceType\":\"\",\"deviceId\":\"40edca19b0124480864366de4621de99\",\"assocAssetId\":\"\","
     "\"IMSI\":\"undefined\",\"IMEI\":\"860000000000001\"}"},
    {"zigbee2mqtt_ns", "zigbee2mqtt", NULL,
     "zigbee2mqtt/"
     "B3-12F-door\n{\"contact\":false,\"battery\":97,\"voltage\":3005,\"linkquality\":102,\"tamper\":false}"},
    {"tasmota_ns", "tasmota", NULL,
     "tele/plug-17/"
     "SENSOR\n{\"Time\":\"2026-11-21T08:30:00\",\"ENERGY\":{\"TotalStartTime\":\"2026-01-01T00:00:00\",\"Total\":3.185,"
     "\"Yesterday\":0.210,\"Today\":0.031,\"Power\":52,\"ApparentPower\":60,\"ReactivePower\":30,\"Factor\":0.87,"
     "\"Voltage\":228,\"Current\":0.263}}"},
    {"sparkplug_ns", "sparkplug",
     "73 70 42 76 31 2E 30 2F 65 73 74 61 74 65 2F 4E 44 41 54 41 2F 67 77 31 0A 08 80 D0 95 FF BC 31 12 14 0A 04 74 "
     "65 6D 70 18 80 D0 95 FF BC 31 20 09 65 00 00 AC 41 18 01",
     NULL},
    {"lift_ns", "lift", NULL,
     "{\"regCode\":\"31104403002018010001\",\"ts\":\"2026-11-21T08:30:00+08:00\",\"serviceMode\":1,\"carStatus\":1,"
     "\"carDirection\":1,\"doorZone\":false,\"carPosition\":\"12\",\"doorClosed\":true,\"passenger\":true}"},
    {"vz_ns", "vz", NULL,
     "{\"AlarmInfoPlate\":{\"channel\":0,\"deviceName\":\"IN-1\",\"ipaddr\":\"192.0.2.31\",\"serialno\":\"0f823866-"
     "d2dc45ab\",\"result\":{\"PlateResult\":{\"license\":\"粤BD12345\",\"colorType\":5,\"type\":19,\"confidence\":97,"
     "\"direction\":4,\"triggerType\":8,\"plateid\":90813,\"location\":{\"RECT\":{\"left\":335,\"top\":312,\"right\":"
     "474,\"bottom\":363}},\"timeStamp\":{\"Timeval\":{\"sec\":1646063999,\"usec\":638740}}}}}}"},
    {"itsapi_ns", "itsapi", NULL,
     "{\"Picture\":{\"Plate\":{\"PlateNumber\":\"粤B12345\",\"PlateColor\":\"Blue\"},\"SnapInfo\":{\"DeviceID\":\"GATE-"
     "1\",\"Direction\":\"Obverse\"},\"NormalPic\":{\"PicName\":\"n.jpg\",\"Content\":\"\"}}}"},
    {"door_ns", "door", NULL,
     "{\"device\":\"D-1\",\"card\":\"0008065495\",\"way\":\"in\",\"id\":\"m-17\",\"at\":\"2026-11-24T10:42:00+08:"
     "00\"}"},
    {"plate_ns", "plate", NULL, "粤BD12345"},
    {"wiegand_ns", "wiegand", NULL, "10111101100010001110101110"},
    {"ttn_ns", "ttn", NULL,
     "v3/estate@ttn/devices/b3-12f-th/"
     "up\n{\"end_device_ids\":{\"device_id\":\"b3-12f-th\",\"application_ids\":{\"application_id\":\"estate\"},\"dev_"
     "eui\":\"0004A30B001C0530\",\"join_eui\":\"800000000000000C\",\"dev_addr\":\"00BCB929\"},\"correlation_ids\":["
     "\"as:up:01E0\"],\"received_at\":\"2026-11-21T00:30:00.500Z\",\"uplink_message\":{\"session_key_id\":"
     "\"AXBSH1Pk6Z0=\",\"f_port\":2,\"f_cnt\":7,\"frm_payload\":\"AWcA1wJoXg==\",\"decoded_payload\":{\"temperature\":"
     "21.5},\"rx_metadata\":[{\"gateway_ids\":{\"gateway_id\":\"gw1\"},\"rssi\":-35,\"snr\":5.2}],\"settings\":{\"data_"
     "rate\":{\"lora\":{\"bandwidth\":125000,\"spreading_factor\":7}},\"frequency\":\"470300000\"},\"received_at\":"
     "\"2026-11-21T00:30:00.400Z\"}}"},
    {"onenet_ns", "onenet", NULL,
     "{\"msg\":{\"dev_id\":2016617,\"at\":1466133706841,\"type\":1,\"ds_id\":\"temp\",\"value\":21.5},\"msg_"
     "signature\":\"LFZ0fsW9yJUOAHCSQcE7VQ==\",\"nonce\":\"Xk3\"}"},
    {"esphome_ns", "esphome", NULL, "boiler/sensor/flow_temperature/state\n41.5"},
    {"homeassistant_ns", "homeassistant", NULL,
     "homeassistant/sensor/estate_b3_12f_th/t/"
     "config\n{\"name\":\"Temperature\",\"unique_id\":\"estate_b3_12f_th_t\",\"device_class\":\"temperature\",\"state_"
     "class\":\"measurement\",\"unit_of_measurement\":\"°C\",\"state_topic\":\"estate/b3/12f/"
     "th\",\"value_template\":\"{{ value_json.t "
     "}}\",\"availability_topic\":\"estate/b3/12f/th/"
     "status\",\"payload_available\":\"online\",\"payload_not_available\":\"offline\",\"device\":{\"identifiers\":["
     "\"estate_b3_12f_th\"],\"name\":\"TH "
     "B3-12F\",\"manufacturer\":\"Estate\",\"model\":\"TH1\"},\"origin\":{\"name\":\"estate-gw\",\"sw\":\"1.0\"}}"},
    {"mqtt_ns", "mqtt",
     "32 56 00 1D 6C 69 6E 6C 69 2F 79 75 6E 73 68 61 6E 6C 69 2F 44 2D 31 2F 74 65 6C 65 6D 65 74 72 79 00 07 7B 22 "
     "74 "
     "73 22 3A 31 37 39 35 32 32 31 30 30 30 30 30 30 2C 22 74 65 6D 70 65 72 61 74 75 72 65 22 3A 32 31 2E 35 2C 22 "
     "68 "
     "75 6D 69 64 69 74 79 22 3A 34 37 7D",
     NULL},
};

static int64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What a packet means its connection says: it is taken apart, and acknowledged. */
static bool take_packet(struct bytes whole, struct buf *out) {
    struct mqtt_packet p, ack = {.type = MQTT_PUBACK, .level = MQTT_V311};
    struct mqtt_fault f;
    if (!mqtt_decode(whole, MQTT_V311, &p, &f)) return false;
    ack.id = p.id;
    return mqtt_encode(&ack, out);
}

static bool take(const struct codec *c, struct bytes whole, struct arena *a) {
    struct decoded d;
    struct wire_error e;
    char answer[512];
    struct buf b;
    size_t len = 0;
    buf_init(&b, answer, sizeof answer);
    if (c->frame && (c->frame(whole, &len) != FRAME_WHOLE || len != whole.len)) return false;
    if (!c->decode) return take_packet(whole, &b);
    if (c->is_genuine && !c->is_genuine(whole, S(TOKEN))) return false;
    if (!c->decode(whole, a, &d, &e)) return false;
    if (c->reply) c->reply(whole, true, 0, &b);
    if (c->let) c->let(true, S("given"), &b);
    return true;
}

static enum err run_one(const struct typical *y, struct arena *a, double *ret_ns, struct fault *f) {
    const struct codec *c = codec_find(str_of(y->codec));
    struct arena keep;
    struct bytes whole = {(const uint8_t *)y->text, y->text ? strlen(y->text) : 0};
    arena_init(&keep, ARENA_BYTES);
    bool ok = c && (y->text || frame_unhex(&keep, str_of(y->hex), &whole));
    int64_t begin = cpu_ns();
    for (int i = 0; ok && i < ROUNDS && !bench_is_stopped; i++) {
        ok = take(c, whole, a);
        arena_reset(a);
    }
    *ret_ns = (double)(cpu_ns() - begin) / ROUNDS;
    arena_finish(&keep);
    return ok ? OK : FAIL(f, ERR_INTERNAL, "bench", "%s: its frame does not decode", y->codec);
}

static enum err run(const struct bench_options *o, struct figures *ret, struct fault *f) {
    struct arena a;
    enum err e = OK;
    (void)o;
    arena_init(&a, ARENA_BYTES);
    for (size_t i = 0; !e && i < COUNT(typicals); i++) {
        double ns = 0;
        e = run_one(&typicals[i], &a, &ns, f);
        if (!e) figure_put(ret, typicals[i].figure, ns, 0, "ns");
    }
    arena_finish(&a);
    return e;
}

const struct bench bench_codec = {"codec", "processor time of a typical frame of each protocol", run};
