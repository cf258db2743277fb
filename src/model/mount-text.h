/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The words of the settings that are about paths: [-]PATH, [-]SOURCE[:PATH[:OPTIONS]] and
 * [-]PATH[:OPTIONS], as in systemd.exec(5). A colon in a path is written "\:". */

#include <stdbool.h>

#include <glib.h>

#include "model/settings.h"

/* What may be said behind the last colon. Those of a bind are a change of what it gets by itself
 * (nosuid and nodev), those of a temporary file system as well. */
enum {
    MOUNT_OPTION_READ_ONLY = 1u << 0,
    MOUNT_OPTION_NOEXEC = 1u << 1,
    MOUNT_OPTION_SUID = 1u << 2,
    MOUNT_OPTION_DEV = 1u << 3,
};

typedef struct MountText {
    bool optional; /* "-": where it is missing there is nothing to do */
    char *source;  /* BINDS: as the host sees it */
    char *path;    /* as the instance sees it */
    unsigned options;
    char *data; /* TEMPORARY: for tmpfs(5), with defaults filled in */
} MountText;

void mount_text_done(MountText *text);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MountText, mount_text_done)

/* A word of a setting of type PATHS, BINDS or TEMPORARY. NULL, or what is wrong with it; *ret is
 * filled only if nothing is. */
const char *mount_text_parse(SettingType type, const char *word, MountText *ret);
