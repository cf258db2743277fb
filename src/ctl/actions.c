/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "ctl/actions.h"
#include "ctl/call.h"
#include "ctl/table.h"
#include "ctl/wait-for.h"

typedef struct Actions {
    const Ctl *ctl;
    const ActionKind *kind;
    sd_event *event;
    Watch *watch;
    CallQueue *queue;
    Action *actions;
    unsigned n_actions, n_over;
    bool as_table;
} Actions;

static void on_action_over(void *userdata)
{
    Actions *all = userdata;

    if (++all->n_over == all->n_actions)
        (void)sd_event_exit(all->event, 0);
}

static void on_changed(const char *path, State state, void *userdata)
{
    Actions *all = userdata;

    (void)state; /* the substate counts as well */
    for (unsigned i = 0; i < all->n_actions; i++)
        action_on_changed(&all->actions[i], path);
}

static void on_exited(const char *path, const Ending *ending, void *userdata)
{
    Actions *all = userdata;

    (void)ending;
    for (unsigned i = 0; i < all->n_actions; i++)
        action_on_exited(&all->actions[i], path);
}

static void on_removed(const char *path, void *userdata)
{
    Actions *all = userdata;

    for (unsigned i = 0; i < all->n_actions; i++)
        action_on_removed(&all->actions[i], path);
}

static void on_service_changed(bool present, void *userdata)
{
    Actions *all = userdata;

    if (!present && !connection_is_peer(&all->ctl->connection))
        ctl_note(all->ctl, "the service went away; waiting for it to come back");
    for (unsigned i = 0; i < all->n_actions; i++)
        action_on_service(&all->actions[i], present);
}

static bool actions_prepare(Actions *all, const char *const *names, GError **error)
{
    static const WatchHandler handler = {
        .changed = on_changed,
        .exited = on_exited,
        .removed = on_removed,
        .service_changed = on_service_changed,
    };
    const Connection *connection = &all->ctl->connection;
    int r = sd_event_default(&all->event);

    if (r >= 0)
        r = sd_bus_attach_event(connection->bus, all->event, SD_EVENT_PRIORITY_NORMAL);
    if (r < 0)
        return error_from_errno(error, CONSTELLATION_ERROR_NO_MEMORY, r, "event loop");
    all->watch = watch_new(connection, &handler, all, error);
    if (!all->watch)
        return false;
    all->queue = call_queue_new(connection);
    all->actions = g_new0(Action, all->n_actions);
    for (unsigned i = 0; i < all->n_actions; i++)
        all->actions[i] = (Action){
            .ctl = all->ctl,
            .kind = all->kind,
            .queue = all->queue,
            .over = on_action_over,
            .userdata = all,
            .name = names[i],
        };
    return true;
}

static int actions_complain(const Actions *all)
{
    int worst = STATUS_OK;

    for (unsigned i = 0; i < all->n_actions; i++) {
        const Action *action = &all->actions[i];

        if (!action->error)
            continue;
        worst = MAX(worst, error_status(action->error));
        if (!all->as_table)
            ctl_complain(all->n_actions > 1 ? action->name : NULL, action->error);
    }
    return worst;
}

static void actions_tabulate(const Actions *all)
{
    static const Column columns[] = {
        { "NAME", "name", 0 },
        { "ID", "id", 0 },
        { "DONE", "done", 0 },
        { "MESSAGE", "message", 0 },
    };
    g_autoptr(Table) table = table_new(columns, G_N_ELEMENTS(columns));

    for (unsigned i = 0; i < all->n_actions; i++) {
        const Action *action = &all->actions[i];

        table_add_string(table, action->name);
        table_add_string(table, action->path ? path_id(action->path) : NULL);
        table_add_bool(table, !action->error);
        table_add_string(table, action->error ? action->error->message : NULL);
    }
    ctl_print_table(all->ctl, table, NULL);
}

static void actions_done(Actions *all)
{
    call_queue_free(all->queue);
    watch_free(all->watch);
    (void)sd_bus_detach_event(all->ctl->connection.bus);
    for (unsigned i = 0; all->actions && i < all->n_actions; i++)
        action_done(&all->actions[i]);
    g_free(all->actions);
    sd_event_unref(all->event);
}

static int actions_perform(Actions *all, const char *const *names)
{
    g_autoptr(GError) error = NULL;
    int status;

    if (actions_prepare(all, names, &error)) {
        for (unsigned i = 0; i < all->n_actions; i++)
            action_begin(&all->actions[i]);
        (void)sd_event_loop(all->event);
        status = actions_complain(all);
        if (all->as_table)
            actions_tabulate(all);
    } else {
        status = ctl_fail(error);
    }
    actions_done(all);
    return status;
}

int actions_run(const Ctl *ctl, const ActionKind *kind, const char *const *names, unsigned n_names)
{
    Actions all = { .ctl = ctl, .kind = kind, .n_actions = n_names };

    return actions_perform(&all, names);
}

int actions_run_arguments(const Ctl *ctl, const ActionKind *kind)
{
    const GPtrArray *arguments = ctl->options.arguments;
    Actions all = {
        .ctl = ctl,
        .kind = kind,
        .n_actions = arguments->len,
        .as_table = ctl->options.json != JSON_OFF,
    };

    return actions_perform(&all, (const char *const *)arguments->pdata);
}

void action_append_no_wait(const Ctl *ctl, sd_bus_message *message)
{
    (void)ctl;
    must(sd_bus_message_append(message, "a{sv}", 1, "NoWait", "b", true));
}

bool sight_is_unkillable(const Sight *sight, char **ret_why)
{
    if (!g_str_equal(variant_string(sight->properties, "SubState"),
                     sub_state_to_string(SUB_STATE_UNKILLABLE)))
        return false;
    *ret_why = g_strdup("killed, but a task of it is stuck in the kernel (uninterruptible sleep) "
                        "and goes when that lets go of it");
    return true;
}
