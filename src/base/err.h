/* One closed list of error kinds.  A kind says what the caller may do now; the words are in struct fault.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_ERR_H
#define LINLI_BASE_ERR_H

#include "base/base.h"

#define ERR_LIST(X) /* kind, name, http, retry, meaning                                                       */ \
    X(INVALID, "invalid", 400, false, "input breaks a rule of its field or codec")                               \
    X(UNAUTHENTICATED, "unauthenticated", 401, false, "no or bad credentials")                                   \
    X(DENIED, "denied", 403, false, "known caller, not allowed")                                                 \
    X(NOT_FOUND, "not_found", 404, false, "no such row, route or device")                                        \
    X(CONFLICT, "conflict", 409, false, "state, key or uniqueness; read again, then decide")                     \
    X(STALE, "stale", 412, false, "the version the caller saw is not the current one")                           \
    X(LIMIT, "limit", 413, false, "a stated bound was reached")                                                  \
    X(TOO_MANY, "too_many", 429, true, "too many attempts; wait")                                                \
    X(BUSY, "busy", 503, true, "lock, pool or peer busy; try again later")                                       \
    X(UNAVAILABLE, "unavailable", 503, true, "a dependency does not answer, or the disk is full")                \
    X(CORRUPT, "corrupt", 500, false, "stored or received data contradicts itself")                              \
    X(INTERNAL, "internal", 500, false, "our bug, or out of memory")

enum err {
    OK = 0,
#define X(kind, name, http, retry, meaning) ERR_##kind,
    ERR_LIST(X)
#undef X
        ERR__COUNT
};

/* One offending input field.  `code` is a stable word that clients translate: required, too_long, … */
struct field_error {
    char field[48], code[24];
    int64_t limit; /* the bound that was broken, where the code has one */
};
#define FAULT_FIELDS_MAX 16

/* What went wrong, for people.  One per unit of work; the first report wins. */
struct fault {
    enum err kind;
    const char *file;
    int line;
    char code[32];  /* stable word for clients: stale_version, wrong_state, …; "" = the kind's name */
    char text[208]; /* English sentence fit for the client: no secrets, no SQL, no path */
    int64_t retry_after_s;
    struct field_error fields[FAULT_FIELDS_MAX];
    size_t fields_n;
};

/* Records the fault unless one is there already; gives `kind` back so that callers can return it. */
NODISCARD enum err fault_set(struct fault *f, enum err kind, const char *file, int line, const char *code,
                             const char *fmt, ...) PRINTF(6, 7);
/* Adds a field error (past FAULT_FIELDS_MAX: dropped) and makes the fault ERR_INVALID if it has no kind yet. */
enum err fault_field(struct fault *f, const char *file, int line, const char *field, const char *code, int64_t limit);

/* return FAIL(&ctx->fault, ERR_CONFLICT, "wrong_state", "the pass is not valid now"); */
#define FAIL(f, kind, code, ...) fault_set((f), (kind), __FILE__, __LINE__, (code), __VA_ARGS__)
/* return FAIL_FIELD(&ctx->fault, "until_ms", "not_after", 0); */
#define FAIL_FIELD(f, field, code, limit) fault_field((f), __FILE__, __LINE__, (field), (code), (limit))
/* if (enum err e = …) return e; */
#define TRY(expr)                      \
    do {                               \
        enum err try_err_ = (expr);    \
        if (try_err_) return try_err_; \
    } while (0)

int err_http(enum err e);
bool err_retry(enum err e);
const char *err_name(enum err e); /* lower case: "not_found" */

#endif
