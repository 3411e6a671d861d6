/* What looking at a CSV file and reading its rows share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_INGEST_CSV_INTERNAL_H
#define LINLI_MAIN_INGEST_CSV_INTERNAL_H

#include "main/ingest/csv.h"

/* UTF-8 without blanks around; lives until the next one.  NULL, or the rule that it breaks. */
const char *csv_text(struct csv *c, const struct cell *cell, struct str *ret);
const char *csv_time(struct csv *c, const struct cells *row, struct str *ret);
bool csv_number(struct str s);
const char *csv_device_rule(struct str device);

#endif
