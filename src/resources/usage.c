/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an instance uses now. A cgroup always counts CPU time; memory and tasks only where it has
 * these controllers, else they are added up over the processes. Memory is then the sum of what
 * each has resident, which counts shared pages more than once. */

#include <errno.h>
#include <string.h>

#include "resources/backend-internal.h"
#include "resources/process.h"
#include "resources/usage.h"
#include "util/parse.h"

/* A figure that cannot be read is unknown, whatever the reason: the cgroup may have gone. */
static uint64_t read_number(int dirfd, const char *file)
{
    uint64_t value;

    return cgroup_read_uint64(dirfd, file, &value) < 0 ? USAGE_UNKNOWN : value;
}

static uint64_t read_key(int dirfd, const char *file, const char *key)
{
    uint64_t value;

    return cgroup_read_key(dirfd, file, key, &value) < 0 ? USAGE_UNKNOWN : value;
}

/* "MAJOR:MINOR rbytes=N wbytes=N rios=N …", a line for each disk. */
uint64_t usage_io_sum(const char *io_stat, const char *key)
{
    size_t length = strlen(key);
    uint64_t sum = 0;

    for (const char *at = io_stat; (at = strstr(at, key)); at += length) {
        g_autofree char *digits = NULL;
        uint64_t value;

        if (at == io_stat || at[-1] != ' ')
            continue;
        digits = g_strndup(at + length, strspn(at + length, "0123456789"));
        if (parse_uint64(digits, &value) == 0)
            sum += value;
    }
    return sum;
}

static void read_io(int dirfd, Usage *usage)
{
    char text[8192]; /* some sixty disks */

    if (cgroup_read(dirfd, "io.stat", text, sizeof(text)) < 0)
        return;
    usage->io_read_bytes = usage_io_sum(text, "rbytes=");
    usage->io_write_bytes = usage_io_sum(text, "wbytes=");
}

static void read_cgroup(int dirfd, Usage *usage)
{
    usage->cpu_usec = read_key(dirfd, "cpu.stat", "usage_usec");
    usage->memory_current = read_number(dirfd, "memory.current");
    usage->memory_peak = read_number(dirfd, "memory.peak");
    usage->swap_current = read_number(dirfd, "memory.swap.current");
    usage->tasks = read_number(dirfd, "pids.current");
    usage->oom_kills = read_key(dirfd, "memory.events", "oom_kill");
    read_io(dirfd, usage);
}

/* What the cgroup did not tell. Nobody there: unknown, not nothing. */
static void read_processes(const Placement *placement, pid_t init_pid, Usage *usage)
{
    g_autoptr(GArray) pids = usage_processes(placement, init_pid);
    ProcessUsage sum = { 0 }, one;
    bool any = false;

    for (guint i = 0; i < pids->len; i++) {
        if (process_usage(g_array_index(pids, pid_t, i), &one) < 0)
            continue;
        sum.cpu_usec += one.cpu_usec;
        sum.resident_bytes += one.resident_bytes;
        sum.threads += one.threads;
        any = true;
    }
    if (!any)
        return;
    if (usage->cpu_usec == USAGE_UNKNOWN)
        usage->cpu_usec = sum.cpu_usec;
    if (usage->memory_current == USAGE_UNKNOWN)
        usage->memory_current = sum.resident_bytes;
    if (usage->tasks == USAGE_UNKNOWN)
        usage->tasks = sum.threads;
}

void usage_read(const Placement *placement, pid_t init_pid, Usage *ret)
{
    bool has_cgroup = placement_holds(placement);

    memset(ret, 0xff, sizeof(*ret)); /* USAGE_UNKNOWN, all of them */
    ret->source = has_cgroup ? "cgroup" : "proc";
    if (has_cgroup)
        read_cgroup(placement->cgroup_fd, ret);
    if (ret->cpu_usec != USAGE_UNKNOWN && ret->memory_current != USAGE_UNKNOWN &&
        ret->tasks != USAGE_UNKNOWN)
        return;
    if (has_cgroup)
        ret->source = "mixed";
    read_processes(placement, init_pid, ret);
}
