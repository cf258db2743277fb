/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the words of SystemCallFilter= mean, and that the groups are systemd's. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/syscalls.h"
#include "suite.h"

static SyscallFilter filter;

static void clean(void)
{
    syscall_filter_done(&filter);
    filter = (SyscallFilter){ 0 };
}

static void read_list(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    g_autofree char *fault = NULL;

    clean();
    ck_assert_msg(syscall_filter_read((const char *const *)words, &filter, &fault), "%s", fault);
}

START_TEST(a_list_says_what_becomes_of_each_call)
{
    static const struct {
        const char *words, *name;
        int action;
    } rows[] = {
        { "read", "read", SYSCALL_ALLOW },
        { "read", "write", SYSCALL_REFUSE },
        { "read", "execve", SYSCALL_ALLOW }, /* as all of @default */
        { "read", "mmap", SYSCALL_ALLOW },
        { "~read", "read", SYSCALL_REFUSE },
        { "~read", "write", SYSCALL_ALLOW },
        { "~read write", "write", SYSCALL_REFUSE },
        { "~read:EIO write", "read", EIO },
        { "~read:EIO write", "write", SYSCALL_REFUSE },
        { "~read:5", "read", 5 },
        { "~read:kill", "read", SYSCALL_KILL },
        { "@system-service", "io_setup", SYSCALL_ALLOW }, /* by @aio in it */
        { "@system-service", "mount", SYSCALL_REFUSE },
        { "@system-service ~@aio read", "io_setup", SYSCALL_REFUSE },
        { "@system-service ~@aio read", "read", SYSCALL_REFUSE },
        { "@system-service ~@aio read", "write", SYSCALL_ALLOW },
        { "@system-service keyctl:EPERM", "keyctl", EPERM },
        { "off", "mount", SYSCALL_ALLOW },
        { "off ~mount", "mount", SYSCALL_REFUSE },
        { "off read", "write", SYSCALL_REFUSE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        read_list(rows[i].words);
        int action = syscall_filter_action(&filter, rows[i].name);
        ck_assert_msg(action == rows[i].action, "%s: %s: %d", rows[i].words, rows[i].name, action);
    }
}
END_TEST

START_TEST(off_is_no_list_by_itself)
{
    read_list("off");
    ck_assert(filter.off && !filter.has_list);
    read_list("off read");
    ck_assert(filter.off && filter.has_list && filter.allows);
    read_list("~read");
    ck_assert(!filter.off && filter.has_list && !filter.allows);
}
END_TEST

START_TEST(a_word_that_means_nothing_is_named)
{
    static const struct {
        const char *words, *part;
    } rows[] = {
        { "nonsense", "nonsense is no system call" },
        { "read nonsense", "nonsense is no system call" },
        { "@nonsense", "@nonsense is no group of system calls" },
        { "READ", "READ is no system call" },
        { "~", " is no system call" },
        { "~~read", "~read is no system call" },
        { "read off", "off is no system call" },
        { "read:EWRONG", "read: behind the colon" },
        { "read:", "read: behind the colon" },
        { "read:0", "read: behind the colon" },
        { "read:4096", "read: behind the colon" },
        { "~execve", "execve cannot be taken away" },
        { "~exit_group:EPERM", "exit_group cannot be taken away" },
        { "@system-service ~@default", "cannot be taken away" },
        { "~@known", "cannot be taken away" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) words = g_strsplit(rows[i].words, " ", -1);
        g_autofree char *fault = NULL;

        ck_assert_msg(!syscall_filter_read((const char *const *)words, &filter, &fault), "%s",
                      rows[i].words);
        ck_assert_msg(strstr(fault, rows[i].part), "%s: %s", rows[i].words, fault);
    }
}
END_TEST

START_TEST(an_action_is_kill_or_an_error)
{
    static const struct {
        const char *text;
        int action;
    } rows[] = {
        { "kill", SYSCALL_KILL }, { "EPERM", EPERM },    { "ENOSYS", ENOSYS }, { "1", 1 },
        { "4095", 4095 },         { "4096", -EINVAL },   { "0", -EINVAL },     { "", -EINVAL },
        { "eperm", -EINVAL },     { "EWRONG", -EINVAL }, { "-1", -EINVAL },    { "KILL", -EINVAL },
        { "infinity", -EINVAL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(syscall_action_read(rows[i].text) == rows[i].action, "%s", rows[i].text);
}
END_TEST

START_TEST(instances_of_ordinary_users_are_filtered_by_default)
{
    static const struct {
        const char *words;
        bool users_default, users, roots;
    } rows[] = {
        { NULL, true, true, false },
        { "", true, true, false },
        { "off", false, false, false },
        { "off read", false, true, true },
        { "@system-service", true, true, true },
        { "~mount", true, true, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Spec) spec = spec_new();

        if (rows[i].words)
            ck_assert(spec_set_text(spec, SETTING_SYSTEM_CALL_FILTER, rows[i].words, NULL));
        ck_assert_msg(spec_has_default_filter(spec, 1000) == rows[i].users_default, "row %zu", i);
        ck_assert_msg(spec_is_filtered(spec, 1000) == rows[i].users, "row %zu", i);
        ck_assert_msg(spec_is_filtered(spec, 0) == rows[i].roots, "row %zu", i);
        ck_assert(!spec_has_default_filter(spec, 0));
    }
}
END_TEST

/* ---- systemd's groups ------------------------------------------------------------------------ */

static char *output_of(const char *command)
{
    g_autoptr(GString) text = g_string_new(NULL);
    FILE *stream = popen(command, "re");
    char line[4096];

    while (stream && fgets(line, sizeof line, stream))
        g_string_append(text, line);
    if (stream)
        (void)pclose(stream);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Lines "@group", and behind each, with blanks before them, members and comments. */
static void compare_groups(char *const *lines)
{
    const char *const *group = NULL;
    const char *name = "";
    size_t groups = 0, member = 0;

    for (; *lines; lines++) {
        const char *word = g_strstrip(*lines);

        if (*word == '\0' || *word == '#')
            continue;
        if (*word == '@' && syscall_group(word) && word == *lines && (!group || !group[member])) {
            group = syscall_group(word);
            name = word;
            member = 0;
            groups++;
            continue;
        }
        ck_assert_msg(group && group[member] && strcmp(group[member], word) == 0, "%s: %s", name,
                      word);
        member++;
    }
    ck_assert_uint_eq(groups, g_strv_length((char **)syscall_groups()));
}

START_TEST(the_groups_are_those_of_systemd)
{
    g_autofree char *version = output_of("systemd-analyze --version 2>/dev/null");
    g_autofree char *text = NULL;

    if (!g_str_has_prefix(version, "systemd 252 ")) {
        fprintf(stderr, "# skipped: %s: there is no systemd-analyze of 252\n", __func__);
        return;
    }
    text = output_of("systemd-analyze syscall-filter --no-pager 2>/dev/null");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    compare_groups(lines);
}
END_TEST

START_TEST(every_member_of_a_group_is_known)
{
    for (const char *const *group = syscall_groups(); *group; group++)
        for (const char *const *member = syscall_group(*group); *member; member++)
            ck_assert_msg(**member == '@' ? syscall_group(*member) != NULL
                                          : g_strv_contains(syscall_names(), *member),
                          "%s in %s", *member, *group);
    ck_assert_ptr_null(syscall_group("@nonsense"));
}
END_TEST

SUITE_MAIN_WITH("model/syscalls", NULL, clean, a_list_says_what_becomes_of_each_call,
                off_is_no_list_by_itself, a_word_that_means_nothing_is_named,
                an_action_is_kill_or_an_error, instances_of_ordinary_users_are_filtered_by_default,
                the_groups_are_those_of_systemd, every_member_of_a_group_is_known)
