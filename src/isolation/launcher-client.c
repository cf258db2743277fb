/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "isolation/launcher-client.h"
#include "util/event.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/message.h"
#include "util/syscalls.h"

struct Launcher {
    sd_event *event;
    char *socket_path;
    char *program;
    char *init;
    bool ends_with_us;
    int socket; /* -1: not connected */
    sd_event_source *socket_source;
    uint32_t serial;
    GHashTable *calls; /* serial -> LaunchCall */
    GArray *unreaped;  /* pids to let go of, when there is room in the socket again */
};

struct LaunchCall {
    Launcher *launcher;
    uint32_t serial;
    LaunchCallback callback;
    void *userdata;
};

Launcher *launcher_new(const LauncherOptions *options)
{
    Launcher *launcher = g_new0(Launcher, 1);

    launcher->event = sd_event_ref(options->event);
    launcher->socket_path = g_strdup(options->socket);
    launcher->program = g_strdup(options->program);
    launcher->init = g_strdup(options->init);
    launcher->ends_with_us = options->ends_with_us;
    launcher->socket = -1;
    launcher->calls = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    launcher->unreaped = g_array_new(FALSE, FALSE, sizeof(pid_t));
    return launcher;
}

/* ---- connection ------------------------------------------------------------------------------ */

static void disconnect(Launcher *launcher)
{
    launcher->socket_source = sd_event_source_disable_unref(launcher->socket_source);
    launcher->socket = fd_close(launcher->socket);
}

/* A callback may make new calls: the table is taken away before the first one. */
static void connection_lost(Launcher *launcher)
{
    g_autoptr(GHashTable) calls = launcher->calls;
    GHashTableIter iterator;
    LaunchCall *call;

    launcher->calls = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    /* The launcher reaps what is left over when its connection ends. */
    g_array_set_size(launcher->unreaped, 0);
    disconnect(launcher);
    g_hash_table_iter_init(&iterator, calls);
    while (g_hash_table_iter_next(&iterator, NULL, (gpointer *)&call)) {
        if (!call->callback)
            continue;
        g_autoptr(GError) error = NULL;
        error_set(&error, CONSTELLATION_ERROR_SPAWN_FAILED,
                  "the launcher went away during the start");
        call->callback(NULL, -1, error, call->userdata);
    }
}

/* The reply is of no interest. False: no room in the socket now. */
static bool send_reap(Launcher *launcher, pid_t pid)
{
    const struct LaunchRequest request = {
        .magic = LAUNCH_MAGIC,
        .version = WIRE_VERSION,
        .verb = LAUNCH_REAP,
        .serial = 0,
        .pid = pid,
    };

    return message_send(launcher->socket, &request, sizeof request, NULL, 0) != -EAGAIN;
}

void launcher_reap(Launcher *launcher, pid_t pid)
{
    if (launcher->socket >= 0 && !send_reap(launcher, pid))
        g_array_append_val(launcher->unreaped, pid);
}

/* An init whose end nobody else waits for. */
typedef struct Unwatched {
    Launcher *launcher;
    pid_t pid;
} Unwatched;

static int on_unwatched_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    const Unwatched *unwatched = userdata;

    (void)fd;
    (void)revents;
    launcher_reap(unwatched->launcher, unwatched->pid);
    (void)sd_event_source_set_floating(source, false);
    sd_event_source_disable_unref(source);
    return 0;
}

void launcher_reap_at_end(Launcher *launcher, int pidfd, pid_t pid)
{
    Unwatched *unwatched = g_new0(Unwatched, 1);
    sd_event_source *source;

    *unwatched = (Unwatched){ launcher, pid };
    if (sd_event_add_io(launcher->event, &source, pidfd, EPOLLIN, on_unwatched_ended, unwatched) <
        0) {
        g_free(unwatched);
        fd_close(pidfd);
        return;
    }
    (void)sd_event_source_set_io_fd_own(source, true);
    (void)sd_event_source_set_destroy_callback(source, g_free);
    (void)sd_event_source_set_floating(source, true); /* it goes with the loop, if not before */
}

void launcher_abandon(Launcher *launcher, int pidfd, pid_t pid)
{
    (void)sys_pidfd_send_signal(pidfd, SIGKILL);
    launcher_reap_at_end(launcher, pidfd, pid);
}

static bool reply_is_sound(const Received *received, const struct LaunchReply *reply)
{
    return received->size == sizeof *reply && reply->magic == LAUNCH_MAGIC &&
           reply->version == WIRE_VERSION && reply->error >= 0 && received->n_fds <= 1;
}

static void dispatch_reply(Launcher *launcher, const struct LaunchReply *reply, int pidfd)
{
    LaunchCall *call = g_hash_table_lookup(launcher->calls, GUINT_TO_POINTER(reply->serial));

    if (!call || !call->callback) {
        if (pidfd >= 0)
            launcher_abandon(launcher, pidfd, reply->pid);
        g_hash_table_remove(launcher->calls, GUINT_TO_POINTER(reply->serial));
        return;
    }
    LaunchCallback callback = call->callback;
    void *userdata = call->userdata;
    g_hash_table_remove(launcher->calls, GUINT_TO_POINTER(reply->serial));
    callback(reply, pidfd, NULL, userdata);
}

static int on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Launcher *launcher = userdata;
    struct LaunchReply reply;
    Received received;

    (void)source;
    (void)revents;
    int r = message_receive(fd, &reply, sizeof reply, &received);
    if (r == -EAGAIN)
        return 0;
    if (r < 0 || received.size == 0) {
        if (r < 0)
            log_warning("launcher: %s", g_strerror(-r));
        connection_lost(launcher);
        return 0;
    }
    if (!reply_is_sound(&received, &reply)) {
        log_error("launcher: a reply that makes no sense; is it of another version?");
        received_done(&received);
        connection_lost(launcher);
        return 0;
    }
    dispatch_reply(launcher, &reply, received.n_fds > 0 ? received.fds[0] : -1);
    while (launcher->unreaped->len > 0 &&
           send_reap(launcher, g_array_index(launcher->unreaped, pid_t, 0)))
        g_array_remove_index_fast(launcher->unreaped, 0);
    return 0;
}

/* A launcher of ours has ended. The source belongs to nobody and owns the pidfd: the launcher that
 * replaces this one may be there already. */
static int on_child_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    siginfo_t info = { 0 };

    (void)revents;
    (void)userdata;
    (void)waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG);
    sd_event_source_disable_unref(source);
    return 0;
}

static void watch_child(Launcher *launcher, pid_t pid)
{
    sd_event_source *source;
    int pidfd = sys_pidfd_open(pid);

    if (pidfd < 0)
        return;
    if (sd_event_add_io(launcher->event, &source, pidfd, EPOLLIN, on_child_ended, NULL) < 0) {
        fd_close(pidfd);
        return;
    }
    (void)sd_event_source_set_io_fd_own(source, true);
}

/* posix_spawn clones without copying our page tables, so the cost does not grow with our heap. */
static int spawn_launcher(Launcher *launcher, int socket, pid_t *ret_pid)
{
    g_autofree char *init = g_strdup_printf("--init=%s", launcher->init);
    char *argv[] = { launcher->program, (char *)"--fd=3", init,
                     launcher->ends_with_us ? (char *)"--kill-at-end" : NULL, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, socket, 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int r = posix_spawn(ret_pid, launcher->program, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

static int start_child(Launcher *launcher)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    int r = spawn_launcher(launcher, pair[1], &pid);
    fd_close(pair[1]);
    if (r < 0) {
        fd_close(pair[0]);
        return r;
    }
    watch_child(launcher, pid);
    return pair[0];
}

static int connect_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    return fd_steal(&fd);
}

static bool ensure_connected(Launcher *launcher, GError **error)
{
    if (launcher->socket >= 0)
        return true;
    int fd = launcher->socket_path ? connect_socket(launcher->socket_path) : start_child(launcher);
    if (fd < 0)
        return error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, fd,
                                "cannot reach the launcher %s",
                                launcher->socket_path ? launcher->socket_path : launcher->program);
    int r = sd_event_add_io(launcher->event, &launcher->socket_source, fd, EPOLLIN, on_socket,
                            launcher);
    if (r < 0) {
        fd_close(fd);
        return error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, r,
                                "cannot watch the launcher");
    }
    launcher->socket = fd;
    return true;
}

void launcher_free(Launcher *launcher)
{
    if (!launcher)
        return;
    disconnect(launcher);
    g_hash_table_unref(launcher->calls);
    g_array_unref(launcher->unreaped);
    g_free(launcher->socket_path);
    g_free(launcher->program);
    g_free(launcher->init);
    sd_event_unref(launcher->event);
    g_free(launcher);
}

/* ---- calls ----------------------------------------------------------------------------------- */

LaunchCall *launcher_call(Launcher *launcher, struct LaunchRequest request, const int *fds,
                          size_t n_fds, LaunchCallback callback, void *userdata, GError **error)
{
    if (!ensure_connected(launcher, error))
        return NULL;

    request.magic = LAUNCH_MAGIC;
    request.version = WIRE_VERSION;
    /* 0 is for those that nobody waits for. */
    do
        request.serial = ++launcher->serial;
    while (request.serial == 0);
    int r = message_send(launcher->socket, &request, sizeof request, fds, n_fds);
    if (r == -EPIPE || r == -ECONNRESET) {
        /* It went away, and we have not been told yet: nothing of this request has got through. */
        connection_lost(launcher);
        if (!ensure_connected(launcher, error))
            return NULL;
        r = message_send(launcher->socket, &request, sizeof request, fds, n_fds);
    }
    if (r < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, r,
                         "cannot send a request to the launcher");
        /* Whoever waits is told from the loop: on_socket sees the broken connection. */
        return NULL;
    }
    LaunchCall *call = g_new0(LaunchCall, 1);
    call->launcher = launcher;
    call->serial = request.serial;
    call->callback = callback;
    call->userdata = userdata;
    g_hash_table_insert(launcher->calls, GUINT_TO_POINTER(call->serial), call);
    return call;
}

void launch_call_cancel(LaunchCall *call)
{
    /* Stays in the table until the reply is there, so that its pidfd is taken and closed. */
    if (call)
        call->callback = NULL;
}
