/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A Spec is an array with a Value for each row of the table, so every getter is one look-up. What
 * is not set is answered from a second such array, made once from the table's default texts. */

#include <string.h>

#include "model/capabilities.h"
#include "model/mount-check.h"
#include "model/setting-check.h"
#include "model/setting-text.h"
#include "model/spec.h"
#include "model/value.h"
#include "util/error.h"

/* What execve(2) is given at most, argv and environment together, with their NULs. */
#define EXEC_BYTES_MAX (1024u * 1024)

struct Spec {
    Value values[_SETTING_COUNT];
};

Spec *spec_new(void)
{
    return g_new0(Spec, 1);
}

Spec *spec_copy(const Spec *spec)
{
    Spec *copy = spec_new();

    for (size_t i = 0; i < _SETTING_COUNT; i++)
        copy->values[i] = value_copy(&spec->values[i]);
    return copy;
}

void spec_free(Spec *spec)
{
    if (!spec)
        return;
    for (size_t i = 0; i < _SETTING_COUNT; i++)
        value_clear(&spec->values[i]);
    g_free(spec);
}

bool spec_is_set(const Spec *spec, SettingId id)
{
    g_assert(id < _SETTING_COUNT);
    return spec->values[id].kind != VALUE_NONE;
}

void spec_unset(Spec *spec, SettingId id)
{
    g_assert(id < _SETTING_COUNT);
    value_clear(&spec->values[id]);
}

static const Value *default_value(SettingId id)
{
    static Value defaults[_SETTING_COUNT];
    static bool made;

    if (!made) {
        for (SettingId i = 0; i < _SETTING_COUNT; i++) {
            const Setting *setting = setting_get(i);
            g_autoptr(GError) error = NULL;

            if (*setting->default_text == '\0')
                continue;
            if (!setting_parse(setting, setting->default_text, &defaults[i], &error))
                g_error("default of %s", error->message);
        }
        made = true;
    }
    return &defaults[id];
}

static const Value *value_or_default(const Spec *spec, SettingId id)
{
    return spec_is_set(spec, id) ? &spec->values[id] : default_value(id);
}

uint64_t spec_get_uint(const Spec *spec, SettingId id)
{
    const Value *value = value_or_default(spec, id);

    g_assert(setting_kind(setting_get(id)) == VALUE_NUMBER);
    return value->kind == VALUE_NONE ? 0 : value->number;
}

const char *spec_get_string(const Spec *spec, SettingId id)
{
    const Value *value = value_or_default(spec, id);

    g_assert(setting_kind(setting_get(id)) == VALUE_STRING);
    return value->kind == VALUE_NONE ? NULL : value->string;
}

const char *const *spec_get_strv(const Spec *spec, SettingId id)
{
    const Value *value = value_or_default(spec, id);

    g_assert(setting_kind(setting_get(id)) == VALUE_STRV);
    return value->kind == VALUE_NONE ? NULL : (const char *const *)value->strv;
}

/* The value becomes the Spec's. */
static void spec_take(Spec *spec, SettingId id, Value value)
{
    value_clear(&spec->values[id]);
    spec->values[id] = value;
}

bool spec_set_uint(Spec *spec, SettingId id, uint64_t number, GError **error)
{
    const Setting *setting = setting_get(id);

    g_assert(setting_kind(setting) == VALUE_NUMBER);
    if (!setting_check_number(setting, number, NULL, error))
        return false;
    spec_take(spec, id, (Value){ .kind = VALUE_NUMBER, .number = number });
    return true;
}

bool spec_set_string(Spec *spec, SettingId id, const char *string, GError **error)
{
    const Setting *setting = setting_get(id);

    /* A choice is a string on the bus and a number only here. */
    g_assert(setting_kind(setting) == VALUE_STRING || setting->type == SETTING_TYPE_ENUM);
    return spec_set_text(spec, id, string, error);
}

bool spec_set_strv(Spec *spec, SettingId id, const char *const *strv, GError **error)
{
    static const char *const empty[] = { NULL };
    const Setting *setting = setting_get(id);

    g_assert(setting_kind(setting) == VALUE_STRV);
    if (!strv)
        strv = empty;
    if (!setting_check_strv(setting, strv, error))
        return false;
    spec_take(spec, id, (Value){ .kind = VALUE_STRV, .strv = g_strdupv((char **)strv) });
    return true;
}

bool spec_set_text(Spec *spec, SettingId id, const char *text, GError **error)
{
    Value value;

    if (!setting_parse(setting_get(id), text, &value, error))
        return false;
    spec_take(spec, id, value);
    return true;
}

char *spec_get_text(const Spec *spec, SettingId id)
{
    return setting_print(setting_get(id), value_or_default(spec, id));
}

/* What runs: a script, a command, or nothing (a sandbox). */
static bool validate_payload(const Spec *spec, GError **error)
{
    const char *interpreter = spec_get_string(spec, SETTING_INTERPRETER);

    if (spec_is_set(spec, SETTING_SCRIPT) && spec_is_set(spec, SETTING_COMMAND))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "Script= and Command= exclude each other: unset one of them");
    if (interpreter && !spec_is_set(spec, SETTING_SCRIPT))
        return setting_refuse(setting_get(SETTING_INTERPRETER), interpreter, error,
                              "there is nothing to interpret without Script=");
    if (interpreter && strchr(interpreter, '/') && *interpreter != '/')
        return setting_refuse(setting_get(SETTING_INTERPRETER), interpreter, error,
                              "must be an absolute path or the bare name of a program");
    return true;
}

static bool validate_hostname(const Spec *spec, GError **error)
{
    if (!spec_is_set(spec, SETTING_HOSTNAME) ||
        spec_get_uint(spec, SETTING_UTS_NAMESPACE) != CHOICE_OFF)
        return true;
    return setting_refuse(setting_get(SETTING_HOSTNAME), spec_get_string(spec, SETTING_HOSTNAME),
                          error, "needs a UTS namespace, and UTSNamespace=off was asked for");
}

static bool validate_network(const Spec *spec, GError **error)
{
    if (spec_get_uint(spec, SETTING_NETWORK) != NETWORK_PRIVATE)
        return true;
    return setting_refuse(setting_get(SETTING_NETWORK), "private", error,
                          "a network of its own with addresses is not there yet: take none, which "
                          "is loopback only, or host");
}

static bool validate_id_mapping(const Spec *spec, GError **error)
{
    if (spec_get_uint(spec, SETTING_ID_MAPPING) != ID_MAPPING_RANGE ||
        spec_get_uint(spec, SETTING_USER_NAMESPACE) != CHOICE_OFF)
        return true;
    return setting_refuse(setting_get(SETTING_ID_MAPPING), "range", error,
                          "needs a user namespace, and UserNamespace=off was asked for");
}

/* The word by which this setting asks for nothing, or NULL. */
static const char *word_for_nothing(const Setting *setting)
{
    if (setting->type != SETTING_TYPE_ENUM)
        return NULL;
    return setting->id == SETTING_NETWORK ? "host" : "off";
}

static bool validate_capabilities(const Spec *spec, GError **error)
{
    uint64_t ambient = 0, bounding = CAPABILITIES_ALL;
    const char *unknown;

    (void)capabilities_read(spec_get_strv(spec, SETTING_AMBIENT_CAPABILITIES), &ambient, &unknown);
    if (spec_is_set(spec, SETTING_CAPABILITY_BOUNDING_SET))
        (void)capabilities_read(spec_get_strv(spec, SETTING_CAPABILITY_BOUNDING_SET), &bounding,
                                &unknown);
    if ((ambient & ~bounding) == 0)
        return true;
    g_autofree char *culprits = capabilities_print(ambient & ~bounding);
    return setting_refuse(setting_get(SETTING_AMBIENT_CAPABILITIES), culprits, error,
                          "not in CapabilityBoundingSet=, beyond which nothing can be had");
}

static bool validate_require(const Spec *spec, GError **error)
{
    const Setting *require = setting_get(SETTING_REQUIRE);
    const char *const *names = spec_get_strv(spec, SETTING_REQUIRE);

    for (size_t i = 0; names && names[i]; i++) {
        const Setting *setting = setting_find(names[i]);
        const Setting *guess = setting ? NULL : setting_guess(names[i]);

        if (guess)
            return setting_refuse(require, names[i], error, "no such setting (is it %s?)",
                                  guess->name);
        if (!setting)
            return setting_refuse(require, names[i], error, "no such setting");
        if (word_for_nothing(setting)) {
            g_autofree char *text = spec_get_text(spec, setting->id);

            if (strcmp(text, word_for_nothing(setting)) == 0)
                return setting_refuse(require, names[i], error, "contradicts %s=%s", setting->name,
                                      text);
        }
    }
    return true;
}

static size_t strv_bytes(const char *const *strv)
{
    size_t bytes = 0;

    for (size_t i = 0; strv && strv[i]; i++)
        bytes += strlen(strv[i]) + 1;
    return bytes;
}

size_t spec_size(const Spec *spec)
{
    size_t bytes = 0;

    for (SettingId id = 0; id < _SETTING_COUNT; id++) {
        const Value *value = &spec->values[id];
        if (value->kind == VALUE_STRING)
            bytes += strlen(value->string) + 1;
        else if (value->kind == VALUE_STRV)
            bytes += strv_bytes((const char *const *)value->strv);
        else if (value->kind == VALUE_NUMBER)
            bytes += sizeof value->number;
    }
    return bytes;
}

static bool validate_size(const Spec *spec, GError **error)
{
    if (strv_bytes(spec_get_strv(spec, SETTING_COMMAND)) +
            strv_bytes(spec_get_strv(spec, SETTING_ENVIRONMENT)) >
        EXEC_BYTES_MAX)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "Command= and Environment= have more than 1M together: pass large data "
                         "in a file");
    return true;
}

bool spec_validate(const Spec *spec, GError **error)
{
    return validate_payload(spec, error) && validate_hostname(spec, error) &&
           validate_id_mapping(spec, error) && validate_network(spec, error) &&
           validate_capabilities(spec, error) && validate_require(spec, error) &&
           mounts_validate(spec, error) && validate_size(spec, error);
}
