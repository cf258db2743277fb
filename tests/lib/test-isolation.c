/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Instances in two halves, and processes of the program inside of them. What a child sees it tells
 * by its exit status. */

#include "library-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static int status_of(Instance *instance, int (*function)(void *))
{
    int status;
    pid_t pid = isolation_clone_process(instance, function);

    ck_assert_msg(pid > 0, "%s", constellation_last_error());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "%#x", (unsigned)status);
    return WEXITSTATUS(status);
}

static const char *outcome(const Instance *instance, const char *kind)
{
    const IsolationContext *context = instance->isolation_context;

    for (int i = 0; context && i < context->count; i++)
        if (strcmp(context->kinds[i].kind, kind) == 0)
            return context->kinds[i].outcome;
    return "";
}

/* ---- prepared -------------------------------------------------------------------------------- */

START_TEST(what_is_prepared_is_told_and_a_start_goes_on_from_there)
{
    Instance *instance = create("web", "sleep 100");

    ck_assert_ptr_null(instance->isolation_context);
    ck_assert_ok(isolation_setup_namespaces(instance));
    ck_assert_str_eq(outcome(instance, "pid"), "private");
    ck_assert_int_eq(instance->state, INSTANCE_STATE_PENDING);
    ck_assert_int_eq(instance->pid, 0);
    ck_assert_ok(constellation_instance_start(instance));
    ck_assert_int_eq(instance->state, INSTANCE_STATE_RUNNING);
    ck_assert_int_eq(kill(instance->pid, 0), 0);
    ck_assert_fails(isolation_teardown_namespaces(instance), -1, "stop it");
    ck_assert_ok(isolation_setup_namespaces(instance));
    ck_assert_ok(constellation_instance_stop(instance));
    ck_assert_ok(isolation_teardown_namespaces(instance));
}
END_TEST

START_TEST(both_have_to_be_undone)
{
    Instance *instance = create("web", "sleep 100");

    ck_assert_ok(isolation_setup_namespaces(instance));
    ck_assert_ok(resources_setup_cgroups(instance));
    ck_assert_ok(isolation_teardown_namespaces(instance));
    ck_assert_ptr_nonnull(instance->isolation_context);
    ck_assert_ok(resources_teardown_cgroups(instance));
    ck_assert_ptr_null(instance->isolation_context);
    ck_assert_ok(resources_teardown_cgroups(instance));
    ck_assert_ok(constellation_instance_start(instance));
}
END_TEST

START_TEST(what_is_prepared_is_gone_with_a_destroy_and_a_shutdown)
{
    Instance *instance = create("one", NULL);

    ck_assert_ok(isolation_setup_namespaces(instance));
    ck_assert_ok(constellation_instance_destroy(instance));
    ck_assert_ok(resources_setup_cgroups(create("two", NULL)));
    ck_assert_ok(constellation_shutdown());
}
END_TEST

START_TEST(null_is_refused)
{
    ck_assert_fails(isolation_setup_namespaces(NULL), -1, "NULL");
    ck_assert_fails(isolation_teardown_namespaces(NULL), -1, "NULL");
    ck_assert_fails(resources_setup_cgroups(NULL), -1, "NULL");
    ck_assert_fails(resources_teardown_cgroups(NULL), -1, "NULL");
    ck_assert_fails(resources_add_process_to_cgroup(NULL, 1), -1, "NULL");
    ck_assert_fails(isolation_clone_process(create("web", NULL), NULL), -1, "NULL");
}
END_TEST

/* ---- a process inside ------------------------------------------------------------------------ */

static int return_seven(void *argument)
{
    return *((const Instance *)argument)->name == 'w' ? 7 : 1;
}

START_TEST(the_result_is_the_exit_status)
{
    ck_assert_int_eq(status_of(run("web", "sleep 100"), return_seven), 7);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* 0: the host name, the processes and the mount table are those of the instance. */
static int look_around(void *argument)
{
    const Instance *instance = argument;
    struct utsname names;
    char self[32] = "";

    if (uname(&names) < 0 || strcmp(names.nodename, instance->name) != 0)
        return 1;
    if (getpid() > 100 || getppid() != 0)
        return 2;
    if (readlink("/proc/self", self, sizeof self - 1) < 0 || atoi(self) != getpid())
        return 3;
    return kill(1, 0) < 0 && errno == ESRCH ? 4 : 0;
}

START_TEST(it_sees_what_the_payload_sees)
{
    Instance *instance = run("inside", "sleep 100");

    ck_assert_int_eq(status_of(instance, look_around), 0);
}
END_TEST

START_TEST(it_is_there_before_the_payload)
{
    Instance *instance = create("inside", "sleep 100");

    ck_assert_fails(isolation_clone_process(instance, look_around), -1, "does not run");
    ck_assert_ok(isolation_setup_namespaces(instance));
    ck_assert_int_eq(status_of(instance, look_around), 0);
    ck_assert_ok(constellation_instance_start(instance));
}
END_TEST

START_TEST(it_can_be_in_a_sandbox)
{
    ck_assert_int_eq(status_of(run("inside", NULL), look_around), 0);
}
END_TEST

static int look_at_rights(void *argument)
{
    (void)argument;
    if (getuid() != 1000 || geteuid() != 1000 || getgid() != 1000)
        return 1;
    if (setuid(0) == 0)
        return 2;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 3;
}

START_TEST(it_has_the_rights_of_the_payload_and_no_more)
{
    static const char *const commands[] = { "sleep 100", "" };

    if (geteuid() != 0)
        return;
    for (size_t i = 0; i < 2; i++) {
        const ConstellationSetting settings[] = { { "User", "1000" }, { "Command", commands[i] } };
        InstanceConfig config = named("web");
        Instance *instance;
        ck_assert_ok(constellation_instance_create_with(&config, settings, 2 - i, &instance));
        ck_assert_ok(constellation_instance_start(instance));
        ck_assert_int_eq(status_of(instance, look_at_rights), 0);
        ck_assert_ok(constellation_instance_destroy(instance));
    }
}
END_TEST

static int sleep_long(void *argument)
{
    (void)argument;
    return (int)sleep(100);
}

/* The one inside has one outside that stands for it. */
static pid_t child_of(pid_t pid)
{
    char path[64];
    int child = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%d", &child), 1);
    (void)fclose(file);
    return child;
}

static bool is_in_cgroup_of(const Instance *instance, pid_t pid)
{
    const IsolationContext *context = instance->isolation_context;
    char path[64], line[512];
    bool found = false;

    (void)snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (!found && fgets(line, sizeof line, file))
        found = strncmp(line, "0::", 3) == 0 &&
                strncmp(line + 3, context->control_group, strlen(context->control_group)) == 0;
    (void)fclose(file);
    return found;
}

static bool has_cgroup(const Instance *instance)
{
    return *((const IsolationContext *)instance->isolation_context)->control_group;
}

START_TEST(it_is_in_the_control_group_and_ends_with_the_instance)
{
    Instance *instance = run("web", "sleep 100");
    int status;

    pid_t pid = isolation_clone_process(instance, sleep_long);
    ck_assert_int_gt(pid, 0);
    ck_assert(!has_cgroup(instance) || is_in_cgroup_of(instance, child_of(pid)));
    ck_assert_ok(constellation_instance_stop(instance));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
}
END_TEST

START_TEST(signals_are_passed_on)
{
    Instance *instance = run("web", "sleep 100");
    int status;

    pid_t pid = isolation_clone_process(instance, sleep_long);
    ck_assert_int_eq(kill(pid, SIGUSR1), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
}
END_TEST

START_TEST(a_process_can_be_moved_into_the_control_group)
{
    Instance *instance = run("web", "sleep 100");
    pid_t child = fork();

    if (child == 0)
        _exit(sleep_long(NULL));
    if (has_cgroup(instance)) {
        ck_assert_ok(resources_add_process_to_cgroup(instance, child));
        ck_assert(is_in_cgroup_of(instance, child));
        ck_assert_fails(resources_add_process_to_cgroup(instance, -1), -1, "no process id");
    } else {
        ck_assert_fails(resources_add_process_to_cgroup(instance, child), -1, "no control group");
    }
    (void)kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

SUITE_MAIN_WITH("lib/isolation", library_begin, library_end,
                what_is_prepared_is_told_and_a_start_goes_on_from_there, both_have_to_be_undone,
                what_is_prepared_is_gone_with_a_destroy_and_a_shutdown, null_is_refused,
                the_result_is_the_exit_status, it_sees_what_the_payload_sees,
                it_is_there_before_the_payload, it_can_be_in_a_sandbox,
                it_has_the_rights_of_the_payload_and_no_more,
                it_is_in_the_control_group_and_ends_with_the_instance, signals_are_passed_on,
                a_process_can_be_moved_into_the_control_group)
