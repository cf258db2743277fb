/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "peers.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "series.h"

enum { START_TIMEOUT_MSEC = 10000, STACK_SIZE = 64 * 1024 };

static pid_t peer_spawn(const char *probe, const Stamps *stamps)
{
    const char *argv[] = { "systemd-run", "--scope", "--quiet",    "--",
                           probe,         "stamp",   stamps->path, NULL };
    pid_t pid;
    int r = posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ);

    if (r != 0)
        fail(r, argv[0]);
    return pid;
}

static void expect_success(const char *who, int status)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        errx(1, "%s failed with wait status %#x", who, (unsigned)status);
}

static void wait_for(const char *who, pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            fail(errno, who);
    expect_success(who, status);
}

static uint64_t usec_until_stamp(const char *who, uint64_t begin_nsec, Stamps *stamps)
{
    uint64_t stamp = stamps_next(stamps, START_TIMEOUT_MSEC);

    if (stamp <= begin_nsec)
        errx(1, "%s: no stamp of its payload", who);
    return (stamp - begin_nsec) / 1000;
}

uint64_t peer_start(const char *probe, Stamps *stamps)
{
    uint64_t begin = now_nsec();
    pid_t pid = peer_spawn(probe, stamps);
    uint64_t usec = usec_until_stamp("systemd-run", begin, stamps);

    wait_for("systemd-run", pid);
    return usec;
}

typedef struct Payload {
    const char *probe;
    const char *path;
    int error;
} Payload;

static int execute(void *userdata)
{
    Payload *payload = userdata;
    const char *argv[] = { payload->probe, "stamp", payload->path, NULL };

    (void)execve(payload->probe, (char **)argv, environ);
    payload->error = errno;
    _exit(1);
}

/* As posix_spawn does it, with namespaces: the memory is shared until exec, nothing is copied.
 * Returns 0, or the errno of the clone. */
static int bare_clone(const char *probe, const Stamps *stamps)
{
    static char stack[STACK_SIZE] __attribute__((aligned(16)));
    Payload payload = { .probe = probe, .path = stamps->path };
    pid_t pid = clone(execute, stack + sizeof stack,
                      CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_VM |
                          CLONE_VFORK | SIGCHLD,
                      &payload);

    if (pid < 0)
        return errno;
    if (payload.error != 0)
        fail(payload.error, probe);
    wait_for(probe, pid);
    return 0;
}

uint64_t bare_start(const char *probe, Stamps *stamps)
{
    uint64_t begin = now_nsec();
    int error = bare_clone(probe, stamps);

    if (error != 0)
        fail(error, "clone");
    return usec_until_stamp("clone", begin, stamps);
}

bool bare_is_possible(const char *probe, Stamps *stamps)
{
    int error = bare_clone(probe, stamps);

    if (error == 0)
        return stamps_next(stamps, START_TIMEOUT_MSEC) != 0;
    if (error != EPERM)
        fail(error, "clone");
    return false;
}

double peer_throughput(const char *probe, Stamps *stamps, unsigned total, unsigned in_flight)
{
    uint64_t begin = now_nsec(), last = begin;
    unsigned running = 0;

    for (unsigned spawned = 0, stamped = 0; stamped < total;) {
        for (; spawned < total && running < in_flight; spawned++, running++)
            (void)peer_spawn(probe, stamps);

        uint64_t stamp = stamps_next(stamps, START_TIMEOUT_MSEC);
        if (stamp == 0)
            errx(1, "systemd-run: no stamp of its payload");
        last = stamp > last ? stamp : last;
        stamped++;

        int status;
        if (wait(&status) < 0)
            fail(errno, "systemd-run");
        expect_success("systemd-run", status);
        running--;
    }
    return total / ((double)(last - begin) / 1e9);
}
