/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Questions to polkit: may this client of the system bus do this? Asked without waiting, with a
 * deadline, and taken back when nobody wants to know any more. */

#include <stdbool.h>

#include <glib.h>

#include "util/sdbus.h"

typedef struct PolkitQuestion PolkitQuestion;

typedef enum PolkitAnswer {
    POLKIT_YES,
    POLKIT_NO,
    POLKIT_CHALLENGE,   /* only after somebody has authenticated, and nobody was asked to */
    POLKIT_DISMISSED,   /* somebody was asked to, and did not */
    POLKIT_UNAVAILABLE, /* anything else: absent, masked, hung, crashed, or not making sense */
} PolkitAnswer;

/* The reason (of UNAVAILABLE) is for people, and valid until the callback returns. */
typedef void (*PolkitCallback)(PolkitAnswer answer, const char *reason, void *userdata);

/* The subject is the client's unique name, which the bus never gives out twice: a pid could be
 * somebody else's by now. Details: NULL-terminated, key, value, key, value. Interactive: somebody
 * may be asked for a password, which takes its time. The callback comes once, never from inside,
 * unless the question is taken back. -errno if it cannot be asked. */
int polkit_ask(sd_bus *bus, const char *subject, const char *action, const char *const *details,
               bool interactive, PolkitCallback callback, void *userdata, PolkitQuestion **ret);

/* Takes it back: polkit is told, and a dialog that asks for a password goes away. NULL is fine. */
void polkit_forget(PolkitQuestion *question);
