/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/reference.h"
#include "core/identity.h"

/* Among the owners of instances: a user who has none is not looked up, as anybody may ask this. */
static Instance *find_of_user(Controller *controller, const char *user, const char *name)
{
    g_autoptr(GPtrArray) instances = controller_list(controller);

    for (guint i = 0; i < instances->len; i++) {
        Instance *instance = g_ptr_array_index(instances, i);
        if (g_str_equal(instance->name, name) && identity_is(user, instance->owner))
            return instance;
    }
    return NULL;
}

Instance *reference_find(Controller *controller, const char *text, uid_t caller, GError **error)
{
    g_auto(Reference) reference = { 0 };
    Instance *instance = NULL;

    if (!reference_parse(text, &reference, error))
        return NULL;
    if (reference.kind == REFERENCE_ID)
        instance = controller_find_id(controller, reference.name);
    else if (reference.kind == REFERENCE_OWN)
        instance = controller_find_name(controller, caller, reference.name);
    else
        instance = find_of_user(controller, reference.user, reference.name);
    if (!instance)
        error_set(error, CONSTELLATION_ERROR_NO_SUCH_INSTANCE, "there is no instance '%s'%s", text,
                  reference.kind == REFERENCE_OWN
                      ? " of yours (another user's is named USER/NAME, or by its id)"
                      : "");
    return instance;
}
