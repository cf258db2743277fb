/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lists of pids as the kernel writes them: /proc/PID/task/TID/children of all threads of a
 * process, and cgroup.procs. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct Procs {
    int fd;    /* the list being read */
    int tasks; /* the directory of threads that are still to be read, or -1 */
    pid_t process;
    uint16_t at, length; /* in buffer */
    uint16_t task_at, task_length;
    char buffer[128];
    char task_entries[256] __attribute__((aligned(8)));
};

/* The /proc to look at, before all else. The descriptor is to stay open. */
void procs_read_from(int directory);

bool procs_open_children(struct Procs *procs, pid_t process);
bool procs_open_file(struct Procs *procs, int directory, const char *name);
pid_t procs_next(struct Procs *procs); /* 0 at the end */
void procs_close(struct Procs *procs);

/* Whether this kernel has the lists of children. */
bool procs_children_are_listed(void);
/* Parent of a process, -1 if it is gone. */
pid_t procs_parent(pid_t process);
