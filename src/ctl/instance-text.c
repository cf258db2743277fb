/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <pwd.h>
#include <time.h>

#include "ctl/instance-text.h"
#include "util/parse.h"

#define SECOND_USEC UINT64_C(1000000)
#define MINUTE_USEC (60 * SECOND_USEC)
#define HOUR_USEC   (60 * MINUTE_USEC)
#define DAY_USEC    (24 * HOUR_USEC)

const char *state_dot(const Terminal *terminal, State state)
{
    if (!terminal->utf8)
        return state == STATE_FAILED ? "x" : "*";
    if (state == STATE_FAILED)
        return "×";
    return state_is_active(state) ? "●" : "○";
}

Color state_color(State state)
{
    switch (state) {
    case STATE_RUNNING:
        return COLOR_GREEN;
    case STATE_STARTING:
    case STATE_STOPPING:
    case STATE_UNKNOWN:
        return COLOR_YELLOW;
    case STATE_FAILED:
        return COLOR_RED;
    default:
        return COLOR_NONE;
    }
}

char *time_text(uint64_t realtime_usec)
{
    time_t seconds = (time_t)(realtime_usec / SECOND_USEC);
    struct tm parts;
    char text[128];

    if (realtime_usec == 0 || !localtime_r(&seconds, &parts) ||
        strftime(text, sizeof text, "%a %Y-%m-%d %H:%M:%S %Z", &parts) == 0)
        return g_strdup("-");
    return g_strdup(text);
}

char *time_ago_text(uint64_t realtime_usec, uint64_t now_usec)
{
    static const struct {
        uint64_t usec;
        const char *name;
    } units[] = {
        { DAY_USEC, "d" },
        { HOUR_USEC, "h" },
        { MINUTE_USEC, "min" },
        { SECOND_USEC, "s" },
    };
    bool past = realtime_usec <= now_usec;
    uint64_t rest = past ? now_usec - realtime_usec : realtime_usec - now_usec;
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
        if (rest < units[i].usec)
            continue;
        g_string_append_printf(text, "%" PRIu64 "%s", rest / units[i].usec, units[i].name);
        rest %= units[i].usec;
        if (i + 1 < G_N_ELEMENTS(units) && rest >= units[i + 1].usec)
            g_string_append_printf(text, " %" PRIu64 "%s", rest / units[i + 1].usec,
                                   units[i + 1].name);
        break;
    }
    if (text->len == 0)
        g_string_append(text, past ? "just now" : "now");
    else if (past)
        g_string_append(text, " ago");
    else
        g_string_prepend(text, "in ");
    return g_string_free(text, false);
}

char *user_text(uid_t uid)
{
    const struct passwd *user = getpwuid(uid);

    return user ? g_strdup(user->pw_name) : g_strdup_printf("%u", uid);
}

bool user_from_text(const char *text, uid_t *ret)
{
    uint64_t number;
    const struct passwd *user = getpwnam(text);

    if (user) {
        *ret = user->pw_uid;
        return true;
    }
    if (parse_uint64(text, &number) < 0 || number >= UINT32_MAX)
        return false;
    *ret = (uid_t)number;
    return true;
}
