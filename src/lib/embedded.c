/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A service for this program alone. It must not be a child of the program, whose wait() and SIGCHLD
 * are its own affair, so it is started by a process in between: one without an exit signal, which
 * waitpid(-1) does not see, and which ends at once. The service watches the program's pidfd, which
 * nothing that the program forks can keep alive, and ends with it. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/library.h"
#include "util/fd.h"
#include "util/syscalls.h"

#define SERVICE_NAME "constellationd"
#define SOCKET_FD    3
#define PROGRAM_FD   4
#define STACK_SIZE   (256u << 10)

typedef struct Spawn {
    const char *path;
    char *const *argv;
    int socket;    /* the service's end */
    int program;   /* our own pidfd, or -1 */
    int report;    /* where the service's pidfd is sent to */
    bool keep_log; /* standard error stays */
} Spawn;

/* ---- where it is ----------------------------------------------------------------------------- */

/* Beside the library, as in a build tree; or below or beside its directory, as it is installed. */
static bool find_beside(char *ret, size_t size)
{
    static const char *const places[] = { SERVICE_NAME, "constellation/" SERVICE_NAME,
                                          "../constellation/" SERVICE_NAME };
    Dl_info info;

    if (getauxval(AT_SECURE) || !dladdr((const void *)&library, &info) || !info.dli_fname ||
        *info.dli_fname != '/')
        return false;
    int length = (int)(strrchr(info.dli_fname, '/') - info.dli_fname);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (snprintf(ret, size, "%.*s/%s", length, info.dli_fname, places[i]) < (int)size &&
            access(ret, X_OK) == 0)
            return true;
    return false;
}

static ConstellationError find_service(char *ret, size_t size)
{
    static const char installed[] = CONSTELLATION_LIBEXECDIR "/" SERVICE_NAME;
    const char *variable = secure_getenv("CONSTELLATIOND");

    if (variable && *variable == '/') {
        (void)snprintf(ret, size, "%s", variable);
        return CONSTELLATION_OK;
    }
    if (find_beside(ret, size))
        return CONSTELLATION_OK;
    (void)snprintf(ret, size, "%s", installed);
    if (access(installed, X_OK) == 0)
        return CONSTELLATION_OK;
    return fail(CONSTELLATION_ERR_SPAWN_FAILED,
                "no service runs, and there is no %s near the library to embed, nor at %s "
                "(CONSTELLATIOND= names another)",
                SERVICE_NAME, installed);
}

/* ---- in between ------------------------------------------------------------------------------ */

static int send_pidfd(int to, pid_t pid)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    char byte = 0;
    struct iovec data = { &byte, 1 };
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    int fd = sys_pidfd_open(pid);

    if (fd < 0)
        return fd;
    control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fd),
                                       .cmsg_level = SOL_SOCKET,
                                       .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    int r = sendmsg(to, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
    fd_close(fd);
    return r;
}

static int receive_pidfd(int from)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    char byte;
    struct iovec data = { &byte, 1 };
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    int fd = -1;

    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) == 1 &&
        message.msg_controllen >= sizeof control.header && control.header.cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return fd;
}

/* In the memory of the program, whose thread stands still meanwhile. Its exit status is the errno
 * of the spawn. */
static int spawn_service(void *userdata)
{
    const Spawn *spawn = userdata;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    pid_t pid;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    if (!spawn->keep_log)
        posix_spawn_file_actions_adddup2(&actions, 0, 2);
    posix_spawn_file_actions_adddup2(&actions, spawn->socket, SOCKET_FD);
    if (spawn->program >= 0)
        posix_spawn_file_actions_adddup2(&actions, spawn->program, PROGRAM_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions, PROGRAM_FD + (spawn->program >= 0));
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    int r = posix_spawn(&pid, spawn->path, &actions, &attributes, spawn->argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (r == 0)
        (void)send_pidfd(spawn->report, pid);
    return r;
}

/* No handler of the program's may run in the process in between, which has its memory. */
static int spawn_in_between(Spawn *spawn)
{
    sigset_t all, before;
    int status = 0;
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    if (stack == MAP_FAILED)
        return -ENOMEM;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = clone(spawn_service, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK, spawn);
    int r = pid < 0 ? -errno : 0;
    while (pid > 0 && waitpid(pid, &status, __WCLONE) < 0 && errno == EINTR)
        continue;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)munmap(stack, STACK_SIZE);
    if (r == 0 && WIFEXITED(status))
        r = -WEXITSTATUS(status);
    return r;
}

/* ---- start ----------------------------------------------------------------------------------- */

/* Above the numbers that the service gets them under. -errno stays what it is. */
static int move_up(int fd)
{
    if (fd < 0)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, PROGRAM_FD + 1);
    int r = moved < 0 ? -errno : moved;
    fd_close(fd);
    return r;
}

static int start_at(const char *path, const ControllerConfig *config, int socket, int *ret_pidfd)
{
    char node[300], cluster[300], max[64], level[64];
    const char *variable = secure_getenv("CONSTELLATION_LOG_LEVEL");
    /* Where there are no pidfds, the end of the connection has to do. */
    auto_fd program = move_up(sys_pidfd_open(getpid()));
    char *argv[] = { (char *)SERVICE_NAME,
                     (char *)"--private=fd:3",
                     level,
                     max,
                     node,
                     cluster,
                     program >= 0 ? (char *)"--end-with=fd:4" : NULL,
                     NULL };
    int report[2];

    (void)snprintf(node, sizeof node, "--node-name=%s", config->node_name);
    (void)snprintf(cluster, sizeof cluster, "--cluster-name=%s", config->cluster_name);
    (void)snprintf(max, sizeof max, "--max-instances=%u", config->max_instances);
    (void)snprintf(level, sizeof level, "--log-level=%s", variable ? variable : "warning");
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, report) < 0)
        return -errno;
    auto_fd ours = report[0], theirs = report[1];
    Spawn spawn = { .path = path,
                    .argv = argv,
                    .socket = socket,
                    .program = program,
                    .report = theirs,
                    .keep_log = variable != NULL };
    int r = spawn_in_between(&spawn);
    if (r == 0)
        *ret_pidfd = receive_pidfd(ours);
    return r;
}

ConstellationError embedded_start(const ControllerConfig *config, int *ret_fd, int *ret_pidfd)
{
    char path[4096], text[64];
    int pair[2];

    ConstellationError result = find_service(path, sizeof path);
    if (result != CONSTELLATION_OK)
        return result;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return fail_errno(errno, "socketpair");
    auto_fd ours = pair[0], theirs = move_up(pair[1]);
    int r = theirs < 0 ? theirs : start_at(path, config, theirs, ret_pidfd);
    if (r < 0)
        return fail(CONSTELLATION_ERR_SPAWN_FAILED, "starting %s: %s", path,
                    strerror_r(-r, text, sizeof text));
    *ret_fd = fd_steal(&ours);
    return CONSTELLATION_OK;
}
