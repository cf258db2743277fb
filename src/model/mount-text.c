/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "model/mount-text.h"
#include "model/text.h"
#include "util/parse.h"

#define PARTS_MAX 3

/* As systemd limits such file systems: memory is what they are made of. */
#define TMPFS_MODE   "0755"
#define TMPFS_SIZE   "10%"
#define TMPFS_INODES "400k"

static const char
    *const bad_path = "must be an absolute path without '.', '..', '//' and a slash at the end";

void mount_text_done(MountText *text)
{
    g_clear_pointer(&text->source, g_free);
    g_clear_pointer(&text->path, g_free);
    g_clear_pointer(&text->data, g_free);
}

/* At the colons that are not escaped; the number of parts, or 0 if there are too many. */
static size_t split(const char *word, char *parts[PARTS_MAX])
{
    g_autoptr(GString) part = g_string_new(NULL);
    size_t count = 0;

    for (const char *c = word;; c++) {
        if (c[0] == '\\' && (c[1] == ':' || c[1] == '\\')) {
            g_string_append_c(part, *++c);
        } else if (*c != ':' && *c != '\0') {
            g_string_append_c(part, *c);
        } else if (count == PARTS_MAX) {
            return 0;
        } else {
            parts[count++] = g_strdup(part->str);
            g_string_truncate(part, 0);
            if (*c == '\0')
                return count;
        }
    }
}

/* What stands between commas, at least one word of it. */
static char **split_options(const char *text)
{
    return *text ? g_strsplit(text, ",", -1) : g_strdupv((char *[]){ (char *)"", NULL });
}

/* ---- options --------------------------------------------------------------------------------- */

typedef struct Options {
    unsigned flags;
    const char *mode, *size, *inodes, *uid, *gid;
} Options;

static bool is_octal(const char *text)
{
    size_t length = strspn(text, "01234567");

    return length > 0 && length <= 5 && text[length] == '\0' &&
           g_ascii_strtoull(text, NULL, 8) <= 07777;
}

static bool is_size(const char *text)
{
    size_t length = strlen(text);
    uint64_t number;

    if (length > 1 && text[length - 1] == '%') {
        g_autofree char *percent = g_strndup(text, length - 1);
        return parse_uint64(percent, &number) == 0 && number >= 1 && number <= 100;
    }
    return length > 0 && length < 20 && strspn(text, "0123456789") >= length - 1 &&
           strchr("0123456789kKmMgG", text[length - 1]);
}

static bool is_id(const char *text)
{
    return g_ascii_isdigit(*text) && text_is_user(text);
}

static bool take_flag(const char *option, unsigned *flags)
{
    static const struct {
        const char *name;
        unsigned set, clear;
    } names[] = {
        { "ro", MOUNT_OPTION_READ_ONLY, 0 },  { "rw", 0, MOUNT_OPTION_READ_ONLY },
        { "noexec", MOUNT_OPTION_NOEXEC, 0 }, { "exec", 0, MOUNT_OPTION_NOEXEC },
        { "suid", MOUNT_OPTION_SUID, 0 },     { "nosuid", 0, MOUNT_OPTION_SUID },
        { "dev", MOUNT_OPTION_DEV, 0 },       { "nodev", 0, MOUNT_OPTION_DEV },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(option, names[i].name) == 0) {
            *flags = (*flags | names[i].set) & ~names[i].clear;
            return true;
        }
    return false;
}

static bool take_value(const char *option, Options *options)
{
    const struct {
        const char *prefix;
        const char **value;
        bool (*fits)(const char *text);
    } names[] = {
        { "mode=", &options->mode, is_octal },
        { "size=", &options->size, is_size },
        { "nr_inodes=", &options->inodes, is_size },
        { "uid=", &options->uid, is_id },
        { "gid=", &options->gid, is_id },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_prefix(option, names[i].prefix)) {
            *names[i].value = option + strlen(names[i].prefix);
            return names[i].fits(*names[i].value);
        }
    return false;
}

static char *tmpfs_data(const Options *options)
{
    GString *data = g_string_new(NULL);

    g_string_append_printf(data, "mode=%s,size=%s,nr_inodes=%s",
                           options->mode ? options->mode : TMPFS_MODE,
                           options->size ? options->size : TMPFS_SIZE,
                           options->inodes ? options->inodes : TMPFS_INODES);
    if (options->uid)
        g_string_append_printf(data, ",uid=%s", options->uid);
    if (options->gid)
        g_string_append_printf(data, ",gid=%s", options->gid);
    return g_string_free(data, FALSE);
}

static const char *parse_bind_options(const char *text, MountText *ret)
{
    g_auto(GStrv) words = split_options(text);

    for (size_t i = 0; words[i]; i++) {
        if (strcmp(words[i], "norbind") == 0)
            return "has norbind, which would uncover what is mounted over: binds are recursive";
        if (strcmp(words[i], "rbind") == 0)
            continue;
        if (strcmp(words[i], "ro") == 0 || strcmp(words[i], "rw") == 0 ||
            !take_flag(words[i], &ret->options))
            return "has an option that is none of rbind, noexec, suid and dev";
    }
    return NULL;
}

static const char *parse_tmpfs_options(const char *text, MountText *ret)
{
    g_auto(GStrv) words = text ? split_options(text) : g_new0(char *, 1);
    Options options = { 0 };

    for (size_t i = 0; words[i]; i++)
        if (!take_flag(words[i], &options.flags) && !take_value(words[i], &options))
            return "has an option that is none of ro, noexec, suid, dev, and mode=, size=, "
                   "nr_inodes=, "
                   "uid=, gid= with a number (size=64M, mode=1777)";
    ret->options = options.flags;
    ret->data = tmpfs_data(&options);
    return NULL;
}

/* ---- words ----------------------------------------------------------------------------------- */

static const char *parse_bind(char *parts[PARTS_MAX], size_t count, MountText *ret)
{
    const char *path = count > 1 ? parts[1] : parts[0];

    if (!text_is_path(parts[0]) || !text_is_path(path))
        return bad_path;
    ret->source = g_strdup(parts[0]);
    ret->path = g_strdup(path);
    return count > 2 ? parse_bind_options(parts[2], ret) : NULL;
}

static const char *parse_parts(SettingType type, char *parts[PARTS_MAX], size_t count,
                               MountText *ret)
{
    if (type == SETTING_TYPE_BINDS)
        return parse_bind(parts, count, ret);
    if (count > (type == SETTING_TYPE_TEMPORARY ? 2 : 1))
        return "has too many colons (one in a path is written '\\:')";
    if (!text_is_path(parts[0]))
        return bad_path;
    ret->path = g_strdup(parts[0]);
    if (type != SETTING_TYPE_TEMPORARY)
        return NULL;
    return parse_tmpfs_options(count > 1 ? parts[1] : NULL, ret);
}

const char *mount_text_parse(SettingType type, const char *word, MountText *ret)
{
    char *parts[PARTS_MAX] = { NULL };
    MountText text = { .optional = *word == '-' };
    size_t count = split(word + text.optional, parts);
    const char *fault = "has too many colons (one in a path is written '\\:')";

    if (count > 0)
        fault = parse_parts(type, parts, count, &text);
    for (size_t i = 0; i < PARTS_MAX; i++)
        g_free(parts[i]);
    if (fault)
        mount_text_done(&text);
    else
        *ret = text;
    return fault;
}
