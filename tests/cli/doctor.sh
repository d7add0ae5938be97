#!/bin/bash
# SPDX-License-Identifier: MIT
# On a machine with which nothing is wrong every check is content; each thing that is then
# broken is found by its check alone, and the command that repairs it is printed.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"
# shellcheck source=tests/cli/host_tree.sh
. "$(dirname "$0")/host_tree.sh"
device=$address

# What was said of a check: its line and the command below it.
said_of()
{
	grep -A 1 -E "^  [a-zA-Z]+ +$1 " "$folder/printed" | head -n 2
}

# finds STATUS CHECK TEXT [REPAIR [MORE]]: regular expressions, but for the repair, which is all
# that is printed as such. Nothing else fails, but for as many as fail because of it.
finds()
{
	local status=$1 name=$2 text=$3 repair=${4:-} more=${5:-0} expected=0 said
	[ "$status" != FAIL ] || expected=1
	expect $expected "^  $status +$name +.*$text" "$accel" doctor "$device"
	said=$(said_of "$name" | sed -n 's/^ *repair, as root: //p; s/^ *repair: //p')
	if [ "$said" != "$repair" ]; then
		echo "FAILED: $name: \"$said\" is no repair, \"$repair\" is"
		failures=$((failures + 1))
	fi
	check "nothing but $name fails" \
		test "$(grep -c '^  FAIL' "$folder/printed")" -eq $((expected + more))
}

# kernel_way, vfio_way: a good machine with the card bound.
kernel_way()
{
	tree_make
	device=$address
}

vfio_way()
{
	tree_make
	driver_bind $address vfio-pci
	device=vfio:$address
}

# ---- good ones ----

kernel_way
expect 0 '^nothing keeps it from being used' "$accel" doctor
check "all is well with the module" \
	sh -c "! grep -E '^  (warn|FAIL)|^ *repair' '$folder/printed'"
for name in iommu drm-accel module version card driver power state bus-master link errors \
	node membership memlock; do
	check "$name is ok with the module" grep -qE "^  ok +$name " "$folder/printed"
done
vfio_way
expect 0 '^nothing keeps it from being used' "$accel" doctor
check "all is well with VFIO" \
	sh -c "! grep -E '^  (warn|FAIL)|^ *repair' '$folder/printed'"
for name in iommu vfio-pci vfio hugepages card group driver holder power link errors node \
	membership memlock; do
	check "$name is ok with VFIO" grep -qE "^  ok +$name " "$folder/printed"
done

# ---- the system ----

vfio_way
rm "$card/iommu_group"
finds FAIL iommu "VT-d on in the firmware" "systemctl reboot --firmware-setup"
echo quiet >"$root/proc/cmdline"
finds FAIL iommu "lacks intel_iommu=on" "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on /' /etc/default/grub && update-grub && reboot"
echo quiet iommu=off >"$root/proc/cmdline"
finds FAIL iommu "has iommu=off" "sed -i 's/ *iommu=off//' /etc/default/grub && update-grub && reboot"
put proc/cmdline quiet
put proc/cpuinfo "vendor_id	: AuthenticAMD"
finds FAIL iommu "AMD-Vi" "systemctl reboot --firmware-setup"
put sys/module/vfio/parameters/enable_unsafe_noiommu_mode Y
put sys/kernel/iommu_groups/0/name vfio-noiommu
group_add 0 $address
node_put vfio/noiommu-0
finds warn iommu "AMD-Vi" "systemctl reboot --firmware-setup"
expect 0 "vfio:$address\?iommu=noiommu$" "$accel" list
kernel_way
rm "$card/iommu_group"
finds warn iommu "VT-d" "systemctl reboot --firmware-setup"

kernel_way
rmdir "$root/sys/class/accel"
finds skip drm-accel "not known"
put boot/config-6.12.0 "CONFIG_DRM=m
# CONFIG_DRM_ACCEL is not set"
finds FAIL drm-accel "without DRM_ACCEL" \
	"modprobe vfio-pci && accel bind $address vfio-pci"
put boot/config-6.12.0 "CONFIG_DRM_ACCEL=y"
finds ok drm-accel "in this kernel"

kernel_way
driver_bind $address
rm -r "$bus/drivers/spmm"
finds FAIL module "spmm is not loaded" "modprobe spmm" 1
kernel_way
put sys/module/spmm/version 0.0.9
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$ACCEL_SOURCE_DIR/meson.build")
finds warn version "the module is 0.0.9, the library $version" \
	"dkms install spmm/$version && modprobe -r spmm && modprobe spmm"
rm "$root/sys/module/spmm/version"
finds skip version "the module states none"

vfio_way
driver_bind $address
rm -r "$bus/drivers/vfio-pci"
finds FAIL vfio-pci "not loaded" "modprobe vfio-pci" 1
vfio_way
rm -r "$root/sys/module/vfio_iommu_type1"
finds FAIL vfio "neither" "modprobe vfio_iommu_type1"
vfio_way
put proc/meminfo "HugePages_Total: 0
HugePages_Free: 0"
finds warn hugepages "none were set aside" "echo 64 >/proc/sys/vm/nr_hugepages"
put proc/meminfo "HugePages_Total: 8
HugePages_Free: 0"
finds warn hugepages "all are in use" "echo 72 >/proc/sys/vm/nr_hugepages"

# ---- the card ----

kernel_way
config_space "$card/config" ffff ffff 0006
finds FAIL card "does not respond" \
	"echo 1 >/sys/bus/pci/devices/$address/remove; echo 1 >/sys/bus/pci/rescan"

vfio_way
pci_device 0000:01:00.1 pci0000:00/$port/0000:01:00.1 8086 1533 020000
driver_bind 0000:01:00.1 igb
group_add 3 0000:01:00.1
finds FAIL group "0000:01:00.1 of group 3 is bound to igb" \
	"echo 0000:01:00.1 >/sys/bus/pci/devices/0000:01:00.1/driver/unbind"
kernel_way
finds skip group "not needed by the module"

kernel_way
driver_bind $address
finds FAIL driver "no driver is bound" "accel bind $address spmm"
device=vfio:$address
finds FAIL driver "no driver is bound" "accel bind $address vfio-pci"
device=dev:/dev/accel/accel0
finds FAIL driver "no driver is bound" "accel bind $address spmm"
driver_bind $address vfio-pci
finds FAIL driver "bound to vfio-pci, not to spmm" "accel bind $address spmm"

vfio_way
mkdir -p "$root/proc/4711/fd"
echo inference >"$root/proc/4711/comm"
ln -s /dev/vfio/3 "$root/proc/4711/fd/7"
finds warn holder "process 4711 .inference. has it" "kill 4711"
driver_bind $address spmm
device=$address
finds skip holder "VFIO does not have it"

kernel_way
echo D3hot >"$card/power_state"
finds FAIL power "D3hot, and does not wake up" \
	"echo on >/sys/bus/pci/devices/$address/power/control"
echo suspended >"$card/power/runtime_status"
finds ok power "asleep"
echo error >"$card/power/runtime_status"
finds FAIL power "error" "echo on >/sys/bus/pci/devices/$address/power/control"

kernel_way
echo gone >"$card/spmm/state"
finds FAIL state "given it up" "accel bind $address none && accel bind $address spmm"
echo resetting >"$card/spmm/state"
finds warn state "being reset"

kernel_way
config_space "$card/config" 1de5 5b01 0402
finds FAIL bus-master "bus mastering is off" \
	"printf '\\006\\004' | dd of=/sys/bus/pci/devices/$address/config bs=2 seek=2 conv=notrunc"
echo D3hot >"$card/power_state"
echo suspended >"$card/power/runtime_status"
finds skip bus-master "off while it is asleep"
kernel_way
config_space "$card/config" 1de5 5b01 0004
finds FAIL bus-master "memory access is off" \
	"printf '\\006\\000' | dd of=/sys/bus/pci/devices/$address/config bs=2 seek=2 conv=notrunc"
driver_bind $address vfio-pci
finds skip bus-master "when it is opened"

kernel_way
echo 4 >"$card/current_link_width"
finds warn link "16GT/s x4, though 16GT/s x8" "setpci -s $port CAP_EXP+10.w=20:20"
echo 4 >"$bus/devices/$port/max_link_width"
finds ok link "16GT/s x4, which is all that the slot can"
echo "2.5 GT/s PCIe" >"$card/current_link_speed"
finds warn link "2.5GT/s x4, though 16GT/s x4" "setpci -s $port CAP_EXP+10.w=20:20"
rm "$card/current_link_speed"
finds skip link "does not say"

kernel_way
printf 'RxErr 7\nTOTAL_ERR_COR 7\n' >"$card/aer_dev_correctable"
finds ok errors "none but 7 corrected"
printf 'DLP 2\nTOTAL_ERR_FATAL 2\n' >"$card/aer_dev_fatal"
finds warn errors "2 fatal, 0 others" \
	"echo 1 >/sys/bus/pci/devices/$address/remove; echo 1 >/sys/bus/pci/rescan"
rm "$card/aer_dev_fatal"
finds skip errors "does not count"

# ---- the process ----

kernel_way
chmod 600 "$root/dev/accel/accel0"
finds FAIL node "mode 0600" "chgrp render /dev/accel/accel0 && chmod 660 /dev/accel/accel0"
rm "$root/dev/accel/accel0"
finds FAIL node "does not exist" \
	"mkdir -p /dev/accel && mknod -m 600 /dev/accel/accel0 c 261 0"
vfio_way
chmod 600 "$root/dev/vfio/3"
finds FAIL node "mode 0600" "chown 4242 /dev/vfio/3 && chmod 600 /dev/vfio/3"
mkdir -p "$card/vfio-dev/vfio0"
node_put vfio/devices/vfio0
node_put iommu 600
finds FAIL node "/dev/iommu is" "chown 4242 /dev/iommu && chmod 600 /dev/iommu"
device="vfio:$address?iommu=type1"
chmod 666 "$root/dev/vfio/3"
finds ok node "/dev/vfio/3 is"
device=vfio:$address
chmod 660 "$root/dev/iommu"
finds ok node "/dev/vfio/devices/vfio0"

kernel_way
process_put "1 2 9999"
finds FAIL membership "4242 is not in group" \
	"usermod -aG $(getent group "$group" | cut -d: -f1 | grep . || echo "$group") 4242"

for way in kernel_way vfio_way; do
	$way
	process_put "$group" 65536 unlimited
	finds FAIL memlock "64 KiB may be locked" "ulimit -S -l unlimited"
	process_put "$group" 65536 268435456
	finds FAIL memlock "64 KiB may be locked" "ulimit -S -l 262144"
	process_put "$group" 65536 65536
	finds FAIL memlock "64 KiB may be locked" \
		"prlimit --pid 4711 --memlock=unlimited:unlimited"
	process_put "$group" 67108864 67108864
	finds ok memlock "65536 KiB may be locked"
	sed -i 's/^CapEff:.*/CapEff:	0000000000004000/' "$root/proc/self/status"
	finds ok memlock "no limit for this process"
done

# ---- what it is asked about ----

kernel_way
expect 1 'no such device' "$accel" doctor 0000:07:00.0
expect 1 'repair.*: echo 1 >/sys/bus/pci/rescan' "$accel" doctor vfio:0000:07:00.0
rm "$bus/devices/$address"
expect 1 'no such device' "$accel" doctor
expect 0 'ok +open +it opens' "$accel" doctor nil:
expect 1 'FAIL +open .*unknown device' "$accel" doctor fpga:
expect 1 'repair: spmm-sim --socket /nowhere &' "$accel" doctor vfio-user:/nowhere

# ---- JSON ----

kernel_way
echo gone >"$card/spmm/state"
expect 1 '"usable": false, "devices": \[ \{ "device": "0000:01:00.0", "checks": \[ \{ "check": "iommu", "status": "ok", "text": "group 3", "repair": null' \
	bash -c "set -o pipefail; '$accel' doctor --json | tr -s ' \n' ' '"
check "a repair as JSON" grep -q "\"status\": \"fail\", \"text\": \"[^\"]*\", \"repair\": \"accel bind [^\"]*\", \"repair_by_root\": true" \
	"$folder/printed"
finish
