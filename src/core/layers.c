/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/layers.h"
#include "core/registry.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/log.h"

static int open_layers(const Controller *controller)
{
    if (!controller->layers)
        return -1;
    return open(controller->layers, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void on_removed(const struct LaunchReply *reply, int pidfd, GError *error, void *userdata)
{
    (void)userdata;
    fd_close(pidfd);
    if (error)
        log_warning("removing the layer of an overlay: %s", error->message);
    else if (reply->error != 0)
        log_warning("removing the layer of an overlay: %s", g_strerror(reply->error));
}

static void remove_layer(Controller *controller, int layers, const char *id)
{
    struct LaunchRequest request = { .verb = LAUNCH_REMOVE };
    g_autoptr(GError) error = NULL;

    if (g_strlcpy(request.name, id, sizeof request.name) >= sizeof request.name)
        return;
    if (!launcher_call(controller->launcher, request, &layers, 1, on_removed, NULL, &error))
        log_warning("removing the layer of %s: %s", id, error->message);
}

void layers_remove(Controller *controller, const Instance *instance)
{
    if (spec_get_uint(instance->spec, SETTING_OVERLAY) != OVERLAY_PERSISTENT)
        return;
    auto_fd layers = open_layers(controller);
    if (layers >= 0)
        remove_layer(controller, layers, instance->id);
}

void layers_sweep(Controller *controller)
{
    auto_fd layers = open_layers(controller);
    g_autoptr(GDir) directory = layers >= 0 ? g_dir_open(controller->layers, 0, NULL) : NULL;
    const char *name;

    while (directory && (name = g_dir_read_name(directory)))
        if (id_is_valid(name) && !registry_by_id(controller->registry, name))
            remove_layer(controller, layers, name);
}
