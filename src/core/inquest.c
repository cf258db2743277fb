/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The init was killed, and its record has no end. How it ended itself, which is how the payload
 * did, is asked of the launcher, if it was its child, then of the kernel, as soon as whoever took
 * the init over has reaped it. Should neither know, the cgroup may still count processes that were
 * killed for lack of memory. systemd has a result for each scope, and has forgotten scope and
 * result before anybody could ask for it. */

#include <errno.h>
#include <fcntl.h>

#include "core/controller.h"
#include "core/inquest.h"
#include "util/fd.h"
#include "util/pidfd-info.h"
#include "util/timer.h"

typedef struct Inquest {
    Controller *controller;
    char id[INSTANCE_ID_LENGTH + 1];
    uint64_t run;
    struct Record record;
    bool has_record;
    InquestVerdict verdict;
    LaunchCall *call;
    sd_event_source *reaped;
    sd_event_source *deadline;
} Inquest;

/* How long all may take to say how a process ended that is known to be dead. */
#define INQUEST_USEC G_USEC_PER_SEC

static void inquest_free(Inquest *inquest)
{
    launch_call_cancel(inquest->call);
    sd_event_source_disable_unref(inquest->reaped);
    sd_event_source_disable_unref(inquest->deadline);
    g_free(inquest);
}

/* The instance it is about, if that still waits for the verdict. */
static Instance *inquest_subject(const Inquest *inquest)
{
    Instance *instance = controller_find_id(inquest->controller, inquest->id);

    return instance && instance->run == inquest->run && state_is_active(instance->state) ? instance
                                                                                         : NULL;
}

static void inquest_close(Inquest *inquest)
{
    g_autofree Inquest *closed = g_memdup2(inquest, sizeof *inquest);
    Instance *instance = inquest_subject(inquest);

    inquest_free(inquest);
    if (instance)
        instance_exit_from_inquest(instance, closed->has_record ? &closed->record : NULL,
                                   &closed->verdict);
}

static int on_init_reaped(sd_event_source *source, int fd, uint32_t revents, void *userdata);

static void inquest_ask_kernel(Inquest *inquest)
{
    const Instance *instance = inquest_subject(inquest);
    int pidfd = instance ? instance->init_pidfd : -1;

    int r = pidfd_exit_status(pidfd, &inquest->verdict.cld_code, &inquest->verdict.cld_status);
    if (r == -ENODATA && !inquest->reaped) {
        auto_fd copy = fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
        if (copy >= 0 && sd_event_add_io(inquest->controller->event, &inquest->reaped, copy, 0,
                                         on_init_reaped, inquest) >= 0) {
            (void)sd_event_source_set_io_fd_own(inquest->reaped, true);
            (void)fd_steal(&copy);
            return;
        }
    }
    inquest_close(inquest);
}

/* EPOLLHUP, which need not be asked for. */
static int on_init_reaped(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source;
    (void)fd;
    (void)revents;
    inquest_ask_kernel(userdata);
    return 0;
}

static void on_reaped(const struct LaunchReply *reply, int pidfd, GError *error, void *userdata)
{
    Inquest *inquest = userdata;

    (void)error;
    fd_close(pidfd);
    inquest->call = NULL;
    if (inquest_subject(inquest) && reply && reply->error == 0 && reply->cld_code != 0) {
        inquest->verdict.reaped = true; /* by this very call */
        inquest->verdict.cld_code = reply->cld_code;
        inquest->verdict.cld_status = reply->cld_status;
        inquest_close(inquest);
    } else {
        inquest_ask_kernel(inquest);
    }
}

static int on_inquest_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    inquest_close(userdata);
    return 0;
}

void inquest_open(Instance *instance, const struct Record *record)
{
    Controller *controller = instance->controller;
    Inquest *inquest = g_new0(Inquest, 1);
    const struct LaunchRequest request = { .verb = LAUNCH_REAP, .pid = instance->init_pid };

    inquest->controller = controller;
    g_strlcpy(inquest->id, instance->id, sizeof inquest->id);
    inquest->run = instance->run;
    inquest->has_record = record != NULL;
    if (record)
        inquest->record = *record;
    inquest->verdict.otherwise = instance->placement && placement_oom_kills(instance->placement) > 0
                                     ? RESULT_OOM_KILL
                                     : RESULT_LOST;
    if (instance->init_pid <= 0) {
        inquest_close(inquest); /* it was dead before there was a service to see it */
        return;
    }
    (void)timer_start(controller->event, &inquest->deadline, INQUEST_USEC, on_inquest_over, inquest,
                      "inquest");
    inquest->call = launcher_call(controller->launcher, request, NULL, 0, on_reaped, inquest, NULL);
    if (!inquest->call)
        inquest_ask_kernel(inquest);
}
