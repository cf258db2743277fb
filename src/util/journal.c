/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/fd.h"
#include "util/journal.h"

/* A value of one line stands after "=", any other after its length (little endian, 64 bits). */
void journal_field(GString *entry, const char *name, const char *value)
{
    g_string_append(entry, name);
    if (strchr(value, '\n')) {
        uint64_t length = GUINT64_TO_LE((uint64_t)strlen(value));
        g_string_append_c(entry, '\n');
        g_string_append_len(entry, (const char *)&length, sizeof length);
    } else {
        g_string_append_c(entry, '=');
    }
    g_string_append(entry, value);
    g_string_append_c(entry, '\n');
}

/* Not connected: a journald that comes back has a new socket under the same name. */
int journal_send(const GString *entry)
{
    static const struct sockaddr_un address = { .sun_family = AF_UNIX,
                                                .sun_path = "/run/systemd/journal/socket" };
    static int fd = -1;

    if (fd < 0)
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || sendto(fd, entry->str, entry->len, MSG_NOSIGNAL,
                         (const struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    return 0;
}
