/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ownership of sd-event objects with g_autoptr(). A source that is dropped never fires again, even
 * if somebody else still holds a reference. */

#include <glib.h>
#include <systemd/sd-event.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_event, sd_event_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_event_source, sd_event_source_disable_unref)
