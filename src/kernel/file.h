/* Files: content-addressed bytes under one folder, their names as rows.  The right to read follows the row that names
 * the file; until then it is its uploader's.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_FILE_H
#define LINLI_KERNEL_FILE_H

#include "kernel/kernel.h"

#define FILE_SIZE_MAX (INT64_C(20) * 1024 * 1024)

struct file_info {
    int64_t id, size_bytes, at_ms, created_by;
    struct str name, type;
    char hash[65]; /* SHA-256, hex */
};
/* Stores whole bytes (synced before the row is committed) and gives a row.  Type is decided by the bytes (JPEG, PNG,
 * WebP, PDF, text; else application/octet-stream), never by the caller.  ERR_LIMIT past FILE_SIZE_MAX. */
NODISCARD enum err file_put(struct ctx *ctx, struct bytes bytes, struct str name, struct file_info *ret);
NODISCARD enum err file_infos(struct ctx *ctx, const int64_t *ids, size_t n,
                              struct file_info *ret); /* ERR_NOT_FOUND if one is missing */
/* May the actor attach all of them: is each his own upload, or already on the row? */
NODISCARD enum err file_check_attach(struct ctx *ctx, const struct ids *now, const struct ids *before, bool *ret_may);
NODISCARD enum err file_read(struct ctx *ctx, const struct file_info *info,
                             struct bytes *ret); /* hash checked: ERR_CORRUPT */

#endif
