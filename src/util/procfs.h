/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The few facts about processes and mounts that /proc tells. Strings: g_free. 0 or -errno. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The cgroup v2 path of a process ("/…"): the 0:: line of /proc/PID/cgroup, which also lists v1
 * hierarchies. -ENODATA if there is no v2 line. */
int procfs_cgroup(pid_t pid, char **ret);

/* Where cgroup v2 is mounted, found by type in /proc/self/mountinfo: /sys/fs/cgroup may be a v1
 * tree with v2 in a corner of it. -ENOENT if it is not. */
int procfs_cgroup2_mount(char **ret);

/* The pid that a pidfd stands for, in our pid namespace (fdinfo). -ESRCH if it has ended. */
int procfs_pidfd_pid(int pidfd, pid_t *ret);

/* First child of a process: the payload of an init. -ESRCH if there is none. */
int procfs_first_child(pid_t pid, pid_t *ret);

/* The pure halves of the first two: what is read from the text of such a file, and from one line
 * of mountinfo. -ENODATA if it is not there. */
int procfs_parse_cgroup(const char *text, char **ret);
int procfs_parse_cgroup2_mount(const char *line, char **ret);
