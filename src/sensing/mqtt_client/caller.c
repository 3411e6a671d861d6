/* The thread that calls a broker: connects, subscribes, hands over publishes one by one, and calls again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt_client/client_internal.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "protocol/sparkplug/sparkplug.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define KEEP_ALIVE_S  60
#define ROUND_MS      100 /* at most, of the library's loop: so soon a stop is seen */
#define CONNECT_US    INT64_C(15000000)
#define AGAIN_MS      INT64_C(1000)
#define AGAIN_MOST_MS INT64_C(60000)
#define PACKET_MOST   (HOME_FRAME_MAX + 1024) /* larger ones the broker shall drop (5.0, 3.1.2.11.4) */
#define IN_FLIGHT     16                      /* that it sends ahead (5.0, 3.1.2.11.3) */
#define SESSION_S     (7 * 86400)             /* that it keeps for us while we are away (5.0, 3.1.2.11.2) */

/* Shared by the loop thread and the caller's own; whoever leaves last frees it. */
struct caller {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    /* Under the lock. */
    int refs;      /* the owner's, the thread's, the task's */
    int state_mid; /* of our state, unless it is acknowledged */
    int unsent;    /* publishes that the broker did not acknowledge in this call */
    bool is_stopped, is_open;
    char problem[LINE_PROBLEM_MAX];
    struct mosquitto *mosq;                  /* of the call under way */
    const struct mosquitto_message *message; /* handed over, and not done */
    /* The thread's. */
    bool is_told, was_open; /* in this call */
    bool is_old;            /* the broker speaks 3.1.1 only, which has no word for such limits */
    int mids[HOME_FILTERS_MAX];
    struct loop_task task;
    int64_t born_ms; /* UTC: when the call began; of our state */
    /* From the start. */
    struct caller_options o;
    int64_t start_us;
    char sparkplug[HOST_MAX + 1]; /* empty: we are no host */
    char id[64], host[HOST_MAX + 1], user[TEXT_MAX], secret[TEXT_MAX], filters[FILTERS_MAX];
};

static void release(struct caller *x) {
    pthread_mutex_lock(&x->lock);
    bool is_last = !--x->refs;
    pthread_mutex_unlock(&x->lock);
    if (!is_last) return;
    pthread_cond_destroy(&x->cond);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

static bool is_stopped(struct caller *x) {
    pthread_mutex_lock(&x->lock);
    bool yes = x->is_stopped;
    pthread_mutex_unlock(&x->lock);
    return yes;
}

/* ---- how it goes, in words for people ---- */

static void say(struct caller *x, bool is_open, const char *format, ...) PRINTF(3, 4);
static void say(struct caller *x, bool is_open, const char *format, ...) {
    struct buf b;
    va_list args;
    char text[2 * LINE_PROBLEM_MAX];
    buf_init(&b, text, sizeof text);
    va_start(args, format);
    buf_vfmt(&b, format, args);
    va_end(args);
    x->is_told = true;
    x->was_open |= is_open;
    pthread_mutex_lock(&x->lock);
    x->is_open = is_open;
    utf8_copy(x->problem, sizeof x->problem, (struct str){text, b.len});
    pthread_mutex_unlock(&x->lock);
}

static void say_refused(struct caller *x, int code) { /* CONNACK of 5.0 (3.2.2.2) and 3.1.1 (3.2.2.3) */
    switch (code) {
    case MQTT_RC_SERVER_UNAVAILABLE:
    case MQTT_RC_SERVER_BUSY:
    case CONNACK_REFUSED_SERVER_UNAVAILABLE: say(x, false, "%s takes nobody at the moment", x->host); return;
    case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
    case CONNACK_REFUSED_BAD_USERNAME_PASSWORD:
        say(x, false, "%s does not accept the user name or password", x->host);
        return;
    case MQTT_RC_NOT_AUTHORIZED:
    case CONNACK_REFUSED_NOT_AUTHORIZED: say(x, false, "%s does not let this user in", x->host); return;
    case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION:
        x->is_old = x->is_told = true; /* it is called again in the other one */
        return;
    default: say(x, false, "%s refuses the connection (code %d)", x->host, code);
    }
}

static void say_lost(struct caller *x, int rc, int system) {
    const char *host = x->host;
    int port = x->o.port;
    if (x->was_open)
        say(x, false, "%s hung up", host);
    else if (x->is_told)
        return; /* it said itself why */
    else if (rc == MOSQ_ERR_EAI)
        say(x, false, "nobody knows the address of %s", host);
    else if (rc == MOSQ_ERR_TLS)
        say(x, false, "%s port %d speaks no TLS, or its certificate is not trusted", host, port);
    else if (rc == MOSQ_ERR_ERRNO && system == ECONNREFUSED)
        say(x, false, "no broker listens at %s port %d", host, port);
    else if (rc == MOSQ_ERR_ERRNO)
        say(x, false, "%s port %d cannot be reached", host, port);
    else {
        x->is_old = !x->is_old; /* it may know but the other version */
        say(x, false, "%s port %d hung up before it answered; does it speak MQTT, with TLS or without?", host, port);
    }
}

/* ---- Sparkplug's host: a will that says it is dead, a birth of the same time (3.0.0, STATE) ---- */

static void say_state(struct caller *x, struct mosquitto *m, bool is_online) {
    char mem[2 * HOST_MAX + 80];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    sparkplug_state(str_of(x->sparkplug), is_online, x->born_ms, &b);
    char *end = strchr(mem, '\n');
    *end = 0;
    int n = (int)(b.ptr + b.len - end - 1);
    if (is_online)
        (void)mosquitto_publish(m, &x->state_mid, mem, n, end + 1, 1, true);
    else
        (void)mosquitto_will_set(m, mem, n, end + 1, 1, true);
}

/* ---- what the library calls, caller's thread ---- */

static void on_connect(struct mosquitto *m, void *arg, int code) {
    struct caller *x = arg;
    size_t n = 0;
    if (code) {
        say_refused(x, code);
        return;
    }
    say(x, true, "%s", "");
    pthread_mutex_lock(&x->lock);
    if (x->sparkplug[0]) say_state(x, m, true);
    pthread_mutex_unlock(&x->lock);
    for (const char *f = x->filters; f < x->filters + x->o.filters_n && n < HOME_FILTERS_MAX; f += strlen(f) + 1)
        (void)mosquitto_subscribe(m, &x->mids[n++], f, 1);
}

static void on_subscribe(struct mosquitto *m, void *arg, int mid, int n, const int *granted) {
    struct caller *x = arg;
    const char *f = x->filters;
    (void)m;
    if (n < 1 || granted[0] < 0x80) return;
    for (size_t i = 0; i < HOME_FILTERS_MAX && f < x->filters + x->o.filters_n; i++, f += strlen(f) + 1)
        if (x->mids[i] == mid) say(x, false, "%s does not let this user read %s", x->host, f);
}

/* The library acknowledges behind this call.  Where the publish is not in the store by then nothing more is said: the
 * broker keeps it for the session. */
static void on_message(struct mosquitto *m, void *arg, const struct mosquitto_message *message) {
    struct caller *x = arg;
    pthread_mutex_lock(&x->lock);
    if (!x->is_stopped) {
        x->message = message;
        x->refs++; /* the task's */
        loop_post_task(x->o.loop, &x->task);
    }
    while (x->message && !x->is_stopped) pthread_cond_wait(&x->cond, &x->lock);
    bool is_done = !x->is_stopped;
    x->message = NULL;
    pthread_mutex_unlock(&x->lock);
    if (!is_done) (void)shutdown(mosquitto_socket(m), SHUT_RDWR);
}

static void on_publish(struct mosquitto *m, void *arg, int mid) {
    struct caller *x = arg;
    (void)m;
    pthread_mutex_lock(&x->lock);
    if (mid == x->state_mid)
        x->state_mid = 0;
    else
        x->unsent--;
    pthread_mutex_unlock(&x->lock);
}

/* ---- a call ---- */

static bool prepare(struct caller *x, struct mosquitto *m) {
    bool ok = !mosquitto_threaded_set(m, true); /* what is to be written waits for the callback's end */
    ok = ok && !mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, x->is_old ? MQTT_PROTOCOL_V311 : MQTT_PROTOCOL_V5);
    if (!x->is_old) ok = ok && !mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, IN_FLIGHT);
    if (x->sparkplug[0]) say_state(x, m, false);
    if (x->user[0]) ok = ok && !mosquitto_username_pw_set(m, x->user, x->secret[0] ? x->secret : NULL);
    if (x->o.tls) ok = ok && !mosquitto_int_option(m, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
    mosquitto_connect_callback_set(m, on_connect);
    mosquitto_subscribe_callback_set(m, on_subscribe);
    mosquitto_message_callback_set(m, on_message);
    mosquitto_publish_callback_set(m, on_publish);
    return ok;
}

/* Of the machine: nothing of the server's is touched that may be gone before the thread is. */
static int64_t now_us(void) {
    struct timespec now = clock_deadline(0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void set_mosq(struct caller *x, struct mosquitto *m) {
    pthread_mutex_lock(&x->lock);
    x->mosq = m;
    x->unsent = x->state_mid = 0;
    pthread_mutex_unlock(&x->lock);
}

static int connect_now(struct caller *x, struct mosquitto *m) {
    mosquitto_property *limits = NULL;
    if (x->is_old) return mosquitto_connect_async(m, x->host, x->o.port, KEEP_ALIVE_S);
    int rc = mosquitto_property_add_int32(&limits, MQTT_PROP_MAXIMUM_PACKET_SIZE, PACKET_MOST);
    if (!rc) rc = mosquitto_property_add_int32(&limits, MQTT_PROP_SESSION_EXPIRY_INTERVAL, SESSION_S);
    if (!rc) rc = mosquitto_connect_bind_v5(m, x->host, x->o.port, KEEP_ALIVE_S, NULL, limits);
    mosquitto_property_free_all(&limits);
    return rc;
}

/* From the connection's begin to its end. */
static void go_on(struct caller *x, struct mosquitto *m) {
    int64_t since_us = now_us();
    errno = 0;
    int rc = connect_now(x, m);
    while (!rc && !is_stopped(x)) {
        rc = mosquitto_loop(m, ROUND_MS, 1);
        if (rc || x->is_told || now_us() - since_us < CONNECT_US) continue;
        errno = ETIMEDOUT;
        rc = MOSQ_ERR_ERRNO;
    }
    if (rc) say_lost(x, rc, errno);
}

static void call(struct caller *x) {
    struct mosquitto *m = mosquitto_new(x->id, false, x);
    x->is_told = x->was_open = false;
    x->born_ms = x->o.now_ms + (now_us() - x->start_us) / 1000;
    if (m && prepare(x, m)) {
        set_mosq(x, m);
        go_on(x, m);
        set_mosq(x, NULL);
    } else {
        say(x, false, "out of memory");
    }
    if (m) mosquitto_destroy(m);
}

/* Longer and longer, up to a minute. */
static void rest(struct caller *x, int fails) {
    int64_t pause_ms = AGAIN_MS << (fails < 6 ? fails : 6);
    struct timespec until = clock_deadline(pause_ms < AGAIN_MOST_MS ? pause_ms : AGAIN_MOST_MS);
    pthread_mutex_lock(&x->lock);
    while (!x->is_stopped && !pthread_cond_timedwait(&x->cond, &x->lock, &until)) continue;
    pthread_mutex_unlock(&x->lock);
}

static void *run(void *arg) {
    struct caller *x = arg;
    for (int fails = 0; !is_stopped(x); fails++) {
        call(x);
        if (x->was_open) fails = 0;
        rest(x, fails);
    }
    release(x);
    return NULL;
}

/* ---- the loop thread ---- */

/* Whoever stops the caller is on this thread, too: the message stays until then. */
static void given(void *arg) {
    struct caller *x = arg;
    pthread_mutex_lock(&x->lock);
    const struct mosquitto_message *m = x->is_stopped ? NULL : x->message;
    pthread_mutex_unlock(&x->lock);
    if (m) {
        struct arrival p = {str_of(m->topic), {m->payload, m->payloadlen > 0 ? (size_t)m->payloadlen : 0}, m->retain};
        x->o.heard(x->o.arg, &p);
    }
    release(x);
}

static void library_init(void) {
    (void)mosquitto_lib_init();
}

static enum err begin(struct caller *x) {
    pthread_t thread;
    pthread_attr_t attr;
    pthread_condattr_t cond;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, library_init);
    pthread_mutex_init(&x->lock, NULL);
    pthread_condattr_init(&cond);
    pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
    pthread_cond_init(&x->cond, &cond);
    pthread_condattr_destroy(&cond);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED); /* it may wait for the address of a name */
    int e = pthread_create(&thread, &attr, run, x);
    pthread_attr_destroy(&attr);
    return e ? ERR_INTERNAL : OK;
}

enum err caller_start(const struct caller_options *o, struct caller **ret, struct fault *f) {
    struct caller *x = calloc(1, sizeof *x);
    if (!x) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    x->o = *o;
    x->refs = 2;
    x->start_us = now_us();
    if (o->sparkplug) utf8_copy(x->sparkplug, sizeof x->sparkplug, str_of(o->sparkplug));
    x->task = (struct loop_task){.fn = given, .arg = x};
    utf8_copy(x->id, sizeof x->id, str_of(o->id));
    utf8_copy(x->host, sizeof x->host, str_of(o->host));
    utf8_copy(x->user, sizeof x->user, str_of(o->user));
    utf8_copy(x->secret, sizeof x->secret, str_of(o->secret));
    x->o.filters_n = o->filters_n < FILTERS_MAX ? o->filters_n : FILTERS_MAX;
    memcpy(x->filters, o->filters, x->o.filters_n);
    utf8_copy(x->problem, sizeof x->problem, S("it is being called"));
    if (begin(x)) {
        free(x);
        return FAIL(f, ERR_INTERNAL, "thread", "no thread for the call");
    }
    *ret = x;
    return OK;
}

void caller_done(struct caller *x) {
    pthread_mutex_lock(&x->lock);
    x->message = NULL;
    pthread_cond_signal(&x->cond);
    pthread_mutex_unlock(&x->lock);
}

bool caller_is_open(struct caller *x, char *ret_problem, size_t size) {
    pthread_mutex_lock(&x->lock);
    bool is_open = x->is_open;
    utf8_copy(ret_problem, size, str_of(x->problem));
    pthread_mutex_unlock(&x->lock);
    return is_open;
}

void caller_subscribe(struct caller *x, struct str topic) {
    char text[HOME_TOPIC_MAX + 1];
    if (topic.len > HOME_TOPIC_MAX) return;
    memcpy(text, topic.ptr, topic.len);
    text[topic.len] = 0;
    pthread_mutex_lock(&x->lock);
    if (x->mosq && !x->is_stopped) (void)mosquitto_subscribe(x->mosq, NULL, text, 1);
    pthread_mutex_unlock(&x->lock);
}

bool caller_publish(struct caller *x, struct str topic, struct bytes payload) {
    char text[HOME_TOPIC_MAX + 1];
    if (topic.len > HOME_TOPIC_MAX || payload.len > HOME_PAYLOAD_MAX) return false;
    memcpy(text, topic.ptr, topic.len);
    text[topic.len] = 0;
    pthread_mutex_lock(&x->lock);
    bool ok = x->mosq && x->is_open && !x->is_stopped && x->unsent < CALLER_UNSENT_MAX;
    ok = ok && !mosquitto_publish(x->mosq, NULL, text, (int)payload.len, payload.ptr, 1, false);
    x->unsent += ok;
    pthread_mutex_unlock(&x->lock);
    return ok;
}

void caller_say_state(struct caller *x) {
    pthread_mutex_lock(&x->lock);
    if (x->mosq && x->is_open && !x->is_stopped && !x->state_mid) say_state(x, x->mosq, true);
    pthread_mutex_unlock(&x->lock);
}

void caller_stop(struct caller *x) {
    pthread_mutex_lock(&x->lock);
    x->is_stopped = true;
    pthread_cond_signal(&x->cond);
    pthread_mutex_unlock(&x->lock);
    release(x);
}
