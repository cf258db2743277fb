/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/socket.h>

#include "isolation/conversation.h"
#include "util/event.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/message.h"

struct Conversation {
    int socket;
    sd_event_source *source;
    ConversationCallback callback;
    void *userdata;
};

static bool message_is_sound(const struct WireMessage *message, const Received *received)
{
    return received->size == sizeof *message && received->n_fds == 0 &&
           (message->type == WIRE_FAULT || message->type == WIRE_PAYLOAD ||
            message->type == WIRE_EXECUTED || message->type == WIRE_WAITING) &&
           memchr(message->path, '\0', sizeof message->path) != NULL;
}

static int on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Conversation *conversation = userdata;
    struct WireMessage message;
    Received received;

    (void)source;
    (void)revents;
    int r = message_receive(fd, &message, sizeof message, &received);
    if (r == -EAGAIN)
        return 0;
    if (r < 0 || received.size == 0) {
        sd_event_source_set_enabled(conversation->source, SD_EVENT_OFF);
        conversation->callback(0, NULL, 0, (uid_t)-1, conversation->userdata);
        return 0;
    }
    /* The payload's process, with the payload's rights, can write here until its exec: whatever
     * makes no sense is dropped, and what makes sense can only be about itself. */
    if (!message_is_sound(&message, &received)) {
        received_done(&received);
        log_warning("init: a message that makes no sense was ignored");
        return 0;
    }
    conversation->callback(message.type, &message, received.has_creds ? received.creds.pid : 0,
                           received.has_creds ? received.creds.uid : (uid_t)-1,
                           conversation->userdata);
    return 0;
}

Conversation *conversation_new(sd_event *event, ConversationCallback callback, void *userdata,
                               int *ret_init_end, GError **error)
{
    static const int on = 1;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, errno, "socket to the init");
        return NULL;
    }
    auto_fd ours = pair[0], theirs = pair[1];
    Conversation *conversation = g_new0(Conversation, 1);
    conversation->callback = callback;
    conversation->userdata = userdata;
    int r = setsockopt(ours, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ? -errno : 0;
    if (r == 0)
        r = sd_event_add_io(event, &conversation->source, ours, EPOLLIN, on_socket, conversation);
    if (r < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, r, "socket to the init");
        g_free(conversation);
        return NULL;
    }
    conversation->socket = fd_steal(&ours);
    *ret_init_end = fd_steal(&theirs);
    return conversation;
}

void conversation_free(Conversation *conversation)
{
    if (!conversation)
        return;
    sd_event_source_disable_unref(conversation->source);
    fd_close(conversation->socket);
    g_free(conversation);
}

bool conversation_send_plan(Conversation *conversation, int plan_fd, int record_fd,
                            const int stdio[static 3], const int log[2], GError **error)
{
    const struct WireMessage message = { .type = WIRE_PLAN };
    const int fds[] = { plan_fd,  record_fd,         stdio[0],         stdio[1],
                        stdio[2], log ? log[0] : -1, log ? log[1] : -1 };

    int r = message_send(conversation->socket, &message, sizeof message, fds,
                         log ? G_N_ELEMENTS(fds) : G_N_ELEMENTS(fds) - 2);
    return r == 0 ||
           error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, r, "sending the plan");
}

bool conversation_open_gate(Conversation *conversation, int cgroup_fd, GError **error)
{
    const struct WireMessage message = { .type = WIRE_GATE };

    int r = message_send(conversation->socket, &message, sizeof message, &cgroup_fd,
                         cgroup_fd >= 0 ? 1 : 0);
    return r == 0 ||
           error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, r, "opening the gate");
}
