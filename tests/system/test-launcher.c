/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The launcher: which requests and which peers it believes, what it tells, what it leaves behind.
 * Wants root. */

#include "system/init-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/suite.h"
#include "util/fd.h"

static int launcher_fd_count(void)
{
    char command[96];

    (void)snprintf(command, sizeof command, "exit $(ls /proc/%d/fd | wc -l)", launcher_pid);
    return WEXITSTATUS(system(command));
}

static const char *launcher_children(void)
{
    static char text[512];
    char path[96];

    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", launcher_pid, launcher_pid);
    file_text(path, text, sizeof text);
    return text;
}

static bool has_state(pid_t pid, char state)
{
    char path[64], text[512];

    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file_text(path, text, sizeof text);
    return strrchr(text, ')') ? strrchr(text, ')')[2] == state : state == '\0';
}

static void await_state(pid_t pid, char state)
{
    for (int left = 5000; left > 0 && !has_state(pid, state); left--)
        (void)poll(NULL, 0, 1);
    ck_assert(has_state(pid, state));
}

/* ---- requests that are not right ------------------------------------------------------------- */

enum { SOCKET, CGROUP, PLAIN }; /* what to send along: kinds of fds */

typedef struct Malformed {
    const char *name;
    struct LaunchRequest request;
    size_t size; /* 0: of a request */
    int fds;
    int kind;
    int error;
} Malformed;

#define REQUEST(magic_, version_, verb_, ...)                                  \
    {                                                                          \
        .magic = (magic_), .version = (version_), .verb = (verb_), __VA_ARGS__ \
    }
#define OTHER(verb, ...) REQUEST(LAUNCH_MAGIC, WIRE_VERSION, verb, __VA_ARGS__)
#define SPAWN(...)       OTHER(LAUNCH_SPAWN, __VA_ARGS__)

static const Malformed malformed[] = {
    { "empty", SPAWN(.pid = 0), 0xffff, 0, SOCKET, EBADMSG },
    { "too short", SPAWN(.pid = 0), sizeof(struct LaunchRequest) - 1, 1, SOCKET, EBADMSG },
    { "one byte", SPAWN(.pid = 0), 1, 1, SOCKET, EBADMSG },
    { "too long", SPAWN(.pid = 0), sizeof(struct LaunchRequest) + 1, 1, SOCKET, EBADMSG },
    { "magic", REQUEST(1, WIRE_VERSION, LAUNCH_SPAWN, .pid = 0), 0, 1, SOCKET, EBADMSG },
    { "version", REQUEST(LAUNCH_MAGIC, 99, LAUNCH_SPAWN, .pid = 0), 0, 1, SOCKET, EBADMSG },
    { "verb 0", OTHER(0, .pid = 0), 0, 0, SOCKET, EINVAL },
    { "verb 99", OTHER(99, .pid = 0), 0, 0, SOCKET, EINVAL },
    { "no fd", SPAWN(.pid = 0), 0, 0, SOCKET, EBADMSG },
    { "two fds", SPAWN(.pid = 0), 0, 2, SOCKET, EBADMSG },
    { "30 fds", SPAWN(.pid = 0), 0, 30, SOCKET, EBADMSG },
    { "12 fds", SPAWN(.pid = 0), 0, 12, SOCKET, EBADMSG },
    { "no cgroup fd", SPAWN(.into_cgroup = 1), 0, 1, SOCKET, EBADMSG },
    { "a cgroup that is none", SPAWN(.into_cgroup = 1), 0, 2, SOCKET, EINVAL },
    { "into_cgroup 2", SPAWN(.into_cgroup = 2), 0, 1, SOCKET, EINVAL },
    { "ctl is a file", SPAWN(.pid = 0), 0, 1, PLAIN, EINVAL },
    { "cgroup namespace", SPAWN(.namespaces = CLONE_NEWCGROUP), 0, 1, SOCKET, EINVAL },
    { "time namespace", SPAWN(.namespaces = 0x80), 0, 1, SOCKET, EINVAL },
    { "CLONE_VM", SPAWN(.namespaces = CLONE_VM), 0, 1, SOCKET, EINVAL },
    { "all namespaces", SPAWN(.namespaces = UINT32_MAX), 0, 1, SOCKET, EINVAL },
    { "id map 3", SPAWN(.id_map = 3), 0, 1, SOCKET, EINVAL },
    { "a map without a user namespace", SPAWN(.id_map = 1), 0, 1, SOCKET, EINVAL },
    { "a user namespace without a map", SPAWN(.namespaces = CLONE_NEWUSER), 0, 1, SOCKET, EINVAL },
    { "uid -1", SPAWN(.namespaces = CLONE_NEWUSER, .id_map = 2, .uid = UINT32_MAX), 0, 1, SOCKET,
      EINVAL },
    { "gid 65535", SPAWN(.namespaces = CLONE_NEWUSER, .id_map = 2, .gid = 65535), 0, 1, SOCKET,
      EINVAL },
    { "probe with an fd", OTHER(LAUNCH_PROBE, .pid = 0), 0, 1, SOCKET, EBADMSG },
    { "reap with an fd", OTHER(LAUNCH_REAP, .pid = 1), 0, 1, SOCKET, EBADMSG },
    { "reap pid 0", OTHER(LAUNCH_REAP, .pid = 0), 0, 0, SOCKET, EINVAL },
    { "reap pid -1", OTHER(LAUNCH_REAP, .pid = -1), 0, 0, SOCKET, EINVAL },
};

#define LIMIT UINT32_MAX

/* Maps that are not to be written, whoever asks. */
static const struct IdMap malformed_maps[] = {
    { 0, { { 0, 0, 1 } } },                       /* none */
    { ID_EXTENTS_MAX + 1, { { 0, 100000, 1 } } }, /* more than there is room for */
    { 1, { { 0, 100000, 0 } } },                  /* of nothing */
    { 1, { { 1, 100000, 10 } } },                 /* without a root */
    { 1, { { 0, 0, 2 } } },                       /* users of the system */
    { 1, { { 0, ID_RANGE_MIN - 1, 10 } } },       /* one of them */
    { 1, { { 0, 5, 1 } } },                       /* one of them, renamed */
    { 1, { { 0, LIMIT, 1 } } },                   /* -1 is no id */
    { 1, { { 0, LIMIT - 9, 10 } } },              /* up to it */
    { 1, { { 0, LIMIT - 9, 100 } } },             /* around the end */
    { 1, { { 0, 100000, LIMIT } } },              /* likewise */
    { 2, { { 0, 100000, 10 }, { LIMIT - 1, 200000, 5 } } } /* likewise, inside */,
    { 2, { { 0, 100000, 10 }, { 9, 200000, 10 } } },     /* two for one inside */
    { 2, { { 0, 100000, 10 }, { 10, 100009, 10 } } },    /* one for two outside */
    { 2, { { 0, 100000, 10 }, { 100005, 100005, 1 } } }, /* likewise */
    { 2, { { 0, 100000, 10 }, { 0, 100000, 10 } } },     /* twice the same */
};

START_TEST(a_map_that_is_not_right_is_refused)
{
    static const struct IdMap good = { 1, { { 0, 100000, 65536 } } };

    for (size_t i = 0; i < 2 * sizeof malformed_maps / sizeof malformed_maps[0]; i++) {
        struct LaunchRequest request = launch_request(LAUNCH_PROBE);

        request.id_map = ID_MAP_RANGES;
        request.uids = i % 2 == 0 ? malformed_maps[i / 2] : good;
        request.gids = i % 2 == 0 ? good : malformed_maps[i / 2];
        ck_assert_msg(launcher_call(&request, NULL, 0, NULL).error == EINVAL, "map %zu", i / 2);
    }
}
END_TEST

START_TEST(a_probe_with_a_map_tries_it)
{
    struct LaunchRequest request = launch_request(LAUNCH_PROBE);
    struct LaunchReply reply;

    request.id_map = ID_MAP_RANGES;
    request.uids = request.gids = (struct IdMap){ 1, { { 0, 100000, 65536 } } };
    reply = launcher_call(&request, NULL, 0, NULL);
    ck_assert_int_eq(reply.error, 0);
    ck_assert_int_eq(reply.refused_ranges, 0);
    ck_assert_str_eq(launcher_children(), "");
    launcher_stop();
    launcher_start_as(1000);
    reply = launcher_call(&request, NULL, 0, NULL);
    ck_assert_int_ne(reply.refused_ranges, 0);
    ck_assert_uint_eq(reply.refused_ranges_step, LAUNCH_STEP_ID_HELPER);
    ck_assert_str_eq(launcher_children(), "");
}
END_TEST

static struct LaunchReply send_malformed(const Malformed *row)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(30 * sizeof(int))];
    } control = { .bytes = { 0 } };
    char data[sizeof row->request + 1] = { 0 };
    int fd = row->kind == PLAIN ? open("/dev/null", O_RDWR | O_CLOEXEC)
                                : socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    size_t size = row->size == 0 ? sizeof row->request : row->size == 0xffff ? 0 : row->size;
    struct iovec part = { data, size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    struct LaunchReply reply = { .error = -1 };

    memcpy(data, &row->request, sizeof row->request);
    if (row->fds > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE((size_t)row->fds * sizeof(int));
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN((size_t)row->fds * sizeof(int)),
                                           .cmsg_level = SOL_SOCKET,
                                           .cmsg_type = SCM_RIGHTS };
    }
    for (int i = 0; i < row->fds; i++)
        memcpy(CMSG_DATA(&control.header) + (size_t)i * sizeof fd, &fd, sizeof fd);
    ck_assert_int_eq(sendmsg(launcher, &message, 0), (ssize_t)size);
    ck_assert_int_eq(recv(launcher, &reply, sizeof reply, 0), sizeof reply);
    (void)close(fd);
    return reply;
}

START_TEST(a_request_that_is_not_right_is_refused_and_nothing_else)
{
    int before = launcher_fd_count();

    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct LaunchReply reply = send_malformed(&malformed[i]);

        ck_assert_msg(reply.step == LAUNCH_STEP_REQUEST && reply.error == malformed[i].error,
                      "%s: step %u, error %d", malformed[i].name, reply.step, reply.error);
        ck_assert_int_eq(reply.pid, 0);
    }
    ck_assert_int_eq(launcher_fd_count(), before);
}
END_TEST

/* ---- answers --------------------------------------------------------------------------------- */

START_TEST(a_probe_tells_what_can_be_made)
{
    struct LaunchRequest request = launch_request(LAUNCH_PROBE);
    struct LaunchReply reply = launcher_call(&request, NULL, 0, NULL);

    ck_assert_int_eq(reply.error, 0);
    ck_assert_uint_eq(reply.privileged, 1);
    for (int i = 0; i < NAMESPACE_COUNT; i++)
        ck_assert_msg(reply.refused[i] == 0, "namespace %d: %s", i, strerror(reply.refused[i]));
    ck_assert_str_eq(launcher_children(), "");
}
END_TEST

START_TEST(an_unprivileged_probe_says_that_it_is)
{
    struct LaunchRequest request = launch_request(LAUNCH_PROBE);
    struct LaunchReply reply;

    launcher_stop();
    launcher_start_as(1000);
    reply = launcher_call(&request, NULL, 0, NULL);
    ck_assert_int_eq(reply.error, 0);
    ck_assert_uint_eq(reply.privileged, 0);
    for (int i = 0; i < NAMESPACE_COUNT; i++)
        ck_assert_int_eq(reply.refused[i], reply.refused[NAMESPACE_USER]);
}
END_TEST

START_TEST(an_init_that_has_ended_keeps_its_pid_until_it_is_let_go)
{
    Run *run = run_new_shell("exit 5");
    struct LaunchRequest reap = launch_request(LAUNCH_REAP);

    run_start(run);
    await_state(run->pid, 'Z');
    ck_assert_int_eq(run_wait(run), 5);
    ck_assert(has_state(run->pid, '\0'));
    reap.pid = run->pid;
    ck_assert_int_eq(launcher_call(&reap, NULL, 0, NULL).error, ECHILD);
    run_free(run);
}
END_TEST

START_TEST(an_init_that_lives_is_not_let_go)
{
    Run *run = run_new_sandbox();
    struct LaunchRequest reap = launch_request(LAUNCH_REAP);

    run_start(run);
    reap.pid = run->pid;
    ck_assert_int_eq(launcher_call(&reap, NULL, 0, NULL).error, EAGAIN);
    run_signal(run, SIGKILL);
    ck_assert_int_eq(run_wait(run), 1000 + SIGKILL);
    run_free(run);
}
END_TEST

START_TEST(an_instance_outlives_the_launcher)
{
    Run *run = run_new_shell("sleep 0.2; exit 3");

    run_start(run);
    launcher_stop();
    for (int left = 3000; left > 0 && run_record(run).phase != RECORD_ENDED; left--)
        (void)poll(NULL, 0, 1);
    ck_assert_int_eq(run_record(run).cld_status, 3);
    run_free(run);
}
END_TEST

static void start_that_kills_at_end(void)
{
    const char *program = getenv("CONSTELLATION_LAUNCHER");
    char init[512];
    int pair[2];

    launcher_stop();
    (void)snprintf(init, sizeof init, "--init=%s", getenv("CONSTELLATION_INIT"));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    launcher_pid = fork();
    if (launcher_pid == 0) {
        (void)dup2(pair[1], 3);
        (void)execl(program, program, "--fd=3", init, "--kill-at-end", (char *)NULL);
        _exit(127);
    }
    (void)close(pair[1]);
    launcher = pair[0];
}

START_TEST(with_kill_at_end_nothing_outlives_the_client)
{
    Run *payload = run_new_shell("sleep 300"), *sandbox = run_new_sandbox();

    start_that_kills_at_end();
    run_start(payload);
    run_start(sandbox);
    launcher_stop();
    ck_assert_uint_eq(run_record(payload).phase, RECORD_ENDED);
    ck_assert_int_eq(run_record(payload).cld_status, SIGKILL);
    ck_assert_uint_eq(run_record(sandbox).phase, RECORD_ENDED);
    run_free(payload);
    run_free(sandbox);
}
END_TEST

/* ---- connections ----------------------------------------------------------------------------- */

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static char directory[] = "/tmp/launcher-XXXXXX";

/* What a socket unit does. */
static void start_activated(const char *unit)
{
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    const char *program = getenv("CONSTELLATION_LAUNCHER");
    char init[512], pid[16];

    launcher_stop();
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chmod(directory, 0755), 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(chmod(address.sun_path, 0777), 0);
    ck_assert_int_eq(listen(listener, 8), 0);
    (void)snprintf(init, sizeof init, "--init=%s", getenv("CONSTELLATION_INIT"));
    launcher_pid = fork();
    if (launcher_pid == 0) {
        (void)dup2(listener, 3);
        (void)snprintf(pid, sizeof pid, "%d", getpid());
        (void)setenv("LISTEN_PID", pid, 1);
        (void)setenv("LISTEN_FDS", "1", 1);
        (void)execl(program, program, init, unit, (char *)NULL);
        _exit(127);
    }
    (void)close(listener);
}

static void stop_activated(void)
{
    launcher = fd_close(launcher);
    (void)kill(launcher_pid, SIGTERM);
    (void)waitpid(launcher_pid, NULL, 0);
    launcher_pid = -1;
    ck_assert_int_eq(unlink(address.sun_path), 0);
    ck_assert_int_eq(rmdir(directory), 0);
}

static int connect_to_launcher(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Whether the launcher answers on this connection rather than closing it. */
static bool is_served(int fd)
{
    struct LaunchRequest request = launch_request(LAUNCH_PROBE);
    struct LaunchReply reply;

    return send(fd, &request, sizeof request, MSG_NOSIGNAL) == (ssize_t)sizeof request &&
           recv(fd, &reply, sizeof reply, 0) == (ssize_t)sizeof reply;
}

START_TEST(a_second_connection_is_closed_until_the_first_is_gone)
{
    int first, second;

    start_activated(NULL);
    first = connect_to_launcher();
    ck_assert(is_served(first));
    second = connect_to_launcher();
    ck_assert(!is_served(second));
    (void)close(second);
    ck_assert(is_served(first));
    for (int i = 0; i < 200; i++) {
        (void)close(first);
        first = connect_to_launcher();
        ck_assert_msg(is_served(first), "round %d", i);
    }
    (void)close(first);
    stop_activated();
}
END_TEST

START_TEST(another_user_is_not_served)
{
    int fd;

    start_activated(NULL);
    ck_assert_int_eq(setresuid(1000, 1000, 0), 0);
    fd = connect_to_launcher();
    ck_assert_int_eq(setresuid(0, 0, 0), 0);
    ck_assert(!is_served(fd));
    (void)close(fd);
    fd = connect_to_launcher();
    ck_assert(is_served(fd));
    (void)close(fd);
    stop_activated();
}
END_TEST

START_TEST(a_process_of_another_unit_is_not_served)
{
    int fd;

    start_activated("--unit=constellation-no-such.service");
    fd = connect_to_launcher();
    ck_assert(!is_served(fd));
    (void)close(fd);
    stop_activated();
}
END_TEST

static void enter_cgroup(int cgroup)
{
    int procs = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);

    ck_assert_int_eq(write(procs, "0", 1), 1);
    (void)close(procs);
}

START_TEST(a_process_of_the_unit_is_served)
{
    char path[256], unit[300];
    int cgroup = cgroup_make(path), root, fd;

    if (cgroup < 0)
        SKIP("no cgroup2 to make a cgroup in");
    (void)snprintf(unit, sizeof unit, "--unit=%s", strrchr(path, '/') + 1);
    start_activated(unit);
    enter_cgroup(cgroup);
    fd = connect_to_launcher();
    ck_assert(is_served(fd));
    (void)close(fd);
    root = openat(cgroup, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enter_cgroup(root);
    ck_assert_int_eq(rmdir(path), 0);
    stop_activated();
    (void)close(root);
    (void)close(cgroup);
}
END_TEST

START_TEST(what_nobody_lets_go_of_is_reaped_when_nobody_is_there)
{
    Run *ended = run_new_shell("exit 0"), *waiting = run_new_sandbox();

    start_activated(NULL);
    launcher = connect_to_launcher();
    run_start(ended);
    run_start(waiting);
    await_state(ended->pid, 'Z');
    launcher = fd_close(launcher);
    await_state(ended->pid, '\0');
    run_signal(waiting, SIGTERM);
    await_state(waiting->pid, '\0');
    stop_activated();
    run_free(ended);
    run_free(waiting);
}
END_TEST

SUITE_MAIN_WITH("system/launcher", launcher_start, launcher_stop,
                a_request_that_is_not_right_is_refused_and_nothing_else,
                a_map_that_is_not_right_is_refused, a_probe_with_a_map_tries_it,
                a_probe_tells_what_can_be_made, an_unprivileged_probe_says_that_it_is,
                an_init_that_has_ended_keeps_its_pid_until_it_is_let_go,
                an_init_that_lives_is_not_let_go, an_instance_outlives_the_launcher,
                with_kill_at_end_nothing_outlives_the_client,
                a_second_connection_is_closed_until_the_first_is_gone, another_user_is_not_served,
                a_process_of_another_unit_is_not_served, a_process_of_the_unit_is_served,
                what_nobody_lets_go_of_is_reaped_when_nobody_is_there)
