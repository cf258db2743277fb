/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ways out through files: the host's secrets and programs, the kernel's own files, mounts, devices.
 */

#include "escape.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A musl of its own need not know the newer calls. */
enum {
    CALL_OPEN_TREE = 428,
    CALL_MOVE_MOUNT = 429,
    CALL_FSOPEN = 430,
    CALL_MOUNT_SETATTR = 442,
};

static int read_the_hosts_passwords(void)
{
    return try_open("/etc/shadow", O_RDONLY);
}

static int write_the_hosts_accounts(void)
{
    return try_open("/etc/passwd", O_WRONLY | O_APPEND);
}

static int put_a_program_into_place(void)
{
    int result = try_open("/usr/bin/escape-was-here", O_WRONLY | O_CREAT | O_EXCL);

    if (result == 0)
        (void)unlink("/usr/bin/escape-was-here");
    return result;
}

static int list_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;

    if (directory == NULL)
        return errno;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    (void)closedir(directory);
    return count > 0 ? 0 : ENOENT;
}

static int list_records(void)
{
    return list_entries("/run/constellation");
}

static int list_stored_instances(void)
{
    return list_entries("/var/lib/constellation");
}

static int set_core_pattern(void)
{
    return try_open("/proc/sys/kernel/core_pattern", O_WRONLY);
}

static int set_modprobe(void)
{
    return try_open("/proc/sys/kernel/modprobe", O_WRONLY);
}

static int press_sysrq(void)
{
    return try_open("/proc/sysrq-trigger", O_WRONLY);
}

static int set_overcommit(void)
{
    return try_open("/proc/sys/vm/overcommit_memory", O_WRONLY);
}

static int read_kernel_log(void)
{
    return try_open("/proc/kmsg", O_RDONLY);
}

static int read_kernel_memory(void)
{
    return try_open("/proc/kcore", O_RDONLY);
}

static int set_a_kernel_file(void)
{
    return try_open("/sys/kernel/mm/transparent_hugepage/enabled", O_WRONLY);
}

static int join(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd < 0 ? errno : refused_by(write(fd, "0", 1));
}

static int leave_the_cgroup(void)
{
    return join("/sys/fs/cgroup/cgroup.procs");
}

/* The limits of a cgroup are its parent's: the instance may read them. */
static int raise_a_limit_of_the_cgroup(void)
{
    char line[4096] = "", path[4200];
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    char *start;

    if (fd < 0 || read(fd, line, sizeof line - 1) < 0)
        return errno;
    start = strstr(line, "0::");
    if (start == NULL)
        return ENOENT;
    start[strcspn(start, "\n")] = '\0';
    (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/cgroup.max.depth", start + 3);
    return try_open(path, O_WRONLY);
}

static int kill_by_cgroup(void)
{
    return try_open("/sys/fs/cgroup/system.slice/cgroup.kill", O_WRONLY);
}

static int mount_the_old_cgroups(void)
{
    int result = refused_by(mount("cgroup", "/mnt", "cgroup", 0, "none,name=escape"));

    if (result == 0)
        (void)umount2("/mnt", MNT_DETACH);
    return result;
}

static int mount_something(void)
{
    int result = refused_by(mount("escape", "/mnt", "tmpfs", 0, NULL));

    if (result == 0)
        (void)umount2("/mnt", MNT_DETACH);
    return result;
}

static int bind_something(void)
{
    int result = refused_by(mount("/etc", "/mnt", NULL, MS_BIND, NULL));

    if (result == 0)
        (void)umount2("/mnt", MNT_DETACH);
    return result;
}

static int unmount_something(void)
{
    return refused_before_looking(umount2("/mnt", MNT_EXPIRE | MNT_DETACH));
}

static int pivot_the_root(void)
{
    return refused_before_looking(syscall(SYS_pivot_root, "/mnt", "/mnt"));
}

static int change_the_root(void)
{
    return refused_by(chroot("/mnt"));
}

static int open_a_file_system(void)
{
    return refused_by(syscall(CALL_FSOPEN, "tmpfs", 0));
}

static int copy_a_tree(void)
{
    return refused_by(syscall(CALL_OPEN_TREE, -100, "/", 1 /* OPEN_TREE_CLONE */));
}

static int move_a_mount(void)
{
    return refused_before_looking(syscall(CALL_MOVE_MOUNT, -1, "", -1, "", 0));
}

static int change_mount_attributes(void)
{
    struct {
        uint64_t set, clear, propagation, fd;
    } nothing = { 0, 0, 0, 0 };

    return refused_before_looking(
        syscall(CALL_MOUNT_SETATTR, -100, "/mnt", 0, &nothing, sizeof nothing));
}

static int open_by_handle(void)
{
    union {
        struct file_handle handle;
        char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } buffer = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
    int mount_id, root = open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (name_to_handle_at(AT_FDCWD, "/dev/shm", &buffer.handle, &mount_id, 0) < 0)
        return errno;
    return refused_by(open_by_handle_at(root, &buffer.handle, O_RDONLY | O_CLOEXEC));
}

static int make_a_disk(void)
{
    int result = refused_by(mknod("/tmp/escape-disk", S_IFBLK | 0600, makedev(254, 0)));

    (void)unlink("/tmp/escape-disk");
    return result;
}

static int make_a_memory_device(void)
{
    int result = refused_by(mknod("/tmp/escape-memory", S_IFCHR | 0600, makedev(1, 1)));

    (void)unlink("/tmp/escape-memory");
    return result;
}

static int open_the_disk(void)
{
    return try_open("/dev/vda", O_RDONLY);
}

static int open_memory(void)
{
    return try_open("/dev/mem", O_RDONLY);
}

static int write_kernel_log(void)
{
    return try_open("/dev/kmsg", O_WRONLY);
}

static int run_a_set_uid_program(void)
{
    return run_copy("/tests/escape-set-uid");
}

static int run_a_program_with_capabilities(void)
{
    return run_copy("/tests/escape-capable");
}

const Probe file_probes[] = {
    { "read-the-hosts-passwords", read_the_hosts_passwords, BY_ROOT, NULL },
    { "write-the-hosts-accounts", write_the_hosts_accounts, BY_ROOT, NULL },
    { "put-a-program-into-place", put_a_program_into_place, BY_ROOT, NULL },
    { "list-records", list_records, BY_ROOT, NULL },
    { "list-stored-instances", list_stored_instances, BY_ROOT, NULL },
    { "set-core-pattern", set_core_pattern, BY_ROOT_VM, NULL },
    { "set-modprobe", set_modprobe, BY_ROOT_VM, NULL },
    { "press-sysrq", press_sysrq, BY_ROOT_VM, NULL },
    { "set-overcommit", set_overcommit, BY_ROOT_VM, NULL },
    { "read-kernel-log", read_kernel_log, BY_ROOT_VM, NULL },
    { "read-kernel-memory", read_kernel_memory, BY_ROOT_VM, NULL },
    { "set-a-kernel-file", set_a_kernel_file, BY_ROOT_VM, NULL },
    { "leave-the-cgroup", leave_the_cgroup, BY_ROOT, NULL },
    { "raise-a-limit-of-the-cgroup", raise_a_limit_of_the_cgroup, BY_ROOT, NULL },
    { "kill-by-cgroup", kill_by_cgroup, BY_ROOT, NULL },
    { "mount-the-old-cgroups", mount_the_old_cgroups, BY_ROOT_VM, NULL },
    { "mount-something", mount_something, BY_ROOT, NULL },
    { "bind-something", bind_something, BY_ROOT, NULL },
    { "unmount-something", unmount_something, BY_ROOT, NULL },
    { "pivot-the-root", pivot_the_root, BY_ROOT, NULL },
    { "change-the-root", change_the_root, BY_ROOT, NULL },
    { "open-a-file-system", open_a_file_system, BY_ROOT, NULL },
    { "copy-a-tree", copy_a_tree, BY_ROOT, NULL },
    { "move-a-mount", move_a_mount, BY_ROOT, NULL },
    { "change-mount-attributes", change_mount_attributes, BY_ROOT, NULL },
    { "open-by-handle", open_by_handle, BY_ROOT, NULL },
    { "make-a-disk", make_a_disk, BY_ROOT, NULL },
    { "make-a-memory-device", make_a_memory_device, BY_ROOT, NULL },
    { "open-the-disk", open_the_disk, BY_ROOT_VM, NULL },
    { "open-memory", open_memory, BY_ROOT_VM, NULL },
    { "write-kernel-log", write_kernel_log, BY_ROOT_VM, NULL },
    { "run-a-set-uid-program", run_a_set_uid_program, BY_USER, NULL },
    { "run-a-program-with-capabilities", run_a_program_with_capabilities, BY_USER, NULL },
    { NULL, NULL, UNPROVEN, NULL },
};
