/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/users.h"

#define TOKEN G_USEC_PER_SEC /* so that a rate a second is one a microsecond of these */

struct Users {
    UserLimits limits;
    GHashTable *by_uid;
    GQueue turns; /* User with something waiting, who is to be served next first */
};

static void user_free(User *user)
{
    g_queue_clear(&user->waiting);
    g_free(user);
}

Users *users_new(const UserLimits *limits)
{
    Users *users = g_new0(Users, 1);

    users->limits = *limits;
    users->by_uid = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)user_free);
    g_queue_init(&users->turns);
    return users;
}

void users_free(Users *users)
{
    if (!users)
        return;
    g_queue_clear(&users->turns);
    g_hash_table_unref(users->by_uid);
    g_free(users);
}

const UserLimits *users_limits(const Users *users, uid_t uid)
{
    static const UserLimits none;

    return uid == 0 ? &none : &users->limits;
}

const User *users_find(const Users *users, uid_t uid)
{
    return g_hash_table_lookup(users->by_uid, GUINT_TO_POINTER(uid));
}

static User *users_get(Users *users, uid_t uid)
{
    User *user = g_hash_table_lookup(users->by_uid, GUINT_TO_POINTER(uid));

    if (user)
        return user;
    user = g_new0(User, 1);
    user->uid = uid;
    user->tokens = users_limits(users, uid)->burst * TOKEN;
    g_queue_init(&user->waiting);
    g_hash_table_insert(users->by_uid, GUINT_TO_POINTER(uid), user);
    return user;
}

bool users_take(Users *users, uid_t uid, uint64_t now_usec)
{
    const UserLimits *limits = users_limits(users, uid);
    User *user = users_get(users, uid);

    if (limits->rate == 0 || limits->burst == 0)
        return true;
    uint64_t full = limits->burst * TOKEN, passed = now_usec - MIN(user->filled_usec, now_usec);
    /* Whatever the pause was, more than all of it does not come in. */
    user->tokens = passed > full / limits->rate ? full
                                                : MIN(user->tokens + passed * limits->rate, full);
    user->filled_usec = now_usec;
    if (user->tokens < TOKEN)
        return false;
    user->tokens -= TOKEN;
    return true;
}

/* ---- the line -------------------------------------------------------------------------------- */

void users_line_up(Users *users, uid_t uid, Start *start)
{
    User *user = users_get(users, uid);

    if (g_queue_is_empty(&user->waiting))
        g_queue_push_tail(&users->turns, user);
    g_queue_push_tail(&user->waiting, start);
}

void users_leave_line(Users *users, uid_t uid, Start *start)
{
    User *user = users_get(users, uid);

    if (g_queue_remove(&user->waiting, start) && g_queue_is_empty(&user->waiting))
        g_queue_remove(&users->turns, user);
}

Start *users_next(Users *users)
{
    for (guint left = g_queue_get_length(&users->turns); left > 0; left--) {
        User *user = g_queue_pop_head(&users->turns);
        uint64_t most = users_limits(users, user->uid)->starts;
        if (most != 0 && user->starting >= most) {
            g_queue_push_tail(&users->turns, user);
            continue;
        }
        Start *start = g_queue_pop_head(&user->waiting);
        user->starting++;
        if (!g_queue_is_empty(&user->waiting))
            g_queue_push_tail(&users->turns, user);
        return start;
    }
    return NULL;
}

void users_started(Users *users, uid_t uid)
{
    User *user = users_get(users, uid);

    g_assert(user->starting > 0);
    user->starting--;
}
