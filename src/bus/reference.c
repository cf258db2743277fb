/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/reference.h"
#include "core/identity.h"

Instance *reference_find(Controller *controller, const char *text, uid_t caller, GError **error)
{
    g_auto(Reference) reference = { 0 };
    Instance *instance = NULL;
    uid_t owner = caller;

    if (!reference_parse(text, &reference, error))
        return NULL;
    if (reference.kind == REFERENCE_ID)
        instance = controller_find_id(controller, reference.name);
    else if (reference.kind == REFERENCE_OWN || identity_uid(reference.user, &owner, NULL))
        instance = controller_find_name(controller, owner, reference.name);
    if (!instance)
        error_set(error, CONSTELLATION_ERROR_NO_SUCH_INSTANCE, "there is no instance '%s'%s", text,
                  reference.kind == REFERENCE_OWN
                      ? " of yours (another user's is named USER/NAME, or by its id)"
                      : "");
    return instance;
}
