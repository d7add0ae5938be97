#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Build the module for the kernel whose build folder is given; run by DKMS.
#
# A module that does not build fails the installation of the kernel, and leaves the package
# manager with half-installed packages: an accelerator is not worth that. On such a kernel a
# placeholder is built, which cannot be loaded and says why.
# usage: build.sh KERNEL_BUILD_FOLDER
set -u
driver=$(cd "$(dirname "$0")/.." && pwd)
build=$1
log=$driver/spmm-build.log

if make -C "$build" M="$driver" modules >"$log" 2>&1 &&
	[ -f "$driver/spmm.ko" ]; then
	cat "$log"
	exit 0
fi
cat "$log"
echo "spmm: this kernel is not one that the module builds for: see above, and $log." >&2
echo "spmm: it needs 6.12 or newer with CONFIG_DRM_ACCEL; a placeholder is installed." >&2
make -C "$build" M="$driver/dkms/placeholder" modules &&
	cp "$driver/dkms/placeholder/spmm.ko" "$driver/spmm.ko"
