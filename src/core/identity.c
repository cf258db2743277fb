/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "core/identity.h"
#include "util/parse.h"

/* A uid without an entry is all right (containers have such); its group is of the same number. */
static void identity_of_number(uid_t uid, Identity *ret)
{
    *ret = (Identity){
        .uid = uid,
        .gid = uid,
        .user = g_strdup_printf("%u", uid),
        .home = g_strdup("/"),
        .shell = g_strdup("/bin/sh"),
    };
}

static bool read_groups(Identity *identity, GError **error)
{
    int count = 32;

    identity->groups = g_new(gid_t, (gsize)count);
    if (getgrouplist(identity->user, identity->gid, identity->groups, &count) < 0) {
        identity->groups = g_renew(gid_t, identity->groups, (gsize)count);
        if (getgrouplist(identity->user, identity->gid, identity->groups, &count) < 0)
            count = -1;
    }
    if (count < 0 || count > (int)WIRE_GROUPS_MAX)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "User=%s: the groups cannot be looked up, or are more than %u",
                         identity->user, WIRE_GROUPS_MAX);
    identity->n_groups = (size_t)count;
    return true;
}

static bool identity_of_entry(const struct passwd *entry, Identity *ret, GError **error)
{
    *ret = (Identity){
        .uid = entry->pw_uid,
        .gid = entry->pw_gid,
        .user = g_strdup(entry->pw_name),
        .home = g_strdup(entry->pw_dir && *entry->pw_dir ? entry->pw_dir : "/"),
        .shell = g_strdup(entry->pw_shell && *entry->pw_shell ? entry->pw_shell : "/bin/sh"),
    };
    return read_groups(ret, error);
}

static bool is_number(const char *user, uid_t *ret)
{
    uint64_t number;

    if (!g_ascii_isdigit(*user) || parse_uint64(user, &number) < 0 || number >= UINT32_MAX ||
        number == UINT16_MAX)
        return false;
    *ret = (uid_t)number;
    return true;
}

bool identity_lookup(const char *user, uid_t owner, Identity *ret, GError **error)
{
    bool named = user && *user;
    uid_t uid = owner;
    struct passwd entry, *found = NULL;
    g_autofree char *buffer = g_malloc(64 * 1024);
    int r;

    if (!named || is_number(user, &uid))
        r = getpwuid_r(uid, &entry, buffer, 64 * 1024, &found);
    else
        r = getpwnam_r(user, &entry, buffer, 64 * 1024, &found);
    if (found)
        return identity_of_entry(found, ret, error);
    /* A name service that fails has not said that there is no entry: guessing could give the
     * payload a group that is somebody else's. */
    if (r != 0 && r != ENOENT && r != ESRCH)
        return error_from_errno(error, CONSTELLATION_ERROR_INVALID_ARGS, r,
                                "User=%s cannot be looked up", named ? user : "(the owner)");
    if (!named || is_number(user, &uid)) {
        identity_of_number(uid, ret);
        return true;
    }
    return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                     "User=%s: there is no such user on this host", user);
}

bool identity_is(const char *user, uid_t uid)
{
    struct passwd entry, *found = NULL;
    g_autofree char *buffer = g_malloc(64 * 1024);
    uid_t number;

    if (is_number(user, &number))
        return number == uid;
    return getpwuid_r(uid, &entry, buffer, 64 * 1024, &found) == 0 && found &&
           g_str_equal(found->pw_name, user);
}

bool identity_uid(const char *user, uid_t *ret, GError **error)
{
    g_auto(Identity) identity = { 0 };

    if (!identity_lookup(user, 0, &identity, error))
        return false;
    *ret = identity.uid;
    return true;
}
