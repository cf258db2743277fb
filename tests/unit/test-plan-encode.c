/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bytes of a plan, held to what wire.h says about them. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "isolation/plan-wire.h"
#include "suite.h"
#include "util/fd.h"

static Plan *plan;
static GByteArray *bytes;
static GError *error;

static Plan *make_plan(const char *command)
{
    g_autoptr(Spec) spec = spec_new();
    gid_t groups[] = { 4, 27, 100 };
    Identity identity = { .uid = 1000,
                          .gid = 100,
                          .groups = groups,
                          .n_groups = 3,
                          .user = (char *)"ann",
                          .home = (char *)"/",
                          .shell = (char *)"/bin/sh" };
    const HostFeatures features = { .known = true, .privileged = true, .capabilities = UINT64_MAX };
    const PlanInput input = { .spec = spec,
                              .name = "web",
                              .id = "i0000000000001",
                              .identity = &identity,
                              .features = &features,
                              .interpreter = "rads",
                              .has_cgroup = true };

    if (command)
        ck_assert(spec_set_text(spec, SETTING_COMMAND, command, NULL));
    else
        ck_assert(spec_set_text(spec, SETTING_SCRIPT, "/srv/web.rads", NULL));
    Plan *made = plan_make(&input, NULL);
    ck_assert_ptr_nonnull(made);
    return made;
}

static void prepare(void)
{
    plan = make_plan("sh -c 'echo \"$0\"' last");
}

static void clean(void)
{
    g_clear_pointer(&plan, plan_free);
    g_clear_pointer(&bytes, g_byte_array_unref);
    g_clear_error(&error);
}

static const struct WirePlan *encode(void)
{
    g_clear_pointer(&bytes, g_byte_array_unref);
    bytes = plan_encode(plan, &error);
    ck_assert_msg(bytes, "%s", error ? error->message : "");
    return (const struct WirePlan *)(const void *)bytes->data;
}

static const char *string_at(uint64_t offset)
{
    ck_assert_uint_ge(offset, sizeof(struct WirePlan));
    ck_assert_uint_lt(offset, bytes->len);
    ck_assert_ptr_nonnull(memchr(bytes->data + offset, '\0', bytes->len - offset));
    return (const char *)bytes->data + offset;
}

/* A table of strings must be the strv, and end with a 0. */
static void check_table(uint32_t table, uint32_t count, char **strv)
{
    const uint64_t *offsets = (const uint64_t *)(const void *)(bytes->data + table);

    ck_assert_uint_eq(table % 8, 0);
    ck_assert_uint_le(table + (count + 1) * sizeof *offsets, bytes->len);
    ck_assert_uint_eq(count, g_strv_length(strv));
    for (uint32_t i = 0; i < count; i++)
        ck_assert_str_eq(string_at(offsets[i]), strv[i]);
    ck_assert_uint_eq(offsets[count], 0);
}

START_TEST(the_head_says_what_it_is)
{
    const struct WirePlan *wire = encode();

    ck_assert_uint_eq(wire->magic, WIRE_PLAN_MAGIC);
    ck_assert_uint_eq(wire->version, WIRE_VERSION);
    ck_assert_uint_eq(wire->size, bytes->len);
    ck_assert_uint_eq(wire->uid, 1000);
    ck_assert_uint_eq(wire->gid, 100);
    ck_assert_uint_eq(wire->own_pid_namespace, 1);
}
END_TEST

START_TEST(tables_are_aligned_and_end_with_nothing)
{
    const struct WirePlan *wire = encode();

    check_table(wire->argv, wire->argc, plan->argv);
    check_table(wire->env, wire->envc, plan->environment);
}
END_TEST

START_TEST(strings_are_those_of_the_plan)
{
    const struct WirePlan *wire = encode();

    ck_assert_str_eq(string_at(wire->executable), "sh");
    ck_assert_str_eq(string_at(wire->search_path), plan->search_path);
    ck_assert_uint_eq(wire->script, 0);
    plan_free(plan);
    plan = make_plan(NULL);
    wire = encode();
    ck_assert_str_eq(string_at(wire->script), "/srv/web.rads");
    ck_assert_str_eq(string_at(wire->executable), "rads");
}
END_TEST

START_TEST(groups_are_those_of_the_identity)
{
    const struct WirePlan *wire = encode();
    const uint32_t *groups = (const uint32_t *)(const void *)(bytes->data + wire->groups);

    ck_assert_uint_eq(wire->groups % 4, 0);
    ck_assert_uint_eq(wire->group_count, 3);
    ck_assert_uint_eq(groups[0], 4);
    ck_assert_uint_eq(groups[2], 100);
}
END_TEST

START_TEST(only_planned_steps_are_sent_and_in_order)
{
    const struct WirePlan *wire = encode();
    const struct WireStep *steps = (const struct WireStep *)(const void *)(bytes->data +
                                                                           wire->steps);
    uint32_t n = 0;

    ck_assert_uint_eq(wire->steps % 8, 0);
    for (guint i = 0; i < plan->steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(plan->steps, i);
        if (step->outcome != OUTCOME_PLANNED)
            continue;
        ck_assert_uint_lt(n, wire->step_count);
        ck_assert_uint_eq(steps[n].kind, step->kind);
        ck_assert_uint_eq(steps[n].flags, step->required ? WIRE_STEP_REQUIRED : 0);
        ck_assert_uint_eq(steps[n].number, step->number);
        if (step->path)
            ck_assert_str_eq(string_at(steps[n].path), step->path);
        else
            ck_assert_uint_eq(steps[n].path, 0);
        n++;
    }
    ck_assert_uint_eq(n, wire->step_count);
}
END_TEST

START_TEST(a_sandbox_executes_nothing)
{
    g_clear_pointer(&plan->argv, g_strfreev);
    const struct WirePlan *wire = encode();

    ck_assert_uint_eq(wire->argc, 0);
    ck_assert_uint_eq(((const uint64_t *)(const void *)(bytes->data + wire->argv))[0], 0);
}
END_TEST

static void check_refused(const char *why)
{
    ck_assert_msg(plan_encode(plan, &error) == NULL, "%s", why);
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_LIMITS_EXCEEDED);
    g_clear_error(&error);
    ck_assert_int_eq(plan_seal(plan, &error), -1);
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_LIMITS_EXCEEDED);
    g_clear_error(&error);
}

static char **make_strv(guint count)
{
    char **strv = g_new0(char *, count + 1);

    for (guint i = 0; i < count; i++)
        strv[i] = g_strdup("A=1");
    return strv;
}

START_TEST(what_does_not_fit_is_refused)
{
    g_strfreev(plan->argv);
    plan->argv = make_strv(WIRE_ARGS_MAX);
    (void)encode();
    g_strfreev(plan->argv);
    plan->argv = make_strv(WIRE_ARGS_MAX + 1);
    check_refused("arguments");
    g_strfreev(plan->argv);
    plan->argv = make_strv(1);
    g_strfreev(plan->environment);
    plan->environment = make_strv(WIRE_ARGS_MAX + 1);
    check_refused("variables");
}
END_TEST

START_TEST(too_many_groups_are_refused)
{
    g_free(plan->identity.groups);
    plan->identity.groups = g_new0(gid_t, WIRE_GROUPS_MAX + 1);
    plan->identity.n_groups = WIRE_GROUPS_MAX;
    (void)encode();
    plan->identity.n_groups++;
    check_refused("groups");
}
END_TEST

START_TEST(a_plan_that_is_too_long_is_refused)
{
    g_free(plan->argv[1]);
    plan->argv[1] = g_strnfill(WIRE_PLAN_SIZE_MAX, 'x');
    check_refused("bytes");
}
END_TEST

START_TEST(what_is_sealed_cannot_be_changed)
{
    auto_fd fd = plan_seal(plan, &error);
    struct stat status;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GET_SEALS),
                     F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ftruncate(fd, 0), -1);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_uint_eq((uint64_t)status.st_size, encode()->size);
}
END_TEST

START_TEST(what_is_sealed_is_what_was_encoded)
{
    auto_fd fd = plan_seal(plan, &error);
    uint32_t size = encode()->size;
    g_autofree char *read_back = g_malloc(size);

    ck_assert_int_eq(pread(fd, read_back, size, 0), (ssize_t)size);
    ck_assert_mem_eq(read_back, bytes->data, size);
}
END_TEST

SUITE_MAIN_WITH("isolation/plan-wire", prepare, clean, the_head_says_what_it_is,
                tables_are_aligned_and_end_with_nothing, strings_are_those_of_the_plan,
                groups_are_those_of_the_identity, only_planned_steps_are_sent_and_in_order,
                a_sandbox_executes_nothing, what_does_not_fit_is_refused,
                too_many_groups_are_refused, a_plan_that_is_too_long_is_refused,
                what_is_sealed_cannot_be_changed, what_is_sealed_is_what_was_encoded)
