/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Small files in a directory of the test's own. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "suite.h"
#include "util/fd.h"
#include "util/file.h"

#define SIZE_LIMIT 100000u

static char directory[] = "/tmp/test-file.XXXXXX";
static int dirfd_ = -1;

static void make_directory(void)
{
    memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    dirfd_ = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(dirfd_, 0);
}

static void drop_directory(void)
{
    DIR *dir = fdopendir(dirfd_);
    struct dirent *entry;

    rewinddir(dir);
    while ((entry = readdir(dir)))
        if (unlinkat(dirfd_, entry->d_name, 0) < 0)
            (void)unlinkat(dirfd_, entry->d_name, AT_REMOVEDIR);
    (void)closedir(dir);
    ck_assert_int_eq(rmdir(directory), 0);
}

static int write_text(const char *name, const char *text)
{
    return write_file_atomic_at(dirfd_, name, text, strlen(text), 0600, false);
}

static void check_text(const char *name, const char *expected)
{
    g_autofree char *text = NULL;

    ck_assert_int_eq(read_small_file_at(dirfd_, name, SIZE_LIMIT, &text), 0);
    ck_assert_str_eq(text, expected);
}

static void check_unreadable(const char *name, size_t max, int result)
{
    char *text = NULL;

    ck_assert_int_eq(read_small_file_at(dirfd_, name, max, &text), result);
    ck_assert_ptr_null(text);
}

START_TEST(what_was_written_is_read)
{
    ck_assert_int_eq(write_text("a", "hello\n"), 0);
    check_text("a", "hello\n");
    ck_assert_int_eq(write_text("empty", ""), 0);
    check_text("empty", "");
}
END_TEST

START_TEST(writing_again_replaces_all_of_it)
{
    ck_assert_int_eq(write_text("a", "a long first text"), 0);
    ck_assert_int_eq(write_text("a", "short"), 0);
    check_text("a", "short");
}
END_TEST

START_TEST(a_durable_write_reads_the_same)
{
    ck_assert_int_eq(write_file_atomic_at(dirfd_, "a", "xy", 2, 0600, true), 0);
    check_text("a", "xy");
    ck_assert_int_eq(remove_file_at(dirfd_, "a", true), 0);
    check_unreadable("a", SIZE_LIMIT, -ENOENT);
}
END_TEST

START_TEST(the_mode_is_exact_whatever_the_umask)
{
    mode_t old = umask(077);
    struct stat status;

    ck_assert_int_eq(write_file_atomic_at(dirfd_, "a", "x", 1, 0644, false), 0);
    (void)umask(old);
    ck_assert_int_eq(fstatat(dirfd_, "a", &status, 0), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0644);
}
END_TEST

START_TEST(a_file_of_exactly_the_maximum_is_read)
{
    /* Around the first buffer of 4096 bytes and its doublings. */
    static const size_t sizes[] = { 1, 2, 4094, 4095, 4096, 4097, 8191, 8192, 8193, 70000 };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *content = g_strnfill(sizes[i], 'x');
        g_autofree char *text = NULL;

        ck_assert_int_eq(write_text("a", content), 0);
        ck_assert_int_eq(read_small_file_at(dirfd_, "a", sizes[i], &text), 0);
        ck_assert_str_eq(text, content);
        check_unreadable("a", sizes[i] - 1, -EFBIG);
    }
}
END_TEST

START_TEST(an_empty_file_fits_into_nothing)
{
    g_autofree char *text = NULL;

    ck_assert_int_eq(write_text("a", ""), 0);
    ck_assert_int_eq(read_small_file_at(dirfd_, "a", 0, &text), 0);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(a_file_with_a_nul_is_no_text)
{
    ck_assert_int_eq(write_file_atomic_at(dirfd_, "a", "x\0y", 3, 0600, false), 0);
    check_unreadable("a", SIZE_LIMIT, -EBADMSG);
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed)
{
    ck_assert_int_eq(write_text("a", "secret"), 0);
    ck_assert_int_eq(symlinkat("a", dirfd_, "link"), 0);
    check_unreadable("link", SIZE_LIMIT, -ELOOP);
}
END_TEST

START_TEST(writing_over_a_symbolic_link_replaces_the_link)
{
    ck_assert_int_eq(write_text("a", "theirs"), 0);
    ck_assert_int_eq(symlinkat("a", dirfd_, "link"), 0);
    ck_assert_int_eq(write_text("link", "ours"), 0);
    check_text("a", "theirs");
    check_text("link", "ours");
}
END_TEST

START_TEST(only_regular_files_are_read_and_nothing_waits)
{
    ck_assert_int_eq(mkfifoat(dirfd_, "fifo", 0600), 0);
    check_unreadable("fifo", SIZE_LIMIT, -EBADFD);
    check_unreadable(".", SIZE_LIMIT, -EISDIR);
    check_unreadable("absent", SIZE_LIMIT, -ENOENT);
    check_unreadable("/dev/null", SIZE_LIMIT, -EBADFD);
}
END_TEST

START_TEST(a_file_without_a_size_is_read)
{
    g_autofree char *text = NULL;

    ck_assert_int_eq(read_small_file_at(AT_FDCWD, "/proc/self/status", SIZE_LIMIT, &text), 0);
    ck_assert_ptr_nonnull(strstr(text, "\nPid:"));
}
END_TEST

START_TEST(what_a_crash_left_is_taken_away)
{
    ck_assert_int_eq(write_text(".a.new", "half"), 0);
    ck_assert_int_eq(write_text("a", "whole"), 0);
    check_text("a", "whole");
    check_unreadable(".a.new", SIZE_LIMIT, -ENOENT);
}
END_TEST

START_TEST(a_write_that_fails_leaves_the_old_and_nothing_else)
{
    ck_assert_int_eq(mkdirat(dirfd_, "a", 0700), 0);
    ck_assert_int_eq(write_text("a", "x"), -EISDIR);
    check_unreadable(".a.new", SIZE_LIMIT, -ENOENT);
    check_unreadable("a", SIZE_LIMIT, -EISDIR);
}
END_TEST

START_TEST(a_directory_that_is_gone_takes_no_file)
{
    ck_assert_int_eq(mkdirat(dirfd_, "sub", 0700), 0);
    auto_fd gone = openat(dirfd_, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(unlinkat(dirfd_, "sub", AT_REMOVEDIR), 0);
    ck_assert_int_eq(write_file_atomic_at(gone, "a", "x", 1, 0600, true), -ENOENT);
}
END_TEST

START_TEST(a_disk_that_is_full_leaves_the_old_file)
{
    struct rlimit old, small = { .rlim_cur = 10 };

    ck_assert_int_eq(write_text("a", "old"), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN); /* the write then fails with EFBIG */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    int r = write_text("a", "much too long");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    ck_assert_int_eq(r, -EFBIG);
    check_text("a", "old");
    check_unreadable(".a.new", SIZE_LIMIT, -ENOENT);
}
END_TEST

START_TEST(a_name_is_one_component)
{
    static const char *const names[] = { "", ".", "..", "a/b", "/a", "../a" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        ck_assert_msg(write_text(names[i], "x") == -EINVAL, "%s", names[i]);
}
END_TEST

START_TEST(removing_tells_what_was_not_there)
{
    ck_assert_int_eq(write_text("a", "x"), 0);
    ck_assert_int_eq(remove_file_at(dirfd_, "a", false), 0);
    ck_assert_int_eq(remove_file_at(dirfd_, "a", false), -ENOENT);
    ck_assert_int_eq(remove_file_at(dirfd_, ".", false), -EISDIR);
}
END_TEST

START_TEST(a_durable_write_needs_a_real_descriptor)
{
    auto_fd path_only = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

    ck_assert_int_eq(write_file_atomic_at(path_only, "a", "x", 1, 0600, true), -EBADF);
}
END_TEST

SUITE_MAIN_WITH("util/file", make_directory, drop_directory, what_was_written_is_read,
                writing_again_replaces_all_of_it, a_durable_write_reads_the_same,
                the_mode_is_exact_whatever_the_umask, a_file_of_exactly_the_maximum_is_read,
                an_empty_file_fits_into_nothing, a_file_with_a_nul_is_no_text,
                a_symbolic_link_is_not_followed, writing_over_a_symbolic_link_replaces_the_link,
                only_regular_files_are_read_and_nothing_waits, a_file_without_a_size_is_read,
                what_a_crash_left_is_taken_away, a_write_that_fails_leaves_the_old_and_nothing_else,
                a_directory_that_is_gone_takes_no_file, a_disk_that_is_full_leaves_the_old_file,
                a_name_is_one_component, removing_tells_what_was_not_there,
                a_durable_write_needs_a_real_descriptor)
