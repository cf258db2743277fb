/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/ctl.h"

static bool is_wanted(const Options *options, const char *property)
{
    const GPtrArray *given = options->values[OPTION_PROPERTY];

    for (unsigned i = 0; i < given->len; i++) {
        g_auto(GStrv) names = g_strsplit(g_ptr_array_index(given, i), ",", -1);

        if (g_strv_contains((const char *const *)names, property))
            return true;
    }
    return given->len == 0;
}

static void print_line(const Options *options, const char *key, const Variant *value)
{
    g_autofree char *text = value ? variant_text(value) : g_strdup("");
    g_autofree char *safe = text_safe(text);

    if (option_given(options, OPTION_VALUE))
        printf("%s\n", safe);
    else
        printf("%s=%s\n", key, safe);
}

static bool is_rows(const Variant *value)
{
    return value->kind == VARIANT_LIST && variant_n_items(value) > 0 &&
           variant_item(value, 0)->kind == VARIANT_STRUCT;
}

static void print_property(const Options *options, const char *key, const Variant *value)
{
    if (!is_rows(value)) {
        print_line(options, key, value);
        return;
    }
    for (unsigned i = 0; i < variant_n_items(value); i++)
        print_line(options, key, variant_item(value, i));
}

static void show_text(const Options *options, const Variant *properties)
{
    for (unsigned i = 0; i + 1 < variant_n_items(properties); i += 2) {
        const char *key = variant_key(properties, i);

        if (is_wanted(options, key))
            print_property(options, key, variant_item(properties, i + 1));
    }
}

static void show_json(const Options *options, const Variant *properties, Json *json)
{
    for (unsigned i = 0; i + 1 < variant_n_items(properties); i += 2) {
        const char *key = variant_key(properties, i);

        if (!is_wanted(options, key))
            continue;
        json_key(json, key);
        variant_print_json(variant_item(properties, i + 1), json);
    }
}

static bool show(const Ctl *ctl, const char *name, Json *json, GError **error)
{
    const Connection *connection = &ctl->connection;
    g_autofree char *path = instance_path(connection, name, error);
    g_autoptr(Variant) instance = path ? properties_get(connection, path, INSTANCE_INTERFACE, error)
                                       : NULL;
    g_autoptr(Variant)
        settings = instance ? properties_get(connection, path, SETTINGS_INTERFACE, error) : NULL;

    if (!settings)
        return false;
    if (json) {
        json_open_object(json);
        show_json(&ctl->options, instance, json);
        show_json(&ctl->options, settings, json);
        json_close_object(json);
    } else {
        show_text(&ctl->options, instance);
        show_text(&ctl->options, settings);
    }
    return true;
}

int verb_show(Ctl *ctl)
{
    unsigned n = ctl->options.arguments->len;
    bool as_json = ctl->options.json != JSON_OFF;
    int worst = STATUS_OK;
    Json json;

    json_init(&json, stdout, ctl->options.json);
    if (as_json)
        json_open_array(&json);
    for (unsigned i = 0; i < n; i++) {
        g_autoptr(GError) error = NULL;

        if (i > 0 && !as_json)
            putchar('\n');
        if (show(ctl, option_argument(&ctl->options, i), as_json ? &json : NULL, &error))
            continue;
        ctl_complain(NULL, error);
        worst = MAX(worst, error_status(error));
    }
    if (as_json) {
        json_close_array(&json);
        json_done(&json);
    }
    return worst;
}
