/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "ctl/call.h"
#include "ctl/created.h"

void created_print(const Ctl *ctl, const char *name, const char *path)
{
    Json json;

    if (ctl->options.json != JSON_OFF) {
        json_init(&json, stdout, ctl->options.json);
        json_open_object(&json);
        json_key(&json, "name");
        json_string(&json, name);
        json_key(&json, "id");
        json_string(&json, path_id(path));
        json_key(&json, "path");
        json_string(&json, path);
        json_close_object(&json);
        json_done(&json);
    } else if (!option_given(&ctl->options, OPTION_QUIET)) {
        printf("%s\n", path_id(path));
    }
    (void)fflush(stdout);
}
