/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One process as /proc tells of it. The rest of process.c is declared in usage.h. */

#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

typedef struct ProcessUsage {
    uint64_t cpu_usec; /* its own, and that of children it has reaped */
    uint64_t resident_bytes;
    uint64_t threads;
} ProcessUsage;

/* 0 or -errno; -ESRCH if it is gone. */
int process_usage(pid_t pid, ProcessUsage *ret);

/* The text of /proc/PID/stat; 0 or -EBADMSG. */
int process_parse_stat(const char *stat, ProcessUsage *ret);

/* Bytes of /proc/PID/cmdline as one line that anything may show; g_free. */
char *process_format_command(const char *cmdline, size_t size);

/* The sum of "rbytes=" or "wbytes=" over the lines of an io.stat. */
uint64_t usage_io_sum(const char *io_stat, const char *key);
