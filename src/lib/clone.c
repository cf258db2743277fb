/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* isolation_clone_process(): what has to be known is found out before the fork, with the library
 * locked; what the child reports is turned into words after it. */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cgroup.h"
#include "lib/inside.h"
#include "lib/properties.h"
#include "util/fd.h"
#include "util/syscalls.h"

#define PASSWD_SIZE 4096

static const struct {
    const char *kind;
    int flag;
} namespaces[] = {
    { "pid", CLONE_NEWPID },   { "mount", CLONE_NEWNS },      { "uts", CLONE_NEWUTS },
    { "ipc", CLONE_NEWIPC },   { "cgroup", CLONE_NEWCGROUP }, { "network", CLONE_NEWNET },
    { "user", CLONE_NEWUSER },
};

/* ---- before ---------------------------------------------------------------------------------- */

static void take_namespaces(const IsolationContext *context, Inside *inside)
{
    for (int i = 0; context && i < context->count; i++)
        for (size_t j = 0; j < sizeof namespaces / sizeof namespaces[0]; j++)
            if (strcmp(context->kinds[i].kind, namespaces[j].kind) == 0 &&
                strcmp(context->kinds[i].outcome, "private") == 0)
                inside->other_namespaces |= namespaces[j].flag;
    inside->user_namespace = inside->other_namespaces & CLONE_NEWUSER;
    inside->other_namespaces &= ~CLONE_NEWUSER;
}

static int read_user(sd_bus_message *message, const char *name, void *userdata)
{
    return strcmp(name, "User") == 0 ? property_text(message, userdata, 64) : 0;
}

/* Whom a payload would run as. Within a user namespace the ids are those that one has there. */
static ConstellationError take_identity(const Handle *handle, Inside *inside)
{
    char user[64] = "", buffer[PASSWD_SIZE], *end;
    struct passwd entry, *found = NULL;

    if (inside->payload > 0 || inside->user_namespace || geteuid() != 0)
        return CONSTELLATION_OK;
    ConstellationError result = properties_get(library.link, object_path(handle->instance.id).text,
                                               INTERFACE_SETTINGS, read_user, user);
    if (result != CONSTELLATION_OK)
        return result;
    uid_t uid = *user ? (uid_t)strtoul(user, &end, 10) : (uid_t)handle->owner;
    if (*user && *end)
        (void)getpwnam_r(user, &entry, buffer, sizeof buffer, &found);
    else
        (void)getpwuid_r(uid, &entry, buffer, sizeof buffer, &found);
    if (!found)
        return fail(CONSTELLATION_ERR_NOT_FOUND, "'%s' runs as a user that there is not",
                    handle->instance.name);
    inside->uid = found->pw_uid;
    inside->gid = found->pw_gid;
    return CONSTELLATION_OK;
}

static ConstellationError open_init(Handle *handle, Inside *inside)
{
    ConstellationError result = snapshot_refresh(handle);
    pid_t pid = handle->init_pid;

    if (result != CONSTELLATION_OK)
        return result;
    if (pid <= 0)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "'%s' does not run and is not prepared: there is nothing to be inside of",
                    handle->instance.name);
    inside->init_fd = sys_pidfd_open(pid);
    if (inside->init_fd < 0)
        return fail_errno(inside->init_fd, "opening the init of '%s'", handle->instance.name);
    /* Still the same: the number was its own when it was opened. */
    result = snapshot_refresh(handle);
    if (result == CONSTELLATION_OK && handle->init_pid != pid)
        result = fail(CONSTELLATION_ERR_INVALID_PARAM, "'%s' ended meanwhile",
                      handle->instance.name);
    return result;
}

static ConstellationError take_all(Handle *handle, Inside *inside)
{
    if (!context_make(handle))
        return fail(CONSTELLATION_ERR_NO_MEMORY, "isolation_clone_process");
    ConstellationError result = open_init(handle, inside);
    if (result != CONSTELLATION_OK)
        return result;
    const IsolationContext *context = handle->instance.isolation_context;
    inside->payload = handle->main_pid;
    take_namespaces(context, inside);
    inside->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (inside->proc_fd < 0)
        return fail_errno(errno, "/proc");
    result = *context->control_group ? cgroup_open(handle, &inside->procs_fd) : CONSTELLATION_OK;
    return result == CONSTELLATION_OK ? take_identity(handle, inside) : result;
}

/* ---- after ----------------------------------------------------------------------------------- */

static void reap(pid_t pid)
{
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static ConstellationError fail_step(const InsideReport *report)
{
    static const struct {
        const char *what;
        ConstellationError code;
    } steps[] = {
        [INSIDE_CGROUP] = { "moving a process into its control group",
                            CONSTELLATION_ERR_CGROUP_FAILED },
        [INSIDE_USER_NAMESPACE] = { "joining its user namespace",
                                    CONSTELLATION_ERR_NAMESPACE_FAILED },
        [INSIDE_RIGHTS] = { "reading the rights of its payload",
                            CONSTELLATION_ERR_ISOLATION_FAILED },
        [INSIDE_NAMESPACES] = { "joining its namespaces", CONSTELLATION_ERR_NAMESPACE_FAILED },
        [INSIDE_CLONE] = { "making a process in it", CONSTELLATION_ERR_SPAWN_FAILED },
        [INSIDE_DROP] = { "dropping privileges", CONSTELLATION_ERR_ISOLATION_FAILED },
    };
    char text[64];

    return fail(steps[report->step].code, "%s: %s", steps[report->step].what,
                strerror_r(report->error, text, sizeof text));
}

/* Until the function has begun. */
static bool has_entered(int fd)
{
    InsideReport report;
    ssize_t size;

    do
        size = read(fd, &report, sizeof report);
    while (size < 0 && errno == EINTR);
    if (size == sizeof report)
        (void)fail_step(&report);
    return size == 0;
}

static pid_t clone_inside(Inside *inside)
{
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        (void)fail_errno(errno, "pipe");
        return -1;
    }
    auto_fd ours = pipe_fds[0], theirs = pipe_fds[1];
    inside->report_fd = theirs;
    pid_t pid = fork();
    if (pid == 0)
        inside_enter(inside);
    if (pid < 0) {
        (void)fail_errno(errno, "fork");
        return -1;
    }
    (void)fd_close(fd_steal(&theirs));
    if (has_entered(ours))
        return pid;
    reap(pid);
    return -1;
}

pid_t isolation_clone_process(Instance *instance, int (*function)(void *))
{
    Inside inside = { .init_fd = -1,
                      .procs_fd = -1,
                      .proc_fd = -1,
                      .uid = (uid_t)-1,
                      .function = function,
                      .argument = instance };
    Handle *handle;

    if (!function) {
        (void)fail(CONSTELLATION_ERR_INVALID_PARAM, "isolation_clone_process: function is NULL");
        return -1;
    }
    if (handle_enter(instance, &handle) != CONSTELLATION_OK)
        return -1;
    ConstellationError result = take_all(handle, &inside);
    /* The handlers of fork() lock as well. */
    handle_leave(handle);
    pid_t pid = result == CONSTELLATION_OK ? clone_inside(&inside) : -1;
    fd_close(inside.init_fd);
    fd_close(inside.procs_fd);
    fd_close(inside.proc_fd);
    return pid;
}
