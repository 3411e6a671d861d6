/* What the demo replays: public measurements (demo/), and which model of device plays them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_DEMO_REPLAY_DATA_H
#define LINLI_MAIN_DEMO_REPLAY_DATA_H

#include "base/err.h"

#define REPLAY_COLUMNS_MAX 4
#define REPLAY_SETS        3

struct replay_set {
    const char *model, *path;
    const char *metrics[REPLAY_COLUMNS_MAX], *units[REPLAY_COLUMNS_MAX];
    int64_t spacing_ms; /* of the measurement */
    size_t start, back; /* row where the replay begins; rows of history before it */
    bool one_column;    /* a device plays one column, its own */
    size_t shift;       /* rows between one device and the next */
};
extern const struct replay_set replay_sets[REPLAY_SETS];

struct replay_table {
    double *cells;
    size_t rows, columns;
};
NODISCARD enum err replay_table_read(const struct replay_set *set, struct replay_table *ret, struct fault *f);
void replay_table_free(struct replay_table *t);

#endif
