/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The launcher removes what overlays of destroyed instances have left, and nothing else. Wants
 * root. */

#include "system/init-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/suite.h"
#include "util/fd.h"

static char layers[] = "/var/tmp/layers-XXXXXX";

static void sh(const char *command)
{
    ck_assert_int_eq(setenv("L", layers, 1), 0);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static void prepare(void)
{
    launcher_start();
    (void)strcpy(layers + sizeof layers - sizeof "XXXXXX", "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(layers));
}

static void clean(void)
{
    launcher_stop();
    sh("rm -rf $L");
}

static int ask(const char *name, int fd)
{
    struct LaunchRequest request = launch_request(LAUNCH_REMOVE);

    (void)memcpy(request.name, name, strnlen(name, sizeof request.name));
    return launcher_call(&request, &fd, fd >= 0, NULL).error;
}

static int ask_here(const char *name)
{
    auto_fd fd = open(layers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return ask(name, fd);
}

static void await_absence(const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", layers, name);
    for (int left = 2000; left > 0 && access(path, F_OK) == 0; left--)
        (void)poll(NULL, 0, 5);
    ck_assert_msg(access(path, F_OK) != 0, "%s is still there", path);
}

START_TEST(a_layer_goes_with_all_that_is_in_it)
{
    sh("mkdir -p $L/i0/upper/a/b $L/i0/work/work $L/i1 && touch $L/i0/upper/a/f $L/i1/f");
    sh("mkfifo $L/i0/upper/fifo && ln -s / $L/i0/upper/link && mknod $L/i0/upper/gone c 0 0");
    sh("chmod 000 $L/i0/work/work && chown -R 1000 $L/i0/upper && chmod 500 $L/i0/upper/a");
    ck_assert_int_eq(ask_here("i0"), 0);
    await_absence("i0");
    sh("test -f $L/i1/f && test -d /usr"); /* what is beside it, and behind the link */
}
END_TEST

START_TEST(depth_and_number_are_no_hindrance)
{
    sh("mkdir $L/i0 && cd $L/i0 && for i in $(seq 300); do mkdir d && cd -P d; done");
    sh("cd $L/i0 && seq 1000 | xargs touch");
    ck_assert_int_eq(ask_here("i0"), 0);
    await_absence("i0");
}
END_TEST

START_TEST(the_launcher_serves_meanwhile)
{
    struct LaunchRequest probe = launch_request(LAUNCH_PROBE);

    sh("mkdir $L/i0 && cd $L/i0 && seq 2000 | xargs touch");
    ck_assert_int_eq(ask_here("i0"), 0);
    ck_assert_int_eq(launcher_call(&probe, NULL, 0, NULL).error, 0);
    await_absence("i0");
}
END_TEST

START_TEST(a_layer_that_is_not_there_is_no_fault)
{
    ck_assert_int_eq(ask_here("i0"), 0);
}
END_TEST

START_TEST(nothing_is_removed_but_a_name_in_a_directory_of_its_own)
{
    static const char *const names[] = { "", ".", "..", "a/b", "I0", "i-0", "i0123456789abcdef" };
    auto_fd file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

    sh("mkdir $L/i0");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(ask_here(names[i]) == EPERM, "\"%s\"", names[i]);
    ck_assert_int_eq(ask("i0", file), EPERM);
    ck_assert_int_eq(ask("i0", -1), EBADMSG);
    ck_assert_int_eq(chmod(layers, 0755), 0);
    ck_assert_int_eq(ask_here("i0"), EPERM);
    ck_assert_int_eq(chmod(layers, 0700), 0);
    ck_assert_int_eq(chown(layers, 1000, 1000), 0);
    ck_assert_int_eq(ask_here("i0"), EPERM);
    sh("test -d $L/i0");
}
END_TEST

SUITE_MAIN_WITH("system/remove", prepare, clean, a_layer_goes_with_all_that_is_in_it,
                depth_and_number_are_no_hindrance, the_launcher_serves_meanwhile,
                a_layer_that_is_not_there_is_no_fault,
                nothing_is_removed_but_a_name_in_a_directory_of_its_own)
