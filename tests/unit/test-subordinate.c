/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* /etc/subuid as it is, and as it should not be. */

#include <string.h>

#include "isolation/subordinate.h"
#include "suite.h"

/* What ann, uid 1000, is given: a range, or a reason with these words. */
static void check_range(const char *text, uint32_t start, uint32_t count, const char *reason)
{
    IdRange range = { 0, 0 };
    g_autofree char *why = NULL;
    bool found = subordinate_find(text, "/etc/subuid", "ann", 1000, &range, &why);

    ck_assert_msg(found == (reason == NULL), "%s: %s", text, why ? why : "found");
    if (!found)
        ck_assert_msg(strstr(why, reason) != NULL, "%s: %s", text, why);
    ck_assert_uint_eq(range.start, start);
    ck_assert_uint_eq(range.count, count);
}

START_TEST(a_user_is_found_by_name_and_by_number)
{
    check_range("ann:100000:65536\n", 100000, 65536, NULL);
    check_range("bob:165536:65536\n1000:100000:65536\n", 100000, 65536, NULL);
    check_range("# ann:1:1\n\nann:100000:65536", 100000, 65536, NULL);
    check_range("anna:100000:65536\nan:200000:65536\n10000:300000:65536\n", 0, 0,
                "/etc/subuid has no line for ann (usermod --add-subuids");
    check_range("", 0, 0, "no line for ann");
}
END_TEST

START_TEST(the_first_range_that_is_large_enough_is_taken)
{
    check_range("ann:100000:1000\nann:200000:65536\nann:300000:200000\n", 200000, 65536, NULL);
    check_range("ann:100000:1000\nann:200000:2000\nann:300000:500\n", 200000, 2000, NULL);
}
END_TEST

START_TEST(lines_that_are_none_are_named_if_they_are_the_users)
{
    static const char *const lines[] = {
        "ann",
        "ann:",
        "ann:100000",
        "ann:100000:",
        "ann::65536",
        "ann:x:1",
        "ann:-1:65536",
        "ann:100000:0",
        "ann:100000:65536:x",
        "ann:0:65536",
        "ann:999:10",
        "ann: 1:1",
        "ann:4294967295:1",
        "ann:4294967290:6",
        "ann:100000:infinity",
        "ann:1e5:10",
        "ann:+1:1",
        "ann:100000:+65536",
        "ann:99999999999:10",
        "ann:100000:65536\r",
        "1000:1:1",
        "ann:0x100:10",
        "ann:100000 65536",
        "ann:4294967294:4294967294",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *text = g_strdup_printf("bob:100000:65536\n%s\n", lines[i]);
        g_autofree char *healed = g_strconcat(text, "ann:200000:65536\n", NULL);
        check_range(text, 0, 0, "line 2 of /etc/subuid is not USER:FIRST:COUNT");
        check_range(healed, 200000, 65536, NULL);
    }
    check_range("ann:1000:1\nann:4294967294:1\n", 1000, 1, NULL);
    check_range("ann:4294967289:6\n", 4294967289, 6, NULL);
}
END_TEST

START_TEST(what_is_somebody_elses_as_well_is_not_taken)
{
    check_range("ann:100000:65536\nbob:165535:65536\n", 0, 0,
                "line 1 of /etc/subuid gives ids that belong to bob as well");
    check_range("bob:165535:65536\nann:100000:65536\nann:300000:10\n", 300000, 10, NULL);
    check_range("ann:100000:65536\n1000:100000:65536\n", 100000, 65536, NULL);
    check_range("ann:100000:65536\nbob:165536:65536\n", 100000, 65536, NULL);
}
END_TEST

START_TEST(a_huge_file_is_read_in_a_moment)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < 20000; i++)
        g_string_append_printf(text, "user%u:%u:40000\nann:5:5\n", i, 100000 + 40000 * i);
    g_string_append(text, "ann:50000:1000\n");
    check_range(text->str, 0, 0, "is not USER:FIRST:COUNT"); /* too many lines of one user */
    g_string_truncate(text, 0);
    for (unsigned i = 0; i < 20000; i++)
        g_string_append_printf(text, "user%u:%u:40000\n", i, 100000 + 40000 * i);
    g_string_append(text, "ann:50000:1000\n");
    check_range(text->str, 50000, 1000, NULL);
    g_string_free(text, TRUE);
}
END_TEST

SUITE_MAIN("isolation/subordinate", a_user_is_found_by_name_and_by_number,
           the_first_range_that_is_large_enough_is_taken,
           lines_that_are_none_are_named_if_they_are_the_users,
           what_is_somebody_elses_as_well_is_not_taken, a_huge_file_is_read_in_a_moment)
