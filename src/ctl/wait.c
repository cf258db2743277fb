/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Wait in slices: a held call does not survive a restart of the service, nor is it known to be
 * alive; a slice that runs into nothing is simply asked again. */

#include <stdio.h>

#include "ctl/call.h"
#include "ctl/ctl.h"
#include "ctl/ending.h"

#define SLICE_USEC  (60 * (uint64_t)1000000) /* below CALL_TIMEOUT_USEC */
#define ABSENCE_MAX 10u                      /* seconds that the service may be away */

/* NULL and TIMEOUT if nothing has happened in this slice. */
static Ending *wait_slice(const Ctl *ctl, const char *path, uint64_t usec, GError **error)
{
    g_autoptr(sd_bus_message)
        reply = call(&ctl->connection, path, INSTANCE_INTERFACE, "Wait", error, "a{sv}", 2, "Until",
                     "s", ctl->options.until, "TimeoutUSec", "t", usec);
    Ending ending = { 0 };
    const char *result;

    if (!reply ||
        !reply_read(reply, error, "usii", &ending.run, &result, &ending.code, &ending.status))
        return NULL;
    ending.result = (char *)result;
    return ending_copy(&ending);
}

/* Whether to ask again after this error: nothing has happened, or the service is being restarted.
 */
static bool is_passing(const Ctl *ctl, const GError *error, unsigned *absences)
{
    if (error->code == CONSTELLATION_ERROR_TIMEOUT) {
        *absences = 0;
        return true;
    }
    if (!call_failed_in_passing(&ctl->connection, error) || ++*absences > ABSENCE_MAX)
        return false;
    g_usleep(G_USEC_PER_SEC);
    return true;
}

static Ending *wait_ending(const Ctl *ctl, const char *path, GError **error)
{
    uint64_t timeout_usec = ctl->options.timeout_usec;
    int64_t begin_usec = g_get_monotonic_time();
    unsigned absences = 0;

    for (;;) {
        uint64_t passed_usec = (uint64_t)(g_get_monotonic_time() - begin_usec);
        uint64_t left_usec = timeout_usec > passed_usec ? timeout_usec - passed_usec : 0;
        g_autoptr(GError) failure = NULL;
        Ending *ending = wait_slice(ctl, path, MIN(left_usec, SLICE_USEC), &failure);

        if (ending)
            return ending;
        if (!is_passing(ctl, failure, &absences)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
        if (left_usec <= SLICE_USEC && failure->code == CONSTELLATION_ERROR_TIMEOUT) {
            error_set(error, CONSTELLATION_ERROR_TIMEOUT, "it has not ended within %s",
                      option_value(&ctl->options, OPTION_TIMEOUT));
            return NULL;
        }
    }
}

static void print_json(const Ctl *ctl, const Ending *ending)
{
    Json json;

    json_init(&json, stdout, ctl->options.json);
    json_open_object(&json);
    json_key(&json, "run");
    json_uint(&json, ending->run);
    json_key(&json, "result");
    json_string(&json, ending->result);
    json_key(&json, "code");
    json_int(&json, ending->code);
    json_key(&json, "status");
    json_int(&json, ending->status);
    json_close_object(&json);
    json_done(&json);
}

int verb_wait(Ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = instance_path(&ctl->connection, option_argument(&ctl->options, 0),
                                          &error);
    g_autoptr(Ending) ending = path ? wait_ending(ctl, path, &error) : NULL;
    g_autofree char *note = NULL;

    if (!ending) {
        ctl_complain(NULL, error);
        return error->code == CONSTELLATION_ERROR_TIMEOUT ? STATUS_TIMED_OUT : STATUS_OURS;
    }
    if (ctl->options.json != JSON_OFF)
        print_json(ctl, ending);
    note = ending_note(ending);
    if (note)
        ctl_note(ctl, "%s: %s", option_argument(&ctl->options, 0), note);
    return ending_status(ending);
}
