# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the VM bed boots from, made once and cached beside the container's root:
#   vm/kernel   Debian's kernel for virtual machines: small, and it has the cgroup controllers the host may lack
#   vm/initrd   busybox, a few modules and guest/vm-init; a run appends its payload
#   vm/disk     the container's root and the kernel's modules as an ext4 image, never written to

# In this order: each may need the one before it. What they depend on is looked up.
initrd_modules=(virtio_pci virtio_blk ext4 overlay)

make_vm() {
    local new=$1 unpacked=$1/unpacked release
    say "making the disk of the VM bed, once: about half a minute"
    fetch_kernel "$new/fetched"
    dpkg -x "$new"/fetched/linux-image-*.deb "$unpacked"
    # The root has /lib as a symbolic link to /usr/lib.
    mkdir -p "$unpacked/usr/lib" "$new/vm"
    mv "$unpacked/lib/modules" "$unpacked/usr/lib/"
    rm -r "${unpacked:?}/lib"
    ln -s usr/lib "$unpacked/lib"
    release=$(ls "$unpacked/lib/modules")
    depmod --basedir "$unpacked" "$release"
    mv "$unpacked/boot/vmlinuz-$release" "$new/vm/kernel"
    make_initrd "$new/initrd" "$unpacked" "$release" >"$new/vm/initrd"
    rm -r "${unpacked:?}/boot" "${unpacked:?}/lib"
    make_disk "$unpacked" "$new/vm/disk"
}

# Downloaded with an apt of the beds' suite, whatever release the machine itself is of. The package that is named
# here is empty: the kernel is what it depends on.
fetch_kernel() {
    # shellcheck disable=SC2016
    bootstrap "$1" --variant=custom --customize-hook='
        export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" && cd "$1" &&
        apt-get download "$(apt-cache depends linux-image-cloud-amd64 | sed -n "s/ *Depends: //p" | head -n 1)"'
}

# make_initrd TREE UNPACKED RELEASE: the archive, on standard output.
make_initrd() {
    local tree=$1 unpacked=$2 release=$3 module insmod path
    mkdir -p "$tree"/{bin,dev,proc,base,over,root,modules,payload}
    cp "$(command -v busybox)" "$tree/bin/busybox"
    install -m 755 "$here/guest/vm-init" "$tree/init"
    for module in "${initrd_modules[@]}"; do
        # Prints "insmod PATH" or, for what is built in, "builtin NAME".
        modprobe --dirname "$unpacked" --set-version "$release" --show-depends "$module"
    done | while read -r insmod path _; do
        [[ $insmod == insmod && ! -e $tree/modules/${path##*/} ]] || continue
        cp "$path" "$tree/modules"
        echo "/modules/${path##*/}" >>"$tree/modules/order"
    done
    (cd "$tree" && find . | cpio --quiet -o -H newc | gzip -9)
}

# make_disk MODULES IMAGE: both trees laid over each other for as long as mke2fs copies them. No journal and
# little room: the image is only ever read.
make_disk() {
    local modules=$1 image=$2 root=$cache/$key/root at=$2.mounted size
    size=$(du -cskx "$root" "$modules" | awk 'END { printf "%dK", $1 * 1.15 + 65536 }')
    mkdir "$at"
    truncate --size="$size" "$image" # or mke2fs says that it makes one
    # shellcheck disable=SC2016
    run_apart bash -euc '
        mount -t overlay -o "lowerdir=$1:$2,ro" bed "$3"
        mke2fs -q -t ext4 -O ^has_journal -i 8192 -m 0 -d "$3" "$4"' - "$modules" "$root" "$at" "$image"
    rmdir "$at"
}
