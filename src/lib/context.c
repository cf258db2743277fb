/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What isolation_context leads to: what the service really made of the isolation that was asked
 * for. One block an instance, filled in place, so that a pointer to it stays good. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/handle.h"
#include "lib/properties.h"

#define KINDS_MAX (sizeof((IsolationContext *)NULL)->kinds / sizeof(IsolationKind))

static void add_kind(IsolationContext *context, const char *kind, const char *outcome,
                     const char *reason)
{
    if ((size_t)context->count >= KINDS_MAX)
        return;
    IsolationKind *row = &context->kinds[context->count++];
    (void)snprintf(row->kind, sizeof row->kind, "%s", kind);
    (void)snprintf(row->outcome, sizeof row->outcome, "%s", outcome);
    (void)snprintf(row->reason, sizeof row->reason, "%s", reason);
}

static int read_kinds(sd_bus_message *message, IsolationContext *context)
{
    const char *kind, *outcome, *reason;
    int r = sd_bus_message_enter_container(message, 'v', "a(sss)");

    if (r > 0)
        r = sd_bus_message_enter_container(message, 'a', "(sss)");
    context->count = 0;
    while (r >= 0 && (r = sd_bus_message_read(message, "(sss)", &kind, &outcome, &reason)) > 0)
        add_kind(context, kind, outcome, reason);
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    return r < 0 ? r : 1;
}

int context_read(sd_bus_message *message, const char *name, Handle *handle)
{
    IsolationContext *context = handle->instance.isolation_context;

    if (!context)
        return 0;
    if (strcmp(name, "Isolation") == 0)
        return read_kinds(message, context);
    if (strcmp(name, "Backend") == 0)
        return property_text(message, context->backend, sizeof context->backend);
    if (strcmp(name, "BackendReason") == 0)
        return property_text(message, context->backend_reason, sizeof context->backend_reason);
    if (strcmp(name, "ControlGroup") == 0)
        return property_text(message, context->control_group, sizeof context->control_group);
    return 0;
}

/* Settings that the service does not have yet are kinds of isolation and limits that are not made,
 * and that is said where the others are. */
void context_add_without(Handle *handle)
{
    char reason[128];

    for (unsigned i = 0; handle->instance.isolation_context && i < handle->without.count; i++) {
        const char *setting = handle->without.settings[i];
        (void)snprintf(reason, sizeof reason, "the service does not know the setting %s", setting);
        add_kind(handle->instance.isolation_context, setting, "refused", reason);
    }
}

bool context_make(Handle *handle)
{
    if (!handle->instance.isolation_context)
        handle->instance.isolation_context = calloc(1, sizeof(IsolationContext));
    return handle->instance.isolation_context;
}

void context_free(Handle *handle)
{
    free(handle->instance.isolation_context);
    handle->instance.isolation_context = NULL;
}
