# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # the sourcing script uses them
# Sourced after expect.sh: a machine as its kernel shows it in /sys, /proc and /dev, made
# of plain files below a folder that ACCEL_TEST_ROOT names. There is one card behind a
# port, and nothing is wrong with it.
root=${folder:?of expect.sh}/host
address=0000:01:00.0
port=0000:00:02.0
bus=$root/sys/bus/pci
card=$bus/devices/$address
export ACCEL_TEST_ROOT=$root

# put FILE TEXT: below the root, with the folders that it needs.
put()
{
	mkdir -p "$root/${1%/*}"
	printf '%s\n' "$2" >"$root/$1"
}

# config_space FILE VENDOR DEVICE COMMAND: the first 64 bytes; numbers are four digits.
config_space()
{
	local bytes="" word
	for word in "$2" "$3" "$4"; do
		bytes+="\\x${word:2:2}\\x${word:0:2}"
	done
	printf '%b' "$bytes" >"$1"
	head -c 58 /dev/zero >>"$1"
}

# pci_device ADDRESS FOLDER VENDOR DEVICE CLASS: FOLDER is where it is below /sys/devices.
pci_device()
{
	local at=sys/devices/$2
	put "$at/vendor" "0x$3"
	put "$at/device" "0x$4"
	put "$at/class" "0x$5"
	put "$at/numa_node" 0
	put "$at/power_state" D0
	put "$at/driver_override" "(null)"
	put "$at/max_link_speed" "16.0 GT/s PCIe"
	put "$at/max_link_width" 8
	put "$at/current_link_speed" "16.0 GT/s PCIe"
	put "$at/current_link_width" 8
	put "$at/power/control" auto
	put "$at/power/runtime_status" active
	put "$at/aer_dev_correctable" "TOTAL_ERR_COR 0"
	put "$at/aer_dev_nonfatal" "TOTAL_ERR_NONFATAL 0"
	put "$at/aer_dev_fatal" "TOTAL_ERR_FATAL 0"
	config_space "$root/$at/config" "$3" "$4" 0006
	ln -sr "$root/$at" "$bus/devices/$1"
}

# driver_bind ADDRESS DRIVER, as the kernel does; no DRIVER unbinds.
driver_bind()
{
	local device=$bus/devices/$1
	rm -rf "$device/driver" "$device/accel" "$device/spmm"
	[ -n "${2:-}" ] || return 0
	mkdir -p "$bus/drivers/$2"
	ln -sr "$bus/drivers/$2" "$device/driver"
	[ "$2" = spmm ] || return 0
	mkdir -p "$device/accel/accel0" "$device/spmm"
	echo 261:0 >"$device/accel/accel0/dev"
	echo ready >"$device/spmm/state"
}

# group_add GROUP ADDRESS
group_add()
{
	local group=$root/sys/kernel/iommu_groups/$1 device=$bus/devices/$2
	mkdir -p "$group/devices"
	rm -f "$device/iommu_group"
	ln -sr "$device/" "$group/devices/$2"
	ln -sr "$group" "$device/iommu_group"
}

# process_put GROUPS [MEMLOCK MEMLOCK_MAX]: a user who owns nothing here.
process_put()
{
	put proc/self/status "PPid:	4711
Uid:	4242	4242	4242	4242
Gid:	4242	4242	4242	4242
Groups:	$1
CapEff:	0000000000000000"
	put proc/self/limits "Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max locked memory         ${2:-unlimited}            ${3:-unlimited}            bytes"
}

# A group that is not root's, and that this test may give files to.
group=$(id -g)
[ "$group" -ne 0 ] || group=105

# node_put PATH [MODE]: a file of /dev, of that group.
node_put()
{
	put "dev/$1" ""
	chgrp "$group" "$root/dev/$1"
	chmod "${2:-660}" "$root/dev/$1"
}

# What the kernel was told, and has.
system_put()
{
	put proc/cmdline "quiet intel_iommu=on"
	put proc/cpuinfo "vendor_id	: GenuineIntel"
	put proc/meminfo "MemTotal:  4096 kB
HugePages_Total:      64
HugePages_Free:       60"
	put proc/sys/kernel/osrelease 6.12.0
	put sys/firmware/acpi/tables/DMAR ""
	put sys/module/vfio_iommu_type1/refcnt 0
	put sys/module/vfio/parameters/enable_unsafe_noiommu_mode N
	put sys/module/spmm/version \
		"$(sed -n "s/^  version: '\(.*\)',/\1/p" "${ACCEL_SOURCE_DIR:?}/meson.build")"
	mkdir -p "$root/sys/class/accel"
	node_put accel/accel0
	node_put vfio/vfio 666
	node_put vfio/3
}

tree_make()
{
	rm -rf "$root"
	mkdir -p "$bus/devices" "$bus/drivers"
	pci_device $port pci0000:00/$port 8086 1901 060400
	pci_device $address pci0000:00/$port/$address 1de5 5b01 120000
	driver_bind $port pcieport
	driver_bind $address spmm
	mkdir -p "$bus/drivers/vfio-pci"
	group_add 3 $address
	process_put "105 $group"
	system_put
}

# ---- what happens when its files are written to ----

# A file whose writers wait for readers, of which there is none.
block_file()
{
	rm -f "$1"
	mkfifo "$1"
}

# file_play FILE COMMAND: run it with each line that is written to the file.
file_play()
{
	local file=$1 line
	block_file "$file"
	exec 8<>"$file"
	while read -r line <&8; do
		"$2" "$line"
	done &
	players+=($!)
	exec 8>&-
}

# As a driver that is named, the module without one; not if it refuses.
probe_play()
{
	local driver
	driver=$(cat "$bus/devices/$1/driver_override")
	driver=${driver:-spmm}
	[ "$driver" = "$(cat "$root/refuses" 2>/dev/null)" ] || driver_bind "$1" "$driver"
}

# kernel_start: unbinding and probing do something; kernel_stop ends that.
kernel_start()
{
	file_play "$bus/drivers/spmm/unbind" driver_bind
	file_play "$bus/drivers/vfio-pci/unbind" driver_bind
	file_play "$bus/drivers_probe" probe_play
}

kernel_stop()
{
	[ ${#players[@]} -eq 0 ] || kill "${players[@]}"
	wait
	players=()
}
players=()
trap 'kernel_stop; rm -rf "$folder"' EXIT
