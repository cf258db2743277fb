/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was asked for: setting, getting, refusing. */

#include <string.h>

#include <glib.h>

#include "model/spec.h"
#include "suite.h"
#include "util/error.h"

#define KIB 1024u

static Spec *spec;

static void make_spec(void)
{
    spec = spec_new();
}

static void drop_spec(void)
{
    g_clear_pointer(&spec, spec_free);
}

static void set(SettingId id, const char *text)
{
    g_autoptr(GError) error = NULL;

    ck_assert_msg(spec_set_text(spec, id, text, &error), "%s", error ? error->message : "");
}

/* A wrong text is refused with exactly this sentence, and what was there before stays. */
static void check_refused(SettingId id, const char *text, const char *sentence)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *before = spec_get_text(spec, id);
    bool was_set = spec_is_set(spec, id);

    ck_assert_msg(!spec_set_text(spec, id, text, &error), "%s", text);
    ck_assert(g_error_matches(error, CONSTELLATION_ERROR, CONSTELLATION_ERROR_INVALID_ARGS));
    ck_assert_str_eq(error->message, sentence);
    g_autofree char *after = spec_get_text(spec, id);
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(spec_is_set(spec, id), was_set);
}

static void check_invalid(const char *sentence)
{
    g_autoptr(GError) error = NULL;

    ck_assert(!spec_validate(spec, &error));
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_INVALID_ARGS);
    ck_assert_str_eq(error->message, sentence);
}

START_TEST(what_is_not_set_has_its_default)
{
    for (SettingId id = 0; id < _SETTING_COUNT; id++)
        ck_assert(!spec_is_set(spec, id));
    ck_assert_uint_eq(spec_get_uint(spec, SETTING_TIMEOUT_STOP), 90000000);
    ck_assert_uint_eq(spec_get_uint(spec, SETTING_PID_NAMESPACE), CHOICE_TRY);
    ck_assert_uint_eq(spec_get_uint(spec, SETTING_USER_NAMESPACE), CHOICE_AUTO);
    ck_assert_uint_eq(spec_get_uint(spec, SETTING_MEMORY_MAX), UINT64_MAX);
    ck_assert_uint_eq(spec_get_uint(spec, SETTING_KILL_SIGNAL), 15);
    ck_assert_str_eq(spec_get_string(spec, SETTING_STANDARD_OUTPUT), "journal");
}
END_TEST

START_TEST(what_has_no_default_is_nothing)
{
    g_autofree char *text = spec_get_text(spec, SETTING_SCRIPT);

    ck_assert_str_eq(text, "");
    ck_assert_uint_eq(spec_get_uint(spec, SETTING_CPU_WEIGHT), 0);
    ck_assert_ptr_null(spec_get_string(spec, SETTING_SCRIPT));
    ck_assert_ptr_null(spec_get_strv(spec, SETTING_COMMAND));
}
END_TEST

START_TEST(what_was_set_is_got)
{
    static const char *const command[] = { "/bin/echo", "a b", NULL };

    ck_assert(spec_set_uint(spec, SETTING_MEMORY_MAX, 8u << 20, NULL));
    ck_assert(spec_set_string(spec, SETTING_USER, "alice", NULL));
    ck_assert(spec_set_strv(spec, SETTING_COMMAND, command, NULL));
    ck_assert(spec_is_set(spec, SETTING_USER));
    ck_assert_uint_eq(spec_get_uint(spec, SETTING_MEMORY_MAX), 8u << 20);
    ck_assert_str_eq(spec_get_string(spec, SETTING_USER), "alice");
    ck_assert(g_strv_equal(spec_get_strv(spec, SETTING_COMMAND), command));
}
END_TEST

START_TEST(setting_again_replaces_and_unsetting_brings_the_default_back)
{
    set(SETTING_TIMEOUT_STOP, "5s");
    set(SETTING_TIMEOUT_STOP, "1min");
    ck_assert_uint_eq(spec_get_uint(spec, SETTING_TIMEOUT_STOP), 60000000);
    set(SETTING_USER, "alice");
    set(SETTING_USER, "bob");
    ck_assert_str_eq(spec_get_string(spec, SETTING_USER), "bob");
    spec_unset(spec, SETTING_TIMEOUT_STOP);
    spec_unset(spec, SETTING_USER);
    ck_assert_uint_eq(spec_get_uint(spec, SETTING_TIMEOUT_STOP), 90000000);
    ck_assert_ptr_null(spec_get_string(spec, SETTING_USER));
}
END_TEST

START_TEST(a_choice_is_a_string_or_its_index)
{
    ck_assert(spec_set_string(spec, SETTING_BACKEND, "monitor", NULL));
    ck_assert_uint_eq(spec_get_uint(spec, SETTING_BACKEND), BACKEND_MONITOR);
    ck_assert(spec_set_uint(spec, SETTING_BACKEND, BACKEND_CGROUP, NULL));
    g_autofree char *text = spec_get_text(spec, SETTING_BACKEND);
    ck_assert_str_eq(text, "cgroup");
}
END_TEST

START_TEST(no_list_is_the_empty_list)
{
    ck_assert(spec_set_strv(spec, SETTING_LABELS, NULL, NULL));
    ck_assert(spec_is_set(spec, SETTING_LABELS));
    ck_assert_ptr_null(spec_get_strv(spec, SETTING_LABELS)[0]);
}
END_TEST

START_TEST(a_copy_is_equal_and_independent)
{
    set(SETTING_COMMAND, "sh -c 'a b'");
    set(SETTING_USER, "alice");
    set(SETTING_CPU_WEIGHT, "5");
    g_autoptr(Spec) copy = spec_copy(spec);
    spec_free(g_steal_pointer(&spec));
    g_autofree char *command = spec_get_text(copy, SETTING_COMMAND);
    ck_assert_str_eq(command, "sh -c 'a b'");
    ck_assert_str_eq(spec_get_string(copy, SETTING_USER), "alice");
    ck_assert_uint_eq(spec_get_uint(copy, SETTING_CPU_WEIGHT), 5);
    ck_assert(!spec_is_set(copy, SETTING_MEMORY_MAX));
}
END_TEST

START_TEST(a_wrong_number_is_refused_with_what_would_do)
{
    check_refused(SETTING_TIMEOUT_STOP, "abc",
                  "TimeoutStopSec=abc: not a time span (examples: 30s, 1min 30s, infinity)");
    check_refused(SETTING_MEMORY_MAX, "lots",
                  "MemoryMax=lots: not a size (examples: 512K, 1.5G, infinity)");
    check_refused(SETTING_MEMORY_MAX, "1", "MemoryMax=1: must be at least 4M");
    check_refused(SETTING_MEMORY_MAX, "16384P", "MemoryMax=16384P: too large, must be at least 4M");
    check_refused(SETTING_TIMEOUT_START, "0", "TimeoutStartSec=0: must be at least 1us");
    check_refused(SETTING_CPU_WEIGHT, "0", "CPUWeight=0: must be from 1 to 10000");
    check_refused(SETTING_CPU_WEIGHT, "infinity", "CPUWeight=infinity: must be from 1 to 10000");
    check_refused(SETTING_CPU_WEIGHT, "x", "CPUWeight=x: not a number (examples: 100, 4096)");
    check_refused(SETTING_CPU_QUOTA, "50",
                  "CPUQuota=50: not a share of one core (examples: 50%, 150%, infinity)");
    check_refused(SETTING_CPU_QUOTA, "0%", "CPUQuota=0%: must be at least 0.1%");
    check_refused(SETTING_KILL_SIGNAL, "TREM",
                  "KillSignal=TREM: not a signal (examples: SIGTERM, INT, 15)");
    check_refused(SETTING_KILL_SIGNAL, "40", "KillSignal=40: must be from 1 to 31");
}
END_TEST

START_TEST(a_wrong_choice_is_refused_with_the_choices)
{
    check_refused(SETTING_PID_NAMESPACE, "maybe",
                  "PIDNamespace=maybe: must be required, try or off");
    check_refused(SETTING_USER_NAMESPACE, "", "UserNamespace=: must be required, try, off or auto");
    check_refused(SETTING_REMOVE_ON_EXIT, "perhaps", "RemoveOnExit=perhaps: must be yes or no");
}
END_TEST

START_TEST(an_empty_text_is_no_number_and_no_choice)
{
    for (SettingId id = 0; id < _SETTING_COUNT; id++)
        if (strcmp(setting_signature(setting_get(id)), "as") != 0 && id != SETTING_DESCRIPTION)
            ck_assert_msg(!spec_set_text(spec, id, "", NULL), "%s", setting_get(id)->name);
}
END_TEST

START_TEST(a_wrong_string_is_refused_with_its_form)
{
    g_autofree char *long_text = g_strnfill(257, 'x');
    g_autofree char *start = g_strnfill(64, 'x');
    g_autofree char *sentence = g_strdup_printf("Description=%s…: must have at most 256 bytes",
                                                start);

    check_refused(SETTING_DESCRIPTION, long_text, sentence);
    check_refused(SETTING_DESCRIPTION, "a\nb",
                  "Description=a?b: must be UTF-8 text without control characters");
    check_refused(SETTING_INTERPRETER, "", "Interpreter=: must not be empty");
    check_refused(SETTING_SCRIPT, "a/../b",
                  "Script=a/../b: must be an absolute path of at most 4095 bytes without '.', "
                  "'..', '//' and a slash at the end");
    check_refused(SETTING_USER, "+5",
                  "User=+5: must be a user name or a uid (0 to 4294967294, not 65535)");
    check_refused(SETTING_HOSTNAME, "a_b",
                  "Hostname=a_b: must be a host name: letters, digits, hyphens and dots, at most "
                  "64 of them");
    check_refused(SETTING_STANDARD_OUTPUT, "file:x",
                  "StandardOutput=file:x: must be journal, null, file:PATH or append:PATH with an "
                  "absolute path");
}
END_TEST

START_TEST(a_number_from_the_bus_is_refused_in_the_files_spelling)
{
    static const struct {
        SettingId id;
        uint64_t value;
        const char *sentence;
    } rows[] = {
        { SETTING_MEMORY_MAX, 1024, "MemoryMax=1K: must be at least 4M" },
        { SETTING_TIMEOUT_START, 0, "TimeoutStartSec=0: must be at least 1us" },
        { SETTING_CPU_QUOTA, 10, "CPUQuota=0.001%: must be at least 0.1%" },
        { SETTING_KILL_SIGNAL, 64, "KillSignal=64: must be from 1 to 31" },
        { SETTING_KILL_SIGNAL, UINT64_MAX, "KillSignal=infinity: must be from 1 to 31" },
        { SETTING_PID_NAMESPACE, 3, "PIDNamespace=3: must be required, try or off" },
        { SETTING_REMOVE_ON_EXIT, 2, "RemoveOnExit=yes: must be yes or no" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        ck_assert(!spec_set_uint(spec, rows[i].id, rows[i].value, &error));
        ck_assert_str_eq(error->message, rows[i].sentence);
    }
}
END_TEST

/* count copies of the word, separated by blanks */
static char *repeat(const char *word, size_t count)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < count; i++)
        g_string_append_printf(text, "%s ", word);
    return g_string_free(text, FALSE);
}

START_TEST(a_command_has_1_to_1024_words_and_begins_with_a_program)
{
    g_autofree char *most = repeat("x", 1024);
    g_autofree char *more = repeat("x", 1025);

    set(SETTING_COMMAND, most);
    ck_assert(!spec_set_text(spec, SETTING_COMMAND, more, NULL));
    check_refused(SETTING_COMMAND, "", "Command=: must begin with a program");
    check_refused(SETTING_COMMAND, "'' a", "Command='' a: must begin with a program");
    check_refused(SETTING_COMMAND, "a \xff",
                  "Command=a \xef\xbf\xbd: word 2 must be UTF-8 text of "
                  "less than 128K");
    check_refused(SETTING_COMMAND, "sh -c 'x",
                  "Command=sh -c 'x: a quotation mark has no partner, or a backslash nothing to "
                  "quote");
}
END_TEST

START_TEST(a_word_is_shorter_than_the_kernels_limit)
{
    g_autofree char *longest = g_strnfill(128 * KIB - 1, 'x');
    g_autofree char *longer = g_strnfill(128 * KIB, 'x');

    set(SETTING_COMMAND, longest);
    ck_assert(!spec_set_text(spec, SETTING_COMMAND, longer, NULL));
}
END_TEST

START_TEST(an_environment_error_never_tells_a_value)
{
    check_refused(SETTING_ENVIRONMENT, "A=hunter2 A=x", "Environment: A is given twice");
    check_refused(SETTING_ENVIRONMENT, "A=1 hunter2",
                  "Environment: word 2 is not NAME=VALUE with a NAME of letters, digits and '_'");
    check_refused(SETTING_ENVIRONMENT, "A=\xff",
                  "Environment: word 1 must be UTF-8 text of less than 128K");
    check_refused(SETTING_ENVIRONMENT, "A='hunter2",
                  "Environment: a quotation mark has no partner, or a backslash nothing to quote");
}
END_TEST

START_TEST(an_environment_has_at_most_256_variables)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < 256; i++)
        g_string_append_printf(text, "V%d= ", i);
    set(SETTING_ENVIRONMENT, text->str);
    g_string_append(text, "V256=");
    check_refused(SETTING_ENVIRONMENT, text->str, "Environment: at most 256 variables");
}
END_TEST

START_TEST(labels_are_shown_and_few)
{
    g_autofree char *most = repeat("x", 64);
    g_autofree char *more = repeat("x", 65);

    set(SETTING_LABELS, most);
    ck_assert(!spec_set_text(spec, SETTING_LABELS, more, NULL));
    check_refused(SETTING_LABELS, "web 'a\nb'",
                  "Labels=web 'a?b': word 2 must be UTF-8 text of 1 to 256 bytes without control "
                  "characters");
    ck_assert(!spec_set_text(spec, SETTING_LABELS, "''", NULL));
}
END_TEST

START_TEST(a_sandbox_a_script_and_a_command_are_valid)
{
    ck_assert(spec_validate(spec, NULL));
    set(SETTING_COMMAND, "/bin/true");
    ck_assert(spec_validate(spec, NULL));
    spec_unset(spec, SETTING_COMMAND);
    set(SETTING_SCRIPT, "/srv/web.rads");
    set(SETTING_INTERPRETER, "rads");
    ck_assert(spec_validate(spec, NULL));
    set(SETTING_INTERPRETER, "/usr/bin/rads");
    ck_assert(spec_validate(spec, NULL));
}
END_TEST

START_TEST(script_and_command_exclude_each_other)
{
    set(SETTING_SCRIPT, "/srv/web");
    set(SETTING_COMMAND, "/bin/true");
    check_invalid("Script= and Command= exclude each other: unset one of them");
}
END_TEST

START_TEST(an_interpreter_needs_a_script)
{
    set(SETTING_INTERPRETER, "rads");
    check_invalid("Interpreter=rads: there is nothing to interpret without Script=");
}
END_TEST

START_TEST(an_interpreter_has_no_relative_path)
{
    set(SETTING_SCRIPT, "/srv/web");
    set(SETTING_INTERPRETER, "bin/rads");
    check_invalid("Interpreter=bin/rads: must be an absolute path or the bare name of a program");
}
END_TEST

START_TEST(a_host_name_needs_a_uts_namespace)
{
    set(SETTING_HOSTNAME, "web");
    ck_assert(spec_validate(spec, NULL));
    set(SETTING_UTS_NAMESPACE, "off");
    check_invalid("Hostname=web: needs a UTS namespace, and UTSNamespace=off was asked for");
    spec_unset(spec, SETTING_HOSTNAME);
    ck_assert(spec_validate(spec, NULL));
}
END_TEST

START_TEST(only_settings_can_be_required)
{
    set(SETTING_REQUIRE, "PIDNamespace MemoryMax");
    ck_assert(spec_validate(spec, NULL));
    set(SETTING_REQUIRE, "PIDNamespace MemroyMax");
    check_invalid("Require=MemroyMax: no such setting (is it MemoryMax?)");
    set(SETTING_REQUIRE, "Everything");
    check_invalid("Require=Everything: no such setting");
}
END_TEST

START_TEST(what_is_off_cannot_be_required)
{
    set(SETTING_REQUIRE, "PIDNamespace");
    set(SETTING_PID_NAMESPACE, "off");
    check_invalid("Require=PIDNamespace: contradicts PIDNamespace=off");
}
END_TEST

START_TEST(command_and_environment_fit_into_a_megabyte)
{
    g_autofree char *word = g_strnfill(127 * KIB, 'x');
    g_autofree char *command = repeat(word, 8);
    g_autofree char *environment = g_strdup_printf("A=%.*s", 8 * KIB, word);

    set(SETTING_COMMAND, command);
    ck_assert(spec_validate(spec, NULL));
    set(SETTING_ENVIRONMENT, environment);
    check_invalid("Command= and Environment= have more than 1M together: pass large data in a "
                  "file");
}
END_TEST

SUITE_MAIN_WITH("model/spec", make_spec, drop_spec, what_is_not_set_has_its_default,
                what_has_no_default_is_nothing, what_was_set_is_got,
                setting_again_replaces_and_unsetting_brings_the_default_back,
                a_choice_is_a_string_or_its_index, no_list_is_the_empty_list,
                a_copy_is_equal_and_independent, a_wrong_number_is_refused_with_what_would_do,
                a_wrong_choice_is_refused_with_the_choices,
                an_empty_text_is_no_number_and_no_choice, a_wrong_string_is_refused_with_its_form,
                a_number_from_the_bus_is_refused_in_the_files_spelling,
                a_command_has_1_to_1024_words_and_begins_with_a_program,
                a_word_is_shorter_than_the_kernels_limit, an_environment_error_never_tells_a_value,
                an_environment_has_at_most_256_variables, labels_are_shown_and_few,
                a_sandbox_a_script_and_a_command_are_valid, script_and_command_exclude_each_other,
                an_interpreter_needs_a_script, an_interpreter_has_no_relative_path,
                a_host_name_needs_a_uts_namespace, only_settings_can_be_required,
                what_is_off_cannot_be_required, command_and_environment_fit_into_a_megabyte)
