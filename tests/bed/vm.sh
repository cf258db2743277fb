# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The VM bed: Debian's kernel in a software-emulated machine of two processors.

check_vm() {
    ((EUID == 0)) || skip "not root"
    [[ $(uname -m) == x86_64 ]] || skip "the VM bed knows x86_64 only"
    need qemu-system-x86_64 busybox cpio mke2fs depmod modprobe unshare setpriv perl
}

# The kernel takes several archives in a row as one initrd, each beginning at a multiple of four bytes.
write_initrd() {
    cp "$cache/$key/vm/initrd" "$run/initrd"
    truncate --size=%4 "$run/initrd"
    (cd "$run" && find payload | cpio --quiet -o -H newc) >>"$run/initrd"
}

# The first serial port is the console, the second the script's output. Always emulated: /dev/kvm may exist and fail,
# and timing in this bed means nothing either way.
boot_vm() {
    write_initrd
    exec_detached qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 \
        -nodefaults -no-reboot -display none -kernel "$cache/$key/vm/kernel" -initrd "$run/initrd" \
        -append "console=ttyS0 quiet panic=-1 psi=1 systemd.unified_cgroup_hierarchy=1 systemd.show_status=0" \
        -drive "file=$cache/$key/vm/disk,if=virtio,format=raw,readonly=on" \
        -serial "file:$run/vm-console" -serial "file:$run/output" </dev/null
}

stop_vm() { :; } # killing qemu is all

explain_vm() {
    tail -qn 30 "$run/console" "$run/vm-console" || true
}
