/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as a plan for the init. What its checker takes is then used as the init uses it: every
 * pointer followed, every string read to its end. */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#include "init/init.h"
#include "util/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t total; /* so that nothing is optimized away */

static void read_table(struct WirePlan *plan, uint32_t table, uint32_t count)
{
    char **pointers = plan_pointers(plan, table);

    for (uint32_t i = 0; i < count; i++)
        total += strlen(pointers[i]);
    g_assert_null(pointers[count]);
}

static void use(struct WirePlan *plan)
{
    const uint32_t *groups = (const uint32_t *)(const void *)((const char *)plan + plan->groups);
    const struct WireStep *steps = plan_steps(plan);

    read_table(plan, plan->argv, plan->argc);
    read_table(plan, plan->env, plan->envc);
    for (uint32_t i = 0; i < plan->group_count; i++)
        total += groups[i];
    for (uint32_t i = 0; i < plan->limit_count; i++)
        total += plan_limits(plan)[i].hard;
    groups = (const uint32_t *)(const void *)((const char *)plan + plan->owner_groups);
    for (uint32_t i = 0; i < plan->owner_group_count; i++)
        total += groups[i];
    for (uint32_t i = 0; i < plan->filter_count; i++) {
        const struct WireFilter *filter = &plan_filters(plan)[i];
        const uint64_t *program = (const uint64_t *)(const void *)((const char *)plan +
                                                                   filter->program);
        for (uint32_t k = 0; k < filter->count; k++)
            total += (size_t)program[k];
    }
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const char *path = plan_string(plan, steps[i].path);
        g_assert_cmpuint(steps[i].kind, <=, STEP_EXEC);
        const char *source = plan_string(plan, steps[i].source);
        total += (path ? strlen(path) : 0) + (source ? strlen(source) : 0);
    }
    if (plan->argc == 0)
        return;
    total += strlen(plan_text(plan, plan->executable));
    total += plan->search_path ? strlen(plan_text(plan, plan->search_path)) : 0;
    total += plan->script ? strlen(plan_text(plan, plan->script)) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_fd fd = memfd_create("fuzz-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct Init init = { 0 };

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pwrite(fd, data, size, 0), ==, size);
    g_assert_cmpint(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK), ==, 0);
    if (plan_load(&init, fd) == 0)
        use(init.plan);
    if (init.plan)
        plan_drop(&init);
    return 0;
}
