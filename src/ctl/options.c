/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Read in two steps: words to options, then whether the options go with the verb, which may stand
 * behind them. getopt knows neither of the two tables that the flags come from. */

#include <string.h>

#include "ctl/guess.h"
#include "ctl/options.h"

static bool usage_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool usage_error(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s (try --help)", text);
}

static const OptionRow *option_by_name(const char *name)
{
    for (unsigned i = 0; i < n_option_rows; i++)
        if (g_str_equal(option_rows[i].name, name))
            return &option_rows[i];
    return NULL;
}

static const OptionRow *option_by_letter(char letter)
{
    for (unsigned i = 0; i < n_option_rows; i++)
        if (option_rows[i].letter == letter)
            return &option_rows[i];
    return NULL;
}

/* A flag is spelt like in a file, so not every name that setting_find() takes is one. */
static const Setting *setting_by_flag(const char *name)
{
    const Setting *setting = setting_find(name);

    return setting && g_str_equal(setting->name, name) ? setting : NULL;
}

static bool unknown_option(const char *name, GError **error)
{
    const char *guess = NULL;

    for (unsigned i = 0; i < n_option_rows; i++)
        guess = guess_better(name, guess, option_rows[i].name);

    const Setting *setting = guess ? NULL : setting_guess(name);

    if (setting)
        guess = setting->name;
    if (guess)
        return usage_error(error, "unknown option --%s: did you mean --%s?", name, guess);
    return usage_error(error, "unknown option --%s", name);
}

typedef struct Parser {
    Options *options;
    char **next;           /* the words to come */
    const char *a_setting; /* one that was given, or NULL */
} Parser;

static bool parser_value(Parser *parser, const char *name, const char *inlined, const char **ret,
                         GError **error)
{
    if (inlined)
        *ret = inlined;
    else if (*parser->next)
        *ret = *parser->next++;
    else
        return usage_error(error, "%s needs a value", name);
    return true;
}

static bool parse_long(Parser *parser, const char *word, GError **error)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name = equals ? g_strndup(word, (gsize)(equals - word)) : g_strdup(word);
    const char *inlined = equals ? equals + 1 : NULL, *value = "";
    const OptionRow *row = option_by_name(name + 2);
    const Setting *setting = row ? NULL : setting_by_flag(name + 2);

    if (!row && !setting)
        return unknown_option(name + 2, error);
    if (row && !row->metavar && inlined)
        return usage_error(error, "%s takes no value", name);
    if ((setting || row->metavar) && !parser_value(parser, name, inlined, &value, error))
        return false;
    if (setting) {
        parser->a_setting = setting->name;
        settings_flags_add(&parser->options->settings, setting, value);
    } else {
        g_ptr_array_add(parser->options->values[row->id], (char *)value);
    }
    return true;
}

/* -qp NAME, -pNAME. */
static bool parse_letters(Parser *parser, const char *word, GError **error)
{
    for (const char *p = word + 1; *p; p++) {
        char name[] = { '-', *p, '\0' };
        const OptionRow *row = option_by_letter(*p);
        const char *value = "";

        if (!row)
            return usage_error(error, "unknown option %s in %s", name, word);
        if (row->metavar && !parser_value(parser, name, p[1] ? p + 1 : NULL, &value, error))
            return false;
        g_ptr_array_add(parser->options->values[row->id], (char *)value);
        if (row->metavar)
            return true;
    }
    return true;
}

static bool parse_verb(Options *options, const char *word, GError **error)
{
    const char *guess = NULL;

    for (unsigned i = 0; i < _VERB_COUNT; i++) {
        if (g_str_equal(verbs[i].name, word)) {
            options->verb = &verbs[i];
            return true;
        }
        guess = guess_better(word, guess, verbs[i].name);
    }
    if (guess)
        return usage_error(error, "unknown verb '%s': did you mean '%s'?", word, guess);
    return usage_error(error, "unknown verb '%s'", word);
}

static bool parse_words(Parser *parser, GError **error)
{
    Options *options = parser->options;

    while (*parser->next) {
        char *word = *parser->next++;

        if (g_str_equal(word, "--")) {
            if (options->verb && options->verb->flags & VERB_TAKES_COMMAND)
                options->settings.command = parser->next;
            else
                while (*parser->next)
                    g_ptr_array_add(options->arguments, *parser->next++);
            return true;
        }
        if (g_str_has_prefix(word, "--")) {
            if (!parse_long(parser, word, error))
                return false;
        } else if (*word == '-' && word[1]) {
            if (!parse_letters(parser, word, error))
                return false;
        } else if (options->verb) {
            g_ptr_array_add(options->arguments, word);
        } else if (!parse_verb(options, word, error)) {
            return false;
        }
    }
    return true;
}

static bool option_goes_with(OptionId id, const Verb *verb)
{
    for (unsigned i = 0; i < n_option_rows; i++)
        if (option_rows[i].id == id && option_rows[i].verbs & (1u << verb->id))
            return true;
    return false;
}

static const char *option_name(OptionId id)
{
    for (unsigned i = 0; i < n_option_rows; i++)
        if (option_rows[i].id == id)
            return option_rows[i].name;
    g_assert_not_reached();
}

static bool check_connection(const Options *options, GError **error)
{
    static const OptionId ways[] = { OPTION_SYSTEM, OPTION_USER, OPTION_SOCKET, OPTION_EMBEDDED };
    const char *first = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (!option_given(options, ways[i]))
            continue;
        if (first)
            return usage_error(error, "--%s and --%s exclude each other", first,
                               option_name(ways[i]));
        first = option_name(ways[i]);
    }
    return true;
}

static bool check_arguments(const Options *options, GError **error)
{
    const Verb *verb = options->verb;
    unsigned n = options->arguments->len;

    if (n < verb->arguments_min)
        return usage_error(error, "%s needs %s", verb->name, verb->arguments);
    if (n > verb->arguments_max && verb->flags & VERB_TAKES_COMMAND)
        return usage_error(error,
                           "'%s' is one argument too many for %s: a command stands behind --",
                           option_argument(options, verb->arguments_max), verb->name);
    if (n > verb->arguments_max)
        return usage_error(error, "'%s' is one argument too many for %s",
                           option_argument(options, verb->arguments_max), verb->name);
    if (options->settings.command && !*options->settings.command)
        return usage_error(error, "there is no command behind --");
    if (options->settings.command && options->settings.texts[SETTING_COMMAND])
        return usage_error(error, "--Command= and a command behind -- exclude each other");
    return true;
}

/* The arguments first: with `run ls -l` the -l is no mistake in an option. */
static bool options_check(const Options *options, const char *a_setting, GError **error)
{
    if (!check_arguments(options, error))
        return false;
    for (unsigned id = 0; id < _OPTION_COUNT; id++)
        if (option_given(options, (OptionId)id) && !option_goes_with((OptionId)id, options->verb))
            return usage_error(error, "--%s does not go with %s", option_name((OptionId)id),
                               options->verb->name);
    if (a_setting && !(options->verb->flags & (VERB_TAKES_SETTINGS | VERB_TAKES_LIMITS)))
        return usage_error(error, "--%s is a setting, and %s takes none", a_setting,
                           options->verb->name);
    return check_connection(options, error) &&
           (!options->verb->check || options->verb->check(options, error));
}

/* D-Bus carries nothing but valid UTF-8. */
static bool check_encoding(int argc, char **argv, GError **error)
{
    for (int i = 1; i < argc; i++)
        if (!g_utf8_validate(argv[i], -1, NULL))
            return usage_error(error, "argument %d is not valid UTF-8", i);
    return true;
}

bool options_parse(int argc, char **argv, Options *ret, GError **error)
{
    g_auto(Options) options = { .arguments = g_ptr_array_new() };
    Parser parser = { .options = &options, .next = argv + (argc > 0) };

    for (unsigned id = 0; id < _OPTION_COUNT; id++)
        options.values[id] = g_ptr_array_new();
    if (!check_encoding(argc, argv, error) || !parse_words(&parser, error))
        return false;
    if (!option_given(&options, OPTION_HELP) && !option_given(&options, OPTION_VERSION)) {
        if (!options.verb)
            options.verb = &verbs[VERB_LIST];
        if (!options_check(&options, parser.a_setting, error))
            return false;
    }
    for (unsigned i = 0; i < options.values[OPTION_SETENV]->len; i++)
        if (!settings_flags_add_variable(
                &options.settings, g_ptr_array_index(options.values[OPTION_SETENV], i), error))
            return false;
    if (!options_read_values(&options, error))
        return false;
    *ret = options;
    options = (Options){ 0 };
    return true;
}

void options_done(Options *options)
{
    for (unsigned id = 0; id < _OPTION_COUNT; id++)
        g_clear_pointer(&options->values[id], g_ptr_array_unref);
    g_clear_pointer(&options->arguments, g_ptr_array_unref);
    settings_flags_done(&options->settings);
}

bool option_given(const Options *options, OptionId id)
{
    return options->values[id]->len > 0;
}

const char *option_value(const Options *options, OptionId id)
{
    const GPtrArray *values = options->values[id];

    return values->len > 0 ? g_ptr_array_index(values, values->len - 1) : NULL;
}

const char *option_argument(const Options *options, unsigned i)
{
    return g_ptr_array_index(options->arguments, i);
}
