/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From core's observer to signals. Changes are collected and looked at once before the loop goes
 * to sleep: an instance that changed several times in a turn makes one signal, with the properties
 * that are different from when it was last shown. */

#include <string.h>

#include "bus/caller.h"
#include "bus/names.h"
#include "bus/properties.h"
#include "util/log.h"

/* How long a busy loop may keep a change to itself. */
#define FLUSH_LATEST_USEC (20 * 1000)

typedef enum ShownKind {
    SHOWN_TEXT,
    SHOWN_NUMBER,
    SHOWN_TIMESTAMP,
    SHOWN_EXIT,
    SHOWN_RESTART,
    SHOWN_ROWS
} ShownKind;

static const struct {
    const char *property;
    ShownKind kind;
} shown_properties[] = {
    { "State", SHOWN_TEXT },
    { "SubState", SHOWN_TEXT },
    { "Result", SHOWN_TEXT },
    { "StatusText", SHOWN_TEXT },
    { "ExitCode", SHOWN_EXIT },
    { "ExitSignal", SHOWN_EXIT },
    { "MainPID", SHOWN_NUMBER },
    { "InitPID", SHOWN_NUMBER },
    { "Run", SHOWN_NUMBER },
    { "Restarts", SHOWN_NUMBER },
    { "RestartReason", SHOWN_TEXT },
    { "NextRestartTimestamp", SHOWN_RESTART },
    { "Unit", SHOWN_TEXT },
    { "Slice", SHOWN_TEXT },
    { "ControlGroup", SHOWN_TEXT },
    { "Backend", SHOWN_TEXT },
    { "BackendReason", SHOWN_TEXT },
    { "LogTarget", SHOWN_TEXT },
    { "Isolation", SHOWN_ROWS },
    { "Enforced", SHOWN_ROWS },
    { "Degraded", SHOWN_ROWS },
    { "StartedTimestamp", SHOWN_TIMESTAMP },
    { "StartedTimestampMonotonic", SHOWN_TIMESTAMP },
    { "StoppedTimestamp", SHOWN_TIMESTAMP },
    { "StoppedTimestampMonotonic", SHOWN_TIMESTAMP },
};
#define SHOWN_COUNT G_N_ELEMENTS(shown_properties)

/* A number for the value, so that two values can be told apart: itself, or a hash. */
static uint64_t fingerprint(const Instance *instance, size_t i)
{
    const char *property = shown_properties[i].property;

    switch (shown_properties[i].kind) {
    case SHOWN_TEXT:
        return g_str_hash(property_text(instance, property));
    case SHOWN_NUMBER:
        return property_number(instance, property);
    case SHOWN_TIMESTAMP:
        return property_timestamp(instance, property);
    case SHOWN_EXIT:
        return (uint64_t)(strcmp(property, "ExitCode") == 0 ? instance->exit_code
                                                            : instance->exit_signal);
    case SHOWN_RESTART:
        /* On the clock that it is due by: on the wall clock it would seem to move. */
        return instance->restart_boot_usec;
    default:
        /* Rows are made anew by each run, and all of them before it is RUNNING; and by each change
         * of the settings. */
        return (instance->run * 1000 + instance->degraded->len * 10 + instance->enforced->len) *
                   1000 +
               instance->revision;
    }
}

static void emit_changed(Face *face, const Instance *instance, const char *interface,
                         const char *const *names)
{
    g_autofree char *path = instance_path(instance);

    for (guint i = 0; i < face->connections->len; i++) {
        Connection *connection = g_ptr_array_index(face->connections, i);
        if (!connection_hears(connection))
            continue;
        connection->emitting = true;
        int r = sd_bus_emit_properties_changed_strv(connection->bus, path, interface,
                                                    (char **)names);
        connection->emitting = false;
        if (r < 0)
            log_debug("bus: PropertiesChanged: %s", g_strerror(-r));
    }
}

/* Of what was asked for, only limits change. */
static void flush_settings(Face *face, const Instance *instance)
{
    const char *names[_SETTING_COUNT + 1];
    size_t n = 0;

    for (unsigned id = 0; id < _SETTING_COUNT; id++)
        if (setting_get(id)->group == SETTING_GROUP_RESOURCES)
            names[n++] = setting_get(id)->bus_name;
    names[n] = NULL;
    emit_changed(face, instance, INTERFACE_SETTINGS, names);
}

static void flush_instance(Face *face, Instance *instance)
{
    uint64_t *shown = g_hash_table_lookup(face->shown, instance->id);
    const char *names[SHOWN_COUNT + 1];
    size_t n = 0;

    if (!shown)
        return;
    if (shown[SHOWN_COUNT] != instance->revision)
        flush_settings(face, instance);
    shown[SHOWN_COUNT] = instance->revision;
    for (size_t i = 0; i < SHOWN_COUNT; i++) {
        uint64_t value = fingerprint(instance, i);
        if (value != shown[i])
            names[n++] = shown_properties[i].property;
        shown[i] = value;
    }
    if (n == 0)
        return;
    names[n] = NULL;
    emit_changed(face, instance, INTERFACE_INSTANCE, names);
}

static int on_flush(sd_event_source *source, void *userdata)
{
    Face *face = userdata;
    GHashTableIter iterator;
    gpointer id;

    (void)source;
    face->flush_source = sd_event_source_disable_unref(face->flush_source);
    g_autoptr(GHashTable) dirty = face->dirty;
    face->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_iter_init(&iterator, dirty);
    while (g_hash_table_iter_next(&iterator, &id, NULL)) {
        Instance *instance = controller_find_id(face->controller, id);
        if (instance)
            flush_instance(face, instance);
    }
    return 0;
}

static void on_changed(Instance *instance, void *userdata)
{
    Face *face = userdata;

    g_hash_table_add(face->dirty, g_strdup(instance->id));
    if (face->flush_source) {
        /* The loop has not slept for a while: nobody is to wait for that. */
        if (timestamp_now().monotonic_usec - face->dirty_since_usec > FLUSH_LATEST_USEC)
            (void)on_flush(face->flush_source, face);
        return;
    }
    face->dirty_since_usec = timestamp_now().monotonic_usec;
    /* After everything else of this turn. */
    if (sd_event_add_defer(face->event, &face->flush_source, on_flush, face) >= 0)
        (void)sd_event_source_set_priority(face->flush_source, SD_EVENT_PRIORITY_IDLE);
}

static void emit_object(Face *face, Instance *instance, bool added)
{
    g_autofree char *path = instance_path(instance);

    for (guint i = 0; i < face->connections->len; i++) {
        Connection *connection = g_ptr_array_index(face->connections, i);
        if (!connection_hears(connection))
            continue;
        connection->emitting = true;
        int r = added ? sd_bus_emit_object_added(connection->bus, path)
                      : sd_bus_emit_object_removed(connection->bus, path);
        connection->emitting = false;
        if (r < 0)
            log_debug("bus: InterfacesAdded or Removed: %s", g_strerror(-r));
    }
}

static void remember(Face *face, const Instance *instance)
{
    uint64_t *shown = g_new(uint64_t, SHOWN_COUNT + 1);

    for (size_t i = 0; i < SHOWN_COUNT; i++)
        shown[i] = fingerprint(instance, i);
    shown[SHOWN_COUNT] = instance->revision;
    g_hash_table_insert(face->shown, g_strdup(instance->id), shown);
}

static void on_added(Instance *instance, void *userdata)
{
    remember(userdata, instance);
    emit_object(userdata, instance, true);
}

static void on_removed(Instance *instance, void *userdata)
{
    Face *face = userdata;

    flush_instance(face, instance);
    emit_object(face, instance, false);
    g_hash_table_remove(face->shown, instance->id);
    g_hash_table_remove(face->dirty, instance->id);
}

static void on_state_changed(Instance *instance, State from, State to, void *userdata)
{
    Face *face = userdata;
    g_autofree char *path = instance_path(instance);

    for (guint i = 0; i < face->connections->len; i++) {
        Connection *connection = g_ptr_array_index(face->connections, i);
        if (!connection_hears(connection))
            continue;
        (void)sd_bus_emit_signal(connection->bus, path, INTERFACE_INSTANCE, "StateChanged", "ss",
                                 state_to_string(from), state_to_string(to));
    }
}

/* To one client, or to all that listen (NULL). */
static void emit_exited(Connection *connection, const char *unique_name, void *userdata)
{
    const Instance *instance = userdata;
    g_autofree char *path = instance_path(instance);
    g_autoptr(sd_bus_message) message = NULL;
    int code, status;

    property_end(instance, &code, &status);
    int r = sd_bus_message_new_signal(connection->bus, &message, path, INTERFACE_INSTANCE,
                                      "Exited");
    if (r >= 0 && unique_name)
        r = sd_bus_message_set_destination(message, unique_name);
    if (r >= 0)
        r = sd_bus_message_append(message, "usii", (uint32_t)instance->run,
                                  result_to_string(instance->result), code, status);
    if (r >= 0)
        r = sd_bus_send(connection->bus, message, NULL);
    if (r < 0)
        log_debug("bus: Exited: %s", g_strerror(-r));
}

/* How a run ended is its owner's business: on the system bus it is told to those clients of the
 * owner and of root that have called the service, and everybody else hears of the state. */
static void on_exited(Instance *instance, void *userdata)
{
    Face *face = userdata;

    for (guint i = 0; i < face->connections->len; i++) {
        Connection *connection = g_ptr_array_index(face->connections, i);
        if (!connection_hears(connection))
            continue;
        if (connection->is_message_bus && face->controller->mode == MODE_SYSTEM)
            callers_visit(connection, instance->owner, emit_exited, instance);
        else
            emit_exited(connection, NULL, instance);
    }
}

void changes_begin(Face *face)
{
    g_autoptr(GPtrArray) instances = controller_list(face->controller);

    for (guint i = 0; i < instances->len; i++)
        remember(face, g_ptr_array_index(instances, i));
}

void changes_forget(Face *face)
{
    face->flush_source = sd_event_source_disable_unref(face->flush_source);
    g_clear_pointer(&face->dirty, g_hash_table_unref);
    g_clear_pointer(&face->shown, g_hash_table_unref);
}

const ControllerObserver face_observer = {
    .added = on_added,
    .removed = on_removed,
    .changed = on_changed,
    .state_changed = on_state_changed,
    .exited = on_exited,
};
