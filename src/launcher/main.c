/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* constellation-launcher: the only privileged hands. It makes the first process of each instance
 * and nothing else; it stands apart from constellationd because whatever hardens a service is
 * inherited by everything that the service forks. It holds no policy and keeps no state but its
 * children, so that it may be killed and started again at any time.
 *
 *   constellation-launcher --init=PATH [--unit=NAME]      fd 3: a listening socket (activation)
 *   constellation-launcher --init=PATH --fd=3 [--kill-at-end]
 *                                                         fd 3: connected, a child of its client
 *
 * With --kill-at-end the inits end when the client does: nobody would come back for them. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "launcher/launcher.h"
#include "util/fd.h"
#include "util/syscalls.h"

#define SOCKET_FD       3
#define ACCEPT_PAUSE_MS 100 /* when the machine has no descriptor left: not to spin meanwhile */

static int fail(const char *what, int error)
{
    const char *parts[] = { "<3>constellation-launcher: ", what, ": ", strerror(error), "\n" };
    struct iovec line[sizeof parts / sizeof parts[0]];

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        line[i] = (struct iovec){ .iov_base = (void *)parts[i], .iov_len = strlen(parts[i]) };
    (void)!writev(STDERR_FILENO, line, sizeof parts / sizeof parts[0]);
    return EXIT_FAILURE;
}

/* ---- start ----------------------------------------------------------------------------------- */

struct Arguments {
    const char *init;
    const char *unit;
    bool connected;
    bool kill_at_end;
};

static int parse_arguments(int argc, char **argv, struct Arguments *arguments)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--init=", 7) == 0)
            arguments->init = argv[i] + 7;
        else if (strncmp(argv[i], "--unit=", 7) == 0 && argv[i][7] != '\0')
            arguments->unit = argv[i] + 7;
        else if (strcmp(argv[i], "--fd=3") == 0)
            arguments->connected = true;
        else if (strcmp(argv[i], "--kill-at-end") == 0)
            arguments->kill_at_end = true;
        else
            return EINVAL;
    }
    return argc > 0 && arguments->init != NULL ? 0 : EINVAL;
}

static bool environment_is_number(const char *name, long number)
{
    const char *text = getenv(name);
    char *end = NULL;

    return text != NULL && *text != '\0' && strtol(text, &end, 10) == number && *end == '\0';
}

static int check_socket(const struct Arguments *arguments)
{
    int domain = -1, type = -1, listens = -1;
    socklen_t length = sizeof(int);

    if (!arguments->connected &&
        (!environment_is_number("LISTEN_FDS", 1) || !environment_is_number("LISTEN_PID", getpid())))
        return EINVAL;
    if (getsockopt(SOCKET_FD, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 ||
        getsockopt(SOCKET_FD, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ||
        getsockopt(SOCKET_FD, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0)
        return errno;
    if (domain != AF_UNIX || type != SOCK_SEQPACKET || listens != !arguments->connected)
        return EPROTOTYPE;
    return fcntl(SOCKET_FD, F_SETFD, FD_CLOEXEC) < 0 ? errno : 0;
}

/* What we ignore would be ignored in every instance: exec keeps that, and an ignored SIGCHLD would
 * make the init lose every exit status. Raw, since a libc keeps some of the 64 to itself. */
static void reset_signals(void)
{
    static const uint64_t none = 0;
    static const char default_action[64]; /* all zero on every architecture: SIG_DFL */

    for (int number = 1; number <= 64; number++)
        (void)syscall(SYS_rt_sigaction, number, default_action, NULL, sizeof none);
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

/* Pidfds on their way to a reader count against RLIMIT_NOFILE; the soft limit of instances stays
 * what it was, for programs that use select(). */
static int raise_file_limit(struct Launcher *launcher)
{
    struct rlimit raised;

    if (getrlimit(RLIMIT_NOFILE, &launcher->files) < 0)
        return errno;
    raised = launcher->files;
    raised.rlim_cur = raised.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &raised) < 0 ? errno : 0;
}

static int open_null(struct Launcher *launcher)
{
    int fd;

    do /* a closed standard descriptor must not become somebody's socket */
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    launcher->null = fd;
    return fd < 0 ? errno : 0;
}

static int prepare(struct Launcher *launcher)
{
    void *page;
    int error;

    reset_signals();
    if (chdir("/") < 0 || syscall(SYS_close_range, SOCKET_FD + 1, ~0u, 0) < 0)
        return errno;
    error = open_null(launcher);
    if (error == 0)
        error = raise_file_limit(launcher);
    if (error != 0)
        return error;
    launcher->uid = geteuid();
    launcher->gid = getegid();
    launcher->privileged = probe_privileged();
    /* Unprivileged it must stay dumpable: /proc/self of a process that is not belongs to root, and
     * a child that shares our memory could not write its own id maps. Nothing is lost: whoever
     * could look into us then may do everything that we may. */
    if (launcher->privileged && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return errno;
    page = mmap(NULL, sizeof *launcher->outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
    if (page == MAP_FAILED)
        return errno;
    launcher->outcome = page;
    return 0;
}

/* ---- loop ------------------------------------------------------------------------------------ */

static int open_child_signal(int *ret_fd)
{
    sigset_t children;

    (void)sigemptyset(&children);
    (void)sigaddset(&children, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &children, NULL) < 0)
        return errno;
    *ret_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    return *ret_fd < 0 ? errno : 0;
}

/* The new connection if it is from the right process and nobody is served; the old one is as good
 * as closed if its other end is. */
static int accept_connection(const struct Launcher *launcher, int current)
{
    auto_fd connection = accept4(SOCKET_FD, NULL, NULL, SOCK_CLOEXEC);

    if (connection < 0) {
        (void)poll(NULL, 0, ACCEPT_PAUSE_MS);
        return current;
    }
    if (peer_check(launcher, connection) != 0)
        return current;
    if (current >= 0 && !peer_is_gone(current))
        return current;
    (void)fd_close(current);
    reap_all();
    return fd_steal(&connection);
}

static int serve_listener(const struct Launcher *launcher, int child_signal)
{
    enum { LISTENER, CONNECTION, CHILDREN };
    int connection = -1;

    for (;;) {
        struct pollfd polled[] = { [LISTENER] = { .fd = SOCKET_FD, .events = POLLIN },
                                   [CONNECTION] = { .fd = connection, .events = POLLIN },
                                   [CHILDREN] = { .fd = child_signal, .events = POLLIN } };

        /* While somebody is connected, zombies are his. */
        if (connection >= 0)
            polled[CHILDREN].fd = -1;
        if (poll(polled, 3, -1) < 0) {
            if (errno == EINTR)
                continue;
            return fail("poll", errno);
        }
        if (polled[CONNECTION].revents != 0 && !request_serve(launcher, connection)) {
            connection = fd_close(connection);
            reap_all();
        }
        if (polled[CHILDREN].revents != 0) {
            struct signalfd_siginfo taken;

            (void)!read(child_signal, &taken, sizeof taken);
            reap_all();
        }
        if (polled[LISTENER].revents != 0)
            connection = accept_connection(launcher, connection);
    }
}

static int serve_connected(const struct Launcher *launcher, bool kill_at_end)
{
    struct pollfd polled = { .fd = SOCKET_FD, .events = POLLIN };

    if (peer_check(launcher, SOCKET_FD) != 0)
        return fail("the process behind fd 3", EPERM);
    for (;;) {
        if (poll(&polled, 1, -1) < 0 && errno != EINTR)
            return fail("poll", errno);
        if (polled.revents != 0 && !request_serve(launcher, SOCKET_FD))
            break;
    }
    if (kill_at_end)
        reap_end_all();
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct Launcher launcher = { .image = -1, .null = -1 };
    struct Arguments arguments = { .init = NULL };
    int child_signal = -1, error;

    error = parse_arguments(argc, argv, &arguments);
    if (error != 0)
        return fail("expected --init=PATH and --unit=NAME or --fd=3", error);
    error = check_socket(&arguments);
    if (error != 0)
        return fail("fd 3 must be a SOCK_SEQPACKET socket, listening or by --fd=3", error);
    launcher.unit = arguments.unit;
    error = prepare(&launcher);
    if (error != 0)
        return fail("cannot prepare", error);
    error = image_load(arguments.init, &launcher.image);
    if (error != 0)
        return fail(arguments.init, error);
    if (arguments.connected)
        return serve_connected(&launcher, arguments.kill_at_end);
    error = open_child_signal(&child_signal);
    if (error != 0)
        return fail("signalfd", error);
    return serve_listener(&launcher, child_signal);
}
