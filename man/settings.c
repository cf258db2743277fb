/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes constellation.settings(7): its template, in which a line @GROUP@ becomes the settings of
 * that group, from the same table as everything else that knows settings. For scdoc. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/settings.h"

/* Characters that mean something to scdoc. */
static void print_text(const char *text)
{
    for (; *text; text++)
        printf("%s%c", strchr("_*\\<>#`", *text) ? "\\" : "", *text);
}

static void print_setting(const Setting *setting)
{
    printf("*%s=*", setting->name);
    print_text(setting->metavar);
    printf("\n\t");
    if (*setting->help)
        putchar(g_ascii_toupper(*setting->help));
    print_text(setting->help + 1);
    printf(".");
    if (*setting->default_text) {
        printf(" Default: ");
        print_text(setting->default_text);
        printf(".");
    }
    printf(" On the bus: *%s* %s.\n\n", setting->bus_name, setting_signature(setting));
}

static bool print_group(const char *line)
{
    bool found = false;

    for (unsigned group = 0; group < _SETTING_GROUP_COUNT; group++) {
        g_autofree char *mark = g_strdup_printf("@%s@\n", setting_group_name((SettingGroup)group));

        if (!g_str_equal(line, mark))
            continue;
        found = true;
        for (unsigned id = 0; id < _SETTING_COUNT; id++)
            if (setting_get((SettingId)id)->group == group)
                print_setting(setting_get((SettingId)id));
    }
    return found;
}

int main(int argc, char **argv)
{
    char line[1024];
    FILE *template = argc == 2 ? fopen(argv[1], "re") : NULL;

    if (!template) {
        fprintf(stderr, "settings TEMPLATE\n");
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof line, template))
        if (!print_group(line))
            fputs(line, stdout);
    fclose(template);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
