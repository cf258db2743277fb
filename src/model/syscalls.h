/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the words of SystemCallFilter= mean: names of system calls, systemd's groups of them, and
 * what becomes of a call that is not allowed. By name only: their numbers are another layer's. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "model/spec.h"

/* What a filter does about a call: one of these, or a positive errno that the caller gets. */
enum {
    SYSCALL_ALLOW = 0,
    SYSCALL_REFUSE = -1, /* whatever SystemCallErrorNumber= says */
    SYSCALL_KILL = -2,   /* SIGSYS for the whole process */
};

typedef struct SyscallFilter {
    bool off;            /* "off": the default filter is not wanted */
    bool has_list;       /* there are names */
    bool allows;         /* what is not named is refused, else allowed */
    GHashTable *actions; /* name -> GINT_TO_POINTER(one of the above); static strings */
} SyscallFilter;

void syscall_filter_done(SyscallFilter *filter);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyscallFilter, syscall_filter_done)

/* "off", then names and @groups, each maybe with ":kill" or ":ERRNO" behind it. From the first word
 * with a ~ on they are taken away instead of given; if that is the very first, from everything.
 * NULL or no words: no list. False: *ret_fault says what is wrong with which word (g_free). */
bool syscall_filter_read(const char *const *words, SyscallFilter *ret, char **ret_fault);

/* What the filter says of a call, SYSCALL_REFUSE and SYSCALL_ALLOW included. */
int syscall_filter_action(const SyscallFilter *filter, const char *name);

/* "kill", "EPERM" or a number up to 4095: SYSCALL_KILL or the errno; -EINVAL if it is neither. */
int syscall_action_read(const char *text);

/* All names that there are, sorted, NULL-terminated; the table's. */
const char *const *syscall_names(void);
/* The members of a group, other groups among them; NULL if there is no such. */
const char *const *syscall_group(const char *name);
/* The names of the groups, NULL-terminated. */
const char *const *syscall_groups(void);

/* Does anything filter what an instance of this owner does? */
bool spec_is_filtered(const Spec *spec, uint32_t owner);
/* Is the default filter among it? It is for everybody but root, unless switched off. */
bool spec_has_default_filter(const Spec *spec, uint32_t owner);
