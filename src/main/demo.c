/* The demo estate: places, made-up people, an account for each role.  SPDX-License-Identifier: Apache-2.0 */
#include "main/demo.h"

#include "kernel/rows.h"
#include "platform/parties/parties.h"
#include "platform/places/places.h"
#include "security/users/users.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUILDINGS       12
#define UNITS           3
#define FLOORS_SHOWN    6
#define PASSWORDS_BYTES 4096

static const struct account {
    const char *login, *role, *name, *phone;
    enum { AT_ROOT, AT_STREET, AT_ESTATE, AT_GRID, AT_ROOM } at;
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
    {"owner", "owner", "李明远", "13900010013", AT_ROOM},
    {"resident", "resident", "王芳", "13900010014", AT_ROOM},
    {"elder", "elder", "赵奶奶", "13900010015", AT_ROOM},
};

struct estate {
    int64_t street, estate, grid, fire_room, rooms[BUILDINGS * UNITS];
    size_t rooms_n;
};

static enum err put_place(struct ctx *ctx, const struct place *like, const char *name, int64_t *ret) {
    struct place p = *like;
    struct str copy;
    if (!arena_str(ctx->arena, str_of(name), &copy)) return FAIL_MEMORY(ctx);
    SET(&places, &p, name, copy);
    TRY(row_create(ctx, &places, &p));
    if (ret) *ret = p.row.id;
    return OK;
}

/* A place row with what is set below; parents and flags only where given. */
static struct place place_like(const char *kind, int64_t parent, int64_t admin_parent, bool keeps, const char *code) {
    struct place p = {0};
    SET(&places, &p, kind, str_of(kind));
    if (parent) SET(&places, &p, parent_id, parent);
    if (admin_parent) SET(&places, &p, admin_parent_id, admin_parent);
    if (keeps) SET(&places, &p, keeps_records, true);
    if (code) SET(&places, &p, code, str_of(code));
    return p;
}

static enum err put_building(struct ctx *ctx, struct estate *e, int number) {
    char name[64];
    int64_t building, unit;
    struct place like = place_like("building", e->estate, number <= 6 ? e->grid : 0, false, NULL);
    snprintf(name, sizeof name, "%d号楼", number);
    TRY(put_place(ctx, &like, name, &building));
    for (int u = 1; u <= UNITS; u++) {
        snprintf(name, sizeof name, "%d号楼%d单元", number, u);
        like = place_like("unit", building, 0, false, NULL);
        TRY(put_place(ctx, &like, name, &unit));
        for (int floor = 1; floor <= FLOORS_SHOWN; floor++) {
            snprintf(name, sizeof name, "%d号楼%d单元%d02", number, u, floor);
            like = place_like("room", unit, 0, false, NULL);
            TRY(put_place(ctx, &like, name, floor == 5 ? &e->rooms[e->rooms_n++] : NULL));
        }
    }
    snprintf(name, sizeof name, "%d号楼地下泵房", number);
    like = place_like("equipment", building, 0, false, NULL);
    return number % 3 == 1 ? put_place(ctx, &like, name, NULL) : OK;
}

static enum err put_places(struct ctx *ctx, struct estate *e) {
    static const char *const public_places[] = {"中心花园",     "地下车库A区", "地下车库B区",
                                                "物业服务中心", "邻里茶室",    "消防控制室"};
    static const char *const gates[] = {"北门", "南门", "车行东门"};
    struct place like = place_like("street", 0, 0, true, "qingshan");
    TRY(put_place(ctx, &like, "青山街道", &e->street));
    like = place_like("estate", e->street, 0, true, "yunshanli");
    TRY(put_place(ctx, &like, "云杉里小区", &e->estate));
    like = place_like("grid", 0, e->street, false, "grid-03");
    TRY(put_place(ctx, &like, "第三网格", &e->grid));
    for (int i = 1; i <= BUILDINGS; i++) TRY(put_building(ctx, e, i));
    for (size_t i = 0; i < COUNT(public_places); i++) {
        like = place_like("public", e->estate, 0, false, NULL);
        TRY(put_place(ctx, &like, public_places[i], &e->fire_room)); /* the last one is the fire control room */
    }
    for (size_t i = 0; i < COUNT(gates); i++) {
        like = place_like("gate", e->estate, 0, false, NULL);
        TRY(put_place(ctx, &like, gates[i], NULL));
    }
    return OK;
}

static enum err put_account(struct ctx *ctx, const struct estate *e, size_t i, struct str password) {
    const struct account *a = &accounts[i];
    struct person p = {0};
    struct membership_row m = {0};
    int64_t user;
    SET(&people, &p, name, str_of(a->name));
    SET(&people, &p, phone, str_of(a->phone));
    TRY(row_create(ctx, &people, &p));
    SET(&memberships, &m, person_id, p.row.id);
    SET(&memberships, &m, role, str_of(a->role));
    SET(&memberships, &m, valid_from, ctx->now_ms / 86400000 - 400);
    if (a->at != AT_ROOT) {
        const int64_t at[] = {0, e->street, e->estate, e->grid, e->rooms[i % e->rooms_n]};
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

struct making {
    struct estate estate;
    struct buf list;
};

static enum err make(struct ctx *ctx, void *arg) {
    struct making *m = arg;
    const char *one = getenv("LINLI_DEMO_PASSWORD");
    m->estate = (struct estate){0};
    buf_init_arena(&m->list, ctx->arena, PASSWORDS_BYTES);
    TRY(put_places(ctx, &m->estate));
    for (size_t i = 0; i < COUNT(accounts); i++) {
        struct str password = one && *one ? str_of(one) : new_password(ctx);
        if (!password.ptr) return FAIL_MEMORY(ctx);
        TRY(put_account(ctx, &m->estate, i, password));
        buf_fmt(&m->list, "%-12s %-12s %s\n", accounts[i].login, password.ptr, accounts[i].role);
    }
    if (m->list.overflow) return FAIL_MEMORY(ctx);
    return demo_things(ctx, m->estate.estate, m->estate.fire_room);
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
