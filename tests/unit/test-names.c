/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names, ids and references. */

#include <string.h>

#include <glib.h>

#include "model/names.h"
#include "suite.h"
#include "util/error.h"

#define SOME_ID   "i0123456789abc"
#define SOME_TIME UINT64_C(1767225600000000) /* 2026-01-01, microseconds */

static void check_name_refused(const char *name, const char *words)
{
    g_autoptr(GError) error = NULL;

    ck_assert_msg(!name_is_valid(name, &error), "%s", name);
    ck_assert(g_error_matches(error, CONSTELLATION_ERROR, CONSTELLATION_ERROR_INVALID_ARGS));
    ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
}

START_TEST(a_name_has_letters_digits_and_three_signs)
{
    static const char *const names[] = {
        "a",   "0", "web", "Web_1.x-y", "i", "i0123456789abC", "i0123456789abw", "i0123456789ab",
        "root"
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        ck_assert_msg(name_is_valid(names[i], NULL), "%s", names[i]);
}
END_TEST

START_TEST(a_refused_name_says_why)
{
    check_name_refused("", "empty");
    check_name_refused(".hidden", "begin with");
    check_name_refused("-x", "begin with");
    check_name_refused("..", "begin with");
    check_name_refused("ä", "begin with");
    check_name_refused("a/b", "only letters");
    check_name_refused("a b", "only letters");
    check_name_refused("a\n", "only letters");
    check_name_refused("%n", "begin with");
    check_name_refused("a%n", "only letters");
    check_name_refused(SOME_ID, "looks like an id");
}
END_TEST

START_TEST(a_name_has_at_most_64_characters)
{
    g_autofree char *longest = g_strnfill(INSTANCE_NAME_MAX, 'a');
    g_autofree char *longer = g_strnfill(INSTANCE_NAME_MAX + 1, 'a');

    ck_assert(name_is_valid(longest, NULL));
    check_name_refused(longer, "at most 64");
}
END_TEST

START_TEST(an_id_is_i_and_13_digits_of_base32)
{
    static const char *const not_ids[] = { "",
                                           "i",
                                           "j0123456789abc",
                                           "i0123456789abw",
                                           "i0123456789abC",
                                           "i0123456789ab",
                                           "i0123456789abcd",
                                           "i0123456789ab " };

    ck_assert(id_is_valid(SOME_ID));
    ck_assert(id_is_valid("ivvvvvvvvvvvvv"));
    for (size_t i = 0; i < G_N_ELEMENTS(not_ids); i++)
        ck_assert_msg(!id_is_valid(not_ids[i]), "%s", not_ids[i]);
}
END_TEST

START_TEST(the_bits_of_an_id_are_time_and_chance)
{
    static const struct {
        uint64_t usec;
        uint32_t random;
        const char *id;
    } rows[] = {
        { 0, 0, "i0000000000000" },
        { 999, 0, "i0000000000000" },
        { 0, 1, "i0000000000001" },
        { 0, 0x1fffff, "i000000001vvvv" },
        { 0, 0xffe00000, "i0000000000000" }, /* only 21 bits of chance count */
        { 1000, 0, "i0000000020000" },
        { 16000, 0, "i0000000100000" },
        { ((UINT64_C(1) << 44) - 1) * 1000, 0xffffffff, "ivvvvvvvvvvvvv" },
    };
    char id[INSTANCE_ID_LENGTH + 1];

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        id_make(rows[i].usec, rows[i].random, NULL, id);
        ck_assert_str_eq(id, rows[i].id);
    }
}
END_TEST

START_TEST(later_ids_sort_behind_earlier_ones)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(42);
    char last[INSTANCE_ID_LENGTH + 1] = "", id[INSTANCE_ID_LENGTH + 1];
    uint64_t usec = SOME_TIME;

    for (int i = 0; i < 10000; i++) {
        usec += (uint64_t)g_rand_int_range(random, 1000, 100000000);
        id_make(usec, g_rand_int(random), NULL, id);
        ck_assert_int_lt(strcmp(last, id), 0);
        ck_assert(id_is_valid(id));
        memcpy(last, id, sizeof(last));
    }
}
END_TEST

START_TEST(an_id_is_always_greater_than_the_last_one)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(42);
    char last[INSTANCE_ID_LENGTH + 1] = "", id[INSTANCE_ID_LENGTH + 1];

    for (int i = 0; i < 10000; i++) { /* the clock goes to and fro by seconds */
        uint64_t usec = SOME_TIME + (uint64_t)g_rand_int_range(random, 0, 5000000);

        id_make(usec, g_rand_int(random), *last ? last : NULL, id);
        ck_assert_int_lt(strcmp(last, id), 0);
        memcpy(last, id, sizeof(last));
    }
}
END_TEST

START_TEST(an_id_after_the_last_chance_of_a_millisecond_takes_the_next)
{
    char id[INSTANCE_ID_LENGTH + 1];

    id_make(0, 0, "i000000001vvvv", id);
    ck_assert_str_eq(id, "i0000000020000");
    id_make(0, 0, "i00000001vvvvv", id);
    ck_assert_str_eq(id, "i0000000200000");
}
END_TEST

START_TEST(the_same_time_and_chance_again_give_the_next_id)
{
    char first[INSTANCE_ID_LENGTH + 1], second[INSTANCE_ID_LENGTH + 1];

    id_make(SOME_TIME, 7, NULL, first);
    id_make(SOME_TIME, 7, first, second);
    ck_assert_int_lt(strcmp(first, second), 0);
}
END_TEST

START_TEST(a_last_id_that_is_none_is_ignored)
{
    char id[INSTANCE_ID_LENGTH + 1];

    id_make(1000, 7, "nonsense", id);
    ck_assert_str_eq(id, "i0000000020007");
}
END_TEST

START_TEST(a_reference_is_an_id_a_name_or_another_users_name)
{
    static const struct {
        const char *text;
        ReferenceKind kind;
        const char *user;
        const char *name;
    } rows[] = {
        { SOME_ID, REFERENCE_ID, NULL, SOME_ID },
        { "web", REFERENCE_OWN, NULL, "web" },
        { "alice/web", REFERENCE_FOREIGN, "alice", "web" },
        { "1000/web", REFERENCE_FOREIGN, "1000", "web" },
        { "i0123456789ab", REFERENCE_OWN, NULL, "i0123456789ab" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Reference) reference = { 0 };

        ck_assert_msg(reference_parse(rows[i].text, &reference, NULL), "%s", rows[i].text);
        ck_assert_int_eq(reference.kind, rows[i].kind);
        ck_assert_pstr_eq(reference.user, rows[i].user);
        ck_assert_str_eq(reference.name, rows[i].name);
    }
}
END_TEST

START_TEST(a_reference_to_nothing_possible_is_refused)
{
    static const char *const texts[] = { "",
                                         "/",
                                         "/web",
                                         "alice/",
                                         "alice/i0123456789abc",
                                         "a/b/c",
                                         "A/web",
                                         "01/web",
                                         "../web",
                                         "alice/.web",
                                         "65535/w",
                                         "a b",
                                         "/org/rads/Constellation" };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        Reference reference = { .kind = REFERENCE_OWN };

        ck_assert_msg(!reference_parse(texts[i], &reference, &error), "%s", texts[i]);
        ck_assert_int_eq(error->code, CONSTELLATION_ERROR_INVALID_ARGS);
        ck_assert_ptr_null(reference.name);
    }
}
END_TEST

SUITE_MAIN("model/names", a_name_has_letters_digits_and_three_signs, a_refused_name_says_why,
           a_name_has_at_most_64_characters, an_id_is_i_and_13_digits_of_base32,
           the_bits_of_an_id_are_time_and_chance, later_ids_sort_behind_earlier_ones,
           an_id_is_always_greater_than_the_last_one,
           an_id_after_the_last_chance_of_a_millisecond_takes_the_next,
           the_same_time_and_chance_again_give_the_next_id, a_last_id_that_is_none_is_ignored,
           a_reference_is_an_id_a_name_or_another_users_name,
           a_reference_to_nothing_possible_is_refused)
