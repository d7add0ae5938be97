# SPDX-License-Identifier: MIT
# What the library's headers promise, on the device that VFIO gives to the process.
# targets: tests/conformance/conformance tests/conformance/conformance.safetensors
# spmm-sim: --config tests/vm/configs/conformance.conf
# limit: 600
# shellcheck source=tests/vm/guest.sh
. /suites/guest
address=$(basename "$(device_folder)")

# Fewer cycles and more time: the processors are emulated.
conforms()
{
	program "$1" conformance "$1" --model /data/conformance.safetensors \
		--cycles 30 --slack 3000
}

# Character devices of VFIO exist where the kernel has iommufd.
vfio_ways()
{
	echo type1
	[ ! -c /dev/iommu ] || echo iommufd
}

check "VFIO takes the device" vfio_bind "$address"
for way in $(vfio_ways); do
	conforms "vfio:$address?iommu=$way"
done
check "VFIO gives the device back" vfio_unbind "$address"
