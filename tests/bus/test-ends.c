/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every way in which a payload can end, told exactly by the kernel of this host. */

#include <signal.h>
#include <string.h>

#include "bus/world.h"

/* By default they stop a process, wake it up, or do nothing at all. */
static const int harmless[] = { SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP,
                                SIGTTIN, SIGTTOU, SIGURG,  SIGWINCH };

static bool is_harmless(int number)
{
    for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++)
        if (harmless[i] == number)
            return true;
    return false;
}

/* SIGPIPE, too, is not to be ignored. */
static const char *run_script(const char *script)
{
    const char *path;

    sd_bus_message *reply = bus_call(client, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 2,
                                     "Command", "as", 3, "sh", "-c", script, "IgnoreSIGPIPE", "b",
                                     0, 0);
    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    return path;
}

static void check_end(const char *script, const char *state, const char *result, int code,
                      int number)
{
    g_autofree char *path = g_strdup(run_script(script));
    const char *told_result;
    int32_t told_code, told_status;
    uint32_t run;

    sd_bus_message *reply = bus_call(client, path, "Wait", NO_OPTIONS);
    ck_assert_int_ge(
        sd_bus_message_read(reply, "usii", &run, &told_result, &told_code, &told_status), 0);
    ck_assert_msg(strcmp(told_result, result) == 0, "%s: %s", script, told_result);
    ck_assert_msg((told_code == CLD_EXITED) == (number == 0) &&
                      told_status == (number ? number : code),
                  "%s: %d %d", script, told_code, told_status);
    const char *told_state = bus_text(client, path, "State");
    ck_assert_msg(strcmp(told_state, state) == 0, "%s: %s", script, told_state);
    ck_assert_msg(bus_integer(client, path, "ExitCode") == (number ? -1 : code), "%s", script);
    ck_assert_msg(bus_integer(client, path, "ExitSignal") == number, "%s", script);
    (void)bus_call(client, path, "Destroy", NO_OPTIONS);
}

START_TEST(every_exit_status_is_told_exactly)
{
    check_end("exit 0", "STOPPED", "success", 0, 0);
    for (int code = 1; code <= 255; code++) {
        g_autofree char *script = g_strdup_printf("exit %d", code);
        check_end(script, "FAILED", "exit-code", code, 0);
    }
}
END_TEST

START_TEST(every_signal_that_ends_a_process_is_told_exactly)
{
    for (int number = 1; number <= SIGRTMAX; number++) {
        g_autofree char *script = g_strdup_printf("ulimit -c 0; kill -%d $$", number);
        if (!is_harmless(number))
            check_end(script, "FAILED", "signal", -1, number);
    }
}
END_TEST

WORLD_MAIN("bus/ends", world_listen, every_exit_status_is_told_exactly,
           every_signal_that_ends_a_process_is_told_exactly)
