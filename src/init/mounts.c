/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps that shape what the instance sees of the file systems. Nobody else is in it yet, so
 * nothing here can be raced from inside; from outside, those can to whom the directories belong. */

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init/mounts.h"
#include "util/fd.h"
#include "util/syscalls.h"

#define HIDDEN_OPTIONS "mode=000,size=4k,nr_inodes=2"
#define HIDDEN_FLAGS   (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* The trees of the binds, at the number of their step; 0 is none, for standard input is no tree. */
static int trees[WIRE_STEPS_MAX] BEFORE_PAYLOAD;

static bool is_missing(int error)
{
    return error == ENOENT || error == ENOTDIR;
}

static bool is_optional(const struct WireStep *step)
{
    return (step->number & MOUNT_OPTIONAL) != 0;
}

/* ---- single paths ---------------------------------------------------------------------------- */

/* A symbolic link on the way would put the mask over something else. Kernels that know openat2()
 * are all we run on, but a container around us may not let it through. */
static int perform_mask(const struct Init *init, const char *path)
{
    const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                                  .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    auto_fd directory = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);

    if (directory < 0 && errno == ENOSYS)
        directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (directory < 0)
        return is_missing(errno) ? 0 : errno;
    return mount_over(init, directory, "tmpfs", HIDDEN_FLAGS, HIDDEN_OPTIONS);
}

/* Whether init->proc is that of the instance, and no more the host's. */
static bool has_own_proc;

static int perform_proc(struct Init *init)
{
    auto_fd directory = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    auto_fd proc = -1;
    int error;

    if (directory < 0)
        return errno;
    proc = mount_new(init, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    if (proc < 0)
        return errno;
    /* In the host's root it is where it belongs already. */
    error = root_is_own() ? mount_place(init, proc, directory) : 0;
    if (error != 0)
        return error;
    (void)fd_close(init->proc);
    init->proc = fd_steal(&proc);
    has_own_proc = true;
    return 0;
}

/* Of the /proc that was mounted before, so that where it cannot be had that one is left. The
 * options are those of the file system, wherever it shows: never of the host's. */
static int perform_proc_subset(const struct Init *init)
{
    if (!has_own_proc)
        return EINVAL;
    if (fchdir(init->proc) < 0 ||
        mount(NULL, ".", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "hidepid=invisible,subset=pid") < 0)
        return errno;
    return 0;
}

static int perform_home(const struct Init *init, const char *path)
{
    auto_fd fd = view_open(init, path);

    if (fd >= 0)
        return 0;
    fd = view_make(init, path, true);
    /* Somebody may have put something there since. */
    if (fd >= 0 && !view_is_own(fd))
        return 0;
    if (fd < 0 || fchownat(fd, "", init->plan->uid, init->plan->gid, AT_EMPTY_PATH) < 0)
        return errno;
    return 0;
}

static int perform_tmpfs(const struct Init *init, const struct WireStep *step)
{
    const char *path = plan_text(init->plan, step->path);
    auto_fd target = view_make(init, path, true), root = -1;
    struct stat status;
    int error;

    if (target < 0 || fstat(target, &status) < 0)
        return is_optional(step) && is_missing(errno) ? 0 : errno;
    if (!S_ISDIR(status.st_mode))
        return ENOTDIR;
    /* The kernel's flags have the values of the attributes. */
    root = mount_new(init, "tmpfs", step->number & (MS_NOSUID | MS_NODEV | MS_NOEXEC),
                     plan_text(init->plan, step->source));
    if (root < 0)
        return errno;
    error = mount_place(init, root, target);
    if (error == 0)
        view_add_own(root);
    return error;
}

/* The host's, since a root of its own may not have one yet; it must be what it is called. */
static int null_open(void)
{
    int fd = host_open("/dev/null");
    struct stat status;

    if (fd >= 0 &&
        (fstat(fd, &status) < 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))) {
        fd = fd_close(fd);
        errno = ENODEV;
    }
    return fd;
}

static int attach_changed(const struct Init *init, int tree, int target, const char *path,
                          uint32_t flags)
{
    auto_fd attached = -1;
    int error = tree_is_detached() ? tree_change(init, tree, flags) : 0;

    if (error == 0)
        error = tree_attach(init, tree, target);
    if (error != 0 || tree_is_detached())
        return error;
    attached = view_open(init, path);
    return attached < 0 ? errno : tree_change(init, attached, flags);
}

/* A device on a mount without devices cannot be opened by anybody. */
static int hide_file(const struct Init *init, int target, const char *path)
{
    auto_fd null = null_open();
    auto_fd tree = null >= 0 ? tree_open(null) : -1;

    if (tree < 0)
        return errno;
    return attach_changed(init, tree, target, path,
                          MOUNT_RDONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC);
}

static int perform_inaccessible(const struct Init *init, const struct WireStep *step)
{
    const char *path = plan_text(init->plan, step->path);
    auto_fd target = view_open(init, path);
    struct stat status;

    if (target < 0)
        return is_optional(step) && is_missing(errno) ? 0 : errno;
    if (fstat(target, &status) < 0)
        return errno;
    return S_ISDIR(status.st_mode) ? mount_over(init, target, "tmpfs", HIDDEN_FLAGS, HIDDEN_OPTIONS)
                                   : hide_file(init, target, path);
}

/* ---- trees ----------------------------------------------------------------------------------- */

static bool is_link(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

/* An optional one that is missing leaves no tree, and neither does a link that is to stay one. */
static int take_tree(const struct Init *init, uint32_t index, const char *path)
{
    const struct WireStep *step = &plan_steps(init->plan)[index];
    auto_fd fd = view_open(init, path);

    if (fd < 0)
        return is_optional(step) && is_missing(errno) ? 0 : errno;
    if ((step->number & MOUNT_LINK) != 0 && is_link(path))
        return 0;
    trees[index] = tree_open(fd);
    if (trees[index] >= 0)
        return 0;
    trees[index] = 0;
    return errno;
}

static int perform_sources(const struct Init *init, const char **ret_path)
{
    const struct WireStep *steps = plan_steps(init->plan);

    for (uint32_t i = 0; i < init->plan->step_count; i++) {
        int error;

        if (steps[i].kind != STEP_BIND || (steps[i].number & MOUNT_KEEP) != 0)
            continue;
        *ret_path = plan_text(init->plan, steps[i].source);
        error = take_tree(init, i, *ret_path);
        if (error != 0)
            return error;
    }
    return 0;
}

/* What is to stay as it is: a copy from before, to be put back over it; or, where there are no
 * detached copies, a mount of its own right away, which tree_change() then spares. */
static int take_kept(const struct Init *init, uint32_t first, const char **ret_path)
{
    const struct WireStep *steps = plan_steps(init->plan);

    for (uint32_t i = first; i < init->plan->step_count; i++) {
        int error;

        if (steps[i].kind != STEP_BIND || (steps[i].number & MOUNT_KEEP) == 0)
            continue;
        *ret_path = plan_text(init->plan, steps[i].path);
        error = take_tree(init, i, *ret_path);
        if (error == 0 && trees[i] > 0 && !tree_is_detached()) {
            error = tree_attach(init, trees[i], trees[i]);
            (void)fd_close(trees[i]);
            trees[i] = 0;
        }
        if (error != 0)
            return error;
    }
    return 0;
}

static int perform_read_only(const struct Init *init, uint32_t index, const char **ret_path)
{
    const struct WireStep *step = &plan_steps(init->plan)[index];
    bool recursive = (step->number & MOUNT_RECURSIVE) != 0;
    auto_fd fd = -1;
    int error = recursive ? take_kept(init, index, ret_path) : 0;

    if (error != 0)
        return error;
    *ret_path = plan_text(init->plan, step->path);
    fd = view_open(init, *ret_path);
    if (fd < 0)
        return is_optional(step) && is_missing(errno) ? 0 : errno;
    return tree_change(init, fd, MOUNT_RDONLY | (recursive ? MOUNT_RECURSIVE | MOUNT_KEEP : 0));
}

static int perform_nosuid(const struct Init *init, const struct WireStep *step)
{
    auto_fd fd = view_open(init, plan_text(init->plan, step->path));

    return fd < 0 ? errno : tree_change(init, fd, MOUNT_NOSUID | MOUNT_RECURSIVE);
}

/* A link of the host's, made anew; anything else is not what this is for. */
static int copy_link(const char *path)
{
    char text[256];
    auto_fd link = host_open(path);
    ssize_t length = link < 0 ? -1 : readlinkat(link, "", text, sizeof text);

    if (length <= 0 || (size_t)length == sizeof text)
        return 0;
    text[length] = '\0';
    return symlink(text, path) < 0 ? errno : 0;
}

static int perform_bind(const struct Init *init, uint32_t index)
{
    const struct WireStep *step = &plan_steps(init->plan)[index];
    const char *path = plan_text(init->plan, step->path);
    auto_fd tree = trees[index] > 0 ? trees[index] : -1;
    auto_fd target = -1;
    struct stat from, to;

    trees[index] = 0;
    if (tree < 0)
        return (step->number & MOUNT_LINK) != 0 ? copy_link(path) : 0;
    if (fstat(tree, &from) < 0)
        return errno;
    target = view_make(init, path, S_ISDIR(from.st_mode));
    if (target < 0 || fstat(target, &to) < 0)
        return errno;
    if (S_ISDIR(from.st_mode) != S_ISDIR(to.st_mode))
        return S_ISDIR(to.st_mode) ? EISDIR : ENOTDIR;
    return attach_changed(init, tree, target, path,
                          (step->number & MOUNT_KEEP) != 0 ? 0 : step->number | MOUNT_RECURSIVE);
}

int mounts_perform(struct Init *init, uint32_t index, const char **ret_path)
{
    const struct WireStep *step = &plan_steps(init->plan)[index];

    const char *path = plan_text(init->plan, step->path);

    switch (step->kind) {
    case STEP_LAYER:
        return root_open_layer(path);
    case STEP_MASK:
        return perform_mask(init, path);
    case STEP_ROOT_PRIVATE:
        return root_build(init);
    case STEP_ROOT_DIRECTORY:
        return root_bind(init, step, ret_path);
    case STEP_ROOT_OVERLAY:
        return root_overlay(init, step, ret_path);
    case STEP_ROOT_LEAVE:
        return root_leave();
    case STEP_PROC_SUBSET:
        return perform_proc_subset(init);
    case STEP_DEVICES:
        return devices_mount(init);
    case STEP_HOME:
        return perform_home(init, path);
    case STEP_PROC:
        return perform_proc(init);
    case STEP_NOSUID:
        return perform_nosuid(init, step);
    case STEP_SOURCES:
        return perform_sources(init, ret_path);
    case STEP_READ_ONLY:
        return perform_read_only(init, index, ret_path);
    case STEP_TMPFS:
        return perform_tmpfs(init, step);
    case STEP_BIND:
        return perform_bind(init, index);
    case STEP_INACCESSIBLE:
        return perform_inaccessible(init, step);
    default:
        return EINVAL;
    }
}
