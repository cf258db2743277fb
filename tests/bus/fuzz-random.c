/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/fuzz-random.h"
#include "model/settings.h"

unsigned chance(unsigned of)
{
    return (unsigned)random() % of;
}

char *ids[IDS_MAX];

static const char *random_string(void)
{
    static char buffer[70000];
    static const char *const words[] = {
        "",     "web",      "roots",    "true",       "sleep",        "3",        "../x",
        "a/b",  "-x",       ".",        "%n%s",       "a\nb",         "\303\244", "0",
        "-1",   "infinity", "10M",      "50%",        "off",          "try",      "all",
        "main", "final",    "1000/web", "root/roots", "root",         "alice",    "yes",
        "no",   "A=b",      "journal",  "/",          "/nonexistent", "RUNNING",  "SIGKILL",
        "none", "required",
    };
    unsigned kind = chance(20);

    if (kind == 0 || kind == 1) {
        size_t length = kind == 0 ? chance(300) : chance(sizeof buffer - 1);
        for (size_t i = 0; i < length; i++)
            buffer[i] = (char)('!' + chance(94));
        buffer[length] = '\0';
        return buffer;
    }
    if (kind == 2)
        return setting_get((SettingId)chance(_SETTING_COUNT))->name;
    if (kind == 3 && ids[0])
        return strrchr(ids[0], '/') + 1;
    return PICK(words);
}

static uint64_t random_number(void)
{
    static const uint64_t edges[] = { 0,       1,         2,          9,         15,        31,
                                      32,      64,        127,        255,       1000,      65535,
                                      1 << 20, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX };

    return PICK(edges) + (chance(4) == 0 ? chance(3) - 1u : 0);
}

const char *random_signature(void)
{
    static const char *const signatures[] = { "s",     "s", "t",  "b",     "as",   "i",      "u",
                                              "a{sv}", "y", "ay", "a{ss}", "(sv)", "a(ssv)", "o",
                                              "v",     "d", "x",  "g",     "aas",  "h" };

    return PICK(signatures);
}

static int append_basic(sd_bus_message *message, char type)
{
    uint64_t number = random_number();
    int fd = STDIN_FILENO, truth = (int)chance(2);

    switch (type) {
    case 's':
        return sd_bus_message_append_basic(message, type, random_string());
    case 'o':
        return sd_bus_message_append_basic(message, type, ids[0] ? ids[0] : "/");
    case 'g':
        return sd_bus_message_append_basic(message, type, "a{sv}");
    case 'h':
        return sd_bus_message_append_basic(message, type, &fd);
    case 'b':
        return sd_bus_message_append_basic(message, type, &truth);
    default:
        return sd_bus_message_append_basic(message, type, &number);
    }
}

static const char *random_key(void)
{
    static const char *const options[] = { "NoWait", "NoDegrade", "Stdin", "Stdout", "TimeoutUSec",
                                           "Signal", "Force",     "Until", "State",  "Owner",
                                           "Name",   "Label",     "Limit", "After" };
    const Setting *setting = setting_get((SettingId)chance(_SETTING_COUNT));

    return chance(3) == 0   ? PICK(options)
           : chance(8) == 0 ? random_string()
           : chance(2)      ? setting->bus_name
                            : setting->name;
}

static int append_dictionary(sd_bus_message *message, unsigned depth)
{
    int r = sd_bus_message_open_container(message, 'a', "{sv}");

    for (unsigned left = chance(5); r >= 0 && left > 0; left--) {
        const char *key = random_key();
        const Setting *setting = setting_find(key);
        const char *signature = setting && chance(8) ? setting_signature(setting)
                                                     : random_signature();
        r = sd_bus_message_open_container(message, 'e', "sv");
        if (r >= 0)
            r = sd_bus_message_append_basic(message, 's', key);
        if (r >= 0)
            r = sd_bus_message_open_container(message, 'v', signature);
        if (r >= 0)
            r = append_random(message, signature, depth + 1);
        if (r >= 0)
            r = sd_bus_message_close_container(message);
        if (r >= 0)
            r = sd_bus_message_close_container(message);
    }
    return r < 0 ? r : sd_bus_message_close_container(message);
}

/* One complete type. */
static size_t type_length(const char *signature)
{
    size_t length = 1;

    if (*signature == 'a')
        return 1 + type_length(signature + 1);
    if (*signature == '(' || *signature == '{')
        for (; signature[length] != ')' && signature[length] != '}';)
            length += type_length(signature + length);
    return strchr("({", *signature) ? length + 1 : length;
}

static int append_container(sd_bus_message *message, const char *type, size_t length,
                            unsigned depth)
{
    bool is_array = *type == 'a';
    g_autofree char *contents = is_array ? g_strndup(type + 1, length - 1)
                                         : g_strndup(type + 1, length - 2);
    int r = sd_bus_message_open_container(message,
                                          is_array       ? 'a'
                                          : *type == '(' ? 'r'
                                                         : 'e',
                                          contents);

    for (unsigned left = is_array ? chance(4) : 1; r >= 0 && left > 0; left--)
        r = append_random(message, contents, depth + 1);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

int append_random(sd_bus_message *message, const char *signature, unsigned depth)
{
    int r = 0;

    for (size_t length; r >= 0 && *signature; signature += length) {
        length = type_length(signature);
        if (g_str_has_prefix(signature, "a{sv}")) {
            r = append_dictionary(message, depth);
        } else if (*signature == 'v') {
            const char *inner = depth > 40 || chance(4) ? "s" : random_signature();
            r = sd_bus_message_open_container(message, 'v', inner);
            if (r >= 0)
                r = append_random(message, inner, depth + 1);
            if (r >= 0)
                r = sd_bus_message_close_container(message);
        } else if (strchr("a({", *signature)) {
            r = append_container(message, signature, length, depth);
        } else {
            r = append_basic(message, *signature);
        }
    }
    return r;
}
