/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps about files: which, in which order, with what reasons. */

#include <errno.h>
#include <string.h>

#include "isolation/plan.h"
#include "suite.h"

static Spec *spec;
static Identity identity, owner;
static HostFeatures features;
static PlanInput input;
static Plan *plan;
static GError *error;

/* root's service, an instance of root's own with a payload of root's */
static void prepare(void)
{
    spec = spec_new();
    identity = (Identity){ .user = (char *)"root", .home = (char *)"/root", .shell = (char *)"sh" };
    owner = (Identity){ .uid = 1000, .gid = 1000, .user = (char *)"ann" };
    features = (HostFeatures){ .known = true, .privileged = true, .capabilities = UINT64_MAX };
    input = (PlanInput){ .spec = spec,
                         .name = "web",
                         .id = "i0000000000001",
                         .identity = &identity,
                         .features = &features,
                         .has_cgroup = true };
    ck_assert(spec_set_text(spec, SETTING_COMMAND, "sleep 100", NULL));
}

static void clean(void)
{
    g_clear_pointer(&plan, plan_free);
    g_clear_error(&error);
    g_clear_pointer(&spec, spec_free);
}

static void set(SettingId id, const char *text)
{
    ck_assert_msg(spec_set_text(spec, id, text, &error), "%s", error ? error->message : "");
}

static bool make(void)
{
    g_clear_pointer(&plan, plan_free);
    g_clear_error(&error);
    plan = plan_make(&input, &error);
    return plan != NULL;
}

static void be_of_ann(void)
{
    input.owner = &owner;
    identity.uid = identity.gid = 1000;
}

/* "bind /path, read-only /" of the planned steps that mount. */
static char *mounts(void)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < plan->steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (step->kind < STEP_LAYER || step->kind >= STEP_HOSTNAME ||
            step->outcome != OUTCOME_PLANNED)
            continue;
        g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", step_name(step->kind),
                               step->path ? step->path : "-");
    }
    return g_string_free(text, FALSE);
}

static void assert_mounts(const char *expected)
{
    ck_assert_msg(make(), "%s", error ? error->message : "");
    g_autofree char *made = mounts();
    ck_assert_str_eq(made, expected);
}

static const PlanStep *find(unsigned kind, const char *path)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (step->kind == kind && (!path || g_strcmp0(step->path, path) == 0))
            return step;
    }
    return NULL;
}

START_TEST(without_a_wish_there_are_no_steps_about_files)
{
    assert_mounts("mount-proc /proc");
    set(SETTING_PRIVATE_TMP, "no");
    set(SETTING_FILESYSTEM, "host");
    assert_mounts("mount-proc /proc");
}
END_TEST

START_TEST(the_service_is_hidden_before_anything_is_copied)
{
    static const char *const masks[] = { "/run/secret", NULL };

    input.masks = masks;
    set(SETTING_BIND_PATHS, "/run:/x");
    assert_mounts("mask /run/secret, bind-sources -, mount-proc /proc, bind /x");
}
END_TEST

START_TEST(read_only_leaves_devices_processes_and_exceptions)
{
    set(SETTING_FILESYSTEM, "read-only");
    set(SETTING_READ_WRITE_PATHS, "/srv -/opt");
    assert_mounts("bind-sources -, read-only /, mount-proc /proc, bind /dev, bind /opt, bind /srv");
    ck_assert_uint_eq(find(STEP_BIND, "/opt")->number, MOUNT_KEEP | MOUNT_OPTIONAL);
    set(SETTING_PID_NAMESPACE, "off");
    assert_mounts("bind-sources -, read-only /, bind /dev, bind /opt, bind /proc, bind /srv");
}
END_TEST

START_TEST(parents_come_before_what_is_below_them_and_what_hides_comes_last)
{
    set(SETTING_BIND_PATHS, "/a:/var/lib/x /a:/home /a:/var-x");
    set(SETTING_TEMPORARY_FILE_SYSTEM, "/var:ro");
    set(SETTING_INACCESSIBLE_PATHS, "/home/x /home");
    assert_mounts("bind-sources -, mount-proc /proc, bind /home, inaccessible /home, "
                  "inaccessible /home/x, mount-tmpfs /var, bind /var-x, bind /var/lib/x, "
                  "read-only /var");
}
END_TEST

START_TEST(a_bind_takes_set_uid_bits_and_devices_unless_root_wants_them)
{
    set(SETTING_BIND_PATHS, "/a /b:/b:suid,dev");
    set(SETTING_BIND_READ_ONLY_PATHS, "-/c:/c:noexec");
    ck_assert(make());
    ck_assert_uint_eq(find(STEP_BIND, "/a")->number, MOUNT_NOSUID | MOUNT_NODEV);
    ck_assert_uint_eq(find(STEP_BIND, "/b")->number, 0);
    ck_assert_uint_eq(find(STEP_BIND, "/c")->number,
                      MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC | MOUNT_RDONLY | MOUNT_OPTIONAL);
    be_of_ann();
    ck_assert(!make());
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_ACCESS_DENIED);
    input.service_uid = 1000; /* her own service gives no more than she has */
    input.owner = NULL;
    features.privileged = false;
    ck_assert(make());
}
END_TEST

START_TEST(somebody_elses_view_has_no_set_uid_bits_at_all)
{
    be_of_ann();
    set(SETTING_PRIVATE_TMP, "yes");
    assert_mounts("nosuid /, bind-sources -, mount-proc /proc, mount-tmpfs /tmp, "
                  "mount-tmpfs /var/tmp");
    ck_assert(find(STEP_NOSUID, "/")->required);
    ck_assert_uint_eq(plan->owner.uid, 1000);
    spec_unset(spec, SETTING_PRIVATE_TMP);
    assert_mounts("mount-proc /proc");
}
END_TEST

START_TEST(root_as_owner_opens_paths_as_root_for_any_user)
{
    identity.uid = 1000;
    set(SETTING_BIND_PATHS, "/a");
    ck_assert(make());
    ck_assert_uint_eq(plan->owner.uid, 0);
    ck_assert_ptr_null(find(STEP_NOSUID, NULL));
}
END_TEST

START_TEST(the_owner_is_in_the_user_namespace_of_a_payload_that_is_somebody_elses)
{
    uint32_t outside;

    be_of_ann();
    identity.uid = 1001;
    set(SETTING_BIND_PATHS, "/a");
    set(SETTING_USER_NAMESPACE, "required");
    ck_assert(make());
    ck_assert(id_map_outside(&plan->uids, plan->owner.uid, &outside) && outside == 1000);
    ck_assert_uint_eq(plan->owner.n_groups, 0);
}
END_TEST

START_TEST(what_protects_may_be_refused_and_what_is_built_upon_may_not)
{
    set(SETTING_FILESYSTEM, "read-only");
    set(SETTING_PRIVATE_TMP, "yes");
    set(SETTING_BIND_PATHS, "/a");
    ck_assert(make());
    ck_assert(!find(STEP_READ_ONLY, "/")->required);
    ck_assert(!find(STEP_TMPFS, "/tmp")->required);
    ck_assert(find(STEP_BIND, "/a")->required);
    ck_assert_int_eq(find(STEP_TMPFS, "/tmp")->setting, SETTING_PRIVATE_TMP);
    set(SETTING_REQUIRE, "Filesystem");
    ck_assert(make());
    ck_assert(find(STEP_READ_ONLY, "/")->required);
    ck_assert(!find(STEP_TMPFS, "/tmp")->required);
}
END_TEST

START_TEST(without_a_mount_namespace_all_is_refused_with_its_reason)
{
    features.refused[NAMESPACE_MOUNT] = ENOSPC;
    set(SETTING_FILESYSTEM, "read-only");
    ck_assert(make());
    const PlanStep *step = find(STEP_READ_ONLY, NULL);
    ck_assert_int_eq(step->outcome, OUTCOME_REFUSED);
    ck_assert_int_eq(step->setting, SETTING_FILESYSTEM);
    ck_assert_ptr_nonnull(strstr(step->reason, "user.max_mnt_namespaces"));
    set(SETTING_REQUIRE, "Filesystem");
    ck_assert(!make());
    spec_unset(spec, SETTING_REQUIRE);
    set(SETTING_BIND_PATHS, "/a");
    ck_assert(!make());
    ck_assert_ptr_nonnull(strstr(error->message, "BindPaths= takes a mount namespace"));
}
END_TEST

/* ---- roots ----------------------------------------------------------------------------------- */

START_TEST(a_private_root_is_built_of_programs_and_left_behind)
{
    static const char *const masks[] = { "/run/secret", NULL };

    input.masks = masks;
    set(SETTING_FILESYSTEM, "private");
    assert_mounts("bind-sources -, private-root /, mount-proc /proc, proc-subset /proc, bind /bin, "
                  "private-devices /dev, bind /etc, bind /lib, bind /lib32, bind /lib64, "
                  "bind /libx32, bind /run/systemd/resolve, bind /sbin, bind /usr, home /root, "
                  "leave-host-root /");
    ck_assert_uint_eq(find(STEP_BIND, "/usr")->number, MOUNT_RDONLY | MOUNT_NOSUID | MOUNT_NODEV);
    ck_assert_int_eq(find(STEP_MASK, NULL)->outcome, OUTCOME_DROPPED);
    set(SETTING_BIND_PATHS, "/run:/x");
    ck_assert(make());
    ck_assert_int_eq(find(STEP_MASK, NULL)->outcome, OUTCOME_PLANNED);
}
END_TEST

START_TEST(a_directory_can_be_the_root_as_it_is_read_only_or_with_a_few_writable_places)
{
    set(SETTING_ROOT_DIRECTORY, "/srv/root");
    assert_mounts("bind-sources -, root-directory /srv/root, mount-proc /proc, "
                  "private-devices /dev, leave-host-root /");
    set(SETTING_FILESYSTEM, "read-only");
    assert_mounts("bind-sources -, root-directory /srv/root, read-only /, mount-proc /proc, "
                  "private-devices /dev, leave-host-root /");
    set(SETTING_FILESYSTEM, "private");
    assert_mounts("bind-sources -, root-directory /srv/root, read-only /, mount-proc /proc, "
                  "proc-subset /proc, private-devices /dev, mount-tmpfs /run, mount-tmpfs /tmp, "
                  "mount-tmpfs /var/tmp, leave-host-root /");
    be_of_ann();
    ck_assert(make());
    ck_assert_uint_eq(find(STEP_ROOT_DIRECTORY, NULL)->number, MOUNT_NOSUID | MOUNT_NODEV);
}
END_TEST

START_TEST(an_overlay_has_a_layer_where_its_changes_are_kept)
{
    set(SETTING_ROOT_DIRECTORY, "/srv/root");
    set(SETTING_OVERLAY, "temporary");
    assert_mounts("bind-sources -, root-overlay /srv/root, mount-proc /proc, "
                  "private-devices /dev, leave-host-root /");
    set(SETTING_OVERLAY, "persistent");
    ck_assert(!make());
    input.layers = "/state/overlays";
    ck_assert(make());
    ck_assert_ptr_nonnull(find(STEP_LAYER, "/state/overlays/i0000000000001"));
}
END_TEST

START_TEST(without_a_pid_namespace_a_root_has_the_hosts_processes)
{
    set(SETTING_ROOT_DIRECTORY, "/srv/root");
    set(SETTING_PID_NAMESPACE, "off");
    assert_mounts("bind-sources -, root-directory /srv/root, private-devices /dev, bind /proc, "
                  "leave-host-root /");
}
END_TEST

START_TEST(devices_can_be_the_hosts_or_private_anywhere)
{
    set(SETTING_PRIVATE_DEVICES, "yes");
    assert_mounts("bind-sources -, mount-proc /proc, private-devices /dev");
    ck_assert(!find(STEP_DEVICES, NULL)->required);
    set(SETTING_FILESYSTEM, "read-only");
    assert_mounts("bind-sources -, read-only /, mount-proc /proc, private-devices /dev");
    spec_unset(spec, SETTING_FILESYSTEM);
    set(SETTING_ROOT_DIRECTORY, "/srv/root");
    set(SETTING_PRIVATE_DEVICES, "no");
    assert_mounts("bind-sources -, root-directory /srv/root, mount-proc /proc, bind /dev, "
                  "leave-host-root /");
}
END_TEST

START_TEST(a_refusal_by_the_init_is_the_settings_whose_step_it_was)
{
    set(SETTING_PRIVATE_TMP, "yes");
    set(SETTING_TEMPORARY_FILE_SYSTEM, "/srv");
    ck_assert(make());
    const PlanStep *refused = plan_step_refused(plan, STEP_TMPFS, "/var/tmp", "no");
    ck_assert_str_eq(plan_step_feature(refused), "PrivateTmp");
    ck_assert_int_eq(find(STEP_TMPFS, "/var/tmp")->outcome, OUTCOME_REFUSED);
    ck_assert_int_eq(find(STEP_TMPFS, "/srv")->outcome, OUTCOME_PLANNED);
}
END_TEST

SUITE_MAIN_WITH("isolation/plan-files", prepare, clean,
                without_a_wish_there_are_no_steps_about_files,
                the_service_is_hidden_before_anything_is_copied,
                read_only_leaves_devices_processes_and_exceptions,
                parents_come_before_what_is_below_them_and_what_hides_comes_last,
                a_bind_takes_set_uid_bits_and_devices_unless_root_wants_them,
                somebody_elses_view_has_no_set_uid_bits_at_all,
                root_as_owner_opens_paths_as_root_for_any_user,
                the_owner_is_in_the_user_namespace_of_a_payload_that_is_somebody_elses,
                what_protects_may_be_refused_and_what_is_built_upon_may_not,
                without_a_mount_namespace_all_is_refused_with_its_reason,
                a_private_root_is_built_of_programs_and_left_behind,
                a_directory_can_be_the_root_as_it_is_read_only_or_with_a_few_writable_places,
                an_overlay_has_a_layer_where_its_changes_are_kept,
                without_a_pid_namespace_a_root_has_the_hosts_processes,
                devices_can_be_the_hosts_or_private_anywhere,
                a_refusal_by_the_init_is_the_settings_whose_step_it_was)
