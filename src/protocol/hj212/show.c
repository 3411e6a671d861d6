/* Packets of HJ 212 as JSON and back, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame_json.h"
#include "protocol/hj212/hj212_internal.h"

#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *name;
} commands[] = {
    {1000, "set_timeout"},
    {HJ212_GET_CLOCK, "get_clock"},
    {HJ212_SET_CLOCK, "set_clock"},
    {HJ212_CLOCK_NOTICE, "clock_notice"},
    {HJ212_GET_INTERVAL, "get_interval"},
    {HJ212_SET_INTERVAL, "set_interval"},
    {HJ212_GET_MINUTES, "get_minutes"},
    {HJ212_SET_MINUTES, "set_minutes"},
    {HJ212_SET_PASSWORD, "set_password"},
    {HJ212_REALTIME, "realtime"},
    {2012, "stop_realtime"},
    {HJ212_STATE, "state"},
    {2022, "stop_state"},
    {HJ212_DAY, "day"},
    {HJ212_DAY_STATE, "day_state"},
    {HJ212_MINUTE, "minute"},
    {HJ212_HOUR, "hour"},
    {HJ212_STARTED, "started"},
    {3011, "calibrate"},
    {3012, "sample"},
    {3013, "clean"},
    {3014, "compare"},
    {HJ212_KEEP_SAMPLE, "keep_sample"},
    {3016, "set_sampling"},
    {HJ212_GET_SAMPLING, "get_sampling"},
    {3018, "get_sampling_time"},
    {3019, "get_serial_number"},
    {HJ212_GET_INFO, "get_info"},
    {3021, "set_info"},
    {HJ212_REQUEST_ANSWER, "request_answer"},
    {HJ212_RESULT, "result"},
    {HJ212_NOTICE_ANSWER, "notice_answer"},
    {HJ212_DATA_ANSWER, "data_answer"},
    {9021, "log_in"},
};

static const char *command_name(int64_t code) {
    for (size_t i = 0; i < COUNT(commands); i++)
        if (commands[i].code == code) return commands[i].name;
    return NULL;
}

static void put_items(struct jw *j, struct arena *a, struct str cp) {
    struct str key, value;
    jw_key(j, "items");
    jw_open(j, '[');
    while (hj212_next(&cp, &key, &value)) {
        jw_open(j, '{');
        frame_put_bytes(j, a, "key", (struct bytes){(const uint8_t *)key.ptr, key.len});
        frame_put_bytes(j, a, "value", (struct bytes){(const uint8_t *)value.ptr, value.len});
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_text(struct jw *j, struct arena *a, const char *key, struct str text) {
    if (text.ptr) frame_put_bytes(j, a, key, (struct bytes){(const uint8_t *)text.ptr, text.len});
}

/* The password is not said apart, but it is in the data: who sees them sees the wire. */
bool hj212_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct hj212_frame f;
    if (!hj212_decode(whole, &f, reterr)) return false;
    jw_open(j, '{');
    put_text(j, a, "qn", f.qn);
    put_text(j, a, "st", f.st);
    jw_ki64(j, "cn", f.command);
    if (command_name(f.command)) jw_kcstr(j, "command", command_name(f.command));
    put_text(j, a, "mn", f.mn);
    if (f.flag >= 0) {
        jw_ki64(j, "flag", f.flag);
        jw_kbool(j, "answer_wanted", f.flag & HJ212_ANSWER_WANTED);
    }
    if (f.parts >= 0) jw_ki64(j, "parts", f.parts);
    if (f.part >= 0) jw_ki64(j, "part", f.part);
    put_items(j, a, f.cp);
    put_text(j, a, "data", f.data);
    put_text(j, a, "sum", f.sum);
    jw_kcstr(j, "end", f.end);
    jw_close(j, '}');
    return true;
}

bool hj212_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct bytes data = frame_bytes(&in, "data");
    struct str end = frame_text(&in, "end"), sum = frame_text(&in, "sum");
    char right[8];
    if (!in.is_bad && !data.ptr) frame_bad(&in, "data", "is missing: QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;CP=&&…&&");
    if (data.len > HJ212_DATA_MAX) frame_bad(&in, "data", "has over 9999 bytes");
    if (end.ptr && end.len && !str_is(end, "crlf") && !str_is(end, "lf")) frame_bad(&in, "end", "is crlf, lf or empty");
    snprintf(right, sizeof right, "%04X", (unsigned)hj212_crc(data));
    for (size_t i = 0; sum.ptr && i < 4; i++) /* as it came, if it is right: some stations write it small */
        if (sum.len != 4 || (sum.ptr[i] != right[i] && sum.ptr[i] != (right[i] | 0x20)))
            frame_bad(&in, "sum", "is not that of the data");
    if (in.is_bad) return false;
    buf_fmt(out, "##%04zu", data.len);
    buf_add(out, data.ptr, data.len);
    buf_add(out, sum.ptr ? sum.ptr : right, 4);
    buf_cstr(out, !end.ptr || str_is(end, "crlf") ? "\r\n" : end.len ? "\n" : "");
    return true;
}
