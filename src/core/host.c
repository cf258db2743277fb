/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asking the host what it allows, in two acts: the launcher makes one namespace of each kind, and a
 * rehearsal performs the steps that an init may be refused, once outside of a user namespace and
 * once inside of one. Whatever forbids something (sysctls, limits,
 * security modules, a container around us) is asked in the only way that counts them all. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/host.h"
#include "core/rehearsal.h"
#include "core/subordinate-ids.h"
#include "util/event.h"
#include "util/file.h"
#include "util/log.h"
#include "util/parse.h"
#include "util/timer.h"

#define STATUS_MAX 16384 /* bytes of /proc/self/status */
#define PROBE_USEC (5 * G_USEC_PER_SEC)
/* What was refused is asked for again after this long: the administrator may have read the reason.
 */
#define STALE_USEC (10 * G_USEC_PER_SEC)

bool host_is_being_asked(const Controller *controller)
{
    return controller->probe || controller->rehearsal;
}

void host_forget(Controller *controller)
{
    launch_call_cancel(controller->probe);
    controller->probe = NULL;
    controller->probe_deadline = sd_event_source_disable_unref(controller->probe_deadline);
    g_clear_pointer(&controller->rehearsal, rehearsal_free);
}

/* ---- clues -------------------------------------------------------------------------------- */

/* -1 for a file that cannot be read; a hardened service does not see /proc/sys. */
static int64_t read_number(const char *path)
{
    g_autofree char *text = NULL;
    uint64_t number;

    if (read_small_file_at(AT_FDCWD, path, 64, &text) < 0 ||
        parse_uint64(g_strchomp(text), &number) < 0 || number > INT64_MAX)
        return -1;
    return (int64_t)number;
}

static void look_for_clues(HostClues *ret)
{
    g_autofree char *status = NULL;

    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        const char *name = strchr(namespace_infos[kind].sysctl, '.') + 1;
        g_autofree char *path = g_strconcat("/proc/sys/user/", name, NULL);
        ret->limits[kind] = read_number(path);
    }
    ret->userns_clone_off = read_number("/proc/sys/kernel/unprivileged_userns_clone") == 0;
    ret->apparmor_restricts = read_number(
                                  "/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1;
    ret->filtered = read_small_file_at(AT_FDCWD, "/proc/self/status", STATUS_MAX, &status) == 0 &&
                    strstr(status, "\nSeccomp:\t2") != NULL;
}

/* ---- the rehearsals -------------------------------------------------------------------------- */

static void on_rehearsed_inside(void *userdata);

static void be_done(Controller *controller)
{
    controller->features.known = true;
    controller->features_usec = g_get_monotonic_time();
    controller_pump(controller);
}

static void rehearse_inside(Controller *controller)
{
    if (controller->features.refused[NAMESPACE_USER] == 0)
        controller->rehearsal = rehearsal_begin(controller, true, on_rehearsed_inside, controller);
    if (!controller->rehearsal)
        be_done(controller);
}

static void on_rehearsed_inside(void *userdata)
{
    Controller *controller = userdata;

    g_clear_pointer(&controller->rehearsal, rehearsal_free);
    be_done(controller);
}

static void on_rehearsed_outside(void *userdata)
{
    Controller *controller = userdata;

    g_clear_pointer(&controller->rehearsal, rehearsal_free);
    rehearse_inside(controller);
}

/* ---- the launcher ---------------------------------------------------------------------------- */

static void on_probed(const struct LaunchReply *reply, int pidfd, GError *error, void *userdata)
{
    Controller *controller = userdata;
    HostFeatures *features = &controller->features;

    (void)pidfd;
    controller->probe = NULL;
    controller->probe_deadline = sd_event_source_disable_unref(controller->probe_deadline);
    memset(features->refused_steps, 0, sizeof features->refused_steps);
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        features->refused[kind] = reply ? reply->refused[kind] : ENOTCONN;
    look_for_clues(&features->clues);
    features->privileged = reply && reply->privileged;
    features->capabilities = reply ? reply->capabilities : 0;
    features->files_max = reply ? reply->files_max : 0;
    features->refused_ranges = reply ? reply->refused_ranges : ENOTCONN;
    features->refused_ranges_step = reply ? reply->refused_ranges_step : LAUNCH_STEP_NONE;
    if (!reply) {
        log_error("asking the launcher what this host allows: %s", error->message);
        be_done(controller);
        return;
    }
    controller->rehearsal = rehearsal_begin(controller, false, on_rehearsed_outside, controller);
    if (!controller->rehearsal)
        rehearse_inside(controller);
}

static int on_probe_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    Controller *controller = userdata;
    g_autoptr(GError) error = NULL;

    (void)source;
    (void)usec;
    launch_call_cancel(controller->probe);
    error_set(&error, CONSTELLATION_ERROR_TIMEOUT, "the launcher does not answer");
    on_probed(NULL, -1, error, controller);
    return 0;
}

/* Whether newuidmap does what the files let it is only known when it has done it; a launcher that
 * is root writes the maps itself. */
static void ask_for_range(const Controller *controller, struct LaunchRequest *request)
{
    const uint32_t uid = controller->uid, gid = getegid();
    g_auto(SubordinateIds) ids = { 0 };

    if (uid == 0)
        return;
    subordinate_ids_read(uid, &ids);
    if (!ids.refusal && id_map_make(ids.uids, &uid, 1, &request->uids) &&
        id_map_make(ids.gids, &gid, 1, &request->gids))
        request->id_map = ID_MAP_RANGES;
}

void controller_reprobe(Controller *controller)
{
    struct LaunchRequest request = { .verb = LAUNCH_PROBE };
    g_autoptr(GError) error = NULL;

    if (host_is_being_asked(controller))
        return;
    ask_for_range(controller, &request);
    controller->probe = launcher_call(controller->launcher, request, NULL, 0, on_probed, controller,
                                      &error);
    if (controller->probe)
        (void)timer_start(controller->event, &controller->probe_deadline, PROBE_USEC, on_probe_over,
                          controller, "probe");
    else
        on_probed(NULL, -1, error, controller);
}

static bool refuses_something(const HostFeatures *features)
{
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        if (features->refused[kind] != 0)
            return true;
    for (unsigned step = 0; step < STEP_COUNT; step++)
        if (features->refused_steps[0][step] != 0 || features->refused_steps[1][step] != 0)
            return true;
    return features->refused_ranges != 0;
}

void controller_refresh_features(Controller *controller)
{
    gint64 age = g_get_monotonic_time() - controller->features_usec;

    if (controller->features.known && age > STALE_USEC && refuses_something(&controller->features))
        controller_reprobe(controller);
}
