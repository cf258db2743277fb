/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The command line of constellationctl: what it takes, and what it says of what it does not. */

#include <signal.h>
#include <stdlib.h>

#include "ctl/guess.h"
#include "ctl/options.h"
#include "suite.h"
#include "util/parse.h"

static Options options;
static GError *error;

static bool parse(const char *line)
{
    static char **argv; /* the options keep its strings */
    int argc;

    g_strfreev(argv);
    ck_assert(g_shell_parse_argv(line, &argc, &argv, NULL));
    return options_parse(argc, argv, &options, &error);
}

static void check_parses(const char *line)
{
    ck_assert_msg(parse(line), "%s: %s", line, error ? error->message : "");
}

static void forget(void)
{
    options_done(&options);
    options = (Options){ 0 };
    g_clear_error(&error);
}

START_TEST(without_a_verb_instances_are_listed)
{
    check_parses("ctl");
    ck_assert_int_eq(options.verb->id, VERB_LIST);
    forget();
}
END_TEST

START_TEST(options_stand_before_and_behind_the_verb)
{
    check_parses("ctl --no-wait stop a --timeout 5s b -s INT");
    ck_assert_int_eq(options.verb->id, VERB_STOP);
    ck_assert(option_given(&options, OPTION_NO_WAIT));
    ck_assert_uint_eq(options.timeout_usec, 5000000);
    ck_assert_int_eq(options.signal, SIGINT);
    ck_assert_uint_eq(options.arguments->len, 2);
    forget();
}
END_TEST

START_TEST(letters_may_be_joined_with_each_other_and_with_a_value)
{
    check_parses("ctl show -qpState x");
    ck_assert(option_given(&options, OPTION_QUIET));
    ck_assert_str_eq(option_value(&options, OPTION_PROPERTY), "State");
    forget();
}
END_TEST

START_TEST(of_a_repeated_setting_the_last_counts_and_a_list_grows)
{
    check_parses("ctl create x --MemoryMax=1M --MemoryMax=2M --Labels=a --Labels='b c'");
    ck_assert_str_eq(options.settings.texts[SETTING_MEMORY_MAX], "2M");
    ck_assert_str_eq(options.settings.texts[SETTING_LABELS], "a b c");
    forget();
}
END_TEST

START_TEST(an_empty_text_empties_a_list)
{
    check_parses("ctl create x --Labels=a --Labels= --Labels=b");
    ck_assert_str_eq(options.settings.texts[SETTING_LABELS], "b");
    forget();
}
END_TEST

START_TEST(a_variable_is_taken_literally)
{
    g_auto(GStrv) words = NULL;

    check_parses("ctl create x -E \"A=it's two words\"");
    ck_assert_int_eq(parse_words(options.settings.texts[SETTING_ENVIRONMENT], &words), 0);
    ck_assert_uint_eq(g_strv_length(words), 1);
    ck_assert_str_eq(words[0], "A=it's two words");
    forget();
}
END_TEST

START_TEST(a_variable_without_value_is_ours)
{
    (void)setenv("CTL_TEST", "seven", true);
    check_parses("ctl create x --setenv=CTL_TEST");
    ck_assert_str_eq(options.settings.texts[SETTING_ENVIRONMENT], "CTL_TEST=seven");
    forget();
}
END_TEST

START_TEST(behind_two_dashes_all_is_the_command)
{
    check_parses("ctl run --name=x -- ls --json=no -l");
    ck_assert_uint_eq(g_strv_length(options.settings.command), 3);
    ck_assert_str_eq(options.settings.command[1], "--json=no");
    ck_assert(settings_flags_given(&options.settings, SETTING_COMMAND));
    forget();
}
END_TEST

START_TEST(help_is_given_however_wrong_the_rest)
{
    check_parses("ctl kill --help");
    ck_assert_int_eq(options.verb->id, VERB_KILL);
    forget();
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        { "ctl lst", "did you mean 'list'" },
        { "ctl list --lable=x", "did you mean --label" },
        { "ctl run --MemryMax=1 -- x", "did you mean --MemoryMax" },
        { "ctl create x --TimeoutStopUSec=1", "did you mean --TimeoutStopSec" },
        { "ctl list --frobnicate", "unknown option --frobnicate" },
        { "ctl list -z", "unknown option -z" },
        { "ctl list --MemoryMax=1", "--MemoryMax is a setting, and list takes none" },
        { "ctl list --force", "--force does not go with list" },
        { "ctl list --force=1", "--force takes no value" },
        { "ctl --state", "--state needs a value" },
        { "ctl start", "start needs NAME" },
        { "ctl wait a b", "'b' is one argument too many" },
        { "ctl run ls -l /", "a command stands behind --" },
        { "ctl run sleep 10", "a command stands behind --" },
        { "ctl run --name=x", "nothing to run" },
        { "ctl run web --rm", "is there already" },
        { "ctl run --", "no command behind --" },
        { "ctl run --Command=ls -- ls", "exclude each other" },
        { "ctl --user --system list", "exclude each other" },
        { "ctl --embedded stop x", "--embedded does not go with stop" },
        { "ctl run --embedded -d -- ls", "exclude each other" },
        { "ctl --json=xml list", "possible are short, pretty and off" },
        { "ctl stop x --timeout=soon", "a time is wanted" },
        { "ctl kill x -s SIGFOO", "there is no such signal" },
        { "ctl kill x --who=none", "possible are main and all" },
        { "ctl wait x --until=never", "possible are exit and final" },
        { "ctl create x -E NO_SUCH_VARIABLE_HERE", "there is no such variable" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ck_assert_msg(!parse(rows[i].line), "%s", rows[i].line);
        ck_assert_msg(g_error_matches(error, CONSTELLATION_ERROR, CONSTELLATION_ERROR_INVALID_ARGS),
                      "%s", rows[i].line);
        ck_assert_msg(strstr(error->message, rows[i].says) != NULL, "%s: %s", rows[i].line,
                      error->message);
        g_clear_error(&error);
    }
}
END_TEST

START_TEST(what_is_not_utf8_is_refused_by_its_place)
{
    char *argv[] = { (char *)"ctl", (char *)"list", (char *)"\xff", NULL };

    ck_assert(!options_parse(3, argv, &options, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "argument 2"));
    g_clear_error(&error);
}
END_TEST

START_TEST(every_verb_and_option_can_be_told_from_the_others)
{
    for (unsigned i = 0; i < _VERB_COUNT; i++)
        ck_assert_uint_eq(verbs[i].id, i);
    for (unsigned i = 0; i < n_option_rows; i++) {
        ck_assert_msg(!setting_find(option_rows[i].name), "%s", option_rows[i].name);
        for (unsigned j = 0; j < i; j++)
            ck_assert_msg(option_rows[i].id == option_rows[j].id ||
                              (strcmp(option_rows[i].name, option_rows[j].name) != 0 &&
                               (option_rows[i].letter == 0 ||
                                option_rows[i].letter != option_rows[j].letter)),
                          "%s", option_rows[i].name);
    }
}
END_TEST

START_TEST(slips_are_near_and_other_words_are_not)
{
    ck_assert_uint_eq(guess_distance("sotp", "stop"), 1);
    ck_assert_uint_eq(guess_distance("Stop", "stop"), 0);
    ck_assert_uint_eq(guess_distance("lis", "list"), 1);
    ck_assert_uint_eq(guess_distance("kill", "list"), UINT_MAX);
    ck_assert_uint_eq(guess_distance("", "list"), UINT_MAX);
    ck_assert_uint_eq(guess_distance("a-word-that-is-much-longer-than-any-verb-there-is", "list"),
                      UINT_MAX);
}
END_TEST

SUITE_MAIN("ctl/options", without_a_verb_instances_are_listed,
           options_stand_before_and_behind_the_verb,
           letters_may_be_joined_with_each_other_and_with_a_value,
           of_a_repeated_setting_the_last_counts_and_a_list_grows, an_empty_text_empties_a_list,
           a_variable_is_taken_literally, a_variable_without_value_is_ours,
           behind_two_dashes_all_is_the_command, help_is_given_however_wrong_the_rest,
           what_is_wrong_is_said, what_is_not_utf8_is_refused_by_its_place,
           every_verb_and_option_can_be_told_from_the_others,
           slips_are_near_and_other_words_are_not)
