/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the service says of itself, read once a connection. */

#include <stdio.h>
#include <string.h>

#include "lib/library.h"
#include "lib/properties.h"

static int read_fact(sd_bus_message *message, const char *name, void *userdata)
{
    ServiceFacts *facts = userdata;

    if (strcmp(name, "NodeName") == 0)
        return property_text(message, facts->node_name, sizeof facts->node_name);
    if (strcmp(name, "ClusterName") == 0)
        return property_text(message, facts->cluster_name, sizeof facts->cluster_name);
    if (strcmp(name, "MaxInstances") == 0)
        return property_u32(message, &facts->max_instances);
    if (strcmp(name, "SettingNames") == 0)
        return property_strv(message, &facts->settings);
    return 0;
}

ConstellationError link_learn(Link *link)
{
    return properties_get(link, BUS_PATH, INTERFACE_MANAGER, read_fact, &link->facts);
}

bool link_knows_setting(const Link *link, const char *name)
{
    for (char **known = link->facts.settings; known && *known; known++)
        if (strcmp(*known, name) == 0)
            return true;
    return false;
}
