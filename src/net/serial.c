/* Owns the opening of serial ports.  SPDX-License-Identifier: Apache-2.0 */
#include "net/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static bool rate_of(int baud, speed_t *ret) {
    static const struct {
        int baud;
        speed_t rate;
    } rows[] = {{1200, B1200},   {2400, B2400},   {4800, B4800},   {9600, B9600},
                {19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].baud != baud) continue;
        *ret = rows[i].rate;
        return true;
    }
    return false;
}

/* Bytes as they are: no echo, no line editing, no flow control. */
static bool set_up(int fd, const struct serial_options *o, speed_t rate) {
    struct termios t;
    if (tcgetattr(fd, &t)) return false;
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL | CREAD;
    t.c_cflag &= ~(tcflag_t)(PARENB | PARODD | CSTOPB | CRTSCTS);
    if (o->parity) t.c_cflag |= PARENB;
    if (o->parity == SERIAL_ODD) t.c_cflag |= PARODD;
    if (o->stop_bits == 2) t.c_cflag |= CSTOPB;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    return !cfsetispeed(&t, rate) && !cfsetospeed(&t, rate) && !tcsetattr(fd, TCSANOW, &t);
}

static enum err why_not(const char *path, struct fault *f) {
    switch (errno) {
    case ENOENT:
    case ENXIO:
    case ENODEV: return FAIL(f, ERR_NOT_FOUND, "no_port", "there is no %s; is the adapter plugged in?", path);
    case EACCES:
    case EPERM: return FAIL(f, ERR_DENIED, "no_right", "%s may not be opened by this program's user", path);
    case EBUSY: return FAIL(f, ERR_BUSY, "held", "%s is held by another program", path);
    default: return FAIL(f, ERR_UNAVAILABLE, "no_serial", "%s is no serial port: %s", path, strerror(errno));
    }
}

enum err serial_open(struct loop *loop, const struct serial_options *o, const struct tcp_calls *calls,
                     struct tcp_conn **ret, struct fault *fault) {
    speed_t rate;
    if (!rate_of(o->baud, &rate)) return FAIL(fault, ERR_INVALID, "baud", "%d is no rate of a serial port", o->baud);
    int fd = open(o->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return why_not(o->path, fault);
    if (!set_up(fd, o, rate) || ioctl(fd, TIOCEXCL)) {
        enum err e = why_not(o->path, fault);
        close(fd);
        return e;
    }
    (void)tcflush(fd, TCIOFLUSH); /* what came before answers nothing */
    return tcp_open(loop, fd, o->path, calls, ret, fault);
}
