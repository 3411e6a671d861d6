/* Serial ports: RS-485 and RS-232 through the system's own drivers.  Loop thread only.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_NET_SERIAL_H
#define LINLI_NET_SERIAL_H

#include "net/tcp.h"

struct serial_options {
    const char *path; /* "/dev/ttyUSB0" */
    int baud;         /* 1200, 2400 … 115200 */
    enum { SERIAL_NONE, SERIAL_EVEN, SERIAL_ODD } parity;
    int stop_bits; /* 1 or 2; there are 8 data bits */
};
/* Opens the port for this program alone and hands it out as a connection, see tcp_open.  ERR_INVALID: a rate that is
 * none; ERR_NOT_FOUND, ERR_DENIED, ERR_BUSY: the port is not there, not ours to open, held by another;
 * ERR_UNAVAILABLE: it is no serial port. */
NODISCARD enum err serial_open(struct loop *loop, const struct serial_options *options, const struct tcp_calls *calls,
                               struct tcp_conn **ret, struct fault *fault);

#endif
