/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rungs "cgroup" and "monitor" on the kernel that is running, without systemd: everything is
 * made below constellation-test<pid> in this process's cgroup, and nothing of it is left. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/suite.h"
#include "system/placing-harness.h"
#include "resources/cgroupfs.h"
#include "resources/usage.h"
#include "util/fd.h"
#include "util/procfs.h"

static sd_event *event;
static Resources *resources;
static char *realm, *mount; /* of the whole program */

static char *base_path(void)
{
    g_autofree char *own = NULL;
    int r = procfs_cgroup(getpid(), &own);

    g_assert(r == 0);
    return g_strdup_printf("%s/constellation-%s", g_str_equal(own, "/") ? "" : own, realm);
}

/* What a test that failed has left. */
static void wipe(void)
{
    g_autofree char *base = base_path();
    auto_fd root = cgroup_open(mount, ""), fd = cgroup_open(mount, base);

    if (fd < 0)
        return;
    (void)cgroup_write(fd, "cgroup.kill", "1");
    for (int i = 0; cgroup_remove(root, base + 1) == -EBUSY && i < 100; i++)
        (void)usleep(10 * 1000);
}

static void set_up(void)
{
    wipe();
    ck_assert_int_ge(sd_event_new(&event), 0);
    resources = resources_new(
        &(ResourcesOptions){ .event = event, .realm = realm, .no_systemd = true });
}

/* Every test leaves nothing. */
static void tear_down(void)
{
    g_autofree char *base = base_path();

    resources_free(resources);
    ck_assert_msg(!path_exists(mount, base), "%s%s is left", mount, base);
    sd_event_unref(event);
}

static Placement *prepare(const char *rung, const Limits *limits)
{
    g_autofree char *id = next_launch_id();
    const PlacementRequest request = request_for(realm, id, limits);
    g_autoptr(GError) error = NULL;
    Placement *placement = backend_prepare(resources, backend_by_name(rung), &request, &error);

    ck_assert_msg(placement, "%s", error ? error->message : "");
    return placement;
}

static Placement *place_child(const char *rung, const Child *child)
{
    g_autofree char *id = next_launch_id();
    const PlacementRequest request = request_for(realm, id, NULL);
    g_autoptr(GError) error = NULL;
    Placement *placement = place(resources, event, rung, &request, child, &error);

    ck_assert_msg(placement, "%s", error ? error->message : "");
    return placement;
}

static void release(Placement *placement)
{
    g_autofree char *path = g_strdup(placement->control_group);

    backend_release(resources, placement);
    for (int i = 0; path && path_exists(mount, path) && i < 100; i++)
        loop_for(event, 20);
    ck_assert_msg(!path || !path_exists(mount, path), "%s is left", path);
}

START_TEST(the_best_rung_without_systemd_is_the_cgroup)
{
    g_autofree char *reason = NULL;
    const Backend *backend = backend_choose(resources, BACKEND_AUTO, 0, &reason, NULL);

    ck_assert_str_eq(backend_name(backend), "cgroup");
    ck_assert_str_eq(reason, "scope: the service was told to do without systemd");
}
END_TEST

START_TEST(a_rung_that_failed_is_passed_over)
{
    g_autofree char *reason = NULL;
    const Backend *backend = backend_choose(resources, BACKEND_AUTO, 1u << BACKEND_CGROUP, &reason,
                                            NULL);

    ck_assert_str_eq(backend_name(backend), "monitor");
    ck_assert_ptr_nonnull(strstr(reason, "; cgroup: "));
}
END_TEST

START_TEST(a_rung_that_is_wanted_and_cannot_be_had_is_an_error)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(backend_choose(resources, BACKEND_SCOPE, 0, NULL, &error));
    ck_assert(g_error_matches(error, CONSTELLATION_ERROR, CONSTELLATION_ERROR_NOT_SUPPORTED));
}
END_TEST

START_TEST(a_process_can_be_born_in_its_cgroup)
{
    g_autofree char *id = next_launch_id();
    const PlacementRequest request = request_for(realm, id, NULL);
    Placement *placement = backend_prepare(resources, backend_by_name("cgroup"), &request, NULL);
    Child child = child_start_in(placement->cgroup_fd);
    g_autofree char *actual = NULL;

    ck_assert(backend_place(resources, placement, &request, child.pid, child.pidfd, NULL, NULL));
    ck_assert_int_eq(procfs_cgroup(child.pid, &actual), 0);
    ck_assert_str_eq(actual, placement->control_group);
    ck_assert_int_eq(placement_populated(placement), 1);
    child_end(&child);
    ck_assert_int_eq(placement_populated(placement), 0);
    release(placement);
}
END_TEST

START_TEST(a_process_born_elsewhere_is_moved)
{
    Child child = child_start(false);
    Placement *placement = place_child("cgroup", &child);
    g_autofree char *actual = NULL;

    ck_assert_int_eq(procfs_cgroup(child.pid, &actual), 0);
    ck_assert_str_eq(actual, placement->control_group);
    child_end(&child);
    release(placement);
}
END_TEST

START_TEST(a_dead_process_is_an_error_that_comes_later)
{
    g_autofree char *id = next_launch_id();
    const PlacementRequest request = request_for(realm, id, NULL);
    g_autoptr(GError) error = NULL;
    Child child = child_start(false);

    kill(child.pid, SIGKILL);
    waitpid(child.pid, NULL, 0);
    ck_assert_ptr_null(place(resources, event, "cgroup", &request, &child, &error));
    ck_assert(g_error_matches(error, CONSTELLATION_ERROR, CONSTELLATION_ERROR_CGROUP_FAILED));
    fd_close(child.pidfd);
}
END_TEST

START_TEST(an_abandoned_placing_says_nothing)
{
    g_autofree char *id = next_launch_id();
    const PlacementRequest request = request_for(realm, id, NULL);
    Placement *placement = backend_prepare(resources, backend_by_name("cgroup"), &request, NULL);
    Placed placed = { 0 };

    ck_assert(!backend_place(resources, placement, &request, 0x7fffffff, -1, on_placed, &placed));
    backend_abandon(resources, placement);
    loop_for(event, 50);
    ck_assert(!placed.done);
    release(placement);
}
END_TEST

START_TEST(kill_ends_all_processes)
{
    Child child = child_start(false);
    Placement *placement = place_child("cgroup", &child);
    g_autoptr(GArray) pids = NULL;

    child_fork_more(&child, 3);
    pids = usage_processes(placement, child.pid);
    ck_assert_uint_eq(pids->len, 4);
    ck_assert_int_eq(g_array_index(pids, pid_t, 0), child.pid);
    ck_assert_int_eq(placement_kill(placement), 0);
    ck_assert(child_has_ended(&child));
    child_end(&child);
    for (int i = 0; placement_populated(placement) != 0 && i < 100; i++)
        loop_for(event, 10);
    ck_assert_int_eq(placement_populated(placement), 0);
    release(placement);
}
END_TEST

START_TEST(what_is_gone_can_be_killed_and_is_empty)
{
    Placement *placement = prepare("cgroup", NULL);
    g_autofree char *path = g_strconcat(mount, placement->control_group, NULL);

    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(placement_kill(placement), 0);
    ck_assert_int_eq(placement_freeze(placement, true), 0);
    ck_assert_int_eq(placement_populated(placement), 0);
    release(placement);
}
END_TEST

START_TEST(a_frozen_process_uses_no_time)
{
    Child child = child_start(true);
    Placement *placement = place_child("cgroup", &child);
    Usage before, after;

    ck_assert_int_eq(placement_freeze(placement, true), 0);
    loop_for(event, 50);
    usage_read(placement, child.pid, &before);
    loop_for(event, 100);
    usage_read(placement, child.pid, &after);
    ck_assert_uint_eq(before.cpu_usec, after.cpu_usec);
    ck_assert_int_eq(placement_freeze(placement, false), 0);
    child_end(&child);
    release(placement);
}
END_TEST

START_TEST(release_removes_a_cgroup_that_is_not_empty)
{
    Child child = child_start(false);
    Placement *placement = place_child("cgroup", &child);
    auto_fd below = cgroup_make(placement->cgroup_fd, "made-inside");

    ck_assert_int_ge(below, 0);
    child_fork_more(&child, 2);
    release(placement);
    ck_assert(child_has_ended(&child));
    child_end(&child);
}
END_TEST

static void check_spinning(const char *rung)
{
    Child child = child_start(true);
    Placement *placement = place_child(rung, &child);
    Usage usage;

    loop_for(event, 300);
    usage_read(placement, child.pid, &usage);
    ck_assert_uint_ge(usage.cpu_usec, 30000);
    ck_assert_uint_le(usage.cpu_usec, 3000000);
    ck_assert_uint_eq(usage.tasks, 1);
    ck_assert_uint_ge(usage.memory_current, 4096);
    ck_assert_uint_lt(usage.memory_current, 1u << 30);
    child_end(&child);
    release(placement);
}

START_TEST(usage_of_a_cgroup_is_measured)
{
    check_spinning("cgroup");
}
END_TEST

START_TEST(usage_without_cgroup_is_measured)
{
    check_spinning("monitor");
}
END_TEST

START_TEST(usage_of_what_is_gone_is_unknown)
{
    Placement *placement = prepare("monitor", NULL);
    Usage usage;

    usage_read(placement, 0x7fffffff, &usage);
    ck_assert_str_eq(usage.source, "proc");
    ck_assert(usage.cpu_usec == USAGE_UNKNOWN && usage.tasks == USAGE_UNKNOWN);
    release(placement);
}
END_TEST

START_TEST(without_cgroup_the_tree_of_processes_is_walked)
{
    Child child = child_start(false);
    Placement *placement = place_child("monitor", &child);
    g_autoptr(GArray) pids = NULL;

    child_fork_more(&child, 2);
    pids = usage_processes(placement, child.pid);
    ck_assert_uint_eq(pids->len, 3);
    ck_assert_int_eq(placement_kill(placement), -EOPNOTSUPP);
    ck_assert_int_eq(placement_populated(placement), -EOPNOTSUPP);
    for (guint i = 1; i < pids->len; i++)
        kill(g_array_index(pids, pid_t, i), SIGKILL);
    child_end(&child);
    release(placement);
}
END_TEST

static const Limits all_limits = {
    .set = { true, true, true, true, true, true },
    .value = { 333333, 50, 64u << 20, (32u << 20) + 1, 8u << 20, 20 },
};

/* Whatever controllers this host has: a limit is enforced if and only if its file says so, what is
 * not has a reason, and the prediction was right. */
START_TEST(limits_are_enforced_or_refused_with_a_reason)
{
    Placement *placement = prepare("cgroup", &all_limits);
    g_autoptr(GPtrArray) rows = placement_enforced(resources, placement, &all_limits);
    g_autoptr(GPtrArray)
        predicted = backend_predict(resources, backend_by_name("cgroup"), &all_limits);

    ck_assert_uint_eq(rows->len, _LIMIT_COUNT);
    for (guint i = 0; i < rows->len; i++) {
        const Enforced *row = rows->pdata[i], *before = predicted->pdata[i];

        ck_assert_msg(row->enforced == (*row->value != '\0'), "%s", row->limit);
        ck_assert_msg(row->enforced || *row->reason, "%s", row->limit);
        ck_assert_msg(row->enforced == before->enforced, "%s: %s", row->limit, before->reason);
        ck_assert_str_eq(row->limit, before->limit);
    }
    release(placement);
}
END_TEST

START_TEST(without_cgroup_no_limit_is_enforced)
{
    Placement *placement = prepare("monitor", &all_limits);
    g_autoptr(GPtrArray) rows = placement_enforced(resources, placement, &all_limits);

    for (guint i = 0; i < rows->len; i++) {
        const Enforced *row = rows->pdata[i];
        ck_assert_msg(!row->enforced && *row->reason, "%s", row->limit);
    }
    release(placement);
}
END_TEST

START_TEST(a_living_process_is_adopted_where_it_is)
{
    Child child = child_start(false);
    Placement *placement = place_child("cgroup", &child);
    g_autofree char *launch_id = g_path_get_basename(placement->control_group);
    Placement *adopted = backend_adopt(resources, placement, launch_id, child.pid, "", NULL);

    ck_assert_str_eq(backend_name(adopted->backend), "cgroup");
    ck_assert_str_eq(adopted->control_group, placement->control_group);
    ck_assert_int_eq(placement_populated(adopted), 1);
    placement_free(adopted);
    child_end(&child);
    release(placement);
}
END_TEST

START_TEST(a_process_in_a_strange_cgroup_is_only_watched)
{
    Child child = child_start(false);
    Placement *adopted = backend_adopt(resources, NULL, "i1", child.pid, "", NULL);

    ck_assert_str_eq(backend_name(adopted->backend), "monitor");
    ck_assert_int_eq(adopted->cgroup_fd, -1);
    placement_free(adopted);
    child_end(&child);
}
END_TEST

START_TEST(the_sweep_takes_only_what_is_empty_and_not_kept)
{
    g_autoptr(GHashTable) keep = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Placement *kept = prepare("cgroup", NULL), *left = prepare("cgroup", NULL);
    Child child = child_start(false);
    Placement *living = place_child("cgroup", &child);

    g_hash_table_add(keep, g_path_get_basename(kept->control_group));
    resources_sweep(resources, keep);
    ck_assert(path_exists(mount, kept->control_group));
    ck_assert(path_exists(mount, living->control_group));
    ck_assert(!path_exists(mount, left->control_group));
    child_end(&child);
    release(kept);
    release(left);
    release(living);
}
END_TEST

static const char *why_not(void)
{
    if (geteuid() != 0)
        return "not root";
    if (procfs_cgroup2_mount(&mount) < 0)
        return "no cgroup2 mount";
    if (access("/run/systemd/system", F_OK) == 0)
        return "systemd keeps the cgroups of this host (test-scope is for such)";
    return access(mount, W_OK) == 0 ? NULL : "the cgroup2 mount cannot be written to";
}

int main(void)
{
    const TTest *const tests[] = {
        the_best_rung_without_systemd_is_the_cgroup,
        a_rung_that_failed_is_passed_over,
        a_rung_that_is_wanted_and_cannot_be_had_is_an_error,
        a_process_can_be_born_in_its_cgroup,
        a_process_born_elsewhere_is_moved,
        a_dead_process_is_an_error_that_comes_later,
        an_abandoned_placing_says_nothing,
        kill_ends_all_processes,
        what_is_gone_can_be_killed_and_is_empty,
        a_frozen_process_uses_no_time,
        release_removes_a_cgroup_that_is_not_empty,
        usage_of_a_cgroup_is_measured,
        usage_without_cgroup_is_measured,
        usage_of_what_is_gone_is_unknown,
        without_cgroup_the_tree_of_processes_is_walked,
        limits_are_enforced_or_refused_with_a_reason,
        without_cgroup_no_limit_is_enforced,
        a_living_process_is_adopted_where_it_is,
        a_process_in_a_strange_cgroup_is_only_watched,
        the_sweep_takes_only_what_is_empty_and_not_kept,
    };
    const char *reason = why_not();
    int result;

    if (reason) {
        printf("1..0 # SKIP %s\n", reason);
        return EXIT_SUCCESS;
    }
    realm = g_strdup_printf("test%d", getpid());
    result = suite_run("resources/cgroup", set_up, tear_down, tests, G_N_ELEMENTS(tests));
    wipe();
    return result;
}
