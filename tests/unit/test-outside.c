/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is told of those that others have frozen or moved. */

#include "core/outside.h"
#include "suite.h"

START_TEST(the_status_says_who_froze_or_thawed_it)
{
    static const struct {
        Freezing freezing;
        bool asked, degraded;
        const char *status;
    } rows[] = {
        { FREEZING_NONE, false, false, "running" },
        { FREEZING_NONE, false, true, "running, degraded" },
        { FREEZING_NONE, true, false, "running, thawed from outside" },
        { FREEZING_OWN, true, false, "frozen" },
        { FREEZING_OWN, false, true, "frozen from outside" },
        { FREEZING_ABOVE, false, false, "frozen from outside, with a cgroup that it is part of" },
        { FREEZING_ABOVE, true, false, "frozen from outside, with a cgroup that it is part of" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_str_eq(outside_status(rows[i].freezing, rows[i].asked, rows[i].degraded),
                         rows[i].status);
}
END_TEST

START_TEST(what_has_no_cgroup_is_neither_moved_nor_frozen)
{
    Placement *placement = placement_monitor("none");

    ck_assert(!placement_check(placement, 1, -1));
    ck_assert_int_eq(placement_freezing(placement), FREEZING_NONE);
    ck_assert_ptr_null(placement->lost);
    placement_free(placement);
}
END_TEST

SUITE_MAIN("outside", the_status_says_who_froze_or_thawed_it,
           what_has_no_cgroup_is_neither_moved_nor_frozen)
