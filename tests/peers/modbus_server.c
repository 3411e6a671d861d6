/* A Modbus device that is libmodbus, for lines_polled.sh: over TCP on a free port, which it prints, or on the serial
 * port that is its argument.  SPDX-License-Identifier: Apache-2.0 */
#include <modbus.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#define UNIT 9

static void serve(modbus_t *ctx, modbus_mapping_t *map) {
    uint8_t question[MODBUS_TCP_MAX_ADU_LENGTH];
    int n;
    while ((n = modbus_receive(ctx, question)) >= 0)
        if (n > 0 && modbus_reply(ctx, question, n, map) < 0) return;
}

static int listen_somewhere(modbus_t *ctx) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1) ||
        getsockname(fd, (struct sockaddr *)&at, &len))
        return -1;
    modbus_set_socket(ctx, fd);
    printf("listen 127.0.0.1:%d\n", ntohs(at.sin_port));
    (void)fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    modbus_t *ctx = argc > 1 ? modbus_new_rtu(argv[1], 9600, 'N', 8, 1) : modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *map = modbus_mapping_new(16, 16, 40, 40);
    if (!ctx || !map || modbus_set_slave(ctx, UNIT)) return 1;
    map->tab_registers[0] = 217;
    map->tab_registers[3] = 0xfffe;
    map->tab_input_registers[10] = 0x199a; /* 220.1, low word first */
    map->tab_input_registers[11] = 0x435c;
    map->tab_input_bits[5] = 1;
    if (argc > 1) {
        if (modbus_connect(ctx)) return 1;
        printf("listen %s\n", argv[1]);
        (void)fflush(stdout);
        for (;;) serve(ctx, map); /* a pause is an error to it */
    }
    for (int fd = listen_somewhere(ctx); fd >= 0 && modbus_tcp_accept(ctx, &fd) >= 0; modbus_close(ctx))
        serve(ctx, map);
    return 1;
}
