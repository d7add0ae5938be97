#!/bin/bash
# SPDX-License-Identifier: MIT
# A kernel for the virtual machine: Debian's newest of that version, or the debug kernel.
# usage: kernel.sh 6.12|7.3|debug
# Prints a folder, with
#   release   the kernel's `uname -r`
#   boot      what QEMU's -kernel takes
#   modules/  lib/modules/RELEASE, as depmod -b and modprobe -d take it
#   build     for `make -C`, inside the build root
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tests/vm/cache.sh
. ./cache.sh
# shellcheck source=tests/vm/apt.sh
. ./apt.sh

# Later kernels come in parts.
image_packages()
{
	local name=$1 parts=()
	mapfile -t parts < <(apt-cache pkgnames |
		grep -Fx -e "linux-binary-$name" -e "linux-modules-$name" \
			-e "linux-base-$name")
	[ ${#parts[@]} -gt 0 ] || parts=("linux-image-$name")
	echo "${parts[@]}"
}

# PVH boots an ELF file, sooner than the same kernel compressed. It is in there as a
# zstd frame, behind the loader; the frame's magic may be in the loader by chance, too.
extract_elf()
{
	local image=$1 elf=$2 offset
	while read -r offset; do
		# What follows the frame makes zstd complain at its end.
		tail -c "+$((offset + 1))" "$image" |
			zstd -q -d -c >"$elf" 2>/dev/null || true
		[ "$(head -c 4 "$elf" | tail -c 3)" != ELF ] || return 0
	done < <(LC_ALL=C grep -aobP '\x28\xb5\x2f\xfd' "$image" | cut -d: -f1)
	echo "$image: no kernel compressed with zstd in it" >&2
	return 1
}

find_image()
{
	find "$1/boot" "$1/usr/lib/modules" -name 'vmlinuz*' 2>/dev/null | head -n 1
}

# Without the symbols for BPF's type information, which the module has no use for.
fetch_headers()
{
	local folder=$1 final=$2 name=$3 packages=("${@:4}")
	apt_extract_only "the kernel's headers" "$folder/headers" "${packages[@]}" &&
		rm -f "$folder/headers/usr/src/linux-headers-$name/vmlinux" &&
		sed -i "s,/usr/src/,$final/headers/usr/src/,g" \
			"$folder/headers/usr/src/linux-headers-$name/Makefile" &&
		ln -s "headers/usr/src/linux-headers-$name" "$folder/build"
}

# Only what a machine of these tests may need of the modules is kept.
keep_modules()
{
	local tree=$1 release=$2 unused
	for unused in sound net drivers/{net,media,infiniband,scsi,staging,iio,bluetooth} \
		fs/{btrfs,xfs,ocfs2,ceph,smb,nfs,nfsd} drivers/gpu/drm/{amd,i915,nouveau,radeon,xe}; do
		rm -rf "$tree/lib/modules/$release/kernel/$unused"
	done
	rm -f "$tree/lib/modules/$release"/{vmlinuz,System.map,build,source}
	depmod -b "$tree" "$release"
}

# fetch NAME FOLDER
fetch()
{
	local name=$1 folder=$2 final=${2%.new} images
	read -r -a images <<<"$(image_packages "$name")"
	echo "$name" >"$folder/release"
	apt_extract_only "Linux $name" "$folder/image" "${images[@]}" &&
		extract_elf "$(find_image "$folder/image")" "$folder/boot" &&
		mkdir -p "$folder/modules/lib" &&
		mv "$folder/image/usr/lib/modules" "$folder/modules/lib/" &&
		rm -r "$folder/image" &&
		keep_modules "$folder/modules" "$name" &&
		fetch_headers "$folder" "$final" "$name" "linux-headers-$name" \
			"linux-headers-${name%-amd64}-common" "linux-kbuild-${name%-amd64}"
}

main()
{
	local wanted=$1 package name version
	[ "$wanted" != debug ] || exec ./kernel_debug.sh
	apt_use
	package=$(apt_newest "linux-image-${wanted//./\\.}\.[0-9.]+\+deb[0-9]+-amd64")
	[ -n "$package" ] || fail "Debian $release and its backports have no Linux $wanted"
	name=${package#linux-image-}
	version=$(apt_versions "$release" "$package")
	cache_entry "linux-$name-$version" fetch "$name"
	echo "$cache/linux-$name-$version"
}

[ $# -eq 1 ] || fail "usage: kernel.sh 6.12|7.3|debug"
PATH=$PATH:/usr/sbin:/sbin
main "$1"
