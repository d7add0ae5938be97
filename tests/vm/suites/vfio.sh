# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The device without the module: a process that VFIO gives it to, by the device's own node
# and iommufd where the kernel has them, else through a group and a container.
# targets: tools/accel tests/vm/models.tar tests/vm/device_use
# limit: 150
# shellcheck source=tests/vm/guest.sh
. /suites/guest
address=$(basename "$(device_folder)")
device=/sys/bus/pci/devices/$address

verifies()
{
	accel verify "/tmp/$1.safetensors" --device "$uri" --latents 1 | tee /tmp/verified
	grep -q ', 0 differ' /tmp/verified
}

uses()
{
	device_use "$uri" "$@"
}

# says TEXT COMMAND...: fails, and says that.
says()
{
	text=$1
	shift
	! "$@" >/tmp/said 2>&1 || return 1
	cat /tmp/said
	grep -qF "$text" /tmp/said
}

# begin DEED: a process in the background that runs; its folder is /tmp/deed.
begin()
{
	rm -rf /tmp/deed
	mkdir /tmp/deed
	device_use "$uri" "$1" /tmp/deed >/tmp/deed/said 2>&1 &
	process=$!
	wait_for 20 test -e /tmp/deed/running
}

# Its end, when it was told that the device is back.
end()
{
	status=0
	touch /tmp/deed/back
	wait "$process" || status=$?
	cat /tmp/deed/said
	return $status
}

only_one_process()
{
	begin hold
	says "another process has the device" accel info "$uri"
	end
	uses copy
}

# give_back DEED: unbinding has to come to an end, and so has what the process does.
give_back()
{
	begin "$1"
	timeout 10 sh -c "echo $address >/sys/bus/pci/drivers/vfio-pci/unbind"
	says "no driver has the device" accel info "$uri"
	echo "$address" >/sys/bus/pci/drivers/vfio-pci/bind
	end
}

remove()
{
	begin lose
	timeout 10 sh -c "echo 1 >$device/remove"
	says "no such PCI device" accel info "$uri"
	echo 1 >/sys/bus/pci/rescan
	wait_for 10 test -e "$device"
	vfio_bind "$address"
	end
}

other_driver()
{
	vfio_unbind "$address"
	says "accel bind $address vfio-pci" accel info "$uri"
	vfio_bind "$address"
}

huge_pages()
{
	echo "$1" >/proc/sys/vm/nr_hugepages
	uses huge "$1"
	echo 0 >/proc/sys/vm/nr_hugepages
}

zeros='\000\000\000\000\000\000\000\000'

# As suites/disturb.sh does it: an error of the device 01:00.0 that is not fatal.
link_error()
{
	[ -e /dev/aer_inject ] || modprobe aer_inject aer_mask_override=1 ||
		{ echo "this kernel has no aer_inject"; return 77; }
	begin error
	dd if=/dev/zero of="$device/config" bs=8 seek=33 count=1 conv=notrunc 2>/dev/null
	# In one write; the format is the structure.
	# shellcheck disable=SC2059
	printf "\\001\\000\\000\\000\\000\\100\\000\\000$zeros$zeros$zeros" >/dev/aer_inject
	end
}

nodes_give()
{
	for node in /dev/vfio/vfio "/dev/vfio/$(vfio_group "$address" | xargs basename)" \
		/dev/vfio/devices/* /dev/iommu; do
		[ ! -e "$node" ] || chown 65534 "$node"
	done
}

memlock()
{
	nodes_give
	uses memlock
}

all_of()
{
	kind=$1
	uri="vfio:$address?iommu=$kind"
	check "$kind: information" accel info "$uri"
	check "$kind: copies" uses copy
	check "$kind: a network" verifies fashion_vae_dec_sp90
	check "$kind: sleeps until interrupts" uses sleep
	check "$kind: resets" uses reset
	check "$kind: uses addresses again" uses reuse /tmp/fashion_mlp_sp90.safetensors
	check "$kind: memory that is there" uses import
	check "$kind: huge pages" huge_pages 4
	check "$kind: no huge pages" huge_pages 0
	check "$kind: too little may be locked" memlock
	check "$kind: addresses that are not mapped" uses fault
	check "$kind: one process has it" only_one_process
	check "$kind: an error of the link" link_error
	check "$kind: unbound at work" give_back lose
	check "$kind: unbound when waited for by poll" give_back lose_polling
	check "$kind: unbound when idle" give_back lose_idle
	check "$kind: removed at work" remove
	check "$kind: another driver has it" other_driver
}

vfio_bind "$address"
tar -xf /data/models.tar -C /tmp
if [ -e /dev/iommu ]; then
	uri="vfio:$address?iommu=type1"
	check "type1 beside iommufd" uses copy
	all_of iommufd
else
	all_of type1
fi
check "VFIO gives the device back" vfio_unbind "$address"
