/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/controller.h"
#include "core/events.h"
#include "util/log.h"

static const struct {
    const char *message_id;
    int priority;
    const char *what;
} events[_EVENT_LOG_COUNT] = {
    [EVENT_LOG_STARTED] = { "0335b0dd7a394161bde46fef11029236", LOG_INFO, "started" },
    [EVENT_LOG_START_FAILED] = { "e35f897e1d61444c84329f309cc496c4", LOG_WARNING, "start failed" },
    [EVENT_LOG_ENDED] = { "764c6a2101d741c7bda154ddf3592a0a", LOG_INFO, "ended" },
    [EVENT_LOG_OOM_KILLED] = { "01ed46d607c54ac68cfe90423239e565", LOG_WARNING, "out of memory" },
    [EVENT_LOG_RESTART_SCHEDULED] = { "81d1ddd606fc4ebc9cd999ad6a387ec2", LOG_INFO,
                                      "is started again" },
    [EVENT_LOG_START_LIMIT] = { "9962db93f10146b6879c7e1cfef591b7", LOG_WARNING,
                                "is not started again" },
    [EVENT_LOG_ADOPTED] = { "28136b9a858a4cf595ebda3e00587e44", LOG_INFO, "runs still" },
};

const char *event_message_id(Event event)
{
    return events[event].message_id;
}

void event_tell(const Instance *instance, Event event)
{
    const Placement *placement = instance->placement;
    g_autofree char *owner = g_strdup_printf("%u", instance->owner);
    g_autofree char *run = g_strdup_printf("%" G_GUINT64_FORMAT, instance->run);
    /* journald believes OBJECT_SYSTEMD_UNIT= of root, and `journalctl -u` of the scope then shows
     * this beside what the payload wrote. */
    const LogField fields[] = {
        { "CONSTELLATION_INSTANCE", instance->name },
        { "CONSTELLATION_ID", instance->id },
        { "CONSTELLATION_OWNER", owner },
        { "CONSTELLATION_RUN", run },
        { "CONSTELLATION_RESULT", result_to_string(instance->result) },
        { "OBJECT_SYSTEMD_UNIT", placement ? placement->unit : NULL },
        { NULL, NULL },
    };

    log_event(events[event].priority, events[event].message_id, fields, "%s (%s) %s: %s",
              instance->name, instance->id, events[event].what, instance->status_text);
}
