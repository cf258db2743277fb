/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What must hold for every row of the table of settings, so that a new row needs no new test. */

#include <string.h>

#include <glib.h>

#include "model/setting-check.h"
#include "model/setting-text.h"
#include "model/settings.h"
#include "suite.h"

#define for_each_setting(setting)                          \
    for (const Setting *setting = setting_get(0); setting; \
         setting = setting->id + 1 < _SETTING_COUNT ? setting_get(setting->id + 1) : NULL)

static void check_text_round_trip(const Setting *setting, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_auto(Value) value = { 0 };
    g_auto(Value) again = { 0 };

    ck_assert_msg(setting_parse(setting, text, &value, &error), "%s", error ? error->message : "");
    g_autofree char *printed = setting_print(setting, &value);
    ck_assert_msg(setting_parse(setting, printed, &again, &error), "%s",
                  error ? error->message : "");
    ck_assert_msg(value_equal(&value, &again), "%s: %s and %s", setting->name, text, printed);
}

START_TEST(every_default_is_a_value_of_its_setting)
{
    for_each_setting(setting) if (*setting->default_text != '\0')
        check_text_round_trip(setting, setting->default_text);
}
END_TEST

START_TEST(every_type_of_value_survives_a_round_trip)
{
    static const char *const texts[_SETTING_TYPE_COUNT][4] = {
        [SETTING_TYPE_BOOL] = { "yes", "0", "Off" },
        [SETTING_TYPE_STRING] = { "  two  words ", "grün \"'\\" },
        [SETTING_TYPE_PATH] = { "/", "/srv/a b/c", "/..." },
        [SETTING_TYPE_USER] = { "root", "0", "4294967294" },
        [SETTING_TYPE_HOSTNAME] = { "a", "Web-1.example.org" },
        [SETTING_TYPE_OUTPUT] = { "journal", "null", "file:/var/log/x", "append:/a b" },
        [SETTING_TYPE_STRV] = { "PIDNamespace", "User Group" },
        [SETTING_TYPE_PATHS] = { "", "/", "-/a '/b c'", "'/a\\:b'" },
        [SETTING_TYPE_BINDS] = { "/a", "-/a:/b:rbind,noexec /c:/d" },
        [SETTING_TYPE_TEMPORARY] = { "/a", "-/a:ro,size=10%,mode=1777" },
        [SETTING_TYPE_STATUSES] = { "3", "143 SIGTERM HUP" },
        [SETTING_TYPE_COMMAND] = { "/bin/true", "sh -c 'echo \"x\"' ''" },
        [SETTING_TYPE_ENVIRONMENT] = { "", "A=", "A=1 B='2 3' _c=$x" },
        [SETTING_TYPE_UINT64] = { "2", "9999" },
        [SETTING_TYPE_BYTES] = { "4M", "1.5G", "4194305", "infinity" },
        [SETTING_TYPE_USEC] = { "1us", "5min 20s", "infinity" },
        [SETTING_TYPE_CPU_QUOTA] = { "0.1%", "33.3333%", "400%" },
        [SETTING_TYPE_SIGNAL] = { "1", "SIGINT", "SYS" },
        [SETTING_TYPE_INT] = { "-5", "+7", "0", "19" },
        [SETTING_TYPE_MODE] = { "0022", "77", "0" },
        [SETTING_TYPE_GROUP] = { "root", "0", "4294967294" },
        [SETTING_TYPE_GROUPS] = { "", "audio 7 _ssh" },
        [SETTING_TYPE_CAPABILITIES] = { "", "CAP_CHOWN cap_kill", "~CAP_SYS_ADMIN", "~" },
        [SETTING_TYPE_SYSCALLS] = { "", "off", "@system-service ~@mount keyctl:EPERM", "~swapon" },
        [SETTING_TYPE_SYSCALL_ACTION] = { "kill", "EPERM", "38" },
        [SETTING_TYPE_RLIMIT] = { "7", "0:9", "infinity", "1:infinity" },
    };

    for_each_setting(setting) for (size_t i = 0; i < 4 && texts[setting->type][i]; i++)
        check_text_round_trip(setting, texts[setting->type][i]);
}
END_TEST

START_TEST(every_choice_is_read_as_itself)
{
    for_each_setting(setting)
    {
        ck_assert_msg((setting->type == SETTING_TYPE_ENUM) == (setting->choices != NULL), "%s",
                      setting->name);
        for (size_t i = 0; setting->choices && setting->choices[i]; i++)
            check_text_round_trip(setting, setting->choices[i]);
    }
}
END_TEST

START_TEST(every_row_is_at_its_id)
{
    for (SettingId id = 0; id < _SETTING_COUNT; id++)
        ck_assert_int_eq(setting_get(id)->id, id);
}
END_TEST

START_TEST(every_setting_is_found_by_both_its_names)
{
    for_each_setting(setting)
    {
        ck_assert_ptr_eq(setting_find(setting->name), setting);
        ck_assert_ptr_eq(setting_find(setting->bus_name), setting);
    }
    ck_assert_ptr_null(setting_find("memorymax"));
    ck_assert_ptr_null(setting_find(""));
}
END_TEST

START_TEST(no_name_is_used_twice)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for_each_setting(setting)
    {
        ck_assert_msg(g_hash_table_add(names, (char *)setting->name), "%s", setting->name);
        if (strcmp(setting->name, setting->bus_name) != 0)
            ck_assert_msg(g_hash_table_add(names, (char *)setting->bus_name), "%s",
                          setting->bus_name);
    }
}
END_TEST

START_TEST(names_are_camel_case_words)
{
    for_each_setting(setting)
    {
        ck_assert_msg(g_ascii_isupper(*setting->name), "%s", setting->name);
        for (const char *c = setting->name; *c != '\0'; c++)
            ck_assert_msg(g_ascii_isalnum(*c), "%s", setting->name);
        ck_assert_msg(strlen(setting->name) < 40, "%s", setting->name);
    }
}
END_TEST

START_TEST(times_are_seconds_in_files_and_microseconds_on_the_bus)
{
    for_each_setting(setting)
    {
        bool is_time = setting->type == SETTING_TYPE_USEC;

        ck_assert_msg(g_str_has_suffix(setting->name, "Sec") == is_time, "%s", setting->name);
        ck_assert_msg(g_str_has_suffix(setting->bus_name, "USec") ==
                          (is_time || setting->type == SETTING_TYPE_CPU_QUOTA),
                      "%s", setting->bus_name);
    }
}
END_TEST

START_TEST(every_signature_is_one_of_six)
{
    static const char *const signatures[] = { "b", "s", "as", "t", "i", "u", NULL };

    for_each_setting(setting)
        ck_assert_msg(g_strv_contains(signatures, setting_signature(setting)), "%s", setting->name);
}
END_TEST

START_TEST(every_group_has_a_name)
{
    ck_assert_str_eq(setting_group_name(SETTING_GROUP_INSTANCE), "Instance");
    ck_assert_str_eq(setting_group_name(SETTING_GROUP_ISOLATION), "Isolation");
    ck_assert_str_eq(setting_group_name(SETTING_GROUP_RESOURCES), "Resources");
    for_each_setting(setting) ck_assert_int_lt(setting->group, _SETTING_GROUP_COUNT);
}
END_TEST

/* Lower case, but for words that are written in capitals anyway: CPU, UTS, Script=, KillSignal=. */
static bool begins_in_lower_case(const char *help)
{
    return !g_ascii_isupper(help[0]) || g_ascii_isupper(help[1]) ||
           strstr(help, "System V") == help;
}

START_TEST(every_help_is_one_phrase_in_lower_case)
{
    for_each_setting(setting)
    {
        ck_assert_msg(setting->help && *setting->help != '\0', "%s", setting->name);
        ck_assert_msg(begins_in_lower_case(setting->help), "%s", setting->help);
        ck_assert_msg(!g_str_has_suffix(setting->help, "."), "%s", setting->help);
        ck_assert_msg(!strchr(setting->help, '\n') && strlen(setting->help) < 80, "%s",
                      setting->help);
        ck_assert_msg(setting->metavar && *setting->metavar != '\0', "%s", setting->name);
    }
}
END_TEST

START_TEST(every_range_is_a_range)
{
    for_each_setting(setting) ck_assert_msg(
        setting->type == SETTING_TYPE_INT ? (int64_t)setting->minimum <= (int64_t)setting->maximum
                                          : setting->minimum <= setting->maximum,
        "%s", setting->name);
}
END_TEST

START_TEST(only_the_environment_is_secret)
{
    for_each_setting(setting) ck_assert_msg(!!(setting->flags & SETTING_SECRET) ==
                                                (setting->type == SETTING_TYPE_ENVIRONMENT),
                                            "%s", setting->name);
}
END_TEST

START_TEST(every_resource_can_be_changed_while_the_instance_runs)
{
    for_each_setting(setting) if (setting->group == SETTING_GROUP_RESOURCES)
        ck_assert_msg(setting->flags & SETTING_LIVE, "%s", setting->name);
}
END_TEST

START_TEST(a_typing_error_finds_the_setting_that_was_meant)
{
    static const struct {
        const char *name;
        SettingId meant;
    } rows[] = {
        { "MemroyMax", SETTING_MEMORY_MAX },
        { "memorymax", SETTING_MEMORY_MAX },
        { "MEMORY_MAX", SETTING_MEMORY_MAX },
        { "TimeoutStop", _SETTING_COUNT },
        { "TimeoutStopSecs", SETTING_TIMEOUT_STOP },
        { "TimeoutStopMSec", SETTING_TIMEOUT_STOP },
        { "Usr", SETTING_USER },
        { "pidnamespace", SETTING_PID_NAMESPACE },
        { "CPUQuotaPerSec", _SETTING_COUNT },
        { "Nonsense", _SETTING_COUNT },
        { "", _SETTING_COUNT },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Setting *guess = setting_guess(rows[i].name);
        SettingId id = guess ? guess->id : _SETTING_COUNT;

        ck_assert_msg(id == rows[i].meant, "%s: %s", rows[i].name, guess ? guess->name : "none");
    }
}
END_TEST

START_TEST(nothing_is_guessed_for_a_very_long_name)
{
    g_autofree char *long_name = g_strnfill(100000, 'M');

    ck_assert_ptr_null(setting_guess(long_name));
}
END_TEST

SUITE_MAIN("model/settings", every_default_is_a_value_of_its_setting,
           every_type_of_value_survives_a_round_trip, every_choice_is_read_as_itself,
           every_row_is_at_its_id, every_setting_is_found_by_both_its_names, no_name_is_used_twice,
           names_are_camel_case_words, times_are_seconds_in_files_and_microseconds_on_the_bus,
           every_signature_is_one_of_six, every_group_has_a_name,
           every_help_is_one_phrase_in_lower_case, every_range_is_a_range,
           only_the_environment_is_secret, every_resource_can_be_changed_while_the_instance_runs,
           a_typing_error_finds_the_setting_that_was_meant, nothing_is_guessed_for_a_very_long_name)
