/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the payload is and sees: its user, its capabilities, its descriptors, its view. Wants
 * root; what the host cannot do is skipped with a word why. */

#include "system/payload-status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/suite.h"
#include "util/fd.h"

/* ---- user ------------------------------------------------------------------------------------ */

START_TEST(a_user_has_his_ids_and_no_capability)
{
    Run *run = run_new_status();

    run_as(run, SOMEBODY, SOMEBODY + 1);
    run->groups[0] = 77;
    run->groups[1] = 55;
    run->header.group_count = 2;
    ck_assert_int_eq(run_complete(run), 0);
    assert_line(run, "Uid:\t1000\t1000\t1000\t1000");
    assert_line(run, "Gid:\t1001\t1001\t1001\t1001");
    assert_line(run, "Groups:\t55 77 ");
    assert_no_capabilities(run);
    run_free(run);
}
END_TEST

START_TEST(root_without_capabilities_has_none)
{
    Run *run = run_new_status();

    run_as(run, 0, 0);
    ck_assert_int_eq(run_complete(run), 0);
    assert_line(run, "Uid:\t0\t0\t0\t0");
    assert_no_capabilities(run);
    run_free(run);
}
END_TEST

START_TEST(root_with_capabilities_keeps_them_but_hands_none_down)
{
    Run *run = run_new_status();

    run->header.bounding = run->header.permitted = UINT64_MAX;
    run_step(run, STEP_CAPABILITIES, 0, NULL);
    ck_assert_int_eq(run_complete(run), 0);
    assert_line(run, "CapInh:\t" NO_CAPABILITIES);
    assert_line(run, "CapAmb:\t" NO_CAPABILITIES);
    ck_assert_ptr_null(strstr(run_output(run), "CapEff:\t" NO_CAPABILITIES));
    run_free(run);
}
END_TEST

START_TEST(the_kernel_attests_the_payloads_pid_and_user)
{
    Run *run = run_new_shell("sleep 0.2");
    char path[64], comm[32];

    run_as(run, SOMEBODY, SOMEBODY);
    ck_assert_int_eq(run_spawn(run).error, 0);
    run_send_plan(run);
    run_open_gate(run);
    ck_assert_uint_eq(run_receive(run), WIRE_PAYLOAD);
    ck_assert_uint_eq(run->sender.uid, SOMEBODY);
    ck_assert_uint_eq(run->sender.gid, SOMEBODY);
    (void)snprintf(path, sizeof path, "/proc/%d/comm", run->sender.pid);
    ck_assert_uint_eq(run_receive(run), WIRE_EXECUTED);
    ck_assert_int_eq(run->sender.pid, run->pid);
    do /* it is executed a moment before it has its new name */
        file_text(path, comm, sizeof comm);
    while (strcmp(comm, "constellation-i\n") == 0);
    ck_assert_str_eq(comm, "sh\n");
    ck_assert_uint_eq(run_receive(run), 0);
    ck_assert_int_eq(run_wait(run), 0);
    run_free(run);
}
END_TEST

/* ---- view ------------------------------------------------------------------------------------ */

START_TEST(the_payload_sees_a_machine_of_its_own)
{
    Run *run = run_new_shell("echo pid $$; hostname; echo /proc/[0-9]*; ps -e -o comm= | sort;"
                             "cat /proc/1/cmdline");

    run_step(run, STEP_HOSTNAME, 0, "inside");
    ck_assert_int_eq(run_complete(run), 0);
    assert_line(run, "pid 2");
    assert_line(run, "inside");
    assert_line(run, "constellation-i");
    ck_assert_ptr_nonnull(strstr(run_output(run), "/proc/1 /proc/2"));
    ck_assert_ptr_nonnull(strstr(run_output(run), "constellation-init"));
    run_free(run);
}
END_TEST

START_TEST(the_init_cannot_be_overwritten_from_inside)
{
    Run *run = run_new_shell("exec 4>>/proc/1/exe || echo refused");

    ck_assert_int_ne(run_complete(run), 0);
    ck_assert_ptr_nonnull(strstr(run_output(run), "annot"));
    run_free(run);
}
END_TEST

START_TEST(the_payload_has_three_descriptors)
{
    Run *run = run_new((const char *const[]){ "/bin/ls", "/proc/self/fd", NULL });

    ck_assert_int_eq(run_complete(run), 0);
    ck_assert_str_eq(run_output(run), "0\n1\n2\n3\n"); /* 3 is the directory that ls reads */
    run_free(run);
}
END_TEST

START_TEST(the_payload_inherits_no_signal_state_and_the_limits_of_old)
{
    Run *run = run_new_shell(
        "umask; ulimit -n; cat /proc/self/status; cat /proc/self/oom_score_adj");
    struct rlimit files = { 200, 4000 };
    char line[32];

    launcher_stop();
    ck_assert_ptr_ne(signal(SIGCHLD, SIG_IGN), SIG_ERR);
    ck_assert_ptr_ne(signal(SIGPIPE, SIG_IGN), SIG_ERR);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    launcher_start();
    ck_assert_ptr_ne(signal(SIGCHLD, SIG_DFL), SIG_ERR);
    run_step(run, STEP_OOM_SCORE, 1100, NULL);
    run_step(run, STEP_UMASK, 0022, NULL);
    run_step(run, STEP_PAYLOAD_OOM_SCORE, 1000, NULL);
    ck_assert_int_eq(run_complete(run), 0);
    (void)snprintf(line, sizeof line, "%d", 200);
    assert_line(run, line);
    assert_line(run, "0022");
    assert_line(run, "SigBlk:\t0000000000000000");
    assert_line(run, "SigIgn:\t0000000000000000");
    assert_line(run, "ShdPnd:\t0000000000000000");
    assert_line(run, "0");
    run_free(run);
}
END_TEST

START_TEST(the_init_is_spared_by_the_oom_killer)
{
    Run *run = run_new_sandbox();
    char path[64], score[16];

    run_step_optional(run, STEP_OOM_SCORE, 0, NULL);
    ck_assert_int_eq(run_spawn(run).error, 0);
    run_send_plan(run);
    run_open_gate(run);
    if (run_receive(run) == WIRE_FAULT) {
        ck_assert_int_eq(run->message.error, EACCES);
        run_signal(run, SIGTERM);
        (void)run_wait(run);
        SKIP("no CAP_SYS_RESOURCE to lower an OOM score with");
    }
    (void)snprintf(path, sizeof path, "/proc/%d/oom_score_adj", run->pid);
    file_text(path, score, sizeof score);
    ck_assert_str_eq(score, "-1000\n");
    run_signal(run, SIGTERM);
    ck_assert_int_eq(run_wait(run), 0);
    run_free(run);
}
END_TEST

START_TEST(an_instance_is_born_in_its_cgroup_and_sees_it_as_the_root)
{
    Run *run = run_new((const char *const[]){ "/bin/grep", "^0::", "/proc/self/cgroup", NULL });
    char path[256];

    run->cgroup = cgroup_make(path);
    if (run->cgroup < 0)
        SKIP("no cgroup2 to make a cgroup in");
    run_step(run, STEP_CGROUP_NAMESPACE, 0, NULL);
    ck_assert_int_eq(run_complete(run), 0);
    ck_assert_str_eq(run_output(run), "0::/\n");
    ck_assert_uint_ne(run_record(run).cpu_usec, RECORD_UNKNOWN);
    ck_assert_uint_ne(run_record(run).cpu_usec, 0);
    (void)fd_close(run->cgroup);
    ck_assert_int_eq(rmdir(path), 0);
    run_free(run);
}
END_TEST

/* ---- finding what to execute ----------------------------------------------------------------- */

static void assert_fault(Run *run, uint32_t step, int error, const char *path)
{
    run_start_in_vain(run);
    ck_assert_uint_eq(run->message.step, step);
    ck_assert_int_eq(run->message.error, error);
    ck_assert_str_eq(run->message.path, path);
    ck_assert_int_eq(run_wait(run), 125);
    ck_assert_uint_eq(run_record(run).phase, RECORD_EXEC_FAILED);
    ck_assert_uint_eq(run_record(run).fault_step, step);
    ck_assert_int_eq(run_record(run).fault_error, error);
    ck_assert_str_eq(run_record(run).fault_path, path);
    run_free(run);
}

START_TEST(a_missing_program_is_a_fault)
{
    assert_fault(run_new((const char *const[]){ "/no/such/program", NULL }), STEP_EXEC, ENOENT,
                 "/no/such/program");
}
END_TEST

START_TEST(a_missing_working_directory_is_a_fault)
{
    Run *run = run_new_shell("echo ran");

    run->steps[run->step_count - 2].path = (uint32_t)run->strings_used;
    run->strings_used += sizeof "/no/such/directory";
    (void)strcpy(run->strings + run->steps[run->step_count - 2].path, "/no/such/directory");
    assert_fault(run, STEP_WORKING_DIRECTORY, ENOENT, "/no/such/directory");
}
END_TEST

START_TEST(a_name_without_a_slash_is_looked_up_in_the_search_path)
{
    Run *run = run_new((const char *const[]){ "echo", "found", NULL });

    run->search_path = ":/no/such/directory:/etc/passwd:/usr/bin:/bin";
    ck_assert_int_eq(run_complete(run), 0);
    ck_assert_str_eq(run_output(run), "found\n");
    run_free(run);

    run = run_new((const char *const[]){ "no-such-program", NULL });
    run->search_path = "/usr/bin:/bin";
    assert_fault(run, STEP_EXEC, ENOENT, "no-such-program");
}
END_TEST

static void write_script(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    ck_assert_int_eq(close(fd), 0);
}

static Run *run_new_script(const char *interpreter, const char *path)
{
    Run *run = run_new((const char *const[]){ interpreter, path, "one", NULL });

    run->script = path;
    return run;
}

START_TEST(a_script_is_executed_by_whom_it_names_or_by_the_interpreter)
{
    const struct {
        const char *text;
        mode_t mode;
        const char *output;
    } rows[] = {
        { "#! /bin/cat\nline\n", 0755, "#! /bin/cat\nline\n" }, /* and then the file "one" */
        { "#!/bin/cat\necho by-sh $1\n", 0644, "by-sh one\n" },
        { "echo bare $1\n", 0755, "bare one\n" },
        { "", 0644, "" },
    };
    char path[] = "/tmp/script-XXXXXX";

    ck_assert_int_eq(close(mkstemp(path)), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Run *run = run_new_script("/bin/sh", path);

        write_script(path, rows[i].text, rows[i].mode);
        (void)run_complete(run);
        ck_assert_msg(strncmp(run_output(run), rows[i].output, strlen(rows[i].output)) == 0,
                      "row %zu: %s", i, run_output(run));
        run_free(run);
    }
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_script_that_cannot_be_executed_says_whose_fault_it_is)
{
    char path[] = "/tmp/script-XXXXXX";

    ck_assert_int_eq(close(mkstemp(path)), 0);
    write_script(path, "#!/no/such/shell -e\n", 0755);
    assert_fault(run_new_script("/bin/sh", path), STEP_SHEBANG, ENOENT, "/no/such/shell");
    write_script(path, "#!/bin/sh\r\n", 0755);
    assert_fault(run_new_script("/bin/sh", path), STEP_SHEBANG, ENOENT, "/bin/sh\r");
    write_script(path, "echo ran\n", 0644);
    assert_fault(run_new_script("/no/shell", path), STEP_INTERPRETER, ENOENT, "/no/shell");
    assert_fault(run_new_script("/bin/sh", "/no/script"), STEP_SCRIPT, ENOENT, "/no/script");
    assert_fault(run_new_script("/bin/sh", "/etc"), STEP_SCRIPT, EISDIR, "/etc");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0644), 0);
    assert_fault(run_new_script("/bin/sh", path), STEP_SCRIPT, EINVAL, path);
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

SUITE_MAIN_WITH("system/payload", launcher_start, launcher_stop,
                a_user_has_his_ids_and_no_capability, root_without_capabilities_has_none,
                root_with_capabilities_keeps_them_but_hands_none_down,
                the_kernel_attests_the_payloads_pid_and_user, the_payload_sees_a_machine_of_its_own,
                the_init_cannot_be_overwritten_from_inside, the_payload_has_three_descriptors,
                the_payload_inherits_no_signal_state_and_the_limits_of_old,
                the_init_is_spared_by_the_oom_killer,
                an_instance_is_born_in_its_cgroup_and_sees_it_as_the_root,
                a_missing_program_is_a_fault, a_missing_working_directory_is_a_fault,
                a_name_without_a_slash_is_looked_up_in_the_search_path,
                a_script_is_executed_by_whom_it_names_or_by_the_interpreter,
                a_script_that_cannot_be_executed_says_whose_fault_it_is)
