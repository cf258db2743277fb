/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is asked of systemd beside jobs: stopping a unit, changing one, and listing. */

#include <errno.h>

#include "systemd/manager-internal.h"
#include "util/log.h"

/* ---- stopping -------------------------------------------------------------------------------- */

static int on_stop_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    (void)userdata, (void)ret_error;
    /* "not loaded" is the usual one, and good news */
    if (sd_bus_message_is_method_error(reply, NULL))
        log_debug("systemd did not stop a unit: %s", reply_error_text(reply));
    return 0;
}

static void stop_now(Manager *manager, const char *unit)
{
    int r = sd_bus_call_method_async(manager->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                     SYSTEMD_INTERFACE, "StopUnit", on_stop_reply, NULL, "ss", unit,
                                     "replace");

    if (r < 0)
        log_debug("cannot ask systemd to stop %s: %s", unit, g_strerror(-r));
}

void manager_stop_unit(Manager *manager, const char *unit)
{
    if (manager->state == MANAGER_READY)
        stop_now(manager, unit);
    else
        g_ptr_array_add(manager->stop_later, g_strdup(unit));
}

void units_stop_remembered(Manager *manager)
{
    for (guint i = 0; i < manager->stop_later->len; i++)
        stop_now(manager, manager->stop_later->pdata[i]);
    g_ptr_array_set_size(manager->stop_later, 0);
}

/* ---- changing -------------------------------------------------------------------------------- */

struct UnitChange {
    sd_bus_slot *slot;
    char *unit;
    JobCallback callback;
    void *userdata;
};

void unit_change_cancel(UnitChange *change)
{
    if (!change)
        return;
    sd_bus_slot_unref(change->slot);
    g_free(change->unit);
    g_free(change);
}

static int on_changed(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    UnitChange *change = userdata;
    JobCallback callback = change->callback;
    void *of_callback = change->userdata;
    g_autoptr(GError) error = NULL;

    (void)ret_error;
    if (sd_bus_message_is_method_error(reply, NULL))
        error_set(&error, CONSTELLATION_ERROR_CGROUP_FAILED, "systemd does not change %s: %s",
                  change->unit, reply_error_text(reply));
    unit_change_cancel(change);
    callback(error, of_callback);
    return 0;
}

static int change_message(Manager *manager, const char *unit, const UnitProperty *properties,
                          size_t n_properties, sd_bus_message **ret)
{
    g_autoptr(sd_bus_message) message = NULL;
    int r = sd_bus_message_new_method_call(manager->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH,
                                           SYSTEMD_INTERFACE, "SetUnitProperties");

    if (r >= 0)
        r = sd_bus_message_append(message, "sb", unit, true);
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "(sv)");
    for (size_t i = 0; r >= 0 && i < n_properties; i++)
        r = unit_property_append(message, &properties[i]);
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&message);
    return 0;
}

UnitChange *manager_change_unit(Manager *manager, const char *unit, const UnitProperty *properties,
                                size_t n_properties, JobCallback callback, void *userdata,
                                GError **error)
{
    g_autoptr(sd_bus_message) message = NULL;
    UnitChange *change = NULL;
    int r = -ENOTCONN;

    if (manager->state == MANAGER_READY)
        r = change_message(manager, unit, properties, n_properties, &message);
    if (r >= 0) {
        change = g_new(UnitChange, 1);
        *change = (UnitChange){ NULL, g_strdup(unit), callback, userdata };
        r = sd_bus_call_async(manager->bus, &change->slot, message, on_changed, change,
                              NO_CALL_TIMEOUT);
    }
    if (r >= 0)
        return change;
    unit_change_cancel(change);
    error_from_errno(error, CONSTELLATION_ERROR_CGROUP_FAILED, r, "asking systemd to change %s",
                     unit);
    return NULL;
}

/* ---- listing --------------------------------------------------------------------------------- */

typedef struct Listing {
    UnitsCallback callback;
    void *userdata;
} Listing;

/* The strings stay the message's. */
static int read_units(sd_bus_message *reply, GArray *units)
{
    ManagedUnit unit;
    int r;

    r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
    while (r >= 0 && (r = sd_bus_message_read(reply, "(ssssssouso)", &unit.name, NULL, NULL,
                                              &unit.active_state, NULL, NULL, NULL, &unit.job, NULL,
                                              NULL)) > 0)
        g_array_append_val(units, unit);
    return r;
}

static int on_units(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    const Listing *listing = userdata;
    g_autoptr(GArray) units = g_array_new(false, false, sizeof(ManagedUnit));
    g_autoptr(GError) error = NULL;
    int r;

    (void)ret_error;
    if (sd_bus_message_is_method_error(reply, NULL)) {
        error_set(&error, CONSTELLATION_ERROR_CGROUP_FAILED, "systemd does not list its units: %s",
                  reply_error_text(reply));
    } else {
        r = read_units(reply, units);
        if (r < 0)
            error_from_errno(&error, CONSTELLATION_ERROR_CGROUP_FAILED, r,
                             "cannot read systemd's list of units");
    }
    listing->callback((const ManagedUnit *)(void *)units->data, error ? 0 : units->len, error,
                      listing->userdata);
    return 0;
}

bool manager_list_units(Manager *manager, const char *glob, UnitsCallback callback, void *userdata,
                        GError **error)
{
    sd_bus_slot *slot;
    Listing *listing;
    int r;

    if (!manager_is_connected(manager, NULL))
        return error_set(error, CONSTELLATION_ERROR_CGROUP_FAILED,
                         "cannot ask systemd for its units: %s", manager->reason);
    listing = g_new(Listing, 1);
    *listing = (Listing){ callback, userdata };
    r = sd_bus_call_method_async(manager->bus, &slot, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_INTERFACE,
                                 "ListUnitsByPatterns", on_units, listing, "asas", 0u, 1u, glob);
    if (r < 0) {
        g_free(listing);
        return error_from_errno(error, CONSTELLATION_ERROR_CGROUP_FAILED, r,
                                "cannot ask systemd for its units");
    }
    /* The slot is the bus's, and with it the listing: gone with the answer or the connection. */
    sd_bus_slot_set_destroy_callback(slot, g_free);
    sd_bus_slot_set_floating(slot, true);
    sd_bus_slot_unref(slot);
    return true;
}
