/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The part of the filters that looks at arguments, written out: what is needed here is "none but
 * these values" of the low 32 bits, and libseccomp compares 64 and lets no argument be looked at
 * twice. The kernel takes most of these arguments as int and drops the upper half, so a comparison
 * of all 64 bits could be passed by with a 1 in it.
 *
 * Each call is a block: is it this one? if not, on to the next block. A program ends with ALLOW,
 * for the kernel takes the strictest of all filters that are loaded. */

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <asm/ioctls.h>

#include "isolation/filter.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

#define NAMESPACES                                                                                \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)

#define ASK_PERSONALITY 0xffffffffu /* sets nothing */
#define NETLINK_ROUTE   0u

#if defined __x86_64__
#define NATIVE_ARCH       AUDIT_ARCH_X86_64
#define OTHER_ARCH        AUDIT_ARCH_I386
#define OTHER_PERSONALITY 136u
#define X32_BIT           0x40000000u
#elif defined __aarch64__
#define NATIVE_ARCH       AUDIT_ARCH_AARCH64
#define OTHER_ARCH        AUDIT_ARCH_ARM
#define OTHER_PERSONALITY 136u
#define X32_BIT           0u
#else
#define NATIVE_ARCH 0u
#endif

_Static_assert(NATIVE_ARCH != 0, "the ABIs of this architecture are not known here");

/* The low half of an argument, on a machine with the low half first. */
#define ARGUMENT(n) ((uint32_t)offsetof(struct seccomp_data, args[n]))
_Static_assert(G_BYTE_ORDER == G_LITTLE_ENDIAN,
               "the low half of an argument is behind the high one");

static void add(GArray *program, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
    struct sock_filter instruction = { .code = code, .jt = if_true, .jf = if_false, .k = k };

    g_array_append_val(program, instruction);
}

static void load(GArray *program, uint32_t offset)
{
    add(program, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void give(GArray *program, uint32_t result)
{
    add(program, BPF_RET | BPF_K, result, 0, 0);
}

static void refuse(GArray *program, int error)
{
    give(program, SECCOMP_RET_ERRNO | (uint32_t)error);
}

/* Begins a block: what follows is for this call. end_call() closes it, with everything allowed that
 * has come that far. */
static guint begin_call(GArray *program, uint32_t number)
{
    load(program, (uint32_t)offsetof(struct seccomp_data, nr));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 0);
    return program->len - 1;
}

static void end_call(GArray *program, guint begin)
{
    give(program, SECCOMP_RET_ALLOW);
    g_array_index(program, struct sock_filter, begin).jf = (uint8_t)(program->len - begin - 1);
}

static void refuse_bits(GArray *program, uint32_t argument, uint32_t bits, int error)
{
    load(program, argument);
    add(program, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    refuse(program, error);
}

static void refuse_value(GArray *program, uint32_t argument, uint32_t value, int error)
{
    load(program, argument);
    add(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    refuse(program, error);
}

static void refuse_all_but(GArray *program, uint32_t argument, const uint32_t *values, size_t count,
                           int error)
{
    load(program, argument);
    for (size_t i = 0; i < count; i++)
        add(program, BPF_JMP | BPF_JEQ | BPF_K, values[i], (uint8_t)(count - i), 0);
    refuse(program, error);
}

static void add_namespaces(GArray *program)
{
    guint clone = begin_call(program, SYS_clone);

    refuse_bits(program, ARGUMENT(0), NAMESPACES, EPERM);
    end_call(program, clone);
    guint unshare = begin_call(program, SYS_unshare);
    refuse_bits(program, ARGUMENT(0), NAMESPACES | CLONE_NEWTIME, EPERM);
    end_call(program, unshare);
}

static void refuse_call(GArray *program, uint32_t number, int error)
{
    guint begin = begin_call(program, number);

    refuse(program, error);
    end_call(program, begin);
}

/* The flags of clone3() are behind a pointer, where no filter can look: programs fall back to
 * clone() when it is not there. */
static void add_no_namespaces(GArray *program)
{
    if (X32_BIT != 0) {
        load(program, (uint32_t)offsetof(struct seccomp_data, nr));
        add(program, BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 1);
        give(program, SECCOMP_RET_KILL_PROCESS);
    }
    refuse_call(program, SYS_clone3, ENOSYS);
    refuse_call(program, SYS_setns, EPERM);
}

/* Input that a terminal takes for typed, on whatever terminal it may have been given. */
static void add_terminals(GArray *program)
{
    guint begin = begin_call(program, SYS_ioctl);

    refuse_value(program, ARGUMENT(1), TIOCSTI, EPERM);
    refuse_value(program, ARGUMENT(1), TIOCLINUX, EPERM);
    end_call(program, begin);
}

/* Everything else is code of the kernel that hardly anybody runs. Of netlink only what
 * getaddrinfo() and if_nameindex() ask. */
static void add_sockets(GArray *program)
{
    static const uint32_t families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
    static const uint32_t protocols[] = { NETLINK_ROUTE };
    guint begin = begin_call(program, SYS_socket);

    refuse_all_but(program, ARGUMENT(0), families, G_N_ELEMENTS(families), EAFNOSUPPORT);
    load(program, ARGUMENT(0));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 1, 0);
    give(program, SECCOMP_RET_ALLOW);
    refuse_all_but(program, ARGUMENT(2), protocols, G_N_ELEMENTS(protocols), EPROTONOSUPPORT);
    end_call(program, begin);
}

static void add_personality(GArray *program, uint32_t number, bool locked)
{
    static const uint32_t values[] = { ASK_PERSONALITY, PER_LINUX, PER_LINUX32, UNAME26,
                                       PER_LINUX32 | UNAME26 };
    guint begin = begin_call(program, number);

    refuse_all_but(program, ARGUMENT(0), values, locked ? 2 : G_N_ELEMENTS(values), EPERM);
    end_call(program, begin);
}

/* The lock holds in every ABI; the rest is for the native one, as the default list of names kills
 * what uses another. */
GBytes *filter_arguments(unsigned what)
{
    g_autoptr(GArray) program = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));
    bool locked = what & FILTER_LOCK_PERSONALITY;
    bool closed = what & FILTER_NAMESPACES;

    load(program, (uint32_t)offsetof(struct seccomp_data, arch));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 0, 0);
    guint native = program->len - 1;
    if (closed)
        add_no_namespaces(program);
    if (what & (FILTER_ARGUMENTS_DEFAULT | FILTER_NAMESPACES))
        add_namespaces(program);
    if (what & FILTER_ARGUMENTS_DEFAULT) {
        add_terminals(program);
        add_sockets(program);
    }
    if (what & (FILTER_ARGUMENTS_DEFAULT | FILTER_LOCK_PERSONALITY))
        add_personality(program, SYS_personality, locked);
    if (locked && X32_BIT != 0)
        add_personality(program, SYS_personality | X32_BIT, true);
    give(program, SECCOMP_RET_ALLOW);
    g_array_index(program, struct sock_filter, native).jf = (uint8_t)(program->len - native - 1);
    if (closed)
        give(program, SECCOMP_RET_KILL_PROCESS);
    if (locked && !closed) {
        load(program, (uint32_t)offsetof(struct seccomp_data, arch));
        add(program, BPF_JMP | BPF_JEQ | BPF_K, OTHER_ARCH, 1, 0);
        give(program, SECCOMP_RET_ALLOW);
        add_personality(program, OTHER_PERSONALITY, true);
    }
    if (!closed)
        give(program, SECCOMP_RET_ALLOW);
    return g_bytes_new(program->data, program->len * sizeof(struct sock_filter));
}
