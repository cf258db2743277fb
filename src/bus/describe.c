/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "bus/describe.h"
#include "bus/properties.h"
#include "util/json.h"

static void describe_values(Json *json, const Instance *instance)
{
    static const char *const texts[] = { "Id",     "Name",    "State",         "SubState",
                                         "Result", "Node",    "StatusText",    "Unit",
                                         "Slice",  "Backend", "BackendReason", "ControlGroup" };
    static const char *const numbers[] = { "Owner", "MainPID", "InitPID", "Run" };
    static const char *const timestamps[] = { "CreatedTimestamp", "StartedTimestamp",
                                              "StoppedTimestamp" };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        json_key(json, texts[i]);
        json_string(json, property_text(instance, texts[i]));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        json_key(json, numbers[i]);
        json_uint(json, property_number(instance, numbers[i]));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(timestamps); i++) {
        json_key(json, timestamps[i]);
        json_uint(json, property_timestamp(instance, timestamps[i]));
    }
    json_key(json, "ExitCode");
    json_int(json, instance->exit_code);
    json_key(json, "ExitSignal");
    json_int(json, instance->exit_signal);
}

static void describe_row(Json *json, const char *name, const char *outcome, const char *reason)
{
    json_key(json, name);
    json_open_object(json);
    json_key(json, "outcome");
    json_string(json, outcome);
    json_key(json, "reason");
    json_string(json, reason);
    json_close_object(json);
}

static void describe_rows(Json *json, Instance *instance)
{
    const GPtrArray *enforced = instance_enforced(instance);

    json_key(json, "Isolation");
    json_open_object(json);
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        describe_row(json, namespace_infos[kind].name,
                     isolation_outcome_to_string(instance->isolation[kind].outcome),
                     instance->isolation[kind].reason);
    json_close_object(json);
    json_key(json, "Enforced");
    json_open_object(json);
    for (guint i = 0; i < enforced->len; i++) {
        const Enforced *row = g_ptr_array_index(enforced, i);
        describe_row(json, row->limit, row->enforced ? row->value : "not enforced", row->reason);
    }
    json_close_object(json);
    json_key(json, "Degraded");
    json_open_object(json);
    for (guint i = 0; i < instance->degraded->len; i++) {
        const Degradation *row = g_ptr_array_index(instance->degraded, i);
        describe_row(json, row->feature, row->code, row->reason);
    }
    json_close_object(json);
}

static void describe_strv(Json *json, const char *const *strv)
{
    json_open_array(json);
    for (size_t i = 0; strv && strv[i]; i++)
        json_string(json, strv[i]);
    json_close_array(json);
}

static void describe_setting(Json *json, const Setting *setting, const Spec *spec)
{
    const char *signature = setting_signature(setting);

    json_key(json, setting->bus_name);
    if (strcmp(signature, "as") == 0)
        describe_strv(json, spec_get_strv(spec, setting->id));
    else if (setting->type == SETTING_TYPE_ENUM)
        json_string(json, setting->choices[spec_get_uint(spec, setting->id)]);
    else if (strcmp(signature, "s") == 0)
        json_string(json, spec_get_string(spec, setting->id));
    else if (strcmp(signature, "b") == 0)
        json_bool(json, spec_get_uint(spec, setting->id) != 0);
    else if (setting->type == SETTING_TYPE_INT)
        json_int(json, (int64_t)spec_get_uint(spec, setting->id));
    else if (spec_get_uint(spec, setting->id) == UINT64_MAX)
        json_null(json); /* infinity is no number in JSON */
    else
        json_uint(json, spec_get_uint(spec, setting->id));
}

char *instance_describe(Instance *instance)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    Json json;

    instance_look(instance);
    json_init(&json, out, JSON_SHORT);
    json_open_object(&json);
    describe_values(&json, instance);
    describe_rows(&json, instance);
    json_key(&json, "Settings");
    json_open_object(&json);
    for (SettingId id = 0; id < _SETTING_COUNT; id++)
        if (!(setting_get(id)->flags & SETTING_SECRET))
            describe_setting(&json, setting_get(id), instance->spec);
    json_close_object(&json);
    json_close_object(&json);
    fclose(out);
    return text;
}
