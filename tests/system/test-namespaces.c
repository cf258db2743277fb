/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Namespaces from the inside: the maps of a user namespace, a network of its own, a time namespace.
 * As root and as an ordinary user; wants root, and what the host cannot do is skipped with a word
 * why. */

#include "system/payload-status.h"

#include <errno.h>
#include <stdio.h>

#include "unit/suite.h"

/* ---- user namespaces ------------------------------------------------------------------------- */

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

START_TEST(a_privileged_launcher_maps_a_pair)
{
    Run *run = run_new_mapped(ID_MAP_PAIR);

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

START_TEST(a_pair_of_root_and_root_is_one_line)
{
    Run *run = run_new_mapped(ID_MAP_PAIR);

    run->request.uid = run->request.gid = 0;
    run->header.bounding = run->header.permitted = UINT64_MAX;
    run_step(run, STEP_CAPABILITIES, 0, NULL);
    assert_spawned(run);
    assert_line(run, "Uid:\t0\t0\t0\t0");
    assert_line(run, "         0          0          1");
    run_free(run);
}
END_TEST

START_TEST(an_unprivileged_launcher_cannot_map_a_pair)
{
    Run *run = run_new_mapped(ID_MAP_PAIR);
    struct LaunchReply reply;

    launcher_stop();
    launcher_start_as(SOMEBODY);
    if (!launcher_makes_user_namespaces())
        SKIP("an unprivileged process may not make user namespaces here");
    reply = run_spawn(run);
    ck_assert_uint_eq(reply.step, LAUNCH_STEP_ID_MAP);
    ck_assert_int_eq(reply.error, EPERM);
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
                a_privileged_launcher_maps_a_pair, a_pair_of_root_and_root_is_one_line,
                an_unprivileged_launcher_cannot_map_a_pair,
                the_loopback_device_of_a_network_of_its_own_is_up,
                an_ordinary_users_network_of_its_own_is_up_too,
                the_time_namespace_is_the_payloads_and_not_the_inits,
                a_payload_that_does_not_share_memory_still_says_what_failed)
