/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any text as a file of the store. What is taken must be an instance that could exist, and what is
 * written of it must be taken again and then be written the same. */

#include <string.h>

#include "core/controller.h"
#include "core/store-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_instance(const Instance *instance)
{
    g_assert_true(id_is_valid(instance->id));
    g_assert_true(name_is_valid(instance->name, NULL));
    g_assert_nonnull(state_to_string(instance->state));
    g_assert_nonnull(result_to_string(instance->result));
    g_assert_nonnull(instance->status_text);
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++)
        g_assert_nonnull(instance->isolation[kind].reason);
}

static void check_refusal(const GError *error)
{
    g_assert_nonnull(error);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Controller controller; /* nothing of it is looked at */
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;

    Instance *instance = store_file_read(&controller, text, &error);
    if (!instance) {
        check_refusal(error);
        return 0;
    }
    check_instance(instance);
    g_autofree char *first = store_file_write(instance);
    Instance *again = store_file_read(&controller, first, &error);
    g_assert_no_error(error);
    g_autofree char *second = store_file_write(again);
    g_assert_cmpstr(first, ==, second);
    instance_free(instance);
    instance_free(again);
    return 0;
}
