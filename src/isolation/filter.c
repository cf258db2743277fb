/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From names to a program, by libseccomp: it knows the numbers of every architecture. That takes
 * about a millisecond and a half, as long as everything else of a start, and most instances have
 * the same filter: so programs are kept by their text. */

#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "isolation/filter.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/parse.h"

#define KEPT_MAX    64 /* programs; beyond that somebody is playing, and all are made anew */
#define PROGRAM_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))
#define BINARY_TREE 2u /* SCMP_FLTATR_CTL_OPTIMIZE: a search instead of a walk */
#define API_LEVEL   3u /* of libseccomp: Linux 4.14, which knows SCMP_ACT_KILL_PROCESS */

const char *const filter_default_words[] = {
    "@system-service", "@pkey", "landlock_add_rule", "landlock_create_ruleset",
    "landlock_restrict_self", "memfd_secret", "mincore", "process_mrelease", "ptrace", "seccomp",
    /* Keys of others, memory behind one's back, and what has been the way in most often. */
    "~@keyring", "io_uring_enter", "io_uring_register", "io_uring_setup", "kcmp", "mbind",
    "migrate_pages", "move_pages", "set_mempolicy", "setns", "userfaultfd", "vmsplice",
    /* Its flags are in memory, where no filter sees them: programs fall back to clone. */
    "clone3:ENOSYS", NULL
};

static uint32_t native_action(int action, int refusal)
{
    if (action == SYSCALL_REFUSE)
        action = refusal;
    if (action == SYSCALL_KILL)
        return SCMP_ACT_KILL_PROCESS;
    return action == SYSCALL_ALLOW ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint16_t)action);
}

/* A negative number is one of libseccomp's for calls that this architecture does not have. */
static int add_rules(scmp_filter_ctx context, const SyscallFilter *filter, int refusal,
                     uint32_t default_action)
{
    const char *const *names = syscall_names();

    for (size_t i = 0; names[i]; i++) {
        uint32_t action = native_action(syscall_filter_action(filter, names[i]), refusal);
        int number = seccomp_syscall_resolve_name(names[i]);

        if (action == default_action || number == __NR_SCMP_ERROR)
            continue;
        int r = seccomp_rule_add(context, action, number, 0);
        if (r < 0 && r != -EDOM) /* on none of the architectures */
            return r;
    }
    return 0;
}

static int add_abis(scmp_filter_ctx context)
{
    static const uint32_t others[] = { SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_ARM };
    uint32_t native = seccomp_arch_native();

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        if ((native == SCMP_ARCH_X86_64) == (others[i] == SCMP_ARCH_ARM) ||
            (native != SCMP_ARCH_X86_64 && native != SCMP_ARCH_AARCH64))
            continue;
        int r = seccomp_arch_add(context, others[i]);
        if (r < 0 && r != -EEXIST)
            return r;
    }
    return 0;
}

/* libseccomp of before 2.6 writes to a file descriptor only. */
static GBytes *export_program(scmp_filter_ctx context, int *ret_error)
{
    auto_fd fd = memfd_create("filter", MFD_CLOEXEC);
    g_autofree char *bytes = g_malloc(PROGRAM_MAX);
    ssize_t size;

    if (fd < 0) {
        *ret_error = -errno;
        return NULL;
    }
    *ret_error = seccomp_export_bpf(context, fd);
    if (*ret_error < 0)
        return NULL;
    size = pread(fd, bytes, PROGRAM_MAX, 0);
    if (size <= 0 || (size_t)size == PROGRAM_MAX) {
        *ret_error = size < 0 ? -errno : -E2BIG;
        return NULL;
    }
    return g_bytes_new(bytes, (gsize)size);
}

static GBytes *compile(const SyscallFilter *filter, int refusal, bool all_abis, int *ret_error)
{
    /* What is not known here came with a later kernel: programs know how to do without. */
    uint32_t default_action = filter->allows ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_ALLOW;
    scmp_filter_ctx context;
    GBytes *program = NULL;

    /* Else libseccomp tries out what this process may do, and a service under a filter of its own
     * may not load one: but the program is not for this process. */
    (void)seccomp_api_set(API_LEVEL);
    context = seccomp_init(default_action);

    *ret_error = context ? 0 : -ENOMEM;
    if (*ret_error == 0)
        *ret_error = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (*ret_error == 0 && all_abis)
        *ret_error = add_abis(context);
    if (*ret_error == 0)
        (void)seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE);
    if (*ret_error == 0)
        *ret_error = add_rules(context, filter, refusal, default_action);
    if (*ret_error == 0)
        program = export_program(context, ret_error);
    seccomp_release(context);
    return program;
}

static char *key_of(const char *const *words, int refusal, bool all_abis)
{
    g_autofree char *text = g_strjoinv(" ", (char **)words);

    return g_strdup_printf("%d %d %s", refusal, all_abis, text);
}

GBytes *filter_compile(const char *const *words, int refusal, bool all_abis, GError **error)
{
    static GHashTable *kept; /* key -> program */
    g_autofree char *key = key_of(words, refusal, all_abis), *fault = NULL;
    g_auto(SyscallFilter) filter = { 0 };
    int r;

    if (!kept)
        kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                     (GDestroyNotify)g_bytes_unref);
    GBytes *program = g_hash_table_lookup(kept, key);
    if (program)
        return g_bytes_ref(program);
    if (!syscall_filter_read(words, &filter, &fault)) {
        error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "SystemCallFilter: %s", fault);
        return NULL;
    }
    program = compile(&filter, refusal, all_abis, &r);
    if (!program) {
        error_from_errno(error, CONSTELLATION_ERROR_NOT_SUPPORTED, r,
                         "SystemCallFilter: libseccomp cannot make the filter");
        return NULL;
    }
    if (g_hash_table_size(kept) >= KEPT_MAX)
        g_hash_table_remove_all(kept);
    g_hash_table_insert(kept, g_steal_pointer(&key), g_bytes_ref(program));
    return program;
}
