/* What the files of the HJ 212 codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_HJ212_HJ212_INTERNAL_H
#define LINLI_PROTOCOL_HJ212_HJ212_INTERNAL_H

#include "protocol/hj212/hj212.h"

enum frame hj212_split(struct bytes in, size_t *ret_len);
enum frame hj212_follow(struct bytes in, struct followed *followed, size_t *ret_len); /* codec.follow() */
/* What packets of one station say, one after the other.  Parts behind the first have its time, which is `at_s` where
 * the first is not among them; 0: it is not known.  False: out of memory. */
bool hj212_mean(const struct hj212_frame *all, size_t n, int64_t at_s, struct arena *a, struct decoded *ret);
/* hj212_decode(), but where the sum is right and a field is wrong *ret has the name of the station, if that is right.
 */
bool hj212_read(struct bytes whole, struct hj212_frame *ret, struct wire_error *reterr);
/* What the station's clock showed as it sent this; 0: it does not tell. */
int64_t hj212_clock(const struct hj212_frame *f, const struct decoded *d);
bool hj212_is_data(int64_t command);
int64_t hj212_data_time(const struct hj212_frame *f); /* its DataTime; 0: it has none */

extern const struct asking hj212_asking;
extern const struct joining hj212_joining;

bool hj212_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool hj212_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
