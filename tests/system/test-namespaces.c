/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Namespaces from the inside: the maps of a user namespace, a network of its own, a time namespace.
 * As root and as an ordinary user; wants root, and what the host cannot do is skipped with a word
 * why. */

#include "system/payload-status.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "unit/suite.h"

/* ---- user namespaces ------------------------------------------------------------------------- */

/* The pieces of its two maps are up to the test if it is to be ID_MAP_RANGES. */
static Run *run_new_mapped(uint32_t id_map)
{
    Run *run = run_new((const char *const[]){ "/bin/cat", "/proc/self/status", "/proc/self/uid_map",
                                              "/proc/self/gid_map", NULL });

    run->request.namespaces |= CLONE_NEWUSER;
    run->request.id_map = id_map;
    run->request.uid = run->request.gid = SOMEBODY;
    return run;
}

static void assert_spawned(Run *run)
{
    struct LaunchReply reply = run_spawn(run);

    ck_assert_msg(reply.error == 0, "step %u: %s", reply.step, strerror(reply.error));
    run_send_plan(run);
    run_open_gate(run);
    ck_assert_int_eq(run_wait(run), 0);
}

static bool launcher_makes_user_namespaces(void)
{
    struct LaunchRequest request = launch_request(LAUNCH_PROBE);

    return launcher_call(&request, NULL, 0, NULL).refused[NAMESPACE_USER] == 0;
}

START_TEST(an_unprivileged_launcher_maps_its_own_id)
{
    Run *run = run_new_mapped(ID_MAP_SINGLE);

    launcher_stop();
    launcher_start_as(SOMEBODY);
    if (!launcher_makes_user_namespaces())
        SKIP("an unprivileged process may not make user namespaces here");
    run_step(run, STEP_HOSTNAME, 0, "inside");
    run_step(run, STEP_CAPABILITIES, 0, NULL);
    run_step(run, STEP_PAYLOAD_OOM_SCORE, 1100, NULL);
    assert_spawned(run);
    assert_line(run, "Uid:\t1000\t1000\t1000\t1000");
    assert_line(run, "      1000       1000          1");
    assert_no_capabilities(run);
    run_free(run);
}
END_TEST

START_TEST(an_unprivileged_launcher_starts_without_namespaces_too)
{
    Run *run = run_new_status();

    launcher_stop();
    launcher_start_as(SOMEBODY);
    run_without_namespaces(run);
    run_step(run, STEP_CAPABILITIES, 0, NULL);
    ck_assert_int_eq(run_complete(run), 0);
    assert_line(run, "CapEff:\t" NO_CAPABILITIES);
    assert_line(run, "CapPrm:\t" NO_CAPABILITIES);
    run_free(run);
}
END_TEST

static const struct IdMap pair = { 2, { { 0, 0, 1 }, { SOMEBODY, SOMEBODY, 1 } } };
static const struct IdMap range = {
    3, { { 0, 100000, SOMEBODY }, { SOMEBODY, SOMEBODY, 1 }, { SOMEBODY + 1, 101000, 64535 } }
};

static Run *run_new_ranges(struct IdMap map)
{
    Run *run = run_new_mapped(ID_MAP_RANGES);

    run->request.uids = run->request.gids = map;
    return run;
}

START_TEST(a_privileged_launcher_maps_a_pair)
{
    Run *run = run_new_ranges(pair);

    run_as(run, SOMEBODY, SOMEBODY);
    assert_spawned(run);
    assert_line(run, "Uid:\t1000\t1000\t1000\t1000");
    assert_line(run, "Groups:\t ");
    assert_line(run, "         0          0          1");
    assert_line(run, "      1000       1000          1");
    assert_no_capabilities(run);
    run_free(run);
}
END_TEST

START_TEST(a_privileged_launcher_maps_a_range)
{
    Run *run = run_new_ranges(range);

    run_as(run, SOMEBODY, SOMEBODY);
    assert_spawned(run);
    assert_line(run, "Uid:\t1000\t1000\t1000\t1000");
    assert_line(run, "         0     100000       1000");
    assert_line(run, "      1000       1000          1");
    assert_line(run, "      1001     101000      64535");
    assert_no_capabilities(run);
    run_free(run);
}
END_TEST

START_TEST(the_root_of_a_range_is_nobody_outside_and_the_kernel_attests_it)
{
    Run *run = run_new_ranges(range);

    run_step(run, STEP_CAPABILITIES, 0, NULL);
    run_step(run, STEP_UID, 0, NULL);
    run_step(run, STEP_GID, 0, NULL);
    ck_assert_int_eq(run_spawn(run).error, 0);
    run_send_plan(run);
    run_open_gate(run);
    ck_assert_uint_eq(run_receive(run), WIRE_PAYLOAD);
    ck_assert_uint_eq(run->sender.uid, 100000);
    ck_assert_uint_eq(run->sender.gid, 100000);
    ck_assert_int_eq(run_wait(run), 0);
    assert_line(run, "Uid:\t0\t0\t0\t0");
    run_free(run);
}
END_TEST

/* The init's real uid is root's, so that root may signal it; nothing else of it may be his. */
START_TEST(the_root_of_a_range_cannot_look_into_the_init_or_become_it)
{
    Run *run = run_new_shell(
        "for i in mem maps fd environ root/etc cwd/etc; do"
        "  cat /proc/1/$i > /dev/null 2>&1 && echo read $i; ls /proc/1/$i/ 2>&1 | grep -v denied;"
        "done; readlink /proc/1/exe; grep ^Uid /proc/1/status;"
        "strace -p 1 2>&1 | grep -i -m1 attach; grep CapEff /proc/self/status");

    run->request.namespaces |= CLONE_NEWUSER;
    run->request.id_map = ID_MAP_RANGES;
    run->request.uids = run->request.gids = range;
    run->header.bounding = run->header.permitted = UINT64_MAX >> 23; /* 41 of them */
    run_step(run, STEP_CAPABILITIES, 0, NULL);
    run_step(run, STEP_GID, 0, NULL);
    run_step(run, STEP_UID, 0, NULL);
    assert_spawned(run);
    ck_assert_ptr_null(strstr(run_output(run), "read "));
    ck_assert_ptr_null(strstr(run_output(run), "constellation-init"));
    assert_line(run, "Uid:\t65534\t0\t0\t0");
    ck_assert_ptr_null(strstr(run_output(run), "CapEff:\t0000000000000000"));
    run_free(run);
}
END_TEST

START_TEST(the_init_of_a_range_obeys_and_ends_like_any_other)
{
    Run *run = run_new_shell("trap 'exit 9' USR1; while :; do sleep 0.01; done");

    run->request.namespaces |= CLONE_NEWUSER;
    run->request.id_map = ID_MAP_RANGES;
    run->request.uids = run->request.gids = range;
    run_start(run);
    (void)poll(NULL, 0, 100);
    run_signal(run, WIRE_SIGNAL_BASE + SIGUSR1);
    ck_assert_int_eq(run_wait(run), 9);
    ck_assert_uint_eq(run_record(run).phase, RECORD_ENDED);
    run_free(run);
}
END_TEST

START_TEST(a_pair_of_root_and_root_is_one_line)
{
    Run *run = run_new_ranges((struct IdMap){ 1, { { 0, 0, 1 } } });

    run->request.uid = run->request.gid = 0;
    run->header.bounding = run->header.permitted = UINT64_MAX;
    run_step(run, STEP_CAPABILITIES, 0, NULL);
    assert_spawned(run);
    assert_line(run, "Uid:\t0\t0\t0\t0");
    assert_line(run, "         0          0          1");
    run_free(run);
}
END_TEST

START_TEST(an_unprivileged_launcher_calls_its_user_root)
{
    Run *run = run_new_mapped(ID_MAP_SINGLE);

    launcher_stop();
    launcher_start_as(SOMEBODY);
    if (!launcher_makes_user_namespaces())
        SKIP("an unprivileged process may not make user namespaces here");
    run->request.uid = run->request.gid = 0;
    run_step(run, STEP_CAPABILITIES, 0, NULL);
    assert_spawned(run);
    assert_line(run, "Uid:\t0\t0\t0\t0");
    assert_line(run, "         0       1000          1");
    run_free(run);
}
END_TEST

START_TEST(an_unprivileged_launcher_cannot_map_a_pair)
{
    Run *run = run_new_ranges(pair);
    struct LaunchReply reply;

    launcher_stop();
    launcher_start_as(SOMEBODY);
    if (!launcher_makes_user_namespaces())
        SKIP("an unprivileged process may not make user namespaces here");
    reply = run_spawn(run);
    ck_assert_uint_eq(reply.step, LAUNCH_STEP_ID_HELPER);
    ck_assert_int_eq(reply.error, access("/usr/bin/newuidmap", X_OK) == 0 ? EPERM : ENOENT);
    ck_assert_int_eq(run->pidfd, -1);
    run_free(run);
}
END_TEST

START_TEST(the_loopback_device_of_a_network_of_its_own_is_up)
{
    Run *run = run_new_shell("cat /proc/net/route /proc/net/dev | grep -c :;"
                             "read -r flags < /proc/net/if_inet6; echo $flags");

    run->request.namespaces |= CLONE_NEWNET;
    run_step(run, STEP_LOOPBACK, 0, NULL);
    ck_assert_int_eq(run_complete(run), 0);
    assert_line(run, "1");
    assert_line(run, "00000000000000000000000000000001 01 80 10 80 lo");
    run_free(run);
}
END_TEST

START_TEST(an_ordinary_users_network_of_its_own_is_up_too)
{
    Run *run = run_new_mapped(ID_MAP_SINGLE);

    launcher_stop();
    launcher_start_as(SOMEBODY);
    if (!launcher_makes_user_namespaces())
        SKIP("an unprivileged process may not make user namespaces here");
    run->request.namespaces |= CLONE_NEWNET;
    run_step(run, STEP_LOOPBACK, 0, NULL);
    run_step(run, STEP_CAPABILITIES, 0, NULL);
    assert_spawned(run);
    run_free(run);
}
END_TEST

START_TEST(the_time_namespace_is_the_payloads_and_not_the_inits)
{
    Run *run = run_new_shell("readlink /proc/1/ns/time /proc/self/ns/time | sort -u | wc -l");

    run_step(run, STEP_TIME_NAMESPACE, 0, NULL);
    ck_assert_int_eq(run_complete(run), 0);
    assert_line(run, "2");
    run_free(run);
}
END_TEST

START_TEST(a_payload_that_does_not_share_memory_still_says_what_failed)
{
    Run *run = run_new((const char *const[]){ "/nonexistent", NULL });

    run_step(run, STEP_TIME_NAMESPACE, 0, NULL);
    run_start_in_vain(run);
    ck_assert_uint_eq(run->message.step, STEP_EXEC);
    ck_assert_int_eq(run->message.error, ENOENT);
    ck_assert_str_eq(run->message.path, "/nonexistent");
    run_free(run);
}
END_TEST

SUITE_MAIN_WITH("system/namespaces", launcher_start, launcher_stop,
                an_unprivileged_launcher_maps_its_own_id,
                an_unprivileged_launcher_starts_without_namespaces_too,
                a_privileged_launcher_maps_a_pair, a_privileged_launcher_maps_a_range,
                the_root_of_a_range_is_nobody_outside_and_the_kernel_attests_it,
                the_root_of_a_range_cannot_look_into_the_init_or_become_it,
                the_init_of_a_range_obeys_and_ends_like_any_other,
                a_pair_of_root_and_root_is_one_line, an_unprivileged_launcher_calls_its_user_root,
                an_unprivileged_launcher_cannot_map_a_pair,
                the_loopback_device_of_a_network_of_its_own_is_up,
                an_ordinary_users_network_of_its_own_is_up_too,
                the_time_namespace_is_the_payloads_and_not_the_inits,
                a_payload_that_does_not_share_memory_still_says_what_failed)
