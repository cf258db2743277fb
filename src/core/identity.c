/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the names in the settings to the numbers that the kernel knows. The name service can do
 * anything behind our back (ask a directory server, fail): what it does not know for sure is
 * refused here, before anything has been made. */

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "core/identity.h"
#include "model/text.h"

#define ENTRY_SIZE_MAX (64 * 1024) /* bytes of one entry with its names */

/* ---- users ----------------------------------------------------------------------------------- */

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

static void identity_of_entry(const struct passwd *entry, Identity *ret)
{
    *ret = (Identity){
        .uid = entry->pw_uid,
        .gid = entry->pw_gid,
        .user = g_strdup(entry->pw_name),
        .home = g_strdup(entry->pw_dir && *entry->pw_dir ? entry->pw_dir : "/"),
        .shell = g_strdup(entry->pw_shell && *entry->pw_shell ? entry->pw_shell : "/bin/sh"),
    };
}

/* *ret_known: it has an entry, and so perhaps groups. */
static bool lookup_user(const char *user, uid_t owner, Identity *ret, bool *ret_known,
                        GError **error)
{
    bool named = user && *user;
    uid_t uid = owner;
    struct passwd entry, *found = NULL;
    g_autofree char *buffer = g_malloc(ENTRY_SIZE_MAX);
    int r;

    if (!named || text_to_id(user, &uid))
        r = getpwuid_r(uid, &entry, buffer, ENTRY_SIZE_MAX, &found);
    else
        r = getpwnam_r(user, &entry, buffer, ENTRY_SIZE_MAX, &found);
    *ret_known = found != NULL;
    if (found) {
        identity_of_entry(found, ret);
        return true;
    }
    /* A name service that fails has not said that there is no entry: guessing could give the
     * payload a group that is somebody else's. */
    if (r != 0 && r != ENOENT && r != ESRCH)
        return error_from_errno(error, CONSTELLATION_ERROR_INVALID_ARGS, r,
                                "User=%s cannot be looked up", named ? user : "(the owner)");
    if (!named || text_to_id(user, &uid)) {
        identity_of_number(uid, ret);
        return true;
    }
    return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                     "User=%s: there is no such user on this host", user);
}

bool identity_is(const char *user, uid_t uid)
{
    struct passwd entry, *found = NULL;
    g_autofree char *buffer = g_malloc(ENTRY_SIZE_MAX);
    uid_t number;

    if (text_to_id(user, &number))
        return number == uid;
    return getpwuid_r(uid, &entry, buffer, ENTRY_SIZE_MAX, &found) == 0 && found &&
           g_str_equal(found->pw_name, user);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static bool add_groups_of(const char *user, gid_t gid, GArray *groups, GError **error)
{
    int count = 32;
    g_autofree gid_t *found = g_new(gid_t, (gsize)count);

    if (getgrouplist(user, gid, found, &count) < 0) {
        found = g_renew(gid_t, found, (gsize)count);
        if (getgrouplist(user, gid, found, &count) < 0)
            return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                             "User=%s: the groups cannot be looked up", user);
    }
    g_array_append_vals(groups, found, (guint)count);
    return true;
}

static bool lookup_group(const char *setting, const char *group, gid_t *ret, GError **error)
{
    struct group entry, *found = NULL;
    g_autofree char *buffer = g_malloc(ENTRY_SIZE_MAX);

    if (text_to_id(group, ret))
        return true;
    int r = getgrnam_r(group, &entry, buffer, ENTRY_SIZE_MAX, &found);
    if (found) {
        *ret = found->gr_gid;
        return true;
    }
    if (r != 0 && r != ENOENT && r != ESRCH)
        return error_from_errno(error, CONSTELLATION_ERROR_INVALID_ARGS, r,
                                "%s=%s cannot be looked up", setting, group);
    return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                     "%s=%s: there is no such group on this host", setting, group);
}

static bool has_group(const GArray *groups, gid_t gid)
{
    for (guint i = 0; i < groups->len; i++)
        if (g_array_index(groups, gid_t, i) == gid)
            return true;
    return false;
}

/* Adds the groups that the owner may give away: his own. */
static bool add_owners_groups(uid_t owner, GArray *groups, GError **error)
{
    g_auto(Identity) identity = { 0 };
    bool known;

    if (!lookup_user(NULL, owner, &identity, &known, error))
        return false;
    g_array_append_val(groups, identity.gid);
    return !known || add_groups_of(identity.user, identity.gid, groups, error);
}

/* Looks one up and says whether it may be had; allowed NULL: any. */
static bool take_group(const char *setting, const char *group, const GArray *allowed, gid_t *ret,
                       GError **error)
{
    if (!lookup_group(setting, group, ret, error))
        return false;
    if (allowed && !has_group(allowed, *ret))
        return error_set(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                         "%s=%s: the owner is not a member of this group", setting, group);
    return true;
}

static bool take_groups(const IdentityRequest *request, const GArray *allowed, Identity *identity,
                        GArray *groups, GError **error)
{
    gid_t gid;

    if (request->group && *request->group &&
        !take_group("Group", request->group, allowed, &identity->gid, error))
        return false;
    for (size_t i = 0; request->groups && request->groups[i]; i++) {
        if (!take_group("SupplementaryGroups", request->groups[i], allowed, &gid, error))
            return false;
        if (!has_group(groups, gid))
            g_array_append_val(groups, gid);
    }
    if (groups->len > WIRE_GROUPS_MAX)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "User=%s: these are more than %u groups", identity->user, WIRE_GROUPS_MAX);
    identity->n_groups = groups->len;
    identity->groups = g_memdup2(groups->data, groups->len * sizeof(gid_t));
    return true;
}

bool identity_lookup(const IdentityRequest *request, Identity *ret, GError **error)
{
    g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(gid_t));
    g_autoptr(GArray) allowed = NULL;
    g_auto(Identity) identity = { 0 };
    bool known;

    if (!lookup_user(request->user, request->owner, &identity, &known, error) ||
        (known && !add_groups_of(identity.user, identity.gid, groups, error)))
        return false;
    if (request->confined) {
        allowed = g_array_copy(groups);
        g_array_append_val(allowed, identity.gid);
        if (!add_owners_groups(request->owner, allowed, error))
            return false;
    }
    if (!take_groups(request, allowed, &identity, groups, error))
        return false;
    *ret = identity;
    identity = (Identity){ 0 };
    return true;
}

bool identity_uid(const char *user, uid_t *ret, GError **error)
{
    g_auto(Identity) identity = { 0 };
    bool known;

    if (!lookup_user(user, 0, &identity, &known, error))
        return false;
    *ret = identity.uid;
    return true;
}
