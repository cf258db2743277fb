/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An instance as text and back, and text that is none. */

#include <string.h>

#include "core/controller.h"
#include "core/store-file.h"
#include "suite.h"

#define ID "i0000000000001"

/* What a text of the store must not lose. */
static const char *const weird[] = {
    "",
    " ",
    " leading and trailing ",
    "a;b;;c;",
    "back\\slash \\n \\s",
    "#no comment",
    "[Group]",
    "key = value",
    "two\nlines\n",
    "\ttab\r",
    "\xc3\xa4\xe2\x82\xac",
    "=",
};

static Controller controller; /* nothing of it is looked at */
static Instance *made, *again;
static GError *error;

static void prepare(void)
{
    made = instance_new(&controller, ID, "web", 1000, spec_new());
}

static void clean(void)
{
    g_clear_pointer(&made, instance_free);
    g_clear_pointer(&again, instance_free);
    g_clear_error(&error);
}

/* Writes `made` and reads it back into `again`. */
static void round_trip(void)
{
    g_autofree char *text = store_file_write(made);

    g_clear_pointer(&again, instance_free);
    again = store_file_read(&controller, text, &error);
    ck_assert_msg(again, "%s in:\n%s", error ? error->message : "", text);
}

/* Text of `made` with one line replaced. */
static char *with_line(const char *key, const char *value)
{
    g_autofree char *text = store_file_write(made);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *prefix = g_strconcat(key, "=", NULL);
    unsigned found = 0;

    for (size_t i = 0; lines[i]; i++) {
        if (!g_str_has_prefix(lines[i], prefix))
            continue;
        g_free(lines[i]);
        lines[i] = value ? g_strconcat(prefix, value, NULL) : g_strdup("");
        found++;
    }
    ck_assert_msg(found == 1, "%s", key);
    return g_strjoinv("\n", lines);
}

static void check_refused(const char *what, const char *text)
{
    g_clear_error(&error);
    Instance *read_back = store_file_read(&controller, text, &error);
    ck_assert_msg(!read_back, "%s", what);
    ck_assert_msg(error && error->code == CONSTELLATION_ERROR_INVALID_ARGS && *error->message, "%s",
                  what);
}

START_TEST(who_it_is_comes_back)
{
    round_trip();
    ck_assert_str_eq(again->id, ID);
    ck_assert_str_eq(again->name, "web");
    ck_assert_uint_eq(again->owner, 1000);
    ck_assert_ptr_eq(again->controller, &controller);
}
END_TEST

START_TEST(every_state_and_result_comes_back)
{
    for (State state = 0; state < _STATE_COUNT; state++)
        for (Result result = 0; result < _RESULT_COUNT; result++) {
            made->state = state;
            made->result = result;
            round_trip();
            ck_assert_msg(again->state == state && again->result == result, "%s %s",
                          state_to_string(state), result_to_string(result));
        }
}
END_TEST

START_TEST(the_run_comes_back)
{
    made->run = UINT64_MAX - 1;
    made->exit_code = 255;
    made->exit_signal = 64;
    made->created = (Timestamp){ 1, 2 };
    made->started = (Timestamp){ UINT64_MAX, 4 };
    made->stopped = (Timestamp){ 5, UINT64_MAX - 6 };
    round_trip();
    ck_assert_uint_eq(again->run, UINT64_MAX - 1);
    ck_assert_int_eq(again->exit_code, 255);
    ck_assert_int_eq(again->exit_signal, 64);
    ck_assert_mem_eq(&again->created, &made->created, sizeof made->created);
    ck_assert_mem_eq(&again->started, &made->started, sizeof made->started);
    ck_assert_mem_eq(&again->stopped, &made->stopped, sizeof made->stopped);
}
END_TEST

START_TEST(a_restart_that_is_due_comes_back)
{
    made->history.restarts = 7;
    made->history.failures = 3;
    made->restart_boot_usec = UINT64_MAX - 1;
    g_free(made->restart_reason);
    made->restart_reason = g_strdup(weird[3]);
    round_trip();
    ck_assert_uint_eq(again->history.restarts, 7);
    ck_assert_uint_eq(again->history.failures, 3);
    ck_assert_uint_eq(again->restart_boot_usec, UINT64_MAX - 1);
    ck_assert_str_eq(again->restart_reason, weird[3]);
}
END_TEST

START_TEST(the_limit_on_starts_comes_back)
{
    made->history.interval_start_usec = UINT64_MAX - 7;
    made->history.interval_restarts = 4;
    round_trip();
    ck_assert_uint_eq(again->history.interval_start_usec, UINT64_MAX - 7);
    ck_assert_uint_eq(again->history.interval_restarts, 4);
}
END_TEST

START_TEST(a_stop_comes_back_with_its_signal_and_its_time)
{
    made->state = STATE_STOPPING;
    made->stop_signal = 31;
    made->stop_boot_usec = UINT64_MAX;
    made->runtime_over = true;
    round_trip();
    ck_assert_int_eq(again->stop_signal, 31);
    ck_assert_uint_eq(again->stop_boot_usec, UINT64_MAX);
    ck_assert(again->runtime_over);
}
END_TEST

START_TEST(a_stop_that_is_over_is_forgotten)
{
    made->state = STATE_STOPPED;
    made->stop_signal = 15;
    made->runtime_over = true;
    round_trip();
    ck_assert_int_eq(again->stop_signal, 0);
    ck_assert(!again->runtime_over);
}
END_TEST

START_TEST(that_it_was_stopped_with_the_service_comes_back)
{
    round_trip();
    ck_assert(!again->stopped_with_service);
    made->stopped_with_service = true;
    round_trip();
    ck_assert(again->stopped_with_service);
}
END_TEST

START_TEST(a_payload_that_did_not_exit_comes_back_as_such)
{
    round_trip();
    ck_assert_int_eq(again->exit_code, -1);
    ck_assert_int_eq(again->exit_signal, 0);
}
END_TEST

START_TEST(weird_texts_come_back)
{
    for (size_t i = 0; i < G_N_ELEMENTS(weird); i++) {
        instance_set_status(made, "%s", weird[i]);
        g_free(made->backend_reason);
        made->backend_reason = g_strdup(weird[i]);
        round_trip();
        ck_assert_str_eq(again->status_text, weird[i]);
        ck_assert_str_eq(again->backend_reason, weird[i]);
    }
}
END_TEST

START_TEST(isolation_comes_back)
{
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        made->isolation[kind].outcome = (IsolationOutcome)(kind % 3);
        g_free(made->isolation[kind].reason);
        made->isolation[kind].reason = g_strdup(weird[kind]);
    }
    round_trip();
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        ck_assert_int_eq(again->isolation[kind].outcome, (IsolationOutcome)(kind % 3));
        ck_assert_str_eq(again->isolation[kind].reason, weird[kind]);
    }
}
END_TEST

START_TEST(what_it_does_without_comes_back)
{
    for (size_t i = 0; i < G_N_ELEMENTS(weird); i++)
        instance_degrade(made, "MemoryMax", "refused", weird[i]);
    round_trip();
    ck_assert_uint_eq(again->degraded->len, G_N_ELEMENTS(weird));
    for (guint i = 0; i < again->degraded->len; i++) {
        const Degradation *row = g_ptr_array_index(again->degraded, i);
        ck_assert_str_eq(row->feature, "MemoryMax");
        ck_assert_str_eq(row->code, "refused");
        ck_assert_str_eq(row->reason, weird[i]);
    }
}
END_TEST

START_TEST(the_placement_comes_back)
{
    static const char *const rungs[] = { "scope", "cgroup", "monitor" };

    for (size_t i = 0; i < G_N_ELEMENTS(rungs); i++) {
        placement_free(made->placement);
        made->placement = g_new0(Placement, 1);
        made->placement->backend = backend_by_name(rungs[i]);
        made->placement->unit = i == 0 ? g_strdup("constellation-web.scope") : NULL;
        made->placement->slice = i == 0 ? g_strdup("constellation.slice") : NULL;
        made->placement->cgroup_fd = -1;
        round_trip();
        ck_assert_ptr_eq(again->placement->backend, backend_by_name(rungs[i]));
        ck_assert_int_eq(again->placement->cgroup_fd, -1);
        ck_assert_int_eq(g_strcmp0(again->placement->unit, made->placement->unit), 0);
        ck_assert_int_eq(g_strcmp0(again->placement->slice, made->placement->slice), 0);
    }
}
END_TEST

START_TEST(what_was_never_placed_is_not)
{
    round_trip();
    ck_assert_ptr_null(again->placement);
}
END_TEST

START_TEST(settings_come_back)
{
    const char *const command[] = { "sh", "-c", "echo \"$1\" 'two words'; exit", "", NULL };
    const char *const environment[] = { "A=1;2", "B= two\nlines ", "C=\xc3\xa4", NULL };

    ck_assert(spec_set_strv(made->spec, SETTING_COMMAND, command, NULL));
    ck_assert(spec_set_strv(made->spec, SETTING_ENVIRONMENT, environment, NULL));
    ck_assert(spec_set_uint(made->spec, SETTING_MEMORY_MAX, UINT64_MAX, NULL));
    round_trip();
    ck_assert(g_strv_equal(spec_get_strv(again->spec, SETTING_COMMAND), command));
    ck_assert(g_strv_equal(spec_get_strv(again->spec, SETTING_ENVIRONMENT), environment));
    for (SettingId id = 0; id < _SETTING_COUNT; id++)
        ck_assert_msg(spec_is_set(made->spec, id) == spec_is_set(again->spec, id), "%s",
                      setting_get(id)->name);
}
END_TEST

START_TEST(the_same_text_is_written_again)
{
    instance_set_status(made, "%s", weird[4]);
    instance_degrade(made, "a", "b", weird[3]);
    ck_assert(spec_set_text(made->spec, SETTING_COMMAND, "sh -c 'exit 3'", NULL));
    round_trip();
    g_autofree char *first = store_file_write(made), *second = store_file_write(again);
    ck_assert_str_eq(first, second);
}
END_TEST

START_TEST(a_wrong_line_is_refused)
{
    static const struct {
        const char *key, *value; /* NULL: without the line */
    } rows[] = {
        { "Version", NULL },
        { "Version", "0" },
        { "Version", "2" },
        { "Version", "x" },
        { "Id", NULL },
        { "Id", "" },
        { "Id", "web" },
        { "Id", "i000000000000" },
        { "Id", "../../etc/passwd" },
        { "Name", NULL },
        { "Name", "" },
        { "Name", "a/b" },
        { "Name", "../x" },
        { "Owner", NULL },
        { "Owner", "-1" },
        { "Owner", "4294967295" },
        { "Owner", "4294967296" },
        { "Owner", "root" },
        { "State", NULL },
        { "State", "" },
        { "State", "running" },
        { "Result", NULL },
        { "Result", "fine" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = with_line(rows[i].key, rows[i].value);
        g_autofree char *what = g_strdup_printf("%s=%s", rows[i].key,
                                                rows[i].value ? rows[i].value : "(none)");
        check_refused(what, text);
    }
}
END_TEST

START_TEST(a_wrong_setting_is_refused)
{
    g_autofree char *text = store_file_write(made);
    g_autofree char *unknown = g_strconcat(text, "\n[Settings]\nColour=red\n", NULL);
    g_autofree char *wrong = g_strconcat(text, "\n[Settings]\nTasksMax=many\n", NULL);

    check_refused("unknown", unknown);
    check_refused("wrong", wrong);
}
END_TEST

START_TEST(what_is_no_text_of_the_store_is_refused)
{
    static const char *const texts[] = { "",
                                         "\n",
                                         "[Instance]",
                                         "[Instance]\n",
                                         ("Id=" ID),
                                         "garbage",
                                         "[Run]\nState=RUNNING\n",
                                         "\xff\xfe",
                                         "[Instance\n" };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        check_refused(texts[i], texts[i]);
}
END_TEST

/* As a crash of the machine may leave it. */
START_TEST(a_text_that_breaks_off_is_an_instance_or_refused)
{
    g_autofree char *text = store_file_write(made);

    for (size_t length = strlen(text); length > 0; length--) {
        text[length - 1] = '\0';
        Instance *read_back = store_file_read(&controller, text, NULL);
        ck_assert(!read_back || strcmp(read_back->id, ID) == 0);
        instance_free(read_back);
    }
}
END_TEST

SUITE_MAIN_WITH("core/store-file", prepare, clean, who_it_is_comes_back,
                every_state_and_result_comes_back, the_run_comes_back,
                a_restart_that_is_due_comes_back, the_limit_on_starts_comes_back,
                a_stop_comes_back_with_its_signal_and_its_time, a_stop_that_is_over_is_forgotten,
                that_it_was_stopped_with_the_service_comes_back,
                a_payload_that_did_not_exit_comes_back_as_such, weird_texts_come_back,
                isolation_comes_back, what_it_does_without_comes_back, the_placement_comes_back,
                what_was_never_placed_is_not, settings_come_back, the_same_text_is_written_again,
                a_wrong_line_is_refused, a_wrong_setting_is_refused,
                what_is_no_text_of_the_store_is_refused,
                a_text_that_breaks_off_is_an_instance_or_refused)
