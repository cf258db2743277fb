/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of plan_make() share: plan-namespaces.c decides, plan-files.c and plan-payload.c
 * add the steps that follow. */

#include "isolation/plan.h"

/* OOM scores travel as value + 1000: oom_score_adj goes from -1000 to 1000. */
#define OOM_SCORE_NEVER   0
#define OOM_SCORE_NEUTRAL 1000

/* Named by Require=, or all are. */
bool plan_is_required(const PlanInput *input, SettingId id);

/* A step that is not needed or was not asked for, for those who read the plan. */
void plan_add_dropped(Plan *plan, unsigned kind, const char *reason);

/* A step for a setting. False and ISOLATION_FAILED if it cannot be had and must not degrade. */
PlanStep *plan_add_setting_step(const PlanInput *input, Plan *plan, unsigned kind, SettingId id);
bool plan_add_refused(const PlanInput *input, Plan *plan, unsigned kind, SettingId id,
                      GError **error, const char *reason, ...) G_GNUC_PRINTF(6, 7);
void plan_step_free(PlanStep *step);

/* What was asked for this kind: "auto" is resolved, and Require= makes "required" of "try". */
TryChoice plan_namespace_choice(const PlanInput *input, unsigned kind);

/* plan-namespaces.c: plan->isolation and clone_flags, and what plan_decide_ids() does. */
bool plan_decide_namespaces(const PlanInput *input, Plan *plan, GError **error);

/* Whether there is this id in the service's own user namespace, of which `map` is the file; NULL:
 * all ids. */
bool plan_id_exists(const char *map, uint32_t id);

/* plan-ids.c: id_map, uids, gids, has_id_range, outside_uid. */
bool plan_decide_ids(const PlanInput *input, Plan *plan, GError **error);

/* plan-namespaces.c: what the init does in them before the gate, and behind it. */
void plan_add_namespace_steps(const PlanInput *input, Plan *plan);
void plan_add_gate_steps(const PlanInput *input, Plan *plan);

/* plan-files.c: what the instance sees of file systems; before the gate. */
bool plan_add_file_steps(const PlanInput *input, Plan *plan, GError **error);

/* A step about files, at the end of an array of steps. */
PlanStep *plan_add_mount(GPtrArray *steps, unsigned kind, bool required, const char *path,
                         const char *source, uint32_t number);

/* plan-root.c: a root of its own, if one is asked for. The layer comes before all masks, the
 * entries are sorted among those of the settings. */
#define PLAN_TMP_OPTIONS "mode=1777,size=10%,nr_inodes=400k"
bool plan_has_root(const PlanInput *input);
bool plan_add_layer(const PlanInput *input, Plan *plan, GError **error);
void plan_add_root(const PlanInput *input, Plan *plan, uint32_t flags);
void plan_add_root_entries(const PlanInput *input, const Plan *plan, GPtrArray *steps);
void plan_leave_root(const PlanInput *input, Plan *plan);

/* plan-payload.c: what is executed, with which variables, and what its process does before. */
bool plan_set_payload(const PlanInput *input, Plan *plan, GError **error);
bool plan_add_payload_steps(const PlanInput *input, Plan *plan, GError **error);

/* plan-privileges.c: who the payload is and what it may do. */
bool plan_add_limit_steps(const PlanInput *input, Plan *plan, GError **error);
bool plan_add_identity_steps(const PlanInput *input, Plan *plan, GError **error);
bool plan_add_capability_step(const PlanInput *input, Plan *plan, GError **error);

/* plan-filters.c: which system calls it may use. */
bool plan_choose_filters(const PlanInput *input, Plan *plan, GError **error);
void plan_add_no_new_privileges_step(const PlanInput *input, Plan *plan);
void plan_add_filter_step(const PlanInput *input, Plan *plan);
