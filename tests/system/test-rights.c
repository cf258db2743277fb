/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the payload's process is given and what is taken from it, step by step as a plan has them.
 * Wants root. */

#include "system/init-harness.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "system/payload-status.h"
#include "unit/suite.h"

#define CHOWN_AND_KILL ((uint64_t)1 << CAP_CHOWN | (uint64_t)1 << CAP_KILL)

START_TEST(roots_capabilities_end_at_the_bounding_set)
{
    Run *run = run_new_status();

    run->header.bounding = run->header.permitted = CHOWN_AND_KILL;
    run_step(run, STEP_CAPABILITIES, 0, NULL);
    ck_assert_int_eq(run_complete(run), 0);
    assert_line(run, "CapBnd:\t0000000000000021");
    assert_line(run, "CapPrm:\t0000000000000021");
    assert_line(run, "CapEff:\t0000000000000021");
    assert_line(run, "CapInh:\t" NO_CAPABILITIES);
    run_free(run);
}
END_TEST

START_TEST(a_user_has_the_ambient_capabilities_and_no_other)
{
    Run *run = run_new_status();

    run_as(run, SOMEBODY, SOMEBODY);
    run->header.bounding = run->header.permitted = run->header.ambient = CHOWN_AND_KILL;
    ck_assert_int_eq(run_complete(run), 0);
    assert_line(run, "Uid:\t1000\t1000\t1000\t1000");
    for (size_t i = 0; i < 5; i++) {
        static const char *const sets[] = { "Inh", "Prm", "Eff", "Bnd", "Amb" };
        char line[64];

        (void)snprintf(line, sizeof line, "Cap%s:\t0000000000000021", sets[i]);
        assert_line(run, line);
    }
    run_free(run);
}
END_TEST

START_TEST(a_capability_that_the_service_lacks_is_a_fault)
{
    Run *run = run_new_status();

    launcher_stop();
    launcher_start_as(SOMEBODY);
    run_without_namespaces(run);
    run_step(run, STEP_CAPABILITIES, 0, NULL);
    run->header.bounding = run->header.permitted = run->header.ambient = CHOWN_AND_KILL;
    run_start_in_vain(run);
    ck_assert_uint_eq(run->message.step, STEP_CAPABILITIES);
    ck_assert_int_eq(run->message.error, EPERM);
    ck_assert_int_eq(run_wait(run), 125);
    run_free(run);
}
END_TEST

static void add_limit(Run *run, uint32_t resource, uint64_t soft, uint64_t hard)
{
    uint32_t index = run->header.limit_count++;

    run->limits[index] = (struct WireLimit){ .resource = resource, .soft = soft, .hard = hard };
    run_step(run, STEP_LIMIT, index, "LimitTEST");
}

START_TEST(limits_the_umask_and_the_nice_value_are_as_planned)
{
    Run *run = run_new_shell("umask; nice; cat /proc/self/limits");

    run_step(run, STEP_UMASK, 0077, NULL);
    run_step(run, STEP_NICE, 20 + 7, NULL);
    add_limit(run, RLIMIT_NOFILE, 123, 456);
    add_limit(run, RLIMIT_CORE, 0, UINT64_MAX);
    ck_assert_int_eq(run_complete(run), 0);
    assert_line(run, "0077");
    assert_line(run, "7");
    assert_line(run,
                "Max open files            123                  456                  files     ");
    assert_line(run,
                "Max core file size        0                    unlimited            bytes     ");
    run_free(run);
}
END_TEST

START_TEST(a_limit_that_may_not_be_raised_is_told_by_the_name_of_its_setting)
{
    Run *run = run_new_status();
    struct rlimit files = { 200, 4000 };

    launcher_stop();
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    launcher_start_as(SOMEBODY);
    run_without_namespaces(run);
    add_limit(run, RLIMIT_NOFILE, 200, 4001);
    run_start_in_vain(run);
    ck_assert_uint_eq(run->message.step, STEP_LIMIT);
    ck_assert_int_eq(run->message.error, EPERM);
    ck_assert_str_eq(run->message.path, "LimitTEST");
    ck_assert_int_eq(run_wait(run), 125);
    run_free(run);
}
END_TEST

START_TEST(every_payload_has_a_session_keyring_of_its_own)
{
    Run *run = run_new((const char *const[]){ "/bin/cat", "/proc/keys", NULL });

    run_step(run, STEP_KEYRING, 0, NULL);
    ck_assert_int_eq(run_complete(run), 0);
    ck_assert_ptr_nonnull(strstr(run_output(run), "_ses: empty"));
    run_free(run);
}
END_TEST

SUITE_MAIN_WITH("system/rights", launcher_start, launcher_stop,
                roots_capabilities_end_at_the_bounding_set,
                a_user_has_the_ambient_capabilities_and_no_other,
                a_capability_that_the_service_lacks_is_a_fault,
                limits_the_umask_and_the_nice_value_are_as_planned,
                a_limit_that_may_not_be_raised_is_told_by_the_name_of_its_setting,
                every_payload_has_a_session_keyring_of_its_own)
