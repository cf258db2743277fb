/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Settings interface: what was asked for, one property a row of the table. Its vtable is made
 * from the table, so a new setting needs nothing here. Secrets are no properties. */

#include <string.h>

#include "bus/face.h"

static int append_value(sd_bus_message *reply, const Setting *setting, const Spec *spec)
{
    const char *signature = setting_signature(setting);
    static const char *const empty[] = { NULL };

    if (strcmp(signature, "as") == 0) {
        const char *const *strv = spec ? spec_get_strv(spec, setting->id) : NULL;
        return sd_bus_message_append_strv(reply, (char **)(strv ? strv : empty));
    }
    if (setting->type == SETTING_TYPE_ENUM)
        return sd_bus_message_append(
            reply, "s", spec ? setting->choices[spec_get_uint(spec, setting->id)] : "");
    if (strcmp(signature, "s") == 0) {
        const char *string = spec ? spec_get_string(spec, setting->id) : NULL;
        return sd_bus_message_append(reply, "s", string ? string : "");
    }
    uint64_t number = spec ? spec_get_uint(spec, setting->id) : 0;
    if (strcmp(signature, "b") == 0)
        return sd_bus_message_append(reply, "b", number != 0);
    if (strcmp(signature, "i") == 0)
        return sd_bus_message_append(reply, "i", (int32_t)number);
    if (strcmp(signature, "u") == 0)
        return sd_bus_message_append(reply, "u", (uint32_t)number);
    return sd_bus_message_append(reply, "t", number);
}

static int get_setting(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Target *target = userdata;
    const Setting *setting = setting_find(property);

    (void)bus;
    (void)path;
    (void)interface;
    (void)error;
    return append_value(reply, setting, viewer_may_inspect(target) ? target->instance->spec : NULL);
}

const sd_bus_vtable *settings_vtable(void)
{
    static sd_bus_vtable vtable[_SETTING_COUNT + 2];
    size_t n = 0;

    if (vtable[0].type != 0)
        return vtable;
    vtable[n++] = (sd_bus_vtable)SD_BUS_VTABLE_START(0);
    for (SettingId id = 0; id < _SETTING_COUNT; id++) {
        const Setting *setting = setting_get(id);
        if (setting->flags & SETTING_SECRET)
            continue;
        vtable[n++] = (sd_bus_vtable)SD_BUS_PROPERTY(setting->bus_name, setting_signature(setting),
                                                     get_setting, 0,
                                                     SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION);
    }
    vtable[n] = (sd_bus_vtable)SD_BUS_VTABLE_END;
    return vtable;
}
