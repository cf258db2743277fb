/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes the plan. It comes from constellationd, who may be trusted, in a format that both sides
 * must agree upon to the byte, who may not: every offset, size, count and string is checked before
 * the first step, and the file must be sealed, so that what was checked stays as it was. */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/init.h"

#define PLAN_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

/* A part of the plan, in bytes from its start. */
struct Range {
    uint64_t start;
    uint64_t end;
};

static struct Range table_range(uint32_t offset, uint64_t count, size_t entry)
{
    return (struct Range){ .start = offset, .end = offset + count * entry };
}

static bool range_is_inside(const struct WirePlan *plan, struct Range range, size_t alignment)
{
    return range.start >= sizeof *plan && range.end <= plan->size && range.start % alignment == 0;
}

static bool ranges_overlap(struct Range a, struct Range b)
{
    return a.start < b.end && b.start < a.end;
}

static struct Range argv_range(const struct WirePlan *plan)
{
    return table_range(plan->argv, (uint64_t)plan->argc + 1, sizeof(uint64_t));
}

static struct Range env_range(const struct WirePlan *plan)
{
    return table_range(plan->env, (uint64_t)plan->envc + 1, sizeof(uint64_t));
}

/* The tables of pointers are written to later on, so nothing else may be in them. */
static bool string_is_sound(const struct WirePlan *plan, uint64_t offset)
{
    const char *start, *end;
    struct Range range;

    if (offset < sizeof *plan || offset >= plan->size)
        return false;
    start = (const char *)plan + offset;
    end = memchr(start, '\0', plan->size - offset);
    if (end == NULL)
        return false;
    range = (struct Range){ .start = offset, .end = offset + (uint64_t)(end - start) + 1 };
    return !ranges_overlap(range, argv_range(plan)) && !ranges_overlap(range, env_range(plan));
}

static bool tables_are_sound(const struct WirePlan *plan)
{
    const struct Range tables[] = {
        table_range(plan->steps, plan->step_count, sizeof(struct WireStep)),
        table_range(plan->groups, plan->group_count, sizeof(uint32_t)),
        table_range(plan->owner_groups, plan->owner_group_count, sizeof(uint32_t)),
        table_range(plan->limits, plan->limit_count, sizeof(struct WireLimit)),
        table_range(plan->filters, plan->filter_count, sizeof(struct WireFilter)),
        argv_range(plan),
        env_range(plan),
    };
    const size_t alignments[] = { 4, 4, 4, 8, 4, 8, 8 }, count = sizeof tables / sizeof tables[0];

    if (plan->step_count > WIRE_STEPS_MAX || plan->limit_count > WIRE_RESOURCES ||
        plan->filter_count > WIRE_FILTERS_MAX || plan->group_count > WIRE_GROUPS_MAX ||
        plan->owner_group_count > WIRE_GROUPS_MAX || plan->argc > WIRE_ARGS_MAX ||
        plan->envc > WIRE_ARGS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!range_is_inside(plan, tables[i], alignments[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (ranges_overlap(tables[i], tables[k]))
                return false;
    }
    return true;
}

static bool strings_are_sound(const struct WirePlan *plan, uint32_t table, uint32_t count)
{
    const uint64_t *offsets = (const uint64_t *)(const void *)((const char *)plan + table);

    for (uint32_t i = 0; i < count; i++)
        if (!string_is_sound(plan, offsets[i]))
            return false;
    return offsets[count] == 0;
}

static bool step_mounts(uint32_t kind)
{
    return kind >= STEP_LAYER && kind <= STEP_ROOT_LEAVE;
}

static bool step_needs_path(uint32_t kind)
{
    return kind == STEP_HOSTNAME || kind == STEP_STDOUT || kind == STEP_STDERR ||
           kind == STEP_WORKING_DIRECTORY || (step_mounts(kind) && kind != STEP_SOURCES);
}

static bool step_needs_source(const struct WireStep *step)
{
    return step->kind == STEP_TMPFS ||
           (step->kind == STEP_BIND && (step->number & MOUNT_KEEP) == 0);
}

/* Numbers that say nothing to the kernel, or something else. */
static bool step_number_is_sound(const struct WirePlan *plan, const struct WireStep *step)
{
    switch (step->kind) {
    case STEP_OOM_SCORE:
    case STEP_PAYLOAD_OOM_SCORE:
        return step->number <= WIRE_OOM_SCORE_MAX;
    case STEP_NICE:
        return step->number <= WIRE_NICE_MAX;
    case STEP_UMASK:
        return step->number <= 0777;
    case STEP_LIMIT:
        return step->number < plan->limit_count;
    case STEP_FILTER:
        return step->number > 0 && step->number == plan->filter_count;
    default:
        return true;
    }
}

static bool step_is_sound(const struct WirePlan *plan, const struct WireStep *step)
{
    if (step->kind < STEP_SUBREAPER || step->kind > STEP_EXEC ||
        (step->flags & ~WIRE_STEP_REQUIRED) != 0 || !step_number_is_sound(plan, step))
        return false;
    if (step_mounts(step->kind) && (step->number & ~(uint32_t)MOUNT_ALL) != 0)
        return false;
    if (step->source == 0 ? step_needs_source(step) : !string_is_sound(plan, step->source))
        return false;
    if (step->path == 0)
        return !step_needs_path(step->kind);
    return string_is_sound(plan, step->path) &&
           (!step_mounts(step->kind) || *plan_text(plan, step->path) == '/');
}

/* Limits are many, everything else behind the gate comes once. */
static bool step_may_follow(uint32_t kind, uint32_t last)
{
    if (last < STEP_GATE)
        return kind <= STEP_GATE;
    return kind > last || (kind == last && kind == STEP_LIMIT);
}

/* One gate, the init's own steps before it in any order, but no mount that could show outside; and
 * after it strictly in the order of their numbers: a plan in which capabilities went before the uid
 * would execute something else than it says. What there is to execute comes last. */
static bool steps_are_sound(const struct WirePlan *plan)
{
    const struct WireStep *steps = plan_steps(plan);
    uint32_t last = STEP_NONE;
    bool kept_in = false;
    int roots = 0;

    for (uint32_t i = 0; i < plan->step_count; i++) {
        uint32_t kind = steps[i].kind;

        if (!step_is_sound(plan, &steps[i]))
            return false;
        kept_in |= kind == STEP_MOUNTS_SLAVE;
        if (step_mounts(kind) && !kept_in)
            return false;
        roots += kind >= STEP_ROOT_PRIVATE && kind <= STEP_ROOT_OVERLAY;
        if (kind == STEP_ROOT_LEAVE && --roots != 0)
            return false;
        if (!step_may_follow(kind, last))
            return false;
        last = kind;
    }
    if (roots != 0) /* a root is entered once, and the host's left behind */
        return false;
    return plan->argc > 0 ? last == STEP_EXEC : last >= STEP_GATE && last < STEP_SESSION;
}

/* -1 means "leave it as it is" to setresuid(), and 65535 is the -1 of old. */
static bool id_is_valid(uint32_t id)
{
    return id != UINT32_MAX && id != UINT16_MAX;
}

static bool groups_are_sound(const struct WirePlan *plan, uint32_t table, uint32_t count)
{
    const uint32_t *groups = (const uint32_t *)(const void *)((const char *)plan + table);

    for (uint32_t i = 0; i < count; i++)
        if (!id_is_valid(groups[i]))
            return false;
    return true;
}

static bool ids_are_sound(const struct WirePlan *plan)
{
    return groups_are_sound(plan, plan->groups, plan->group_count) &&
           groups_are_sound(plan, plan->owner_groups, plan->owner_group_count) &&
           id_is_valid(plan->uid) && id_is_valid(plan->gid) && id_is_valid(plan->owner_uid) &&
           id_is_valid(plan->owner_gid);
}

static bool limits_are_sound(const struct WirePlan *plan)
{
    const struct WireLimit *limits = plan_limits(plan);

    for (uint32_t i = 0; i < plan->limit_count; i++)
        if (limits[i].resource >= WIRE_RESOURCES || limits[i].reserved != 0 ||
            limits[i].soft > limits[i].hard)
            return false;
    return true;
}

/* Whether they are programs the kernel tells; here they must not share memory with the tables that
 * are written to. */
static bool filters_are_sound(const struct WirePlan *plan)
{
    const struct WireFilter *filters = plan_filters(plan);

    for (uint32_t i = 0; i < plan->filter_count; i++) {
        struct Range range = table_range(filters[i].program, filters[i].count,
                                         sizeof(struct sock_filter));

        if (filters[i].count == 0 || filters[i].count > WIRE_FILTER_MAX ||
            !range_is_inside(plan, range, 4) || ranges_overlap(range, argv_range(plan)) ||
            ranges_overlap(range, env_range(plan)))
            return false;
    }
    return true;
}

static bool capabilities_are_sound(const struct WirePlan *plan)
{
    return (plan->permitted & ~plan->bounding) == 0 && (plan->ambient & ~plan->permitted) == 0;
}

static bool executable_is_sound(const struct WirePlan *plan)
{
    if (plan->argc == 0)
        return true;
    if (plan->script != 0 && (plan->argc < 2 || !string_is_sound(plan, plan->script)))
        return false;
    if (plan->search_path != 0 && !string_is_sound(plan, plan->search_path))
        return false;
    return string_is_sound(plan, plan->executable) && *plan_text(plan, plan->executable) != '\0';
}

static bool plan_is_sound(const struct WirePlan *plan, size_t size)
{
    return plan->magic == WIRE_PLAN_MAGIC && plan->version == WIRE_VERSION && plan->size == size &&
           tables_are_sound(plan) && strings_are_sound(plan, plan->argv, plan->argc) &&
           strings_are_sound(plan, plan->env, plan->envc) && steps_are_sound(plan) &&
           plan->kill_signal < WIRE_SIGNAL_ALL && ids_are_sound(plan) && limits_are_sound(plan) &&
           filters_are_sound(plan) && capabilities_are_sound(plan) && executable_is_sound(plan) &&
           plan->own_pid_namespace == (getpid() == 1);
}

/* Forward, since a pointer is never larger than the offset it comes from. */
static void make_pointers(struct WirePlan *plan, uint32_t table, uint32_t count)
{
    char **pointers = plan_pointers(plan, table);

    for (uint32_t i = 0; i <= count; i++) {
        uint64_t offset;

        (void)memcpy(&offset, (const char *)plan + table + i * sizeof offset, sizeof offset);
        pointers[i] = offset != 0 ? (char *)plan + offset : NULL;
    }
}

int plan_load(struct Init *init, int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat status;
    void *mapping;

    if (seals < 0 || (seals & PLAN_SEALS) != PLAN_SEALS || fstat(fd, &status) < 0 ||
        status.st_size < (off_t)sizeof(struct WirePlan) || status.st_size > WIRE_PLAN_SIZE_MAX)
        return EBADMSG;
    init->plan_size = (size_t)status.st_size;
    mapping = mmap(NULL, init->plan_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (mapping == MAP_FAILED)
        return errno;
    init->plan = mapping;
    if (!plan_is_sound(init->plan, init->plan_size))
        return EBADMSG;
    make_pointers(init->plan, init->plan->argv, init->plan->argc);
    make_pointers(init->plan, init->plan->env, init->plan->envc);
    init->own_pid_namespace = init->plan->own_pid_namespace != 0;
    init->kill_signal = (int)init->plan->kill_signal;
    return 0;
}

void plan_drop(struct Init *init)
{
    (void)munmap(init->plan, init->plan_size);
    init->plan = NULL;
}
