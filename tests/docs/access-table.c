/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of who may call and read what as it stands in docs/SECURITY.md, from the table that the
 * service decides by. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/access.h"

static const char *const rules[] = {
    [ACCESS_EVERYBODY] = "everybody",
    [ACCESS_OWNER] = "root, the owner",
    [ACCESS_ONESELF] = "root",
    [ACCESS_SERVICE] = "root",
};

/* Members of a kind and with the same rule and action stand on one line. */
static void print_line(const AccessRow *like, size_t first)
{
    const char *separator = "";

    printf("| %s | %s | ", strrchr(like->interface, '.') + 1,
           like->is_property ? "property" : "method");
    for (size_t i = first; i < ACCESS_ROW_COUNT; i++) {
        const AccessRow *row = access_row(i);
        if (row->interface != like->interface || row->is_property != like->is_property ||
            row->rule != like->rule || row->action != like->action)
            break;
        printf("%s%s", separator, row->member);
        separator = ", ";
    }
    printf(" | %s | %s |\n", rules[like->rule],
           like->is_property && like->action != ACTION_NONE ? "an empty value"
           : like->action != ACTION_NONE ? strrchr(action_name(like->action), '.') + 1
                                         : "–");
}

static int is_continued(size_t i)
{
    const AccessRow *row = access_row(i), *before = i > 0 ? access_row(i - 1) : NULL;

    return before && before->interface == row->interface &&
           before->is_property == row->is_property && before->rule == row->rule &&
           before->action == row->action;
}

int main(void)
{
    puts("| interface | | members | without a question | others |");
    puts("|---|---|---|---|---|");
    for (size_t i = 0; i < ACCESS_ROW_COUNT; i++)
        if (!is_continued(i))
            print_line(access_row(i), i);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
