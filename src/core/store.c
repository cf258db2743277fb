/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "core/controller.h"
#include "core/store-file.h"
#include "core/store-seal.h"
#include "core/store.h"
#include "util/crash-point.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/log.h"

#define SUFFIX        ".instance"
#define FILE_SIZE_MAX (4u << 20)

/* A service that is killed while it spawns its launcher leaves the lock to a child that has not
 * executed yet, for less than a millisecond. */
#define LOCK_PATIENCE_MS 100

struct Store {
    int lock_fd;
    int runtime_fd; /* instances as they are; -1: nothing is kept */
    int records_fd;
    int logs_fd;  /* where there is no journal */
    int state_fd; /* persistent ones; -1 */
    GPtrArray *quarantined;
};

/* ---- directories ----------------------------------------------------------------------------- */

static int open_directory(const char *parent, const char *name, GError **error)
{
    g_autofree char *path = name ? g_build_filename(parent, name, NULL) : g_strdup(parent);

    if (g_mkdir_with_parents(path, 0700) < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_ACCESS_DENIED, errno, "making %s", path);
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        error_from_errno(error, CONSTELLATION_ERROR_ACCESS_DENIED, errno, "opening %s", path);
    return fd;
}

/* Two services of one realm would take each other's instances for left-overs. */
static int take_lock(const char *runtime_dir, GError **error)
{
    g_autofree char *path = g_build_filename(runtime_dir, "lock", NULL);
    auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_ACCESS_DENIED, errno, "opening %s", path);
        return -1;
    }
    int r = flock(fd, LOCK_EX | LOCK_NB);
    for (int ms = 0; r < 0 && errno == EWOULDBLOCK && ms < LOCK_PATIENCE_MS; ms++) {
        (void)poll(NULL, 0, 1);
        r = flock(fd, LOCK_EX | LOCK_NB);
    }
    if (r < 0) {
        error_set(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                  "%s is locked: another service of this kind runs already", path);
        return -1;
    }
    return fd_steal(&fd);
}

static bool open_all(Store *store, const char *runtime_dir, const char *state_dir, GError **error)
{
    if (runtime_dir) {
        auto_fd top = open_directory(runtime_dir, NULL, error);
        if (top < 0 || (store->lock_fd = take_lock(runtime_dir, error)) < 0 ||
            (store->runtime_fd = open_directory(runtime_dir, "instances", error)) < 0 ||
            (store->records_fd = open_directory(runtime_dir, "records", error)) < 0 ||
            (store->logs_fd = open_directory(runtime_dir, "logs", error)) < 0)
            return false;
    }
    if (state_dir && (store->state_fd = open_directory(state_dir, "instances", error)) < 0)
        return false;
    return true;
}

Store *store_new(const char *runtime_dir, const char *state_dir, GError **error)
{
    g_autoptr(Store) store = g_new0(Store, 1);

    store->lock_fd = store->runtime_fd = store->records_fd = store->state_fd = -1;
    store->logs_fd = -1;
    store->quarantined = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(store->quarantined, NULL);
    if (!open_all(store, runtime_dir, state_dir, error))
        return NULL;
    return g_steal_pointer(&store);
}

void store_free(Store *store)
{
    if (!store)
        return;
    fd_close(store->runtime_fd);
    fd_close(store->records_fd);
    fd_close(store->logs_fd);
    fd_close(store->state_fd);
    fd_close(store->lock_fd);
    g_ptr_array_unref(store->quarantined);
    g_free(store);
}

/* ---- instances ------------------------------------------------------------------------------- */

static char *file_name(const Instance *instance)
{
    return g_strconcat(instance->id, SUFFIX, NULL);
}

static bool write_to(int dirfd, const Instance *instance, const char *text, bool durable,
                     GError **error)
{
    g_autofree char *name = file_name(instance);
    int r = write_file_atomic_at(dirfd, name, text, strlen(text), 0600, durable);

    return r == 0 || error_from_errno(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED, r, "storing '%s'",
                                      instance->name);
}

bool store_save(Store *store, Instance *instance, GError **error)
{
    bool persistent = store->state_fd >= 0 && spec_get_uint(instance->spec, SETTING_PERSISTENT);
    g_autofree char *bare = NULL, *text = NULL;

    if (store->runtime_fd < 0)
        return true;
    bare = store_file_write(instance);
    text = store_seal(bare);
    if (persistent && !state_is_active(instance->state) &&
        !write_to(store->state_fd, instance, text, true, error))
        return false;
    /* Most of what is taken back is as it was: a thousand files need not be written for that. */
    if (instance->loaded_sum != 0 && store_sum(text) == instance->loaded_sum)
        return true;
    instance->loaded_sum = 0;
    return write_to(store->runtime_fd, instance, text, false, error);
}

void store_remove(Store *store, const Instance *instance)
{
    g_autofree char *name = file_name(instance);

    /* The synced one first: killed in between, the service finds an instance that is still there,
     * not one that comes back after the next boot. */
    if (store->state_fd >= 0)
        (void)remove_file_at(store->state_fd, name, true);
    crash_point(CRASH_DESTROY_HALF);
    if (store->runtime_fd >= 0)
        (void)remove_file_at(store->runtime_fd, name, false);
    if (store->logs_fd >= 0)
        (void)unlinkat(store->logs_fd, instance->id, 0);
}

static void quarantine(Store *store, int dirfd, const char *name, const char *why)
{
    g_autofree char *bad = g_strconcat(name, ".bad", NULL);

    /* One that was set aside earlier stays. */
    for (unsigned i = 2; faccessat(dirfd, bad, F_OK, AT_SYMLINK_NOFOLLOW) == 0; i++) {
        g_free(bad);
        bad = g_strdup_printf("%s.%u.bad", name, i);
    }
    log_error("store: %s cannot be read and is set aside as %s: %s", name, bad, why);
    if (renameat(dirfd, name, dirfd, bad) < 0)
        log_error("store: renaming %s: %s", name, g_strerror(errno));
    g_ptr_array_insert(store->quarantined, (gint)store->quarantined->len - 1,
                       g_steal_pointer(&bad));
}

static GPtrArray *list_directory(int dirfd, bool hidden, const char *suffix)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *entry;

    if (!directory) {
        fd_close(copy);
        return names;
    }
    while ((entry = readdir(directory)))
        if ((entry->d_name[0] == '.') == hidden && g_str_has_suffix(entry->d_name, suffix))
            g_ptr_array_add(names, g_strdup(entry->d_name));
    closedir(directory);
    return names;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    const char *const *left = a, *const *right = b;

    return strcmp(*left, *right);
}

/* What a crash left of files that were about to be replaced. */
static void remove_halves(int dirfd)
{
    g_autoptr(GPtrArray) names = list_directory(dirfd, true, ".new");

    for (guint i = 0; i < names->len; i++)
        (void)unlinkat(dirfd, g_ptr_array_index(names, i), 0);
}

/* What an earlier service set aside is told until somebody has taken it away. */
static void list_quarantined(Store *store, int dirfd)
{
    g_autoptr(GPtrArray) names = list_directory(dirfd, false, ".bad");

    for (guint i = 0; i < names->len; i++)
        g_ptr_array_insert(store->quarantined, (gint)store->quarantined->len - 1,
                           g_strdup(g_ptr_array_index(names, i)));
}

static Instance *read_instance(int dirfd, const char *name, Controller *controller, GError **error)
{
    g_autofree char *text = NULL;
    struct stat status;

    int r = read_small_file_at(dirfd, name, FILE_SIZE_MAX, &text);
    if (r == 0 && fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        r = -errno;
    if (r < 0) {
        error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s", g_strerror(-r));
        return NULL;
    }
    if (status.st_uid != geteuid()) {
        error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "it belongs to uid %u", status.st_uid);
        return NULL;
    }
    if (!store_seal_holds(text)) {
        error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "it is not as it was written");
        return NULL;
    }
    Instance *instance = store_file_read(controller, text, error);
    g_autofree char *own_name = instance ? file_name(instance) : NULL;
    if (instance && g_str_equal(own_name, name)) {
        instance->loaded_sum = store_sum(text);
        return instance;
    }
    if (!instance)
        return NULL;
    error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "its Id= is another's");
    instance_free(instance);
    return NULL;
}

/* Of one owner two of a name cannot be; the older one stays. */
static bool take_name(GHashTable *taken, const Instance *instance, GError **error)
{
    g_autofree char *whose = g_strdup_printf("%u/%s", instance->owner, instance->name);

    if (g_hash_table_contains(taken, whose))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "its Name= is another's");
    return g_hash_table_add(taken, g_steal_pointer(&whose));
}

/* `taken`: names of files and of instances, which are not alike. */
static void load_directory(Store *store, int dirfd, Controller *controller, GHashTable *taken,
                           GPtrArray *instances)
{
    g_autoptr(GPtrArray) names = list_directory(dirfd, false, SUFFIX);

    remove_halves(dirfd);
    list_quarantined(store, dirfd);
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autoptr(GError) error = NULL;
        if (g_hash_table_contains(taken, name))
            continue;
        Instance *instance = read_instance(dirfd, name, controller, &error);
        if (!instance || !take_name(taken, instance, &error)) {
            quarantine(store, dirfd, name, error->message);
            instance_free(instance);
            continue;
        }
        instance->rebooted = dirfd == store->state_fd;
        if (instance->rebooted)
            instance->loaded_sum = 0;
        g_hash_table_add(taken, g_strdup(name));
        g_ptr_array_add(instances, instance);
    }
}

GPtrArray *store_load(Store *store, Controller *controller)
{
    GPtrArray *instances = g_ptr_array_new();
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    /* What is in the runtime directory is newer, and gone after a reboot. */
    if (store->runtime_fd >= 0)
        load_directory(store, store->runtime_fd, controller, taken, instances);
    if (store->state_fd >= 0)
        load_directory(store, store->state_fd, controller, taken, instances);
    return instances;
}

const char *const *store_quarantined(Store *store)
{
    return (const char *const *)store->quarantined->pdata;
}

/* ---- records --------------------------------------------------------------------------------- */

int store_record_create(Store *store, Instance *instance, GError **error)
{
    g_autofree char *name = instance_launch_id(instance);
    struct Record record = {
        .magic = RECORD_MAGIC,
        .version = RECORD_VERSION,
        .owner = instance->owner,
        .phase = RECORD_MADE,
        .run = instance->run,
    };

    g_strlcpy(record.id, instance->id, sizeof record.id);
    auto_fd fd = record_create(store->records_fd, name, &record, error);
    if (fd < 0)
        return -1;
    if (store->records_fd < 0) {
        fd_close(instance->record_fd);
        instance->record_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (instance->record_fd < 0) {
            error_from_errno(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED, errno, "the record");
            return -1;
        }
    }
    return fd_steal(&fd);
}

int store_record_open(Store *store, const Instance *instance)
{
    g_autofree char *name = instance_launch_id(instance);

    if (store->records_fd >= 0)
        return record_open(store->records_fd, name);
    int fd = fcntl(instance->record_fd, F_DUPFD_CLOEXEC, 3);
    return fd < 0 ? -errno : fd;
}

void store_record_remove(Store *store, Instance *instance)
{
    g_autofree char *name = instance_launch_id(instance);

    instance->record_fd = fd_close(instance->record_fd);
    if (store->records_fd >= 0)
        (void)unlinkat(store->records_fd, name, 0);
}

GPtrArray *store_list_records(Store *store)
{
    return store->records_fd >= 0 ? list_directory(store->records_fd, false, "")
                                  : g_ptr_array_new_with_free_func(g_free);
}

int store_record_open_name(Store *store, const char *name)
{
    return record_open(store->records_fd, name);
}

void store_record_remove_name(Store *store, const char *name)
{
    (void)unlinkat(store->records_fd, name, 0);
}

/* ---- logs ------------------------------------------------------------------------------------ */

int store_log_create(Store *store, Instance *instance, uint64_t window, GError **error)
{
    if (store->logs_fd >= 0)
        return output_log_create(store->logs_fd, instance->id, window, error);
    if (instance->log_fd < 0)
        instance->log_fd = output_log_create(-1, instance->id, window, error);
    if (instance->log_fd < 0)
        return -1;
    int fd = fcntl(instance->log_fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        error_from_errno(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED, errno, "the log");
    return fd;
}

int store_log_open(Store *store, const Instance *instance)
{
    if (store->logs_fd >= 0)
        return output_log_open(store->logs_fd, instance->id);
    if (instance->log_fd < 0)
        return -ENOENT;
    int fd = fcntl(instance->log_fd, F_DUPFD_CLOEXEC, 3);
    return fd < 0 ? -errno : fd;
}

GPtrArray *store_list_logs(Store *store)
{
    return store->logs_fd >= 0 ? list_directory(store->logs_fd, false, "")
                               : g_ptr_array_new_with_free_func(g_free);
}

void store_log_remove_name(Store *store, const char *name)
{
    (void)unlinkat(store->logs_fd, name, 0);
}
