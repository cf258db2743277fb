/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* constellationd's end of the socket to one init: the plan and the gate go in, faults and the
 * success of the exec come out. It ends when the payload runs. */

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "isolation/wire.h"
#include "util/error.h"

typedef struct Conversation Conversation;

/* `type` is WIRE_FAULT (message set), WIRE_PAYLOAD (pid and uid as the kernel attested them),
 * WIRE_EXECUTED, or 0: the init closed its end. The callback may free the conversation. */
typedef void (*ConversationCallback)(uint32_t type, const struct WireMessage *message, pid_t pid,
                                     uid_t uid, void *userdata);

/* *ret_init_end is the init's end, the caller's to pass on and close. */
Conversation *conversation_new(sd_event *event, ConversationCallback callback, void *userdata,
                               int *ret_init_end, GError **error);
void conversation_free(Conversation *conversation);

/* The fds stay the caller's. `log` is the log and the end of its pipe to be read, or NULL. */
bool conversation_send_plan(Conversation *conversation, int plan_fd, int record_fd,
                            const int stdio[static 3], const int log[2], GError **error);

/* cgroup_fd may be -1. */
bool conversation_open_gate(Conversation *conversation, int cgroup_fd, GError **error);
