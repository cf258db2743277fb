/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Filters of system calls as the kernel takes them: classic BPF, ready to be loaded. */

#include <glib.h>

#include "model/syscalls.h"

/* The filter of instances of ordinary users: what services need, without what mostly attackers use.
 * Known calls fail with EPERM, those of later kernels with ENOSYS, so that programs fall back. */
extern const char *const filter_default_words[];

/* A list as a program; made once for each text and kept. refusal: for SYSCALL_REFUSE, an errno or
 * SYSCALL_KILL. all_abis: programs of the machine's other ABIs (32 bits, x32) are filtered
 * likewise; else they are killed. NULL and NOT_SUPPORTED where this machine is unknown to
 * libseccomp. */
GBytes *filter_compile(const char *const *words, int refusal, bool all_abis, GError **error);

/* What a list of names cannot say, by the arguments of calls. */
enum {
    FILTER_ARGUMENTS_DEFAULT = 1u << 0, /* goes with filter_default_words */
    FILTER_LOCK_PERSONALITY = 1u << 1,
    FILTER_NAMESPACES = 1u << 2, /* programs of other ABIs are killed */
};
GBytes *filter_arguments(unsigned what);
