/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filters of system calls. Nothing is compiled here: the plan carries programs, and the kernel
 * checks each as it takes it. */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/init.h"

int filters_load(const struct WirePlan *plan, bool *ret_any)
{
    const struct WireFilter *filters = plan_filters(plan);

    *ret_any = false;
    for (uint32_t i = 0; i < plan->filter_count; i++) {
        struct sock_fprog program = {
            .len = (unsigned short)filters[i].count,
            .filter = (struct sock_filter *)(void *)((char *)plan + filters[i].program),
        };

        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
            return errno;
        *ret_any = true;
    }
    return 0;
}
