/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What holds for each process of the payload and not for its cgroup. Set before the ids are given
 * away, since only root may raise most of it; raw system calls and read back, for a libc translates
 * and may round. */

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/init.h"

/* Without a name, so that nobody else can join it. While we are root it counts against root's quota
 * of keys and not against the 200 of an ordinary user. */
int keyring_make(void)
{
    return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 ? errno : 0;
}

int umask_set(uint32_t mask)
{
    (void)umask(mask);
    return umask(mask) == mask ? 0 : EPERM;
}

/* number: the value + 20. The kernel answers 20 - value, which is never negative. */
int nice_set(uint32_t number)
{
    long nice = (long)number - 20;

    if (syscall(SYS_setpriority, PRIO_PROCESS, 0, nice) < 0)
        return errno;
    return syscall(SYS_getpriority, PRIO_PROCESS, 0) == 20 - nice ? 0 : EPERM;
}

int limit_set(const struct WireLimit *limit)
{
    const uint64_t wanted[2] = { limit->soft, limit->hard };
    uint64_t got[2];

    if (syscall(SYS_prlimit64, 0, limit->resource, wanted, NULL) < 0 ||
        syscall(SYS_prlimit64, 0, limit->resource, NULL, got) < 0)
        return errno;
    return got[0] == wanted[0] && got[1] == wanted[1] ? 0 : EPERM;
}
