/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finding what a path of a setting means. The paths were named by the instance's owner, and we may
 * be root: so they are opened with the owner's rights, as far as the file system goes (fsuid,
 * fsgid, groups), and never past a link of /proc, which would lead to what other processes see. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/ids.h"
#include "init/mounts.h"
#include "util/fd.h"
#include "util/syscalls.h"

/* ---- the owner's rights ---------------------------------------------------------------------- */

/* Ours, for the way back. */
static uint32_t our_groups[WIRE_GROUPS_MAX] BEFORE_PAYLOAD;
static long our_group_count;

static bool owner_is_us(const struct WirePlan *plan)
{
    return plan->owner_uid == geteuid();
}

static int set_ids(long group_count, const uint32_t *groups, uint32_t gid, uint32_t uid)
{
    if (syscall(SYS_SETGROUPS, group_count, groups) < 0)
        return errno;
    /* These two report no failure: ask again. */
    (void)syscall(SYS_SETFSGID, gid);
    (void)syscall(SYS_SETFSUID, uid);
    if ((uint32_t)syscall(SYS_SETFSGID, UINT32_MAX) != gid ||
        (uint32_t)syscall(SYS_SETFSUID, UINT32_MAX) != uid)
        return EPERM;
    /* Like every change of ids it may have made us dumpable. */
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? errno : 0;
}

/* With another's rights there would be no going on. */
static void owner_leave(const struct WirePlan *plan)
{
    int saved = errno;

    if (!owner_is_us(plan) &&
        set_ids(our_group_count, our_groups, (uint32_t)getegid(), (uint32_t)geteuid()) != 0)
        _exit(EXIT_NOT_STARTED);
    errno = saved;
}

static int owner_enter(const struct WirePlan *plan)
{
    const void *groups = (const char *)plan + plan->owner_groups;
    int error;

    if (owner_is_us(plan))
        return 0;
    our_group_count = syscall(SYS_GETGROUPS, WIRE_GROUPS_MAX, our_groups);
    /* Whether we may at all is asked with what would change nothing. */
    if (our_group_count < 0 || syscall(SYS_SETGROUPS, our_group_count, our_groups) < 0)
        return errno;
    error = set_ids(plan->owner_group_count, groups, plan->owner_gid, plan->owner_uid);
    if (error != 0)
        owner_leave(plan);
    return error;
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* The calls are made from inside the root that counts, so ".." and links cannot lead out of it. */
static int path_open(const struct WirePlan *plan, const char *path)
{
    const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
    long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);

    /* A container around us may not let it through; who has only his own rights loses nothing. */
    if (fd < 0 && errno == ENOSYS && owner_is_us(plan))
        return open(path, O_PATH | O_CLOEXEC);
    return (int)fd;
}

int view_open(const struct Init *init, const char *path)
{
    int error = owner_enter(init->plan), fd;

    if (error != 0) {
        errno = error;
        return -1;
    }
    fd = path_open(init->plan, path);
    owner_leave(init->plan);
    return fd;
}

bool view_is_kept(const struct Init *init, const char *path)
{
    const struct WireStep *steps = plan_steps(init->plan);

    for (uint32_t i = 0; i < init->plan->step_count; i++) {
        const char *kept = plan_text(init->plan, steps[i].path);
        size_t length = strlen(kept);

        if (steps[i].kind == STEP_BIND && (steps[i].number & MOUNT_KEEP) != 0 &&
            strncmp(path, kept, length) == 0 && (path[length] == '/' || path[length] == '\0'))
            return true;
    }
    return false;
}

/* ---- what is missing ------------------------------------------------------------------------- */

/* The file systems that exist for this instance alone; nobody else has a superblock of this
 * number. */
static dev_t own[WIRE_STEPS_MAX] BEFORE_PAYLOAD;
static uint32_t own_count;

void view_add_own(int fd)
{
    struct stat status;

    if (fstat(fd, &status) == 0 && own_count < WIRE_STEPS_MAX)
        own[own_count++] = status.st_dev;
}

bool view_is_own(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return false;
    for (uint32_t i = 0; i < own_count; i++)
        if (own[i] == status.st_dev)
            return true;
    return false;
}

/* One name below `parent`; what is there already, a link say, is not followed. */
static int make_one(int parent, const char *name, bool directory)
{
    if (directory ? mkdirat(parent, name, 0755) < 0 : mknodat(parent, name, S_IFREG | 0644, 0) < 0)
        return -1;
    return openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* The rest of the path below a directory that is there. Closes it. */
static int make_rest(int parent, char *rest, bool directory)
{
    while (parent >= 0 && *rest != '\0') {
        size_t length = strcspn(rest, "/");
        bool last = rest[length] == '\0';
        int next = -1;

        rest[length] = '\0';
        if (view_is_own(parent))
            next = make_one(parent, rest, !last || directory);
        else
            errno = ENOENT;
        (void)fd_close(parent);
        parent = next;
        rest += length + !last;
    }
    return parent;
}

int view_make(const struct Init *init, const char *path, bool directory)
{
    static char text[PATH_MAX] BEFORE_PAYLOAD;
    size_t length = strlen(path), end = length;
    int fd = view_open(init, path);

    if (fd >= 0 || errno != ENOENT || length >= sizeof text)
        return fd;
    (void)memcpy(text, path, length + 1);
    do { /* up to a parent that exists; the root does */
        while (end > 0 && text[end - 1] != '/')
            end--;
        if (end == 0)
            return -1;
        text[end - 1] = '\0';
        fd = view_open(init, end > 1 ? text : "/");
        text[end - 1] = '/';
    } while (fd < 0 && errno == ENOENT && end-- > 0);
    return fd < 0 ? fd : make_rest(fd, text + end, directory);
}
