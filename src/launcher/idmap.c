/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The uid and gid maps of a new user namespace.
 *
 * A child that shares our memory suspends us (CLONE_VFORK), so we cannot write its maps; it writes
 * them itself, which the kernel allows an unprivileged process for one line only, with its own id
 * outside. It has to happen before the exec, which takes every capability from a process whose uid
 * has no name in its namespace. Everything else wants a writer with capabilities in the parent
 * namespace, hence a child that does not suspend us (see held.c). */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/launcher.h"
#include "util/fd.h"
#include "util/text.h"

#define MAP_TEXT_MAX (ID_EXTENTS_MAX * sizeof "4294967295 4294967295 4294967295\n")

static int file_write(const char *path, const char *text)
{
    auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t length = strlen(text);
    ssize_t written;

    if (fd < 0)
        return errno;
    written = write(fd, text, length);
    if (written < 0)
        return errno;
    return (size_t)written == length ? 0 : EIO; /* a map is taken in one write or not at all */
}

static char *append_extent(char *end, const struct IdExtent *extent)
{
    end = text_append_number(end, extent->inside);
    end = text_append(end, " ");
    end = text_append_number(end, extent->outside);
    end = text_append(end, " ");
    end = text_append_number(end, extent->count);
    return text_append(end, "\n");
}

int idmap_write_single(const struct Launcher *launcher, uid_t uid, gid_t gid)
{
    char map[MAP_TEXT_MAX];
    int error;

    /* An unprivileged process may map its gid only once it has given up setgroups(), by which it
     * could leave a group that is denied something. */
    error = file_write("/proc/self/setgroups", "deny");
    if (error != 0)
        return error;
    (void)append_extent(map, &(struct IdExtent){ uid, launcher->uid, 1 });
    error = file_write("/proc/self/uid_map", map);
    if (error != 0)
        return error;
    (void)append_extent(map, &(struct IdExtent){ gid, launcher->gid, 1 });
    return file_write("/proc/self/gid_map", map);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static bool overlap(uint64_t a, uint64_t a_count, uint64_t b, uint64_t b_count)
{
    return a < b + b_count && b < a + a_count;
}

/* A single id is itself outside as well; only ranges stand for others, and never for the users of
 * the system. -1 is no id, so nothing may reach it. */
static bool extent_is_sound(const struct IdExtent *extent)
{
    if (extent->count == 0 || extent->count > UINT32_MAX - extent->inside ||
        extent->count > UINT32_MAX - extent->outside)
        return false;
    return extent->outside >= ID_RANGE_MIN ||
           (extent->count == 1 && extent->inside == extent->outside);
}

/* The init becomes the root inside, so there must be one. */
bool idmap_is_sound(const struct IdMap *map)
{
    bool has_root = false;

    if (map->count > ID_EXTENTS_MAX)
        return false;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct IdExtent *a = &map->extents[i];

        if (!extent_is_sound(a))
            return false;
        has_root = has_root || a->inside == 0;
        for (uint32_t k = 0; k < i; k++) {
            const struct IdExtent *b = &map->extents[k];

            if (overlap(a->inside, a->count, b->inside, b->count) ||
                overlap(a->outside, a->count, b->outside, b->count))
                return false;
        }
    }
    return has_root;
}

int idmap_write_ranges(pid_t child, const struct LaunchRequest *request)
{
    const struct {
        const char *file;
        const struct IdMap *map;
    } maps[] = { { "/uid_map", &request->uids }, { "/gid_map", &request->gids } };

    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        char path[64], text[MAP_TEXT_MAX] = "", *end = text;
        int error;

        for (uint32_t k = 0; k < maps[i].map->count; k++)
            end = append_extent(end, &maps[i].map->extents[k]);
        text_proc_path(path, child, maps[i].file);
        error = file_write(path, text);
        if (error != 0)
            return error;
    }
    return 0;
}

/* ---- capabilities ---------------------------------------------------------------------------- */

/* Exec takes the capabilities of a process that is not uid 0 unless they are ambient, and ambient
 * ones must be inheritable first. The init takes them from the payload again. */
int idmap_keep_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, sets) < 0)
        return errno;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        sets[i].inheritable = sets[i].permitted;
    if (syscall(SYS_capset, &header, sets) < 0)
        return errno;
    for (unsigned long cap = 0; cap < 32 * _LINUX_CAPABILITY_U32S_3; cap++)
        if ((sets[cap / 32].permitted & (1u << cap % 32)) != 0 &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
            return errno;
    return 0;
}
