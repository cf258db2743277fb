/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records: made, read back, refused, and asked who holds them. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "isolation/record.h"
#include "suite.h"
#include "util/fd.h"

static char *directory;
static int records = -1;
static const struct Record sample = {
    .magic = RECORD_MAGIC,
    .version = RECORD_VERSION,
    .id = "i0000000000001",
    .owner = 1000,
    .phase = RECORD_MADE,
    .run = 7,
};

static void make_directory(void)
{
    directory = g_dir_make_tmp("constellation-record-XXXXXX", NULL);
    records = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(records, 0);
}

static void remove_directory(void)
{
    (void)unlinkat(records, "record", 0);
    (void)unlinkat(records, "link", 0);
    records = fd_close(records);
    ck_assert_int_eq(rmdir(directory), 0);
    g_clear_pointer(&directory, g_free);
}

static int create(void)
{
    int fd = record_create(records, "record", &sample, NULL);

    ck_assert_int_ge(fd, 0);
    return fd;
}

/* What a reader says to the sample with something else in it. */
static int read_changed(struct Record record)
{
    auto_fd fd = record_create(-1, "changed", &record, NULL);
    struct Record read_back;

    ck_assert_int_ge(fd, 0);
    return record_read(fd, &read_back);
}

START_TEST(a_record_in_a_directory_is_read_back)
{
    struct Record record;

    fd_close(create());
    auto_fd again = record_open(records, "record");
    ck_assert_int_ge(again, 0);
    ck_assert_int_eq(record_read(again, &record), 0);
    ck_assert_mem_eq(&record, &sample, sizeof record);
}
END_TEST

START_TEST(a_record_in_memory_is_read_back)
{
    auto_fd fd = record_create(-1, "record", &sample, NULL);
    struct Record record;

    ck_assert_int_eq(record_read(fd, &record), 0);
    ck_assert_mem_eq(&record, &sample, sizeof record);
    ck_assert_int_eq(record_open(records, "record"), -ENOENT);
}
END_TEST

START_TEST(it_is_for_its_owner_and_ends_at_exec)
{
    auto_fd fd = create();
    struct stat status;

    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(a_record_is_never_made_over_another)
{
    g_autoptr(GError) error = NULL;

    fd_close(create());
    ck_assert_int_eq(record_create(records, "record", &sample, &error), -1);
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_SPAWN_FAILED);
    ck_assert_ptr_nonnull(strstr(error->message, "record: File exists"));
}
END_TEST

START_TEST(links_are_not_followed)
{
    fd_close(create());
    ck_assert_int_eq(symlinkat("record", records, "link"), 0);
    ck_assert_int_eq(record_open(records, "link"), -ELOOP);
    ck_assert_int_eq(record_create(records, "link", &sample, NULL), -1);
}
END_TEST

START_TEST(a_short_record_is_none)
{
    static const off_t sizes[] = { 0, 1, sizeof sample - 1 };
    auto_fd fd = create();
    struct Record record = { .run = 99 };

    for (size_t i = G_N_ELEMENTS(sizes); i > 0; i--) {
        ck_assert_int_eq(ftruncate(fd, sizes[i - 1]), 0);
        ck_assert_int_eq(record_read(fd, &record), -ENODATA);
    }
    ck_assert_uint_eq(record.run, 99);
}
END_TEST

START_TEST(what_is_no_record_of_this_version_is_refused)
{
    struct Record record = sample;

    ck_assert_int_eq(read_changed(record), 0);
    record.version++;
    ck_assert_int_eq(read_changed(record), -EBADMSG);
    record = sample;
    record.magic ^= 1;
    ck_assert_int_eq(read_changed(record), -EBADMSG);
}
END_TEST

START_TEST(texts_that_do_not_end_are_refused)
{
    struct Record record = sample;

    memset(record.id, 'i', sizeof record.id);
    ck_assert_int_eq(read_changed(record), -EBADMSG);
    record = sample;
    memset(record.fault_path, '/', sizeof record.fault_path);
    ck_assert_int_eq(read_changed(record), -EBADMSG);
}
END_TEST

START_TEST(what_cannot_be_read_says_why)
{
    struct Record record;

    ck_assert_int_eq(record_read(-1, &record), -EBADF);
    ck_assert_int_eq(record_read(records, &record), -EISDIR);
}
END_TEST

/* ---- holder ---------------------------------------------------------------------------------- */

/* A process that holds the lock until it is told to end. */
static pid_t hold(int fd)
{
    const struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int ends[2];
    char byte;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        bool locked = fcntl(fd, F_SETLK, &lock) == 0 && write(ends[1], "", 1) == 1;
        if (locked)
            (void)pause();
        _exit(1);
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    fd_close(ends[0]);
    fd_close(ends[1]);
    return child;
}

START_TEST(the_holder_is_who_has_the_lock_for_as_long_as_it_lives)
{
    auto_fd fd = create();
    pid_t holder = -1, child;

    ck_assert_int_eq(record_holder(fd, &holder), 0);
    ck_assert_int_eq(holder, 0);
    child = hold(fd);
    ck_assert_int_eq(record_holder(fd, &holder), 0);
    ck_assert_int_eq(holder, child);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(record_holder(fd, &holder), 0);
    ck_assert_int_eq(holder, 0);
}
END_TEST

START_TEST(the_holder_of_a_record_in_memory_is_known_too)
{
    auto_fd fd = record_create(-1, "record", &sample, NULL);
    pid_t child = hold(fd), holder = 0;

    ck_assert_int_eq(record_holder(fd, &holder), 0);
    ck_assert_int_eq(holder, child);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

START_TEST(what_cannot_be_locked_says_why)
{
    pid_t holder = 99;

    ck_assert_int_eq(record_holder(-1, &holder), -EBADF);
    ck_assert_int_eq(holder, 99);
}
END_TEST

SUITE_MAIN_WITH("isolation/record", make_directory, remove_directory,
                a_record_in_a_directory_is_read_back, a_record_in_memory_is_read_back,
                it_is_for_its_owner_and_ends_at_exec, a_record_is_never_made_over_another,
                links_are_not_followed, a_short_record_is_none,
                what_is_no_record_of_this_version_is_refused, texts_that_do_not_end_are_refused,
                what_cannot_be_read_says_why,
                the_holder_is_who_has_the_lock_for_as_long_as_it_lives,
                the_holder_of_a_record_in_memory_is_known_too, what_cannot_be_locked_says_why)
