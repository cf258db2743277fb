/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of the init that mount share. All mounts are made in a mount namespace of the
 * instance's own, before anybody else is in it, onto descriptors and never onto the text of a path:
 * the directories may belong to somebody who renames them while we work. For the same reason what
 * has been mounted is not looked for at its path again: a file system that we go on working in is
 * mounted where only root can rename, and moved. */

#include "init/init.h"

/* ---- mount-api.c ----------------------------------------------------------------------------- */

/* A copy of the tree of mounts that begins at this O_PATH descriptor, attached nowhere. Where the
 * calls for that are missing, another descriptor of the same: mounts_attach() then copies. -1 and
 * errno. */
int tree_open(int fd);
/* A new file system over a directory; flags: MS_*. 0 or an errno. */
int mount_over(const struct Init *init, int directory, const char *type, unsigned long flags,
               const char *options);
/* The root of a new file system, where nobody but us sees it. -1 and errno. */
int mount_new(const struct Init *init, const char *type, unsigned long flags, const char *options);
/* Moves that one onto a directory, with all that has been mounted in it; where it cannot be, it is
 * gone. 0 or an errno. */
int mount_place(const struct Init *init, int root, int directory);
void mount_forget(const struct Init *init, int root);
/* Puts a tree onto a file or directory; they must be of the same kind. 0 or an errno. */
int tree_attach(const struct Init *init, int tree, int target);
/* Gives the mount whose root this is the MOUNT_* of the flags, and with MOUNT_RECURSIVE those below
 * as well; all that it has stays. 0 or an errno. */
int tree_change(const struct Init *init, int fd, uint32_t flags);
/* Whether a tree is a copy already, to be changed before it is attached; or else after. */
bool tree_is_detached(void);

/* ---- mount-paths.c --------------------------------------------------------------------------- */

/* An O_PATH descriptor of what is at this path inside, with the rights of the instance's owner and
 * past no link of /proc. -1 and errno. */
int view_open(const struct Init *init, const char *path);
/* The same; what is missing is made, if the file system is one that was made for the instance. */
int view_make(const struct Init *init, const char *path, bool directory);
/* From now on the file system of this descriptor counts as made for the instance. */
void view_add_own(int fd);
bool view_is_own(int fd);
/* The step is a bind of a path to itself that covers this one. */
bool view_is_kept(const struct Init *init, const char *path);

/* ---- mount-root.c: 0 or an errno; *ret_path what is amiss in the directory ------------------- */

int root_open_layer(const char *path);
int root_build(const struct Init *init);
int root_bind(const struct Init *init, const struct WireStep *step, const char **ret_path);
int root_overlay(const struct Init *init, const struct WireStep *step, const char **ret_path);
int root_leave(void);
/* From one of the three above on, until root_leave(): the root is another than the host's. */
bool root_is_own(void);
/* An O_PATH descriptor of what is at this path of the host's, until root_leave(). -1 and errno. */
int host_open(const char *path);
/* Likewise, of the top of what is mounted on a directory that is free for this, below a root that
 * only root may change. */
int stage_open(void);

/* ---- mount-devices.c ------------------------------------------------------------------------- */

/* All or nothing. 0 or an errno. */
int devices_mount(const struct Init *init);
