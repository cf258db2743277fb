/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A /dev with the devices that every program may count upon, and none besides. They are made where
 * we may, which is quicker and takes no mount; else each is bound from the host, by a descriptor
 * that has proved to be what it is called. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init/mounts.h"
#include "util/fd.h"

#define DEV_OPTIONS "mode=0755,size=64k,nr_inodes=64"
#define SHM_OPTIONS "mode=1777,size=10%,nr_inodes=400k"
#define PTS_OPTIONS "newinstance,ptmxmode=0666,mode=0620"
#define TTY_GROUP   ",gid=5" /* of Debian, Fedora and all who follow systemd */

static const struct {
    const char *name;
    unsigned major, minor;
} devices[] = { { "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
                { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 } };

enum { DEVICES = sizeof devices / sizeof devices[0] };

static int device_open(int host, size_t i)
{
    struct stat status;
    auto_fd fd = openat(host, devices[i].name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) < 0 || !S_ISCHR(status.st_mode) ||
        status.st_rdev != makedev(devices[i].major, devices[i].minor)) {
        errno = ENODEV;
        return -1;
    }
    return fd_steal(&fd);
}

static int device_bind(const struct Init *init, int host, int dev, size_t i)
{
    auto_fd device = device_open(host, i);
    auto_fd tree = device >= 0 ? tree_open(device) : -1;
    auto_fd target = -1;

    if (tree < 0 || mknodat(dev, devices[i].name, S_IFREG | 0644, 0) < 0)
        return errno;
    target = openat(dev, devices[i].name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return target < 0 ? errno : tree_attach(init, tree, target);
}

/* A container around us may let nobody make devices; in a user namespace nobody may. */
static int device_make(const struct Init *init, int host, int directory, size_t i)
{
    dev_t number = makedev(devices[i].major, devices[i].minor);

    if (mknodat(directory, devices[i].name, S_IFCHR | 0666, number) == 0)
        return fchmodat(directory, devices[i].name, 0666, 0) < 0 ? errno : 0;
    return errno == EPERM ? device_bind(init, host, directory, i) : errno;
}

static int links_make(int host, int dev)
{
    static const struct {
        const char *name, *target;
    } links[] = { { "ptmx", "pts/ptmx" },
                  { "fd", "/proc/self/fd" },
                  { "stdin", "/proc/self/fd/0" },
                  { "stdout", "/proc/self/fd/1" },
                  { "stderr", "/proc/self/fd/2" } };
    char log[128];
    ssize_t length = readlinkat(host, "log", log, sizeof log - 1);

    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (symlinkat(links[i].target, dev, links[i].name) < 0)
            return errno;
    if (length <= 0)
        return 0;
    log[length] = '\0'; /* where syslog(3) writes to, as on the host */
    return symlinkat(log, dev, "log") < 0 ? errno : 0;
}

static int mount_below(const struct Init *init, int dev, const char *name, const char *type,
                       unsigned long flags, const char *options)
{
    auto_fd directory = -1;

    if (mkdirat(dev, name, 0755) < 0 && errno != EEXIST)
        return errno;
    directory = openat(dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return directory < 0 ? errno : mount_over(init, directory, type, flags, options);
}

static int fill(const struct Init *init, int host, int dev)
{
    int error = 0;

    for (size_t i = 0; i < DEVICES && error == 0; i++)
        error = device_make(init, host, dev, i);
    if (error == 0)
        error = links_make(host, dev);
    if (error == 0)
        error = mount_below(init, dev, "shm", "tmpfs", MS_NOSUID | MS_NODEV, SHM_OPTIONS);
    if (error != 0)
        return error;
    error = mount_below(init, dev, "pts", "devpts", MS_NOSUID | MS_NOEXEC, PTS_OPTIONS TTY_GROUP);
    /* The group need not exist in a user namespace. */
    return error == EINVAL
               ? mount_below(init, dev, "pts", "devpts", MS_NOSUID | MS_NOEXEC, PTS_OPTIONS)
               : error;
}

int devices_mount(const struct Init *init)
{
    auto_fd host = host_open("/dev");
    auto_fd target = open("/dev", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    auto_fd dev = -1;
    int error;

    if (host < 0 || target < 0)
        return errno;
    dev = mount_new(init, "tmpfs", MS_NOSUID | MS_NOEXEC, DEV_OPTIONS);
    if (dev < 0)
        return errno;
    error = fill(init, host, dev);
    if (error != 0) /* half of it would be worse than the host's */
        mount_forget(init, dev);
    else
        error = mount_place(init, dev, target);
    if (error == 0)
        view_add_own(dev);
    return error;
}
