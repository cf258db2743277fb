/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Instances: what is refused, and what the calls beyond the original do. */

#include "library-harness.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- refused --------------------------------------------------------------------------------- */

START_TEST(null_is_refused_everywhere)
{
    ConstellationEvent event;
    InstanceConfig config = named("web");
    ResourceUsage usage;

    ck_assert_fails(constellation_init(NULL), -1, "config is NULL");
    ck_assert_fails(constellation_instance_create(&config, NULL), CONSTELLATION_ERR_INVALID_PARAM,
                    "must not be NULL");
    ck_assert_fails(constellation_instance_create_with(&config, NULL, 1, (Instance *[1]){ 0 }),
                    CONSTELLATION_ERR_INVALID_PARAM, "setting 0 is NULL");
    ck_assert_ptr_null(constellation_instance_get(NULL));
    ck_assert_ptr_null(constellation_instance_list(NULL));
    ck_assert_fails(constellation_set_option(NULL, "x"), CONSTELLATION_ERR_INVALID_PARAM, "NULL");
    ck_assert_fails(constellation_get_config(NULL), CONSTELLATION_ERR_INVALID_PARAM, "NULL");
    ck_assert_fails(resources_collect_stats(NULL, NULL), -1, "usage is NULL");
    ck_assert_fails(resources_collect_stats(NULL, &usage), -1, "instance is NULL");
    ck_assert_fails(constellation_event_next(NULL), -1, "event is NULL");
    ck_assert_int_eq(constellation_event_next(&event), 0);
    ck_assert_int_eq(constellation_instance_get_usage(NULL).last_update, 0);
}
END_TEST

static const struct {
    const char *name;
    ConstellationError (*call)(Instance *instance);
} calls[] = {
    { "start", constellation_instance_start },
    { "stop", constellation_instance_stop },
    { "destroy", constellation_instance_destroy },
    { "restart", constellation_instance_restart },
    { "update_stats", constellation_instance_update_stats },
};

static void refuse_all(Instance *instance, const char *what)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        ck_assert_msg(calls[i].call(instance) == CONSTELLATION_ERR_INVALID_PARAM, "%s takes %s",
                      calls[i].name, what);
    ck_assert_int_eq(constellation_instance_state(instance), INSTANCE_STATE_UNKNOWN);
}

START_TEST(a_freed_instance_is_refused)
{
    Instance *instance = create("web", NULL);

    ck_assert_ok(constellation_instance_destroy(instance));
    Instance *next = create("web", NULL);
    ck_assert_ptr_ne(next, instance);
    refuse_all(instance, "a freed instance");
    ck_assert_int_eq(next->state, INSTANCE_STATE_PENDING);
}
END_TEST

START_TEST(a_foreign_instance_is_refused)
{
    Instance foreign = *create("web", NULL);

    refuse_all(&foreign, "a foreign instance");
    refuse_all((Instance *)-16, "garbage");
}
END_TEST

START_TEST(what_does_not_end_is_refused)
{
    InstanceConfig config = named("web");
    Instance *instance;

    memset(config.name, 'x', sizeof config.name);
    ck_assert_fails(constellation_instance_create(&config, &instance),
                    CONSTELLATION_ERR_INVALID_PARAM, "must end with a NUL");
}
END_TEST

START_TEST(bad_configs_are_refused_with_the_culprit)
{
    InstanceConfig config = named("");
    Instance *instance;
    char *variables[] = { (char *)"A=1", NULL };

    ck_assert_fails(constellation_instance_create(&config, &instance),
                    CONSTELLATION_ERR_INVALID_PARAM, "name");
    config = named("web");
    config.env_vars = variables;
    config.env_count = 2;
    ck_assert_fails(constellation_instance_create(&config, &instance),
                    CONSTELLATION_ERR_INVALID_PARAM, "env_vars[1] is NULL");
    config.env_count = -1;
    ck_assert_fails(constellation_instance_create(&config, &instance),
                    CONSTELLATION_ERR_INVALID_PARAM, "env_count -1");
    config.env_count = 0;
    config.limits.ram_mb = UINT64_MAX;
    ck_assert_fails(constellation_instance_create(&config, &instance),
                    CONSTELLATION_ERR_INVALID_PARAM, "ram_mb");
    config.limits.ram_mb = 1;
    ck_assert_fails(constellation_instance_create(&config, &instance),
                    CONSTELLATION_ERR_INVALID_PARAM, "MemoryMax");
}
END_TEST

START_TEST(an_unknown_setting_is_refused_by_name)
{
    const ConstellationSetting settings[] = { { "MemoryMx", "1G" } };
    InstanceConfig config = named("web");
    Instance *instance;

    ck_assert_fails(constellation_instance_create_with(&config, settings, 1, &instance),
                    CONSTELLATION_ERR_INVALID_PARAM, "MemoryMx");
}
END_TEST

START_TEST(a_second_start_is_refused)
{
    Instance *instance = run("web", NULL);

    ck_assert_fails(constellation_instance_start(instance), CONSTELLATION_ERR_INVALID_PARAM,
                    "RUNNING");
    ck_assert_int_eq(instance->state, INSTANCE_STATE_RUNNING);
}
END_TEST

/* ---- what is run ----------------------------------------------------------------------------- */

START_TEST(an_instance_without_a_script_is_a_sandbox)
{
    Instance *instance = run("web", NULL);

    ck_assert_int_gt(instance->pid, 0);
    ck_assert_int_eq(kill(instance->pid, 0), 0);
    ck_assert_ok(constellation_instance_stop(instance));
    ck_assert_int_eq(instance->pid, 0);
}
END_TEST

START_TEST(a_relative_script_is_the_callers)
{
    char directory[] = "/var/tmp/constellation-lib-XXXXXX";
    InstanceConfig config = named("web");
    Instance *instance;
    InstanceExit end;

    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chmod(directory, 0755), 0);
    ck_assert_int_eq(chdir(directory), 0);
    FILE *file = fopen("script", "we");
    ck_assert_ptr_nonnull(file);
    (void)fputs("#!/bin/sh\nexit $CODE\n", file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod("script", 0755), 0);
    (void)snprintf(config.script_path, sizeof config.script_path, "./x/.././/script");
    config.env_vars = (char *[]){ (char *)"CODE=9" };
    config.env_count = 1;
    ck_assert_ok(constellation_instance_create(&config, &instance));
    ck_assert_ok(constellation_instance_start(instance));
    ck_assert_ok(constellation_instance_wait(instance, 10000, &end));
    ck_assert_int_eq(end.status, 9);
    ck_assert_int_eq(unlink("script"), 0);
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(the_exit_code_is_kept)
{
    Instance *instance = run("web", "sh -c 'exit 7'");
    InstanceExit end;

    ck_assert_ok(constellation_instance_wait(instance, 10000, &end));
    ck_assert_str_eq(end.result, "exit-code");
    ck_assert_int_eq(end.code, CLD_EXITED);
    ck_assert_int_eq(end.status, 7);
    ck_assert_int_eq(end.run, 1);
    ck_assert_int_eq(instance->exit_code, 7);
    ck_assert_int_eq(instance->state, INSTANCE_STATE_FAILED);
    ck_assert_int_gt(instance->stopped_at, 0);
}
END_TEST

START_TEST(a_signal_is_an_exit_code_like_that_of_a_shell)
{
    Instance *instance = run("web", "sleep 100");

    ck_assert_ok(constellation_instance_kill(instance, SIGKILL, false));
    ck_assert_ok(constellation_instance_wait(instance, 10000, NULL));
    ck_assert_int_eq(instance->exit_code, 128 + SIGKILL);
}
END_TEST

START_TEST(a_wait_has_an_end)
{
    Instance *instance = run("web", "sleep 100");

    ck_assert_fails(constellation_instance_wait(instance, 50, NULL), CONSTELLATION_ERR_UNKNOWN,
                    "within TimeoutUSec");
}
END_TEST

static void *stop_soon(void *instance)
{
    (void)usleep(100000);
    ck_assert_ok(constellation_instance_stop(instance));
    return NULL;
}

START_TEST(another_thread_may_stop_what_is_waited_for)
{
    Instance *instance = run("web", "sleep 100");
    pthread_t thread;
    InstanceExit end;

    ck_assert_int_eq(pthread_create(&thread, NULL, stop_soon, instance), 0);
    ck_assert_ok(constellation_instance_wait(instance, 10000, &end));
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_str_eq(end.result, "success");
    ck_assert_int_eq(instance->state, INSTANCE_STATE_STOPPED);
}
END_TEST

START_TEST(a_restart_is_another_run)
{
    Instance *instance = run("web", "sleep 100");
    pid_t pid = instance->pid;

    ck_assert_ok(constellation_instance_restart(instance));
    ck_assert_int_eq(instance->state, INSTANCE_STATE_RUNNING);
    ck_assert_int_ne(instance->pid, pid);
}
END_TEST

START_TEST(usage_is_measured)
{
    Instance *instance = run("web", "sh -c 'while :; do :; done'");

    double most = 0;

    /* Whoever shares the machine may have it for a while. */
    for (int i = 0; i < 50 && most < 5; i++) {
        (void)usleep(200000);
        ck_assert_ok(constellation_instance_update_stats(instance));
        if (most < instance->usage.cpu_percent)
            most = instance->usage.cpu_percent;
    }
    ck_assert_msg(most >= 5 && most < 150, "%f", most);
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------- */

START_TEST(limits_change_before_and_while_it_runs)
{
    Instance *instance = create("web", "sleep 100");
    ResourceLimits limits = { .cpu_percent = 50, .ram_mb = 64 };

    ck_assert_ok(resources_update_limits(instance, &limits));
    ck_assert_uint_eq(instance->limits.ram_mb, 64);
    ck_assert_ok(constellation_instance_start(instance));
    limits = (ResourceLimits){ .cpu_percent = 150 };
    ck_assert_ok(constellation_instance_update_limits(instance, &limits));
    ck_assert_uint_eq(instance->limits.cpu_percent, 150);
    ck_assert_uint_eq(instance->limits.ram_mb, 0);
}
END_TEST

START_TEST(a_change_of_limits_is_all_or_nothing)
{
    Instance *instance = run("web", "sleep 100");
    ResourceLimits limits = { .cpu_percent = 50, .ram_mb = 1 };
    const ConstellationSetting settings[] = { { "TasksMax", "20" }, { "Hostname", "other" } };

    ck_assert_fails(resources_update_limits(instance, &limits), -1, "MemoryMax");
    ck_assert_ok(constellation_instance_update_settings(instance, settings, 1));
    ck_assert_fails(constellation_instance_update_settings(instance, settings, 2),
                    CONSTELLATION_ERR_INVALID_PARAM, "Hostname");
    ck_assert_fails(resources_update_limits(instance, NULL), -1, "NULL");
    ck_assert_uint_eq(constellation_instance_get(instance->id)->limits.cpu_percent, 0);
}
END_TEST

/* ---- many ------------------------------------------------------------------------------------ */

#define THREADS   4
#define INSTANCES 250

static void *make_many(void *userdata)
{
    unsigned thread = *(const unsigned *)userdata;
    Instance *instances[INSTANCES];
    char name[32];

    for (unsigned i = 0; i < INSTANCES; i++) {
        (void)snprintf(name, sizeof name, "t%u-%u", thread, i);
        instances[i] = create(name, "sleep 1000");
        if (i % 10 == 0)
            ck_assert_ok(constellation_instance_start(instances[i]));
    }
    for (unsigned i = 0; i < INSTANCES; i += 2)
        ck_assert_ok(constellation_instance_destroy(instances[i]));
    return NULL;
}

START_TEST(a_thousand_instances_from_four_threads)
{
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];
    int count;

    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_many, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_ptr_nonnull(constellation_instance_list(&count));
    ck_assert_int_eq(count, THREADS * INSTANCES / 2);
}
END_TEST

SUITE_MAIN_WITH("lib/instances", library_begin, library_end, null_is_refused_everywhere,
                a_freed_instance_is_refused, a_foreign_instance_is_refused,
                what_does_not_end_is_refused, bad_configs_are_refused_with_the_culprit,
                an_unknown_setting_is_refused_by_name, a_second_start_is_refused,
                an_instance_without_a_script_is_a_sandbox, a_relative_script_is_the_callers,
                the_exit_code_is_kept, a_signal_is_an_exit_code_like_that_of_a_shell,
                a_wait_has_an_end, another_thread_may_stop_what_is_waited_for,
                a_restart_is_another_run, usage_is_measured, limits_change_before_and_while_it_runs,
                a_change_of_limits_is_all_or_nothing, a_thousand_instances_from_four_threads)
