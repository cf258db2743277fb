/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the payload's output goes. To the journal by a stream of journald, which reads it itself.
 * Where there is none, through a pipe to the init and into a log of bounded size: both outputs
 * through the same pipe, so that their lines stay in order. */

#include <errno.h>
#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include "core/output.h"
#include "core/start.h"
#include "core/store.h"
#include "util/fd.h"

void start_output_done(StartOutput *output)
{
    for (size_t i = 0; i < G_N_ELEMENTS(output->stdio); i++)
        output->stdio[i] = fd_close(output->stdio[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(output->log); i++)
        output->log[i] = fd_close(output->log[i]);
}

static int duplicate(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    return copy < 0 ? -errno : copy;
}

/* The end of the log's pipe to write to. */
static int open_log(const Start *start, StartOutput *output, GError **error)
{
    Instance *instance = start->instance;
    Controller *controller = instance->controller;
    int ends[2];

    auto_fd log = store_log_create(controller->store, instance, controller->log_size, error);
    if (log < 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED, errno, "the log's pipe");
        return -1;
    }
    output->log[0] = fd_steal(&log);
    output->log[1] = ends[0];
    instance->log_target = LOG_TARGET_RING;
    return ends[1];
}

/* The log instead, with what is to be said of it. */
static int open_kept(const Start *start, StartOutput *output, char **ret_kept)
{
    const Instance *instance = start->instance;
    uint64_t size = instance->controller->log_size;
    g_autoptr(GError) error = NULL;
    int fd = -1;

    if (size == 0)
        error_set(&error, CONSTELLATION_ERROR_NOT_SUPPORTED, "LogSizeMax=0");
    else if (output->log[0] >= 0)
        fd = duplicate(output->stdio[STDOUT_FILENO]);
    else
        fd = open_log(start, output, &error);
    *ret_kept = error ? g_strdup_printf("the output is discarded (%s)", error->message)
                      : g_strdup_printf("the last %" G_GUINT64_FORMAT " KiB of the output are in a "
                                        "log of its own (constellationctl logs %s)",
                                        size >> 10, instance->name);
    return error ? output_open_null() : fd;
}

/* `error_number`: why there is no journal. */
static int open_instead_of_journal(const Start *start, SettingId id, int error_number,
                                   StartOutput *output, GError **error)
{
    const char *setting = setting_get(id)->name;
    g_autofree char *kept = NULL;

    if (start_requires(start, setting)) {
        error_set(error, CONSTELLATION_ERROR_NOT_SUPPORTED,
                  "%s is required, and there is no journal to write to (%s)", setting,
                  g_strerror(error_number));
        return -1;
    }
    int fd = open_kept(start, output, &kept);
    g_autofree char *reason = g_strdup_printf("no journal to write to (%s): %s",
                                              g_strerror(error_number), kept);
    instance_degrade(start->instance, setting, "unsupported", reason);
    return fd;
}

static int open_one(const Start *start, SettingId id, int given, StartOutput *output,
                    GError **error)
{
    Instance *instance = start->instance;
    const char *unit = instance->placement->unit ? instance->placement->unit : "";

    if (given >= 0)
        return duplicate(given);
    /* file: and append: are opened by the payload's process, as its user. */
    if (g_strcmp0(spec_get_string(instance->spec, id), "journal") != 0)
        return output_open_null();
    int fd = output_open_journal(instance->name, unit, LOG_INFO);
    if (fd < 0)
        return open_instead_of_journal(start, id, -fd, output, error);
    instance->log_target = LOG_TARGET_JOURNAL;
    return fd;
}

bool start_open_output(Start *start, StartOutput *output, GError **error)
{
    static const SettingId settings[] = {
        [STDOUT_FILENO] = SETTING_STANDARD_OUTPUT, [STDERR_FILENO] = SETTING_STANDARD_ERROR
    };
    g_autoptr(GError) failure = NULL;

    start->instance->log_target = LOG_TARGET_NONE;
    output->stdio[STDIN_FILENO] = start->stdio[STDIN_FILENO] >= 0
                                      ? duplicate(start->stdio[STDIN_FILENO])
                                      : output_open_null();
    for (int i = STDOUT_FILENO; i <= STDERR_FILENO && !failure; i++)
        output->stdio[i] = open_one(start, settings[i], start->stdio[i], output, &failure);
    for (int i = 0; i < 3 && !failure; i++)
        if (output->stdio[i] < 0)
            error_from_errno(&failure, CONSTELLATION_ERROR_SPAWN_FAILED, output->stdio[i],
                             "the payload's input and output");
    if (!failure)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}
