/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The init, through the launcher, without constellationd: how it ends, what it writes
 * down, whom it obeys. Wants root. */

#include "system/init-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit/suite.h"

#define FOREVER "echo ready; while :; do sleep 1; done"

/* ---- ends ------------------------------------------------------------------------------------ */

START_TEST(the_exit_code_is_the_payloads)
{
    const struct {
        const char *script;
        int code;
    } rows[] = { { "exit 0", 0 }, { "exit 7", 7 }, { "exit 255", 255 }, { "kill -SEGV $$", 139 } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Run *run = run_new_shell(rows[i].script);

        ck_assert_msg(run_complete(run) == rows[i].code, "%s", rows[i].script);
        run_free(run);
    }
}
END_TEST

START_TEST(the_record_tells_an_exit)
{
    Run *run = run_new_shell("exit 7");
    struct Record record;

    ck_assert_int_eq(run_complete(run), 7);
    record = run_record(run);
    ck_assert_uint_eq(record.phase, RECORD_ENDED);
    ck_assert_int_eq(record.cld_code, CLD_EXITED);
    ck_assert_int_eq(record.cld_status, 7);
    ck_assert_uint_ge(record.ended_monotonic_usec, record.executed_monotonic_usec);
    ck_assert_uint_ge(record.ended_realtime_usec, record.executed_realtime_usec);
    ck_assert_uint_ne(record.cpu_usec, RECORD_UNKNOWN);
    ck_assert_uint_eq(record.memory_peak, RECORD_UNKNOWN);
    ck_assert_str_eq(record.id, "test");
    run_free(run);
}
END_TEST

START_TEST(the_record_tells_a_death_by_signal)
{
    Run *run = run_new_shell("kill -SEGV $$");
    struct Record record;

    (void)run_complete(run);
    record = run_record(run);
    ck_assert(record.cld_code == CLD_KILLED || record.cld_code == CLD_DUMPED);
    ck_assert_int_eq(record.cld_status, SIGSEGV);
    run_free(run);
}
END_TEST

START_TEST(the_lock_on_the_record_names_the_init_while_it_lives)
{
    Run *run = run_new_shell(FOREVER);

    run_start(run);
    ck_assert_int_eq(run_lock_holder(run), run->pid);
    run_signal(run, WIRE_SIGNAL_BASE + SIGKILL);
    ck_assert_int_eq(run_wait(run), 128 + SIGKILL);
    ck_assert_int_eq(run_lock_holder(run), 0);
    run_free(run);
}
END_TEST

START_TEST(a_record_that_somebody_else_holds_is_a_fault)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    Run *run = run_new_shell("echo ran");

    ck_assert_int_eq(fcntl(run->record, F_SETLK, &lock), 0);
    run_start_in_vain(run);
    ck_assert_uint_eq(run->message.step, STEP_RECORD);
    ck_assert_int_eq(run_wait(run), 125);
    ck_assert_uint_eq(run_record(run).phase, RECORD_MADE);
    run_free(run);
}
END_TEST

/* ---- everybody is killed --------------------------------------------------------------------- */

/* Each line of the output is a pid on the host. */
static void assert_all_gone(const Run *run, int expected)
{
    int count = 0, pid, length;

    for (const char *at = run_output(run); sscanf(at, "%d%n", &pid, &length) == 1; at += length) {
        ck_assert_msg(kill(pid, 0) < 0 && errno == ESRCH, "%d is still there", pid);
        count++;
    }
    ck_assert_int_eq(count, expected);
}

/* Whoever still lives keeps the pipe open. */
START_TEST(what_double_forks_is_killed_with_the_payload)
{
    Run *run = run_new_shell("(setsid sleep 300 & setsid sh -c 'sleep 301 & sleep 302' &) &"
                             "sleep 0.1; exit 3");
    int pair[2];
    char byte;

    ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
    (void)close(run->output);
    run->output = pair[1];
    ck_assert_int_eq(run_complete(run), 3);
    (void)close(pair[1]);
    run->output = -1;
    ck_assert_int_eq(read(pair[0], &byte, 1), 0);
    (void)close(pair[0]);
    run_free(run);
}
END_TEST

START_TEST(what_double_forks_is_killed_without_a_pid_namespace_too)
{
    Run *run = run_new_shell("sh -c 'setsid sleep 300 & echo $!; setsid sh -c \"echo \\$\\$;"
                             "sleep 301 & echo \\$!; wait\" &'; sleep 0.2; exit 3");

    run_without_namespaces(run);
    ck_assert_int_eq(run_complete(run), 3);
    assert_all_gone(run, 3);
    run_free(run);
}
END_TEST

START_TEST(a_payload_that_forks_without_end_is_killed)
{
    Run *run = run_new_shell("f() { while :; do sleep 0.01 & (sleep 0.02 &) ; done; }; f & f &"
                             "sleep 0.3; exit 4");

    run_without_namespaces(run);
    ck_assert_int_eq(run_complete(run), 4);
    run_free(run);
}
END_TEST

/* ---- the gate -------------------------------------------------------------------------------- */

static Run *run_at_the_gate(void)
{
    Run *run = run_new_shell("echo ran");

    ck_assert_int_eq(run_spawn(run).error, 0);
    run_send_plan(run);
    while (run_record(run).phase != RECORD_LOCKED)
        (void)poll(NULL, 0, 1);
    return run;
}

START_TEST(nothing_runs_if_the_gate_never_opens)
{
    Run *run = run_at_the_gate();

    ck_assert_int_eq(close(run->ctl), 0);
    run->ctl = -1;
    ck_assert_int_eq(run_wait(run), 125);
    ck_assert_str_eq(run_output(run), "");
    ck_assert_uint_eq(run_record(run).phase, RECORD_LOCKED);
    run_free(run);
}
END_TEST

START_TEST(a_sigterm_ends_an_init_at_its_gate)
{
    Run *run = run_at_the_gate();

    run_signal(run, SIGTERM);
    ck_assert_int_eq(run_wait(run), 125);
    ck_assert_str_eq(run_output(run), "");
    run_free(run);
}
END_TEST

START_TEST(something_else_than_the_gate_is_a_fault)
{
    Run *run = run_at_the_gate();

    run_send(run, WIRE_EXECUTED, NULL, 0);
    ck_assert_uint_eq(run_receive(run), WIRE_FAULT);
    ck_assert_uint_eq(run->message.step, STEP_GATE);
    ck_assert_int_eq(run_wait(run), 125);
    run_free(run);
}
END_TEST

/* ---- commands -------------------------------------------------------------------------------- */

START_TEST(a_command_reaches_the_payload_as_its_signal)
{
    Run *run = run_new_shell("trap 'exit 9' TERM; " FOREVER);

    run_start(run);
    run_await(run, "ready");
    run_signal(run, WIRE_SIGNAL_BASE + SIGTERM);
    ck_assert_int_eq(run_wait(run), 9);
    ck_assert_uint_eq(run_record(run).flags, 0);
    run_free(run);
}
END_TEST

static void command_for_everybody(Run *run)
{
    run_start(run);
    run_await(run, "ready");
    run_signal(run, WIRE_SIGNAL_ALL);
    run_signal(run, WIRE_SIGNAL_BASE + SIGUSR1);
    run_await(run, "child");
    run_await(run, "parent");
    run_signal(run, WIRE_SIGNAL_BASE + SIGKILL);
    ck_assert_int_eq(run_wait(run), 128 + SIGKILL);
    run_free(run);
}

#define TWO_THAT_LISTEN                                                              \
    "trap 'echo parent' USR1; sh -c \"sh -c \\\"trap 'echo child' USR1; echo ready;" \
    "while :; do sleep 0.1; done\\\"; :\" & while :; do sleep 0.1; done"

START_TEST(a_command_for_everybody_reaches_children)
{
    command_for_everybody(run_new_shell(TWO_THAT_LISTEN));
}
END_TEST

START_TEST(a_command_for_everybody_reaches_children_without_a_pid_namespace)
{
    Run *run = run_new_shell(TWO_THAT_LISTEN);

    run_without_namespaces(run);
    command_for_everybody(run);
}
END_TEST

START_TEST(commands_work_without_a_pid_namespace)
{
    Run *run = run_new_shell(FOREVER);

    run_without_namespaces(run);
    run_start(run);
    run_signal(run, WIRE_SIGNAL_BASE + SIGKILL);
    ck_assert_int_eq(run_wait(run), 128 + SIGKILL);
    run_free(run);
}
END_TEST

START_TEST(a_sigterm_from_outside_is_noted_and_not_passed_on)
{
    Run *run = run_new_shell("trap 'exit 9' TERM; " FOREVER);

    run_start(run);
    run_await(run, "ready");
    run_signal(run, SIGTERM);
    while (run_record(run).flags != RECORD_STOPPED_OUTSIDE)
        (void)poll(NULL, 0, 1);
    ck_assert_uint_eq(run_record(run).phase, RECORD_EXECUTED);
    run_signal(run, WIRE_SIGNAL_BASE + SIGTERM);
    ck_assert_int_eq(run_wait(run), 9);
    ck_assert_uint_eq(run_record(run).flags, RECORD_STOPPED_OUTSIDE);
    run_free(run);
}
END_TEST

/* What a hostile payload can do to its init by signals; it prints what was refused. */
static int forge(void)
{
    siginfo_t forged = { .si_signo = WIRE_SIGNAL_BASE + SIGKILL, .si_code = SI_QUEUE };

    (void)kill(1, WIRE_SIGNAL_ALL);
    for (int number = 1; number <= 64; number++)
        (void)kill(1, number);
    forged.si_pid = 0;
    (void)syscall(SYS_rt_sigqueueinfo, 1, forged.si_signo, &forged);
    forged.si_code = SI_USER;
    if (syscall(SYS_rt_sigqueueinfo, 1, forged.si_signo, &forged) == 0)
        return 1;
    (void)poll(NULL, 0, 100);
    return 42;
}

START_TEST(signals_from_inside_are_ignored)
{
    Run *run = run_new((const char *const[]){ "forge", "forge", NULL });
    char self[256];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

    self[length] = '\0';
    run->executable = self;
    ck_assert_int_eq(run_complete(run), 42);
    ck_assert_uint_eq(run_record(run).flags, 0);
    run_free(run);
}
END_TEST

/* ---- sandbox --------------------------------------------------------------------------------- */

START_TEST(a_sandbox_waits_and_ends_at_any_command)
{
    Run *run = run_new_sandbox();

    run_start(run);
    ck_assert_uint_eq(run_record(run).phase, RECORD_EXECUTED);
    run_signal(run, WIRE_SIGNAL_BASE + SIGUSR1);
    ck_assert_int_eq(run_wait(run), 0);
    ck_assert_uint_eq(run_record(run).phase, RECORD_ENDED);
    ck_assert_int_eq(run_record(run).cld_code, CLD_EXITED);
    run_free(run);
}
END_TEST

START_TEST(a_sandbox_ends_at_a_sigterm_and_says_so)
{
    Run *run = run_new_sandbox();

    run_start(run);
    run_signal(run, SIGTERM);
    ck_assert_int_eq(run_wait(run), 0);
    ck_assert_uint_eq(run_record(run).flags, RECORD_STOPPED_OUTSIDE);
    run_free(run);
}
END_TEST

/* As a payload it is the hostile one. */
int main(int argc, char **argv)
{
    const TTest *const tests[] = {
        the_exit_code_is_the_payloads,
        the_record_tells_an_exit,
        the_record_tells_a_death_by_signal,
        the_lock_on_the_record_names_the_init_while_it_lives,
        a_record_that_somebody_else_holds_is_a_fault,
        what_double_forks_is_killed_with_the_payload,
        what_double_forks_is_killed_without_a_pid_namespace_too,
        a_payload_that_forks_without_end_is_killed,
        nothing_runs_if_the_gate_never_opens,
        a_sigterm_ends_an_init_at_its_gate,
        something_else_than_the_gate_is_a_fault,
        a_command_reaches_the_payload_as_its_signal,
        a_command_for_everybody_reaches_children,
        a_command_for_everybody_reaches_children_without_a_pid_namespace,
        commands_work_without_a_pid_namespace,
        a_sigterm_from_outside_is_noted_and_not_passed_on,
        signals_from_inside_are_ignored,
        a_sandbox_waits_and_ends_at_any_command,
        a_sandbox_ends_at_a_sigterm_and_says_so,
    };

    if (argc == 2 && strcmp(argv[1], "forge") == 0)
        return forge();
    return suite_run("system/init", launcher_start, launcher_stop, tests,
                     sizeof tests / sizeof tests[0]);
}
