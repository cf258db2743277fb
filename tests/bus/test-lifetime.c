/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A private service ends with its starter and takes its instances along: however it ends, nothing
 * of them is left within a second. */

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bus/world.h"

#define AT_ONCE_MSEC 1000

/* Some instances: a plain one, one of many processes, a sandbox, one that is still starting. */
static pid_t *fill(void)
{
    GArray *all = g_array_new(TRUE, FALSE, sizeof(pid_t));
    const char *paths[] = {
        bus_run(client, "plain", "exec sleep 100"),
        bus_run_ready(client, "many", "for i in 1 2 3 4; do sleep 100 & done; echo; wait"),
        NULL,
        bus_create_held(client, "starting"),
    };

    ck_assert_int_ge(sd_bus_message_read(
                         bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "sandbox", 0, 0),
                         "o", &paths[2]),
                     0);
    paths[2] = g_intern_string(paths[2]);
    (void)bus_begin(client, paths[3], "Start", NO_OPTIONS);
    bus_await(client, paths[3], "State", "STARTING");
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree pid_t *pids = bus_processes(client, paths[i]);
        for (const pid_t *pid = pids; *pid != 0; pid++)
            g_array_append_val(all, *pid);
        pid_t init = (pid_t)bus_number(client, paths[i], "InitPID");
        if (init != 0)
            g_array_append_val(all, init);
    }
    ck_assert_uint_gt(all->len, 8);
    return (pid_t *)(void *)g_array_free(all, FALSE);
}

START_TEST(it_ends_with_its_starter)
{
    client_leave(client);
    ck_assert(service_is_over(AT_ONCE_MSEC));
}
END_TEST

START_TEST(it_takes_its_instances_along)
{
    g_autofree pid_t *pids = fill();

    client_leave(client);
    ck_assert(processes_are_gone(pids, AT_ONCE_MSEC));
    ck_assert(service_is_over(AT_ONCE_MSEC));
}
END_TEST

START_TEST(a_half_open_starter_is_gone_too)
{
    g_autofree pid_t *pids = fill();

    ck_assert_int_eq(shutdown(sd_bus_get_fd(client->bus), SHUT_WR), 0);
    ck_assert(processes_are_gone(pids, AT_ONCE_MSEC));
    ck_assert(service_is_over(AT_ONCE_MSEC));
}
END_TEST

START_TEST(a_signal_ends_it_in_order)
{
    g_autofree pid_t *pids = fill();

    ck_assert_int_eq(kill(service, SIGTERM), 0);
    ck_assert(service_is_over(AT_ONCE_MSEC));
    ck_assert(processes_are_gone(pids, 0));
}
END_TEST

START_TEST(killed_it_takes_its_instances_along)
{
    g_autofree pid_t *pids = fill();

    ck_assert_int_eq(kill(service, SIGKILL), 0);
    ck_assert(processes_are_gone(pids, AT_ONCE_MSEC));
    ck_assert(!service_is_over(AT_ONCE_MSEC));
}
END_TEST

START_TEST(a_payload_that_does_not_listen_does_not_outlive_a_kill)
{
    const char *path = bus_run_ready(client, "web",
                                     "trap '' TERM INT HUP; echo; while :; do sleep 1; done");
    g_autofree pid_t *pids = bus_processes(client, path);

    ck_assert_int_eq(kill(service, SIGKILL), 0);
    ck_assert(processes_are_gone(pids, AT_ONCE_MSEC));
    ck_assert(!service_is_over(AT_ONCE_MSEC));
}
END_TEST

/* Otherwise a starter that was killed would leave it waiting for as long as TimeoutStop says. */
START_TEST(a_payload_that_does_not_listen_does_not_outlive_the_starter)
{
    const char *path = bus_run_ready(client, "web",
                                     "trap '' TERM INT HUP; echo; while :; do sleep 1; done");
    g_autofree pid_t *pids = bus_processes(client, path);

    client_leave(client);
    ck_assert(processes_are_gone(pids, AT_ONCE_MSEC));
    ck_assert(service_is_over(AT_ONCE_MSEC));
}
END_TEST

START_TEST(the_second_signal_ends_it_at_once)
{
    const char *path = bus_run_ready(client, "web",
                                     "trap '' TERM INT HUP; echo; while :; do sleep 1; done");
    g_autofree pid_t *pids = bus_processes(client, path);

    ck_assert_int_eq(kill(service, SIGTERM), 0);
    bus_await(client, path, "State", "STOPPING");
    ck_assert_int_eq(kill(service, SIGTERM), 0);
    (void)service_is_over(AT_ONCE_MSEC);
    ck_assert_int_eq(service, 0);
    ck_assert(processes_are_gone(pids, AT_ONCE_MSEC));
}
END_TEST

START_TEST(while_it_ends_nothing_is_started)
{
    const char *path = bus_run_ready(
        client, "web", "trap 'sleep 0.3; exit' TERM; echo; while :; do sleep 0.01; done");
    const char *other = bus_create(client, "other", "sleep 100");

    ck_assert_int_eq(kill(service, SIGTERM), 0);
    bus_await(client, path, "State", "STOPPING");
    (void)bus_refuse(client, "Cancelled", other, "Start", NO_OPTIONS);
    (void)bus_refuse(client, "LimitsExceeded", BUS_PATH, "CreateInstance", "sa{sv}", "third", 0);
    ck_assert(service_is_over(AT_ONCE_MSEC));
}
END_TEST

WORLD_MAIN("bus/lifetime", world_inherit, it_ends_with_its_starter, it_takes_its_instances_along,
           a_half_open_starter_is_gone_too, a_signal_ends_it_in_order,
           killed_it_takes_its_instances_along,
           a_payload_that_does_not_listen_does_not_outlive_a_kill,
           a_payload_that_does_not_listen_does_not_outlive_the_starter,
           the_second_signal_ends_it_at_once, while_it_ends_nothing_is_started)
