/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LAUNCH_PROBE: which namespaces this process can make, found out by making one of each. Sysctls,
 * limits, security modules and containers around us all have a say; the kernel's own answer is the
 * only one that counts them all. */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/clone.h"
#include "launcher/launcher.h"
#include "util/fd.h"
#include "util/syscalls.h"

struct Probe {
    const struct Launcher *launcher;
    uint64_t unshare; /* namespaces that the child makes */
    bool map;         /* whether it maps its ids, without which a user namespace is of no use */
};

static uint64_t own_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, sets) < 0)
        return 0;
    return sets[0].effective | (uint64_t)sets[1].effective << 32;
}

/* More descriptors than this nobody may be allowed. A hardened constellationd cannot see it. */
static uint64_t read_files_max(void)
{
    char text[sizeof "18446744073709551615\n"];
    auto_fd fd = open("/proc/sys/fs/nr_open", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (length <= 0)
        return 0;
    text[length] = '\0';
    return strtoull(text, NULL, 10);
}

bool probe_privileged(void)
{
    return (own_capabilities() & UINT64_C(1) << CAP_SYS_ADMIN) != 0;
}

/* The exit status is the errno: it fits. */
static int probe_child(void *arg)
{
    const struct Probe *probe = arg;
    int error = 0;

    if (probe->map)
        error = idmap_write_single(probe->launcher, probe->launcher->uid, probe->launcher->gid);
    if (error == 0 && probe->unshare != 0 && syscall(SYS_unshare, probe->unshare) < 0)
        error = errno;
    return error;
}

/* Two of them are made by the init with unshare(), after its clone, and so are they here. */
static int probe_one(const struct Launcher *launcher, uint64_t flag)
{
    const uint64_t later = CLONE_NEWCGROUP | CLONE_NEWTIME;
    struct Probe probe = { .launcher = launcher, .unshare = flag & later };
    struct clone_args args = { .flags = flag & ~later, .exit_signal = SIGCHLD };
    siginfo_t ended;
    pid_t pid;

    if (!launcher->privileged) {
        args.flags |= CLONE_NEWUSER;
        probe.map = true;
    }
    pid = clone_vfork(&args, probe_child, &probe);
    if (pid < 0)
        return -pid;
    if (waitid(P_PID, (id_t)pid, &ended, WEXITED) < 0)
        return errno;
    return ended.si_code == CLD_EXITED ? ended.si_status : ECANCELED;
}

struct RangesProbe {
    const struct Launcher *launcher;
    struct Held held;
};

static int probe_ranges_child(void *arg)
{
    struct RangesProbe *probe = arg;

    return held_become_root(probe->launcher, &probe->held);
}

/* Whether the maps of the request can be had: by writing them. */
static void probe_ranges(const struct Launcher *launcher, const struct LaunchRequest *request,
                         struct LaunchReply *reply)
{
    struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
    struct RangesProbe probe = { .launcher = launcher };
    siginfo_t ended;
    pid_t pid;

    *launcher->outcome = (struct Outcome){ .step = LAUNCH_STEP_NONE, .error = 0 };
    pid = held_clone(launcher, request, &args, &probe.held, probe_ranges_child, &probe);
    reply->refused_ranges_step = pid < 0 ? LAUNCH_STEP_CLONE : launcher->outcome->step;
    reply->refused_ranges = pid < 0 ? -pid : launcher->outcome->error;
    if (pid > 0 && waitid(P_PID, (id_t)pid, &ended, WEXITED) == 0 && reply->refused_ranges == 0)
        reply->refused_ranges = ended.si_code == CLD_EXITED ? ended.si_status : ECANCELED;
}

void probe_host(const struct Launcher *launcher, const struct LaunchRequest *request,
                struct LaunchReply *reply)
{
    static const uint64_t flags[NAMESPACE_COUNT] = {
        [NAMESPACE_USER] = CLONE_NEWUSER,   [NAMESPACE_PID] = CLONE_NEWPID,
        [NAMESPACE_MOUNT] = CLONE_NEWNS,    [NAMESPACE_UTS] = CLONE_NEWUTS,
        [NAMESPACE_IPC] = CLONE_NEWIPC,     [NAMESPACE_CGROUP] = CLONE_NEWCGROUP,
        [NAMESPACE_NETWORK] = CLONE_NEWNET, [NAMESPACE_TIME] = CLONE_NEWTIME,
    };

    reply->privileged = launcher->privileged;
    reply->capabilities = own_capabilities();
    reply->files_max = read_files_max();
    for (size_t i = 0; i < NAMESPACE_COUNT; i++)
        reply->refused[i] = probe_one(launcher, flags[i]);
    if (request->id_map == ID_MAP_RANGES)
        probe_ranges(launcher, request, reply);
}
