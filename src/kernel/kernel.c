/* The registry: modules resolved once at start.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"

#include <stdlib.h>
#include <string.h>

size_t field_index_str(const struct resource *r, struct str name) {
    for (size_t i = 0; i < r->fields_n; i++)
        if (str_is(name, r->fields[i].name)) return i;
    return NO_FIELD;
}

size_t field_index(const struct resource *r, const char *name) {
    return field_index_str(r, str_of(name));
}

size_t field_state(const struct resource *r) {
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].kind == FIELD_STATE) return i;
    return NO_FIELD;
}

int32_t row_state(const struct resource *r, const void *row) {
    size_t i = field_state(r);
    return i == NO_FIELD ? ANY_STATE : *(const int32_t *)(const void *)((const char *)row + r->fields[i].at);
}

bool row_has(const struct resource *r, const void *row, const char *field) {
    size_t i = field_index(r, field);
    return i != NO_FIELD && bit_has(row_of(row)->has, i);
}

void row_set(const struct resource *r, void *row, const char *field) {
    size_t i = field_index(r, field);
    if (i != NO_FIELD) ((struct row *)row)->has |= UINT64_C(1) << i;
}

void row_clear(const struct resource *r, void *row, const char *field) {
    size_t i = field_index(r, field);
    if (i != NO_FIELD) ((struct row *)row)->has &= ~(UINT64_C(1) << i);
}

/* ---- roles ---- */

uint64_t kernel_role(const struct kernel *k, struct str word) {
    for (size_t i = 0; i < k->roles_n; i++)
        if (str_is(word, k->roles[i])) return UINT64_C(1) << i;
    return 0;
}

uint64_t kernel_roles(const struct kernel *k, const char *words) {
    uint64_t bits = 0;
    struct str rest = str_of(words), part;
    while (str_word(&rest, &part)) bits |= kernel_role(k, part);
    return bits;
}

const char *kernel_role_name(const struct kernel *k, size_t bit) {
    return bit < k->roles_n ? k->roles[bit] : NULL;
}

static enum err roles_add(struct kernel *k, const char *words, struct fault *f) {
    struct str rest = str_of(words), part;
    while (str_word(&rest, &part)) {
        if (kernel_role(k, part)) continue;
        if (k->roles_n == ROLES_MAX)
            return FAIL(f, ERR_LIMIT, "roles", "more than %d roles: " STR_FMT, ROLES_MAX, STR_ARG(part));
        k->roles[k->roles_n] = arena_cstr(&k->arena, part);
        if (!k->roles[k->roles_n]) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
        k->roles_n++;
    }
    return OK;
}

/* ---- resources ---- */

const struct known *known_named(const struct kernel *k, struct str name) {
    size_t i = names_find(&k->by_name, name);
    return i == SIZE_MAX ? NULL : &k->known[i];
}

const struct known *known_of(const struct kernel *k, const struct resource *r) {
    return known_named(k, str_of(r->name));
}

const struct resource *kernel_resource(const struct kernel *k, struct str name) {
    const struct known *kn = known_named(k, name);
    return kn ? kn->r : NULL;
}

size_t kernel_resources(const struct kernel *k) {
    return k->known_n;
}

const struct resource *kernel_resource_at(const struct kernel *k, size_t i) {
    return i < k->known_n ? k->known[i].r : NULL;
}

const struct resource *kernel_people(const struct kernel *k) {
    for (size_t i = 0; i < k->known_n; i++)
        for (size_t j = 0; j < k->known[i].r->relations_n; j++) {
            const struct relation *rel = &k->known[i].r->relations[j];
            if (rel->set == OWN_ME && !strcmp(rel->column, "id")) return k->known[i].r;
        }
    return NULL;
}

const struct module *kernel_module_of(const struct kernel *k, const struct resource *r) {
    const struct known *kn = known_of(k, r);
    return kn ? kn->module : NULL;
}

const struct kernel_options *kernel_options(const struct kernel *k) {
    return &k->options;
}

enum err kernel_each(const struct kernel *k, const struct point *point, enum err (*fn)(void *arg, const void *row),
                     void *arg) {
    for (size_t m = 0; m < k->options.modules_n; m++) {
        const struct module *module = k->options.modules[m];
        for (size_t c = 0; c < module->contributes_n; c++) {
            const struct contribution *part = &module->contributes[c];
            if (part->point != point) continue;
            for (size_t i = 0; i < part->n; i++) TRY(fn(arg, (const char *)part->rows + i * point->row_size));
        }
    }
    return OK;
}

static char *columns_of(struct kernel *k, const struct known *kn, uint64_t fields) {
    struct buf b;
    buf_init_arena(&b, &k->arena, 16384);
    for (size_t i = 0; i < SYSTEM_FIELDS; i++) buf_fmt(&b, "%s%s", i ? ", " : "", system_fields[i].name);
    for (size_t i = 0; i < kn->r->fields_n; i++)
        if (bit_has(fields & kn->stored, i)) buf_fmt(&b, ", %s", kn->r->fields[i].name);
    return b.overflow ? NULL : b.ptr;
}

static void resolve_columns(struct kernel *k, struct known *kn) {
    const struct resource *r = kn->r;
    size_t at[66] = {kn->label, kn->place};
    for (size_t i = 0; i < r->relations_n && i < 64; i++) at[2 + i] = field_index(r, r->relations[i].column);
    for (size_t i = 0; i < 2 + r->relations_n && i < COUNT(at); i++)
        if (at[i] < r->fields_n) kn->label_fields |= UINT64_C(1) << at[i];
    kn->columns = columns_of(k, kn, kn->stored);
    kn->label_columns = columns_of(k, kn, kn->label_fields);
}

static enum err resolve(struct kernel *k, struct known *kn, struct fault *f) {
    const struct resource *r = kn->r;
    kn->grant_roles = arena_new(&k->arena, uint64_t, r->grants_n + 1);
    kn->grant_own = arena_new(&k->arena, uint64_t, r->grants_n + 1);
    kn->step_roles = arena_new(&k->arena, uint64_t, r->steps_n + 1);
    if (!kn->grant_roles || !kn->grant_own || !kn->step_roles) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    for (size_t i = 0; i < r->grants_n; i++) {
        kn->grant_roles[i] = kernel_roles(k, r->grants[i].roles);
        for (size_t j = 0; j < r->relations_n && j < 64; j++)
            if (word_in(r->grants[i].by, str_of(r->relations[j].name))) kn->grant_own[i] |= UINT64_C(1) << j;
    }
    for (size_t i = 0; i < r->steps_n; i++) kn->step_roles[i] = kernel_roles(k, r->steps[i].roles);
    struct str column = str_of(r->member), table;
    if (str_cut(&column, '.', &table)) {
        kn->member_table = arena_cstr(&k->arena, table);
        kn->member_column = column.ptr;
        if (!kn->member_table) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    }
    kn->place = !r->place ? NO_FIELD : str_is(str_of(r->place), "id") ? PLACE_IS_ID : field_index(r, r->place);
    kn->label = r->label ? field_index(r, r->label) : NO_FIELD;
    for (size_t i = 0; i < r->fields_n && i < 64; i++) {
        const struct field *field = &r->fields[i];
        uint64_t bit = UINT64_C(1) << i;
        if (field->kind != FIELD_LINES) kn->stored |= bit;
        if (field->flags & SEARCH) kn->search_bits |= bit;
    }
    struct buf from;
    buf_init_arena(&from, &k->arena, 16384);
    buf_fmt(&from, r->select ? "(%s) AS t" : "%s", r->select ? r->select : r->name);
    kn->from = from.ptr;
    resolve_columns(k, kn);
    if (!kn->columns || !kn->label_columns || from.overflow) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    return OK;
}

static enum err register_all(struct kernel *k, struct fault *f) {
    size_t n = 0;
    TRY(roles_add(k, "timer", f));
    for (size_t m = 0; m < k->options.modules_n; m++) {
        n += k->options.modules[m]->resources_n;
        TRY(roles_add(k, k->options.modules[m]->roles, f));
    }
    if (n > RESOURCES_MAX) return FAIL(f, ERR_LIMIT, "resources", "more than %d resources", RESOURCES_MAX);
    k->known = arena_new(&k->arena, struct known, n + 1);
    if (!k->known || !names_init(&k->by_name, &k->arena, n)) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    for (size_t m = 0; m < k->options.modules_n; m++)
        for (size_t i = 0; i < k->options.modules[m]->resources_n; i++) {
            const struct resource *r = k->options.modules[m]->resources[i];
            if (r == &setting_rows && !(r = setting_names(k))) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
            if (known_of(k, r)) return FAIL(f, ERR_INTERNAL, "tables", "%s: two resources of that name", r->name);
            k->known[names_put(&k->by_name, str_of(r->name))] = (struct known){.r = r, .module = k->options.modules[m]};
            k->known_n++;
        }
    for (size_t i = 0; i < k->known_n; i++) TRY(resolve(k, &k->known[i], f));
    return OK;
}

enum err kernel_create(const struct kernel_options *options, struct kernel **ret, struct fault *f) {
    struct kernel *k = calloc(1, sizeof *k);
    if (!k) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    k->options = *options;
    arena_init(&k->arena, (size_t)16 * 1024 * 1024);
    pthread_mutex_init(&k->lock, NULL);
    enum err e = register_all(k, f);
    if (!e) e = kernel_check(k, f);
    if (!e) e = catalogue_load(&k->arena, options->words, options->words_n, &k->words, f);
    if (e) {
        kernel_destroy(k);
        return e;
    }
    *ret = k;
    return OK;
}

void kernel_destroy(struct kernel *k) {
    if (!k) return;
    for (struct zone_entry *z = k->zones; z;) {
        struct zone_entry *next = z->next;
        zone_free(z->zone);
        free(z);
        z = next;
    }
    for (size_t i = 0; i < REACHED_SLOTS; i++) free((void *)(uintptr_t)k->reached[i].scope.communities);
    pthread_mutex_destroy(&k->lock);
    arena_finish(&k->arena);
    free(k);
}
