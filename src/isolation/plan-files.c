/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an instance sees of the file systems; plan-root.c adds what a root of its own takes.
 *
 * Mounts are first kept from spreading; then the service's own directories are hidden, so that
 * every copy of a tree that is made later hides them too. The sources of binds are taken before
 * anything lies over them, and what goes to a path comes after what goes to its parents. */

#include <string.h>

#include "isolation/plan-internal.h"
#include "model/mount-text.h"

/* The settings about files: without them a start costs nothing of all this. */
typedef struct FileSetting {
    SettingId id;
    unsigned step;
    bool always_required; /* a payload that asked for it is not to run without */
} FileSetting;

static const FileSetting file_settings[] = {
    { SETTING_FILESYSTEM, STEP_READ_ONLY, false },
    { SETTING_ROOT_DIRECTORY, STEP_ROOT_DIRECTORY, true },
    { SETTING_OVERLAY, STEP_ROOT_OVERLAY, true },
    { SETTING_PRIVATE_DEVICES, STEP_DEVICES, false },
    { SETTING_PRIVATE_TMP, STEP_TMPFS, false },
    { SETTING_TEMPORARY_FILE_SYSTEM, STEP_TMPFS, true },
    { SETTING_BIND_PATHS, STEP_BIND, true },
    { SETTING_BIND_READ_ONLY_PATHS, STEP_BIND, true },
    { SETTING_READ_WRITE_PATHS, STEP_BIND, false },
    { SETTING_INACCESSIBLE_PATHS, STEP_INACCESSIBLE, true },
};

static bool is_wanted(const PlanInput *input, SettingId id)
{
    const char *signature = setting_signature(setting_get(id));

    if (id == SETTING_ROOT_DIRECTORY)
        return spec_is_set(input->spec, id);
    if (*signature != 'a') /* the first of a list of choices, and no, are what the host has */
        return spec_get_uint(input->spec, id) != 0;
    const char *const *words = spec_get_strv(input->spec, id);
    return words && words[0];
}

static bool wants_files(const PlanInput *input)
{
    for (size_t i = 0; i < G_N_ELEMENTS(file_settings); i++)
        if (is_wanted(input, file_settings[i].id))
            return true;
    return false;
}

/* The owner is somebody else than the service, who is root. */
static bool is_for_another(const PlanInput *input)
{
    return input->service_uid == 0 && input->owner && input->owner->uid != 0;
}

static bool is_required(const PlanInput *input, const FileSetting *setting)
{
    return setting->always_required || plan_is_required(input, setting->id);
}

/* ---- one step -------------------------------------------------------------------------------- */

PlanStep *plan_add_mount(GPtrArray *steps, unsigned kind, bool required, const char *path,
                         const char *source, uint32_t number)
{
    PlanStep *step = g_new0(PlanStep, 1);

    step->kind = kind;
    step->setting = -1;
    step->required = required;
    step->path = g_strdup(path);
    step->source = g_strdup(source);
    step->number = number;
    g_ptr_array_add(steps, step);
    return step;
}

/* Set-uid programs and devices are for root to ask for, or for a service whose rights are the
 * user's own to begin with. */
static bool option_flags(const PlanInput *input, SettingId id, const char *word, unsigned options,
                         uint32_t *ret, GError **error)
{
    uint32_t flags = MOUNT_NOSUID | MOUNT_NODEV;

    if ((options & (MOUNT_OPTION_SUID | MOUNT_OPTION_DEV)) != 0 && is_for_another(input))
        return error_set(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                         "%s=%s: the options suid and dev are for instances of root",
                         setting_get(id)->name, word);
    if (options & MOUNT_OPTION_SUID)
        flags &= ~(uint32_t)MOUNT_NOSUID;
    if (options & MOUNT_OPTION_DEV)
        flags &= ~(uint32_t)MOUNT_NODEV;
    if (options & MOUNT_OPTION_NOEXEC)
        flags |= MOUNT_NOEXEC;
    if (options & MOUNT_OPTION_READ_ONLY)
        flags |= MOUNT_RDONLY;
    *ret = flags;
    return true;
}

static bool word_flags(const PlanInput *input, const FileSetting *setting, const char *word,
                       const MountText *text, uint32_t *ret, GError **error)
{
    *ret = 0;
    if (setting->id == SETTING_READ_WRITE_PATHS)
        *ret = MOUNT_KEEP;
    else if (setting->id != SETTING_INACCESSIBLE_PATHS &&
             !option_flags(input, setting->id, word, text->options, ret, error))
        return false;
    if (setting->id == SETTING_BIND_READ_ONLY_PATHS)
        *ret |= MOUNT_RDONLY;
    if (text->optional)
        *ret |= MOUNT_OPTIONAL;
    return true;
}

static bool add_words(const PlanInput *input, const FileSetting *setting, GPtrArray *steps,
                      GError **error)
{
    const Setting *row = setting_get(setting->id);
    const char *const *words = spec_get_strv(input->spec, setting->id);

    for (size_t i = 0; words && words[i]; i++) {
        g_auto(MountText) text = { 0 };
        const char *fault = mount_text_parse(row->type, words[i], &text);
        uint32_t flags;

        if (fault)
            return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s=%s: %s", row->name,
                             words[i], fault);
        if (!word_flags(input, setting, words[i], &text, &flags, error))
            return false;
        plan_add_mount(steps, setting->step, is_required(input, setting), text.path,
                       text.data ? text.data : text.source, flags)
            ->setting = (int)setting->id;
    }
    return true;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void add_feature_step(GPtrArray *steps, const PlanInput *input, SettingId id, unsigned kind,
                             const char *path, const char *source, uint32_t number)
{
    PlanStep *step = plan_add_mount(steps, kind, plan_is_required(input, id), path, source, number);

    step->setting = (int)id;
}

static void add_private_tmp(const PlanInput *input, GPtrArray *steps)
{
    const uint32_t flags = MOUNT_NOSUID | MOUNT_NODEV;

    if (!spec_get_uint(input->spec, SETTING_PRIVATE_TMP))
        return;
    add_feature_step(steps, input, SETTING_PRIVATE_TMP, STEP_TMPFS, "/tmp", PLAN_TMP_OPTIONS,
                     flags);
    add_feature_step(steps, input, SETTING_PRIVATE_TMP, STEP_TMPFS, "/var/tmp", PLAN_TMP_OPTIONS,
                     flags | MOUNT_OPTIONAL);
}

static void add_devices(const PlanInput *input, GPtrArray *steps)
{
    bool wanted = spec_is_set(input->spec, SETTING_PRIVATE_DEVICES)
                      ? spec_get_uint(input->spec, SETTING_PRIVATE_DEVICES)
                      : plan_has_root(input);

    if (wanted)
        add_feature_step(steps, input, SETTING_PRIVATE_DEVICES, STEP_DEVICES, "/dev", NULL, 0);
    else if (plan_has_root(input))
        plan_add_mount(steps, STEP_BIND, true, "/dev", "/dev", 0);
    else if (spec_get_uint(input->spec, SETTING_FILESYSTEM) == FILESYSTEM_READ_ONLY)
        add_feature_step(steps, input, SETTING_FILESYSTEM, STEP_BIND, "/dev", NULL,
                         MOUNT_KEEP | MOUNT_OPTIONAL);
}

/* Devices are written to on any mount, but /dev/shm is not; and a process that may not write to
 * its own files in /proc cannot be told much. */
static void add_exceptions(const PlanInput *input, const Plan *plan, GPtrArray *steps)
{
    add_devices(input, steps);
    if (plan_has_root(input) || plan_has_namespace(plan, NAMESPACE_PID) ||
        spec_get_uint(input->spec, SETTING_FILESYSTEM) != FILESYSTEM_READ_ONLY)
        return;
    add_feature_step(steps, input, SETTING_FILESYSTEM, STEP_BIND, "/proc", NULL,
                     MOUNT_KEEP | MOUNT_OPTIONAL);
}

/* A parent is the beginning of what is below it, so it comes first; what hides comes last. */
static gint compare_steps(gconstpointer a, gconstpointer b)
{
    const PlanStep *one = *(const PlanStep *const *)a, *other = *(const PlanStep *const *)b;
    int order = strcmp(one->path, other->path);

    return order != 0 ? order : (int)one->kind - (int)other->kind;
}

/* What is to be read-only itself has to take the places of what comes below it first. */
static void seal_temporary(GPtrArray *steps)
{
    guint count = steps->len;

    for (guint i = 0; i < count; i++) {
        PlanStep *step = g_ptr_array_index(steps, i);
        if (step->kind != STEP_TMPFS || !(step->number & MOUNT_RDONLY))
            continue;
        uint32_t optional = step->number & MOUNT_OPTIONAL;
        step->number &= ~(uint32_t)MOUNT_RDONLY;
        plan_add_mount(steps, STEP_READ_ONLY, step->required, step->path, NULL, optional)
            ->setting = step->setting;
    }
}

static void add_proc(const PlanInput *input, Plan *plan)
{
    bool required = plan_namespace_choice(input, NAMESPACE_PID) == CHOICE_REQUIRED;

    if (!plan_has_namespace(plan, NAMESPACE_PID)) {
        plan_add_dropped(plan, STEP_PROC, "no pid namespace");
        return;
    }
    plan_add_step(plan, STEP_PROC, required)->path = g_strdup("/proc");
    if (spec_get_uint(input->spec, SETTING_FILESYSTEM) == FILESYSTEM_PRIVATE)
        add_feature_step(plan->steps, input, SETTING_FILESYSTEM, STEP_PROC_SUBSET, "/proc", NULL,
                         0);
}

static bool is_read_only(const PlanInput *input)
{
    switch ((Filesystem)spec_get_uint(input->spec, SETTING_FILESYSTEM)) {
    case FILESYSTEM_READ_ONLY:
        return true;
    case FILESYSTEM_PRIVATE: /* a root of directories is read-only by its parts */
        return spec_is_set(input->spec, SETTING_ROOT_DIRECTORY) &&
               spec_get_uint(input->spec, SETTING_OVERLAY) == OVERLAY_NO;
    default:
        return false;
    }
}

static bool add_entries(const PlanInput *input, Plan *plan, GError **error)
{
    g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func((GDestroyNotify)plan_step_free);

    plan_add_root_entries(input, plan, steps);
    add_exceptions(input, plan, steps);
    add_private_tmp(input, steps);
    for (size_t i = 0; i < G_N_ELEMENTS(file_settings); i++)
        if (setting_signature(setting_get(file_settings[i].id))[0] == 'a' &&
            !add_words(input, &file_settings[i], steps, error))
            return false;
    g_ptr_array_sort(steps, compare_steps);
    seal_temporary(steps);
    g_ptr_array_extend_and_steal(plan->steps, g_steal_pointer(&steps));
    return true;
}

static bool add_wanted(const PlanInput *input, Plan *plan, GError **error)
{
    /* Otherwise a set-uid program could be led astray by the files that it trusts. */
    if (is_for_another(input))
        plan_add_mount(plan->steps, STEP_NOSUID, true, "/", NULL, 0);
    plan_add_mount(plan->steps, STEP_SOURCES, true, NULL, NULL, 0);
    plan_add_root(input, plan, is_for_another(input) ? MOUNT_NOSUID | MOUNT_NODEV : 0);
    if (is_read_only(input))
        add_feature_step(plan->steps, input, SETTING_FILESYSTEM, STEP_READ_ONLY, "/", NULL,
                         MOUNT_RECURSIVE);
    add_proc(input, plan);
    if (!add_entries(input, plan, error))
        return false;
    plan_leave_root(input, plan);
    return true;
}

/* No mount namespace: what was asked for cannot be had. */
static bool refuse_all(const PlanInput *input, Plan *plan, GError **error)
{
    const char *why = plan->isolation[NAMESPACE_MOUNT].reason;

    for (size_t i = 0; i < G_N_ELEMENTS(file_settings); i++) {
        const FileSetting *setting = &file_settings[i];
        const char *name = setting_get(setting->id)->name;
        if (!is_wanted(input, setting->id))
            continue;
        if (setting->always_required)
            return error_set(error, CONSTELLATION_ERROR_ISOLATION_FAILED,
                             "%s= takes a mount namespace, and there is none: %s", name, why);
        if (!plan_add_refused(input, plan, setting->step, setting->id, error,
                              "it takes a mount namespace, and there is none: %s", why))
            return false;
    }
    return true;
}

/* Nothing of the service's can be seen where nothing of the host's is but programs. */
static void add_masks(const PlanInput *input, Plan *plan)
{
    bool needless = spec_get_uint(input->spec, SETTING_FILESYSTEM) == FILESYSTEM_PRIVATE &&
                    !spec_is_set(input->spec, SETTING_ROOT_DIRECTORY) &&
                    !is_wanted(input, SETTING_BIND_PATHS) &&
                    !is_wanted(input, SETTING_BIND_READ_ONLY_PATHS);

    for (size_t i = 0; input->masks && input->masks[i]; i++)
        if (needless)
            plan_add_dropped(plan, STEP_MASK, "it is not in the instance's root");
        else
            plan_add_step(plan, STEP_MASK, true)->path = g_strdup(input->masks[i]);
}

bool plan_add_file_steps(const PlanInput *input, Plan *plan, GError **error)
{
    if (!plan_has_namespace(plan, NAMESPACE_MOUNT)) {
        plan_add_dropped(plan, STEP_MOUNTS_SLAVE, "no mount namespace");
        return refuse_all(input, plan, error);
    }
    plan_add_step(plan, STEP_MOUNTS_SLAVE, true);
    if (!plan_add_layer(input, plan, error))
        return false;
    add_masks(input, plan);
    if (wants_files(input))
        return add_wanted(input, plan, error);
    add_proc(input, plan);
    return true;
}
