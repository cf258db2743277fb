/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every unit test has in common: one file is one program and one suite, whose tests are listed
 * once, at the end:
 *
 *   START_TEST(a_second_start_is_refused) { … } END_TEST
 *
 *   SUITE_MAIN("model/state", a_second_start_is_refused, …)
 *
 * CK_TAP_LOG_FILE_NAME=- makes standard output TAP and nothing else; CK_FORK=no keeps all tests in
 * one process, for sanitizers and debuggers. A failed test makes the program fail. */

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

#define SUITE_MAIN(name, ...) SUITE_MAIN_WITH(name, NULL, NULL, __VA_ARGS__)

/* The same with functions that run before and after each test, in its process. */
#define SUITE_MAIN_WITH(name, setup, teardown, ...)                                       \
    int main(void)                                                                        \
    {                                                                                     \
        const TTest *const tests[] = { __VA_ARGS__ };                                     \
                                                                                          \
        return suite_run(name, setup, teardown, tests, sizeof(tests) / sizeof(tests[0])); \
    }

static inline int suite_run(const char *name, SFun setup, SFun teardown, const TTest *const *tests,
                            size_t count)
{
    Suite *suite = suite_create(name);
    TCase *cases = tcase_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(cases, setup, teardown);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(cases, tests[i]);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, getenv("CK_TAP_LOG_FILE_NAME") ? CK_SILENT : CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
