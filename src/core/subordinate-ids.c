/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "core/identity.h"
#include "core/subordinate-ids.h"
#include "isolation/subordinate.h"
#include "util/file.h"

#define FILE_SIZE_MAX (4u << 20) /* bytes; a line for each of a hundred thousand users */
#define MAP_SIZE_MAX  65536      /* the kernel's limit is a page */

/* In a container the ids that the files grant need not exist. A map that cannot be read says
 * nothing, and writing one will. */
static bool exists_here(const char *map_file, IdRange range)
{
    g_autofree char *text = NULL;

    return read_small_file_at(AT_FDCWD, map_file, MAP_SIZE_MAX, &text) < 0 ||
           id_map_text_covers(text, range);
}

static char *read_file(const char *file, const char *map_file, const Identity *identity,
                       IdRange *ret)
{
    g_autofree char *text = NULL;
    char *refusal = NULL;
    int r = read_small_file_at(AT_FDCWD, file, FILE_SIZE_MAX, &text);

    if (r < 0)
        return g_strdup_printf("%s cannot be read: %s", file, g_strerror(-r));
    if (!subordinate_find(text, file, identity->user, identity->uid, ret, &refusal))
        return refusal;
    if (!exists_here(map_file, *ret))
        return g_strdup_printf("%s grants ids from %u on, which do not exist in the user namespace "
                               "that the service is in (a container?)",
                               file, ret->start);
    return NULL;
}

void subordinate_ids_read(uid_t uid, SubordinateIds *ret)
{
    g_auto(Identity) identity = { 0 };
    g_autoptr(GError) error = NULL;

    *ret = (SubordinateIds){ 0 };
    if (!identity_lookup(&(IdentityRequest){ .owner = uid }, &identity, &error)) {
        ret->refusal = g_strdup(error->message);
        return;
    }
    ret->refusal = read_file("/etc/subuid", "/proc/self/uid_map", &identity, &ret->uids);
    if (!ret->refusal)
        ret->refusal = read_file("/etc/subgid", "/proc/self/gid_map", &identity, &ret->gids);
}

void subordinate_ids_done(SubordinateIds *ids)
{
    g_clear_pointer(&ids->refusal, g_free);
}
