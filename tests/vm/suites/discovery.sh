# SPDX-License-Identifier: MIT
# What the tool says of the device on a real kernel, and how it moves it between drivers.
# targets: tools/accel
# limit: 120
. /suites/guest
device=$(device_folder)
address=$(basename "$device")
# Suites before this one may have loaded them.
rmmod spmm vfio-pci vfio_iommu_type1 2>/dev/null

# says PATTERN COMMAND...
says()
{
	pattern=$1
	shift
	"$@" >/tmp/said 2>&1 || said_status=$?
	cat /tmp/said
	grep -qE -- "$pattern" /tmp/said
}

# fails_saying PATTERN COMMAND...
fails_saying()
{
	said_status=0
	says "$@" && [ "$said_status" -eq 1 ]
}

lists()
{
	group=$(basename "$(readlink "$device/iommu_group")")
	says "^$address +$1 +$group +16GT/s x8 of 16GT/s x8 .* $2$" accel list
}

binds()
{
	accel bind "$address" "$1" && [ "$(driver_of "$address")" = "$2" ]
}

wants_vfio()
{
	[ ! -d /sys/bus/pci/drivers/vfio-pci ] || { echo "it is built in"; return 77; }
	fails_saying 'modprobe vfio-pci' accel bind "$address" vfio-pci
}

# The group's file is open: the kernel would wait for whoever has it.
names_who_holds_it()
{
	exec 7<>"$(vfio_group "$address")"
	fails_saying "in use by process $$ " accel bind "$address" spmm
	exec 7>&-
	[ "$(driver_of "$address")" = vfio-pci ]
}

check "without a module: how to load it" \
	fails_saying 'modprobe spmm' accel bind "$address" spmm
check "listed without a driver" lists - -
check "without VFIO: how to load it" wants_vfio
check "the module is loaded" module_load
check "listed with the module" lists spmm dev:/dev/accel/accel0
check "described with its PCI facts" \
	says "^$address: driver spmm, IOMMU group" accel info dev:/dev/accel/accel0
modprobe vfio_iommu_type1 2>/dev/null
modprobe vfio-pci 2>/dev/null
check "given to VFIO" binds vfio-pci vfio-pci
check "listed with VFIO" lists vfio-pci "vfio:$address"
check "who holds its group is named" names_who_holds_it
check "given back to the module" binds spmm spmm
check "taken from the module" binds none ""
check "given to VFIO from nobody" binds vfio-pci vfio-pci
check "given to the module again" binds spmm spmm
check "the module can be unloaded" module_unload
