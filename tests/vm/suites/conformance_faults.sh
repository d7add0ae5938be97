# SPDX-License-Identifier: MIT
# A device that is broken on purpose, under the library: the documented error in time, and a
# process that resets and goes on.
# spmm-sim: --fault tests/vm/faults/all.fault
# files: tests/vm/suites/lib/fault.sh
# targets: tests/conformance/conformance tests/conformance/conformance.safetensors
# limit: 400
# shellcheck source=tests/vm/guest.sh
. /suites/guest
# shellcheck source=tests/vm/suites/lib/fault.sh
. /data/fault.sh
device=$(device_folder)
address=$(basename "$device")

# breaks URI FAULT NAME: with the script's fault armed for the first command.
breaks()
{
	fault_arm "$2" || return 1
	program "$1, $2" conformance "$1" --model /data/conformance.safetensors \
		--fault "$3" --slack 5000
	fault_disarm
}

# All that a reset or less heals.
all_break()
{
	breaks "$1" hang hang
	breaks "$1" hang_hard hang
	breaks "$1" hang_queue hang-and-reset
	breaks "$1" memory_error memory-error
	breaks "$1" memory_error memory-error-unheard
	breaks "$1" lost_completion lost-completion
	breaks "$1" lost_interrupt lost-interrupt
}

check "the module loads" module_load
for queues in job user; do
	all_break "dev:/dev/accel/accel0?queues=$queues"
done
check "VFIO takes the device" vfio_bind "$address"
all_break "vfio:$address"
# Where the kernel says that the reset of such a device has succeeded: guest.sh.
[ "$(uname -r | cut -d. -f1)" -ge 7 ] || breaks "vfio:$address" gone all-ones
check "VFIO gives the device back" vfio_unbind "$address"
