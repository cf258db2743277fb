/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of placing share. */

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "system/placing-harness.h"
#include "util/event.h"
#include "util/fd.h"
#include "util/syscalls.h"
#include "util/timer.h"

/* ---- processes ------------------------------------------------------------------------------- */

static volatile sig_atomic_t
    forks; /* 1 in a child of the test, 0 in its children and in the test */

static void on_usr1(int signal)
{
    (void)signal;
    if (forks > 0 && fork() == 0)
        forks = 0;
}

static _Noreturn void child_main(bool spin)
{
    for (;;)
        if (!spin)
            (void)pause();
}

/* With all handlers in place before there is anybody to send a signal to. */
static Child child_clone(struct clone_args *args, bool spin)
{
    Child child = { .pidfd = -1 };

    (void)signal(SIGUSR1, on_usr1);
    (void)signal(SIGTERM, SIG_DFL); /* check's own handler would end the test with the child */
    forks = 1;
    args->exit_signal = SIGCHLD;
    child.pid = (pid_t)syscall(SYS_clone3, args, sizeof(*args));
    ck_assert_int_ge(child.pid, 0);
    if (child.pid == 0)
        child_main(spin);
    forks = 0;
    child.pidfd = sys_pidfd_open(child.pid);
    ck_assert_int_ge(child.pidfd, 0);
    return child;
}

Child child_start(bool spin)
{
    struct clone_args args = { 0 };

    return child_clone(&args, spin);
}

Child child_start_in(int cgroup_fd)
{
    struct clone_args args = { .flags = CLONE_INTO_CGROUP, .cgroup = (unsigned)cgroup_fd };

    return child_clone(&args, false);
}

static unsigned child_count_children(const Child *child)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", child->pid, child->pid);
    g_autofree char *text = NULL;
    unsigned count = 0;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    for (const char *end = text; *end; end++)
        count += *end == ' '; /* behind each */
    return count;
}

/* One signal at a time: two that wait are one. */
void child_fork_more(Child *child, unsigned n)
{
    const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
    unsigned wanted = child_count_children(child);

    for (unsigned i = 0; i < n; i++) {
        wanted++;
        ck_assert_int_eq(kill(child->pid, SIGUSR1), 0);
        for (int turn = 0; turn < 400 && child_count_children(child) < wanted; turn++)
            (void)nanosleep(&pause, NULL);
        ck_assert_uint_eq(child_count_children(child), wanted);
    }
}

bool child_has_ended(const Child *child)
{
    struct pollfd poll_fd = { .fd = child->pidfd, .events = POLLIN };

    return poll(&poll_fd, 1, 2000) == 1;
}

void child_end(Child *child)
{
    (void)sys_pidfd_send_signal(child->pidfd, SIGKILL);
    (void)waitpid(child->pid, NULL, 0);
    child->pidfd = fd_close(child->pidfd);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
    bool *over = userdata;

    (void)source, (void)usec;
    *over = true;
    return 0;
}

bool loop_until(sd_event *event, const bool *flag, unsigned timeout_msec)
{
    sd_event_source *timer = NULL;
    bool over = false;

    ck_assert_int_ge(
        timer_start(event, &timer, timeout_msec * UINT64_C(1000), on_timeout, &over, "test"), 0);
    while (!over && !*flag)
        ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
    timer_stop(&timer);
    return *flag;
}

void loop_for(sd_event *event, unsigned msec)
{
    const bool never = false;

    (void)loop_until(event, &never, msec);
}

/* ---- placing --------------------------------------------------------------------------------- */

void on_placed(Placement *placement, GError *error, void *userdata)
{
    Placed *placed = userdata;

    (void)placement;
    ck_assert(!placed->done);
    placed->done = true;
    placed->error = error ? g_error_copy(error) : NULL;
}

PlacementRequest request_for(const char *realm, const char *launch_id, const Limits *limits)
{
    static const Limits none;

    return (PlacementRequest){
        .realm = realm,
        .launch_id = launch_id,
        .description = "a test of Constellation",
        .owner = HARNESS_OWNER,
        .limits = limits ? limits : &none,
        .timeout_stop_usec = 1000 * 1000,
        .timeout_usec = 20 * 1000 * 1000,
        .kill_signal = SIGTERM,
    };
}

char *next_launch_id(void)
{
    static unsigned n;

    return g_strdup_printf("i%d_%u", getpid(), n++);
}

Placement *place(Resources *resources, sd_event *event, const char *rung,
                 const PlacementRequest *request, const Child *child, GError **error)
{
    Placed placed = { 0 };
    Placement *placement = backend_prepare(resources, backend_by_name(rung), request, error);

    if (!placement ||
        backend_place(resources, placement, request, child->pid, child->pidfd, on_placed, &placed))
        return placement;
    ck_assert_msg(!placed.done, "a callback from inside of backend_place()");
    ck_assert_msg(loop_until(event, &placed.done, 25000), "no answer to backend_place()");
    if (!placed.error)
        return placement;
    g_propagate_error(error, placed.error);
    backend_release(resources, placement);
    return NULL;
}

bool path_exists(const char *mount, const char *control_group)
{
    g_autofree char *path = g_strconcat(mount, control_group, NULL);

    return access(path, F_OK) == 0;
}
