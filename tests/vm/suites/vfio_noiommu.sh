# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# A machine without IOMMU, whose VFIO hands the device out all the same: to those who say so.
# targets: tools/accel tests/vm/models.tar tests/vm/device_use
# kernels: debug
# kernel-arguments: intel_iommu=off
# limit: 120
# shellcheck source=tests/vm/guest.sh
. /suites/guest
address=$(basename "$(device_folder)")
uri="vfio:$address?iommu=noiommu"

# says TEXT COMMAND...: fails, and says that.
says()
{
	text=$1
	shift
	! "$@" >/tmp/said 2>&1 || return 1
	cat /tmp/said
	grep -qF "$text" /tmp/said
}

verifies()
{
	accel verify "/tmp/$1.safetensors" --device "$uri" --latents 1 | tee /tmp/verified
	grep -q ', 0 differ' /tmp/verified
}

vfio_wants_an_iommu()
{
	! vfio_bind "$address" || return 1
	driver_take "$address" ""
}

tar -xf /data/models.tar -C /tmp
check "VFIO does not have it" vfio_wants_an_iommu
echo 1 >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
check "VFIO has it" vfio_bind "$address"
check "it has to be named" says "iommu=noiommu" accel info "vfio:$address"
check "no huge pages" says "vm.nr_hugepages=1" accel info "$uri"
echo 24 >/proc/sys/vm/nr_hugepages
check "information" accel info "$uri"
check "copies" device_use "$uri" copy
check "interrupts" device_use "$uri" sleep
check "resets" device_use "$uri" reset
check "large buffers" device_use "$uri" bare
check "a network" verifies fashion_vae_dec_sp90
check "another network" verifies fashion_mlp_sp90
