#!/bin/bash
# SPDX-License-Identifier: MIT
# QEMU with vfio-user-pci (10.1 or newer), of Debian's backports, without installing it:
# it runs by the dynamic linker and with the libraries that it was built for.
# usage: qemu.sh ARGUMENT...   run it
#        qemu.sh --folder      have it, and print where; busybox is in there, too
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tests/vm/cache.sh
. ./cache.sh
# shellcheck source=tests/vm/apt.sh
. ./apt.sh
packages=(qemu-system-x86 seabios busybox-static)

# Firmware and modules that no machine of these tests has.
fetch()
{
	apt_extract "QEMU" "$release-backports" "$1" "${packages[@]}" &&
		rm -rf "$1"/usr/share/{doc,man,locale,icons}
}

main()
{
	local version root lib
	apt_use
	version=$(apt_versions "$release-backports" "${packages[0]}")
	root=$cache/qemu-$version
	cache_entry "${root##*/}" fetch
	if [ "${1:-}" = --folder ]; then
		echo "$root"
		return
	fi
	lib=$root/usr/lib/x86_64-linux-gnu
	export QEMU_MODULE_DIR=$lib/qemu
	exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib:$lib/pulseaudio" \
		"$root/usr/bin/qemu-system-x86_64" \
		-L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
}

main "$@"
