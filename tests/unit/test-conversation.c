/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The service's end of the conversation with an init, whose part the test plays. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "isolation/conversation.h"
#include "suite.h"
#include "util/event.h"
#include "util/fd.h"
#include "util/message.h"

static sd_event *event;
static Conversation *conversation;
static int init_end = -1;

/* What the callback was told last. */
static struct {
    unsigned calls;
    uint32_t type;
    struct WireMessage message;
    pid_t pid;
    uid_t uid;
    bool frees;
} said;

static void on_said(uint32_t type, const struct WireMessage *message, pid_t pid, uid_t uid,
                    void *userdata)
{
    ck_assert_ptr_eq(userdata, &said);
    said.calls++;
    said.type = type;
    if (message)
        said.message = *message;
    said.pid = pid;
    said.uid = uid;
    if (said.frees)
        g_clear_pointer(&conversation, conversation_free);
}

static void begin(void)
{
    memset(&said, 0, sizeof said);
    ck_assert_int_ge(sd_event_new(&event), 0);
    conversation = conversation_new(event, on_said, &said, &init_end, NULL);
    ck_assert_ptr_nonnull(conversation);
}

static void end(void)
{
    init_end = fd_close(init_end);
    g_clear_pointer(&conversation, conversation_free);
    event = sd_event_unref(event);
}

static void run(void)
{
    while (sd_event_run(event, 0) > 0)
        continue;
}

static void say(const void *data, size_t size, const int *fds, size_t n_fds)
{
    ck_assert_int_eq(message_send(init_end, data, size, fds, n_fds), 0);
    run();
}

static void say_message(uint32_t type)
{
    struct WireMessage message = {
        .type = type, .step = STEP_EXEC, .error = 2, .fatal = 1, .path = "/bin/x"
    };

    say(&message, sizeof message, NULL, 0);
}

START_TEST(a_fault_is_passed_on)
{
    say_message(WIRE_FAULT);
    ck_assert_uint_eq(said.type, WIRE_FAULT);
    ck_assert_uint_eq(said.message.step, STEP_EXEC);
    ck_assert_int_eq(said.message.error, 2);
    ck_assert_str_eq(said.message.path, "/bin/x");
}
END_TEST

START_TEST(who_speaks_is_the_kernels_word)
{
    say_message(WIRE_PAYLOAD);
    ck_assert_uint_eq(said.type, WIRE_PAYLOAD);
    ck_assert_int_eq(said.pid, getpid());
    ck_assert_uint_eq(said.uid, geteuid());
}
END_TEST

START_TEST(messages_come_in_order)
{
    const struct WireMessage first = { .type = WIRE_PAYLOAD }, second = { .type = WIRE_EXECUTED };

    ck_assert_int_eq(message_send(init_end, &first, sizeof first, NULL, 0), 0);
    ck_assert_int_eq(message_send(init_end, &second, sizeof second, NULL, 0), 0);
    run();
    ck_assert_uint_eq(said.calls, 2);
    ck_assert_uint_eq(said.type, WIRE_EXECUTED);
}
END_TEST

START_TEST(the_end_is_told_once)
{
    init_end = fd_close(init_end);
    run();
    run();
    ck_assert_uint_eq(said.calls, 1);
    ck_assert_uint_eq(said.type, 0);
}
END_TEST

START_TEST(what_was_said_before_the_end_comes_first)
{
    const struct WireMessage message = { .type = WIRE_EXECUTED };

    ck_assert_int_eq(message_send(init_end, &message, sizeof message, NULL, 0), 0);
    init_end = fd_close(init_end);
    ck_assert_int_gt(sd_event_run(event, 0), 0);
    ck_assert_uint_eq(said.type, WIRE_EXECUTED);
    run();
    ck_assert_uint_eq(said.type, 0);
    ck_assert_uint_eq(said.calls, 2);
}
END_TEST

START_TEST(what_makes_no_sense_is_dropped)
{
    static const uint32_t types[] = { 0, WIRE_PLAN, WIRE_GATE, 7, UINT32_MAX };
    struct WireMessage message = { .type = WIRE_FAULT };

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        say_message(types[i]);
    say(&message, sizeof message - 1, NULL, 0);
    say("x", 1, NULL, 0);
    say(&message, sizeof message, &(int){ STDERR_FILENO }, 1);
    memset(message.path, 'x', sizeof message.path);
    say(&message, sizeof message, NULL, 0);
    ck_assert_uint_eq(said.calls, 0);
    say_message(WIRE_EXECUTED);
    ck_assert_uint_eq(said.calls, 1);
}
END_TEST

START_TEST(the_callback_may_free_it)
{
    said.frees = true;
    say_message(WIRE_FAULT);
    ck_assert_ptr_null(conversation);
    ck_assert_uint_eq(said.calls, 1);
}
END_TEST

START_TEST(the_callback_may_free_it_at_the_end)
{
    said.frees = true;
    init_end = fd_close(init_end);
    run();
    ck_assert_ptr_null(conversation);
}
END_TEST

START_TEST(the_plan_comes_with_its_descriptors)
{
    auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct WireMessage message;
    Received received;

    ck_assert(conversation_send_plan(conversation, null, null, (const int[]){ null, null, null },
                                     NULL, NULL));
    ck_assert_int_eq(message_receive(init_end, &message, sizeof message, &received), 0);
    ck_assert_uint_eq(message.type, WIRE_PLAN);
    ck_assert_uint_eq(received.n_fds, 5);
    received_done(&received);
}
END_TEST

START_TEST(the_gate_comes_with_a_cgroup_or_without)
{
    auto_fd directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int cgroups[] = { -1, directory };
    struct WireMessage message;
    Received received;

    for (size_t i = 0; i < G_N_ELEMENTS(cgroups); i++) {
        ck_assert(conversation_open_gate(conversation, cgroups[i], NULL));
        ck_assert_int_eq(message_receive(init_end, &message, sizeof message, &received), 0);
        ck_assert_uint_eq(message.type, WIRE_GATE);
        ck_assert_uint_eq(received.n_fds, i);
        received_done(&received);
    }
}
END_TEST

START_TEST(nobody_to_talk_to_is_an_error)
{
    g_autoptr(GError) error = NULL;

    init_end = fd_close(init_end);
    ck_assert(!conversation_open_gate(conversation, -1, &error));
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_SPAWN_FAILED);
}
END_TEST

SUITE_MAIN_WITH("isolation/conversation", begin, end, a_fault_is_passed_on,
                who_speaks_is_the_kernels_word, messages_come_in_order, the_end_is_told_once,
                what_was_said_before_the_end_comes_first, what_makes_no_sense_is_dropped,
                the_callback_may_free_it, the_callback_may_free_it_at_the_end,
                the_plan_comes_with_its_descriptors, the_gate_comes_with_a_cgroup_or_without,
                nobody_to_talk_to_is_an_error)
