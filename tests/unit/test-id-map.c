/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Maps of ids. */

#include <string.h>

#include "isolation/id-map.h"
#include "suite.h"

static const IdRange subordinate = { 100000, 65536 };

/* `text` as id_map_describe() has it; "" for a map that cannot be. */
static void check_map(IdRange range, uint32_t first, uint32_t second, const char *text)
{
    const uint32_t kept[] = { first, second };
    struct IdMap map = { .count = 0 };
    bool made = id_map_make(range, kept, 2, &map);
    g_autofree char *got = id_map_describe(&map);

    ck_assert_msg(made == (*text != '\0'), "%u %u: %s", first, second, got);
    ck_assert_str_eq(got, text);
}

START_TEST(a_range_has_its_ids_in_order_and_lets_the_kept_ones_be_themselves)
{
    check_map(subordinate, 0, 0, "0-65535 is 100000-165535");
    check_map(subordinate, 1000, 1000,
              "0-999 is 100000-100999, 1000 is itself, 1001-65535 is 101000-165534");
    check_map(
        subordinate, 1001, 1000,
        "0-999 is 100000-100999, 1000 is itself, 1001 is itself, 1002-65535 is 101000-165533");
    check_map(
        subordinate, 1, 65534,
        "0 is 100000, 1 is itself, 2-65533 is 100001-165532, 65534 is itself, 65535 is 165533");
    check_map(subordinate, 4294967294, 70000,
              "0-65535 is 100000-165535, 70000 is itself, 4294967294 is itself");
}
END_TEST

START_TEST(a_short_range_goes_as_far_as_it_does)
{
    check_map((IdRange){ 100000, 1 }, 0, 0, "0 is 100000");
    check_map((IdRange){ 100000, 10 }, 5, 1000,
              "0-4 is 100000-100004, 5 is itself, 6-10 is 100005-100009, 1000 is itself");
    check_map((IdRange){ 4294967000, 294 }, 0, 0, "0-293 is 4294967000-4294967293");
}
END_TEST

START_TEST(a_range_that_holds_a_kept_id_cannot_be_mapped)
{
    check_map(subordinate, 100000, 0, "");
    check_map(subordinate, 0, 165535, "");
    check_map((IdRange){ 1000, 65536 }, 1000, 0, "");
}
END_TEST

START_TEST(kept_ids_are_themselves_and_nothing_else_is)
{
    struct IdMap map;
    uint32_t outside;

    id_map_keep((const uint32_t[]){ 1000, 0 }, 2, &map);
    ck_assert_uint_eq(map.count, 2);
    ck_assert(id_map_outside(&map, 1000, &outside) && outside == 1000);
    ck_assert(!id_map_outside(&map, 1, &outside));
    id_map_keep((const uint32_t[]){ 0, 0 }, 2, &map);
    ck_assert_uint_eq(map.count, 1);
}
END_TEST

START_TEST(an_id_is_told_what_it_is_outside)
{
    const uint32_t kept[] = { 1000 };
    const struct {
        uint32_t inside, outside;
    } rows[] = {
        { 0, 100000 }, { 999, 100999 }, { 1000, 1000 }, { 1001, 101000 }, { 65535, 165534 }
    };
    struct IdMap map;
    uint32_t outside;

    ck_assert(id_map_make(subordinate, kept, 1, &map));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ck_assert(id_map_outside(&map, rows[i].inside, &outside));
        ck_assert_uint_eq(outside, rows[i].outside);
    }
    ck_assert(!id_map_outside(&map, 65536, &outside));
    ck_assert(!id_map_outside(&map, UINT32_MAX, &outside));
}
END_TEST

START_TEST(a_namespace_covers_the_ids_that_it_maps)
{
    const struct {
        const char *text;
        bool covers;
    } rows[] = {
        { "         0          0 4294967295\n", true },
        { "0 100000 65536\n", false },
        { "0 1000 1\n1 100000 165535\n", true },
        { "120000 5 50000\n0 100 120000\n", true }, /* in any order, side by side */
        { "0 0 120000\n120001 120001 100000\n", false },
        { "", false },
        { "nonsense\n", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(id_map_text_covers(rows[i].text, subordinate) == rows[i].covers, "%s",
                      rows[i].text);
}
END_TEST

SUITE_MAIN("isolation/id-map", a_range_has_its_ids_in_order_and_lets_the_kept_ones_be_themselves,
           a_short_range_goes_as_far_as_it_does, a_range_that_holds_a_kept_id_cannot_be_mapped,
           kept_ids_are_themselves_and_nothing_else_is, an_id_is_told_what_it_is_outside,
           a_namespace_covers_the_ids_that_it_maps)
