# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The library imports memory of others into a device of the module.
# targets: tests/vm/device_use
# shellcheck source=tests/vm/guest.sh
. /suites/guest
modprobe udmabuf
module_load
for queues in job user; do
	check "files and dma-bufs, $queues queue" \
		device_use "dev:/dev/accel/accel0?queues=$queues" import_files
done
check "the module unloads" rmmod spmm
