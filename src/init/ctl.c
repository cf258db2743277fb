/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The talk with constellationd, until the payload runs. Its end of the socket is the only thing
 * that can open the gate, so that a constellationd that dies leaves no half start behind. */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "init/init.h"

int ctl_wait(const struct Init *init, uint32_t type, Received *ret)
{
    struct pollfd polled[] = { { .fd = init->ctl, .events = POLLIN },
                               { .fd = init->signals, .events = POLLIN } };
    struct WireMessage message;
    struct Signal signal;
    int r = -EAGAIN;

    while (r == -EAGAIN) {
        (void)poll(polled, 2, -1);
        while (signals_poll(init, &signal))
            if (signal_is_stop(init, &signal))
                _exit(EXIT_NOT_STARTED);
        r = message_receive(init->ctl, &message, sizeof message, ret);
    }
    if (r < 0 && r != -EBADMSG)
        _exit(EXIT_NOT_STARTED);
    if (r == 0 && ret->size == 0)
        _exit(EXIT_NOT_STARTED);
    return r == 0 && ret->size == sizeof message && message.type == type ? 0 : EBADMSG;
}

/* Nobody waits for us to be heard: a full or dead socket is no reason not to go on. */
void ctl_send(const struct Init *init, const struct WireMessage *message)
{
    (void)message_send(init->ctl, message, sizeof *message, NULL, 0);
}

void ctl_send_fault(const struct Init *init, uint32_t step, int error, bool fatal, const char *path)
{
    struct WireMessage message = {
        .type = WIRE_FAULT, .step = step, .error = error, .fatal = fatal
    };

    if (path != NULL)
        (void)strncpy(message.path, path, sizeof message.path - 1);
    ctl_send(init, &message);
}

/* A socket that is closed with messages unread gives the other end ECONNRESET before what we have
 * said. */
static void hang_up(const struct Init *init)
{
    struct WireMessage unread;
    Received received;

    (void)shutdown(init->ctl, SHUT_RD);
    while (message_receive(init->ctl, &unread, sizeof unread, &received) == 0 && received.size > 0)
        received_done(&received);
}

_Noreturn void ctl_give_up(const struct Init *init, uint32_t step, int error, const char *path)
{
    record_fault(init, step, error, path);
    ctl_send_fault(init, step, error, true, path);
    hang_up(init);
    _exit(EXIT_NOT_STARTED);
}
