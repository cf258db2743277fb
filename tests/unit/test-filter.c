/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The programs that lists of system calls become, run on calls. */

#include <errno.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "bpf.h"
#include "isolation/filter.h"
#include "suite.h"

#define HIGH           (UINT64_C(1) << 32) /* what the kernel does not look at in an int */
#define REFUSED(e)     (SECCOMP_RET_ERRNO | (uint32_t)(e))
#define ALLOWED        SECCOMP_RET_ALLOW
#define KILLED         SECCOMP_RET_KILL_PROCESS
#define X32            0x40000000u
#define NO_SUCH_CALL   100000
#define CLONE_NEWTIME_ 0x80u

static GBytes *program;

static void clean(void)
{
    g_clear_pointer(&program, g_bytes_unref);
}

static struct seccomp_data call_of(const char *name, uint64_t a, uint64_t b, uint64_t c)
{
    int number = seccomp_syscall_resolve_name(name);

    ck_assert_msg(number != __NR_SCMP_ERROR, "%s", name);
    return (
        struct seccomp_data){ .nr = number, .arch = seccomp_arch_native(), .args = { a, b, c } };
}

static uint32_t run(const char *name)
{
    struct seccomp_data call = call_of(name, 0, 0, 0);

    return bpf_run(program, &call);
}

static void compile(const char *text, int refusal, bool all_abis)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    g_autoptr(GError) error = NULL;

    clean();
    program = filter_compile((const char *const *)words, refusal, all_abis, &error);
    ck_assert_msg(program, "%s", error ? error->message : "");
}

static void compile_default(void)
{
    clean();
    program = filter_compile(filter_default_words, EPERM, false, NULL);
    ck_assert_ptr_nonnull(program);
}

/* ---- lists ----------------------------------------------------------------------------------- */

START_TEST(a_list_allows_what_it_names)
{
    compile("read @network-io keyctl:EIO", EACCES, false);
    ck_assert_uint_eq(run("read"), ALLOWED);
    ck_assert_uint_eq(run("socket"), ALLOWED);
    ck_assert_uint_eq(run("execve"), ALLOWED);
    ck_assert_uint_eq(run("write"), REFUSED(EACCES));
    ck_assert_uint_eq(run("keyctl"), REFUSED(EIO));
    compile("read", SYSCALL_KILL, false);
    ck_assert_uint_eq(run("write"), KILLED);
}
END_TEST

START_TEST(a_list_takes_away_what_it_names)
{
    compile("~@mount swapon:kill", EPERM, false);
    ck_assert_uint_eq(run("mount"), REFUSED(EPERM));
    ck_assert_uint_eq(run("swapon"), KILLED);
    ck_assert_uint_eq(run("read"), ALLOWED);
}
END_TEST

START_TEST(calls_of_later_kernels_are_not_there)
{
    struct seccomp_data call = { .nr = NO_SUCH_CALL, .arch = seccomp_arch_native() };

    compile("read", SYSCALL_KILL, false);
    ck_assert_uint_eq(bpf_run(program, &call), REFUSED(ENOSYS));
    compile("~read", SYSCALL_KILL, false);
    ck_assert_uint_eq(bpf_run(program, &call), ALLOWED);
}
END_TEST

START_TEST(a_program_says_what_the_list_says_for_every_call)
{
    static const char *const lists[] = { "@system-service ~@keyring", "~@privileged @debug:EIO" };

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_auto(GStrv) words = g_strsplit(lists[i], " ", -1);
        g_auto(SyscallFilter) filter = { 0 };

        compile(lists[i], EACCES, false);
        ck_assert(syscall_filter_read((const char *const *)words, &filter, NULL));
        for (const char *const *name = syscall_names(); *name; name++) {
            int action = syscall_filter_action(&filter, *name);
            int number = seccomp_syscall_resolve_name(*name);

            if (number < 0) /* not on this architecture */
                continue;
            ck_assert_msg(run(*name) == (action == SYSCALL_ALLOW    ? ALLOWED
                                         : action == SYSCALL_REFUSE ? REFUSED(EACCES)
                                                                    : REFUSED(action)),
                          "%s: %s", lists[i], *name);
        }
    }
}
END_TEST

START_TEST(other_abis_are_filtered_likewise_or_killed)
{
    const int numbers[] = { seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, "mount"),
                            seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, "read") };
    struct seccomp_data mount = { .nr = numbers[0], .arch = AUDIT_ARCH_I386 };
    struct seccomp_data read = { .nr = numbers[1], .arch = AUDIT_ARCH_I386 };
    struct seccomp_data x32 = call_of("read", 0, 0, 0);

    if (seccomp_arch_native() != SCMP_ARCH_X86_64)
        return;
    x32.nr |= (int)X32;
    compile("~@mount", EPERM, true);
    ck_assert_uint_eq(bpf_run(program, &mount), REFUSED(EPERM));
    ck_assert_uint_eq(bpf_run(program, &read), ALLOWED);
    ck_assert_uint_eq(bpf_run(program, &x32), ALLOWED);
    compile("~@mount", EPERM, false);
    ck_assert_uint_eq(bpf_run(program, &mount), KILLED);
    ck_assert_uint_eq(bpf_run(program, &read), KILLED);
    ck_assert_uint_eq(bpf_run(program, &x32), KILLED);
}
END_TEST

START_TEST(the_same_text_is_the_same_program)
{
    g_autoptr(GBytes) first = NULL;

    compile("~@mount", EPERM, false);
    first = g_bytes_ref(program);
    compile("~@mount", EPERM, false);
    ck_assert_ptr_eq(program, first);
    compile("~@mount", EACCES, false);
    ck_assert_ptr_ne(program, first);
    for (int error = 1; error < 200; error++)
        compile("~@mount", error, false);
    compile("~@mount", EPERM, false);
    ck_assert(g_bytes_equal(program, first));
}
END_TEST

/* ---- the default ----------------------------------------------------------------------------- */

START_TEST(the_default_is_for_services_and_not_for_the_machine)
{
    static const struct {
        const char *name;
        uint32_t result;
    } rows[] = {
        { "read", ALLOWED },
        { "clone", ALLOWED },
        { "ptrace", ALLOWED },
        { "landlock_restrict_self", ALLOWED },
        { "rseq", ALLOWED },
        { "membarrier", ALLOWED },
        { "pidfd_open", ALLOWED },
        { "statx", ALLOWED },
        { "close_range", ALLOWED },
        { "io_setup", ALLOWED },
        { "seccomp", ALLOWED },
        { "setresuid", ALLOWED },
        { "clone3", REFUSED(ENOSYS) },
        { "add_key", REFUSED(EPERM) },
        { "keyctl", REFUSED(EPERM) },
        { "request_key", REFUSED(EPERM) },
        { "bpf", REFUSED(EPERM) },
        { "io_uring_setup", REFUSED(EPERM) },
        { "mount", REFUSED(EPERM) },
        { "umount2", REFUSED(EPERM) },
        { "pivot_root", REFUSED(EPERM) },
        { "chroot", REFUSED(EPERM) },
        { "fsopen", REFUSED(EPERM) },
        { "open_tree", REFUSED(EPERM) },
        { "move_mount", REFUSED(EPERM) },
        { "mount_setattr", REFUSED(EPERM) },
        { "setns", REFUSED(EPERM) },
        { "perf_event_open", REFUSED(EPERM) },
        { "userfaultfd", REFUSED(EPERM) },
        { "open_by_handle_at", REFUSED(EPERM) },
        { "quotactl", REFUSED(EPERM) },
        { "init_module", REFUSED(EPERM) },
        { "kexec_load", REFUSED(EPERM) },
        { "reboot", REFUSED(EPERM) },
        { "swapon", REFUSED(EPERM) },
        { "settimeofday", REFUSED(EPERM) },
        { "iopl", REFUSED(EPERM) },
        { "acct", REFUSED(EPERM) },
        { "kcmp", REFUSED(EPERM) },
        { "move_pages", REFUSED(EPERM) },
    };

    compile_default();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(run(rows[i].name) == rows[i].result, "%s: %#x", rows[i].name,
                      run(rows[i].name));
}
END_TEST

START_TEST(the_default_allows_few_enough_calls)
{
    unsigned allowed = 0;

    compile_default();
    for (const char *const *name = syscall_names(); *name; name++)
        allowed += seccomp_syscall_resolve_name(*name) >= 0 && run(*name) == ALLOWED;
    ck_assert_uint_le(allowed, 370);
    ck_assert_uint_ge(allowed, 200);
    ck_assert_uint_le(g_bytes_get_size(program) / sizeof(struct sock_filter), 1000);
}
END_TEST

/* ---- arguments ------------------------------------------------------------------------------- */

START_TEST(arguments_are_looked_at_in_their_low_half)
{
    static const struct {
        const char *name;
        uint64_t a, b, c;
        uint32_t result;
    } rows[] = {
        { "clone", 0x1200011, 0, 0, ALLOWED }, /* fork() */
        { "clone", 0x3d0f00, 0, 0, ALLOWED },  /* pthread_create() */
        { "clone", CLONE_NEWUSER, 0, 0, REFUSED(EPERM) },
        { "clone", CLONE_NEWNS | 17, 0, 0, REFUSED(EPERM) },
        { "clone", CLONE_NEWNET, 0, 0, REFUSED(EPERM) },
        { "clone", HIGH | CLONE_NEWPID, 0, 0, REFUSED(EPERM) },
        { "unshare", CLONE_FILES, 0, 0, ALLOWED },
        { "unshare", CLONE_NEWUSER, 0, 0, REFUSED(EPERM) },
        { "unshare", CLONE_NEWTIME_, 0, 0, REFUSED(EPERM) },
        { "unshare", HIGH | CLONE_NEWCGROUP, 0, 0, REFUSED(EPERM) },
        { "ioctl", 0, TIOCGWINSZ, 0, ALLOWED },
        { "ioctl", 0, TIOCSTI, 0, REFUSED(EPERM) },
        { "ioctl", 0, HIGH | TIOCSTI, 0, REFUSED(EPERM) },
        { "ioctl", 0, TIOCLINUX, 0, REFUSED(EPERM) },
        { "ioctl", 0, ~(uint64_t)0 << 32 | TIOCLINUX, 0, REFUSED(EPERM) },
        { "socket", AF_UNIX, SOCK_STREAM, 0, ALLOWED },
        { "socket", AF_INET, SOCK_STREAM, 6, ALLOWED },
        { "socket", AF_INET6, SOCK_DGRAM, 0, ALLOWED },
        { "socket", AF_NETLINK, SOCK_RAW, 0, ALLOWED },
        { "socket", AF_NETLINK, SOCK_RAW, 9, REFUSED(EPROTONOSUPPORT) },
        { "socket", HIGH | AF_NETLINK, SOCK_RAW, HIGH | 9, REFUSED(EPROTONOSUPPORT) },
        { "socket", 38, SOCK_SEQPACKET, 0, REFUSED(EAFNOSUPPORT) }, /* AF_ALG */
        { "socket", HIGH | 38, SOCK_SEQPACKET, 0, REFUSED(EAFNOSUPPORT) },
        { "socket", 40, SOCK_STREAM, 0, REFUSED(EAFNOSUPPORT) }, /* AF_VSOCK */
        { "socket", AF_PACKET, SOCK_RAW, 0, REFUSED(EAFNOSUPPORT) },
        { "socket", 0, SOCK_RAW, 0, REFUSED(EAFNOSUPPORT) },
        { "socket", UINT64_MAX, SOCK_RAW, 0, REFUSED(EAFNOSUPPORT) },
        { "personality", 0, 0, 0, ALLOWED },
        { "personality", 0xffffffff, 0, 0, ALLOWED },
        { "personality", 8, 0, 0, ALLOWED },
        { "personality", 0x20000, 0, 0, ALLOWED },
        { "personality", 0x40000, 0, 0, REFUSED(EPERM) }, /* ADDR_NO_RANDOMIZE */
        { "personality", HIGH | 0x400000, 0, 0, REFUSED(EPERM) },
        { "personality", 0xfffffffe, 0, 0, REFUSED(EPERM) },
        { "read", UINT64_MAX, UINT64_MAX, UINT64_MAX, ALLOWED },
    };

    program = filter_arguments(FILTER_ARGUMENTS_DEFAULT);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct seccomp_data call = call_of(rows[i].name, rows[i].a, rows[i].b, rows[i].c);
        uint32_t result = bpf_run(program, &call);

        ck_assert_msg(result == rows[i].result, "row %zu: %s(%#" PRIx64 ", %#" PRIx64 "): %#x", i,
                      rows[i].name, rows[i].a, rows[i].b, result);
    }
}
END_TEST

START_TEST(a_locked_personality_is_locked_in_every_abi)
{
    const struct seccomp_data natives[] = { call_of("personality", 8, 0, 0),
                                            call_of("personality", 0xffffffff, 0, 0),
                                            call_of("clone", CLONE_NEWUSER, 0, 0) };
    struct seccomp_data other = { .nr = 136, .arch = AUDIT_ARCH_I386, .args = { 8 } };
    struct seccomp_data x32 = natives[0];

    program = filter_arguments(FILTER_LOCK_PERSONALITY);
    ck_assert_uint_eq(bpf_run(program, &natives[0]), REFUSED(EPERM));
    ck_assert_uint_eq(bpf_run(program, &natives[1]), ALLOWED);
    ck_assert_uint_eq(bpf_run(program, &natives[2]), ALLOWED);
    if (seccomp_arch_native() != SCMP_ARCH_X86_64)
        return;
    x32.nr |= (int)X32;
    ck_assert_uint_eq(bpf_run(program, &other), REFUSED(EPERM));
    ck_assert_uint_eq(bpf_run(program, &x32), REFUSED(EPERM));
    other.nr = 3;
    ck_assert_uint_eq(bpf_run(program, &other), ALLOWED);
}
END_TEST

START_TEST(closed_namespaces_are_closed_in_every_way_and_abi)
{
    const struct {
        const char *name;
        uint64_t argument;
        uint32_t result;
    } rows[] = {
        { "unshare", CLONE_NEWUSER, REFUSED(EPERM) },
        { "unshare", 0x80, REFUSED(EPERM) },
        { "unshare", CLONE_FILES, ALLOWED },
        { "clone", CLONE_NEWNET | 17, REFUSED(EPERM) },
        { "clone", CLONE_VM | 17, ALLOWED },
        { "setns", 0, REFUSED(EPERM) },
        { "clone3", 0, REFUSED(ENOSYS) },
        { "personality", 8, ALLOWED },
        { "mount", 0, ALLOWED },
    };

    program = filter_arguments(FILTER_NAMESPACES);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct seccomp_data call = call_of(rows[i].name, rows[i].argument, 0, 0);

        ck_assert_msg(bpf_run(program, &call) == rows[i].result, "row %zu: %s", i, rows[i].name);
    }
    struct seccomp_data other = { .nr = 3, .arch = AUDIT_ARCH_I386 },
                        x32 = call_of("read", 0, 0, 0);
    if (seccomp_arch_native() != SCMP_ARCH_X86_64)
        return;
    x32.nr |= (int)X32;
    ck_assert_uint_eq(bpf_run(program, &other), SECCOMP_RET_KILL_PROCESS);
    ck_assert_uint_eq(bpf_run(program, &x32), SECCOMP_RET_KILL_PROCESS);
}
END_TEST

SUITE_MAIN_WITH("isolation/filter", NULL, clean, a_list_allows_what_it_names,
                a_list_takes_away_what_it_names, calls_of_later_kernels_are_not_there,
                a_program_says_what_the_list_says_for_every_call,
                other_abis_are_filtered_likewise_or_killed, the_same_text_is_the_same_program,
                the_default_is_for_services_and_not_for_the_machine,
                the_default_allows_few_enough_calls, arguments_are_looked_at_in_their_low_half,
                a_locked_personality_is_locked_in_every_abi,
                closed_namespaces_are_closed_in_every_way_and_abi)
