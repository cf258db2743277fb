/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The plan goes to the init as one block of memory with offsets in it, so that the init needs
 * neither a parser nor an allocator: it maps the file and turns the offsets of argv and env into
 * pointers where they stand. */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sys/mman.h>

#include "isolation/plan-wire.h"
#include "util/fd.h"

static uint32_t append(GByteArray *bytes, const void *data, size_t size, size_t alignment)
{
    static const guint8 zeros[8];
    size_t padding = (alignment - bytes->len % alignment) % alignment;

    g_byte_array_append(bytes, zeros, (guint)padding);
    uint32_t offset = bytes->len;
    if (size > 0)
        g_byte_array_append(bytes, data, (guint)size);
    return offset;
}

static uint32_t append_string(GByteArray *bytes, const char *string)
{
    return string ? append(bytes, string, strlen(string) + 1, 1) : 0;
}

static uint32_t append_strv(GByteArray *bytes, char *const *strv, uint32_t *ret_count)
{
    guint count = strv ? g_strv_length((char **)strv) : 0;
    g_autofree uint64_t *offsets = g_new0(uint64_t, count + 1);

    for (guint i = 0; i < count; i++)
        offsets[i] = append_string(bytes, strv[i]);
    *ret_count = count;
    return append(bytes, offsets, (count + 1) * sizeof *offsets, 8);
}

static uint32_t append_steps(GByteArray *bytes, const GPtrArray *steps, uint32_t *ret_count)
{
    g_autoptr(GArray) wire = g_array_new(FALSE, TRUE, sizeof(struct WireStep));

    for (guint i = 0; i < steps->len; i++) {
        const PlanStep *step = g_ptr_array_index(steps, i);
        if (step->outcome != OUTCOME_PLANNED || step->kind == STEP_ID_MAP)
            continue;
        struct WireStep entry = {
            .kind = step->kind,
            .flags = step->required ? WIRE_STEP_REQUIRED : 0,
            .number = step->number,
            .path = append_string(bytes, step->path),
            .source = append_string(bytes, step->source),
        };
        g_array_append_val(wire, entry);
    }
    *ret_count = wire->len;
    return append(bytes, wire->data, wire->len * sizeof(struct WireStep), 8);
}

static uint32_t append_groups(GByteArray *bytes, const Identity *identity)
{
    g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    for (size_t i = 0; i < identity->n_groups; i++) {
        uint32_t group = identity->groups[i];
        g_array_append_val(groups, group);
    }
    return append(bytes, groups->data, groups->len * sizeof(uint32_t), 8);
}

static uint32_t append_filters(GByteArray *bytes, const GPtrArray *filters)
{
    struct WireFilter wire[WIRE_FILTERS_MAX] = { 0 };

    g_assert(filters->len <= WIRE_FILTERS_MAX);
    for (guint i = 0; i < filters->len; i++) {
        gsize size;
        const void *program = g_bytes_get_data(g_ptr_array_index(filters, i), &size);

        wire[i].program = append(bytes, program, size, 8);
        wire[i].count = (uint32_t)(size / sizeof(struct sock_filter));
    }
    return append(bytes, wire, filters->len * sizeof wire[0], 8);
}

/* One that grows leaves copies behind. */
#define PLAN_SIZE_USUAL (128u * 1024)

GByteArray *plan_encode(const Plan *plan, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_sized_new(PLAN_SIZE_USUAL);
    struct WirePlan header = {
        .magic = WIRE_PLAN_MAGIC,
        .version = WIRE_VERSION,
        .uid = plan->identity.uid,
        .gid = plan->identity.gid,
        .group_count = (uint32_t)plan->identity.n_groups,
        .owner_uid = plan->owner.uid,
        .owner_gid = plan->owner.gid,
        .owner_group_count = (uint32_t)plan->owner.n_groups,
        .own_pid_namespace = plan_has_namespace(plan, NAMESPACE_PID),
        .kill_signal = (uint32_t)plan->kill_signal,
        .filter_count = plan->filters->len,
        .limit_count = plan->limits->len,
        .bounding = plan->capabilities.bounding,
        .permitted = plan->capabilities.permitted,
        .ambient = plan->capabilities.ambient,
    };

    append(bytes, &header, sizeof header, 8);
    header.steps = append_steps(bytes, plan->steps, &header.step_count);
    header.argv = append_strv(bytes, plan->argv, &header.argc);
    header.env = append_strv(bytes, plan->environment, &header.envc);
    header.groups = append_groups(bytes, &plan->identity);
    header.limits = append(bytes, plan->limits->data, plan->limits->len * sizeof(struct WireLimit),
                           8);
    header.owner_groups = append_groups(bytes, &plan->owner);
    header.filters = append_filters(bytes, plan->filters);
    header.executable = append_string(bytes, plan->executable);
    header.search_path = append_string(bytes, plan->search_path);
    header.script = append_string(bytes, plan->script);
    header.size = bytes->len;
    memcpy(bytes->data, &header, sizeof header);

    if (header.size > WIRE_PLAN_SIZE_MAX || header.argc > WIRE_ARGS_MAX ||
        header.envc > WIRE_ARGS_MAX || header.group_count > WIRE_GROUPS_MAX ||
        header.owner_group_count > WIRE_GROUPS_MAX || header.step_count > WIRE_STEPS_MAX) {
        error_set(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED,
                  "the plan of the start is too large: %u bytes, %u arguments, %u variables, "
                  "%u groups, %u steps",
                  header.size, header.argc, header.envc, header.group_count, header.step_count);
        return NULL;
    }
    return g_steal_pointer(&bytes);
}

int plan_seal(const Plan *plan, GError **error)
{
    g_autoptr(GByteArray) bytes = plan_encode(plan, error);
    if (!bytes)
        return -1;

    auto_fd fd = memfd_create("constellation-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, errno, "memory for the plan");
        return -1;
    }
    ssize_t written = write(fd, bytes->data, bytes->len);
    /* The environment is in it. */
    explicit_bzero(bytes->data, bytes->len);
    if (written != (ssize_t)bytes->len ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_SPAWN_FAILED, errno, "writing the plan");
        return -1;
    }
    return fd_steal(&fd);
}
