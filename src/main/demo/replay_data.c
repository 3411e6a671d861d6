/* The demo's measurements.  SPDX-License-Identifier: Apache-2.0 */
#include "main/demo/replay_data.h"

#include "main/assets.h"

#include <stdlib.h>
#include <string.h>

const struct replay_set replay_sets[REPLAY_SETS] = {
    {"climate",
     "demo/occupancy/minutes.csv",
     {"temperature", "humidity", "light", "co2"},
     {"Cel", "%", "lx", "ppm"},
     60000,
     1480,
     1440,
     false,
     67},
    {"power_meter", "demo/energy/hours.csv", {"power"}, {"kW"}, 3600000, 740, 720, true, 3},
    {"machine_room", "demo/temperature/hours.csv", {"temperature"}, {"[degF]"}, 3600000, 722, 720, true, 61},
};

static bool read_cells(struct str rest, struct replay_table *ret) {
    struct str line, cell;
    size_t lines = 0, columns = 1;
    for (size_t i = 0; i < rest.len; i++) lines += rest.ptr[i] == '\n';
    if (!str_cut(&rest, '\n', &line)) return false;
    for (size_t i = 0; i < line.len; i++) columns += line.ptr[i] == ',';
    ret->cells = calloc(lines * columns + 1, sizeof(double));
    ret->columns = columns;
    while (ret->cells && str_cut(&rest, '\n', &line)) {
        if (!line.len) continue;
        for (size_t c = 0; c < columns && str_cut(&line, ',', &cell); c++)
            if (!str_to_f64(str_trim(cell), &ret->cells[ret->rows * columns + c])) return false;
        ret->rows++;
    }
    return ret->cells && ret->rows > 0;
}

enum err replay_table_read(const struct replay_set *set, struct replay_table *ret, struct fault *f) {
    for (size_t i = 0; i < assets_n; i++)
        if (!strcmp(assets[i].path, set->path) &&
            read_cells((struct str){assets[i].begin, (size_t)(assets[i].end - assets[i].begin)}, ret))
            return OK;
    return FAIL(f, ERR_CORRUPT, "demo", "%s cannot be read", set->path);
}

void replay_table_free(struct replay_table *t) {
    free(t->cells);
    t->cells = NULL;
}
