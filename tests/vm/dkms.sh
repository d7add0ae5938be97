#!/bin/bash
# SPDX-License-Identifier: MIT
# What `make install-dkms` installs, built by DKMS itself: for Debian's 6.12 there is a
# module for the device in the end; for its cloud kernel, which has no DRM, a placeholder,
# and DKMS has not failed. Prints what is wrong, and nothing else; what has to be downloaded
# for that is announced, and is by itself the work of `dkms.sh fetch`.
# usage: dkms.sh [fetch]
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
vm=tests/vm
# shellcheck source=tests/vm/cache.sh
. $vm/cache.sh
# shellcheck source=tests/vm/apt.sh
. $vm/apt.sh
work=build/vm/dkms

fetch_dkms()
{
	apt_extract_only "DKMS" "$1" dkms
}

# fetch_cloud NAME HEADERS FOLDER: what they share with others' is in HEADERS.
fetch_cloud()
{
	local name=$1 headers=$2 folder=$3
	apt_extract_only "headers of a cloud kernel" "$folder" "linux-headers-$name" &&
		sed -i "s,/usr/src/,$headers/usr/src/,g" \
			"$folder/usr/src/linux-headers-$name/Makefile" &&
		ln -s "$headers"/usr/lib/linux-kbuild-* "$folder/usr/lib/" &&
		ln -s "usr/src/linux-headers-$name" "$folder/build"
}

# All that comes from elsewhere.
fetch()
{
	folder=$($vm/kernel.sh 6.12) || return
	kernel=$(cat "$folder/release")
	cloud=${kernel%-amd64}-cloud-amd64
	dkms=dkms-$(apt_versions "$release" dkms)
	cache_entry "$dkms" fetch_dkms &&
		cache_entry "${folder##*/}-cloud" fetch_cloud "$cloud" "$folder/headers"
}

# A package of DKMS', and DKMS, where the build root sees them.
prepare()
{
	rm -rf "$work" && mkdir -p "$work/tree" || return
	make -s install-dkms DESTDIR="$work" && version=$(ls "$work/usr/src") || return
	version=${version#spmm-}
	cp -r "$cache/$dkms/." "$work/"
}

# dkms_build KERNEL HEADERS: the module is in $work/KERNEL.ko.
dkms_build()
{
	local module
	$vm/buildroot.sh "$work" usr/sbin/dkms build --dkmstree /build/tree \
		--sourcetree /build/usr/src --no-depmod -m spmm -v "$version" -k "$1" -a x86_64 \
		--kernelsourcedir "$2" >"$work/log" 2>&1 || {
		echo "dkms build for $1 fails:"
		cat "$work/log"
		return 1
	}
	for module in "$work/tree/spmm/$version/$1"/x86_64/module/spmm.ko*; do
		case $module in
		*.xz) xz -dc "$module" ;;
		*.zst) zstd -qdc "$module" ;;
		*) cat "$module" ;;
		esac >"$work/$1.ko"
	done
}

# Whether the module drives the device.
has_device()
{
	modinfo -F alias "$work/$1.ko" | grep -q '^pci:v00001DE5'
}

check()
{
	dkms_build "$kernel" "$folder/build" || return
	has_device "$kernel" || echo "$kernel: what DKMS has built drives no device"
	dkms_build "$cloud" "$cache/${folder##*/}-cloud/build" || return
	! has_device "$cloud" || echo "$cloud: a module, of a kernel without DRM?"
	modinfo -F description "$work/$cloud.ko" | grep -q Placeholder ||
		echo "$cloud: no placeholder"
}

PATH=$PATH:/usr/sbin:/sbin
apt_use
fetch || exit
[ "${1:-}" = fetch ] || { prepare && check; }
