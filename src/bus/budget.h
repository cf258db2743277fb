/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much of the service's time one user takes. There is one line of messages from the bus, and
 * what is expensive to answer for one user is a wait for all: worse, the bus refuses everybody's
 * messages when the line gets too long. So the time that each message took is counted for whoever
 * sent it, and who has taken more than a share of it is refused, which takes next to none. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Budgets Budgets;

Budgets *budgets_new(void);
void budgets_free(Budgets *budgets);

/* Is there something left for this user? All times are monotonic. */
bool budget_is_left(Budgets *budgets, uid_t uid, uint64_t now_usec);

/* From here on the service works for this user, until the end, or the next beginning. */
void budget_begin(Budgets *budgets, uid_t uid, uint64_t now_usec);
void budget_end(Budgets *budgets, uint64_t now_usec);
