/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What survives the service: an instance's file in the runtime directory, written at every change
 * of state (atomically, not synced: it need not outlive the machine), and for persistent ones a
 * second in the state directory, synced, written when it is made and when a run has ended. Beside
 * them the records of the runs. A service without directories keeps nothing. */

#include "core/instance.h"
#include "isolation/output-log.h"
#include "isolation/record.h"

typedef struct Store Store;

/* Makes the directories (0700) and takes the lock of the realm; ACCESS_DENIED naming the holder if
 * another service has it. */
Store *store_new(const char *runtime_dir, const char *state_dir, GError **error);
void store_free(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)

bool store_save(Store *store, Instance *instance, GError **error);
void store_remove(Store *store, const Instance *instance);

/* Every instance that can be read, newly made and in no registry, in the state it was stored in;
 * what cannot be read, or is not as it was written, is set aside as NAME.bad. GPtrArray of
 * Instance, the caller's. */
GPtrArray *store_load(Store *store, Controller *controller);

/* All that is set aside, NULL-terminated, also by earlier services. */
const char *const *store_quarantined(Store *store);

/* The record of the instance's current run. Create: the fd is the caller's (in memory the instance
 * keeps a copy). Open: -errno. */
int store_record_create(Store *store, Instance *instance, GError **error);
int store_record_open(Store *store, const Instance *instance);
void store_record_remove(Store *store, Instance *instance);

/* Names of all records, "<id>_<run>"; for those that no instance claims. */
GPtrArray *store_list_records(Store *store);
int store_record_open_name(Store *store, const char *name);
void store_record_remove_name(Store *store, const char *name);

/* What the instance wrote where there is no journal: one log for all its runs, which goes when it
 * goes. Create: opens it, or makes it with this window; -1 and an error. Open: -ENOENT if there is
 * none, -errno. The fds are the caller's. */
int store_log_create(Store *store, Instance *instance, uint64_t window, GError **error);
int store_log_open(Store *store, const Instance *instance);

/* The names of all logs, which are ids. */
GPtrArray *store_list_logs(Store *store);
void store_log_remove_name(Store *store, const char *name);
