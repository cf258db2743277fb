/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A root of the instance's own. It is put together over /proc of the host's view, which nobody
 * needs there any more (we have a descriptor of it), and entered at once: from then on a path is a
 * path inside, and cannot lead out. The host's root lies behind it, reachable by a descriptor of
 * ours, until all is mounted. */

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "init/mounts.h"
#include "util/fd.h"
#include "util/syscalls.h"
#include "util/text.h"

#define STAGE "/proc"

#define ROOT_OPTIONS "mode=0755,size=10%,nr_inodes=400k"

static int host_root = -1;
static int layer = -1;

int host_open(const char *path)
{
    const struct open_how how = { .flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
                                  .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    long fd;

    if (host_root < 0)
        return open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    fd = syscall(SYS_openat2, host_root, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS)
        return openat(host_root, path + 1, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    return (int)fd;
}

bool root_is_own(void)
{
    return host_root >= 0;
}

int stage_open(void)
{
    return openat(host_root >= 0 ? host_root : AT_FDCWD, host_root >= 0 ? STAGE + 1 : STAGE,
                  O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* What was mounted on the stage last. */
static int enter_stage(void)
{
    auto_fd root = stage_open();

    host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || host_root < 0 || fchdir(root) < 0)
        return errno;
    /* Both at one place: the host's root comes to lie over the new one, and out of sight. */
    return syscall(SYS_pivot_root, ".", ".") < 0 ? errno : 0;
}

static int mount_on_stage(const struct Init *init, const char *type, unsigned long flags,
                          const char *options)
{
    auto_fd stage = stage_open();

    return stage < 0 ? errno : mount_over(init, stage, type, flags, options);
}

static int add_own_root(void)
{
    auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0)
        return errno;
    view_add_own(root);
    return 0;
}

/* ---- built of parts -------------------------------------------------------------------------- */

static int make_directories(void)
{
    static const struct {
        const char *path;
        mode_t mode;
    } rows[] = {
        { "/dev", 0755 }, { "/etc", 0755 },      { "/home", 0755 },      { "/mnt", 0755 },
        { "/opt", 0755 }, { "/proc", 0555 },     { "/root", 0700 },      { "/run", 0755 },
        { "/srv", 0755 }, { "/sys", 0555 },      { "/tmp", 01777 },      { "/usr", 0755 },
        { "/var", 0755 }, { "/var/tmp", 01777 }, { "/run/lock", 01777 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (mkdir(rows[i].path, rows[i].mode) < 0 || chmod(rows[i].path, rows[i].mode) < 0)
            return errno;
    return symlink("/run", "/var/run") < 0 ? errno : 0;
}

int root_build(const struct Init *init)
{
    int error = mount_on_stage(init, "tmpfs", MS_NOSUID | MS_NODEV, ROOT_OPTIONS);

    if (error == 0)
        error = enter_stage();
    if (error == 0)
        error = make_directories();
    return error == 0 ? add_own_root() : error;
}

/* ---- a directory ----------------------------------------------------------------------------- */

/* Where a link stands for one of these, what we mount would come to lie somewhere else. */
static int check_directory(int root, const char **ret_path)
{
    static const struct {
        const char *path;
        bool needed;
    } rows[] = { { "/proc", true }, { "/dev", true }, { "/sys", false } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stat status;

        *ret_path = rows[i].path;
        if (fstatat(root, rows[i].path + 1, &status, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno != ENOENT || rows[i].needed)
                return errno;
        } else if (!S_ISDIR(status.st_mode)) {
            return ENOTDIR;
        }
    }
    *ret_path = NULL;
    return 0;
}

static int open_directory(const struct Init *init, const char *path, int *ret_fd,
                          const char **ret_path)
{
    auto_fd fd = view_open(init, path);
    struct stat status;
    const char *about = NULL;
    int error;

    if (fd < 0 || fstat(fd, &status) < 0)
        return errno;
    if (!S_ISDIR(status.st_mode))
        return ENOTDIR;
    error = check_directory(fd, &about);
    if (error == 0)
        *ret_fd = fd_steal(&fd);
    else
        *ret_path = about;
    return error;
}

int root_bind(const struct Init *init, const struct WireStep *step, const char **ret_path)
{
    auto_fd fd = -1, tree = -1, stage = -1;
    int error = open_directory(init, plan_text(init->plan, step->path), &fd, ret_path);

    if (error != 0)
        return error;
    tree = tree_open(fd);
    stage = stage_open();
    if (tree < 0 || stage < 0)
        return errno;
    if (tree_is_detached())
        error = tree_change(init, tree, step->number | MOUNT_RECURSIVE);
    if (error == 0)
        error = tree_attach(init, tree, stage);
    if (error == 0)
        error = enter_stage();
    if (error == 0 && !tree_is_detached()) {
        auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        error = tree_change(init, root, step->number | MOUNT_RECURSIVE);
    }
    return error;
}

/* ---- with a layer over it -------------------------------------------------------------------- */

/* One directory that may be there already. */
static int directory_make(int parent, const char *name)
{
    if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
        return -1;
    return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The service's own directory, so by our own rights; the last two parts of the path may be new. */
int root_open_layer(const char *path)
{
    const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                                  .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    const char *name = strrchr(path, '/'), *above = name;
    static char parent[WIRE_PATH_MAX] BEFORE_PAYLOAD, middle[WIRE_PATH_MAX] BEFORE_PAYLOAD;
    auto_fd top = -1, layers = -1;

    while (above > path && above[-1] != '/')
        above--;
    if (above <= path + 1 || (size_t)(name - path) >= sizeof parent)
        return EINVAL;
    (void)memcpy(parent, path, (size_t)(above - path) - 1);
    (void)memcpy(middle, above, (size_t)(name - above));
    top = (int)syscall(SYS_openat2, AT_FDCWD, parent, &how, sizeof how);
    if (top >= 0)
        layers = directory_make(top, middle);
    if (layers >= 0)
        layer = directory_make(layers, name + 1);
    return layer < 0 ? errno : 0;
}

/* The directory that a change of the root's own owner or mode goes to looks like it. */
static int make_layer_parts(int fd, int lower)
{
    struct stat status;
    auto_fd work = directory_make(fd, "work");
    bool fresh = mkdirat(fd, "upper", 0700) == 0;

    if (work < 0 || (!fresh && errno != EEXIST))
        return errno;
    if (!fresh)
        return 0;
    if (fstat(lower, &status) < 0)
        return errno;
    /* In a user namespace the owner may be somebody who does not exist there. */
    if (fchownat(fd, "upper", status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
        errno != EPERM && errno != EINVAL)
        return errno;
    return fchmodat(fd, "upper", status.st_mode & 07777, 0) < 0 ? errno : 0;
}

static char *append_part(char *end, const char *option, int fd, const char *name)
{
    end = text_append_number(text_append(text_append(end, option), "self/fd/"), (uint32_t)fd);
    return text_append(end, name);
}

/* The marks of an overlay (this was removed, this replaces a directory) are attributes that only
 * the host's root may set, or in a user namespace others. Without either they would be lost, and
 * removed files come back. */
static bool marks_are_roots(const struct Init *init)
{
    char path[64];

    (void)append_part(path, "", layer, "/upper");
    if (fchdir(init->proc) < 0 || setxattr(path, "trusted.overlay.mark", "", 0, 0) < 0)
        return false;
    (void)removexattr(path, "trusted.overlay.mark");
    return true;
}

/* Paths are relative to /proc, which is where mount(2) is called. */
static int mount_overlay(const struct Init *init, const struct WireStep *step, int lower)
{
    char options[192], *end = options;

    end = append_part(end, "lowerdir=", lower, "");
    end = append_part(end, ",upperdir=", layer, "/upper");
    end = append_part(end, ",workdir=", layer, "/work");
    if (!marks_are_roots(init))
        (void)text_append(end, ",userxattr");
    return mount_on_stage(init, "overlay", step->number & (MS_NOSUID | MS_NODEV), options);
}

int root_overlay(const struct Init *init, const struct WireStep *step, const char **ret_path)
{
    auto_fd lower = -1;
    int error = open_directory(init, plan_text(init->plan, step->path), &lower, ret_path);

    if (error == 0 && layer < 0) {
        error = mount_on_stage(init, "tmpfs", MS_NOSUID | MS_NODEV, ROOT_OPTIONS);
        if (error == 0 && (layer = stage_open()) < 0)
            error = errno;
    }
    if (error == 0)
        error = make_layer_parts(layer, lower);
    if (error == 0)
        error = mount_overlay(init, step, lower);
    if (error == 0)
        error = enter_stage();
    if (error == 0)
        error = add_own_root();
    layer = fd_close(layer);
    return error;
}

/* ---- leaving the host's ---------------------------------------------------------------------- */

int root_leave(void)
{
    int error = fchdir(host_root) < 0 || umount2(".", MNT_DETACH) < 0 ? errno : 0;

    host_root = fd_close(host_root);
    return error;
}
