/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The plan of a Run, as constellationd would write it. */

#include "system/init-harness.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint32_t add_text(Run *run, const char *text)
{
    uint32_t offset = (uint32_t)run->strings_used;

    if (!text)
        return 0;
    run->strings_used += strlen(text) + 1;
    ck_assert_uint_le(run->strings_used, sizeof run->strings);
    (void)strcpy(run->strings + offset, text);
    return offset;
}

static void add_step(Run *run, struct WireStep step, const char *path, const char *source)
{
    uint32_t at = run->step_count++;

    ck_assert_uint_lt(at, RUN_STEPS_MAX);
    for (; at > 0 && run->steps[at - 1].kind > step.kind; at--)
        run->steps[at] = run->steps[at - 1];
    step.path = add_text(run, path);
    step.source = add_text(run, source);
    run->steps[at] = step;
}

void run_step(Run *run, uint32_t kind, uint32_t number, const char *path)
{
    run_mount(run, kind, number, path, NULL);
}

void run_mount(Run *run, uint32_t kind, uint32_t number, const char *path, const char *source)
{
    add_step(run, (struct WireStep){ .kind = kind, .number = number, .flags = WIRE_STEP_REQUIRED },
             path, source);
}

void run_step_optional(Run *run, uint32_t kind, uint32_t number, const char *path)
{
    add_step(run, (struct WireStep){ .kind = kind, .number = number }, path, NULL);
}

void run_drop_step(Run *run, uint32_t kind)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < run->step_count; i++)
        if (run->steps[i].kind != kind)
            run->steps[kept++] = run->steps[i];
    run->step_count = kept;
}

static uint32_t append(char *plan, uint32_t *size, const void *data, size_t length)
{
    uint32_t offset = *size = (*size + 7) & ~7u;

    memcpy(plan + offset, data, length);
    *size += (uint32_t)length;
    return offset;
}

static uint32_t append_string(char *plan, uint32_t *size, const char *text)
{
    return text ? append(plan, size, text, strlen(text) + 1) : 0;
}

static uint32_t append_strings(char *plan, uint32_t *size, const char *const *strings,
                               uint32_t *ret_count)
{
    uint64_t offsets[9] = { 0 };
    uint32_t count = 0;

    for (; strings[count]; count++)
        offsets[count] = append_string(plan, size, strings[count]);
    *ret_count = count;
    return append(plan, size, offsets, (count + 1) * sizeof offsets[0]);
}

static uint32_t append_filters(const Run *run, char *plan, uint32_t *size)
{
    struct WireFilter filters[WIRE_FILTERS_MAX] = { 0 };

    for (uint32_t i = 0; i < run->header.filter_count && i < WIRE_FILTERS_MAX; i++) {
        filters[i].count = run->program_sizes[i];
        filters[i].program = append(plan, size, run->programs[i],
                                    run->program_sizes[i] * sizeof run->programs[i][0]);
    }
    return append(plan, size, filters, run->header.filter_count * sizeof filters[0]);
}

int run_plan_fd(const Run *run)
{
    static union {
        struct WirePlan header;
        char bytes[65536];
    } plan;
    struct WirePlan header = run->header;
    struct WireStep steps[RUN_STEPS_MAX];
    uint32_t size = sizeof header, strings;
    int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    strings = append(plan.bytes, &size, run->strings, run->strings_used);
    memcpy(steps, run->steps, sizeof steps);
    for (uint32_t i = 0; i < run->step_count; i++) {
        steps[i].path += steps[i].path ? strings : 0;
        steps[i].source += steps[i].source ? strings : 0;
    }
    header.step_count = run->step_count;
    header.steps = append(plan.bytes, &size, steps, run->step_count * sizeof steps[0]);
    header.groups = append(plan.bytes, &size, run->groups, header.group_count * sizeof(uint32_t));
    header.limits = append(plan.bytes, &size, run->limits,
                           header.limit_count * sizeof run->limits[0]);
    header.owner_groups = append(plan.bytes, &size, run->owner_groups,
                                 header.owner_group_count * sizeof(uint32_t));
    header.filters = append_filters(run, plan.bytes, &size);
    header.argv = append_strings(plan.bytes, &size, run->argv, &header.argc);
    header.env = append_strings(plan.bytes, &size, run->env, &header.envc);
    header.executable = append_string(plan.bytes, &size, run->executable);
    header.search_path = append_string(plan.bytes, &size, run->search_path);
    header.script = append_string(plan.bytes, &size, run->script);
    header.size = size;
    plan.header = header;
    if (run->damage)
        run->damage(&plan.header);
    ck_assert_int_eq(write(fd, plan.bytes, size), (ssize_t)size);
    if (!run->unsealed)
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK), 0);
    return fd;
}
