/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The values of options that are not just text, read before anything else happens: a typing error
 * is told even where no service answers. */

#include "ctl/options.h"
#include "util/parse.h"

static bool bad_value(const Options *options, OptionId id, const char *wanted, GError **error)
{
    for (unsigned i = 0; i < n_option_rows; i++)
        if (option_rows[i].id == id)
            return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "--%s=%s: %s",
                             option_rows[i].name, option_value(options, id), wanted);
    g_assert_not_reached();
}

static bool read_word(const Options *options, OptionId id, const char *first, const char *second,
                      const char **ret, GError **error)
{
    g_autofree char *wanted = g_strdup_printf("possible are %s and %s", first, second);
    const char *text = option_value(options, id);

    if (!text)
        return true;
    *ret = text;
    return g_str_equal(text, first) || g_str_equal(text, second) ||
           bad_value(options, id, wanted, error);
}

bool options_read_values(Options *options, GError **error)
{
    const char *json = option_value(options, OPTION_JSON);
    const char *signal = option_value(options, OPTION_SIGNAL);
    const char *timeout = option_value(options, OPTION_TIMEOUT);

    options->who = "all";
    options->until = "final";
    options->timeout_usec = UINT64_MAX;
    if (json && !json_style_from_string(json, &options->json))
        return bad_value(options, OPTION_JSON, "possible are short, pretty and off", error);
    if (signal && parse_signal(signal, &options->signal) < 0)
        return bad_value(options, OPTION_SIGNAL, "there is no such signal", error);
    if (timeout && parse_usec(timeout, &options->timeout_usec) < 0)
        return bad_value(options, OPTION_TIMEOUT,
                         "a time is wanted, like 10, 500ms or \"1min 30s\"", error);
    return read_word(options, OPTION_WHO, "main", "all", &options->who, error) &&
           read_word(options, OPTION_UNTIL, "exit", "final", &options->until, error);
}
