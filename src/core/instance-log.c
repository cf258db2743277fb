/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading what the init has kept of the payload's output. It is opened for each look: nobody else
 * in the service needs it, and there may be thousands. */

#include <errno.h>

#include "core/controller.h"
#include "core/store.h"
#include "util/fd.h"

static bool refuse(const Instance *instance, GError **error)
{
    if (instance->log_target == LOG_TARGET_JOURNAL)
        return error_set(error, CONSTELLATION_ERROR_NOT_SUPPORTED,
                         "what '%s' writes is in the journal (journalctl -t %s)", instance->name,
                         instance->name);
    return error_set(error, CONSTELLATION_ERROR_NOT_SUPPORTED,
                     "what '%s' writes is not kept here: see StandardOutput= and StandardError=",
                     instance->name);
}

/* -1 and no error: there was no run yet that could have written something. */
static int open_log(Instance *instance, GError **error)
{
    int fd = store_log_open(instance->controller->store, instance);

    if (fd >= 0 || (fd == -ENOENT && instance->log_target == LOG_TARGET_UNKNOWN))
        return MAX(fd, -1);
    if (fd == -ENOENT)
        refuse(instance, error);
    else
        error_from_errno(error, CONSTELLATION_ERROR_NOT_SUPPORTED, fd, "the log of '%s'",
                         instance->name);
    return -1;
}

static bool check(const Instance *instance, int r, GError **error)
{
    return r >= 0 || error_from_errno(error, CONSTELLATION_ERROR_NOT_SUPPORTED, r,
                                      "reading the log of '%s'", instance->name);
}

bool instance_read_log(Instance *instance, uint64_t cursor, OutputLogPage *ret, GError **error)
{
    g_autoptr(GError) failure = NULL;
    auto_fd fd = open_log(instance, &failure);

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (fd >= 0)
        return check(instance, output_log_read(fd, cursor, ret), error);
    ret->lost = ret->next = ret->size = 0;
    return true;
}

bool instance_seek_log(Instance *instance, uint64_t lines, uint64_t *ret_cursor, GError **error)
{
    g_autoptr(GError) failure = NULL;
    auto_fd fd = open_log(instance, &failure);

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (fd >= 0)
        return check(instance, output_log_seek_end(fd, lines, ret_cursor), error);
    *ret_cursor = 0;
    return true;
}

bool instance_log_usage(Instance *instance, uint64_t *ret_written, uint64_t *ret_discarded)
{
    auto_fd fd = store_log_open(instance->controller->store, instance);
    struct LogHeader header;

    if (fd < 0 || output_log_read_header(fd, &header) < 0)
        return false;
    *ret_written = header.counters.written;
    *ret_discarded = header.counters.discarded;
    return true;
}
