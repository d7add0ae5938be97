# SPDX-License-Identifier: MIT
# What the kernel sees of the simulator before any driver: Documentation/device.rst.
. /suites/guest
device=$(device_folder)

attribute_is()
{
	echo "$1 is $(cat "$device/$1"), expected $2"
	[ "$(cat "$device/$1")" = "$2" ]
}

# region NUMBER BYTES: as the kernel has assigned it.
region_has()
{
	sed -n "$(($1 + 1))p" "$device/resource" >/tmp/region
	cat /tmp/region
	read -r first last _ </tmp/region
	[ $((last - first + 1)) -eq "$2" ]
}

behind_iommu()
{
	readlink "$device/iommu_group" || echo "in no group"
	[ -e "$device/iommu_group" ]
}

check "the device is there" test -d "$device"
check "identity" attribute_is vendor 0x1de5
check "class of a processing accelerator" attribute_is class 0x120000
check "behind the IOMMU" behind_iommu
check "BAR 0 has 8 MiB" region_has 0 8388608
check "MSI-X" grep -q . "$device/msi_bus"
check "function-level reset" grep -qw flr "$device/reset_method"
check "reset" sh -c "echo 1 >$device/reset"
check "still there afterwards" attribute_is vendor 0x1de5
