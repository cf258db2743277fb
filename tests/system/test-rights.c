/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the payload's process is given and what is taken from it, step by step as a plan has them.
 * Wants root. */

#include "system/init-harness.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

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

/* ---- filters --------------------------------------------------------------------------------- */

static const struct sock_filter no_sync[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sync, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static const struct sock_filter nonsense[] = { BPF_STMT(BPF_MISC, 99) };

static void add_filter(Run *run, const struct sock_filter *program, uint32_t size)
{
    run->programs[run->header.filter_count] = program;
    run->program_sizes[run->header.filter_count++] = size;
}

START_TEST(a_filter_is_loaded_last_and_kills_the_payload_only)
{
    Run *run = run_new_shell("grep Seccomp: /proc/self/status; exec sync");

    add_filter(run, no_sync, 4);
    run_step(run, STEP_FILTER, 1, NULL);
    ck_assert_int_eq(run_complete(run), 128 + SIGSYS);
    assert_line(run, "Seccomp:\t2");
    ck_assert_int_eq(run_record(run).cld_status, SIGSYS);
    run_free(run);
}
END_TEST

START_TEST(a_filter_that_the_kernel_refuses_is_passed_over_or_ends_the_start)
{
    Run *optional = run_new_shell("exit 6"), *required = run_new_shell("exit 6");

    add_filter(optional, nonsense, 1);
    run_step_optional(optional, STEP_FILTER, 1, NULL);
    ck_assert_int_eq(run_spawn(optional).error, 0);
    run_send_plan(optional);
    run_open_gate(optional);
    ck_assert_uint_eq(run_receive(optional), WIRE_PAYLOAD);
    ck_assert_uint_eq(run_receive(optional), WIRE_FAULT);
    ck_assert_uint_eq(optional->message.fatal, 0);
    ck_assert_uint_eq(run_receive(optional), WIRE_EXECUTED);
    ck_assert_int_eq(run_wait(optional), 6);
    add_filter(required, nonsense, 1);
    run_step(required, STEP_FILTER, 1, NULL);
    run_start_in_vain(required);
    ck_assert_uint_eq(required->message.step, STEP_FILTER);
    ck_assert_int_eq(required->message.error, EINVAL);
    ck_assert_int_eq(run_wait(required), 125);
    run_free(optional);
    run_free(required);
}
END_TEST

START_TEST(with_half_of_the_filters_nothing_is_executed)
{
    Run *run = run_new_shell("exit 6");

    add_filter(run, no_sync, 4);
    add_filter(run, nonsense, 1);
    run_step_optional(run, STEP_FILTER, 2, NULL);
    run_start_in_vain(run);
    ck_assert_uint_eq(run->message.step, STEP_FILTER);
    ck_assert_int_eq(run->message.error, EINVAL);
    ck_assert_int_eq(run_wait(run), 125);
    run_free(run);
}
END_TEST

SUITE_MAIN_WITH("system/rights", launcher_start, launcher_stop,
                roots_capabilities_end_at_the_bounding_set,
                a_user_has_the_ambient_capabilities_and_no_other,
                a_capability_that_the_service_lacks_is_a_fault,
                limits_the_umask_and_the_nice_value_are_as_planned,
                a_limit_that_may_not_be_raised_is_told_by_the_name_of_its_setting,
                every_payload_has_a_session_keyring_of_its_own,
                a_filter_is_loaded_last_and_kills_the_payload_only,
                a_filter_that_the_kernel_refuses_is_passed_over_or_ends_the_start,
                with_half_of_the_filters_nothing_is_executed)
