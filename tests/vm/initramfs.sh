#!/bin/bash
# SPDX-License-Identifier: MIT
# The virtual machine's only file system, in its memory: busybox, what the kernel needs of
# its modules, the suites, and FILEs: modules of the kernel, programs with the libraries
# they are linked to (in /bin), anything else (in /data).
# usage: initramfs.sh 6.12|7.3|debug OUT FILE...
set -euo pipefail
here=$(realpath "$(dirname "$0")")

# What module, suites and their counterparts may want; drivers by whose modules the
# kernel itself can do without are left where they are built in.
kernel_modules=(drm_shmem_helper gpu-sched vgem udmabuf vfio-pci vfio_iommu_type1
	aer_inject)

copy_programs()
{
	local root=$1 library
	shift
	cp -L "$@" "$root/bin/"
	for library in $(ldd "$@" 2>/dev/null | grep -o '/[^ :]*[^: ]' | sort -u); do
		case $library in
		*.so*) cp -Ln "$library" "$root/lib/" ;;
		esac
	done
	cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
}

# Uncompressed, for the machine's little modprobe.
copy_kernel_module()
{
	local root=$1 tree=$2 file=$3 target
	target=$root/${file#"$tree"/}
	mkdir -p "${target%/*}"
	case $file in
	*.xz) xz -dc "$file" >"${target%.xz}" ;;
	*.zst) zstd -qdc "$file" >"${target%.zst}" ;;
	*) cp "$file" "$target" ;;
	esac
}

# modules_of TREE RELEASE NAME...: their files, with those of what they need.
modules_of()
{
	local tree=$1 release=$2 name
	shift 2
	for name in "$@"; do
		modprobe -d "$tree" -S "$release" --show-depends "$name" 2>/dev/null |
			awk '$1 == "insmod" { print $2 }' || true
	done | sort -u
}

copy_modules()
{
	local root=$1 kernel_folder=$2 tree=$2/modules release file extra
	shift 2
	release=$(cat "$kernel_folder/release")
	extra=$root/lib/modules/$release/updates
	mkdir -p "$extra"
	mapfile -t needed < <(for file in "$@"; do
		modinfo -F depends "$file" | tr , '\n'
	done)
	while read -r file; do
		copy_kernel_module "$root" "$tree" "$file"
	done < <(modules_of "$tree" "$release" "${kernel_modules[@]}" "${needed[@]}")
	cp "$tree/lib/modules/$release"/modules.{order,builtin*} "$root/lib/modules/$release/"
	for file in "$@"; do
		strip --strip-debug -o "$extra/${file##*/}" "$file"
	done
	depmod -b "$root" "$release"
}

copy_suites()
{
	cp -r "$here/suites" "$1/"
	cp "$here/guest.sh" "$1/suites/guest"
	cp "$here/shell" "$1/suites/"
	cp "$here/init" "$1/init"
	chmod +x "$1/init"
}

main()
{
	local kernel_folder out=$2 root=$2.root busybox file modules=() programs=() data=()
	kernel_folder=$("$here/kernel.sh" "$1")
	busybox=$("$here/qemu.sh" --folder)/usr/bin/busybox
	shift 2
	for file in "$@"; do
		case $file in
		*.ko) modules+=("$file") ;;
		*) if [ -x "$file" ]; then programs+=("$file"); else data+=("$file"); fi ;;
		esac
	done
	rm -rf "$root"
	mkdir -p "$root"/{bin,lib,lib64,data,dev}
	cp "$busybox" "$root/bin/"
	copy_suites "$root"
	copy_modules "$root" "$kernel_folder" "${modules[@]}"
	[ ${#programs[@]} -eq 0 ] || copy_programs "$root" "${programs[@]}"
	[ ${#data[@]} -eq 0 ] || cp "${data[@]}" "$root/data/"
	(cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null) >"$out"
	rm -rf "$root"
}

PATH=$PATH:/usr/sbin:/sbin
main "$@"
