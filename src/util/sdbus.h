/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ownership of sd-bus objects with g_autoptr(). The one door to sd-bus.h: only the layers that
 * speak D-Bus (systemd/, bus/, ctl/, daemon/) come through it. */

#include <glib.h>
#include <systemd/sd-bus.h>

/* Closes without flushing, which could wait for a peer; who must have something said before the
 * end calls sd_bus_flush() first. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus, sd_bus_close_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_message, sd_bus_message_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_slot, sd_bus_slot_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(sd_bus_error, sd_bus_error_free)
