/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "ctl/help.h"
#include "ctl/options.h"
#include "ctl/terminal.h"

#define LEFT_WIDTH 30u /* columns of a flag before its explanation begins */

/* A flag too long for its column has the explanation on the next line. */
static void print_row(const char *left, const char *right)
{
    unsigned width = text_width(left);

    if (width <= LEFT_WIDTH)
        printf("  %s%*s %s\n", left, (int)(LEFT_WIDTH - width), "", right);
    else
        printf("  %s\n  %*s %s\n", left, (int)LEFT_WIDTH, "", right);
}

static void print_option(const OptionRow *row)
{
    g_autofree char *letter = row->letter ? g_strdup_printf("-%c ", row->letter) : g_strdup("   ");
    g_autofree char *left = g_strdup_printf(
        "%s--%s%s%s", letter, row->name, row->metavar ? "=" : "", row->metavar ? row->metavar : "");

    print_row(left, row->help);
}

static bool is_general(const OptionRow *row)
{
    return row->id < OPTION_STATE;
}

static void print_settings(SettingGroup first)
{
    for (unsigned group = first; group < _SETTING_GROUP_COUNT; group++) {
        printf("\nSettings: %s\n", setting_group_name((SettingGroup)group));
        for (unsigned id = 0; id < _SETTING_COUNT; id++) {
            const Setting *setting = setting_get((SettingId)id);
            g_autofree char *left = g_strdup_printf("--%s=%s", setting->name, setting->metavar);
            g_autofree char *right = *setting->default_text
                                         ? g_strdup_printf("%s (default: %s)", setting->help,
                                                           setting->default_text)
                                         : g_strdup(setting->help);

            if (setting->group == group)
                print_row(left, right);
        }
    }
}

static void print_verb(const Verb *verb)
{
    bool titled = false;

    printf("constellationctl [OPTIONS] %s %s\n\n%s\n", verb->name, verb->arguments, verb->help);
    if (verb->more)
        printf("\n%s\n", verb->more);
    for (unsigned i = 0; i < n_option_rows; i++) {
        if (is_general(&option_rows[i]) || !(option_rows[i].verbs & (1u << verb->id)))
            continue;
        if (!titled)
            printf("\nOptions of %s:\n", verb->name);
        titled = true;
        print_option(&option_rows[i]);
    }
    printf("\nGeneral options:\n");
    for (unsigned i = 0; i < n_option_rows; i++)
        if (is_general(&option_rows[i]) && option_rows[i].verbs & (1u << verb->id))
            print_option(&option_rows[i]);
    if (verb->flags & VERB_TAKES_SETTINGS)
        print_settings(SETTING_GROUP_INSTANCE);
    if (verb->flags & VERB_TAKES_LIMITS)
        print_settings(SETTING_GROUP_RESOURCES);
}

static void print_program(void)
{
    printf("constellationctl [OPTIONS] [VERB] [ARGUMENTS…]\n\n"
           "Runs isolated and limited instances of scripts and commands, and tells how they do.\n"
           "NAME is an instance's name, its id, or USER/NAME for somebody else's.\n"
           "\nVerbs (list, if there is none):\n");
    for (unsigned i = 0; i < _VERB_COUNT; i++) {
        g_autofree char *left = g_strdup_printf("%s %s", verbs[i].name, verbs[i].arguments);

        print_row(left, verbs[i].help);
    }
    printf("\nOptions:\n");
    for (unsigned i = 0; i < n_option_rows; i++)
        if (is_general(&option_rows[i]))
            print_option(&option_rows[i]);
    printf("\n'constellationctl VERB --help' lists the options of a verb, and the settings.\n");
}

void help_print(const Verb *verb)
{
    if (verb)
        print_verb(verb);
    else
        print_program();
}
