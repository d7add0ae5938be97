#!/bin/bash
# SPDX-License-Identifier: MIT
# Build the kernel module out of a copy of driver/ and uapi/: FOLDER/spmm.ko, and
# spmm_test.ko where the kernel has KUnit.
# usage: module.sh 6.12|7.3|debug FOLDER [MAKE-ARGUMENT...]    e.g. W=1 C=2 LLVM=1
set -euo pipefail
here=$(realpath "$(dirname "$0")")
tree=$(realpath "$here/../..")

[ $# -ge 2 ] || {
	echo "usage: $0 6.12|7.3|debug FOLDER [MAKE-ARGUMENT...]" >&2
	exit 2
}
kernel=$1
folder=$2
shift 2

kernel_folder=$("$here/kernel.sh" "$kernel")
mkdir -p "$folder"
for room in driver uapi; do
	rm -rf "${folder:?}/$room"
	cp -r "$tree/$room" "$folder/"
done
# Messages name files as the tree does.
"$here/buildroot.sh" "$folder" make -s -j "$(nproc)" -C "$kernel_folder/build" \
	M=/build/driver "$@" modules 2>&1 | sed 's,/build/driver/,driver/,g'
cp "$folder"/driver/*.ko "$folder/"
