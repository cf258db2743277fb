/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* posix_spawn rather than fork: all that is to be done in the child can be said as data. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/embedded.h"
#include "util/fd.h"
#include "util/syscalls.h"

#define SERVICE_FD   3
#define SERVICE_NAME "constellationd"
#define END_MSEC     15000

/* A build tree or an installation of one's own has the service beside this program; an installed
 * one in the directory for programs that nobody calls by hand. */
static char *find_service(GError **error)
{
    const char *variable = secure_getenv("CONSTELLATIOND");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *directory = self ? g_path_get_dirname(self) : NULL;
    g_autofree char *beside = directory ? g_build_filename(directory, SERVICE_NAME, NULL) : NULL;
    g_autofree char *installed = g_build_filename(CONSTELLATION_LIBEXECDIR, SERVICE_NAME, NULL);

    if (variable && *variable)
        return g_strdup(variable);
    if (beside && access(beside, X_OK) == 0)
        return g_steal_pointer(&beside);
    if (access(installed, X_OK) == 0)
        return g_steal_pointer(&installed);
    error_set(error, CONSTELLATION_ERROR_NODE_UNAVAILABLE,
              "--embedded: there is no %s beside this program, and none at %s (CONSTELLATIOND= "
              "names another)",
              SERVICE_NAME, installed);
    return NULL;
}

/* A session of its own: what the terminal sends to us when somebody presses ^C is ours to pass on,
 * and would end the service under the instance. */
static int spawn_service(const char *path, int fd, pid_t *ret_pid)
{
    char *argv[] = { (char *)SERVICE_NAME, (char *)"--private=fd:3", (char *)"--log-level=warning",
                     NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int r;

    G_STATIC_ASSERT(SERVICE_FD == 3);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, SERVICE_FD);
    r = posix_spawn(ret_pid, path, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -r;
}

bool embedded_start(Embedded *ret, int *ret_fd, GError **error)
{
    g_autofree char *path = find_service(error);
    int pair[2], r;

    if (!path)
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_from_errno(error, CONSTELLATION_ERROR_NODE_UNAVAILABLE, errno, "socketpair");

    auto_fd ours = pair[0], theirs = pair[1];

    r = spawn_service(path, theirs, &ret->pid);
    if (r < 0)
        return error_from_errno(error, CONSTELLATION_ERROR_NODE_UNAVAILABLE, r, "starting %s",
                                path);
    *ret_fd = fd_steal(&ours);
    return true;
}

void embedded_end(Embedded *embedded)
{
    if (embedded->pid == 0)
        return;

    auto_fd pidfd = sys_pidfd_open(embedded->pid);
    struct pollfd event = { .fd = pidfd, .events = POLLIN };
    int r;

    do
        r = poll(&event, 1, END_MSEC);
    while (r < 0 && errno == EINTR);
    if (r <= 0)
        (void)kill(embedded->pid, SIGKILL);
    while (waitpid(embedded->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *embedded = EMBEDDED_NONE;
}
