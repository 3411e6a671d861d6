/* Search: bigrams of folded text, hashes of protected values.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/search.h"

#include "base/grams.h"
#include "base/utf8.h"
#include "kernel/kernel_internal.h"
#include "kernel/setting.h"

#include <sodium.h>
#include <string.h>

#define DOC_MAX         8192
#define QUERY_TERMS_MAX 8
#define QUERY_WORDS_MAX 20
#define QUERY_ROOM      512
#define BLIND_CHARS     24

/* "#" and a keyed hash: equal values meet, nothing can be read back. */
static enum err blind(struct ctx *ctx, const uint8_t key[32], struct str text, struct str *ret) {
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256(mac, (const uint8_t *)text.ptr, text.len, key);
    struct buf b;
    buf_init_arena(&b, ctx->arena, 64);
    buf_char(&b, '#');
    buf_hex(&b, (struct bytes){mac, BLIND_CHARS / 2});
    return buf_done(&b, ret) ? OK : FAIL_MEMORY(ctx);
}

static enum err fold(struct ctx *ctx, struct str text, struct str *ret) {
    struct buf b;
    buf_init_arena(&b, ctx->arena, DOC_MAX + 8);
    utf8_fold(&b, text.len > DOC_MAX ? utf8_head((struct str){text.ptr, DOC_MAX - 4}, SIZE_MAX) : text);
    return buf_done(&b, ret) ? OK : FAIL_MEMORY(ctx);
}

struct indexed {
    struct str doc;
    struct grams terms;
};

static enum err build(struct ctx *ctx, const struct known *kn, const void *row, struct indexed *ret) {
    struct buf doc;
    uint8_t key[32];
    bool has_key = false;
    size_t room = 8; /* a text gives no more terms than it has bytes, and a protected one two */
    for (size_t i = 0; row && i < kn->r->fields_n; i++)
        if (bit_has(kn->search_bits & row_of(row)->has, i))
            room += 2 + ((const struct str *)field_at(&kn->r->fields[i], row))->len * 2;
    *ret = (struct indexed){.terms.items = arena_new(ctx->arena, struct str, room), .terms.cap = room};
    if (!ret->terms.items) return FAIL_MEMORY(ctx);
    buf_init_arena(&doc, ctx->arena, DOC_MAX * 2);
    for (size_t i = 0; row && i < kn->r->fields_n; i++) {
        const struct field *f = &kn->r->fields[i];
        struct str text;
        if (!bit_has(kn->search_bits & row_of(row)->has, i)) continue;
        TRY(fold(ctx, *(const struct str *)field_at(f, row), &text));
        if (!text.len) continue;
        if (f->class <= IDENTITY && !(f->flags & EXACT)) {
            if (doc.len) buf_char(&doc, '\n'); /* folding never yields one: no match runs across fields */
            buf_str(&doc, text);
            grams_of(&ret->terms, text);
            continue;
        }
        struct str whole, tail;
        if (!has_key) TRY(installation_key(ctx, "search", key));
        has_key = true;
        TRY(blind(ctx, key, text, &whole));
        TRY(blind(ctx, key, utf8_tail(text, 4), &tail));
        grams_add(&ret->terms, whole);
        grams_add(&ret->terms, tail);
    }
    if (!buf_done(&doc, &ret->doc))
        ret->doc = (struct str){doc.ptr, 0}; /* too long to check exactly: terms alone decide */
    grams_sort(&ret->terms);
    return OK;
}

/* Statements over terms in one set and not in the other, a hundred at a time. */
static enum err apply(struct ctx *ctx, const struct known *kn, int64_t id, const struct grams *in,
                      const struct grams *but, bool insert) {
    for (size_t i = 0; i < in->n;) {
        struct sql q = sql_of(ctx);
        struct sql_part resource = Q_CSTR(kn->r->name), row = Q_I64(id);
        size_t n = 0;
        if (insert)
            sql_add(&q, "INSERT INTO search_terms (resource, term, row_id) VALUES ");
        else
            sql_put(&q, "DELETE FROM search_terms WHERE resource = $ AND row_id = $ AND term IN (",
                    PARTS(resource, row));
        for (; i < in->n && n < 100; i++) {
            if (grams_have(but, in->items[i])) continue;
            sql_add(&q, n++ ? ", " : "");
            if (insert)
                sql_put(&q, "($, $, $)", PARTS(resource, Q_TEXT(in->items[i]), row));
            else
                sql_put(&q, "$", PARTS(Q_TEXT(in->items[i])));
        }
        if (!insert) sql_add(&q, ")");
        if (n) TRY(sql_exec(&q, NULL));
    }
    return OK;
}

enum err search_put(struct ctx *ctx, const struct resource *r, const void *row, const void *before) {
    const struct known *kn = known_of(ctx->kernel, r);
    struct indexed now, was;
    TRY(build(ctx, kn, row, &now));
    TRY(build(ctx, kn, before, &was));
    if (was.terms.n) TRY(apply(ctx, kn, row_of(row)->id, &was.terms, &now.terms, false));
    TRY(apply(ctx, kn, row_of(row)->id, &now.terms, &was.terms, true));
    return db_exec(ctx->db, &ctx->fault,
                   "INSERT INTO search_docs (resource, row_id, text) VALUES ($1, $2, $3) "
                   "ON CONFLICT (resource, row_id) DO UPDATE SET text = $3",
                   VALS(V_TEXT(str_of(r->name)), V_I64(row_of(row)->id), V_TEXT(now.doc.ptr ? now.doc : S(""))), NULL);
}

/* Rows that have the term; of a single ideograph also those that have it in front of another character. */
static void put_term(struct sql *q, struct sql_part resource, struct str term) {
    sql_put(q, " AND d.row_id IN (SELECT row_id FROM search_terms WHERE resource = $", PARTS(resource));
    if (utf8_count(term) == 1 && gram_is_ideograph(term)) {
        struct buf past;
        struct str end = term;
        buf_init_arena(&past, q->arena, 16);
        buf_str(&past, term);
        utf8_put(&past, 0x10ffff);
        if (!buf_done(&past, &end)) q->failed = true;
        sql_put(q, " AND term >= $ AND term <= $)", PARTS(Q_TEXT(term), Q_TEXT(end)));
    } else {
        sql_put(q, " AND term = $)", PARTS(Q_TEXT(term)));
    }
}

enum err search_where(struct ctx *ctx, const struct resource *r, struct str query, struct sql *q) {
    const struct known *kn = known_of(ctx->kernel, r);
    struct grams t = {arena_new(ctx->arena, struct str, QUERY_ROOM), 0, QUERY_ROOM};
    struct str text, hash, rest, word;
    uint8_t key[32];
    if (!t.items) return FAIL_MEMORY(ctx);
    if (!kn->search_bits) return FAIL_FIELD(&ctx->fault, "q", "not_searchable", 0);
    if (!utf8_is_valid(query)) return FAIL_FIELD(&ctx->fault, "q", "bad_text", 0);
    if (utf8_count(query) > 200) return FAIL_FIELD(&ctx->fault, "q", "too_long", 200);
    TRY(fold(ctx, query, &text));
    if (!text.len) return OK;
    rest = text;
    grams_of(&t, text);
    grams_sort(&t);
    TRY(installation_key(ctx, "search", key));
    TRY(blind(ctx, key, text, &hash));
    struct sql_part resource = Q_CSTR(r->name);
    sql_put(q,
            " AND (id IN (SELECT row_id FROM search_terms WHERE resource = $ AND term = $) OR id IN (SELECT d.row_id "
            "FROM search_docs d WHERE d.resource = $",
            PARTS(resource, Q_TEXT(hash), resource));
    for (size_t n = 0; n < QUERY_WORDS_MAX && str_word(&rest, &word); n++)
        sql_put(q, " AND strpos(d.text, $) > 0", PARTS(Q_TEXT(word)));
    /* Pairs are rarer than single characters: they are asked first, and singles only when nothing else is there. */
    size_t asked = 0;
    for (int pass = 0; pass < 2 && (pass == 0 || !asked); pass++)
        for (size_t i = 0; i < t.n && asked < QUERY_TERMS_MAX; i++) {
            if ((utf8_count(t.items[i]) == 1) != (pass == 1)) continue;
            asked++;
            put_term(q, resource, t.items[i]);
        }
    sql_add(q, "))");
    return OK;
}
