/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Builds the graph of objects (launcher, resources, controller, face), runs the loop, and takes it
 * down again. A private service takes its instances with it; the others leave theirs running,
 * unless OnShutdown=stop. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/face.h"
#include "daemon/options.h"
#include "daemon/status.h"
#include "util/event.h"
#include "util/log.h"

#define LAUNCHER_SOCKET "/run/constellation/launcher"

/* At most three descriptors an instance: pidfd, cgroup, and one while it starts, or, where nothing
 * is on disk, its record and its log; the rest is for clients and files. */
#define FDS_PER_INSTANCE 3
#define FDS_IN_MEMORY    1
#define FDS_RESERVED     256

/* Nobody is there any more for whom instances could tidy up: they are asked, and then killed. */
#define ORPHANED_USEC (500 * 1000)

typedef struct Daemon {
    sd_event *event;
    Controller *controller;
    Status *status;
    bool stop_instances;
    bool ending;
} Daemon;

static void on_settled(void *userdata)
{
    Daemon *daemon = userdata;

    (void)sd_event_exit(daemon->event, EXIT_SUCCESS);
}

static void daemon_end(Daemon *daemon, const char *why, uint64_t timeout_usec)
{
    if (daemon->ending) {
        log_warning("%s again: ending at once", why);
        (void)sd_event_exit(daemon->event, EXIT_SUCCESS);
        return;
    }
    daemon->ending = true;
    log_info("%s: ending", why);
    status_ending(daemon->status, daemon->stop_instances);
    if (daemon->stop_instances)
        controller_stop_all(daemon->controller, timeout_usec, on_settled, daemon);
    else
        controller_settle(daemon->controller, on_settled, daemon);
}

static void on_ready(void *userdata)
{
    const Daemon *daemon = userdata;

    status_ready(daemon->status);
}

/* A program that ends is gone in two ways, of which either may be seen first. */
static void daemon_orphaned(Daemon *daemon, const char *why)
{
    if (!daemon->ending)
        daemon_end(daemon, why, ORPHANED_USEC);
}

static void on_peer_gone(void *userdata)
{
    daemon_orphaned(userdata, "the client has left");
}

static int on_program_gone(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)fd;
    (void)revents;
    (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
    daemon_orphaned(userdata, "the program has ended");
    return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    daemon_end(userdata,
               info->ssi_signo == SIGINT    ? "SIGINT"
               : info->ssi_signo == SIGTERM ? "SIGTERM"
                                            : "SIGHUP",
               UINT64_MAX);
    return 0;
}

/* Blocked here and handled by the loop; what is started from here gets an empty mask again. */
static int watch_signals(Daemon *daemon)
{
    static const int ends[] = { SIGTERM, SIGINT, SIGHUP };
    sigset_t mask;
    int r = 0;

    sigemptyset(&mask);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
        sigaddset(&mask, ends[i]);
    (void)sigprocmask(SIG_BLOCK, &mask, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(ends); i++)
        r = sd_event_add_signal(daemon->event, NULL, ends[i], on_signal, daemon);
    return r;
}

static uint64_t raise_fd_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1024;
    if (limit.rlim_cur == limit.rlim_max)
        return limit.rlim_max;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? 1024 : limit.rlim_max;
}

static uint64_t max_instances(const DaemonOptions *options)
{
    uint64_t fds = raise_fd_limit();
    uint64_t each = FDS_PER_INSTANCE + (options->runtime_dir ? 0 : FDS_IN_MEMORY);
    uint64_t possible = fds > FDS_RESERVED + each ? (fds - FDS_RESERVED) / each : 1;

    if (options->max_instances == 0)
        return possible;
    if (options->max_instances > possible)
        log_warning("MaxInstances=%" G_GUINT64_FORMAT
                    ": the limit on open files (%" G_GUINT64_FORMAT ") allows %" G_GUINT64_FORMAT,
                    options->max_instances, fds, possible);
    return MIN(options->max_instances, possible);
}

/* The three programs are installed side by side, and lie side by side where they are built. */
static char *sibling(const char *name)
{
    g_autofree char *own = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *directory = own ? g_path_get_dirname(own) : g_strdup(CONSTELLATION_LIBEXECDIR);

    return g_build_filename(directory, name, NULL);
}

static Launcher *make_launcher(sd_event *event, Mode mode)
{
    g_autofree char *program = sibling("constellation-launcher");
    g_autofree char *init = sibling("constellation-init");
    struct stat st;
    bool unit = mode == MODE_SYSTEM && stat(LAUNCHER_SOCKET, &st) == 0 && S_ISSOCK(st.st_mode);
    const LauncherOptions options = {
        .event = event,
        .socket = unit ? LAUNCHER_SOCKET : NULL,
        .program = program,
        .init = init,
        .ends_with_us = mode == MODE_PRIVATE,
    };

    return launcher_new(&options);
}

static Resources *make_resources(sd_event *event, const DaemonOptions *options)
{
    const ResourcesOptions resources = {
        .event = event,
        .realm = options->realm,
        .user_manager = geteuid() != 0,
        .no_systemd = options->no_systemd,
        .service_unit = options->mode == MODE_PRIVATE ? NULL : "constellationd.service",
    };

    return resources_new(&resources);
}

static bool run(const DaemonOptions *options, GError **error)
{
    g_autoptr(sd_event) event = NULL;
    g_autoptr(Launcher) launcher = NULL;
    g_autoptr(Resources) resources = NULL;
    g_autoptr(Controller) controller = NULL;
    g_autoptr(Face) face = NULL;
    Daemon daemon = { .stop_instances = options->stop_instances };

    int r = sd_event_default(&event);
    daemon.event = event;
    if (r >= 0)
        r = watch_signals(&daemon);
    if (r >= 0 && options->end_fd >= 0)
        r = sd_event_add_io(event, NULL, options->end_fd, EPOLLIN, on_program_gone, &daemon);
    if (r < 0)
        return error_from_errno(error, CONSTELLATION_ERROR_NOT_SUPPORTED, r, "the event loop");
    (void)sd_event_set_watchdog(event, true);

    launcher = make_launcher(event, options->mode);
    resources = make_resources(event, options);
    const ControllerOptions wanted = {
        .event = event,
        .mode = options->mode,
        .uid = geteuid(),
        .realm = options->realm,
        .runtime_dir = options->runtime_dir,
        .state_dir = options->state_dir,
        .node_name = options->node_name,
        .cluster_name = options->cluster_name,
        .interpreter = options->interpreter,
        .max_instances = max_instances(options),
        .user_limits = options->user_limits,
        .log_size = options->log_size,
        .launcher = launcher,
        .resources = resources,
    };
    controller = daemon.controller = controller_new(&wanted, error);
    if (!controller)
        return false;
    controller_adopt(controller);
    g_autoptr(Status) status = daemon.status = status_new(event, controller);
    /* What this host allows is known before anybody can ask. */
    for (r = 0; r >= 0 && !controller->features.known;)
        r = sd_event_run(event, UINT64_MAX);
    const FaceOptions shown = {
        .event = event,
        .controller = controller,
        .socket_path = options->socket_path,
        .socket_fd = options->socket_fd,
        .ready = on_ready,
        .peer_gone = options->socket_fd >= 0 ? on_peer_gone : NULL,
        .userdata = &daemon,
    };
    face = face_new(&shown, error);
    if (!face)
        return false;
    r = sd_event_loop(event);
    return r >= 0 ||
           error_from_errno(error, CONSTELLATION_ERROR_NOT_SUPPORTED, r, "the event loop");
}

int main(int argc, char **argv)
{
    g_auto(DaemonOptions) options = { .socket_fd = -1, .end_fd = -1 };
    g_autoptr(GError) error = NULL;

    /* What this process knows includes the environments of all instances. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)umask(0077);
    int r = daemon_options_parse(&options, argc, argv, &error);
    if (r == 0)
        return EXIT_SUCCESS;
    if (r < 0 || !daemon_options_complete(&options, &error) || !run(&options, &error)) {
        log_error("constellationd: %s", error->message);
        return r < 0 ? 2 : EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
