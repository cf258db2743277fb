/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each user of the service takes of it, and may take at most. Root has no limits, nor has the
 * user whose own service it is: the limits are for those who share one. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

/* 0: no limit. */
typedef struct UserLimits {
    uint64_t instances; /* at a time */
    uint64_t tasks;     /* of each instance */
    uint64_t starts;    /* at a time, before their gates */
    uint64_t rate;      /* instances created or started, a second */
    uint64_t burst;     /* how many of them at once, after a pause */
} UserLimits;

/* A gate is all that a stranger can keep shut: with half of the places taken by one user there are
 * as many for the others. The rest is what nobody reaches by hand. */
#define USER_LIMITS_DEFAULT \
    ((UserLimits){ .instances = 128, .tasks = 1024, .starts = 8, .rate = 50, .burst = 200 })

typedef struct Users Users;
typedef struct Start Start;

typedef struct User {
    uid_t uid;
    GQueue waiting;    /* Start, in the order they came */
    unsigned starting; /* whose turn it is */
    uint64_t tokens;   /* in millionths */
    uint64_t filled_usec;
} User;

Users *users_new(const UserLimits *limits);
void users_free(Users *users);

const UserLimits *users_limits(const Users *users, uid_t uid);

/* NULL if nothing is known of this user. */
const User *users_find(const Users *users, uid_t uid);

/* One more creation or start, now (monotonic); false if there have been too many of late. */
bool users_take(Users *users, uid_t uid, uint64_t now_usec);

/* The line of starts. It is served in turns, a start of each user, so nobody waits for all that
 * somebody else has asked for. */
void users_line_up(Users *users, uid_t uid, Start *start);
void users_leave_line(Users *users, uid_t uid, Start *start);

/* The next one whose turn it is; counts as starting until users_started(). NULL: nobody is to be
 * served now. */
Start *users_next(Users *users);
void users_started(Users *users, uid_t uid);
