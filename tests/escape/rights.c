/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ways out through rights of one's own: ids, capabilities, priorities, limits. In a user namespace
 * root may become others of that namespace; so what counts is what is then possible on the host. */

#include "escape.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int read_a_secret(void)
{
    return try_open("/etc/shadow", O_RDONLY);
}

static int become_root(void)
{
    return setresuid(0, 0, 0) < 0 ? errno : read_a_secret();
}

static int become_another(void)
{
    if (setresuid(1001, 1001, 1001) < 0)
        return errno;
    return try_open("/tests/escape-other", O_RDONLY);
}

static int join_roots_group(void)
{
    return setresgid(0, 0, 0) < 0 ? errno : try_open("/tests/escape-group", O_RDONLY);
}

static int join_another_group(void)
{
    const gid_t groups[] = { 0, 42 };

    return setgroups(2, groups) < 0 ? errno : try_open("/tests/escape-group", O_RDONLY);
}

static int take_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2] = { 0 };

    if (syscall(SYS_capget, &header, sets) < 0)
        return errno;
    sets[CAP_SYS_ADMIN / 32].permitted |= 1u << CAP_SYS_ADMIN % 32;
    sets[CAP_SYS_ADMIN / 32].effective |= 1u << CAP_SYS_ADMIN % 32;
    return refused_by(syscall(SYS_capset, &header, sets));
}

static int raise_an_ambient_capability(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2] = { 0 };

    if (syscall(SYS_capget, &header, sets) < 0)
        return errno;
    sets[CAP_SYS_PTRACE / 32].inheritable |= 1u << CAP_SYS_PTRACE % 32;
    if (syscall(SYS_capset, &header, sets) < 0)
        return errno;
    return refused_by(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_PTRACE, 0, 0));
}

static int be_sooner_than_others(void)
{
    return refused_by(setpriority(PRIO_PROCESS, 0, -20));
}

static int be_sooner_than_all(void)
{
    const struct sched_param parameters = { .sched_priority = 1 };

    return refused_by(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &parameters));
}

static int read_the_disk_first(void)
{
    return refused_by(syscall(SYS_ioprio_set, 1, 0, 1 << 13)); /* this process, real time */
}

static int be_spared_by_the_oom_killer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    return fd < 0 ? errno : refused_by(write(fd, "-1000", 5));
}

static int raise_a_hard_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return errno;
    limit.rlim_max++;
    return refused_by(setrlimit(RLIMIT_NOFILE, &limit));
}

static int serve_a_port_of_root(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(81) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd < 0 ? errno : refused_by(bind(fd, (struct sockaddr *)&address, sizeof address));
}

const Probe right_probes[] = {
    { "become-root", become_root, BY_ROOT, NULL },
    { "become-another", become_another, BY_ROOT, NULL },
    { "join-roots-group", join_roots_group, BY_ROOT, NULL },
    { "join-another-group", join_another_group, BY_ROOT, NULL },
    { "take-capabilities", take_capabilities, BY_ROOT, NULL },
    { "raise-an-ambient-capability", raise_an_ambient_capability, BY_ROOT, NULL },
    { "be-sooner-than-others", be_sooner_than_others, BY_ROOT, NULL },
    { "be-sooner-than-all", be_sooner_than_all, BY_ROOT, NULL },
    { "read-the-disk-first", read_the_disk_first, BY_ROOT, NULL },
    { "be-spared-by-the-oom-killer", be_spared_by_the_oom_killer, BY_ROOT_VM, NULL },
    { "raise-a-hard-limit", raise_a_hard_limit, BY_ROOT_VM, NULL },
    { "serve-a-port-of-root", serve_a_port_of_root, BY_ROOT, NULL },
    { NULL, NULL, UNPROVEN, NULL },
};
