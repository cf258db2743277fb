/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ways out through the kernel: the parts of it that services do not need and that have let
 * attackers in before, and what administers the machine. */

#include "escape.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_alg.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* ---- namespaces ------------------------------------------------------------------------------ */

static int make_a_user_namespace(void)
{
    return refused_by(unshare(CLONE_NEWUSER));
}

static int make_a_user_namespace_with_high_bits(void)
{
    return refused_by(syscall(SYS_unshare, (uint64_t)CLONE_NEWUSER | UINT64_C(1) << 32));
}

static int make_a_mount_namespace(void)
{
    return refused_by(unshare(CLONE_NEWNS));
}

static int make_a_network(void)
{
    return refused_by(unshare(CLONE_NEWNET));
}

static int clone_with(uint64_t flags)
{
    long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

    if (child == 0)
        _exit(0);
    return refused_by(child);
}

static int clone_into_a_user_namespace(void)
{
    return clone_with(CLONE_NEWUSER);
}

static int clone_into_a_pid_namespace(void)
{
    return clone_with(CLONE_NEWPID);
}

static int clone3_into_a_user_namespace(void)
{
    uint64_t arguments[8] = { CLONE_NEWUSER, 0, 0, 0, SIGCHLD };
    long child = syscall(435, arguments, sizeof arguments);

    if (child == 0)
        _exit(0);
    return refused_by(child);
}

static int enter_a_namespace(void)
{
    return refused_by(setns(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), CLONE_NEWNET));
}

/* ---- code in the kernel ---------------------------------------------------------------------- */

static int load_a_bpf_program(void)
{
    /* return 0 */
    const uint64_t program[] = { 0x00000000000000b7, 0x0000000000000095 };
    struct {
        uint32_t type, count;
        uint64_t program, license;
        uint32_t log_level, log_size;
        uint64_t log;
        uint32_t version, flags;
    } attributes = { 1, 2, (uintptr_t)program, (uintptr_t) "GPL", 0, 0, 0, 0, 0 };

    return refused_by(syscall(SYS_bpf, 5, &attributes, sizeof attributes));
}

static int measure_others(void)
{
    struct perf_event_attr attributes = { .type = PERF_TYPE_SOFTWARE,
                                          .size = sizeof attributes,
                                          .config = PERF_COUNT_SW_CPU_CLOCK };

    return refused_by(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0));
}

static int make_a_uring(void)
{
    char parameters[120] = { 0 };

    return refused_by(syscall(SYS_io_uring_setup, 1, parameters));
}

static int handle_page_faults(void)
{
    return refused_by(syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int gift_pages_to_a_pipe(void)
{
    static char page[4096];
    struct iovec part = { page, sizeof page };
    int pair[2];

    return pipe(pair) < 0 ? errno : refused_by(vmsplice(pair[1], &part, 1, 0));
}

static int load_a_module(void)
{
    return refused_before_looking(syscall(SYS_finit_module, -1, "", 0));
}

static int unload_a_module(void)
{
    return refused_before_looking(syscall(SYS_delete_module, "no_such_module", O_NONBLOCK));
}

static int load_another_kernel(void)
{
    return refused_before_looking(syscall(SYS_kexec_load, 0, 0, 0, ~0UL));
}

static int watch_all_files(void)
{
    return refused_by(syscall(SYS_fanotify_init, 4 /* FAN_CLASS_CONTENT */, O_RDONLY));
}

/* ---- keys ------------------------------------------------------------------------------------ */

static int add_a_key(void)
{
    return refused_by(syscall(SYS_add_key, "user", "escape", "x", 1, -2 /* process keyring */));
}

static int request_a_key(void)
{
    /* ENOKEY: it was looked for. */
    long key = syscall(SYS_request_key, "user", "escape", NULL, 0);

    return key < 0 && errno != ENOKEY ? errno : 0;
}

static int join_a_keyring(void)
{
    return refused_by(syscall(SYS_keyctl, 1, "escape"));
}

/* ---- the machine ----------------------------------------------------------------------------- */

static int reboot_it(void)
{
    return refused_before_looking(syscall(SYS_reboot, 0, 0, 0, NULL)); /* not the magic numbers */
}

static int swap_on(void)
{
    return refused_before_looking(syscall(SYS_swapon, "/no/such/file", 0));
}

static int keep_accounts(void)
{
    return refused_before_looking(syscall(SYS_acct, "/no/such/file"));
}

/* To what it is: nobody sees it. */
static int set_the_clock(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return refused_by(syscall(SYS_clock_settime, CLOCK_REALTIME, &now));
}

static int set_quotas(void)
{
    return refused_before_looking(syscall(SYS_quotactl, -1, "/no/such/device", 0, NULL));
}

static int read_the_log_of_the_kernel(void)
{
    char text[16];

    return refused_by(klogctl(3, text, sizeof text));
}

static int reach_ports(void)
{
#ifdef SYS_iopl
    return refused_by(syscall(SYS_iopl, 3));
#else
    return ENOSYS;
#endif
}

/* ---- sockets --------------------------------------------------------------------------------- */

static int socket_of(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);

    if (fd < 0)
        return errno;
    (void)close(fd);
    return 0;
}

static int use_kernel_crypto(void)
{
    return socket_of(AF_ALG, SOCK_SEQPACKET, 0);
}

static int use_kernel_crypto_with_high_bits(void)
{
    return refused_by(syscall(SYS_socket, UINT64_C(1) << 32 | AF_ALG, SOCK_SEQPACKET, 0));
}

static int talk_to_the_hypervisor(void)
{
    return socket_of(40, SOCK_STREAM, 0); /* AF_VSOCK */
}

static int send_frames(void)
{
    return socket_of(AF_PACKET, SOCK_RAW, 0);
}

static int send_raw_packets(void)
{
    return socket_of(AF_INET, SOCK_RAW, 1);
}

static int ask_netfilter(void)
{
    return socket_of(AF_NETLINK, SOCK_RAW, 12);
}

static int hear_of_devices(void)
{
    return socket_of(AF_NETLINK, SOCK_RAW, 15);
}

static int change_an_interface(void)
{
    struct ifreq request = { .ifr_name = "lo" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return errno;
    return refused_by(ioctl(fd, SIOCSIFFLAGS, &request)); /* to what they are */
}

/* ---- terminals and other ABIs ---------------------------------------------------------------- */

static int type_into_a_terminal(unsigned long request)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
    const char *name;

    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || !(name = ptsname(master)))
        return errno;
    (void)setsid();
    slave = open(name, O_RDWR | O_CLOEXEC);
    if (slave < 0)
        return errno;
    return refused_by(syscall(SYS_ioctl, slave, request, "x"));
}

static int push_input(void)
{
    return type_into_a_terminal(TIOCSTI);
}

static int push_input_with_high_bits(void)
{
    return type_into_a_terminal(TIOCSTI | 1UL << 32);
}

static int paste_a_selection(void)
{
    return type_into_a_terminal(TIOCLINUX);
}

static int switch_off_address_randomization(void)
{
    return refused_by(personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC));
}

/* A filter that looks at the numbers of one ABI only does not see this. */
static int call_as_i386(void)
{
#ifdef __x86_64__
    long result = 20; /* getpid */

    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return result > 0 ? 0 : (int)-result;
#else
    return ENOSYS;
#endif
}

static int call_as_x32(void)
{
#ifdef __x86_64__
    return refused_by(syscall(0x40000000 | SYS_getpid));
#else
    return ENOSYS;
#endif
}

const Probe kernel_probes[] = {
    { "make-a-user-namespace", make_a_user_namespace, BY_ROOT, NULL },
    { "make-a-user-namespace-with-high-bits", make_a_user_namespace_with_high_bits, UNPROVEN,
      "the kernel refuses flags that it does not know: it must not be the only one to" },
    { "make-a-mount-namespace", make_a_mount_namespace, BY_ROOT, NULL },
    { "make-a-network", make_a_network, BY_ROOT, NULL },
    { "clone-into-a-user-namespace", clone_into_a_user_namespace, BY_ROOT, NULL },
    { "clone-into-a-pid-namespace", clone_into_a_pid_namespace, BY_ROOT, NULL },
    { "clone3-into-a-user-namespace", clone3_into_a_user_namespace, BY_ROOT, NULL },
    { "enter-a-namespace", enter_a_namespace, BY_ROOT, NULL },
    { "load-a-bpf-program", load_a_bpf_program, BY_ROOT, NULL },
    { "measure-others", measure_others, BY_ROOT_VM, NULL },
    { "make-a-uring", make_a_uring, BY_ROOT, NULL },
    { "handle-page-faults", handle_page_faults, BY_ROOT, NULL },
    { "gift-pages-to-a-pipe", gift_pages_to_a_pipe, BY_ROOT, NULL },
    { "load-a-module", load_a_module, BY_ROOT_VM, NULL },
    { "unload-a-module", unload_a_module, BY_ROOT_VM, NULL },
    { "load-another-kernel", load_another_kernel, BY_ROOT_VM, NULL },
    { "watch-all-files", watch_all_files, BY_ROOT, NULL },
    { "add-a-key", add_a_key, BY_ROOT, NULL },
    { "request-a-key", request_a_key, BY_ROOT, NULL },
    { "join-a-keyring", join_a_keyring, BY_ROOT, NULL },
    { "reboot-it", reboot_it, BY_ROOT, NULL },
    { "swap-on", swap_on, BY_ROOT, NULL },
    { "keep-accounts", keep_accounts, BY_ROOT, NULL },
    { "set-the-clock", set_the_clock, BY_ROOT_VM, NULL },
    { "set-quotas", set_quotas, BY_ROOT, NULL },
    { "read-the-log-of-the-kernel", read_the_log_of_the_kernel, BY_ROOT_VM, NULL },
    { "reach-ports", reach_ports, BY_ROOT_VM, NULL },
    { "use-kernel-crypto", use_kernel_crypto, BY_ROOT_VM, NULL },
    { "use-kernel-crypto-with-high-bits", use_kernel_crypto_with_high_bits, BY_ROOT_VM, NULL },
    { "talk-to-the-hypervisor", talk_to_the_hypervisor, BY_ROOT, NULL },
    { "send-frames", send_frames, BY_ROOT, NULL },
    { "send-raw-packets", send_raw_packets, BY_ROOT, NULL },
    { "ask-netfilter", ask_netfilter, BY_ROOT, NULL },
    { "hear-of-devices", hear_of_devices, BY_ROOT, NULL },
    { "change-an-interface", change_an_interface, BY_ROOT, NULL },
    { "push-input", push_input, BY_ROOT, NULL },
    { "push-input-with-high-bits", push_input_with_high_bits, BY_ROOT, NULL },
    { "paste-a-selection", paste_a_selection, UNPROVEN, "it takes a console, which no bed has" },
    { "switch-off-address-randomization", switch_off_address_randomization, BY_ROOT, NULL },
    { "call-as-i386", call_as_i386, BY_ROOT, NULL },
    { "call-as-x32", call_as_x32, UNPROVEN, "few kernels are built with it" },
    { NULL, NULL, UNPROVEN, NULL },
};
