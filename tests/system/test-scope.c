/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rung "scope" and the holder scope of the rung "cgroup", with a systemd that is real. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "resources/usage.h"
#include "system/scope-harness.h"
#include "util/procfs.h"

/* ---- one scope ------------------------------------------------------------------------------- */

START_TEST(the_best_rung_under_systemd_is_the_scope)
{
    g_autofree char *reason = NULL;
    const Backend *backend = backend_choose(resources, BACKEND_AUTO, 0, &reason, NULL);

    ck_assert_str_eq(backend_name(backend), "scope");
    ck_assert_str_eq(reason, "");
}
END_TEST

START_TEST(a_process_is_in_its_scope_when_the_answer_comes)
{
    Child child = child_start(false);
    Placement *placement = place_with(NULL, &child);
    g_autoptr(GArray) pids = usage_processes(placement, child.pid);
    g_autofree char *actual = NULL;

    ck_assert_int_eq(procfs_cgroup(child.pid, &actual), 0);
    ck_assert_str_eq(actual, placement->control_group);
    ck_assert(g_str_has_suffix(placement->control_group, placement->unit));
    ck_assert_ptr_nonnull(strstr(placement->control_group, "/constellation-4242.slice/"));
    ck_assert_int_eq(placement_populated(placement), 1);
    ck_assert_uint_eq(pids->len, 1);
    end_and_release(placement, &child);
}
END_TEST

START_TEST(the_properties_are_what_was_asked_for)
{
    Limits limits = { .set[LIMIT_TASKS_MAX] = true, .value[LIMIT_TASKS_MAX] = 42 };
    Child child = child_start(false);
    Placement *placement = place_with(&limits, &child);

    check_property(placement->unit, "Description", "a test of Constellation");
    check_property(placement->unit, "Slice", "constellation-4242.slice");
    check_property(placement->unit, "CollectMode", "inactive-or-failed");
    check_property(placement->unit, "KillSignal", "15");
    check_property(placement->unit, "TimeoutStopUSec", "3s");
    check_property(placement->unit, "OOMPolicy", user ? "continue" : "kill");
    check_property(placement->unit, "TasksMax", "42");
    check_property(placement->unit, "SendSIGHUP", "no");
    ck_assert_ptr_null(*manager_unknown_properties(resources->manager));
    end_and_release(placement, &child);
}
END_TEST

START_TEST(a_scope_goes_with_its_last_process)
{
    Child child = child_start(false);
    Placement *placement = place_with(NULL, &child);
    g_autofree char *unit = g_strdup(placement->unit);

    child_fork_more(&child, 2);
    ck_assert_int_eq(placement_kill(placement), 0);
    ck_assert(child_has_ended(&child));
    end_and_release(placement, &child);
    check_gone(unit);
}
END_TEST

START_TEST(freezing_a_scope_stops_its_clock)
{
    Child child = child_start(true);
    Placement *placement = place_with(NULL, &child);
    Usage before, after;

    ck_assert_int_eq(placement_freeze(placement, true), 0);
    loop_for(event, 50);
    usage_read(placement, child.pid, &before);
    loop_for(event, 100);
    usage_read(placement, child.pid, &after);
    ck_assert_uint_eq(before.cpu_usec, after.cpu_usec);
    ck_assert_uint_ne(after.cpu_usec, USAGE_UNKNOWN);
    end_and_release(placement, &child);
}
END_TEST

START_TEST(a_limit_is_enforced_or_refused_with_a_reason)
{
    const Limits limits = {
        .set = { true, true, true, true, true, true },
        .value = { 333333, 50, 64u << 20, (32u << 20) + 1, 8u << 20, 20 },
    };
    Child child = child_start(false);
    Placement *placement = place_with(&limits, &child);
    g_autoptr(GPtrArray) rows = placement_enforced(resources, placement, &limits);
    g_autoptr(GPtrArray) predicted = backend_predict(resources, placement->backend, &limits);

    ck_assert_uint_eq(rows->len, _LIMIT_COUNT);
    for (guint i = 0; i < rows->len; i++) {
        const Enforced *row = rows->pdata[i], *before = predicted->pdata[i];

        printf("# %s '%s' %s (%s)\n", row->limit, row->value, row->enforced ? "yes" : "no",
               row->reason);
        ck_assert_msg(row->enforced == (*row->value != '\0'), "%s", row->limit);
        ck_assert_msg(row->enforced || *row->reason, "%s", row->limit);
        ck_assert_msg(row->enforced == before->enforced, "%s: %s", row->limit, before->reason);
    }
    end_and_release(placement, &child);
}
END_TEST

START_TEST(a_limit_of_the_slice_is_named)
{
    const Limits limits = { .set[LIMIT_TASKS_MAX] = true, .value[LIMIT_TASKS_MAX] = 42 };
    Child child = child_start(false);
    Placement *placement = place_with(&limits, &child);
    g_autofree char *output = systemctl(
        "set-property --runtime constellation-4242.slice TasksMax=30");
    g_autoptr(GPtrArray) rows = placement_enforced(resources, placement, &limits);
    const Enforced *row = rows->pdata[0];

    ck_assert_str_eq(output, "");
    if (row->enforced)
        ck_assert(g_str_has_suffix(row->reason, "constellation-4242.slice, which it is part of, is "
                                                "limited to 30"));
    g_free(systemctl("set-property --runtime constellation-4242.slice TasksMax=infinity"));
    end_and_release(placement, &child);
}
END_TEST

START_TEST(a_scope_is_adopted_from_its_process)
{
    Child child = child_start(false);
    Placement *placement = place_with(NULL, &child);
    g_autofree char *launch_id = scope_launch_id(resources->realm, placement->unit);
    Placement *adopted = backend_adopt(resources, placement, launch_id, child.pid, "", NULL);

    ck_assert_str_eq(backend_name(adopted->backend), "scope");
    ck_assert_str_eq(adopted->unit, placement->unit);
    ck_assert_str_eq(adopted->slice, placement->slice);
    ck_assert_str_eq(adopted->control_group, placement->control_group);
    backend_release(resources, adopted);
    end_and_release(placement, &child);
}
END_TEST

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void check_dead(bool reaped)
{
    g_autofree char *id = next_launch_id();
    g_autofree char *unit = g_strdup_printf("constellation-%s-%s.scope", realm, id);
    const PlacementRequest request = request_for(realm, id, NULL);
    g_autoptr(GError) error = NULL;
    Child child = child_start(false);

    kill(child.pid, SIGKILL);
    ck_assert(child_has_ended(&child));
    if (reaped)
        waitpid(child.pid, NULL, 0);
    ck_assert_ptr_null(place(resources, event, "scope", &request, &child, &error));
    ck_assert(g_error_matches(error, CONSTELLATION_ERROR, CONSTELLATION_ERROR_CGROUP_FAILED));
    printf("# %s\n", error->message);
    check_gone(unit);
    child_end(&child);
}

START_TEST(a_dead_process_is_an_error_and_leaves_no_unit)
{
    check_dead(false);
}
END_TEST

START_TEST(a_process_that_is_gone_is_an_error)
{
    check_dead(true);
}
END_TEST

START_TEST(an_abandoned_scope_is_stopped)
{
    g_autofree char *id = next_launch_id();
    const PlacementRequest request = request_for(realm, id, NULL);
    Child child = child_start(false);
    Placement *placement = backend_prepare(resources, backend_by_name("scope"), &request, NULL);
    g_autofree char *unit = g_strdup(placement->unit);
    Placed placed = { 0 };

    ck_assert(manager_is_connected(resources->manager, NULL));
    loop_for(event, 200);
    ck_assert(
        !backend_place(resources, placement, &request, child.pid, child.pidfd, on_placed, &placed));
    backend_release(resources, placement);
    loop_for(event, 200);
    ck_assert(!placed.done);
    check_gone(unit);
    child_end(&child);
}
END_TEST

/* ---- what is left behind --------------------------------------------------------------------- */

START_TEST(the_sweep_stops_empty_scopes_that_nobody_keeps)
{
    g_autoptr(GHashTable) keep = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *left = g_strdup_printf("constellation-%s-i1_3.scope", realm);
    g_autofree char *kept = g_strdup_printf("constellation-%s-i1_4.scope", realm);
    Child dead = child_start(false), living = child_start(false);
    Placement *placement = place_with(NULL, &living);
    Placed placed[2] = { 0 };

    kill(dead.pid, SIGKILL);
    ck_assert(child_has_ended(&dead));
    manager_start_scope(resources->manager, left, dead.pid, NULL, 0, 10000000, on_job, &placed[0]);
    ck_assert(loop_until(event, &placed[0].done, 5000));
    manager_start_scope(resources->manager, kept, dead.pid, NULL, 0, 10000000, on_job, &placed[1]);
    ck_assert(loop_until(event, &placed[1].done, 5000));
    printf("# left: %s\n", placed[0].error ? placed[0].error->message : "a scope of the dead");
    g_hash_table_add(keep, (char *)"i1_4");
    resources_sweep(resources, keep);
    check_gone(left);
    ck_assert(is_loaded(placement->unit));
    ck_assert(placed[1].error || is_loaded(kept));
    manager_stop_unit(resources->manager, kept);
    check_gone(kept);
    child_end(&dead);
    end_and_release(placement, &living);
}
END_TEST

/* ---- the holder ------------------------------------------------------------------------------ */

static void start_holder(Child *holder)
{
    Placed placed = { 0 };

    ck_assert(resources_wants_holder(resources));
    *holder = child_start(false);
    resources_start_holder(resources, holder->pid, holder->pidfd, on_job, &placed);
    ck_assert(!resources_wants_holder(resources));
    ck_assert(loop_until(event, &placed.done, 5000));
    ck_assert_msg(!placed.error, "%s", placed.error ? placed.error->message : "");
}

START_TEST(before_there_is_a_holder_the_cgroup_rung_cannot_be_had)
{
    g_autofree char *reason = NULL;

    ck_assert(!backend_probe(resources, backend_by_name("cgroup"), &reason));
    ck_assert_ptr_nonnull(strstr(reason, "-direct.scope"));
}
END_TEST

START_TEST(with_a_holder_instances_are_placed_in_it)
{
    g_autofree char *id = next_launch_id();
    const Limits limits = { .set[LIMIT_TASKS_MAX] = true, .value[LIMIT_TASKS_MAX] = 42 };
    const PlacementRequest request = request_for(realm, id, &limits);
    g_autofree char *unit = holder_unit(resources);
    g_autofree char *actual = NULL;
    g_autofree char *controllers = NULL;
    Child holder, child;
    Placement *placement;

    start_holder(&holder);
    controllers = backend_controllers(resources, backend_by_name("cgroup"));
    placement = backend_prepare(resources, backend_by_name("cgroup"), &request, NULL);
    child = child_start_in(placement->cgroup_fd);
    ck_assert(backend_place(resources, placement, &request, child.pid, child.pidfd, NULL, NULL));
    ck_assert_int_eq(procfs_cgroup(child.pid, &actual), 0);
    ck_assert_ptr_nonnull(strstr(actual, unit));
    g_autoptr(GPtrArray) rows = placement_enforced(resources, placement, &limits);
    const Enforced *row = rows->pdata[0];
    printf("# controllers '%s', TasksMax '%s' %s\n", controllers, row->value, row->reason);
    ck_assert(row->enforced == (strstr(controllers, "pids") != NULL));
    end_and_release(placement, &child);
    child_end(&holder);
    check_gone(unit);
}
END_TEST

START_TEST(the_holder_of_an_earlier_service_is_used)
{
    g_autofree char *unit = holder_unit(resources);
    Child holder;

    start_holder(&holder);
    resources_free(resources);
    resources = resources_new(
        &(ResourcesOptions){ .event = event, .realm = realm, .user_manager = user });
    ck_assert(!resources_wants_holder(resources));
    ck_assert(backend_probe(resources, backend_by_name("cgroup"), NULL));
    child_end(&holder);
    check_gone(unit);
    ck_assert(!backend_probe(resources, backend_by_name("cgroup"), NULL));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_best_rung_under_systemd_is_the_scope,
        a_process_is_in_its_scope_when_the_answer_comes,
        the_properties_are_what_was_asked_for,
        a_scope_goes_with_its_last_process,
        freezing_a_scope_stops_its_clock,
        a_limit_is_enforced_or_refused_with_a_reason,
        a_limit_of_the_slice_is_named,
        a_scope_is_adopted_from_its_process,
        a_dead_process_is_an_error_and_leaves_no_unit,
        a_process_that_is_gone_is_an_error,
        an_abandoned_scope_is_stopped,
        the_sweep_stops_empty_scopes_that_nobody_keeps,
        before_there_is_a_holder_the_cgroup_rung_cannot_be_had,
        with_a_holder_instances_are_placed_in_it,
        the_holder_of_an_earlier_service_is_used,
    };

    return scope_suite("resources/scope", tests, G_N_ELEMENTS(tests));
}
