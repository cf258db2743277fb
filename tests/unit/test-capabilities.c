/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words to sets of capabilities and back. */

#include <linux/capability.h>
#include <string.h>

#include <glib.h>

#include "model/capabilities.h"
#include "suite.h"

#define BIT(n) (UINT64_C(1) << (n))

START_TEST(words_make_a_set)
{
    static const struct {
        const char *const words[4];
        uint64_t set;
    } rows[] = {
        { { NULL }, 0 },
        { { "CAP_CHOWN", NULL }, BIT(CAP_CHOWN) },
        { { "cap_chown", "Cap_Kill", NULL }, BIT(CAP_CHOWN) | BIT(CAP_KILL) },
        { { "CAP_CHOWN", "CAP_CHOWN", NULL }, BIT(CAP_CHOWN) },
        { { "CAP_CHECKPOINT_RESTORE", NULL }, BIT(CAP_CHECKPOINT_RESTORE) },
        { { "~", NULL }, CAPABILITIES_ALL },
        { { "~CAP_CHOWN", NULL }, ~BIT(CAP_CHOWN) },
        { { "~", "CAP_CHOWN", NULL }, ~BIT(CAP_CHOWN) },
        { { "~CAP_CHOWN", "CAP_KILL", NULL }, ~(BIT(CAP_CHOWN) | BIT(CAP_KILL)) },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *unknown = NULL;
        uint64_t set = 42;

        ck_assert_msg(capabilities_read(rows[i].words, &set, &unknown), "%s", unknown);
        ck_assert_msg(set == rows[i].set, "row %zu: %#" G_GINT64_MODIFIER "x", i, set);
    }
}
END_TEST

START_TEST(no_words_are_no_capabilities)
{
    const char *unknown = NULL;
    uint64_t set = 42;

    ck_assert(capabilities_read(NULL, &set, &unknown));
    ck_assert_uint_eq(set, 0);
}
END_TEST

START_TEST(a_word_that_is_none_is_named)
{
    static const char *const rows[] = { "CAP_NONSENSE", "CHOWN", "", "CAP_CHOWN ", "0",
                                        "~CAP_WRONG",   "~~" };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *const words[] = { rows[i], "CAP_KILL", NULL };
        const char *unknown = NULL;
        uint64_t set = 42;

        ck_assert_msg(!capabilities_read(words, &set, &unknown), "%s", rows[i]);
        ck_assert_str_eq(unknown, rows[i]);
        ck_assert_uint_eq(set, 42);
    }
}
END_TEST

START_TEST(only_the_first_word_inverts)
{
    const char *const words[] = { "CAP_CHOWN", "~CAP_KILL", NULL };
    const char *unknown = NULL;
    uint64_t set;

    ck_assert(!capabilities_read(words, &set, &unknown));
    ck_assert_str_eq(unknown, "~CAP_KILL");
}
END_TEST

START_TEST(every_capability_has_a_name_that_is_read_back)
{
    for (unsigned number = 0; number <= CAP_LAST_CAP; number++) {
        const char *const words[] = { capability_name(number), NULL };
        const char *unknown;
        uint64_t set;

        ck_assert_msg(words[0] && g_str_has_prefix(words[0], "CAP_"), "%u", number);
        ck_assert(capabilities_read(words, &set, &unknown));
        ck_assert_uint_eq(set, BIT(number));
        g_autofree char *printed = capabilities_print(set);
        ck_assert_str_eq(printed, words[0]);
    }
    ck_assert_ptr_null(capability_name(CAP_LAST_CAP + 1));
    ck_assert_ptr_null(capability_name(UINT32_MAX));
}
END_TEST

START_TEST(a_set_is_printed_in_the_order_of_numbers)
{
    g_autofree char *text = capabilities_print(BIT(CAP_KILL) | BIT(CAP_CHOWN));
    g_autofree char *nothing = capabilities_print(0);

    ck_assert_str_eq(text, "CAP_CHOWN CAP_KILL");
    ck_assert_str_eq(nothing, "");
}
END_TEST

SUITE_MAIN("model/capabilities", words_make_a_set, no_words_are_no_capabilities,
           a_word_that_is_none_is_named, only_the_first_word_inverts,
           every_capability_has_a_name_that_is_read_back, a_set_is_printed_in_the_order_of_numbers)
