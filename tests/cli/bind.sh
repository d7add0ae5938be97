#!/bin/bash
# SPDX-License-Identifier: MIT
# A card goes from driver to driver, or keeps the one that it has and the reason is told.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=tests/cli/host_tree.sh
. "$(dirname "$0")/host_tree.sh"

# driver_is DRIVER [OVERRIDE]
driver_is()
{
	check "the driver is ${1:-none}" \
		test "$(basename "$(readlink "$card/driver")")" = "$1"
	check "the override is ${2:-none}" test "$(cat "$card/driver_override")" = "${2:-}"
}

tree_make
kernel_start

# ---- back and forth ----

expect 0 "^$address: driver vfio-pci, was spmm; open it as vfio:$address$" \
	"$accel" bind $address vfio-pci
driver_is vfio-pci vfio-pci
expect 0 "driver vfio-pci, was vfio-pci" "$accel" bind 01:00.0 vfio-pci
expect 0 "driver spmm, was vfio-pci; open it as dev:/dev/accel/accel0" \
	"$accel" bind vfio:$address spmm
driver_is spmm
expect 0 "driver none, was spmm$" "$accel" bind dev:/dev/accel/accel0 none
driver_is ''
expect 0 "driver spmm, was none" "$accel" bind $address spmm
driver_is spmm

# ---- refused, and nothing is changed ----

expect 1 '02:00.0: no spmm device' "$accel" bind 0000:02:00.0 spmm
expect 1 "$port: no spmm device" "$accel" bind $port vfio-pci
expect 2 'it takes vfio-pci, spmm or none' "$accel" bind $address nvme

mv "$bus/drivers/vfio-pci" "$bus/unloaded"
expect 1 'modprobe vfio-pci$' "$accel" bind $address vfio-pci
mv "$bus/unloaded" "$bus/drivers/vfio-pci"

pci_device 0000:01:00.1 pci0000:00/$port/0000:01:00.1 8086 1533 020000
driver_bind 0000:01:00.1 igb
group_add 3 0000:01:00.1
group_add 3 $port
expect 1 'group 3 also has 0000:01:00.1, which igb drives.*echo 0000:01:00.1 >' \
	"$accel" bind $address vfio-pci
driver_bind 0000:01:00.1
driver_is spmm
expect 0 'vfio-pci, was spmm' "$accel" bind $address vfio-pci

mkdir -p "$root/proc/4711/fd"
echo inference >"$root/proc/4711/comm"
for node in /dev/vfio/3 /dev/vfio/devices/vfio0; do
	mkdir -p "$card/vfio-dev/vfio0"
	ln -sf $node "$root/proc/4711/fd/7"
	expect 1 'in use by process 4711 \(inference\).*kill 4711' \
		"$accel" bind $address spmm
	driver_is vfio-pci vfio-pci
done
ln -sf /dev/vfio/30 "$root/proc/4711/fd/7"
expect 0 'spmm, was vfio-pci' "$accel" bind $address spmm

rm "$card/iommu_group"
expect 1 'no IOMMU group.*accel doctor' "$accel" bind $address vfio-pci
put sys/module/vfio/parameters/enable_unsafe_noiommu_mode Y
expect 0 'vfio-pci, was spmm' "$accel" bind $address vfio-pci
group_add 3 $address

# ---- failed, and undone ----

echo spmm >"$root/refuses"
expect 1 'spmm does not take it: the end of dmesg' "$accel" bind $address spmm
driver_is vfio-pci vfio-pci
expect 0 'driver none' "$accel" bind $address none
expect 1 'spmm does not take it' "$accel" bind $address spmm
driver_is ''
kernel_stop

driver_bind $address spmm
block_file "$bus/drivers/spmm/unbind"
expect 1 'spmm does not let go in time' "$accel" bind $address vfio-pci --timeout 0.2
driver_is spmm
rm "$bus/drivers/spmm/unbind"
expect 1 'spmm does not let go: No such file' \
	"$accel" bind $address vfio-pci
driver_is spmm
finish
