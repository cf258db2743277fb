/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an instance uses now, from its cgroup's files, else from /proc. Sampled when asked. */

#include "resources/backend.h"

#define USAGE_UNKNOWN UINT64_MAX

typedef struct Usage {
    uint64_t cpu_usec;       /* since the start: cpu.stat usage_usec; else the sum over processes */
    uint64_t memory_current; /* bytes: memory.current; else the sum of RSS */
    uint64_t memory_peak;    /* bytes: memory.peak */
    uint64_t swap_current;
    uint64_t tasks;         /* pids.current; else counted */
    uint64_t io_read_bytes; /* io.stat, summed */
    uint64_t io_write_bytes;
    uint64_t oom_kills; /* memory.events oom_kill */
    const char *source; /* "cgroup", "proc" (no memory or pids controller), "mixed" */
} Usage;

/* init_pid: the process that the tree of the monitor rung is walked from. */
void usage_read(const Placement *placement, pid_t init_pid, Usage *ret);

/* Pids (as this process sees them) of all processes of the instance, the init first, then rising.
 * GArray of pid_t, the caller's. */
GArray *usage_processes(const Placement *placement, pid_t init_pid);

/* "2 processes are in uninterruptible sleep, as 4711 (cp)": why they do not go away; NULL if
 * there is none. g_free. */
char *usage_unkillable(const Placement *placement, pid_t init_pid);

/* NSpid's last entry: the pid inside; 0 if gone. And the command line, for showing: arguments
 * joined by blanks, control characters replaced, at most 512 bytes; "" if gone; g_free. */
pid_t process_inner_pid(pid_t pid);
char *process_command(pid_t pid);
