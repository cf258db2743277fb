/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>

#include "ctl/fields.h"
#include "ctl/instance-text.h"
#include "ctl/status-instance.h"
#include "util/parse.h"

void status_data_done(StatusData *data)
{
    g_clear_pointer(&data->instance, variant_free);
    g_clear_pointer(&data->settings, variant_free);
    g_clear_pointer(&data->usage, variant_free);
}

static void print_title(const StatusData *data, const Terminal *terminal, State state)
{
    const char *description = variant_string(data->settings, "Description");
    g_autofree char *name = text_safe(variant_string(data->instance, "Name"));
    g_autofree char *safe = text_safe(description);
    Color color = state_color(state);

    printf("%s%s%s %s%s%s\n", terminal_color(terminal, color), state_dot(terminal, state),
           terminal_reset(terminal, color), name,
           *description ? terminal->utf8 ? " – " : " - " : "", safe);
}

/* The moment the present state began. */
static uint64_t state_since(const Variant *instance, State state)
{
    switch (state) {
    case STATE_PENDING:
        return variant_uint(instance, "CreatedTimestamp", 0);
    case STATE_STOPPED:
    case STATE_FAILED:
        return variant_uint(instance, "StoppedTimestamp", 0);
    default:
        return variant_uint(instance, "StartedTimestamp", 0);
    }
}

static void print_state(const StatusData *data, const Terminal *terminal, State state)
{
    const Variant *instance = data->instance;
    uint64_t since_usec = state_since(instance, state);
    g_autofree char *since = time_text(since_usec);
    g_autofree char *ago = time_ago_text(since_usec, (uint64_t)g_get_real_time());
    Color color = state_color(state);

    printf("%12s %s%s%s (%s)", "State:", terminal_color(terminal, color),
           variant_string(instance, "State"), terminal_reset(terminal, color),
           variant_string(instance, "SubState"));
    if (since_usec != 0)
        printf(" since %s; %s", since, ago);
    putchar('\n');
}

static void print_result(const Variant *instance, State state)
{
    const char *result = variant_string(instance, "Result");
    int64_t exit_code = variant_int(instance, "ExitCode", -1);
    int64_t signal = variant_int(instance, "ExitSignal", 0);

    field_print("Status", variant_string(instance, "StatusText"));
    if (state_is_active(state) || variant_uint(instance, "Run", 0) == 0)
        return;
    if (signal > 0)
        field_printf("Result", "%s (killed by %s)", result,
                     signal_name((int)signal) ? signal_name((int)signal) : "a signal");
    else if (exit_code >= 0)
        field_printf("Result", "%s (exit status %" PRIi64 ")", result, exit_code);
    else
        field_print("Result", result);
}

static void print_place(const Variant *instance)
{
    const char *backend = variant_string(instance, "Backend");
    const char *reason = variant_string(instance, "BackendReason");
    g_autofree char *owner = user_text((uid_t)variant_uint(instance, "Owner", 0));
    uint64_t main_pid = variant_uint(instance, "MainPID", 0);
    uint64_t restarts = variant_uint(instance, "Restarts", 0);

    field_print("Id", variant_string(instance, "Id"));
    field_print("Owner", owner);
    if (main_pid != 0)
        field_printf("Main PID", "%" PRIu64, main_pid);
    if (restarts != 0)
        field_printf("Restarts", "%" PRIu64 " %s", restarts,
                     variant_string(instance, "RestartReason"));
    field_print("Unit", variant_string(instance, "Unit"));
    field_print("Slice", variant_string(instance, "Slice"));
    field_print("CGroup", variant_string(instance, "ControlGroup"));
    if (*reason)
        field_printf("Backend", "%s (%s)", *backend ? backend : "none", reason);
    else
        field_print("Backend", backend);
}

/* A row of what, how and why. */
static void print_row(const char *label, const Variant *row)
{
    const char *reason = variant_field(row, 2);

    field_printf(label, "%s: %s%s%s%s", variant_field(row, 0), variant_field(row, 1),
                 *reason ? " (" : "", reason, *reason ? ")" : "");
}

/* What is as it should be needs no line of its own. */
static void print_isolation(const Variant *rows)
{
    g_autoptr(GString) private = g_string_new(NULL);

    for (unsigned i = 0; rows && i < variant_n_items(rows); i++)
        if (g_str_equal(variant_field(variant_item(rows, i), 1), "private"))
            g_string_append_printf(private, "%s%s", private->len > 0 ? " " : "private: ",
                                   variant_field(variant_item(rows, i), 0));
    field_print("Isolation", private->str);
    for (unsigned i = 0, n = 0; rows && i < variant_n_items(rows); i++)
        if (!g_str_equal(variant_field(variant_item(rows, i), 1), "private"))
            print_row(n++ == 0 && private->len == 0 ? "Isolation" : "", variant_item(rows, i));
}

static void print_degraded(const Variant *rows)
{
    for (unsigned i = 0; rows && i < variant_n_items(rows); i++)
        print_row(i == 0 ? "Degraded" : "", variant_item(rows, i));
}

/* Enforced: limit, value read back, whether it is enforced, why. */
static void print_limits(const Variant *rows)
{
    for (unsigned i = 0; rows && i < variant_n_items(rows); i++) {
        const Variant *row = variant_item(rows, i);
        const char *value = variant_field(row, 1), *reason = variant_field(row, 3);
        bool enforced = variant_n_items(row) > 2 && variant_item(row, 2)->kind == VARIANT_BOOL &&
                        variant_item(row, 2)->boolean;

        field_printf(i == 0 ? "Limits" : "", "%s%s%s: %s%s%s%s", variant_field(row, 0),
                     *value ? "=" : "", value, enforced ? "enforced" : "not enforced",
                     *reason ? " (" : "", reason, *reason ? ")" : "");
    }
}

static void print_bytes(const char *label, const Variant *usage, const char *key,
                        const char *peak_key)
{
    uint64_t bytes = variant_uint(usage, key, UINT64_MAX);
    uint64_t peak = variant_uint(usage, peak_key, UINT64_MAX);

    if (bytes == UINT64_MAX)
        return;

    g_autofree char *text = format_bytes_human(bytes);
    g_autofree char *peak_text = peak != UINT64_MAX ? format_bytes_human(peak) : NULL;

    if (peak_text)
        field_printf(label, "%s (peak: %s)", text, peak_text);
    else
        field_print(label, text);
}

static void print_usage(const Variant *usage)
{
    uint64_t cpu_usec = variant_uint(usage, "CPUUsageUSec", UINT64_MAX);
    uint64_t tasks = variant_uint(usage, "TasksCurrent", UINT64_MAX);
    uint64_t oom_kills = variant_uint(usage, "OOMKills", 0);

    if (cpu_usec != UINT64_MAX) {
        /* Microseconds are for programs. */
        g_autofree char *cpu = format_usec(cpu_usec - cpu_usec % 1000);

        field_print("CPU", cpu);
    }
    print_bytes("Memory", usage, "MemoryCurrent", "MemoryPeak");
    print_bytes("Swap", usage, "SwapCurrent", "");
    if (tasks != UINT64_MAX)
        field_printf("Tasks", "%" PRIu64, tasks);
    print_bytes("Read", usage, "IOReadBytes", "");
    print_bytes("Written", usage, "IOWriteBytes", "");
    if (oom_kills != 0 && oom_kills != UINT64_MAX)
        field_printf("OOM kills", "%" PRIu64, oom_kills);
}

void status_print(const StatusData *data, const Terminal *terminal)
{
    State state = state_from_string(variant_string(data->instance, "State"));

    print_title(data, terminal, state);
    print_state(data, terminal, state);
    print_result(data->instance, state);
    print_place(data->instance);
    print_isolation(variant_lookup(data->instance, "Isolation"));
    print_limits(variant_lookup(data->instance, "Enforced"));
    print_degraded(variant_lookup(data->instance, "Degraded"));
    if (state_is_active(state))
        print_usage(data->usage);
}

static void print_entries(const Variant *dict, Json *json)
{
    for (unsigned i = 0; i + 1 < variant_n_items(dict); i += 2) {
        json_key(json, variant_key(dict, i));
        variant_print_json(variant_item(dict, i + 1), json);
    }
}

void status_print_json(const StatusData *data, Json *json)
{
    json_open_object(json);
    print_entries(data->instance, json);
    json_key(json, "Settings");
    json_open_object(json);
    print_entries(data->settings, json);
    json_close_object(json);
    json_key(json, "Usage");
    variant_print_json(data->usage, json);
    json_close_object(json);
}
