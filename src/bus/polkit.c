/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/polkit.h"
#include "util/log.h"

#define POLKIT_NAME      "org.freedesktop.PolicyKit1"
#define POLKIT_PATH      "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define POLKIT_ALLOW_USER_INTERACTION 1u

/* A person has to find the password; a program is not to hang on a polkit that does. */
#define INTERACTIVE_USEC (120 * G_USEC_PER_SEC)
#define PROMPT_USEC      (5 * G_USEC_PER_SEC)

struct PolkitQuestion {
    sd_bus *bus;
    sd_bus_slot *slot;
    char id[32];
    PolkitCallback callback;
    void *userdata;
};

static void question_free(PolkitQuestion *question)
{
    sd_bus_slot_unref(question->slot);
    sd_bus_unref(question->bus);
    g_free(question);
}

/* Its own answer to the question comes to nobody. */
static void tell_to_cancel(const PolkitQuestion *question)
{
    g_autoptr(sd_bus_message) message = NULL;

    int r = sd_bus_message_new_method_call(question->bus, &message, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CancelCheckAuthorization");
    if (r >= 0)
        r = sd_bus_message_set_expect_reply(message, false);
    /* One that is not there has nothing to cancel. */
    if (r >= 0)
        r = sd_bus_message_set_auto_start(message, false);
    if (r >= 0)
        r = sd_bus_message_append(message, "s", question->id);
    if (r >= 0)
        r = sd_bus_send(question->bus, message, NULL);
    if (r < 0)
        log_debug("polkit: a question could not be taken back: %s", g_strerror(-r));
}

void polkit_forget(PolkitQuestion *question)
{
    if (!question)
        return;
    tell_to_cancel(question);
    question_free(question);
}

/* "polkit.dismissed" among the details of an answer. */
static int read_dismissed(sd_bus_message *reply, bool *ret)
{
    const char *key, *value;

    int r = sd_bus_message_enter_container(reply, 'a', "{ss}");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_read(reply, "{ss}", &key, &value)) > 0)
        if (g_str_equal(key, "polkit.dismissed"))
            *ret = true;
    return r < 0 ? r : sd_bus_message_exit_container(reply);
}

static int read_answer(sd_bus_message *reply, PolkitAnswer *ret)
{
    int is_authorized, is_challenge;
    bool dismissed = false;

    int r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
    if (r >= 0)
        r = sd_bus_message_read(reply, "bb", &is_authorized, &is_challenge);
    if (r >= 0)
        r = read_dismissed(reply, &dismissed);
    if (r >= 0)
        r = sd_bus_message_exit_container(reply);
    if (r < 0)
        return r;
    /* One that says both is not to be believed. */
    *ret = is_authorized && !is_challenge && !dismissed ? POLKIT_YES
           : dismissed                                  ? POLKIT_DISMISSED
           : is_challenge && !is_authorized             ? POLKIT_CHALLENGE
                                                        : POLKIT_NO;
    return 0;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    PolkitQuestion *question = userdata;
    const sd_bus_error *failure = sd_bus_message_get_error(reply);
    PolkitAnswer answer = POLKIT_UNAVAILABLE;
    g_autofree char *reason = NULL;

    (void)error;
    if (failure) {
        reason = g_strdup_printf("polkit did not answer: %s",
                                 failure->message ? failure->message : failure->name);
        /* It may only be late. */
        tell_to_cancel(question);
    } else if (read_answer(reply, &answer) < 0) {
        answer = POLKIT_UNAVAILABLE;
        reason = g_strdup("polkit's answer is not what it should be");
    }
    PolkitCallback callback = question->callback;
    void *callback_userdata = question->userdata;
    question_free(question);
    callback(answer, reason, callback_userdata);
    return 0;
}

static int append_details(sd_bus_message *message, const char *const *details)
{
    int r = sd_bus_message_open_container(message, 'a', "{ss}");

    for (size_t i = 0; r >= 0 && details[i]; i += 2)
        r = sd_bus_message_append(message, "{ss}", details[i], details[i + 1]);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

int polkit_ask(sd_bus *bus, const char *subject, const char *action, const char *const *details,
               bool interactive, PolkitCallback callback, void *userdata, PolkitQuestion **ret)
{
    static uint64_t last_id;
    g_autoptr(sd_bus_message) message = NULL;

    int r = sd_bus_message_new_method_call(bus, &message, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CheckAuthorization");
    if (r >= 0)
        r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s", subject,
                                  action);
    if (r >= 0)
        r = append_details(message, details);
    if (r < 0)
        return r;
    PolkitQuestion *question = g_new0(PolkitQuestion, 1);
    (void)g_snprintf(question->id, sizeof question->id, "%" G_GUINT64_FORMAT, ++last_id);
    question->bus = sd_bus_ref(bus);
    question->callback = callback;
    question->userdata = userdata;
    r = sd_bus_message_append(message, "us", interactive ? POLKIT_ALLOW_USER_INTERACTION : 0u,
                              question->id);
    if (r >= 0)
        r = sd_bus_call_async(bus, &question->slot, message, on_answer, question,
                              interactive ? INTERACTIVE_USEC : PROMPT_USEC);
    if (r < 0) {
        question_free(question);
        return r;
    }
    *ret = question;
    return 0;
}
