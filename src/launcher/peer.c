/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may give orders: a process of our own uid and, where we were told its unit, of that unit.
 * Every look-up that fails means no. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/launcher.h"
#include "util/fd.h"
#include "util/text.h"

#define CGROUP_FILE_MAX 4096 /* bytes; a path and a dozen hierarchies of v1 */

/* Whether the "0::" line of /proc/PID/cgroup, that of cgroup v2, ends in "/unit". */
static bool cgroup_ends_in(char *text, const char *unit)
{
    size_t unit_length = strlen(unit);

    for (char *line = text, *end; line != NULL && *line != '\0'; line = end) {
        size_t length;

        end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        if (strncmp(line, "0::", 3) != 0)
            continue;
        length = strlen(line);
        return length > unit_length && line[length - unit_length - 1] == '/' &&
               strcmp(line + length - unit_length, unit) == 0;
    }
    return false;
}

static bool process_is_of_unit(pid_t pid, const char *unit)
{
    char path[64], text[CGROUP_FILE_MAX];
    auto_fd fd = -1;
    ssize_t length;

    text_proc_path(path, pid, "/cgroup");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    length = read(fd, text, sizeof text - 1);
    if (length <= 0)
        return false;
    text[length] = '\0';
    return cgroup_ends_in(text, unit);
}

bool peer_is_gone(int connection)
{
    struct pollfd entry = { .fd = connection, .events = POLLRDHUP };

    return poll(&entry, 1, 0) != 0;
}

int peer_check(const struct Launcher *launcher, int connection)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ||
        length != sizeof peer || peer.pid <= 0 || peer.uid != launcher->uid)
        return EPERM;
    if (launcher->unit == NULL)
        return 0;
    /* The pid that connected cannot have become another process's while its end is still open,
     * unless it had given that end away, which only a process of our uid could have done. */
    if (!process_is_of_unit(peer.pid, launcher->unit) || peer_is_gone(connection))
        return EPERM;
    return 0;
}
