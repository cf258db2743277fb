/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Roots of an instance's own, as the init makes them: with the newer calls about mounts, and again
 * without. Wants root. */

#include "system/init-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/suite.h"

#define SOMEBODY   1000u
#define RESTRICTED (MOUNT_RDONLY | MOUNT_NOSUID | MOUNT_NODEV)

static char directory[] = "/var/tmp/roots-XXXXXX";
static char root[64];

/* $D is the directory of the test, $R the root in it. */
static void sh(const char *command)
{
    ck_assert_int_eq(setenv("D", directory, 1), 0);
    ck_assert_int_eq(setenv("R", root, 1), 0);
    ck_assert_msg(system(command) == 0, "%s", command);
}

/* A directory with what a shell needs, owned by somebody. */
static void prepare(void)
{
    launcher_start();
    (void)strcpy(directory + sizeof directory - sizeof "XXXXXX", "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chmod(directory, 0755), 0);
    (void)snprintf(root, sizeof root, "%s/root", directory);
    sh("mkdir -p $R/proc $R/dev $R/sys && mkdir $R/usr");
    sh("mkdir $R/etc $R/bin $R/lib $R/lib64");
    sh("mkdir $R/tmp && chown -R 1000:1000 $R");
}

static void clean(void)
{
    launcher_stop();
    sh("rm -r $D");
}

/* The programs of the host, so that there is something to execute. */
static void add_programs(Run *run)
{
    static const char *const paths[] = { "/usr", "/bin", "/lib", "/lib64" };

    run_step(run, STEP_SOURCES, 0, NULL);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        run_mount(run, STEP_BIND, RESTRICTED, paths[i], paths[i]);
    run_step(run, STEP_ROOT_LEAVE, 0, "/");
}

static Run *run_new_in_root(const char *script, uint32_t number)
{
    Run *run = run_new_shell(script);

    run_step(run, STEP_ROOT_DIRECTORY, number, root);
    add_programs(run);
    return run;
}

static Run *run_new_private(const char *script)
{
    Run *run = run_new_shell(script);

    run_step(run, STEP_ROOT_PRIVATE, 0, "/");
    run_mount(run, STEP_BIND, RESTRICTED, "/etc", "/etc");
    add_programs(run);
    return run;
}

/* ---- private --------------------------------------------------------------------------------- */

START_TEST(a_private_root_has_programs_and_nothing_else_of_the_host)
{
    Run *run = run_new_private("exec 2>&1; ls /home /root /var/tmp /srv; test -e /etc/passwd && "
                               "echo x >/etc/x; echo x >/x; cat /x; ls /proc/1/root >/dev/null; "
                               "cut -d' ' -f5 /proc/self/mountinfo | sort | tr '\n' ' '");

    (void)run_complete(run);
    ck_assert_ptr_nonnull(strstr(run_output(run), "/etc/x: Read-only file system\nx\n"));
    ck_assert_ptr_nonnull(strstr(run_output(run), "/ /bin /etc /"));
    ck_assert_ptr_null(strstr(run_output(run), directory));
    run_free(run);
}
END_TEST

START_TEST(links_of_the_host_stay_links)
{
    Run *run = run_new_shell("readlink /bin");

    run_step(run, STEP_ROOT_PRIVATE, 0, "/");
    run_step(run, STEP_SOURCES, 0, NULL);
    run_mount(run, STEP_BIND, RESTRICTED, "/usr", "/usr");
    run_mount(run, STEP_BIND, RESTRICTED | MOUNT_LINK, "/bin", "/bin");
    run_mount(run, STEP_BIND, RESTRICTED | MOUNT_LINK, "/lib", "/lib");
    run_mount(run, STEP_BIND, RESTRICTED | MOUNT_LINK, "/lib64", "/lib64");
    run_step(run, STEP_ROOT_LEAVE, 0, "/");
    if (access("/bin/../bin", F_OK) != 0 || readlink("/bin", (char[8]){ 0 }, 8) < 0)
        SKIP("/bin is no link here");
    run_assert_output(run, "usr/bin\n");
}
END_TEST

START_TEST(a_home_is_made_for_the_payloads_user)
{
    Run *run = run_new_private("stat -c '%u %g %a' /home/ann; touch /home/ann/x && echo x");

    run_as(run, SOMEBODY, SOMEBODY);
    run_step(run, STEP_HOME, 0, "/home/ann");
    run_assert_output(run, "1000 1000 755\nx\n");
}
END_TEST

START_TEST(the_hosts_root_is_out_of_reach)
{
    Run *run = run_new_private("cd ../../../..; ls -d var/tmp/roots-* 2>/dev/null; "
                               "for fd in /proc/self/fd/* /proc/1/fd/*; do ls -d $fd/etc; done "
                               "2>/dev/null; ls -ld /proc/1/cwd >/dev/null && echo end");

    (void)run_complete(run);
    ck_assert_str_eq(run_output(run), "end\n");
    run_free(run);
}
END_TEST

START_TEST(nothing_but_processes_is_in_a_proc_that_is_a_subset)
{
    Run *run = run_new_private("ls /proc | grep -v '[0-9]' | tr '\n' ' '");

    run_step(run, STEP_PROC_SUBSET, 0, "/proc");
    run_assert_output(run, "self thread-self ");
}
END_TEST

/* ---- devices --------------------------------------------------------------------------------- */

START_TEST(devices_are_the_few_that_everybody_needs)
{
    Run *run = run_new_shell("ls /dev | tr '\n' ' '; echo x >/dev/null && head -c 3 /dev/zero "
                             "| wc -c; echo x >/dev/shm/x && cat /dev/stdin </dev/shm/x; "
                             "stat -c '%A %t:%T' /dev/null /dev/tty; test -c /dev/pts/ptmx");

    run_step(run, STEP_DEVICES, 0, "/dev");
    (void)run_complete(run);
    ck_assert_ptr_nonnull(strstr(run_output(run), "fd full "));
    ck_assert_ptr_nonnull(strstr(run_output(run),
                                 "null ptmx pts random shm stderr stdin stdout tty urandom zero "
                                 "3\nx\ncrw-rw-rw- 1:3\ncrw-rw-rw- 5:0\n"));
    run_free(run);
}
END_TEST

START_TEST(devices_are_bound_where_they_cannot_be_made)
{
    Run *run = run_new_shell("stat -c '%t:%T' /dev/null /dev/urandom; echo x >/dev/null && "
                             "grep -c ' /dev/[nzfrut]' /proc/self/mountinfo");

    run->request.namespaces |= CLONE_NEWUSER;
    run->request.id_map = ID_MAP_RANGES;
    run->request.uids = run->request.gids = (struct IdMap){ 1, { { 0, 0, 1 } } };
    run_step(run, STEP_DEVICES, 0, "/dev");
    run_assert_output(run, "1:3\n1:9\n6\n");
}
END_TEST

/* ---- directories ----------------------------------------------------------------------------- */

START_TEST(a_directory_becomes_the_root)
{
    Run *run = run_new_in_root("ls / | tr '\n' ' '; echo x >/etc/new", 0);
    char path[128];

    run_assert_output(run, "bin dev etc lib lib64 proc sys tmp usr ");
    (void)snprintf(path, sizeof path, "%s/etc/new", root);
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(somebodys_root_has_no_set_uid_programs_and_no_devices)
{
    Run *run = run_new_in_root("grep -o ' / [a-z,]*' /proc/self/mountinfo | head -n 1",
                               MOUNT_NOSUID | MOUNT_NODEV);

    run->header.owner_uid = run->header.owner_gid = SOMEBODY;
    (void)run_complete(run);
    ck_assert_msg(strncmp(run_output(run), " / rw,nosuid,nodev", 18) == 0, "%s", run_output(run));
    run_free(run);
}
END_TEST

START_TEST(a_root_that_the_owner_cannot_reach_is_refused)
{
    Run *run = run_new_in_root("true", 0);

    ck_assert_int_eq(chmod(directory, 0700), 0);
    run->header.owner_uid = run->header.owner_gid = SOMEBODY;
    run_assert_fault(run, STEP_ROOT_DIRECTORY, EACCES, root);
}
END_TEST

START_TEST(a_root_with_links_for_proc_or_dev_is_refused)
{
    static const struct {
        const char *spoil;
        const char *path;
        int error;
    } rows[] = {
        { "rmdir $R/proc && ln -s /etc $R/proc", "/proc", ENOTDIR },
        { "rm -f $R/proc", "/proc", ENOENT },
        { "mkdir $R/proc && rmdir $R/dev && touch $R/dev", "/dev", ENOTDIR },
        { "rm $R/dev", "/dev", ENOENT },
        { "mkdir $R/dev && rmdir $R/sys && ln -s / $R/sys", "/sys", ENOTDIR },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sh(rows[i].spoil);
        run_assert_fault(run_new_in_root("true", 0), STEP_ROOT_DIRECTORY, rows[i].error,
                         rows[i].path);
    }
    sh("rm $R/sys");
    run_assert_output(run_new_in_root("echo without", 0), "without\n");
}
END_TEST

START_TEST(a_root_that_is_no_directory_is_refused)
{
    Run *run = run_new_shell("true");

    run_step(run, STEP_ROOT_DIRECTORY, 0, "/etc/passwd");
    run_step(run, STEP_ROOT_LEAVE, 0, "/");
    run_assert_fault(run, STEP_ROOT_DIRECTORY, ENOTDIR, "/etc/passwd");
    run = run_new_shell("true");
    run_step(run, STEP_ROOT_DIRECTORY, 0, "/proc/self/root");
    run_step(run, STEP_ROOT_LEAVE, 0, "/");
    run_assert_fault(run, STEP_ROOT_DIRECTORY, ELOOP, "/proc/self/root");
}
END_TEST

START_TEST(links_inside_a_root_stay_inside)
{
    Run *run = run_new_in_root("cat /tmp/in/passwd; ls /etc", 0);

    sh("ln -s /etc $R/tmp/in");
    sh("touch $R/etc/passwd");
    run_mount(run, STEP_BIND, RESTRICTED, "/tmp/in/passwd", "/etc/hostname");
    (void)run_complete(run);
    ck_assert_ptr_nonnull(strstr(run_output(run), "passwd\n"));
    ck_assert_ptr_null(strstr(run_output(run), "root:"));
    run_free(run);
}
END_TEST

/* ---- overlays -------------------------------------------------------------------------------- */

static Run *run_new_in_overlay(const char *script, const char *layer)
{
    Run *run = run_new_shell(script);

    if (layer)
        run_step(run, STEP_LAYER, 0, layer);
    run_step(run, STEP_ROOT_OVERLAY, 0, root);
    add_programs(run);
    return run;
}

START_TEST(changes_to_an_overlay_are_thrown_away)
{
    run_assert_output(run_new_in_overlay("echo x >/etc/new; cat /etc/new", NULL), "x\n");
    run_assert_output(run_new_in_overlay("ls /etc; stat -c '%u %a' /", NULL), "1000 755\n");
}
END_TEST

START_TEST(changes_to_an_overlay_are_kept_where_there_is_a_layer)
{
    char layer[160], state[128];

    (void)snprintf(state, sizeof state, "%s/state", directory);
    (void)snprintf(layer, sizeof layer, "%s/overlays/i0", state);
    ck_assert_int_eq(mkdir(state, 0700), 0);
    if (mount("tmpfs", state, "tmpfs", 0, NULL) < 0)
        SKIP("an overlay does not take a layer on just any file system");
    run_assert_output(run_new_in_overlay("echo kept >/etc/new; rmdir /tmp", layer), "");
    run_assert_output(run_new_in_overlay("cat /etc/new; ls -d /tmp 2>/dev/null", layer), "kept\n");
    run_assert_output(run_new_in_overlay("ls /etc", NULL), "");
    ck_assert_int_eq(umount(state), 0);
}
END_TEST

START_TEST(what_was_removed_in_an_overlay_stays_removed)
{
    static const char script[] = "rm -r /tmp && mkdir /tmp && ls -A /tmp; rm /etc/old; ls /etc";
    Run *run = run_new_in_overlay(script, NULL);

    sh("touch $R/tmp/old $R/etc/old && chown -R 0:0 $R");
    run_assert_output(run, "");
    run = run_new_in_overlay(script, NULL);
    run->request.namespaces |= CLONE_NEWUSER;
    run->request.id_map = ID_MAP_RANGES;
    run->request.uids = run->request.gids = (struct IdMap){ 1, { { 0, 0, 1 } } };
    run_assert_output(run, "");
}
END_TEST

START_TEST(a_file_is_hidden_before_there_are_devices)
{
    Run *run = run_new_private("cat /bin/true");

    run_step(run, STEP_DEVICES, 0, "/dev");
    run_step(run, STEP_INACCESSIBLE, 0, "/bin/true");
    for (uint32_t i = run->step_count; i-- > 1;) /* as their paths are ordered */
        if (run->steps[i].kind == STEP_DEVICES)
            for (; run->steps[i + 1].kind <= STEP_INACCESSIBLE; i++) {
                struct WireStep step = run->steps[i];
                run->steps[i] = run->steps[i + 1];
                run->steps[i + 1] = step;
            }
    (void)run_complete(run);
    ck_assert_ptr_nonnull(strstr(run_output(run), "/bin/true: Permission denied"));
    run_free(run);
}
END_TEST

START_TEST(a_layer_beyond_a_link_is_refused)
{
    char layer[128];

    (void)snprintf(layer, sizeof layer, "%s/link/overlays/i0", directory);
    sh("ln -s / $D/link");
    run_assert_fault(run_new_in_overlay("true", layer), STEP_LAYER, ELOOP, layer);
}
END_TEST

START_TEST(a_root_is_left_as_it_was_entered)
{
    Run *run = run_new_shell("true");

    run_step(run, STEP_ROOT_PRIVATE, 0, "/");
    run_assert_fault(run, STEP_PLAN, EBADMSG, "");
    run = run_new_shell("true");
    run_step(run, STEP_ROOT_LEAVE, 0, "/");
    run_assert_fault(run, STEP_PLAN, EBADMSG, "");
}
END_TEST

SUITE_MAIN_WITH(
    "system/roots", prepare, clean, a_private_root_has_programs_and_nothing_else_of_the_host,
    links_of_the_host_stay_links, a_home_is_made_for_the_payloads_user,
    the_hosts_root_is_out_of_reach, nothing_but_processes_is_in_a_proc_that_is_a_subset,
    devices_are_the_few_that_everybody_needs, devices_are_bound_where_they_cannot_be_made,
    a_directory_becomes_the_root, somebodys_root_has_no_set_uid_programs_and_no_devices,
    a_root_that_the_owner_cannot_reach_is_refused, a_root_with_links_for_proc_or_dev_is_refused,
    a_root_that_is_no_directory_is_refused, links_inside_a_root_stay_inside,
    changes_to_an_overlay_are_thrown_away, changes_to_an_overlay_are_kept_where_there_is_a_layer,
    what_was_removed_in_an_overlay_stays_removed, a_file_is_hidden_before_there_are_devices,
    a_layer_beyond_a_link_is_refused, a_root_is_left_as_it_was_entered)
