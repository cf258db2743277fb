/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a process ended that is not our child, from the kernel itself (Linux 6.15 and later): it
 * keeps that with every pidfd that was opened while the process lived. */

/* A CLD_… code and what goes with it, as in siginfo_t. -ENODATA as long as it lives or its parent
 * has not taken note of its end: then the pidfd reports EPOLLHUP when there is something to be
 * read. -EOPNOTSUPP where the kernel does not keep it, and for what is no pidfd. */
int pidfd_exit_status(int pidfd, int *ret_cld_code, int *ret_cld_status);
