# SPDX-License-Identifier: MIT
# What the kernel sees of the simulator before any driver: Documentation/device.rst.
. /suites/guest
rmmod spmm 2>/dev/null
device=$(device_folder)

attribute_is()
{
	echo "$1 is $(cat "$device/$1"), expected $2"
	[ "$(cat "$device/$1")" = "$2" ]
}

# region_has NUMBER BYTES: as the kernel has assigned it.
region_has()
{
	sed -n "$(($1 + 1))p" "$device/resource" >/tmp/region
	cat /tmp/region
	read -r first last _ </tmp/region
	[ $((first)) -ne 0 ] && [ $((last - first + 1)) -ge "$2" ]
}

# config OFFSET BYTES: of the configuration space, decimal.
config()
{
	hexdump -v -s "$1" -n "$2" -e "1/$2 \"%u\"" "$device/config"
}

# capability ID: where it is.
capability()
{
	at=$(config 52 1)
	while [ "$at" -ne 0 ]; do
		if [ "$(config "$at" 1)" -eq "$1" ]; then
			echo "$at"
			return
		fi
		at=$(config $((at + 1)) 1)
	done
	echo "no capability $1" >&2
	return 1
}

# One vector for administration and errors, and one for each pair of queues.
msix_vectors()
{
	at=$(capability 17) || return 1
	vectors=$((($(config $((at + 2)) 2) & 2047) + 1))
	echo "$vectors vectors"
	[ "$vectors" -eq 65 ]
}

in_iommu_group()
{
	[ -e "$device/iommu_group" ] && [ -n "$(ls /sys/class/iommu)" ]
}

# The kernel puts back what it knows of.
survives_reset()
{
	command=$(config 4 2)
	echo 1 >"$device/reset" || return 1
	attribute_is vendor 0x1de5 && [ "$(config 4 2)" -eq "$command" ]
}

check "the device is there" test -d "$device"
check "vendor" attribute_is vendor 0x1de5
check "device" attribute_is device 0x5b01
check "class of a processing accelerator" attribute_is class 0x120000
check "behind an IOMMU" in_iommu_group
check "BAR 0: 8 MiB of registers and doorbells" region_has 0 8388608
check "BAR 2: a window on its memory" region_has 2 1048576
check "BAR 4: MSI-X" region_has 4 4096
check "65 vectors of MSI-X" msix_vectors
check "power management" capability 1
check "PCI Express" capability 16
check "function-level reset" grep -qw flr "$device/reset_method"
check "it comes back from a reset" survives_reset
check "VFIO takes it" vfio_bind "$(basename "$device")"
check "VFIO gives it back" vfio_unbind "$(basename "$device")"
