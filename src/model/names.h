/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names and ids of instances. */

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define INSTANCE_ID_LENGTH 14 /* 'i' and 13 characters of lower-case base32 */
#define INSTANCE_NAME_MAX  64

/* [A-Za-z0-9][A-Za-z0-9_.-]{0,63}, and not of an id's shape. INVALID_ARGS says what is wrong. */
bool name_is_valid(const char *name, GError **error);
bool id_is_valid(const char *id);

/* Ids sort by creation: 44 bits of milliseconds since the epoch, then 21 bits to tell apart. The
 * caller gives both (this layer has no clock) and passes the last id made, or NULL: the result is
 * always greater. */
void id_make(uint64_t realtime_usec, uint32_t random, const char *last,
             char ret_id[static INSTANCE_ID_LENGTH + 1]);

/* An instance as a caller names it: "i…" an id, "NAME" one of the caller's own, "USER/NAME" one of
 * another's (user name or uid, kept as text: looking it up is not for this layer). */
typedef enum ReferenceKind { REFERENCE_ID, REFERENCE_OWN, REFERENCE_FOREIGN } ReferenceKind;
typedef struct Reference {
    ReferenceKind kind;
    char *user; /* REFERENCE_FOREIGN */
    char *name; /* or the id */
} Reference;

bool reference_parse(const char *text, Reference *ret, GError **error);
void reference_done(Reference *reference);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reference, reference_done)
