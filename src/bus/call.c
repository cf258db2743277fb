/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/errors.h"
#include "bus/polkit.h"
#include "bus/call.h"
#include "util/log.h"
#include "util/timer.h"

/* Questions that polkit is asked at a time. The bus holds 128 unanswered calls of a connection and
 * refuses more, so one user with dialogs that nobody answers must not come near that. */
#define QUESTIONS_PER_UID 4
#define QUESTIONS_MAX     64

/* Calls that wait for such a question to be answered before theirs is asked, and how long. */
#define WAITING_PER_UID 128
#define WAITING_MAX     1024
#define PATIENCE_USEC   (5 * G_USEC_PER_SEC)

#define TEXT_DOMAIN "constellation"

/* What a dialog says; polkit puts the details in, in the language of whoever is asked. */
static const char *const messages[_ACTION_COUNT] = {
    [ACTION_RUN] = "Authentication is required to run the instance $(name)",
    [ACTION_MANAGE] = "Authentication is required to control the instance $(name) of another "
                      "user: $(verb)",
    [ACTION_DESTROY] = "Authentication is required to end the instance $(name) of another user: "
                       "$(verb)",
    [ACTION_ENTER] = "Authentication is required to enter the instance $(name) of another user",
    [ACTION_RUN_AS] = "Authentication is required to run $(command) as $(user)",
    [ACTION_PRIVILEGED] = "Authentication is required to run $(command) with $(options)",
    [ACTION_INSPECT] = "Authentication is required to look into the instance $(name) of another "
                       "user",
    [ACTION_READ_SECRETS] =
        "Authentication is required to read the secrets of the instance $(name) "
        "of another user",
    [ACTION_CONFIGURE] = "Authentication is required to configure the service",
};

/* ---- making one ------------------------------------------------------------------------------ */

Call *call_new(Connection *connection, Instance *instance, sd_bus_message *message, CallAct act)
{
    Call *call = g_new0(Call, 1);

    call->connection = connection;
    call->message = sd_bus_message_ref(message);
    call->instance = instance;
    call->act = act;
    call->details = g_ptr_array_new_with_free_func(g_free);
    if (!caller_uid(connection, message, &call->caller))
        call->caller = UID_NOBODY_KNOWN;
    return call;
}

void call_free(Call *call)
{
    if (!call)
        return;
    polkit_forget(call->question);
    timer_stop(&call->patience);
    if (call->clear_args)
        call->clear_args(call->args);
    g_free(call->args);
    g_ptr_array_unref(call->details);
    sd_bus_message_unref(call->message);
    g_free(call);
}

void *call_args(Call *call, size_t size, void (*clear)(void *args))
{
    call->args = g_malloc0(size);
    call->clear_args = clear;
    return call->args;
}

void call_need(Call *call, Action action)
{
    call->needs |= 1u << action;
}

void call_tell(Call *call, const char *key, const char *value)
{
    g_ptr_array_add(call->details, g_strdup(key));
    g_ptr_array_add(call->details, g_strdup(value));
}

/* ---- acting ---------------------------------------------------------------------------------- */

static int call_finish(Call *call, sd_bus_error *error)
{
    g_autoptr(Call) done = call;

    return done->act(done, error);
}

static int refuse(const Call *call, Action action, const char *why, sd_bus_error *error)
{
    return bus_fail_code(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                         "%s needs the right %s, which uid %u does not have here%s%s",
                         call->row->member, action_name(action), call->caller, why ? ": " : "",
                         why ? why : "");
}

/* What the answer was about is still there, and still the same. */
static bool find_again(Call *call, sd_bus_error *error)
{
    if (!*call->id)
        return true;
    call->instance = controller_find_id(call->connection->face->controller, call->id);
    if (call->instance && call->instance->run == call->run &&
        call->instance->revision == call->revision)
        return true;
    bus_fail_code(error, CONSTELLATION_ERROR_STALE,
                  "the instance was %s while the authorization for %s was asked for: look at it, "
                  "and ask again",
                  call->instance ? "changed or started" : "destroyed", call->row->member);
    return false;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int ask_next(Call *call, sd_bus_error *error);
static void ask_those_who_wait(Connection *connection);

static int judge(Call *call, PolkitAnswer answer, const char *reason, sd_bus_error *error)
{
    switch (answer) {
    case POLKIT_YES:
        call->needs &= ~(1u << call->asked);
        if (call->needs)
            return ask_next(call, error);
        return find_again(call, error) ? 0 : -ESTALE;
    case POLKIT_CHALLENGE:
        return bus_fail_code(error, CONSTELLATION_ERROR_AUTHORIZATION_REQUIRED,
                             "%s needs the right %s, for which somebody has to authenticate: "
                             "call it in a way that allows to ask, with an agent to ask by",
                             call->row->member, action_name(call->asked));
    case POLKIT_DISMISSED:
        return refuse(call, call->asked, "the authentication was dismissed", error);
    case POLKIT_NO:
        return refuse(call, call->asked, NULL, error);
    case POLKIT_UNAVAILABLE:
        break;
    }
    return refuse(call, call->asked, reason, error);
}

/* r: 0, it may go on; else the error tells why not. Its question, and its place in line, are over.
 */
static void call_settle(Call *call, int r, sd_bus_error *error)
{
    g_autoptr(sd_bus_message) message = sd_bus_message_ref(call->message);

    timer_stop(&call->patience);
    (void)g_ptr_array_remove(call->connection->calls, call);
    if (r == 0)
        r = call_finish(call, error);
    else
        call_free(call);
    if (r < 0)
        r = sd_bus_reply_method_errno(message, r, error);
    if (r < 0)
        log_debug("bus: an answer was not sent: %s", g_strerror(-r));
}

static void on_answer(PolkitAnswer answer, const char *reason, void *userdata)
{
    Call *call = userdata;
    Connection *connection = call->connection;
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;

    call->question = NULL;
    int r = judge(call, answer, reason, &error);
    if (r > 0)
        return; /* the next question */
    call_settle(call, r, &error);
    ask_those_who_wait(connection);
}

/* 1 if the answer will come. */
static int ask_next(Call *call, sd_bus_error *error)
{
    GPtrArray *details = g_ptr_array_new();

    for (call->asked = ACTION_NONE; !(call->needs & 1u << call->asked);)
        call->asked++;
    for (guint i = 0; i < call->details->len; i++)
        g_ptr_array_add(details, g_ptr_array_index(call->details, i));
    g_ptr_array_add(details, (void *)"polkit.message");
    g_ptr_array_add(details, (void *)messages[call->asked]);
    g_ptr_array_add(details, (void *)"polkit.gettext_domain");
    g_ptr_array_add(details, (void *)TEXT_DOMAIN);
    g_ptr_array_add(details, NULL);
    int r = polkit_ask(call->connection->bus, sd_bus_message_get_sender(call->message),
                       action_name(call->asked), (const char *const *)details->pdata,
                       sd_bus_message_get_allow_interactive_authorization(call->message) > 0,
                       on_answer, call, &call->question);
    g_ptr_array_unref(details);
    return r < 0 ? refuse(call, call->asked, g_strerror(-r), error) : 1;
}

/* ---- the line for questions ------------------------------------------------------------------ */

typedef struct Crowd {
    unsigned asked, asked_of_uid, waiting, waiting_of_uid;
} Crowd;

static Crowd count_calls(const Connection *connection, uid_t uid)
{
    Crowd crowd = { 0 };

    for (guint i = 0; i < connection->calls->len; i++) {
        const Call *call = g_ptr_array_index(connection->calls, i);
        unsigned mine = call->caller == uid;
        crowd.asked += call->question != NULL;
        crowd.asked_of_uid += call->question ? mine : 0;
        crowd.waiting += call->question == NULL;
        crowd.waiting_of_uid += call->question ? 0 : mine;
    }
    return crowd;
}

static bool has_its_turn(const Call *call)
{
    Crowd crowd = count_calls(call->connection, call->caller);

    return crowd.asked < QUESTIONS_MAX && crowd.asked_of_uid < QUESTIONS_PER_UID;
}

static void ask_those_who_wait(Connection *connection)
{
    for (guint i = 0; i < connection->calls->len;) {
        Call *call = g_ptr_array_index(connection->calls, i);
        g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;
        if (call->question || !has_its_turn(call)) {
            i++;
            continue;
        }
        timer_stop(&call->patience);
        int r = ask_next(call, &error);
        if (r < 0)
            call_settle(call, r, &error); /* the next one has its place now */
    }
}

static int too_many_questions(const Call *call, sd_bus_error *error)
{
    return bus_fail_code(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED,
                         "%s has to be authorized, and for uid %u, or for all together, too many "
                         "authorizations are being asked for already: wait for some",
                         call->row->member, call->caller);
}

static int on_patience_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;

    (void)source;
    (void)usec;
    call_settle(userdata, too_many_questions(userdata, &error), &error);
    return 0;
}

/* 1 if it waits until others have got their answers, which takes milliseconds as long as nobody is
 * asked for a password. */
static int call_wait(Call *call, sd_bus_error *error)
{
    Crowd crowd = count_calls(call->connection, call->caller);

    if (crowd.waiting_of_uid >= WAITING_PER_UID || crowd.waiting >= WAITING_MAX ||
        timer_start(call->connection->face->event, &call->patience, PATIENCE_USEC, on_patience_over,
                    call, "authorization") < 0)
        return too_many_questions(call, error);
    return 1;
}

static void tell_object(Call *call)
{
    call_tell(call, "verb", call->row->member);
    if (!call->instance)
        return;
    g_autofree char *owner = g_strdup_printf("%u", call->instance->owner);
    g_strlcpy(call->id, call->instance->id, sizeof call->id);
    call->run = call->instance->run;
    call->revision = call->instance->revision;
    call_tell(call, "instance", call->id);
    call_tell(call, "name", call->instance->name);
    call_tell(call, "owner", owner);
    call->instance = NULL;
}

static int call_ask(Call *call, sd_bus_error *error)
{
    g_autoptr(Call) asking = call;

    tell_object(asking);
    int r = has_its_turn(asking) ? ask_next(asking, error) : call_wait(asking, error);
    if (r > 0) {
        g_ptr_array_add(asking->connection->calls, asking);
        (void)g_steal_pointer(&asking);
    }
    return r;
}

/* ---- the order of things --------------------------------------------------------------------- */

int call_submit(Call *call, sd_bus_error *error)
{
    const Controller *controller = call->connection->face->controller;
    uid_t owner = call->instance ? call->instance->owner : UID_NOBODY_KNOWN;

    call->row = access_find_method(sd_bus_message_get_interface(call->message),
                                   sd_bus_message_get_member(call->message));
    Decision decision = authorize(call->row, controller->mode, controller->uid, call->caller,
                                  owner);
    if (decision == DECISION_DENY) {
        g_autoptr(Call) refused = call;
        return bus_fail_code(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                             refused->row ? "this service is another user's"
                                          : "the method is not in the table of access");
    }
    if (decision == DECISION_ASK && !(call->row->rule == ACCESS_ONESELF && call->needs))
        call_need(call, call->row->action);
    if (decision == DECISION_TRUSTED || call->needs == 0)
        return call_finish(call, error);
    return call_ask(call, error);
}

void calls_drop(Connection *connection, const char *unique_name)
{
    for (guint i = connection->calls->len; i > 0; i--) {
        Call *call = g_ptr_array_index(connection->calls, i - 1);
        if (unique_name && g_strcmp0(sd_bus_message_get_sender(call->message), unique_name) != 0)
            continue;
        (void)g_ptr_array_remove_index(connection->calls, i - 1);
        call_free(call);
    }
    if (unique_name)
        ask_those_who_wait(connection);
}
