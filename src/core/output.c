/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/output.h"
#include "util/fd.h"

#define JOURNAL_SOCKET "/run/systemd/journal/stdout"

int output_open_null(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);

    return fd < 0 ? -errno : fd;
}

int output_open_journal(const char *identifier, const char *unit, int priority)
{
    static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
    /* A journald that does not accept is not waited for; the payload has to wait for it, though, as
     * anything that writes to a stream has. */
    auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    if (shutdown(fd, SHUT_RD) < 0)
        return -errno;
    /* The header of the stream protocol, a line each: identifier, unit, priority, whether lines
     * may begin with a priority like <3>, forward to syslog, kmsg, console. */
    g_autofree char *header = g_strdup_printf("%s\n%s\n%d\n1\n0\n0\n0\n", identifier, unit,
                                              priority);
    if (write(fd, header, strlen(header)) != (ssize_t)strlen(header))
        return -EIO;
    if (fcntl(fd, F_SETFL, 0) < 0)
        return -errno;
    return fd_steal(&fd);
}
