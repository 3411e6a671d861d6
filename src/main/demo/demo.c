/* The demo estate: made-up people, an account for each role.  SPDX-License-Identifier: Apache-2.0 */
#include "main/demo/demo.h"

#include "kernel/rows.h"
#include "platform/parties/parties.h"
#include "security/users/users.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORDS_BYTES 4096

static const struct account {
    const char *login, *role, *name, *phone;
    enum { AT_ROOT, AT_STREET, AT_ESTATE, AT_GRID, AT_HOME } at;
    const char *home; /* the unit they live in, as the story has it */
} accounts[] = {
    {"admin", "admin", "系统管理员", "13900010001", AT_ROOT},
    {"street", "street", "方敏", "13900010002", AT_STREET},
    {"manager", "manager", "林国栋", "13900010003", AT_ESTATE},
    {"dispatcher", "dispatcher", "周小燕", "13900010004", AT_ESTATE},
    {"guard", "guard", "马卫东", "13900010005", AT_ESTATE},
    {"repairer", "repairer", "何志强", "13900010006", AT_ESTATE},
    {"repairer2", "repairer", "陈建平", "13900010007", AT_ESTATE},
    {"grid", "grid", "孙丽华", "13900010008", AT_GRID},
    {"cashier", "cashier", "许文静", "13900010009", AT_ESTATE},
    {"carer", "carer", "秦月娥", "13900010010", AT_ESTATE},
    {"doctor", "doctor", "郑怀仁", "13900010011", AT_ESTATE},
    {"committee", "committee", "冯以宁", "13900010012", AT_ESTATE},
    {"owner", "owner", "李明远", "13900010013", AT_HOME, "7号楼1单元"},
    {"resident", "resident", "王芳", "13900010014", AT_HOME, "3号楼2单元"},
    {"elder", "elder", "赵奶奶", "13900010015", AT_HOME, "5号楼3单元"},
};

static int64_t home_of(const struct demo_estate *e, const char *unit) {
    for (size_t i = 0; unit && i < e->rooms.n; i++)
        if (str_starts(e->rooms.at[i].name, str_of(unit))) return e->rooms.at[i].id;
    return e->estate;
}

static enum err put_account(struct ctx *ctx, struct demo_estate *e, size_t i, struct str password) {
    const struct account *a = &accounts[i];
    struct person p = {0};
    struct membership_row m = {0};
    int64_t user;
    SET(&people, &p, name, str_of(a->name));
    SET(&people, &p, phone, str_of(a->phone));
    TRY(row_create(ctx, &people, &p));
    e->accounts[i] = (struct demo_account){str_of(a->login), str_of(a->name), p.row.id};
    SET(&memberships, &m, person_id, p.row.id);
    SET(&memberships, &m, role, str_of(a->role));
    SET(&memberships, &m, valid_from, ctx->now_ms / 86400000 - 400);
    if (a->at != AT_ROOT) {
        const int64_t at[] = {0, e->street, e->estate, e->grid, home_of(e, a->home)};
        SET(&memberships, &m, place_id, at[a->at]);
    }
    TRY(row_create(ctx, &memberships, &m));
    return user_put(ctx, str_of(a->login), password, p.row.id, &user);
}

/* Twelve characters that cannot be mistaken for one another: about 58 bits. */
static struct str new_password(struct ctx *ctx) {
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
    char *text = arena_alloc(ctx->arena, 13, 1, 1);
    if (!text) return (struct str){NULL, 0};
    for (size_t i = 0; i < 12; i++) text[i] = letters[randombytes_uniform(sizeof letters - 1)];
    return str_of(text);
}

static enum err keep_passwords(struct ctx *ctx, const char *dir, const struct buf *list) {
    char path[600];
    snprintf(path, sizeof path, "%s/passwords", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, list->ptr, list->len) == (ssize_t)list->len && !fsync(fd);
    if (fd >= 0) close(fd);
    return ok ? OK
              : FAIL(&ctx->fault, ERR_UNAVAILABLE, "data_folder", "the passwords could not be kept in the data folder");
}

_Static_assert(COUNT(accounts) == DEMO_ACCOUNTS, "the story knows every account");

struct making {
    struct demo_estate estate;
    struct buf list;
};

static enum err make(struct ctx *ctx, void *arg) {
    struct making *m = arg;
    const char *one = getenv("LINLI_DEMO_PASSWORD");
    buf_init_arena(&m->list, ctx->arena, PASSWORDS_BYTES);
    TRY(demo_places(ctx, &m->estate));
    for (size_t i = 0; i < COUNT(accounts); i++) {
        struct str password = one && *one ? str_of(one) : new_password(ctx);
        if (!password.ptr) return FAIL_MEMORY(ctx);
        enum err e = put_account(ctx, &m->estate, i, password);
        if (e == ERR_INVALID && one && *one) {
            ctx->fault = (struct fault){0};
            return FAIL(&ctx->fault, e, "demo_password", "LINLI_DEMO_PASSWORD is no fit password: it is too short");
        }
        TRY(e);
        buf_fmt(&m->list, "%-12s %-12s %s\n", accounts[i].login, password.ptr, accounts[i].role);
    }
    if (m->list.overflow) return FAIL_MEMORY(ctx);
    TRY(demo_things(ctx, &m->estate));
    return demo_story(ctx, &m->estate);
}

static void print_passwords(const char *dir) {
    char path[600], text[PASSWORDS_BYTES];
    snprintf(path, sizeof path, "%s/passwords", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0) close(fd);
    if (n > 0) printf("Log in with (kept in %s):\n%.*s", path, (int)n, text);
}

enum err demo_prepare(struct ctx *ctx, struct site *site, void *arg) {
    (void)arg;
    int64_t n = 0;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT COUNT(*) FROM users", NO_VALS, &n, &found));
    if (!n) {
        struct making m;
        TRY(ctx_write(ctx, make, &m));
        TRY(keep_passwords(ctx, site->dir, &m.list));
    }
    print_passwords(site->dir);
    return OK;
}
