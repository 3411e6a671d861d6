/* Batches to a server over HTTP.  SPDX-License-Identifier: Apache-2.0 */
#include "main/ingest/link.h"

#include "base/civil.h"
#include "base/json.h"
#include "net/client.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASK_MS       60000
#define PORT_DEFAULT 8080
#define REPLY_MAX    ((size_t)1 << 20)
#define PAUSE_MAX_S  10

struct link {
    struct link_options o;
    char host[64], shown[96], target[256], token[160];
    int port;
    bool has_answered;
    struct arena arena; /* of one answer */
};

/* ---- address ---- */

static enum err resolve(struct link *l, const char *name, struct fault *f) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    if (getaddrinfo(name, NULL, &hints, &list) || !list)
        return FAIL(f, ERR_INVALID, "to", "--to: no machine is called %.60s", name);
    int bad = getnameinfo(list->ai_addr, list->ai_addrlen, l->host, sizeof l->host, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(list);
    return bad ? FAIL(f, ERR_INVALID, "to", "--to: the address of %.60s cannot be read", name) : OK;
}

static enum err read_to(struct link *l, struct fault *f) {
    struct str to = str_of(l->o.to), port = {NULL, 0};
    char name[64];
    int64_t number = PORT_DEFAULT;
    if (str_starts(to, S("https://")))
        return FAIL(f, ERR_INVALID, "to",
                    "https is not spoken here: run it on the server's machine, or through an SSH tunnel "
                    "(ssh -L 8080:127.0.0.1:8080 SERVER)");
    if (str_starts(to, S("http://"))) to = str_from(to, 7);
    while (to.len && to.ptr[to.len - 1] == '/') to.len--;
    const char *mark = NULL;
    for (size_t i = 0; i < to.len; i++)
        if (to.ptr[i] == ':') mark = to.ptr + i;
    const char *bracket = to.len && to.ptr[0] == '[' ? memchr(to.ptr, ']', to.len) : NULL;
    if (mark && (!bracket || mark > bracket)) {
        port = (struct str){mark + 1, (size_t)(to.ptr + to.len - mark - 1)};
        to.len = (size_t)(mark - to.ptr);
    }
    if (bracket) to = (struct str){to.ptr + 1, (size_t)(bracket - to.ptr - 1)};
    if (!to.len || to.len >= sizeof name || memchr(to.ptr, '/', to.len) ||
        (port.ptr && (!str_to_i64(port, &number) || number < 1 || number > 65535)))
        return FAIL(f, ERR_INVALID, "to", "--to is the server's address, such as http://127.0.0.1:8080");
    memcpy(name, to.ptr, to.len);
    name[to.len] = 0;
    l->port = (int)number;
    snprintf(l->shown, sizeof l->shown, "%s:%d", name, l->port);
    return resolve(l, name, f);
}

static enum err make_target(struct link *l, struct fault *f) {
    struct buf b;
    struct str ignored;
    buf_init(&b, l->target, sizeof l->target);
    buf_cstr(&b, "/api/v1/ingest/line?precision=ms");
    if (l->o.community) buf_cstr(&b, "&community=");
    for (const char *p = l->o.community; p && *p; p++) buf_fmt(&b, "%%%02X", (unsigned)(unsigned char)*p);
    return buf_done(&b, &ignored) ? OK : FAIL(f, ERR_INVALID, "community", "--community is too long");
}

/* ---- asking ---- */

static int ask(struct link *l, const char *target, const char *type, struct bytes body, struct client_reply *reply) {
    char bearer[192];
    struct http_header headers[2] = {{S("Content-Type"), str_of(type)}};
    size_t n = 1;
    *reply = (struct client_reply){0};
    arena_reset(&l->arena);
    if (l->token[0]) {
        snprintf(bearer, sizeof bearer, "Bearer %s", l->token);
        headers[n++] = (struct http_header){S("Authorization"), str_of(bearer)};
    }
    struct client_ask a = {"POST", target, headers, n, body};
    if (client_call(l->host, l->port, &a, ASK_MS, &l->arena, reply)) return 0;
    l->has_answered = true;
    return reply->status;
}

/* What a problem says: its code, its words, the line of the body that broke a rule and the field of it. */
struct problem {
    char code[40], words[220], field[40], field_code[40];
    int64_t line, limit;
};

static void copy_word(char *to, size_t size, const json_t *v) {
    struct str s = json_text(v);
    snprintf(to, size, STR_FMT, STR_ARG(s));
    for (; *to; to++)
        if ((unsigned char)*to < 0x20 || *to == 0x7f) *to = ' ';
}

static void read_problem(const struct client_reply *reply, struct problem *p) {
    json_t *o = NULL, *row;
    size_t i;
    struct fault ignored = {0};
    *p = (struct problem){0};
    if (json_read((struct str){(const char *)reply->body.ptr, reply->body.len}, &o, &ignored)) return;
    copy_word(p->code, sizeof p->code, json_object_get(o, "code"));
    copy_word(p->words, sizeof p->words, json_object_get(o, "detail"));
    json_array_foreach(json_object_get(o, "errors"), i, row) {
        int64_t limit = json_integer_value(json_object_get(json_object_get(row, "args"), "limit"));
        if (str_is(json_text(json_object_get(row, "field")), "line")) {
            p->line = limit;
            continue;
        }
        if (p->field[0]) continue;
        copy_word(p->field, sizeof p->field, json_object_get(row, "field"));
        copy_word(p->field_code, sizeof p->field_code, json_object_get(row, "code"));
        p->limit = limit;
    }
    json_decref(o);
}

/* ---- log-in ---- */

static enum err log_in(struct link *l, struct fault *f) {
    char mem[1024];
    struct buf b;
    struct jw j;
    struct str body;
    struct client_reply reply;
    struct problem p;
    struct fault ignored = {0};
    json_t *o = NULL;
    buf_init(&b, mem, sizeof mem);
    jw_init(&j, &b);
    jw_put(&j, "{'user':$,'password':$}", JV(J_CSTR(l->o.user), J_CSTR(l->o.password)));
    if (!buf_done(&b, &body)) return FAIL(f, ERR_INVALID, "user", "the user or the password is too long");
    l->token[0] = 0;
    int status =
        ask(l, "/api/v1/login", "application/json", (struct bytes){(const uint8_t *)body.ptr, body.len}, &reply);
    if (!status)
        return FAIL(f, ERR_UNAVAILABLE, "server", "nothing answers at %s: does the server run there?", l->shown);
    if (status == 401)
        return FAIL(f, ERR_UNAUTHENTICATED, "user", "the server does not know %.60s with that password", l->o.user);
    if (status == 429)
        return FAIL(f, ERR_TOO_MANY, "user", "too many log-ins of %.60s failed; wait a quarter of an hour", l->o.user);
    if (status == 200 && !json_read((struct str){(const char *)reply.body.ptr, reply.body.len}, &o, &ignored))
        copy_word(l->token, sizeof l->token, json_object_get(o, "token"));
    json_decref(o);
    if (l->token[0]) return OK;
    read_problem(&reply, &p);
    return FAIL(f, ERR_UNAVAILABLE, "server", "%s lets nobody in (%d%s%.120s): is it a Linli server?", l->shown, status,
                p.words[0] ? ": " : "", p.words);
}

enum err link_open(const struct link_options *options, struct link **ret, struct fault *f) {
    struct link *l = calloc(1, sizeof *l);
    if (!l) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    l->o = *options;
    arena_init(&l->arena, REPLY_MAX);
    enum err e = read_to(l, f);
    if (!e) e = make_target(l, f);
    if (!e && l->o.token) {
        if (strlen(l->o.token) >= sizeof l->token)
            e = FAIL(f, ERR_INVALID, "token", "the token is too long");
        else
            snprintf(l->token, sizeof l->token, "%s", l->o.token);
    } else if (!e) {
        e = log_in(l, f);
    }
    if (e) {
        l->token[0] = 0;
        link_close(l);
        return e;
    }
    *ret = l;
    return OK;
}

bool link_is_local(const struct link *l) {
    return !strncmp(l->host, "127.", 4) || !strcmp(l->host, "::1");
}

void link_close(struct link *l) {
    struct client_reply reply;
    if (!l) return;
    if (!l->o.token && l->token[0]) (void)ask(l, "/api/v1/logout", "application/json", (struct bytes){NULL, 0}, &reply);
    arena_finish(&l->arena);
    free(l);
}

/* ---- refused rows ---- */

struct sieve {
    const struct problem *p;
    struct link *l;
    struct link_sent *sent;
    char rule[160];
};

/* What broke the rule, and what is past the same bound of time: a file of old readings is not asked about row by row.
 */
static bool passes(void *arg, const struct batch_line *line, size_t number) {
    struct sieve *s = arg;
    bool is_time = !strcmp(s->p->field, "ts");
    bool is_bad = (int64_t)number + 1 == s->p->line;
    is_bad |= is_time && !strcmp(s->p->field_code, "too_old") && line->at_ms < s->p->limit;
    is_bad |= is_time && !strcmp(s->p->field_code, "in_future") && line->at_ms > s->p->limit;
    if (!is_bad) return true;
    s->l->o.bad(s->l->o.arg, line->row, s->rule);
    s->sent->dropped_rows++;
    s->sent->dropped_values += line->values;
    return false;
}

static void put_rule(const struct problem *p, char *ret, size_t size) {
    char mem[40] = "";
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    civil_put_time(&b, NULL, p->limit);
    if (!strcmp(p->field, "ts") && !strcmp(p->field_code, "too_old"))
        snprintf(ret, size,
                 "the time is before %.10s, which the server keeps no more; or --format or --zone is not right", mem);
    else if (!strcmp(p->field, "ts"))
        snprintf(ret, size, "the time is in the future; or --format or --zone is not right");
    else if (p->field[0])
        snprintf(ret, size, "the server refuses the %s (%s)", p->field, p->field_code);
    else
        snprintf(ret, size, "the server says: %.130s", p->words);
}

/* True: the rest is to be sent. */
static void sift(struct link *l, struct batch *b, const struct problem *p, struct link_sent *ret) {
    struct sieve s = {.p = p, .l = l, .sent = ret};
    put_rule(p, s.rule, sizeof s.rule);
    if (l->o.skip_bad) {
        batch_keep(b, passes, &s);
        return;
    }
    const struct batch_line *line = &b->lines[p->line - 1];
    l->o.bad(l->o.arg, line->row, s.rule);
    ret->what = LINK_BAD_ROW;
    ret->upto = line->before;
    size_t n = (size_t)p->line - 1;
    while (n && b->lines[n - 1].row == line->row) n--; /* a wide row may take several lines */
    batch_cut(b, n);
}

/* ---- sending ---- */

static void fail(struct link_sent *ret, enum err kind, const char *code, const char *words) {
    ret->what = LINK_FAILED;
    ret->fault = (struct fault){0};
    (void)!FAIL(&ret->fault, kind, code, "%s", words);
}

/* Nothing can be waited for or left out. */
static void give_up(struct link *l, int status, const struct problem *p, struct link_sent *ret) {
    char words[208];
    if (status == 401)
        snprintf(words, sizeof words, "the server does not take the token (any more): log in again");
    else if (status == 403)
        snprintf(words, sizeof words,
                 "who is logged in may not write readings here; an administrator may: linli user add NAME --role admin "
                 "--place CODE makes one of a community");
    else if (!strcmp(p->field, "community") && !strcmp(p->field_code, "unknown"))
        snprintf(words, sizeof words, "no community that you reach has the code %.40s",
                 l->o.community ? l->o.community : "");
    else if (!strcmp(p->field, "community"))
        snprintf(words, sizeof words, "the server keeps several communities: say which by --community CODE");
    else if (!strcmp(p->code, "too_many_devices"))
        snprintf(words, sizeof words,
                 "too many devices that nobody made known: is the column of the device right?  If so, add "
                 "them first, by linli device add or in the console");
    else if (!strcmp(p->code, "too_many_metrics"))
        snprintf(words, sizeof words,
                 "a device would have more than 1,000 metrics, or those that nobody made known more than 40,000 "
                 "together: is the column of the metric right?  If so, add the devices first");
    else if (status == 404)
        snprintf(words, sizeof words, "%s takes no readings: is it a Linli server?", l->shown);
    else
        snprintf(words, sizeof words, "the server answers %d: %.150s", status, p->words[0] ? p->words : p->code);
    fail(ret, ERR_INTERNAL, "refused", words);
}

/* False: it was stopped, or has waited long enough. */
static bool pause_for(struct link *l, int64_t seconds, int64_t since_us, struct link_sent *ret, const char *why) {
    const struct world *w = l->o.world;
    int64_t until_us = w->mono_us(w->self) + seconds * 1000000;
    l->o.waits(l->o.arg, why);
    while (!*l->o.stop && w->mono_us(w->self) < until_us) usleep(50000);
    if (*l->o.stop) {
        ret->what = LINK_STOPPED;
        return false;
    }
    if (w->mono_us(w->self) - since_us < LINK_WAIT_MAX_S * INT64_C(1000000)) return true;
    fail(ret, ERR_UNAVAILABLE, "server", why);
    return false;
}

static int64_t wait_of(const struct client_reply *reply, int64_t standard_s) {
    int64_t seconds;
    if (!str_to_i64(client_header(reply, "retry-after"), &seconds) || seconds < 1) return standard_s;
    return seconds > PAUSE_MAX_S ? PAUSE_MAX_S : seconds;
}

/* Where the answer is a wait, waits; false: there is nothing to wait for, or no longer. */
static bool may_wait(struct link *l, int status, const struct client_reply *reply, const struct problem *p,
                     int64_t tries, int64_t since_us, struct link_sent *ret) {
    char words[208];
    int64_t pause_s = tries < PAUSE_MAX_S ? tries : PAUSE_MAX_S;
    if (status && status != 503 && (status != 429 || !strncmp(p->code, "too_many_", 9))) return false;
    if (!status)
        snprintf(words, sizeof words, "nothing answers at %s", l->shown);
    else
        snprintf(words, sizeof words, "the server says %d: %.150s", status, p->words[0] ? p->words : "busy");
    return pause_for(l, wait_of(reply, pause_s), since_us, ret, words);
}

void link_send(struct link *l, struct batch *b, struct link_sent *ret) {
    const struct world *w = l->o.world;
    struct client_reply reply;
    struct problem p;
    bool has_logged_in = false, waited = false;
    int64_t since_us = w->mono_us(w->self), tries = 0;
    *ret = (struct link_sent){.what = LINK_STORED, .upto = b->upto};
    while (b->n) {
        int status = ask(l, l->target, "text/plain", (struct bytes){(const uint8_t *)b->body, b->len}, &reply);
        if (status == 204 || status == 200) break;
        read_problem(&reply, &p);
        if (status == 401 && !l->o.token && !has_logged_in) { /* the session has ended, or the server was set up anew */
            struct fault f = {0};
            enum err e = log_in(l, &f);
            has_logged_in = !e;
            if (!e) continue;
            if (e != ERR_UNAVAILABLE) {
                ret->what = LINK_FAILED;
                ret->fault = f;
                break;
            }
            status = 0;
        }
        if (status == 400 && p.line >= 1 && p.line <= (int64_t)b->n) {
            sift(l, b, &p, ret);
            continue;
        } else if (!status && !l->has_answered) {
            snprintf(p.words, sizeof p.words, "nothing answers at %s: does the server run there?", l->shown);
            fail(ret, ERR_UNAVAILABLE, "server", p.words);
        } else if (may_wait(l, status, &reply, &p, ++tries, since_us, ret)) {
            waited = true;
            continue;
        } else if (ret->what != LINK_FAILED && ret->what != LINK_STOPPED) {
            give_up(l, status, &p, ret);
        }
        break;
    }
    if (waited) l->o.waits(l->o.arg, NULL);
}
