/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>

#include "bus/budget.h"

/* A fifth of the time, and at once what the others may have to wait for: some hundred starts, or a
 * list of some ten thousand instances. */
#define SHARE      5
#define BURST_USEC ((int64_t)(250 * 1000))

/* What a message costs besides what is seen here: to be received and sorted out. */
#define MESSAGE_USEC 20

typedef struct Budget {
    int64_t left_usec;
    uint64_t filled_usec;
} Budget;

struct Budgets {
    GHashTable *by_uid;
    Budget *serving; /* NULL: nobody */
    uint64_t since_usec;
};

Budgets *budgets_new(void)
{
    Budgets *budgets = g_new0(Budgets, 1);

    budgets->by_uid = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return budgets;
}

void budgets_free(Budgets *budgets)
{
    if (!budgets)
        return;
    g_hash_table_unref(budgets->by_uid);
    g_free(budgets);
}

static Budget *budget_of(Budgets *budgets, uid_t uid, uint64_t now_usec)
{
    Budget *budget = g_hash_table_lookup(budgets->by_uid, GUINT_TO_POINTER(uid));

    if (!budget) {
        budget = g_new0(Budget, 1);
        budget->left_usec = BURST_USEC;
        g_hash_table_insert(budgets->by_uid, GUINT_TO_POINTER(uid), budget);
    } else {
        uint64_t passed = (now_usec - budget->filled_usec) / SHARE;
        budget->left_usec += (int64_t)MIN(passed, (uint64_t)(2 * BURST_USEC));
        budget->left_usec = MIN(budget->left_usec, BURST_USEC);
        /* What does not make a microsecond is not lost. */
        now_usec -= (now_usec - budget->filled_usec) % SHARE;
    }
    budget->filled_usec = now_usec;
    return budget;
}

bool budget_is_left(Budgets *budgets, uid_t uid, uint64_t now_usec)
{
    return budget_of(budgets, uid, now_usec)->left_usec > 0;
}

void budget_end(Budgets *budgets, uint64_t now_usec)
{
    if (!budgets->serving)
        return;
    uint64_t took = now_usec - budgets->since_usec + MESSAGE_USEC;
    /* However long it took: the wait for the next turn is not endless. */
    budgets->serving->left_usec -= (int64_t)MIN(took, (uint64_t)BURST_USEC);
    budgets->serving = NULL;
}

void budget_begin(Budgets *budgets, uid_t uid, uint64_t now_usec)
{
    budget_end(budgets, now_usec);
    budgets->serving = budget_of(budgets, uid, now_usec);
    budgets->since_usec = now_usec;
}
