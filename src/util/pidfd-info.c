/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's headers of many a distribution are older than the kernels it runs on, so the request
 * is defined here: <linux/pidfd.h> of Linux 6.15, the first version of the struct. */

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "util/pidfd-info.h"

struct PidfdInfo {
    uint64_t mask; /* in: what is wanted; out: what is there */
    uint64_t cgroup_id;
    uint32_t pid, tgid, ppid;
    uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t wait_status;
};

#define GET_INFO  _IOWR(0xFF, 11, struct PidfdInfo)
#define INFO_EXIT (UINT64_C(1) << 3)

_Static_assert(sizeof(struct PidfdInfo) == 64, "the size is part of the number of the request");

int pidfd_exit_status(int pidfd, int *ret_cld_code, int *ret_cld_status)
{
    struct PidfdInfo info = { .mask = INFO_EXIT };

    int r = ioctl(pidfd, GET_INFO, &info);
    /* The kernel looks for the end first and for the process then: reaped in between, it has
     * neither. */
    if (r < 0 && errno == ESRCH)
        r = ioctl(pidfd, GET_INFO, &info);
    if (r < 0)
        return -EOPNOTSUPP; /* ENOTTY before 6.13; ESRCH before 6.15, once it has been reaped */
    if ((info.mask & INFO_EXIT) == 0)
        return -ENODATA;
    if (WIFEXITED(info.wait_status)) {
        *ret_cld_code = CLD_EXITED;
        *ret_cld_status = WEXITSTATUS(info.wait_status);
    } else {
        *ret_cld_code = WCOREDUMP(info.wait_status) ? CLD_DUMPED : CLD_KILLED;
        *ret_cld_status = WTERMSIG(info.wait_status);
    }
    return 0;
}
