/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ways out through other processes: the first one of the instance, which is not the payload's, and
 * those of the host, which must not be there. */

#include "escape.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef PTRACE_SEIZE
#define PTRACE_SEIZE 0x4206
#endif

static int see_the_hosts_init(void)
{
    char comm[32] = "";
    int fd = open("/proc/1/comm", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, comm, sizeof comm - 1) < 0)
        return errno;
    return strcmp(comm, "systemd\n") == 0 ? 0 : ESRCH;
}

static int look_into_root_of_init(void)
{
    return try_open("/proc/1/root/etc", O_RDONLY | O_DIRECTORY);
}

static int look_into_cwd_of_init(void)
{
    return try_open("/proc/1/cwd/.", O_RDONLY | O_DIRECTORY);
}

static int take_descriptors_of_init(void)
{
    char path[32], target[256];
    int result = ENOENT;

    for (int fd = 0; fd < 64; fd++) {
        (void)snprintf(path, sizeof path, "/proc/1/fd/%d", fd);
        if (readlink(path, target, sizeof target) >= 0)
            return 0;
        if (errno != ENOENT)
            result = errno;
    }
    return result;
}

static int take_program_of_init(void)
{
    return try_open("/proc/1/exe", O_RDONLY);
}

static int write_memory_of_init(void)
{
    return try_open("/proc/1/mem", O_RDWR);
}

static int read_environment_of_init(void)
{
    char byte;
    int fd = open("/proc/1/environ", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? errno : refused_by(read(fd, &byte, 1));
}

static int read_map_of_init(void)
{
    char byte;
    int fd = open("/proc/1/maps", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? errno : refused_by(read(fd, &byte, 1));
}

static int enter_namespace_of_init(void)
{
    return try_open("/proc/1/ns/mnt", O_RDONLY);
}

static int trace_init(void)
{
    return refused_by(ptrace(PTRACE_SEIZE, 1, NULL, NULL));
}

static int read_init_by_vm(void)
{
    char byte;
    struct iovec here = { &byte, 1 }, there = { (void *)0x1000, 1 };

    /* EFAULT: it was allowed, and there is nothing at this address. */
    return syscall(SYS_process_vm_readv, 1, &here, 1L, &there, 1L, 0L) < 0 && errno != EFAULT
               ? errno
               : 0;
}

static int steal_descriptor_of_init(void)
{
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);

    return pidfd < 0 ? errno : refused_by(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

static int compare_with_init(void)
{
    return syscall(SYS_kcmp, 1, getpid(), 0 /* KCMP_FILE */, 0, 0) < 0 ? errno : 0;
}

static int move_pages_of_init(void)
{
    return refused_by(syscall(SYS_move_pages, 1, 0UL, NULL, NULL, NULL, 0));
}

static int kill_init(void)
{
    if (kill(1, SIGKILL) < 0)
        return errno;
    (void)usleep(100000); /* with it we would be gone */
    return IGNORED;
}

/* The code that a signal from outside has, and a sender nobody can be. */
static int forge_command_to_init(void)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = 33 + SIGKILL;
    info.si_code = SI_USER;
    return refused_by(syscall(SYS_rt_sigqueueinfo, 1, info.si_signo, &info));
}

static int attach_hosts_memory(void)
{
    return refused_by(shmget(0x5ca9e, 0, 0));
}

static int connect_to(const char *path, int type)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    (void)strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    return fd < 0 ? errno : refused_by(connect(fd, (struct sockaddr *)&address, sizeof address));
}

static int talk_to_the_launcher(void)
{
    return connect_to("/run/constellation/launcher", SOCK_SEQPACKET);
}

static int talk_to_the_hosts_init(void)
{
    return connect_to("/run/systemd/private", SOCK_STREAM);
}

/* Descriptors that were left open are the shortest way out. */
static int find_a_leaked_descriptor(void)
{
    for (int fd = 3; fd < 1024; fd++) {
        struct stat status;

        /* The runner's own pipe. */
        if (fstat(fd, &status) == 0 && !S_ISFIFO(status.st_mode))
            return 0;
    }
    return EBADF;
}

static int find_a_directory_in_the_standard_ones(void)
{
    for (int fd = 0; fd < 3; fd++) {
        struct stat status;

        if (fstat(fd, &status) == 0 && (S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode)))
            return 0;
    }
    return ENOTDIR;
}

static int stand_outside_of_the_root(void)
{
    char now[4096];

    return syscall(SYS_getcwd, now, sizeof now) > 0 && now[0] != '/' ? 0 : ENOENT;
}

const Probe process_probes[] = {
    { "see-the-hosts-init", see_the_hosts_init, BY_ROOT, NULL },
    { "look-into-root-of-init", look_into_root_of_init, BY_ROOT, NULL },
    { "look-into-cwd-of-init", look_into_cwd_of_init, BY_ROOT, NULL },
    { "take-descriptors-of-init", take_descriptors_of_init, BY_ROOT, NULL },
    { "take-program-of-init", take_program_of_init, BY_ROOT, NULL },
    { "write-memory-of-init", write_memory_of_init, BY_ROOT, NULL },
    { "read-environment-of-init", read_environment_of_init, BY_ROOT, NULL },
    { "read-map-of-init", read_map_of_init, BY_ROOT, NULL },
    { "enter-namespace-of-init", enter_namespace_of_init, BY_ROOT, NULL },
    { "trace-init", trace_init, BY_ROOT, NULL },
    { "read-init-by-vm", read_init_by_vm, BY_ROOT, NULL },
    { "steal-descriptor-of-init", steal_descriptor_of_init, BY_ROOT, NULL },
    { "compare-with-init", compare_with_init, BY_ROOT, NULL },
    { "move-pages-of-init", move_pages_of_init, BY_ROOT, NULL },
    { "kill-init", kill_init, UNPROVEN, "unconfined it would be the machine's" },
    { "forge-command-to-init", forge_command_to_init, UNPROVEN,
      "unconfined it would be a signal to the machine's first process" },
    { "attach-hosts-memory", attach_hosts_memory, BY_ROOT, NULL },
    { "talk-to-the-launcher", talk_to_the_launcher, BY_ROOT, NULL },
    { "talk-to-the-hosts-init", talk_to_the_hosts_init, BY_ROOT, NULL },
    { "find-a-leaked-descriptor", find_a_leaked_descriptor, BY_ROOT, NULL },
    { "find-a-directory-in-the-standard-ones", find_a_directory_in_the_standard_ones, BY_ROOT,
      NULL },
    { "stand-outside-of-the-root", stand_outside_of_the_root, UNPROVEN,
      "the way there is what the suite is about: a directory left over by pivot_root" },
    { NULL, NULL, UNPROVEN, NULL },
};
