/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps that the init itself performs, up to the gate and just behind it. Nobody else is in
 * the instance yet, so nothing here can be raced from inside. */

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/init.h"
#include "init/procs.h"
#include "util/fd.h"
#include "util/syscalls.h"
#include "util/text.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* By a /proc that was there before anything of the owner's: what is at its path may be a file of
 * anybody's by now, and we may be root.
 *
 * /proc/self of a process that is not dumpable belongs to root. That is us, or else somebody who
 * may then not write to it: so be dumpable for the moment of the open. */
int self_open(const struct Init *init, const char *name)
{
    int fd = openat(init->proc, name, O_WRONLY | O_CLOEXEC);

    if (fd >= 0 || errno != EACCES)
        return fd;
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
        return -1;
    fd = openat(init->proc, name, O_WRONLY | O_CLOEXEC);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        fd = fd_close(fd);
    return fd;
}

/* number: the score + 1000, so 0 to 2000. */
int oom_score_write(const struct Init *init, uint32_t number)
{
    char text[16], *end = text;
    auto_fd fd = -1;

    if (number > 2000)
        return EINVAL;
    end = text_append(end, number < 1000 ? "-" : "");
    end = text_append_number(end, number < 1000 ? 1000 - number : number - 1000);
    fd = self_open(init, "self/oom_score_adj");
    if (fd < 0)
        return errno;
    return write(fd, text, (size_t)(end - text)) < 0 ? errno : 0;
}

/* The kernel gives it its addresses when it goes up. A socket of any family will do, and this one
 * is there in a kernel without IPv4 as well. */
static int perform_loopback(void)
{
    struct ifreq request = { .ifr_name = "lo" };
    auto_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return errno;
    request.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? errno : 0;
}

static int perform_time_namespace(struct Init *init)
{
    if (unshare(CLONE_NEWTIME) < 0)
        return errno;
    init->own_time_namespace = true;
    return 0;
}

static int perform_gate(struct Init *init, bool tell)
{
    static const struct WireMessage waiting = { .type = WIRE_WAITING };
    Received received = { .size = 0 };

    if (tell)
        ctl_send(init, &waiting);
    int error = ctl_wait(init, WIRE_GATE, &received);

    if (error == 0 && received.n_fds > 1)
        error = EBADMSG;
    if (error != 0) {
        received_done(&received);
        return error;
    }
    if (received.n_fds == 1)
        init->cgroup = received.fds[0];
    record_enter_phase(init, RECORD_RELEASED);
    return 0;
}

static int perform(struct Init *init, uint32_t index, const char **ret_path)
{
    const struct WireStep *step = &plan_steps(init->plan)[index];
    const char *path = plan_text(init->plan, step->path);

    switch (step->kind) {
    case STEP_SUBREAPER:
        return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? errno : 0;
    case STEP_OOM_SCORE:
        return oom_score_write(init, step->number);
    case STEP_MOUNTS_SLAVE:
        return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ? errno : 0;
    case STEP_HOSTNAME:
        return sethostname(path, strlen(path)) < 0 ? errno : 0;
    case STEP_LOOPBACK:
        return perform_loopback();
    case STEP_TIME_NAMESPACE:
        return perform_time_namespace(init);
    case STEP_GATE:
        return perform_gate(init, step->number != 0);
    case STEP_CGROUP_NAMESPACE:
        return unshare(CLONE_NEWCGROUP) < 0 ? errno : 0;
    default:
        return mounts_perform(init, index, ret_path);
    }
}

/* A mount of it that is in no tree: whatever becomes read-only or covered there, this stays. Where
 * that cannot be had (no mount namespace, an old kernel) the one in the tree has to do. */
static int proc_open(void)
{
    const unsigned flags = 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC | AT_RECURSIVE;
    long fd = syscall(SYS_open_tree, AT_FDCWD, "/proc", flags);

    return fd >= 0 ? (int)fd : open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void steps_perform(struct Init *init)
{
    const struct WireStep *steps = plan_steps(init->plan);

    init->proc = proc_open();
    for (uint32_t i = 0; i < init->plan->step_count && steps[i].kind < STEP_SESSION; i++) {
        const char *path = plan_string(init->plan, steps[i].path);
        int error = perform(init, i, &path);

        if (error == 0)
            continue;
        /* Behind a gate that did not open there is nothing to go on with. */
        if ((steps[i].flags & WIRE_STEP_REQUIRED) != 0 || steps[i].kind == STEP_GATE)
            ctl_give_up(init, steps[i].kind, error, path);
        ctl_send_fault(init, steps[i].kind, error, false, path);
    }
    procs_read_from(init->proc);
    (void)chdir("/"); /* wherever mounting has led us */
}
