/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An owner who renames his directories while root mounts in them for him. Each test tries often
 * enough to hit a gap between two looks at one path, if there is one. Wants root. */

#include "system/init-harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/suite.h"

#define SOMEBODY 1000u
#define RACES    40

static char directory[] = "/var/tmp/races-XXXXXX";
static volatile bool racing;

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void sh(const char *command)
{
    ck_assert_int_eq(setenv("D", directory, 1), 0);
    ck_assert_msg(system(command) == 0, "%s", command);
}

/* "root" and "homes" are somebody's; "closed" is root's, with a secret in it. */
static void prepare(void)
{
    launcher_start();
    (void)strcpy(directory + sizeof directory - sizeof "XXXXXX", "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    sh("chmod 755 $D && mkdir -p $D/root $D/homes $D/closed && cd $D/root && "
       "mkdir proc dev sys usr etc bin lib lib64 tmp closed other && chown -R 1000:1000 $D/root "
       "$D/homes && echo secret >$D/closed/secret && chmod 600 $D/closed/secret");
}

static void clean(void)
{
    racing = false;
    launcher_stop();
    sh("rm -r $D");
}

/* ---- both sides ------------------------------------------------------------------------------ */

static void race(Run *(*make)(void), void *(*other)(void *), void (*check)(void))
{
    pthread_t thread;

    racing = true;
    ck_assert_int_eq(pthread_create(&thread, NULL, other, NULL), 0);
    for (unsigned i = 0; i < RACES; i++) {
        Run *run = make();

        ck_assert_int_eq(run_spawn(run).error, 0);
        run_send_plan(run);
        run_open_gate(run);
        while (run_receive(run) != 0)
            ;
        (void)run_wait(run);
        run_free(run);
        check();
    }
    racing = false;
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void add_programs(Run *run)
{
    static const char *const paths[] = { "/usr", "/bin", "/lib", "/lib64" };

    run->header.owner_uid = run->header.owner_gid = SOMEBODY;
    run_step(run, STEP_SOURCES, 0, NULL);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        run_mount(run, STEP_BIND, MOUNT_RDONLY, paths[i], paths[i]);
    run_step(run, STEP_ROOT_LEAVE, 0, "/");
}

static Run *new_in_root(void)
{
    Run *run = run_new_shell("true");

    run_step(run, STEP_ROOT_DIRECTORY, 0, path_of("root"));
    add_programs(run);
    run_mount(run, STEP_BIND, 0, "/closed", path_of("closed"));
    return run;
}

/* Two names of the root change places. */
static void exchange(const char *one, const char *two)
{
    char first[128], second[128];

    (void)snprintf(first, sizeof first, "%s/root/%s", directory, one);
    (void)snprintf(second, sizeof second, "%s/root/%s", directory, two);
    while (racing)
        (void)renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE);
}

static void secret_is_untouched(void)
{
    char text[32];
    struct stat status;

    file_text(path_of("closed/secret"), text, sizeof text);
    ck_assert_str_eq(text, "secret\n");
    ck_assert_int_eq(stat(path_of("closed/secret"), &status), 0);
    ck_assert_uint_eq(status.st_uid, 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
}

/* ---- a home ---------------------------------------------------------------------------------- */

static void *link_and_unlink(void *arg)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/homes/ann", directory);
    while (racing) {
        if (symlink("/srv/secret", path) == 0)
            (void)unlink(path);
    }
    return arg;
}

static Run *new_with_homes(void)
{
    Run *run = run_new_shell("true");

    run_step(run, STEP_ROOT_PRIVATE, 0, "/");
    add_programs(run);
    run_as(run, SOMEBODY, SOMEBODY);
    run_mount(run, STEP_BIND, 0, "/home", path_of("homes"));
    run_mount(run, STEP_BIND, 0, "/srv", path_of("closed"));
    run_step(run, STEP_HOME, 0, "/home/ann");
    return run;
}

START_TEST(a_link_that_comes_to_be_where_a_home_was_missing_gives_nothing_away)
{
    race(new_with_homes, link_and_unlink, secret_is_untouched);
}
END_TEST

/* ---- file systems that are mounted ----------------------------------------------------------- */

static void *exchange_dev(void *arg)
{
    exchange("dev", "other");
    return arg;
}

static Run *new_with_devices(void)
{
    Run *run = new_in_root();

    run_step(run, STEP_DEVICES, 0, "/dev");
    return run;
}

static void nothing_was_made(void)
{
    ck_assert_int_eq(access(path_of("root/dev/null"), F_OK), -1);
    ck_assert_int_eq(access(path_of("root/other/null"), F_OK), -1);
}

START_TEST(devices_are_made_in_their_own_file_system_or_nowhere)
{
    race(new_with_devices, exchange_dev, nothing_was_made);
}
END_TEST

static void *exchange_proc(void *arg)
{
    exchange("proc", "link");
    return arg;
}

static Run *new_with_score(void)
{
    Run *run = new_in_root();

    run_step(run, STEP_PAYLOAD_OOM_SCORE, 1500, NULL);
    return run;
}

START_TEST(what_is_written_to_proc_does_not_go_to_somebodys_files)
{
    sh("mkdir -p $D/root/fake/self && ln -s /closed/secret $D/root/fake/self/oom_score_adj && "
       "ln -s /fake $D/root/link");
    race(new_with_score, exchange_proc, secret_is_untouched);
}
END_TEST

static void *exchange_temporary(void *arg)
{
    exchange("tmp", "other");
    return arg;
}

/* A target that is missing is made in the instance's own file systems only. */
static Run *new_with_temporary(void)
{
    Run *run = new_in_root();

    run_mount(run, STEP_TMPFS, MOUNT_NOSUID | MOUNT_NODEV, "/tmp", "mode=0755,size=64k");
    run_mount(run, STEP_BIND, MOUNT_OPTIONAL, "/closed/made", "/usr");
    return run;
}

static void nothing_was_put_there(void)
{
    ck_assert_int_eq(access(path_of("closed/made"), F_OK), -1);
}

START_TEST(a_file_system_of_the_hosts_is_not_taken_for_the_instances_own)
{
    race(new_with_temporary, exchange_temporary, nothing_was_put_there);
}
END_TEST

SUITE_MAIN_WITH("system/races", prepare, clean,
                a_link_that_comes_to_be_where_a_home_was_missing_gives_nothing_away,
                devices_are_made_in_their_own_file_system_or_nowhere,
                what_is_written_to_proc_does_not_go_to_somebodys_files,
                a_file_system_of_the_hosts_is_not_taken_for_the_instances_own)
