# SPDX-License-Identifier: MIT
# What the library's headers promise, on the device behind the module, by jobs and by queues
# of the process, and on the device that VFIO gives to the process.
# targets: tests/conformance/conformance tests/conformance/conformance.safetensors
# spmm-sim: --config tests/vm/configs/conformance.conf
# limit: 900
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

check "the module loads" module_load
for queues in job user; do
	conforms "dev:/dev/accel/accel0?queues=$queues"
done
check "VFIO takes the device" vfio_bind "$address"
for way in $(vfio_ways); do
	conforms "vfio:$address?iommu=$way"
done
