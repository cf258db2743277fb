/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names of steps, and the sentences for their failures. */

#include <errno.h>
#include <string.h>

#include "isolation/plan.h"
#include "suite.h"

static void check_failure(unsigned kind, int error_number, const char *path, const char *part)
{
    g_autofree char *sentence = step_failure(kind, error_number, path);

    ck_assert_msg(strstr(sentence, part), "'%s' is not in: %s", part, sentence);
}

START_TEST(every_step_has_a_name_of_its_own)
{
    for (unsigned kind = STEP_RECORD; kind < STEP_COUNT; kind++) {
        ck_assert_msg(strcmp(step_name(kind), "unknown") != 0, "%u", kind);
        for (unsigned other = STEP_RECORD; other < kind; other++)
            ck_assert_str_ne(step_name(kind), step_name(other));
    }
}
END_TEST

START_TEST(a_number_that_is_no_step_is_unknown)
{
    static const unsigned kinds[] = { STEP_NONE, STEP_COUNT, 1000, UINT32_MAX };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        ck_assert_str_eq(step_name(kinds[i]), "unknown");
        ck_assert_int_eq(step_error_code(kinds[i]), CONSTELLATION_ERROR_SPAWN_FAILED);
        check_failure(kinds[i], EPERM, "", "Operation not permitted");
    }
}
END_TEST

START_TEST(every_sentence_says_what_it_was_on_and_why)
{
    for (unsigned kind = STEP_RECORD; kind < STEP_COUNT; kind++) {
        g_autofree char *doing = step_describe(kind, "");
        check_failure(kind, EACCES, "/a/path", "/a/path");
        check_failure(kind, EACCES, "/a/path", "Permission denied");
        check_failure(kind, EACCES, "/a/path", doing);
    }
}
END_TEST

START_TEST(a_step_without_a_path_says_none)
{
    g_autofree char *sentence = step_failure(STEP_SUBREAPER, EINVAL, "");

    ck_assert_str_eq(sentence, "becoming the parent of orphans: Invalid argument");
}
END_TEST

START_TEST(whoever_can_do_something_is_told_what)
{
    static const struct {
        unsigned kind;
        int error_number;
        const char *advice;
    } rows[] = {
        { STEP_EXEC, ENOENT, "installed" },
        { STEP_EXEC, EACCES, "chmod +x" },
        { STEP_EXEC, ENOEXEC, "#!" },
        { STEP_EXEC, ENOTDIR, "no directory" },
        { STEP_EXEC, E2BIG, "too long" },
        { STEP_EXEC, EIO, "execve(2)" },
        { STEP_SCRIPT, ENOENT, "Script=" },
        { STEP_SCRIPT, EACCES, "read" },
        { STEP_SCRIPT, EISDIR, "directory" },
        { STEP_SCRIPT, EINVAL, "ordinary file" },
        { STEP_SCRIPT, EIO, "open(2)" },
        { STEP_INTERPRETER, ENOENT, "Interpreter=" },
        { STEP_INTERPRETER, EACCES, "chmod +x" },
        { STEP_WORKING_DIRECTORY, ENOENT, "WorkingDirectory=" },
        { STEP_PROC, EPERM, "PIDNamespace=off" },
        { STEP_UID, EPERM, "user" },
        { STEP_FORK, EAGAIN, "TasksMax=" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check_failure(rows[i].kind, rows[i].error_number, "/x", rows[i].advice);
}
END_TEST

START_TEST(an_interpreter_with_a_carriage_return_is_a_file_of_windows)
{
    check_failure(STEP_SHEBANG, ENOENT, "/bin/sh\r", "Windows");
    check_failure(STEP_SHEBANG, ENOENT, "/bin/sh\r", "/bin/sh\\r");
}
END_TEST

START_TEST(a_path_cannot_put_control_characters_into_a_sentence)
{
    g_autofree char *sentence = step_failure(STEP_EXEC, ENOENT, "/a\n\x1b[31m\xff");

    for (const char *c = sentence; *c; c++)
        ck_assert_msg(*c >= ' ' && *c < 0x7f, "%s", sentence);
}
END_TEST

START_TEST(codes_tell_isolation_from_execution)
{
    static const struct {
        unsigned kind;
        ErrorCode code;
    } rows[] = {
        { STEP_EXEC, CONSTELLATION_ERROR_SPAWN_FAILED },
        { STEP_SCRIPT, CONSTELLATION_ERROR_SPAWN_FAILED },
        { STEP_WORKING_DIRECTORY, CONSTELLATION_ERROR_SPAWN_FAILED },
        { STEP_PROC, CONSTELLATION_ERROR_ISOLATION_FAILED },
        { STEP_UID, CONSTELLATION_ERROR_ISOLATION_FAILED },
        { STEP_CAPABILITIES, CONSTELLATION_ERROR_ISOLATION_FAILED },
        { STEP_GATE, CONSTELLATION_ERROR_CGROUP_FAILED },
        { STEP_CGROUP_NAMESPACE, CONSTELLATION_ERROR_NAMESPACE_FAILED },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(step_error_code(rows[i].kind) == rows[i].code, "%s", step_name(rows[i].kind));
}
END_TEST

SUITE_MAIN("isolation/steps", every_step_has_a_name_of_its_own, a_number_that_is_no_step_is_unknown,
           every_sentence_says_what_it_was_on_and_why, a_step_without_a_path_says_none,
           whoever_can_do_something_is_told_what,
           an_interpreter_with_a_carriage_return_is_a_file_of_windows,
           a_path_cannot_put_control_characters_into_a_sentence,
           codes_tell_isolation_from_execution)
