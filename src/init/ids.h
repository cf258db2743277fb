/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The calls with 32-bit ids, where the plain names are those with 16. Raw, since a libc tells all
 * threads, by signal, and some of our processes share memory. */

#include <sys/syscall.h>

#ifdef SYS_setresuid32
#define SYS_SETFSUID  SYS_setfsuid32
#define SYS_SETFSGID  SYS_setfsgid32
#define SYS_SETGROUPS SYS_setgroups32
#define SYS_GETGROUPS SYS_getgroups32
#define SYS_SETRESGID SYS_setresgid32
#define SYS_GETRESGID SYS_getresgid32
#define SYS_SETRESUID SYS_setresuid32
#define SYS_GETRESUID SYS_getresuid32
#else
#define SYS_SETFSUID  SYS_setfsuid
#define SYS_SETFSGID  SYS_setfsgid
#define SYS_SETGROUPS SYS_setgroups
#define SYS_GETGROUPS SYS_getgroups
#define SYS_SETRESGID SYS_setresgid
#define SYS_GETRESGID SYS_getresgid
#define SYS_SETRESUID SYS_setresuid
#define SYS_GETRESUID SYS_getresuid
#endif
