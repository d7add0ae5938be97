# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The device is reset, put to sleep, taken away and broken while processes use it. Every
# job ends; who comes afterwards finds a device that works.
# spmm-sim: --fault tests/vm/faults/all.fault
# files: tests/vm/suites/lib/fault.sh
# targets: tests/kselftest/flow
# limit: 180
# shellcheck source=tests/vm/guest.sh
. /suites/guest
# shellcheck source=tests/vm/suites/lib/fault.sh
. /data/fault.sh
device=$(device_folder)
name=$(basename "$device")
driver=/sys/bus/pci/drivers/spmm

# during SECONDS EXPECTED... -- COMMAND...: the flow of jobs, while COMMAND is done.
during()
{
	flow_arguments=
	while [ "$1" != -- ]; do
		flow_arguments="$flow_arguments $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # a list
	flow_start $flow_arguments
	during_status=0
	"$@" || during_status=$?
	wait "${flow_pid:?}" && [ $during_status -eq 0 ]
}

# An innocent process finds all well.
works()
{
	flow 1
}

reset_function()
{
	for _ in 1 2 3; do
		echo 1 >"$device/reset" || return 1
		sleep 1
	done
}

sleep_devices()
{
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo devices >/sys/power/pm_test
	echo freeze >/sys/power/state
	echo none >/sys/power/pm_test
}

unbind()
{
	echo "$name" >$driver/unbind
}

# What open files have kept, the node's number among it, goes a little later.
bind()
{
	sleep 1
	echo "$name" >$driver/bind
	wait_for 10 test -c /dev/accel/accel0
}

unbind_and_bind()
{
	unbound_badly=
	for _ in 1 2 3; do
		during 3 gone -- unbind || unbound_badly=1
		bind || return 1
		[ -z "$unbound_badly" ] || return 1
	done
	works
}

# Which errors are masked, and which are fatal, is in registers (AER at 0x100, mask at 8,
# severity at 12): none shall be. Who saved them while the device was gone, and restored
# them, has left ones there.
errors_admit()
{
	echo "mask, severity: $(dd if="$device/config" bs=8 skip=33 count=1 2>/dev/null | hexdump)"
	dd if=/dev/zero of="$device/config" bs=8 seek=33 count=1 conv=notrunc 2>/dev/null
}

# inject UNCORRECTABLE-STATUS: an error of the device 01:00.0, as struct aer_error_inj.
inject()
{
	errors_admit
	[ -e /dev/aer_inject ] || modprobe aer_inject aer_mask_override=1 ||
		{ echo "this kernel has no aer_inject"; return 4; }
	# The format is the structure.
	# shellcheck disable=SC2059
	printf "\\001\\000\\000\\000$1$zeros$zeros$zeros$zeros$zeros$zeros" \
		>/dev/aer_inject
}
zeros='\000\000\000\000'
completion_timeout='\000\100\000\000'

# Some resets of the function that the device may not come back without.
revive()
{
	unbind
	device_reset_gone "$device"
	bind
	works
}

check "the module is there" module_load
check "work" works
check "reset of the function during work" during 6 lost -- reset_function
check "work afterwards" works
check "sleep of all devices during work" during 9 -- sleep_devices
check "work afterwards" works
check "sleep of the machine during work" during 9 -- system_sleep 3
check "work afterwards" works
check "a PCI error, not fatal, during work" \
	during 6 lost -- inject "$completion_timeout"
check "work afterwards" works
check "unbound during work" unbind_and_bind
check "a fatal error during work" during 12 lost -- fault_arm fatal_now
check "work afterwards" works
check "gone during work" during 6 gone -- fault_arm gone_now
check "work when it is back" revive
check "unloads" module_unload
