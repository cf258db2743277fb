/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "bus/settings-read.h"

/* ---- values ---------------------------------------------------------------------------------- */

/* Clients of scripting languages choose integer types as they please: what counts is the number.
 * 1: it is negative, and *ret its two's complement. */
static int read_integer(sd_bus_message *message, char type, uint64_t *ret)
{
    union {
        uint8_t y;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
    } value;
    int64_t number;

    int r = sd_bus_message_read_basic(message, type, &value);
    if (r < 0)
        return r;
    switch (type) {
    case SD_BUS_TYPE_BYTE:
        number = value.y;
        break;
    case SD_BUS_TYPE_INT16:
        number = value.n;
        break;
    case SD_BUS_TYPE_UINT16:
        number = value.q;
        break;
    case SD_BUS_TYPE_INT32:
        number = value.i;
        break;
    case SD_BUS_TYPE_UINT32:
        number = value.u;
        break;
    case SD_BUS_TYPE_INT64:
        number = value.x;
        break;
    default:
        *ret = value.t;
        return 0;
    }
    *ret = (uint64_t)number;
    return number < 0;
}

static bool is_integer_type(const char *contents)
{
    return contents[0] && !contents[1] && strchr("ynqiuxt", contents[0]);
}

static bool fail_type(const char *key, const char *contents, const char *expected, GError **error)
{
    return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                     "%s: is of type '%s' and must be of type '%s'", key, contents, expected);
}

static bool fail_message(const char *key, int r, GError **error)
{
    return error_from_errno(error, CONSTELLATION_ERROR_INVALID_ARGS, r, "%s: cannot be read", key);
}

static bool read_number(sd_bus_message *message, const Setting *setting, const char *contents,
                        Spec *spec, GError **error)
{
    uint64_t number;

    int r = read_integer(message, contents[0], &number);
    if (r < 0)
        return fail_message(setting->name, r, error);
    if (r > 0 && setting->type != SETTING_TYPE_INT)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s: must not be negative",
                         setting->name);
    if (r == 0 && setting->type == SETTING_TYPE_INT)
        number = MIN(number, INT64_MAX);
    return spec_set_uint(spec, setting->id, number, error);
}

static bool read_string(sd_bus_message *message, const Setting *setting, Spec *spec, GError **error)
{
    const char *text;

    int r = sd_bus_message_read_basic(message, 's', &text);
    if (r < 0)
        return fail_message(setting->name, r, error);
    if (strcmp(setting_signature(setting), "s") == 0 && setting->type != SETTING_TYPE_ENUM)
        return spec_set_string(spec, setting->id, text, error);
    return spec_set_text(spec, setting->id, text, error);
}

static bool read_bool(sd_bus_message *message, const Setting *setting, Spec *spec, GError **error)
{
    int value;

    int r = sd_bus_message_read_basic(message, 'b', &value);
    if (r < 0)
        return fail_message(setting->name, r, error);
    return spec_set_uint(spec, setting->id, value != 0, error);
}

static bool read_strv(sd_bus_message *message, const Setting *setting, Spec *spec, GError **error)
{
    g_auto(GStrv) value = NULL;

    int r = sd_bus_message_read_strv(message, &value);
    if (r < 0)
        return fail_message(setting->name, r, error);
    static const char *const empty[] = { NULL };
    return spec_set_strv(spec, setting->id, value ? (const char *const *)value : empty, error);
}

static bool read_setting(sd_bus_message *message, const Setting *setting, const char *contents,
                         Spec *spec, GError **error)
{
    const char *signature = setting_signature(setting);

    if (strcmp(contents, "s") == 0)
        return read_string(message, setting, spec, error);
    if (strcmp(contents, "b") == 0 && strcmp(signature, "b") == 0)
        return read_bool(message, setting, spec, error);
    if (strcmp(contents, "as") == 0 && strcmp(signature, "as") == 0)
        return read_strv(message, setting, spec, error);
    if (is_integer_type(contents) && strchr("tui", signature[0]))
        return read_number(message, setting, contents, spec, error);
    return fail_type(setting->name, contents, signature, error);
}

/* ---- dictionaries ---------------------------------------------------------------------------- */

typedef bool (*EntryReader)(sd_bus_message *message, const char *key, const char *contents,
                            void *userdata, GError **error);

static int read_entry(sd_bus_message *message, EntryReader reader, void *userdata, GError **error)
{
    const char *key, *contents;
    int r;

    r = sd_bus_message_enter_container(message, 'e', "sv");
    if (r <= 0)
        return r;
    r = sd_bus_message_read_basic(message, 's', &key);
    if (r >= 0)
        r = sd_bus_message_peek_type(message, NULL, &contents);
    if (r >= 0)
        r = sd_bus_message_enter_container(message, 'v', contents);
    if (r < 0)
        return r;
    if (!reader(message, key, contents, userdata, error))
        return -EINVAL;
    r = sd_bus_message_exit_container(message);
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    return r < 0 ? r : 1;
}

static bool read_dictionary(sd_bus_message *message, EntryReader reader, void *userdata,
                            GError **error)
{
    g_autoptr(GError) failure = NULL;

    int r = sd_bus_message_enter_container(message, 'a', "{sv}");
    while (r >= 0 && (r = read_entry(message, reader, userdata, &failure)) > 0)
        continue;
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (r >= 0)
        return true;
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    else
        error_from_errno(error, CONSTELLATION_ERROR_INVALID_ARGS, r,
                         "the dictionary of settings or options cannot be read");
    return false;
}

static bool settings_entry(sd_bus_message *message, const char *key, const char *contents,
                           void *userdata, GError **error)
{
    Spec *spec = userdata;
    const Setting *setting = setting_find(key);

    if (!setting) {
        const Setting *near = setting_guess(key);
        g_autofree char *shown = g_strescape(key, NULL);
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%.80s: unknown setting%s%s%s",
                         shown, near ? " (do you mean " : "", near ? near->name : "",
                         near ? "?)" : "");
    }
    if (spec_is_set(spec, setting->id))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "%s: given twice (perhaps in both spellings, %s and %s)", setting->name,
                         setting->name, setting->bus_name);
    return read_setting(message, setting, contents, spec, error);
}

bool settings_read(sd_bus_message *message, Spec *spec, GError **error)
{
    return read_dictionary(message, settings_entry, spec, error);
}

/* ---- options --------------------------------------------------------------------------------- */

typedef struct OptionList {
    Option *options;
    size_t count;
} OptionList;

static bool read_option(sd_bus_message *message, Option *option, const char *contents,
                        GError **error)
{
    const char expected[] = { option->type, '\0' };
    uint64_t number;
    int value, r;

    if (strchr("tiu", option->type) && is_integer_type(contents)) {
        r = read_integer(message, contents[0], &number);
        if (r > 0 || (r == 0 && option->type != 't' && number > INT32_MAX))
            return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s: out of range",
                             option->name);
        if (r >= 0 && option->type == 't')
            *(uint64_t *)option->ret = number;
        else if (r >= 0)
            *(int *)option->ret = (int)number;
    } else if (strcmp(contents, expected) != 0) {
        return fail_type(option->name, contents, expected, error);
    } else if (option->type == 'b') {
        r = sd_bus_message_read_basic(message, 'b', &value);
        *(bool *)option->ret = r >= 0 && value;
    } else {
        r = sd_bus_message_read_basic(message, option->type, option->ret);
    }
    return r >= 0 || fail_message(option->name, r, error);
}

static bool options_entry(sd_bus_message *message, const char *key, const char *contents,
                          void *userdata, GError **error)
{
    const OptionList *list = userdata;

    for (size_t i = 0; i < list->count; i++) {
        Option *option = &list->options[i];
        if (strcmp(option->name, key) != 0)
            continue;
        if (option->given)
            return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s: given twice", key);
        option->given = true;
        return read_option(message, option, contents, error);
    }
    g_autofree char *shown = g_strescape(key, NULL);
    return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                     "%.80s: unknown option of this method", shown);
}

bool options_read(sd_bus_message *message, Option *options, size_t n_options, GError **error)
{
    OptionList list = { options, n_options };

    return read_dictionary(message, options_entry, &list, error);
}
