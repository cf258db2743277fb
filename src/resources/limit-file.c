/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each limit as the kernel and as systemd spell it. Only cpu.max is not a plain number: it is
 * "QUOTA PERIOD", so many microseconds of CPU time in each period. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "resources/limit-file.h"
#include "util/parse.h"

/* The kernel's own default period, which systemd uses too, and what it takes at most and at least
 * (kernel/sched/core.c: max_cfs_quota_period, min_cfs_quota_period). */
#define CPU_PERIOD_USEC     100000u
#define CPU_PERIOD_MAX_USEC 1000000u
#define CPU_QUOTA_MIN_USEC  1000u
#define USEC_PER_SEC        1000000u

static const LimitFile limit_files[_LIMIT_COUNT] = {
    [LIMIT_CPU_QUOTA] = { CONTROLLER_CPU, "cpu.max", "CPUQuotaPerSecUSec", false, false },
    [LIMIT_CPU_WEIGHT] = { CONTROLLER_CPU, "cpu.weight", "CPUWeight", true, false },
    [LIMIT_MEMORY_MAX] = { CONTROLLER_MEMORY, "memory.max", "MemoryMax", false, true },
    [LIMIT_MEMORY_HIGH] = { CONTROLLER_MEMORY, "memory.high", "MemoryHigh", false, true },
    [LIMIT_MEMORY_SWAP_MAX] = { CONTROLLER_MEMORY, "memory.swap.max", "MemorySwapMax", false,
                                true },
    [LIMIT_TASKS_MAX] = { CONTROLLER_PIDS, "pids.max", "TasksMax", false, false },
};

const LimitFile *limit_file(LimitKind kind)
{
    return &limit_files[kind];
}

/* A quota too small for the usual period gets a longer one. */
static char *cpu_max(uint64_t usec_per_sec)
{
    uint64_t period = CPU_PERIOD_USEC;

    if (usec_per_sec == UINT64_MAX || usec_per_sec > UINT64_MAX / period)
        return g_strdup_printf("max %" PRIu64, period);
    if (usec_per_sec * period / USEC_PER_SEC < CPU_QUOTA_MIN_USEC)
        period = CPU_PERIOD_MAX_USEC;
    return g_strdup_printf("%" PRIu64 " %" PRIu64,
                           MAX(usec_per_sec * period / USEC_PER_SEC, CPU_QUOTA_MIN_USEC), period);
}

static int cpu_max_parse(const char *text, uint64_t *ret)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 3);
    uint64_t quota, period;
    int r;

    if (g_strv_length(words) != 2)
        return -EINVAL;
    r = parse_uint64(words[1], &period);
    if (r < 0)
        return r;
    if (period == 0)
        return -EINVAL;
    if (g_str_equal(words[0], "max")) {
        *ret = UINT64_MAX;
        return 0;
    }
    r = parse_uint64(words[0], &quota);
    if (r < 0)
        return r;
    if (quota > UINT64_MAX / USEC_PER_SEC)
        return -ERANGE;
    *ret = quota * USEC_PER_SEC / period;
    return 0;
}

char *limit_to_file(LimitKind kind, uint64_t value)
{
    if (kind == LIMIT_CPU_QUOTA)
        return cpu_max(value);
    return value == UINT64_MAX ? g_strdup("max") : g_strdup_printf("%" PRIu64, value);
}

int limit_from_file(LimitKind kind, const char *text, uint64_t *ret)
{
    if (kind == LIMIT_CPU_QUOTA)
        return cpu_max_parse(text, ret);
    return parse_uint64(g_str_equal(text, "max") ? "infinity" : text, ret);
}

char *limit_to_text(LimitKind kind, uint64_t value)
{
    if (value == UINT64_MAX)
        return g_strdup("infinity");
    if (kind == LIMIT_CPU_QUOTA)
        return format_cpu_quota(value);
    return limit_files[kind].in_pages ? format_bytes(value) : g_strdup_printf("%" PRIu64, value);
}

uint64_t limit_rounded(LimitKind kind, uint64_t value)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    return limit_files[kind].in_pages && value != UINT64_MAX ? value / page * page : value;
}
