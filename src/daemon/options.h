/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line and constellation.conf. */

#include "core/controller.h"

typedef struct DaemonOptions {
    Mode mode;
    char *socket_path; /* --private=PATH */
    int socket_fd;     /* --private=fd:N, or -1 */
    int end_fd;        /* --end-with=fd:N, or -1 */
    bool no_systemd;
    char *config_path; /* --config=, or NULL: the usual places */

    char *realm;
    char *runtime_dir; /* NULL for a private service */
    char *state_dir;
    char *node_name;
    char *cluster_name;
    char *interpreter;
    UserLimits user_limits;
    uint64_t max_instances; /* 0: as many as the file descriptors allow */
    bool stop_instances;    /* when the service ends */
    uint64_t log_size;      /* of each instance where there is no journal */
} DaemonOptions;

/* 1: go on; 0: all was said (--help, --version); -1 and an error. */
int daemon_options_parse(DaemonOptions *options, int argc, char **argv, GError **error);

/* Directories and realm of the mode, then constellation.conf. */
bool daemon_options_complete(DaemonOptions *options, GError **error);
void daemon_options_done(DaemonOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DaemonOptions, daemon_options_done)
