/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/errors.h"
#include "bus/face.h"
#include "bus/reply.h"
#include "util/log.h"

struct Reply {
    sd_bus_message *message;
    ReplyKind kind;
};

Reply *reply_park(sd_bus_message *message, ReplyKind kind)
{
    Reply *reply = g_new0(Reply, 1);

    reply->message = sd_bus_message_ref(message);
    reply->kind = kind;
    return reply;
}

void reply_drop(Reply *reply)
{
    sd_bus_message_unref(reply->message);
    g_free(reply);
}

void reply_waiter(Instance *instance, const GError *error, void *userdata)
{
    Reply *reply = userdata;
    int r;

    if (error) {
        r = sd_bus_reply_method_errorf(reply->message, bus_error_name(error), "%s", error->message);
    } else if (reply->kind == REPLY_PATH) {
        g_autofree char *path = instance_path(instance);
        r = sd_bus_reply_method_return(reply->message, "o", path);
    } else {
        r = sd_bus_reply_method_return(reply->message, NULL);
    }
    /* The caller may be gone: what was asked for has happened all the same. */
    if (r < 0)
        log_debug("bus: an answer was not sent: %s", g_strerror(-r));
    reply_drop(reply);
}
