/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The connection to a systemd that is real: jobs in the line and in flight, and what becomes of
 * them when systemd or the bus is restarted. */

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/scope-harness.h"
#include "systemd/manager-internal.h"

/* ---- one job --------------------------------------------------------------------------------- */

START_TEST(a_job_that_takes_too_long_is_given_up_and_its_unit_stopped)
{
    g_autofree char *unit = g_strdup_printf("constellation-%s-i1_1.scope", realm);
    Child child = child_start(false);
    Placed placed = { 0 };

    loop_for(event, 200);
    manager_start_scope(resources->manager, unit, child.pid, NULL, 0, 1, on_job, &placed);
    ck_assert(!placed.done);
    ck_assert(loop_until(event, &placed.done, 5000));
    ck_assert(g_error_matches(placed.error, CONSTELLATION_ERROR, CONSTELLATION_ERROR_TIMEOUT));
    check_gone(unit);
    child_end(&child);
}
END_TEST

START_TEST(a_property_that_is_not_known_is_left_out)
{
    g_autofree char *unit = g_strdup_printf("constellation-%s-i1_2.scope", realm);
    const UnitProperty properties[] = {
        { "FutureOne", 't', 1, NULL },
        { "Description", 's', 0, "known" },
        { "FutureTwo", 'b', true, NULL },
    };
    Child child = child_start(false);
    Placed placed = { 0 };

    manager_start_scope(resources->manager, unit, child.pid, properties, 3, 10000000, on_job,
                        &placed);
    ck_assert(loop_until(event, &placed.done, 5000));
    ck_assert_msg(!placed.error, "%s", placed.error ? placed.error->message : "");
    check_property(unit, "Description", "known");
    ck_assert_str_eq(manager_unknown_properties(resources->manager)[0], "FutureOne");
    ck_assert_str_eq(manager_unknown_properties(resources->manager)[1], "FutureTwo");
    ck_assert_ptr_null(manager_unknown_properties(resources->manager)[2]);
    child_end(&child);
    check_gone(unit);
}
END_TEST

START_TEST(a_name_in_use_is_an_error_and_its_unit_stays)
{
    Child first = child_start(false), second = child_start(false);
    Placement *placement = place_with(NULL, &first);
    Placed placed = { 0 };

    manager_start_scope(resources->manager, placement->unit, second.pid, NULL, 0, 10000000, on_job,
                        &placed);
    ck_assert(loop_until(event, &placed.done, 5000));
    ck_assert_ptr_nonnull(placed.error);
    printf("# %s\n", placed.error->message);
    ck_assert_int_eq(placement_populated(placement), 1);
    ck_assert(is_loaded(placement->unit));
    child_end(&second);
    end_and_release(placement, &first);
}
END_TEST

/* ---- many ------------------------------------------------------------------------------------ */

#define MANY 40

typedef struct Many {
    Child children[MANY];
    Placement *placements[MANY];
    Placed placed[MANY];
    char *ids[MANY];
} Many;

static void many_begin(Many *many)
{
    memset(many, 0, sizeof(*many));
    for (int i = 0; i < MANY; i++) {
        many->ids[i] = next_launch_id();
        const PlacementRequest request = request_for(realm, many->ids[i], NULL);

        many->children[i] = child_start(false);
        many->placements[i] = backend_prepare(resources, backend_by_name("scope"), &request, NULL);
        ck_assert(!backend_place(resources, many->placements[i], &request, many->children[i].pid,
                                 many->children[i].pidfd, on_placed, &many->placed[i]));
    }
}

/* The number that failed. */
static int many_finish(Many *many)
{
    int failed = 0;

    for (int i = 0; i < MANY; i++) {
        ck_assert_msg(loop_until(event, &many->placed[i].done, 25000), "%d is stuck", i);
        if (many->placed[i].error)
            printf("# %s\n", many->placed[i].error->message);
        else
            ck_assert_int_eq(placement_populated(many->placements[i]), 1);
        failed += many->placed[i].error != NULL;
    }
    return failed;
}

static void many_end(Many *many)
{
    for (int i = 0; i < MANY; i++) {
        end_and_release(many->placements[i], &many->children[i]);
        g_clear_error(&many->placed[i].error);
        g_free(many->ids[i]);
    }
}

START_TEST(forty_scopes_come_up_twelve_at_a_time)
{
    guint most = 0;
    Many many;

    many_begin(&many);
    while (g_hash_table_size(resources->placing) > 0) {
        ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        most = MAX(most, g_hash_table_size(resources->manager->in_flight));
    }
    ck_assert_uint_eq(most, MANAGER_JOBS_IN_FLIGHT);
    ck_assert_int_eq(many_finish(&many), 0);
    many_end(&many);
}
END_TEST

START_TEST(an_owner_with_many_scopes_gets_further_slices)
{
    Many many;

    resources->slice_scopes_max = 16;
    many_begin(&many);
    ck_assert_int_eq(many_finish(&many), 0);
    ck_assert_str_eq(many.placements[15]->slice, "constellation-4242.slice");
    ck_assert_str_eq(many.placements[16]->slice, "constellation-4242-s1.slice");
    ck_assert_str_eq(many.placements[39]->slice, "constellation-4242-s2.slice");
    ck_assert_ptr_nonnull(strstr(many.placements[39]->control_group,
                                 "/constellation.slice/constellation-4242.slice/"
                                 "constellation-4242-s2.slice/constellation-"));
    many_end(&many);
    ck_assert_uint_eq(g_hash_table_size(resources->slices), 0);
}
END_TEST

static void run_aside(const char *command)
{
    if (fork() != 0)
        return;
    (void)execl("/bin/sh", "sh", "-c", command, NULL);
    _exit(127);
}

START_TEST(nothing_is_lost_when_systemd_executes_itself_anew)
{
    Many many;

    for (int round = 0; round < 5; round++) {
        run_aside(user ? "systemctl --user daemon-reexec" : "systemctl daemon-reexec");
        loop_for(event, (unsigned)round * 10);
        many_begin(&many);
        ck_assert_int_eq(many_finish(&many), 0);
        many_end(&many);
        wait(NULL);
        loop_for(event, 500);
    }
}
END_TEST

START_TEST(nothing_is_lost_when_the_bus_is_restarted)
{
    int done = 0;
    Many many;

    if (user)
        return;
    loop_for(event, 200);
    many_begin(&many);
    run_aside("systemctl restart dbus");
    ck_assert_int_eq(many_finish(&many), 0);
    many_end(&many);
    for (int i = 0; i < 100 && !done; i++) {
        loop_for(event, 100);
        done = resources->manager->state == MANAGER_READY;
    }
    ck_assert(done);
    wait(NULL);
    loop_for(event, 1000);
    many_begin(&many);
    ck_assert_int_eq(many_finish(&many), 0);
    many_end(&many);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_job_that_takes_too_long_is_given_up_and_its_unit_stopped,
        a_property_that_is_not_known_is_left_out,
        a_name_in_use_is_an_error_and_its_unit_stays,
        forty_scopes_come_up_twelve_at_a_time,
        an_owner_with_many_scopes_gets_further_slices,
        nothing_is_lost_when_systemd_executes_itself_anew,
        nothing_is_lost_when_the_bus_is_restarted,
    };

    return scope_suite("systemd/manager", tests, G_N_ELEMENTS(tests));
}
