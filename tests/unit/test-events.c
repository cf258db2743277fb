/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The messages that the service sends, and the catalog that explains them: one is nothing without
 * the other. */

#include <stdio.h>
#include <stdlib.h>

#include <glib.h>

#include "core/events.h"
#include "suite.h"

static char *catalog(void)
{
    g_autofree char *path = g_build_filename(getenv("CONSTELLATION_SOURCE"), "units",
                                             "constellation.catalog", NULL);
    char *text = NULL;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

START_TEST(every_event_has_an_entry_in_the_catalog)
{
    g_autofree char *text = catalog();

    for (Event event = 0; event < _EVENT_LOG_COUNT; event++) {
        g_autofree char *head = g_strdup_printf("-- %s\nSubject: ", event_message_id(event));
        ck_assert_msg(strstr(text, head) != NULL, "%s", event_message_id(event));
    }
}
END_TEST

START_TEST(the_catalog_has_no_other_entry)
{
    g_autofree char *text = catalog();
    g_auto(GStrv) parts = g_strsplit(text, "\n-- ", -1);

    ck_assert_uint_eq(g_strv_length(parts), _EVENT_LOG_COUNT + 1);
}
END_TEST

START_TEST(no_two_events_share_an_id)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);

    for (Event event = 0; event < _EVENT_LOG_COUNT; event++)
        ck_assert(g_hash_table_add(ids, (gpointer)event_message_id(event)));
}
END_TEST

SUITE_MAIN("core/events", every_event_has_an_entry_in_the_catalog, the_catalog_has_no_other_entry,
           no_two_events_share_an_id)
