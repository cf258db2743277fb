/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who a message is from. On a private socket the kernel said it when the connection was made. On a
 * bus the broker is asked once for each unique name, and what comes from there meanwhile is kept
 * and put back in line when the answer is there: a filter in front of all objects, so that handlers
 * and getters find everybody known, and nothing waits for the broker but who has to. Any failure is
 * a no: an unknown caller has no uid, and never one of zero. */

#include "bus/authorize.h"
#include "bus/caller.h"
#include "bus/errors.h"
#include "bus/call.h"
#include "util/log.h"

/* Messages of one sender that are kept; the broker takes a fraction of a millisecond. */
#define HELD_MAX 256

#define ASK_USEC (5 * G_USEC_PER_SEC)

struct Caller {
    Connection *connection;
    char *name;
    uid_t uid;    /* UID_NOBODY_KNOWN: it is being asked for */
    GQueue *held; /* in order; once the uid is known: those that are in the bus's line again */
    sd_bus_slot *question;
};

void caller_free(Caller *caller)
{
    sd_bus_slot_unref(caller->question);
    while (!g_queue_is_empty(caller->held))
        sd_bus_message_unref(g_queue_pop_head(caller->held));
    g_queue_free(caller->held);
    g_free(caller->name);
    g_free(caller);
}

static void caller_refuse(Caller *caller)
{
    sd_bus_message *message;

    while ((message = g_queue_pop_head(caller->held))) {
        (void)sd_bus_reply_method_errorf(message, SD_BUS_ERROR_ACCESS_DENIED,
                                         "the bus does not say who is calling");
        sd_bus_message_unref(message);
    }
    g_hash_table_remove(caller->connection->callers, caller->name);
}

static int on_uid(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Caller *caller = userdata;
    uint32_t uid;

    (void)error;
    caller->question = sd_bus_slot_unref(caller->question);
    if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "u", &uid) < 0 ||
        !uid_is_valid(uid)) {
        caller_refuse(caller);
        return 0;
    }
    caller->uid = uid;
    for (GList *link = caller->held->head; link; link = link->next)
        if (sd_bus_enqueue_for_read(caller->connection->bus, link->data) < 0) {
            caller_refuse(caller);
            return 0;
        }
    return 0;
}

/* Not augmented: what /proc says of a pid is not what the broker knows of the sender. */
static Caller *caller_meet(Connection *connection, const char *name)
{
    Caller *caller = g_new0(Caller, 1);

    caller->connection = connection;
    caller->name = g_strdup(name);
    caller->uid = UID_NOBODY_KNOWN;
    caller->held = g_queue_new();
    g_autoptr(sd_bus_message) message = NULL;
    int r = sd_bus_message_new_method_call(connection->bus, &message, "org.freedesktop.DBus",
                                           "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                           "GetConnectionUnixUser");
    if (r >= 0)
        r = sd_bus_message_append(message, "s", name);
    if (r >= 0)
        r = sd_bus_call_async(connection->bus, &caller->question, message, on_uid, caller,
                              ASK_USEC);
    if (r < 0) {
        caller_free(caller);
        return NULL;
    }
    g_hash_table_insert(connection->callers, caller->name, caller);
    return caller;
}

static int caller_hold(Caller *caller, sd_bus_message *message, sd_bus_error *error)
{
    bool known = caller->uid != UID_NOBODY_KNOWN;

    if (g_queue_get_length(caller->held) >= HELD_MAX)
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 "%u calls wait until the bus has said who is calling", HELD_MAX);
    int r = known ? sd_bus_enqueue_for_read(caller->connection->bus, message) : 0;
    if (r < 0)
        return r;
    g_queue_push_tail(caller->held, sd_bus_message_ref(message));
    return 1;
}

/* 0 if it may go on. */
static int caller_serve(Caller *caller, sd_bus_error *error)
{
    Connection *connection = caller->connection;
    uint64_t now = timestamp_now().monotonic_usec;

    if (caller->uid == 0 || connection->face->controller->mode != MODE_SYSTEM)
        return 0;
    if (!budget_is_left(connection->budgets, caller->uid, now))
        return sd_bus_error_setf(
            error, SD_BUS_ERROR_LIMITS_EXCEEDED,
            "uid %u keeps the service busier than one user may: ask less often", caller->uid);
    budget_begin(connection->budgets, caller->uid, now);
    return 0;
}

int callers_filter(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;
    const char *sender = sd_bus_message_get_sender(message);

    if (!sender || sd_bus_message_is_method_call(message, NULL, NULL) <= 0)
        return 0;
    Caller *caller = g_hash_table_lookup(connection->callers, sender);
    if (!caller)
        caller = caller_meet(connection, sender);
    if (!caller)
        return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED,
                                 "the bus cannot be asked who is calling");
    if (caller->uid == UID_NOBODY_KNOWN)
        return caller_hold(caller, message, error);
    if (g_queue_is_empty(caller->held))
        return caller_serve(caller, error);
    /* What has come while the kept ones are on their way again comes after them. */
    if (g_queue_peek_head(caller->held) != message)
        return caller_hold(caller, message, error);
    sd_bus_message_unref(g_queue_pop_head(caller->held));
    return caller_serve(caller, error);
}

bool caller_uid(Connection *connection, sd_bus_message *message, uid_t *ret)
{
    const char *sender = sd_bus_message_get_sender(message);

    if (!connection->is_message_bus) {
        *ret = connection->peer_uid;
        return true;
    }
    const Caller *caller = sender ? g_hash_table_lookup(connection->callers, sender) : NULL;
    if (!caller || caller->uid == UID_NOBODY_KNOWN)
        return false;
    *ret = caller->uid;
    return true;
}

void callers_visit(Connection *connection, uid_t uid, CallerVisitor visit, void *userdata)
{
    GHashTableIter iterator;
    gpointer value;

    g_hash_table_iter_init(&iterator, connection->callers);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const Caller *caller = value;
        if (caller->uid == uid || caller->uid == 0)
            visit(connection, caller->name, userdata);
    }
}

void caller_left(Connection *connection, const char *unique_name)
{
    g_hash_table_remove(connection->callers, unique_name);
    waits_drop(connection, unique_name);
    calls_drop(connection, unique_name);
}

/* A property is read while others wait, so nobody can be asked about it: a right that polkit would
 * give shows in methods only. */
static bool viewer_may(Connection *connection, AccessRule rule, uid_t owner)
{
    static const AccessRow rows[] = {
        [ACCESS_OWNER] = { .rule = ACCESS_OWNER },
        [ACCESS_SERVICE] = { .rule = ACCESS_SERVICE },
    };
    const Controller *controller = connection->face->controller;
    sd_bus_message *message = sd_bus_get_current_message(connection->bus);
    uid_t uid;

    if (connection->emitting || !message || !caller_uid(connection, message, &uid))
        return false;
    return authorize(&rows[rule], controller->mode, controller->uid, uid, owner) >= DECISION_OWN;
}

bool viewer_may_inspect(Target *target)
{
    return viewer_may(target->connection, ACCESS_OWNER, target->instance->owner);
}

bool viewer_is_trusted(Connection *connection)
{
    return viewer_may(connection, ACCESS_SERVICE, UID_NOBODY_KNOWN);
}
