/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "core/own-limits.h"
#include "util/file.h"

_Static_assert(RLIMIT_COUNT == RLIM_NLIMITS, "a resource has no setting");

static int read_oom_score(void)
{
    g_autofree char *text = NULL;

    if (read_small_file_at(AT_FDCWD, "/proc/self/oom_score_adj", 64, &text) < 0)
        return 0;
    return (int)g_ascii_strtoll(text, NULL, 10);
}

void own_limits_read(OwnLimits *ret)
{
    for (unsigned resource = 0; resource < RLIMIT_COUNT; resource++) {
        struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

        (void)getrlimit((__rlimit_resource_t)resource, &limit);
        ret->soft[resource] = limit.rlim_cur;
        ret->hard[resource] = limit.rlim_max;
    }
    ret->nice = getpriority(PRIO_PROCESS, 0);
    ret->oom_score = read_oom_score();
}

unsigned last_capability_read(void)
{
    unsigned number = 0;

    while (prctl(PR_CAPBSET_READ, number + 1, 0, 0, 0) >= 0)
        number++;
    return number;
}
