/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plans as the init takes them: what is wrong with one, and what becomes of a step that fails.
 * Wants root. */

#include "system/init-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit/suite.h"

/* ---- plans that are not right ---------------------------------------------------------------- */

static struct WireStep *steps_of(struct WirePlan *plan)
{
    return (struct WireStep *)(void *)((char *)plan + plan->steps);
}

static uint64_t *argv_of(struct WirePlan *plan)
{
    return (uint64_t *)(void *)((char *)plan + plan->argv);
}

#define DAMAGE(name, change)                \
    static void name(struct WirePlan *plan) \
    {                                       \
        change;                             \
    }

DAMAGE(another_magic, plan->magic++)
DAMAGE(another_version, plan->version++)
DAMAGE(another_size, plan->size++)
DAMAGE(too_many_steps, plan->step_count = WIRE_STEPS_MAX + 1)
DAMAGE(too_many_arguments, plan->argc = WIRE_ARGS_MAX + 1)
DAMAGE(huge_counts, plan->argc = plan->envc = UINT32_MAX)
DAMAGE(one_argument_too_many, plan->argc++)
DAMAGE(steps_outside, plan->steps = plan->size - 8)
DAMAGE(steps_in_the_header, plan->steps = 0)
DAMAGE(argv_outside, plan->argv = UINT32_MAX - 7)
DAMAGE(argv_not_aligned, plan->argv += 4)
DAMAGE(argv_over_env, plan->env = plan->argv)
DAMAGE(groups_outside, plan->group_count = 1000)
DAMAGE(argument_outside, argv_of(plan)[0] = plan->size)
DAMAGE(argument_far_outside, argv_of(plan)[0] = UINT64_MAX)
DAMAGE(argument_in_argv, argv_of(plan)[0] = plan->argv)
DAMAGE(unterminated, memset((char *)plan + plan->executable, 'x', plan->size - plan->executable))
DAMAGE(no_executable, plan->executable = 0)
DAMAGE(uid_of_minus_one, plan->uid = UINT32_MAX)
DAMAGE(gid_of_65535, plan->gid = 65535)
DAMAGE(unknown_step, steps_of(plan)[0].kind = 99)
DAMAGE(fork_as_a_step, steps_of(plan)[0].kind = STEP_FORK)
DAMAGE(unknown_flag, steps_of(plan)[0].flags = 2)
DAMAGE(gate_twice, steps_of(plan)[1].kind = STEP_GATE)
DAMAGE(no_gate, steps_of(plan)[2].kind = STEP_PROC)
DAMAGE(exec_in_the_middle, steps_of(plan)[4].kind = STEP_EXEC)
DAMAGE(too_many_limits, plan->limit_count = WIRE_RESOURCES + 1)
DAMAGE(limits_outside, plan->limits = (plan->size & ~7u); plan->limit_count = 1)
DAMAGE(limits_over_argv, plan->limits = plan->argv; plan->limit_count = 1)
DAMAGE(limit_without_an_entry, steps_of(plan)[4].kind = STEP_LIMIT; steps_of(plan)[4].number = 1)
DAMAGE(permitted_beyond_the_bounding_set, plan->permitted = 1)
DAMAGE(ambient_beyond_the_permitted_set, plan->bounding = plan->ambient = 1)
DAMAGE(a_score_beyond_all, steps_of(plan)[4].kind = STEP_PAYLOAD_OOM_SCORE;
       steps_of(plan)[4].number = 2001)
DAMAGE(too_many_filters, plan->filter_count = WIRE_FILTERS_MAX + 1)
DAMAGE(filters_outside, plan->filters = (plan->size & ~7u); plan->filter_count = 1)
DAMAGE(filter_step_without_filters, steps_of(plan)[5].kind = STEP_FILTER)
/* What is there, read as { offset, count }. */
DAMAGE(a_filter_in_argv, plan->filter_count = 1; plan->filters = plan->steps;
       ((uint32_t *)(void *)((char *)plan + plan->steps))[0] = plan->argv;
       ((uint32_t *)(void *)((char *)plan + plan->steps))[1] = 1)
DAMAGE(not_pid_1, plan->own_pid_namespace = 0)

START_TEST(a_plan_that_is_not_right_is_a_fault)
{
    void (*const damages[])(struct WirePlan *) = {
        another_magic,
        another_version,
        another_size,
        too_many_steps,
        too_many_arguments,
        huge_counts,
        one_argument_too_many,
        steps_outside,
        steps_in_the_header,
        argv_outside,
        argv_not_aligned,
        argv_over_env,
        groups_outside,
        argument_outside,
        argument_far_outside,
        argument_in_argv,
        unterminated,
        no_executable,
        uid_of_minus_one,
        gid_of_65535,
        unknown_step,
        fork_as_a_step,
        unknown_flag,
        gate_twice,
        no_gate,
        exec_in_the_middle,
        too_many_limits,
        limits_outside,
        limits_over_argv,
        limit_without_an_entry,
        permitted_beyond_the_bounding_set,
        ambient_beyond_the_permitted_set,
        a_score_beyond_all,
        too_many_filters,
        filters_outside,
        filter_step_without_filters,
        a_filter_in_argv,
        not_pid_1,
    };

    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        Run *run = run_new_shell("echo ran");

        run->damage = damages[i];
        run_start_in_vain(run);
        ck_assert_msg(run->message.step == STEP_PLAN && run->message.error == EBADMSG,
                      "damage %zu: step %u, error %d", i, run->message.step, run->message.error);
        ck_assert_int_eq(run_wait(run), 125);
        ck_assert_uint_eq(run_record(run).phase, RECORD_EXEC_FAILED);
        ck_assert_str_eq(run_output(run), "");
        run_free(run);
    }
}
END_TEST

START_TEST(a_plan_that_may_still_change_is_a_fault)
{
    Run *run = run_new_shell("echo ran");

    run->unsealed = true;
    run_start_in_vain(run);
    ck_assert_uint_eq(run->message.step, STEP_PLAN);
    ck_assert_int_eq(run_wait(run), 125);
    run_free(run);
}
END_TEST

/* ---- steps ----------------------------------------------------------------------------------- */

START_TEST(an_optional_step_that_fails_is_told_and_passed_over)
{
    Run *run = run_new_shell("exit 6");
    char name[101];

    memset(name, 'x', 100);
    name[100] = '\0';
    run_step_optional(run, STEP_HOSTNAME, 0, name);
    ck_assert_int_eq(run_spawn(run).error, 0);
    run_send_plan(run);
    ck_assert_uint_eq(run_receive(run), WIRE_FAULT);
    ck_assert_uint_eq(run->message.step, STEP_HOSTNAME);
    ck_assert_int_eq(run->message.error, EINVAL);
    ck_assert_uint_eq(run->message.fatal, 0);
    ck_assert_str_eq(run->message.path, name);
    run_open_gate(run);
    ck_assert_int_eq(run_wait(run), 6);
    run_free(run);
}
END_TEST

START_TEST(a_required_step_that_fails_ends_the_start)
{
    Run *run = run_new_shell("echo ran");
    char name[101];

    memset(name, 'x', 100);
    name[100] = '\0';
    run_step(run, STEP_HOSTNAME, 0, name);
    run_start_in_vain(run);
    ck_assert_uint_eq(run->message.step, STEP_HOSTNAME);
    ck_assert_int_eq(run_wait(run), 125);
    ck_assert_uint_eq(run_record(run).fault_step, STEP_HOSTNAME);
    ck_assert_int_eq(run_record(run).fault_error, EINVAL);
    run_free(run);
}
END_TEST

START_TEST(a_masked_directory_is_empty_and_a_missing_one_is_none_of_its_business)
{
    char directory[] = "/tmp/mask-XXXXXX", file[64], command[128];
    Run *run;

    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(file, sizeof file, "%s/secret", directory);
    ck_assert_int_ge(close(creat(file, 0644)), 0);
    (void)snprintf(command, sizeof command, "ls %s; touch %s/x 2>&-; echo $?", directory,
                   directory);
    run = run_new_shell(command);
    run_step(run, STEP_MASK, 0, directory);
    run_step(run, STEP_MASK, 0, "/no/such/directory");
    ck_assert_int_eq(run_complete(run), 0);
    ck_assert_str_eq(run_output(run), "1\n");
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(rmdir(directory), 0);
    run_free(run);
}
END_TEST

START_TEST(a_mask_does_not_follow_symbolic_links)
{
    char directory[] = "/tmp/mask-XXXXXX", link[64];
    Run *run = run_new_shell("echo ran");

    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(link, sizeof link, "%s/link", directory);
    ck_assert_int_eq(symlink("/etc", link), 0);
    run_step(run, STEP_MASK, 0, link);
    run_start_in_vain(run);
    ck_assert_int_eq(run->message.error, ELOOP);
    ck_assert_str_eq(run->message.path, link);
    ck_assert_int_eq(run_wait(run), 125);
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(rmdir(directory), 0);
    run_free(run);
}
END_TEST

SUITE_MAIN_WITH("system/plan-wire", launcher_start, launcher_stop,
                a_plan_that_is_not_right_is_a_fault, a_plan_that_may_still_change_is_a_fault,
                an_optional_step_that_fails_is_told_and_passed_over,
                a_required_step_that_fails_ends_the_start,
                a_masked_directory_is_empty_and_a_missing_one_is_none_of_its_business,
                a_mask_does_not_follow_symbolic_links)
