#!/bin/bash
# SPDX-License-Identifier: MIT
# Build the kernel module out of a copy of driver/ and uapi/: FOLDER/spmm.ko, and
# spmm_test.ko where the kernel has KUnit. What FOLDER has already is not built again.
# usage: module.sh 6.12|7.3|debug FOLDER [MAKE-ARGUMENT...]    e.g. W=1 C=2 LLVM=1
set -euo pipefail
here=$(realpath "$(dirname "$0")")
tree=$(realpath "$here/../..")

# With the times of the originals, for make; without what is no longer in the tree.
copy_sources()
{
	local room file
	for room in driver uapi; do
		mkdir -p "$folder/$room"
		cp -rpu "$tree/$room/." "$folder/$room/"
	done
	while read -r file; do
		[ -e "$tree/$file" ] || rm "$folder/$file"
	done < <(cd "$folder" && find driver uapi -name '*.[ch]' ! -name '*.mod.c' \
		! -name compat_config.h)
}

build()
{
	local kernel_folder
	kernel_folder=$("$here/kernel.sh" "$1")
	copy_sources
	rm -f "$folder"/*.ko
	# Messages name files as the tree does.
	"$here/buildroot.sh" "$folder" make -s -j "$(nproc)" \
		-C "$kernel_folder/build" M=/build/driver "${@:2}" modules 2>&1 |
		sed '/^Skipping BTF generation/d; s,/build/driver/,driver/,g'
	find "$folder/driver" -name '*.ko' -exec cp {} "$folder/" \;
}

[ $# -ge 2 ] || {
	echo "usage: $0 6.12|7.3|debug FOLDER [MAKE-ARGUMENT...]" >&2
	exit 2
}
mkdir -p "$2"
folder=$(realpath "$2")
exec 8>"$folder/lock"
flock 8
build "$1" "${@:3}"
