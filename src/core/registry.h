/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All instances: by id, and by owner and name. Ids sort by creation, and so does the list. */

#include "core/instance.h"

typedef struct Registry Registry;

Registry *registry_new(void);
/* Must be empty: a left-over instance is a leak, and the assertion finds it in the tests. */
void registry_free(Registry *registry);

bool registry_add(Registry *registry, Instance *instance, GError **error); /* INSTANCE_EXISTS */
void registry_remove(Registry *registry, Instance *instance);
Instance *registry_by_id(Registry *registry, const char *id);
Instance *registry_by_name(Registry *registry, uid_t owner, const char *name);
guint registry_count(Registry *registry);
guint registry_count_of(Registry *registry, uid_t owner);
GPtrArray *registry_list(Registry *registry);
