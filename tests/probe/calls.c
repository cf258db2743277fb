/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `probe calls`: one system call of each kind, with arguments that do nothing, and what the kernel
 * answers. A filter answers before the kernel looks at the arguments, so its answer is told from
 * the kernel's by an errno that the kernel has no reason to give. */

#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOWHERE ((long)"")

static const struct {
    const char *name;
    long number;
    long args[4];
} samples[] = {
    { "access", SYS_access, { NOWHERE, 0, 0, 0 } },
    { "alarm", SYS_alarm, { 0, 0, 0, 0 } },
    { "bpf", SYS_bpf, { -1, 0, 0, 0 } },
    { "chroot", SYS_chroot, { NOWHERE, 0, 0, 0 } },
    { "clock_settime", SYS_clock_settime, { 1000, 0, 0, 0 } },
    { "delete_module", SYS_delete_module, { 0, 0, 0, 0 } },
    { "epoll_create1", SYS_epoll_create1, { -1, 0, 0, 0 } },
    { "fchown", SYS_fchown, { -1, -1, -1, 0 } },
    { "fsync", SYS_fsync, { -1, 0, 0, 0 } },
    { "getpid", SYS_getpid, { 0, 0, 0, 0 } },
    { "io_setup", SYS_io_setup, { 0, 0, 0, 0 } },
    { "io_uring_setup", SYS_io_uring_setup, { 0, 0, 0, 0 } },
    { "iopl", SYS_iopl, { 9, 0, 0, 0 } },
    { "kcmp", SYS_kcmp, { -1, -1, 99, 0 } },
    { "keyctl", SYS_keyctl, { 9999, 0, 0, 0 } },
    { "kill", SYS_kill, { 0x3fffffff, 0, 0, 0 } },
    { "landlock_create_ruleset", 444, { 0, 0, 1, 0 } },
    { "modify_ldt", SYS_modify_ldt, { 0, 0, 0, 0 } },
    { "mount", SYS_mount, { 0, NOWHERE, 0, 0 } },
    { "munlock", SYS_munlock, { 0, 0, 0, 0 } },
    { "perf_event_open", SYS_perf_event_open, { 0, 0, 0, 0 } },
    { "pipe2", SYS_pipe2, { 0, -1, 0, 0 } },
    { "pkey_free", 331, { -1, 0, 0, 0 } },
    { "prctl", SYS_prctl, { 9999, 0, 0, 0 } },
    { "read", SYS_read, { -1, 0, 0, 0 } },
    { "reboot", SYS_reboot, { 0, 0, 0, 0 } },
    { "rt_sigprocmask", SYS_rt_sigprocmask, { 99, 0, 0, 0 } },
    { "sched_setscheduler", SYS_sched_setscheduler, { -1, 0, 0, 0 } },
    { "setgroups", SYS_setgroups, { -1, 0, 0, 0 } },
    { "setpriority", SYS_setpriority, { 99, 0, 0, 0 } },
    { "shmget", SYS_shmget, { 0, 0, 0, 0 } },
    { "socket", SYS_socket, { -1, 0, 0, 0 } },
    { "swapoff", SYS_swapoff, { NOWHERE, 0, 0, 0 } },
    { "syslog", SYS_syslog, { 9999, 0, 0, 0 } },
    { "timer_delete", SYS_timer_delete, { -1, 0, 0, 0 } },
    { "umount2", SYS_umount2, { NOWHERE, 0, 0, 0 } },
    { "userfaultfd", SYS_userfaultfd, { -1, 0, 0, 0 } },
    { "ustat", SYS_ustat, { -1, 0, 0, 0 } },
    { "waitid", SYS_waitid, { 99, 0, 0, 0 } },
};

static int verb_calls(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const long *args = samples[i].args;

        errno = 0;
        (void)syscall(samples[i].number, args[0], args[1], args[2], args[3], 0, 0);
        answer(samples[i].name, "%d", errno);
    }
    return 0;
}

static int verb_call(int argc, char **argv)
{
    long args[6] = { 0 };
    long result;

    for (int i = 2; i < argc; i++)
        args[i - 2] = (long)strtoul(argv[i], NULL, 0);
    errno = 0;
    result = syscall(strtol(argv[1], NULL, 0), args[0], args[1], args[2], args[3], args[4],
                     args[5]);
    answer("result", "%ld", result);
    answer("errno", "%d", result < 0 ? errno : 0);
    return 0;
}

/* getpid() as programs of 32 bits do it. */
static int verb_int80(int argc, char **argv)
{
    long result = 20;

    (void)argc;
    (void)argv;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    answer("result", "%ld", result);
    return 0;
}

const Verb call_verbs[] = {
    { "calls", verb_calls, 0, 0, "calls                        one of each kind" },
    { "call", verb_call, 1, 7, "call NUMBER [ARGUMENT...]    of the system, by its number" },
    { "int80", verb_int80, 0, 0, "int80                        getpid() in the way of i386" },
    { NULL, NULL, 0, 0, NULL },
};
