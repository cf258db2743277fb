/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* clone3() in the manner of posix_spawn: the child borrows our memory (CLONE_VM), runs on a stack
 * of its own, and we are suspended until it has executed something or exited (CLONE_VFORK). No
 * page table is copied. No libc has this: its clone() cannot pass CLONE_INTO_CGROUP, and clone3()
 * with a stack cannot be called from C, since the child would return onto a stack without frames.
 *
 * On other architectures the child is a copy of us, and we wait for it all the same. Either way
 * `child` must not return into anything that it did not call itself.
 *
 * The filters of many containers do not let clone3() through, since they cannot look at its flags,
 * and say ENOSYS. Then clone() has to do, which cannot put the child into a cgroup. */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "launcher/clone.h"
#include "util/syscalls.h"

#define CLONE_STACK_SIZE 16384u /* bytes; the children use less than one page of it */

/* What clone() takes of it. */
static int old_flags(const struct clone_args *args)
{
    return (int)(args->flags | args->exit_signal);
}

pid_t clone_fork(const struct clone_args *args)
{
    long pid = syscall(SYS_clone3, args, sizeof *args);

    if (pid >= 0 || errno != ENOSYS || (args->flags & CLONE_INTO_CGROUP) != 0)
        return pid < 0 ? -errno : (pid_t)pid;
#if defined(__s390__)
    pid = syscall(SYS_clone, NULL, old_flags(args), (int *)(uintptr_t)args->pidfd, NULL, 0);
#else
    pid = syscall(SYS_clone, old_flags(args), NULL, (int *)(uintptr_t)args->pidfd, NULL, 0);
#endif
    return pid < 0 ? -errno : (pid_t)pid;
}

#if defined(__x86_64__) || (defined(__aarch64__) && defined(__LP64__))
static pid_t old_clone_vfork(const struct clone_args *args, int (*child)(void *), void *arg)
{
    char *top = (char *)(uintptr_t)(args->stack + args->stack_size);
    int pid = clone(child, top, old_flags(args), arg, (pid_t *)(uintptr_t)args->pidfd);

    return pid < 0 ? -errno : pid;
}
#endif

pid_t clone_vfork(struct clone_args *args, int (*child)(void *), void *arg)
{
#if defined(__x86_64__) || (defined(__aarch64__) && defined(__LP64__))
    static char stack[CLONE_STACK_SIZE] __attribute__((aligned(16)));

    args->flags |= CLONE_VM | CLONE_VFORK;
    args->stack = (uint64_t)(uintptr_t)stack;
    args->stack_size = sizeof stack;
#if defined(__x86_64__)
    long result;

    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %[child], %%rax\n\t"
                     "mov %[arg], %%rdi\n\t"
                     "xor %%ebp, %%ebp\n\t" /* the outermost frame; may have been one of the two */
                     "call *%%rax\n\t"
                     "mov %%eax, %%edi\n\t"
                     "mov %[exit], %%eax\n\t"
                     "syscall\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(result)
                     : "a"((long)SYS_clone3), "D"(args),
                       "S"(sizeof *args), [child] "r"(child), [arg] "r"(arg), [exit] "i"(SYS_exit)
                     : "rcx", "r11", "memory", "cc");
#else
    register long result __asm__("x0") = (long)args;
    register long size __asm__("x1") = sizeof *args;
    register long number __asm__("x8") = SYS_clone3;

    __asm__ volatile("svc #0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x9, %[child]\n\t"
                     "mov x0, %[arg]\n\t"
                     "mov x29, xzr\n\t" /* the outermost frame; may have been one of the two */
                     "blr x9\n\t"
                     "mov x8, %[exit]\n\t"
                     "svc #0\n\t"
                     "brk #0\n"
                     "1:"
                     : "+r"(result)
                     : "r"(size),
                       "r"(number), [child] "r"(child), [arg] "r"(arg), [exit] "i"(SYS_exit)
                     : "x9", "memory", "cc");
#endif
    if (result == -ENOSYS && (args->flags & CLONE_INTO_CGROUP) == 0)
        return old_clone_vfork(args, child, arg);
    return (pid_t)result;
#else
    pid_t result;

    args->flags |= CLONE_VFORK;
    result = clone_fork(args);
    if (result == 0)
        _exit(child(arg));
    return result;
#endif
}
