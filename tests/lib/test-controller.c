/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The library and its service: found, shared with what the program does beside it, lost, found
 * again. */

#include "library-harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MSEC 10000

/* Whether it was reaped is not our affair. */
static bool lives(pid_t pid)
{
    char path[64], state = 'Z';

    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    if (file)
        (void)fclose(file);
    return state != 'Z';
}

static bool is_gone_soon(pid_t pid)
{
    for (int i = 0; i < PATIENCE_MSEC / 10 && lives(pid); i++)
        (void)usleep(10000);
    return !lives(pid);
}

/* ---- init and shutdown ----------------------------------------------------------------------- */

START_TEST(a_second_init_is_refused)
{
    ControllerConfig config = { 0 };

    ck_assert_fails(constellation_init(&config), -1, "already");
    ck_assert(constellation_is_running());
}
END_TEST

START_TEST(nothing_works_before_init_and_after_shutdown)
{
    Instance *instance = create("web", NULL), *other;
    InstanceConfig config = named("web");

    ck_assert_ok(constellation_shutdown());
    ck_assert(!constellation_is_running());
    ck_assert_ptr_null(constellation_service());
    ck_assert_fails(constellation_instance_create(&config, &other), CONSTELLATION_ERR_UNKNOWN,
                    "constellation_init()");
    ck_assert_fails(constellation_instance_start(instance), CONSTELLATION_ERR_UNKNOWN,
                    "constellation_init()");
    ck_assert_fails(constellation_shutdown(), -1, "not initialized");
}
END_TEST

START_TEST(init_works_again_after_shutdown)
{
    for (int i = 0; i < 3; i++) {
        Instance *instance = run("web", "sleep 100");
        pid_t pid = instance->pid, service = embedded_service();
        ck_assert_ok(constellation_shutdown());
        ck_assert(!lives(pid));
        ck_assert(!lives(service));
        library_begin();
    }
}
END_TEST

START_TEST(what_was_asked_for_is_in_force)
{
    ControllerConfig config = { .node_name = "node-7",
                                .cluster_name = "stars",
                                .control_port = 1,
                                .data_port = 65535,
                                .max_instances = 2 };
    InstanceConfig third = named("three");
    Instance *instance;

    ck_assert_ok(constellation_shutdown());
    ck_assert_ok(constellation_init(&config));
    ck_assert_ok(constellation_get_config(&config));
    ck_assert_str_eq(config.node_name, "node-7");
    ck_assert_str_eq(config.cluster_name, "stars");
    ck_assert_uint_eq(config.max_instances, 2);
    ck_assert_uint_eq(config.control_port, 1);
    ck_assert_uint_eq(config.data_port, 65535);
    (void)create("one", NULL);
    (void)create("two", NULL);
    ck_assert_fails(constellation_instance_create(&third, &instance),
                    CONSTELLATION_ERR_RESOURCE_EXHAUSTED, "2");
}
END_TEST

START_TEST(clustering_is_refused)
{
    ControllerConfig config = { .enable_clustering = true };

    ck_assert_ok(constellation_shutdown());
    ck_assert_fails(constellation_init(&config), -1, "enable_clustering");
    ck_assert_int_eq(constellation_last_error_code(), CONSTELLATION_ERR_INVALID_PARAM);
}
END_TEST

START_TEST(a_service_that_is_not_there_is_an_error_for_who_names_it)
{
    ControllerConfig config = { 0 };

    ck_assert_ok(constellation_shutdown());
    ck_assert_ok(constellation_set_option("Service", "/nonexistent/socket"));
    ck_assert_fails(constellation_init(&config), -1, "/nonexistent/socket");
    ck_assert_fails(constellation_set_option("Service", "best"), CONSTELLATION_ERR_INVALID_PARAM,
                    "Service=best");
    ck_assert_fails(constellation_set_option("Colour", "red"), CONSTELLATION_ERR_INVALID_PARAM,
                    "Colour");
    ck_assert_ok(constellation_set_option("Service", "auto"));
    (void)setenv("CONSTELLATION_SERVICE", "nowhere", 1);
    ck_assert_fails(constellation_init(&config), -1, "nowhere");
    (void)setenv("CONSTELLATION_SERVICE", "embedded", 1);
}
END_TEST

START_TEST(every_error_has_a_string)
{
    for (int i = -1; i < 101; i++)
        ck_assert_ptr_nonnull(constellation_error_string((ConstellationError)i));
    ck_assert_str_eq(constellation_error_string(CONSTELLATION_ERR_NOT_FOUND), "no such instance");
    ck_assert_str_eq(constellation_error_string(CONSTELLATION_ERR_UNKNOWN), "unknown error");
}
END_TEST

/* ---- beside the program ---------------------------------------------------------------------- */

static volatile sig_atomic_t children_seen;

static void on_child(int signal)
{
    children_seen += signal == SIGCHLD;
}

START_TEST(the_program_has_no_child_and_no_signal_of_it)
{
    struct sigaction action = { .sa_handler = on_child }, now;

    ck_assert_ok(constellation_shutdown());
    ck_assert_int_eq(sigaction(SIGCHLD, &action, NULL), 0);
    library_begin();
    (void)run("web", NULL);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    ck_assert_ok(constellation_shutdown());
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(children_seen, 0);
    ck_assert_int_eq(sigaction(SIGCHLD, NULL, &now), 0);
    ck_assert(now.sa_handler == on_child);
}
END_TEST

START_TEST(no_descriptor_is_inherited)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;
    char path[320], target[64];

    ck_assert_ptr_nonnull(directory);
    ck_assert_int_ge(constellation_event_fd(), 0);
    while ((entry = readdir(directory))) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        if (fd > 2 && (strncmp(target, "socket:", 7) == 0 || strncmp(target, "anon_", 5) == 0))
            ck_assert_msg(fcntl(fd, F_GETFD) & FD_CLOEXEC, "%d: %s", fd, target);
    }
    (void)closedir(directory);
}
END_TEST

START_TEST(shutdown_gives_all_descriptors_back)
{
    ck_assert_ok(constellation_shutdown());
    int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)close(before);
    for (int i = 0; i < 3; i++) {
        library_begin();
        ck_assert_int_ge(constellation_event_fd(), 0);
        (void)create("web", NULL);
        ck_assert_ok(constellation_shutdown());
    }
    int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)close(after);
    ck_assert_int_eq(after, before);
}
END_TEST

/* 0: as it should be; else the number of what was not. */
static int look_after_fork(Instance *instance)
{
    ControllerConfig config = { 0 };

    if (constellation_is_running())
        return 1;
    if (constellation_instance_start(instance) != CONSTELLATION_ERR_UNKNOWN)
        return 2;
    if (constellation_init(&config) != 0)
        return 3;
    if (constellation_instance_start(instance) != CONSTELLATION_ERR_INVALID_PARAM)
        return 4;
    (void)create("web", NULL);
    return constellation_shutdown() == 0 ? 0 : 5;
}

START_TEST(a_child_after_fork_has_no_connection_and_may_make_its_own)
{
    Instance *instance = create("web", NULL);
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(look_after_fork(instance));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%#x", (unsigned)status);
    ck_assert_ok(constellation_instance_start(instance));
}
END_TEST

/* The child of the program goes on with copies of all its descriptors. */
START_TEST(the_service_ends_with_the_program_and_takes_its_instances_along)
{
    int pipe_fds[2];
    pid_t pids[3] = { 0 };

    ck_assert_ok(constellation_shutdown());
    ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t program = fork();
    if (program == 0) {
        library_begin();
        pids[0] = run("web", "sleep 100")->pid;
        pids[1] = embedded_service();
        pids[2] = fork();
        if (pids[2] == 0)
            (void)pause();
        _exit(write(pipe_fds[1], pids, sizeof pids) != sizeof pids);
    }
    ck_assert_int_eq(read(pipe_fds[0], pids, sizeof pids), sizeof pids);
    ck_assert_int_eq(waitpid(program, NULL, 0), program);
    ck_assert(is_gone_soon(pids[0]));
    ck_assert(is_gone_soon(pids[1]));
    ck_assert(lives(pids[2]));
    (void)kill(pids[2], SIGKILL);
}
END_TEST

/* ---- lost ------------------------------------------------------------------------------------ */

START_TEST(after_the_service_was_killed_a_call_fails_clearly_and_the_next_one_has_another)
{
    Instance *instance = run("web", "sleep 100");
    pid_t service = embedded_service();

    ck_assert_int_eq(kill(service, SIGKILL), 0);
    ck_assert(is_gone_soon(service));
    ck_assert(!constellation_is_running());
    ck_assert_fails(constellation_instance_stop(instance), CONSTELLATION_ERR_NOT_FOUND, "");
    ck_assert(constellation_is_running());
    ck_assert_int_eq(instance->state, INSTANCE_STATE_UNKNOWN);
    ck_assert_ok(constellation_instance_destroy(instance));
    ck_assert_int_eq(run("web", "sleep 100")->state, INSTANCE_STATE_RUNNING);
}
END_TEST

static void *kill_soon(void *service)
{
    (void)usleep(100000);
    (void)kill(*(pid_t *)service, SIGKILL);
    return NULL;
}

START_TEST(a_service_killed_during_a_call_fails_the_call)
{
    Instance *instance = run("web", "sleep 100");
    pid_t service = embedded_service();
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, kill_soon, &service), 0);
    ck_assert_fails(constellation_instance_wait(instance, -1, NULL), CONSTELLATION_ERR_UNKNOWN,
                    "was lost during the call");
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

static void *wait_for_end(void *instance)
{
    return (void *)(intptr_t)constellation_instance_wait(instance, -1, NULL);
}

START_TEST(a_shutdown_ends_the_calls_of_other_threads)
{
    Instance *instance = run("web", "sleep 100");
    pthread_t threads[4];
    void *result;

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_end, instance), 0);
    (void)usleep(100000);
    ck_assert_ok(constellation_shutdown());
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_join(threads[i], &result), 0);
}
END_TEST

/* ---- events ---------------------------------------------------------------------------------- */

START_TEST(events_come_in_order_through_a_descriptor)
{
    struct pollfd readable = { .fd = constellation_event_fd(), .events = POLLIN };
    static const InstanceState states[] = { INSTANCE_STATE_STARTING, INSTANCE_STATE_RUNNING,
                                            INSTANCE_STATE_FAILED };
    Instance *instance = run("web", "sh -c 'exit 3'");
    ConstellationEvent event = { 0 };
    unsigned seen = 0;

    while (event.type != CONSTELLATION_EVENT_EXITED) {
        ck_assert_int_eq(poll(&readable, 1, PATIENCE_MSEC), 1);
        if (constellation_event_next(&event) != 1)
            continue;
        ck_assert_str_eq(event.id, instance->id);
        if (event.type == CONSTELLATION_EVENT_STATE)
            ck_assert_int_eq(event.to, states[seen++]);
    }
    ck_assert_uint_eq(seen, 3);
    ck_assert_int_eq(event.end.status, 3);
}
END_TEST

static void count_event(const ConstellationEvent *event, void *count)
{
    *(int *)count += event->type == CONSTELLATION_EVENT_STATE;
}

START_TEST(events_come_to_a_function)
{
    int count = 0;

    ck_assert_ok(constellation_set_event_callback(count_event, &count));
    (void)run("web", NULL);
    while (count < 2)
        ck_assert_int_ge(constellation_dispatch(PATIENCE_MSEC), 0);
    ck_assert_int_eq(constellation_dispatch(0), 0);
}
END_TEST

START_TEST(a_lost_service_is_an_event)
{
    struct pollfd readable = { .fd = constellation_event_fd(), .events = POLLIN };
    ConstellationEvent event;

    ck_assert_int_eq(kill(embedded_service(), SIGKILL), 0);
    ck_assert_int_eq(poll(&readable, 1, PATIENCE_MSEC), 1);
    ck_assert_int_eq(constellation_event_next(&event), 1);
    ck_assert_int_eq(event.type, CONSTELLATION_EVENT_LOST);
    (void)run("web", NULL);
    ck_assert_int_eq(poll(&readable, 1, PATIENCE_MSEC), 1);
    ck_assert_int_eq(constellation_event_next(&event), 1);
    ck_assert_int_eq(event.to, INSTANCE_STATE_STARTING);
}
END_TEST

SUITE_MAIN_WITH("lib/controller", library_begin, library_end, a_second_init_is_refused,
                nothing_works_before_init_and_after_shutdown, init_works_again_after_shutdown,
                what_was_asked_for_is_in_force, clustering_is_refused,
                a_service_that_is_not_there_is_an_error_for_who_names_it, every_error_has_a_string,
                the_program_has_no_child_and_no_signal_of_it, no_descriptor_is_inherited,
                shutdown_gives_all_descriptors_back,
                a_child_after_fork_has_no_connection_and_may_make_its_own,
                the_service_ends_with_the_program_and_takes_its_instances_along,
                after_the_service_was_killed_a_call_fails_clearly_and_the_next_one_has_another,
                a_service_killed_during_a_call_fails_the_call,
                a_shutdown_ends_the_calls_of_other_threads,
                events_come_in_order_through_a_descriptor, events_come_to_a_function,
                a_lost_service_is_an_event)
