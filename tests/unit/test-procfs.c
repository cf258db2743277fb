/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* /proc of real processes, and the texts that this machine does not have. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "suite.h"
#include "util/fd.h"
#include "util/procfs.h"
#include "util/syscalls.h"

static pid_t child = -1;

static void start_child(void)
{
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        for (;;)
            (void)pause();
}

static void end_child(void)
{
    if (child < 0)
        return;
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    child = -1;
}

static void check_cgroup(const char *text, int result, const char *expected)
{
    g_autofree char *path = NULL;

    ck_assert_msg(procfs_parse_cgroup(text, &path) == result, "%s", text);
    ck_assert_pstr_eq(path, expected);
}

START_TEST(the_cgroup_is_on_the_line_of_hierarchy_0)
{
    check_cgroup("0::/\n", 0, "/");
    check_cgroup("0::/a.slice/b c.scope\n", 0, "/a.slice/b c.scope");
    check_cgroup("12:cpu,cpuacct:/x\n1:name=systemd:/y\n0::/z\n", 0, "/z");
    check_cgroup("0::/a:b", 0, "/a:b");
    check_cgroup("0::/../x\n", 0, "/../x");
}
END_TEST

START_TEST(without_that_line_there_is_no_cgroup)
{
    check_cgroup("", -ENODATA, NULL);
    check_cgroup("10:memory:/x\n", -ENODATA, NULL);
    check_cgroup("10::/x\n", -ENODATA, NULL);
    check_cgroup("0::/gone (deleted)\n", -ENODATA, NULL);
    check_cgroup("0::\n", -ENODATA, NULL);
}
END_TEST

static void check_mount(const char *line, int result, const char *expected)
{
    g_autofree char *path = NULL;

    ck_assert_msg(procfs_parse_cgroup2_mount(line, &path) == result, "%s", line);
    ck_assert_pstr_eq(path, expected);
}

START_TEST(a_mount_of_cgroup2_is_known_by_its_type)
{
    check_mount("30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n", 0,
                "/sys/fs/cgroup");
    check_mount("30 24 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw", 0,
                "/sys/fs/cgroup/unified");
    check_mount("30 24 0:26 / /my\\040cg\\134x rw shared:4 master:1 - cgroup2 none rw", 0,
                "/my cg\\x");
}
END_TEST

START_TEST(other_mounts_are_not_cgroup2)
{
    check_mount("", -ENODATA, NULL);
    check_mount("30 24 0:26 / /cgroup2 rw - tmpfs cgroup2 rw", -ENODATA, NULL);
    check_mount("30 24 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu", -ENODATA, NULL);
    check_mount("30 24 0:26 /part /mnt rw - cgroup2 cgroup2 rw", -ENODATA, NULL);
    check_mount("30 24 0:26 / /mnt rw -", -ENODATA, NULL);
    check_mount("30 24 0:26 / /mnt rw", -ENODATA, NULL);
    check_mount("30 24 0:26 /", -ENODATA, NULL);
}
END_TEST

START_TEST(our_own_cgroup_is_as_the_kernel_tells)
{
    g_autofree char *path = NULL;
    int r = procfs_cgroup(getpid(), &path);

    /* A host with v1 hierarchies only is possible. */
    ck_assert(r == -ENODATA || (r == 0 && path[0] == '/'));
}
END_TEST

START_TEST(the_mount_of_cgroup2_has_a_controllers_file)
{
    g_autofree char *mount = NULL;
    int r = procfs_cgroup2_mount(&mount);

    if (r == -ENOENT)
        return;
    ck_assert_int_eq(r, 0);
    g_autofree char *file = g_strconcat(mount, "/cgroup.controllers", NULL);
    ck_assert_int_eq(access(file, F_OK), 0);
}
END_TEST

START_TEST(a_pidfd_tells_its_pid)
{
    pid_t pid = 0;

    start_child();
    auto_fd pidfd = sys_pidfd_open(child);
    ck_assert_int_ge(pidfd, 0);
    ck_assert_int_eq(procfs_pidfd_pid(pidfd, &pid), 0);
    ck_assert_int_eq(pid, child);
    end_child();
}
END_TEST

START_TEST(the_pidfd_of_what_has_ended_tells_none)
{
    pid_t pid = 4711;

    start_child();
    auto_fd pidfd = sys_pidfd_open(child);
    end_child();
    ck_assert_int_eq(procfs_pidfd_pid(pidfd, &pid), -ESRCH);
    ck_assert_int_eq(pid, 4711);
}
END_TEST

START_TEST(what_is_no_pidfd_is_refused)
{
    auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t pid;

    ck_assert_int_eq(procfs_pidfd_pid(null, &pid), -EBADF);
    ck_assert_int_eq(procfs_pidfd_pid(-1, &pid), -EBADF);
    ck_assert_int_eq(procfs_pidfd_pid(1 << 20, &pid), -EBADF);
}
END_TEST

START_TEST(the_first_child_is_found)
{
    pid_t pid = 0;

    start_child();
    ck_assert_int_eq(procfs_first_child(getpid(), &pid), 0);
    ck_assert_int_eq(pid, child);
    end_child();
}
END_TEST

START_TEST(a_process_without_children_has_no_first_one)
{
    pid_t pid;

    start_child();
    ck_assert_int_eq(procfs_first_child(child, &pid), -ESRCH);
    end_child();
}
END_TEST

START_TEST(a_process_that_is_gone_is_no_such_process)
{
    g_autofree char *path = NULL;
    pid_t pid, gone;

    start_child();
    gone = child;
    end_child();
    ck_assert_int_eq(procfs_cgroup(gone, &path), -ESRCH);
    ck_assert_int_eq(procfs_first_child(gone, &pid), -ESRCH);
    ck_assert_int_eq(procfs_cgroup(0, &path), -ESRCH);
}
END_TEST

SUITE_MAIN("util/procfs", the_cgroup_is_on_the_line_of_hierarchy_0,
           without_that_line_there_is_no_cgroup, a_mount_of_cgroup2_is_known_by_its_type,
           other_mounts_are_not_cgroup2, our_own_cgroup_is_as_the_kernel_tells,
           the_mount_of_cgroup2_has_a_controllers_file, a_pidfd_tells_its_pid,
           the_pidfd_of_what_has_ended_tells_none, what_is_no_pidfd_is_refused,
           the_first_child_is_found, a_process_without_children_has_no_first_one,
           a_process_that_is_gone_is_no_such_process)
