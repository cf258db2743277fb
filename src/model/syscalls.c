/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The groups are data (syscall-groups.def); they are taken apart once, when first asked for. A list
 * is read from left to right into one table of what each named call gets, so that what comes later
 * wins and a group can be given with the exception of some. */

#include <errno.h>
#include <string.h>

#include "model/syscalls.h"
#include "util/parse.h"

#define ERRNO_MAX   4095 /* MAX_ERRNO of Linux */
#define GROUPS_DEEP 8    /* groups within groups; the table has 3 */

static const struct {
    const char *name, *members;
} table[] = {
#define SYSCALL_GROUP(name_, members_) { name_, members_ },
#include "model/syscall-groups.def"
#undef SYSCALL_GROUP
};

#define GROUP_COUNT G_N_ELEMENTS(table)

/* Without these nothing could be started under the filter, or could end. */
static const char *const undeniable[] = { "execve",       "exit",      "exit_group",
                                          "rt_sigreturn", "sigreturn", NULL };

/* ---- the table ------------------------------------------------------------------------------- */

static char **group_members[GROUP_COUNT];
static const char *group_names[GROUP_COUNT + 1];
static GHashTable *known;        /* set of the names; the strings are group_members' */
static const char **known_names; /* the same, sorted */

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void prepare(void)
{
    guint count;

    if (known)
        return;
    known = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        group_names[i] = table[i].name;
        group_members[i] = g_strsplit(table[i].members, " ", -1);
        for (char **member = group_members[i]; *member; member++)
            if (**member != '@')
                (void)g_hash_table_add(known, *member);
    }
    known_names = (const char **)g_hash_table_get_keys_as_array(known, &count);
    qsort(known_names, count, sizeof known_names[0], compare_names);
}

const char *const *syscall_names(void)
{
    prepare();
    return known_names;
}

const char *const *syscall_groups(void)
{
    prepare();
    return group_names;
}

const char *const *syscall_group(const char *name)
{
    prepare();
    for (size_t i = 0; i < GROUP_COUNT; i++)
        if (strcmp(table[i].name, name) == 0)
            return (const char *const *)group_members[i];
    return NULL;
}

/* ---- actions --------------------------------------------------------------------------------- */

int syscall_action_read(const char *text)
{
    uint64_t number;

    if (strcmp(text, "kill") == 0)
        return SYSCALL_KILL;
    if (parse_uint64(text, &number) == 0)
        return number > 0 && number <= ERRNO_MAX ? (int)number : -EINVAL;
    for (int error = 1; error < 256; error++)
        if (g_strcmp0(strerrorname_np(error), text) == 0)
            return error;
    return -EINVAL;
}

void syscall_filter_done(SyscallFilter *filter)
{
    g_clear_pointer(&filter->actions, g_hash_table_unref);
}

int syscall_filter_action(const SyscallFilter *filter, const char *name)
{
    gpointer action;

    if (g_hash_table_lookup_extended(filter->actions, name, NULL, &action))
        return GPOINTER_TO_INT(action);
    return filter->allows ? SYSCALL_REFUSE : SYSCALL_ALLOW;
}

/* ---- words ----------------------------------------------------------------------------------- */

static char *add_name(SyscallFilter *filter, const char *name, int action, unsigned depth)
{
    const char *const *members = *name == '@' ? syscall_group(name) : NULL;
    gpointer interned;

    g_assert(depth < GROUPS_DEEP);
    for (size_t i = 0; members && members[i]; i++) {
        char *fault = add_name(filter, members[i], action, depth + 1);
        if (fault)
            return fault;
    }
    if (members)
        return NULL;
    if (!g_hash_table_lookup_extended(known, name, &interned, NULL))
        return g_strdup_printf("%s is no %s (see systemd-analyze syscall-filter)", name,
                               *name == '@' ? "group of system calls" : "system call");
    if (action != SYSCALL_ALLOW && g_strv_contains(undeniable, name))
        return g_strdup_printf("%s cannot be taken away: no payload starts and ends without it",
                               name);
    (void)g_hash_table_insert(filter->actions, interned, GINT_TO_POINTER(action));
    return NULL;
}

/* "name", "name:kill" or "name:ERRNO". */
static char *add_word(SyscallFilter *filter, const char *word, bool taking)
{
    const char *colon = strchr(word, ':');
    g_autofree char *name = colon ? g_strndup(word, (gsize)(colon - word)) : g_strdup(word);
    int action = taking ? SYSCALL_REFUSE : SYSCALL_ALLOW;

    if (colon) {
        action = syscall_action_read(colon + 1);
        if (action == -EINVAL)
            return g_strdup_printf("%s: behind the colon must be kill or the name or number of an "
                                   "error, as in keyctl:EPERM",
                                   name);
    }
    return add_name(filter, name, action, 0);
}

static char *read_words(const char *const *words, SyscallFilter *filter)
{
    bool taking = false;

    for (size_t i = 0; words && words[i]; i++) {
        const char *word = words[i];

        if (i == 0 && strcmp(word, "off") == 0) {
            filter->off = true;
            continue;
        }
        if (*word == '~') {
            taking = true;
            word++;
        }
        if (!filter->has_list) {
            filter->has_list = true;
            filter->allows = !taking;
            if (filter->allows)
                (void)add_name(filter, "@default", SYSCALL_ALLOW, 0);
        }
        char *fault = add_word(filter, word, taking);
        if (fault)
            return fault;
    }
    return NULL;
}

bool syscall_filter_read(const char *const *words, SyscallFilter *ret, char **ret_fault)
{
    g_auto(SyscallFilter) filter = { 0 };

    prepare();
    filter.actions = g_hash_table_new(g_str_hash, g_str_equal);
    char *fault = read_words(words, &filter);
    if (fault) {
        *ret_fault = fault;
        return false;
    }
    *ret = filter;
    filter.actions = NULL;
    return true;
}

/* ---- specs ----------------------------------------------------------------------------------- */

bool spec_has_default_filter(const Spec *spec, uint32_t owner)
{
    const char *const *words = spec_get_strv(spec, SETTING_SYSTEM_CALL_FILTER);

    return owner != 0 && !(words && words[0] && strcmp(words[0], "off") == 0);
}

bool spec_is_filtered(const Spec *spec, uint32_t owner)
{
    const char *const *words = spec_get_strv(spec, SETTING_SYSTEM_CALL_FILTER);

    return spec_has_default_filter(spec, owner) || (words && words[0] && words[1]) ||
           (words && words[0] && strcmp(words[0], "off") != 0);
}
