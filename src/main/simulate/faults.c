/* Faults that are asked for by their names: what a protocol does not take is named, with why and what it does take.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/simulate.h"
#include "main/simulate/slave.h"

#include "base/utf8.h"

#define WORD_MAX 40

struct faults {
    const char *const *names;
    int n;
    uint32_t possible;
    const char *const *why_not; /* of those that have no meaning here */
};

static bool refuse(const struct faults *f, struct str word, int found, char why[SIM_WHY_MAX]) {
    const char *before = "";
    char named[WORD_MAX];
    struct buf b;
    utf8_copy(named, sizeof named, word);
    buf_init(&b, why, SIM_WHY_MAX);
    buf_fmt(&b, "--faults: %s: %s; there are ", named, found < f->n ? f->why_not[found] : "there is no such fault");
    for (int i = 0; i < f->n; i++) {
        if (!(f->possible >> i & 1)) continue;
        buf_fmt(&b, "%s%s", before, f->names[i]);
        before = ", ";
    }
    return false;
}

static bool read_faults(const struct faults *f, const char *list, uint32_t *ret, char why[SIM_WHY_MAX]) {
    struct str rest = str_of(list), word;
    uint32_t all = 0;
    while (str_cut(&rest, ',', &word)) {
        int i = 0;
        while (i < f->n && !str_is(str_trim(word), f->names[i])) i++;
        if (i == f->n || !(f->possible >> i & 1)) return refuse(f, str_trim(word), i, why);
        all |= 1u << i;
    }
    *ret = all;
    return true;
}

#define NO_GUARD "only a panel of gb26875 has a guard who may be absent"

bool sim_faults_read(const struct sim_protocol *p, const char *list, uint32_t *ret, char why[SIM_WHY_MAX]) {
    static const char *const of_datagrams[SIM_FAULTS] = {[SIM_SPLIT] = "over datagrams nothing is split",
                                                         [SIM_MERGE] = "over datagrams nothing is merged",
                                                         [SIM_ABSENT] = NO_GUARD};
    static const char *const of_others[SIM_FAULTS] = {[SIM_NOISE] = "HTTP and MQTT leave no room for noise",
                                                      [SIM_BADSUM] = "what HTTP and MQTT carry has no sum",
                                                      [SIM_LOST] = "over HTTP and MQTT nothing is lost",
                                                      [SIM_ABSENT] = NO_GUARD};
    const struct faults f = {sim_fault_names, SIM_FAULTS, p->faults, p->run ? of_datagrams : of_others};
    return read_faults(&f, list, ret, why);
}

bool slave_faults_read(const struct slave_protocol *p, const char *list, uint32_t *ret, char *why) {
    static const char *const why_not[SLAVE_FAULTS] = {[SLAVE_DRIFT] = "a reader has no clock and no instrument"};
    const struct faults f = {slave_fault_names, SLAVE_FAULTS, p->faults, why_not};
    return read_faults(&f, list, ret, why);
}
