/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps that shape what an instance sees of files, as the init performs them: with the newer
 * calls about mounts, and again without. Wants root. */

#include "system/init-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/suite.h"
#include "util/fd.h"

#define SOMEBODY 1000u
#define NOTHING  (MOUNT_NOSUID | MOUNT_NODEV)

static char directory[] = "/var/tmp/files-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void make_directory(const char *name, mode_t mode, uid_t uid)
{
    ck_assert_int_eq(mkdir(path_of(name), mode), 0);
    ck_assert_int_eq(chmod(path_of(name), mode), 0);
    ck_assert_int_eq(chown(path_of(name), uid, uid), 0);
}

static void make_file(const char *name, const char *text)
{
    auto_fd fd = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void prepare(void)
{
    launcher_start();
    (void)strcpy(directory + sizeof directory - sizeof "XXXXXX", "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chmod(directory, 0755), 0);
    make_directory("from", 0755, SOMEBODY);
    make_directory("to", 0755, SOMEBODY);
    make_directory("closed", 0700, 0);
    make_directory("closed/in", 0755, 0);
    make_file("from/f", "source\n");
    make_file("to/f", "target\n");
    make_file("closed/in/f", "secret\n");
}

static void clean(void)
{
    char command[128];

    launcher_stop();
    (void)snprintf(command, sizeof command, "exec rm -r %s", directory);
    ck_assert_int_eq(system(command), 0); /* fails where something is mounted still */
}

/* A shell in the directory, as root. */
static Run *run_new_look(const char *script)
{
    char text[512];
    static char kept[8][512];
    static unsigned next;
    char *command = kept[next++ % 8];

    (void)snprintf(text, sizeof text, "cd %s && { %s; } 2>&1", directory, script);
    (void)strcpy(command, text);
    return run_new_shell(command);
}

static void bind_to(Run *run, const char *source, const char *target, uint32_t number)
{
    run_mount(run, STEP_BIND, number, path_of(target), path_of(source));
}

static void belong_to_somebody(Run *run)
{
    run->header.owner_uid = run->header.owner_gid = SOMEBODY;
}

/* ---- binds ----------------------------------------------------------------------------------- */

START_TEST(a_bind_shows_its_source_at_another_path)
{
    Run *run = run_new_look("cat to/f; echo new >to/n; cat from/n");

    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "from", "to", NOTHING);
    run_assert_output(run, "source\nnew\n");
    run = run_new_look("cat to/f; ls from");
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "from/f", "to/f", NOTHING);
    run_assert_output(run, "source\nf\nn\n");
}
END_TEST

START_TEST(a_read_only_bind_cannot_be_written_to_with_all_below_it)
{
    Run *run = run_new_look("echo x >to/deep/f; echo x >to/f; "
                            "grep -c ' ro,nosuid,nodev' /proc/self/mountinfo");

    make_directory("from/deep", 0755, 0);
    make_directory("more", 0755, 0);
    make_file("more/f", "more\n");
    /* A mount below the source, which the source brings along. */
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "from", "to", NOTHING | MOUNT_RDONLY);
    ck_assert_int_eq(run_complete(run), 0);
    ck_assert_ptr_nonnull(strstr(run_output(run), "to/deep/f: Read-only"));
    ck_assert_ptr_nonnull(strstr(run_output(run), "to/f: Read-only"));
    run_free(run);
}
END_TEST

START_TEST(a_source_is_taken_before_anything_lies_over_it)
{
    Run *run = run_new_look("cat to/f; ls from");

    if (getenv("CONSTELLATION_TEST_DENY"))
        SKIP("without open_tree() a bind brings along what lies over its source");
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "from", "to", NOTHING);
    run_mount(run, STEP_TMPFS, NOTHING, path_of("from"), "size=1M");
    run_assert_output(run, "source\n");
}
END_TEST

START_TEST(set_uid_bits_and_devices_do_not_count_on_a_bind)
{
    Run *run = run_new_look("grep -o 'to r[a-z,]*' /proc/self/mountinfo | cut -d, -f1-3");

    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "from", "to", NOTHING);
    run_assert_output(run, "to rw,nosuid,nodev\n");
}
END_TEST

START_TEST(what_is_missing_is_a_fault_or_optional)
{
    Run *run = run_new_look("cat to/f");

    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "nothing", "to", NOTHING | MOUNT_OPTIONAL);
    run_assert_output(run, "target\n");
    run = run_new_look("cat to/f");
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "nothing", "to", NOTHING);
    run_assert_fault(run, STEP_SOURCES, ENOENT, path_of("nothing"));
}
END_TEST

START_TEST(a_directory_is_bound_to_a_directory_and_a_file_to_a_file)
{
    Run *run = run_new_look("true");

    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "from", "to/f", NOTHING);
    run_assert_fault(run, STEP_BIND, ENOTDIR, path_of("to/f"));
    run = run_new_look("true");
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "from/f", "to", NOTHING);
    run_assert_fault(run, STEP_BIND, EISDIR, path_of("to"));
}
END_TEST

START_TEST(a_target_is_made_where_the_file_system_is_the_instances_own_and_nowhere_else)
{
    Run *run = run_new_look("cat to/a/b/f to/a/c; ls -ld to/a | cut -c1-10");

    run_step(run, STEP_SOURCES, 0, NULL);
    run_mount(run, STEP_TMPFS, NOTHING, path_of("to"), "mode=755,size=1M");
    bind_to(run, "from", "to/a/b", NOTHING);
    bind_to(run, "from/f", "to/a/c", NOTHING);
    run_assert_output(run, "source\nsource\ndrwxr-xr-x\n");
    run = run_new_look("true");
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "from", "to/a/b", NOTHING);
    run_assert_fault(run, STEP_BIND, ENOENT, path_of("to/a/b"));
    ck_assert_int_lt(access(path_of("to/a"), F_OK), 0);
}
END_TEST

START_TEST(a_fifo_is_bound_and_not_opened)
{
    Run *run = run_new_look("test -p to/f && echo fifo");

    ck_assert_int_eq(mkfifo(path_of("fifo"), 0644), 0);
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "fifo", "to/f", NOTHING);
    run_assert_output(run, "fifo\n");
}
END_TEST

START_TEST(links_of_proc_lead_nowhere)
{
    Run *run = run_new_look("true");

    run_step(run, STEP_SOURCES, 0, NULL);
    run_mount(run, STEP_BIND, NOTHING, path_of("to"), "/proc/self/root/etc");
    run_assert_fault(run, STEP_SOURCES, ELOOP, "/proc/self/root/etc");
    run = run_new_look("true");
    run_step(run, STEP_SOURCES, 0, NULL);
    run_mount(run, STEP_BIND, NOTHING, "/proc/self/cwd", path_of("from"));
    run_assert_fault(run, STEP_BIND, ELOOP, "/proc/self/cwd");
}
END_TEST

/* ---- read-only ------------------------------------------------------------------------------- */

START_TEST(everything_can_be_read_only_but_what_is_kept)
{
    Run *run = run_new_look("echo x >from/n; echo kept >to/n; cat to/n; echo x >/dev/null && "
                            "echo x >/dev/shm/files-test && rm /dev/shm/files-test && echo shm; "
                            "echo x >/usr/n");

    run_step(run, STEP_SOURCES, 0, NULL);
    run_step(run, STEP_READ_ONLY, MOUNT_RECURSIVE, "/");
    run_mount(run, STEP_BIND, MOUNT_KEEP, "/dev", NULL);
    run_mount(run, STEP_BIND, MOUNT_KEEP, "/proc", NULL);
    run_mount(run, STEP_BIND, MOUNT_KEEP, path_of("to"), NULL);
    run_mount(run, STEP_BIND, MOUNT_KEEP | MOUNT_OPTIONAL, path_of("nothing"), NULL);
    (void)run_complete(run);
    ck_assert_ptr_nonnull(strstr(run_output(run), "from/n: Read-only"));
    ck_assert_ptr_nonnull(strstr(run_output(run), "kept\nshm\n"));
    ck_assert_ptr_nonnull(strstr(run_output(run), "/usr/n: Read-only"));
    run_free(run);
}
END_TEST

START_TEST(a_temporary_file_system_is_bounded_and_can_be_closed)
{
    Run *run = run_new_look("head -c 2000000 /dev/zero >to/n; wc -c <to/n; echo x >from/n");

    run_mount(run, STEP_TMPFS, NOTHING, path_of("to"), "size=1M");
    run_mount(run, STEP_TMPFS, NOTHING, path_of("from"), "size=1M");
    /* By its number a step before the others, so this one is put behind them by hand. */
    run_step(run, STEP_READ_ONLY, 0, path_of("from"));
    for (uint32_t i = 0; i + 1 < run->step_count; i++)
        if (run->steps[i].kind == STEP_READ_ONLY && run->steps[i + 1].kind == STEP_TMPFS) {
            struct WireStep step = run->steps[i];
            run->steps[i] = run->steps[i + 1];
            run->steps[i + 1] = step;
        }
    (void)run_complete(run);
    ck_assert_ptr_nonnull(strstr(run_output(run), "1048576\n"));
    ck_assert_ptr_nonnull(strstr(run_output(run), "from/n: Read-only"));
    run_free(run);
}
END_TEST

/* ---- hiding ---------------------------------------------------------------------------------- */

START_TEST(what_is_hidden_is_empty_or_cannot_be_opened)
{
    Run *run = run_new_look("ls -A to; cat from/f");

    run_step(run, STEP_INACCESSIBLE, 0, path_of("to"));
    run_step(run, STEP_INACCESSIBLE, 0, path_of("from/f"));
    run_step(run, STEP_INACCESSIBLE, MOUNT_OPTIONAL, path_of("nothing"));
    ck_assert_int_ne(run_complete(run), 0);
    ck_assert_str_eq(run_output(run), "cat: from/f: Permission denied\n");
    run_free(run);
}
END_TEST

START_TEST(a_mask_hides_in_every_copy_too)
{
    Run *run = run_new_look("ls -A closed to/in; ls -A to");

    run_step(run, STEP_MASK, 0, path_of("closed/in"));
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "closed", "to", NOTHING);
    run_assert_output(run, "closed:\nin\n\nto/in:\nin\n");
}
END_TEST

/* ---- rights ---------------------------------------------------------------------------------- */

START_TEST(what_the_owner_cannot_reach_is_not_bound_for_him)
{
    Run *run = run_new_look("cat to/f");

    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "closed/in", "to", NOTHING);
    run_assert_output(run, "secret\n"); /* root's own instance */
    run = run_new_look("cat to/f");
    belong_to_somebody(run);
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "closed/in", "to", NOTHING);
    run_assert_fault(run, STEP_SOURCES, EACCES, path_of("closed/in"));
    run = run_new_look("cat to/f");
    belong_to_somebody(run);
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "from", "closed/in", NOTHING);
    run_assert_fault(run, STEP_BIND, EACCES, path_of("closed/in"));
}
END_TEST

START_TEST(the_owners_groups_count)
{
    Run *run = run_new_look("cat to/f");

    ck_assert_int_eq(chown(path_of("closed"), 0, 77), 0);
    ck_assert_int_eq(chmod(path_of("closed"), 0750), 0);
    belong_to_somebody(run);
    run->owner_groups[0] = 77;
    run->header.owner_group_count = 1;
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "closed/in", "to", NOTHING);
    run_assert_output(run, "secret\n");
}
END_TEST

START_TEST(the_init_is_root_again_afterwards)
{
    Run *run = run_new_shell("grep -E '^(Uid|Gid|Groups)' /proc/1/status; id -u; id -G");

    belong_to_somebody(run);
    run_step(run, STEP_SOURCES, 0, NULL);
    bind_to(run, "from", "to", NOTHING);
    (void)run_complete(run);
    ck_assert_ptr_nonnull(strstr(run_output(run), "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"));
    ck_assert_ptr_null(strstr(run_output(run), "1000"));
    run_free(run);
}
END_TEST

START_TEST(set_uid_bits_can_be_taken_everywhere)
{
    /* Of those at one path the last one is what is seen. */
    Run *run = run_new_look("awk '{o[$5] = $6} END {for (p in o) if (o[p] !~ /nosuid/) print p}' "
                            "/proc/self/mountinfo; echo end");

    run_step(run, STEP_NOSUID, 0, "/");
    run_assert_output(run, "end\n");
}
END_TEST

START_TEST(mounts_before_they_are_kept_in_are_refused)
{
    Run *run = run_new_look("true");

    for (uint32_t i = 0; i < run->step_count; i++)
        if (run->steps[i].kind == STEP_MOUNTS_SLAVE)
            run->steps[i].kind = STEP_SUBREAPER;
    run_assert_fault(run, STEP_PLAN, EBADMSG, "");
}
END_TEST

/* ---- races ----------------------------------------------------------------------------------- */

#define RACES 60

static volatile bool racing;

/* "way" is by turns the owner's directory and a link to one of root's. */
static void *rename_for_ever(void *arg)
{
    char way[256], mine[256], theirs[256];

    (void)strcpy(way, path_of("way"));
    (void)strcpy(mine, path_of("mine"));
    (void)strcpy(theirs, path_of("theirs"));
    while (racing) {
        (void)rename(way, theirs);
        (void)rename(mine, way);
        (void)rename(way, mine);
        (void)rename(theirs, way);
    }
    return arg;
}

START_TEST(whoever_renames_meanwhile_gets_no_further)
{
    pthread_t thread;
    unsigned started = 0;

    make_directory("mine", 0755, SOMEBODY);
    make_directory("mine/in", 0755, SOMEBODY);
    make_file("mine/in/f", "mine\n");
    ck_assert_int_eq(symlink(path_of("closed"), path_of("way")), 0);
    racing = true;
    ck_assert_int_eq(pthread_create(&thread, NULL, rename_for_ever, NULL), 0);
    for (unsigned i = 0; i < RACES; i++) {
        Run *run = run_new_look("cat to/f closed/in/f");
        uint32_t type;

        belong_to_somebody(run);
        run_step(run, STEP_SOURCES, 0, NULL);
        bind_to(run, "way/in", "to", NOTHING);
        bind_to(run, "from", "way/in", NOTHING | MOUNT_OPTIONAL);
        ck_assert_int_eq(run_spawn(run).error, 0);
        run_send_plan(run);
        run_open_gate(run);
        while ((type = run_receive(run)) == WIRE_PAYLOAD)
            ;
        (void)run_wait(run);
        if (type == WIRE_EXECUTED) {
            started++;
            /* Its own directory, and what is root's is not covered. */
            ck_assert_str_eq(run_output(run), "mine\nsecret\n");
        }
        run_free(run);
    }
    racing = false;
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    fprintf(stderr, "# %u of %u came through\n", started, RACES);
}
END_TEST

SUITE_MAIN_WITH("system/files", prepare, clean, a_bind_shows_its_source_at_another_path,
                a_read_only_bind_cannot_be_written_to_with_all_below_it,
                a_source_is_taken_before_anything_lies_over_it,
                set_uid_bits_and_devices_do_not_count_on_a_bind,
                what_is_missing_is_a_fault_or_optional,
                a_directory_is_bound_to_a_directory_and_a_file_to_a_file,
                a_target_is_made_where_the_file_system_is_the_instances_own_and_nowhere_else,
                a_fifo_is_bound_and_not_opened, links_of_proc_lead_nowhere,
                everything_can_be_read_only_but_what_is_kept,
                a_temporary_file_system_is_bounded_and_can_be_closed,
                what_is_hidden_is_empty_or_cannot_be_opened, a_mask_hides_in_every_copy_too,
                what_the_owner_cannot_reach_is_not_bound_for_him, the_owners_groups_count,
                the_init_is_root_again_afterwards, set_uid_bits_can_be_taken_everywhere,
                mounts_before_they_are_kept_in_are_refused,
                whoever_renames_meanwhile_gets_no_further)
