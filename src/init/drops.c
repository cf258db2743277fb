/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Becoming the payload's user, in the payload's process. The calls are raw: a libc's setresuid()
 * tells all threads, by signal, and this process shares the init's memory. Each drop is read back,
 * for a call that reports success and does less has happened before.
 *
 * The order is groups, gid, uid, capabilities; three starting points lead through it:
 *   root -> user      setresuid() takes every capability, and emptying the bounding set needs
 *                     CAP_SETPCAP: PR_SET_KEEPCAPS carries the permitted set across, and
 *                     drop_capabilities() makes it effective again for a moment.
 *   root -> root      setresuid() changes nothing; without the drop, exec as uid 0 would give
 *                     whatever the bounding set holds.
 *   one id in a user namespace
 *                     no step for ids; the ambient capabilities that came through the init's exec
 *                     have to be taken, or they would come through the payload's too. */

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/ids.h"
#include "init/init.h"

typedef struct __user_cap_data_struct CapabilitySets[_LINUX_CAPABILITY_U32S_3];

static bool contains(const uint32_t *groups, uint32_t count, uint32_t group)
{
    for (uint32_t i = 0; i < count; i++)
        if (groups[i] == group)
            return true;
    return false;
}

int drop_groups(const struct WirePlan *plan)
{
    const uint32_t *wanted = (const uint32_t *)(const void *)((const char *)plan + plan->groups);
    uint32_t got[WIRE_GROUPS_MAX];
    long count;

    if (syscall(SYS_SETGROUPS, plan->group_count, wanted) < 0)
        return errno;
    count = syscall(SYS_GETGROUPS, WIRE_GROUPS_MAX, got);
    if (count != (long)plan->group_count)
        return EPERM;
    for (long i = 0; i < count; i++) /* the kernel has sorted them */
        if (!contains(wanted, plan->group_count, got[i]))
            return EPERM;
    return 0;
}

int drop_gid(const struct WirePlan *plan)
{
    uint32_t real, effective, saved;

    if (syscall(SYS_SETRESGID, plan->gid, plan->gid, plan->gid) < 0 ||
        syscall(SYS_GETRESGID, &real, &effective, &saved) < 0)
        return errno;
    return real == plan->gid && effective == plan->gid && saved == plan->gid ? 0 : EPERM;
}

int drop_uid(const struct WirePlan *plan)
{
    uint32_t real, effective, saved;

    /* Exec clears it again, and with it what it kept, should no step take the rest. */
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_SETRESUID, plan->uid, plan->uid, plan->uid) < 0 ||
        syscall(SYS_GETRESUID, &real, &effective, &saved) < 0)
        return errno;
    /* A change of the uid sets this to what fs.suid_dumpable says, for the memory that is the
     * init's as well; until the exec no process of this user shall look into it. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return errno;
    return real == plan->uid && effective == plan->uid && saved == plan->uid ? 0 : EPERM;
}

static int capabilities_get(CapabilitySets sets)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

    return syscall(SYS_capget, &header, sets) < 0 ? errno : 0;
}

static int capabilities_set(CapabilitySets sets)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

    return syscall(SYS_capset, &header, sets) < 0 ? errno : 0;
}

static bool has(uint64_t set, unsigned capability)
{
    return capability < 64 && (set >> capability & 1) != 0;
}

/* Up to the first number that the kernel does not know. */
static int bounding_set_shrink(uint64_t wanted)
{
    int present;

    for (unsigned cap = 0; (present = prctl(PR_CAPBSET_READ, cap, 0, 0, 0)) >= 0; cap++)
        if (present != 0 && !has(wanted, cap) &&
            (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 0))
            return errno != 0 ? errno : EPERM;
    return 0;
}

static int ambient_set_exactly(uint64_t wanted)
{
    int present;

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return errno;
    for (unsigned cap = 0; cap < 64; cap++)
        if (has(wanted, cap) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
            return errno;
    for (unsigned cap = 0; (present = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0)) >= 0;
         cap++)
        if ((present != 0) != has(wanted, cap))
            return EPERM;
    return 0;
}

static bool permits_nothing(const CapabilitySets sets)
{
    uint32_t permitted = 0;

    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        permitted |= sets[i].permitted;
    return permitted == 0;
}

/* Emptying the bounding set takes CAP_SETPCAP, which a change of the uid has made ineffective. */
static int bounding_set_apply(const struct WirePlan *plan, CapabilitySets sets)
{
    int error;

    /* Whoever never had a capability cannot shrink it, and gains no more from it than any other
     * process of his user. */
    if (permits_nothing(sets))
        return 0;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        sets[i].effective = sets[i].permitted;
    error = capabilities_set(sets);
    return error != 0 ? error : bounding_set_shrink(plan->bounding);
}

static void sets_decide(const struct WirePlan *plan, CapabilitySets sets)
{
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        sets[i].permitted &= (uint32_t)(plan->permitted >> 32 * i);
        sets[i].effective = sets[i].permitted;
        sets[i].inheritable = (uint32_t)(plan->ambient >> 32 * i);
    }
}

int drop_capabilities(const struct WirePlan *plan)
{
    CapabilitySets wanted, got;
    int error = capabilities_get(wanted);

    if (error == 0)
        error = bounding_set_apply(plan, wanted);
    if (error != 0)
        return error;
    sets_decide(plan, wanted);
    error = capabilities_set(wanted);
    if (error == 0)
        error = ambient_set_exactly(plan->ambient);
    if (error == 0)
        error = capabilities_get(got);
    if (error != 0)
        return error;
    return memcmp(wanted, got, sizeof wanted) == 0 ? 0 : EPERM;
}
