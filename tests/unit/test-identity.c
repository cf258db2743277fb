/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names and numbers to users and groups. The names are those that every Debian system has. */

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "core/identity.h"
#include "model/text.h"
#include "suite.h"

#define NOBODYS 3999999999u /* neither a user nor a group has it */

static Identity identity;
static GError *error;

static void clean(void)
{
    identity_done(&identity);
    g_clear_error(&error);
}

static bool lookup(const IdentityRequest *request)
{
    clean();
    identity = (Identity){ .uid = UINT32_MAX, .gid = UINT32_MAX };
    bool found = identity_lookup(request, &identity, &error);
    ck_assert(found == (error == NULL));
    return found;
}

static bool has_group(gid_t gid)
{
    for (size_t i = 0; i < identity.n_groups; i++)
        if (identity.groups[i] == gid)
            return true;
    return false;
}

START_TEST(an_id_is_written_in_one_way)
{
    static const struct {
        const char *text;
        int64_t id; /* -1: none */
    } rows[] = {
        { "0", 0 },
        { "1", 1 },
        { "65534", 65534 },
        { "65535", -1 },
        { "65536", 65536 },
        { "2147483647", 2147483647 },
        { "2147483648", 2147483648 },
        { "4000000000", 4000000000 },
        { "4294967293", 4294967293 },
        { "4294967294", 4294967294 },
        { "4294967295", -1 },
        { "4294967296", -1 },
        { "18446744073709551616", -1 },
        { "01", -1 },
        { "00", -1 },
        { "-1", -1 },
        { "+1", -1 },
        { " 1", -1 },
        { "1 ", -1 },
        { "0x0", -1 },
        { "1.0", -1 },
        { "infinity", -1 },
        { "", -1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint32_t id = 42;

        ck_assert_msg(text_to_id(rows[i].text, &id) == (rows[i].id >= 0), "'%s'", rows[i].text);
        ck_assert_msg(id == (rows[i].id >= 0 ? rows[i].id : 42), "'%s': %u", rows[i].text, id);
    }
}
END_TEST

START_TEST(a_user_is_found_by_name_and_by_number)
{
    static const char *const users[] = { "daemon", "1" };

    for (size_t i = 0; i < G_N_ELEMENTS(users); i++) {
        ck_assert(lookup(&(IdentityRequest){ .user = users[i], .owner = NOBODYS }));
        ck_assert_uint_eq(identity.uid, 1);
        ck_assert_uint_eq(identity.gid, 1);
        ck_assert_str_eq(identity.user, "daemon");
        ck_assert(has_group(1));
    }
}
END_TEST

START_TEST(no_user_is_the_owner)
{
    ck_assert(lookup(&(IdentityRequest){ .owner = 1 }));
    ck_assert_str_eq(identity.user, "daemon");
    ck_assert(lookup(&(IdentityRequest){ .user = "", .owner = 0 }));
    ck_assert_str_eq(identity.user, "root");
}
END_TEST

START_TEST(a_number_needs_no_entry_and_gives_no_groups)
{
    static const struct {
        const char *text;
        uid_t uid;
    } rows[] = { { "3999999999", NOBODYS }, { "4294967294", 4294967294 }, { "65536", 65536 } };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ck_assert(lookup(&(IdentityRequest){ .user = rows[i].text }));
        ck_assert_uint_eq(identity.uid, rows[i].uid);
        ck_assert_uint_eq(identity.gid, rows[i].uid);
        ck_assert_uint_eq(identity.n_groups, 0);
    }
}
END_TEST

static void check_refused(const IdentityRequest *request, ErrorCode code, const char *part)
{
    ck_assert(!lookup(request));
    ck_assert_int_eq(error->code, code);
    ck_assert_msg(strstr(error->message, part), "%s", error->message);
    ck_assert_uint_eq(identity.uid, UINT32_MAX);
    ck_assert_uint_eq(identity.gid, UINT32_MAX);
}

START_TEST(who_does_not_exist_is_refused_by_name)
{
    const char *const groups[] = { "no-such-group", NULL };

    check_refused(&(IdentityRequest){ .user = "no-such-user" }, CONSTELLATION_ERROR_INVALID_ARGS,
                  "User=no-such-user: there is no such user");
    check_refused(&(IdentityRequest){ .group = "no-such-group" }, CONSTELLATION_ERROR_INVALID_ARGS,
                  "Group=no-such-group: there is no such group");
    check_refused(&(IdentityRequest){ .groups = groups }, CONSTELLATION_ERROR_INVALID_ARGS,
                  "SupplementaryGroups=no-such-group: there is no such group");
}
END_TEST

START_TEST(groups_are_taken_by_name_and_by_number)
{
    const char *const groups[] = { "bin", "4294967294", "bin", NULL };

    ck_assert(lookup(&(IdentityRequest){ .user = "daemon", .group = "sys", .groups = groups }));
    ck_assert_uint_eq(identity.uid, 1);
    ck_assert_uint_eq(identity.gid, 3);
    ck_assert(has_group(1) && has_group(2) && has_group(4294967294));
    ck_assert_uint_eq(identity.n_groups, 3);
    ck_assert(lookup(&(IdentityRequest){ .user = "daemon", .group = "3999999999" }));
    ck_assert_uint_eq(identity.gid, NOBODYS);
}
END_TEST

START_TEST(a_confined_owner_takes_only_groups_that_he_is_a_member_of)
{
    const char *const his[] = { "daemon", NULL }, *const roots[] = { "daemon", "root", NULL };
    IdentityRequest request = { .owner = 1, .confined = true };

    ck_assert(lookup(&request));
    request.group = "daemon";
    request.groups = his;
    ck_assert(lookup(&request));
    request.groups = roots;
    check_refused(&request, CONSTELLATION_ERROR_ACCESS_DENIED,
                  "SupplementaryGroups=root: the owner");
    request.groups = NULL;
    request.group = "0";
    check_refused(&request, CONSTELLATION_ERROR_ACCESS_DENIED,
                  "Group=0: the owner is not a member");
    request.confined = false;
    ck_assert(lookup(&request));
}
END_TEST

START_TEST(who_may_run_as_another_has_the_groups_of_both)
{
    IdentityRequest request = { .user = "bin", .owner = 1, .confined = true, .group = "bin" };

    ck_assert(lookup(&request));
    request.group = "daemon";
    ck_assert(lookup(&request));
    request.group = "sys";
    check_refused(&request, CONSTELLATION_ERROR_ACCESS_DENIED, "Group=sys");
}
END_TEST

SUITE_MAIN_WITH("core/identity", NULL, clean, an_id_is_written_in_one_way,
                a_user_is_found_by_name_and_by_number, no_user_is_the_owner,
                a_number_needs_no_entry_and_gives_no_groups, who_does_not_exist_is_refused_by_name,
                groups_are_taken_by_name_and_by_number,
                a_confined_owner_takes_only_groups_that_he_is_a_member_of,
                who_may_run_as_another_has_the_groups_of_both)
