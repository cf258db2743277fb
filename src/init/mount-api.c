/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Trees of mounts by descriptor: open_tree(), mount_setattr() and move_mount() where the kernel,
 * and a system call filter of a container around us, let them through. Elsewhere mount(2) with
 * /proc/self/fd, and the recursive change that it does not know done mount by mount, as the
 * kernel's table lists them: a remount replaces all flags, so each keeps those that it has. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "init/mounts.h"
#include "util/fd.h"
#include "util/syscalls.h"
#include "util/text.h"

#define OPEN_TREE_FLAGS   (1u /* OPEN_TREE_CLONE */ | O_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE_TREE)
#define AT_RECURSIVE_TREE 0x8000u        /* AT_RECURSIVE */
#define MOVE_MOUNT_BY_FDS (0x4u | 0x40u) /* MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH */

#define ATTRIBUTES ((uint32_t)(MOUNT_RDONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC))

#define FD_PATH_MAX sizeof "self/fd/4294967295"

/* struct mount_attr; the header that has it disagrees with <sys/mount.h>. */
struct MountAttributes {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t user_namespace;
};

static int set_attributes(int fd, uint32_t flags)
{
    const struct MountAttributes attributes = { .set = flags & ATTRIBUTES };
    unsigned at = AT_EMPTY_PATH | ((flags & MOUNT_RECURSIVE) != 0 ? AT_RECURSIVE_TREE : 0);

    return syscall(SYS_mount_setattr, fd, "", at, &attributes, sizeof attributes) < 0 ? errno : 0;
}

/* Neither of the questions asks for anything: their answers tell only whether they were heard. A
 * filter says EPERM for a call that it does not know. */
bool tree_is_detached(void)
{
    static enum { UNKNOWN, YES, NO } answer;

    if (answer == UNKNOWN) {
        bool heard = syscall(SYS_open_tree, -1, "", 0) < 0 && errno != ENOSYS && errno != EPERM;

        answer = heard && set_attributes(-1, 0) == 0 ? YES : NO;
    }
    return answer == YES;
}

int tree_open(int fd)
{
    if (tree_is_detached())
        return (int)syscall(SYS_open_tree, fd, "", OPEN_TREE_FLAGS);
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Relative to /proc, which is where mount(2) is to be called: what is at /proc may be hidden. */
static void fd_path(char path[FD_PATH_MAX], int fd)
{
    (void)text_append_number(text_append(path, "self/fd/"), (uint32_t)fd);
}

/* A working directory would do as well, but whoever is not root may not enter each that he may
 * mount upon. */
int mount_over(const struct Init *init, int directory, const char *type, unsigned long flags,
               const char *options)
{
    char to[FD_PATH_MAX];

    fd_path(to, directory);
    return fchdir(init->proc) < 0 || mount(type, to, type, flags, options) < 0 ? errno : 0;
}

/* What is at the stage afterwards is ours: the directory it lies in is root's. */
int mount_new(const struct Init *init, const char *type, unsigned long flags, const char *options)
{
    auto_fd stage = stage_open();
    int error = stage < 0 ? errno : mount_over(init, stage, type, flags, options);

    if (error == 0)
        return stage_open();
    errno = error;
    return -1;
}

void mount_forget(const struct Init *init, int root)
{
    char path[FD_PATH_MAX];

    fd_path(path, root);
    if (fchdir(init->proc) == 0)
        (void)umount2(path, MNT_DETACH);
}

int mount_place(const struct Init *init, int root, int directory)
{
    char from[FD_PATH_MAX], to[FD_PATH_MAX];
    int error = 0;

    fd_path(from, root);
    fd_path(to, directory);
    if (fchdir(init->proc) < 0 || mount(from, to, NULL, MS_MOVE, NULL) < 0)
        error = errno;
    if (error != 0)
        mount_forget(init, root);
    return error;
}

int tree_attach(const struct Init *init, int tree, int target)
{
    char from[FD_PATH_MAX], to[FD_PATH_MAX];

    if (tree_is_detached())
        return syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_BY_FDS) < 0 ? errno : 0;
    fd_path(from, tree);
    fd_path(to, target);
    return fchdir(init->proc) < 0 || mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0 ? errno : 0;
}

/* ---- the table of mounts --------------------------------------------------------------------- */

struct MountTable {
    int fd;
    size_t at, length;
    char buffer[1024];
    char path[PATH_MAX]; /* of the mount that was read last */
    unsigned long flags; /* MS_* */
};

static int next_byte(struct MountTable *table)
{
    if (table->at >= table->length) {
        ssize_t length = read(table->fd, table->buffer, sizeof table->buffer);

        if (length <= 0)
            return -1;
        table->at = 0;
        table->length = (size_t)length;
    }
    return (unsigned char)table->buffer[table->at++];
}

/* The next word of the line, as much of it as fits, with "\040" for a blank. The byte behind it. */
static int next_word(struct MountTable *table, char *word, size_t size)
{
    size_t length = 0;
    int byte;

    while ((byte = next_byte(table)) >= 0 && byte != ' ' && byte != '\n') {
        if (byte == '\\') {
            byte = 0;
            for (int i = 0; i < 3; i++)
                byte = (byte * 8 + (next_byte(table) - '0')) & 0xff;
        }
        if (length + 1 < size)
            word[length++] = (char)byte;
    }
    word[length] = '\0';
    return byte;
}

static unsigned long options_flags(const char *options)
{
    static const struct {
        const char *name;
        unsigned long flag;
    } names[] = {
        { "ro", MS_RDONLY },         { "nosuid", MS_NOSUID },
        { "nodev", MS_NODEV },       { "noexec", MS_NOEXEC },
        { "noatime", MS_NOATIME },   { "nodiratime", MS_NODIRATIME },
        { "relatime", MS_RELATIME }, { "nosymfollow", 256 /* MS_NOSYMFOLLOW */ },
    };
    unsigned long flags = 0;

    while (*options != '\0') {
        size_t length = strcspn(options, ",");

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (strlen(names[i].name) == length && memcmp(options, names[i].name, length) == 0)
                flags |= names[i].flag;
        options += length + (options[length] == ',');
    }
    return flags;
}

/* "ID PARENT MAJ:MIN ROOT PATH OPTIONS ..." */
static bool next_mount(struct MountTable *table)
{
    char word[256];
    int byte = ' ';

    for (int i = 0; i < 4 && byte == ' '; i++)
        byte = next_word(table, word, sizeof word);
    if (byte != ' ' || next_word(table, table->path, sizeof table->path) != ' ')
        return false;
    byte = next_word(table, word, sizeof word);
    table->flags = options_flags(word);
    while (byte >= 0 && byte != '\n')
        byte = next_byte(table);
    return true;
}

static bool path_is_below(const char *path, const char *top)
{
    size_t length = strlen(top);

    if (length == 1)
        return true;
    return strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The table's paths are those of our root; one that has something else on top of it, or lies
 * outside, is no mount under that name, and cannot be reached by it either. */
static int remount(const struct MountTable *table, uint32_t flags)
{
    unsigned long wanted = MS_REMOUNT | MS_BIND | table->flags | (flags & ATTRIBUTES);

    if (mount(NULL, table->path, NULL, wanted, NULL) == 0 || errno == EINVAL || errno == ENOENT)
        return 0;
    return errno;
}

static int change_each(const struct Init *init, const char *top, uint32_t flags)
{
    static struct MountTable table;
    int error = 0;

    table.at = table.length = 0;
    table.fd = openat(init->proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (table.fd < 0)
        return errno;
    while (error == 0 && next_mount(&table)) {
        bool below = path_is_below(table.path, top);

        if ((flags & MOUNT_RECURSIVE) == 0)
            below = strcmp(table.path, top) == 0;
        if (below && ((flags & MOUNT_KEEP) == 0 || !view_is_kept(init, table.path)))
            error = remount(&table, flags);
    }
    (void)close(table.fd);
    return error;
}

int tree_change(const struct Init *init, int fd, uint32_t flags)
{
    static char top[PATH_MAX] BEFORE_PAYLOAD;
    char path[FD_PATH_MAX];
    ssize_t length;

    if (tree_is_detached())
        return set_attributes(fd, flags);
    fd_path(path, fd);
    length = readlinkat(init->proc, path, top, sizeof top - 1);
    if (length < 0)
        return errno;
    top[length] = '\0';
    return change_each(init, top, flags);
}
