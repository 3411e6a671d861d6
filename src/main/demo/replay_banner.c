/* The demo's line on top of the first page.  SPDX-License-Identifier: Apache-2.0 */
#include "main/demo/replay_banner.h"

#include "kernel/setting.h"

#define SOURCES_ZH "UCI 办公室环境（分钟）、CityLearn 住户用电（小时）、NAB 机房温度（小时）"
#define SOURCES_EN "UCI office climate (minutes), CityLearn homes (hours), NAB machine temperature (hours)"
#define MADE_UP_ZH "楼栋轮廓来自 OpenStreetMap；楼名、人和事都是虚构的。"
#define MADE_UP_EN "Outlines are OpenStreetMap's; names, people and events are made up."

static const struct {
    const char *zh, *en;
} banners[] = {
    [REPLAY_UNTOLD] = {"", ""},
    [REPLAY_RUNS] =
        {"演示：读数是公开的真实测量：" SOURCES_ZH "。历史已补齐，现在各设备经 MQTT 每秒报一行，"
         "即分钟数据快 60 倍、小时数据快 3600 倍。" MADE_UP_ZH,
         "Demo: readings are real public measurements: " SOURCES_EN ". History is back-filled; now each "
         "device reports a row a second over MQTT, so minutes pass 60 and hours 3,600 times as fast. " MADE_UP_EN},
    [REPLAY_STANDS] =
        {"演示：回放停了，设备报上去得不到 MQTT "
         "的应答，读数停在最后一次，有应答后接着放。读数是公开的真实测量：" SOURCES_ZH "。" MADE_UP_ZH,
         "Demo: the replay stands still, MQTT does not answer the devices; readings end where it stopped and go "
         "on when they do. They are real public measurements: " SOURCES_EN ". " MADE_UP_EN},
    [REPLAY_OVER] =
        {"演示：没有在回放，读数停在最后一次。读数是公开的真实测量：" SOURCES_ZH "。" MADE_UP_ZH,
         "Demo: nothing is replayed; readings end where it stopped. They are real public measurements: " SOURCES_EN
         ". " MADE_UP_EN},
};

static enum err put(struct ctx *ctx, void *arg) {
    const enum replay_state *state = arg;
    TRY(setting_put(ctx, 0, "today.banner_zh", str_of(banners[*state].zh)));
    return setting_put(ctx, 0, "today.banner_en", str_of(banners[*state].en));
}

static enum err write_both(struct ctx *ctx, void *arg) {
    return ctx_write(ctx, put, arg);
}

enum err replay_banner_put(struct site *site, enum replay_state state, struct fault *f) {
    return site_do(site, write_both, &state, f);
}
