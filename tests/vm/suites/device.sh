# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The module and the device as a whole: how it comes, goes, sleeps and is reset.
# spmm-sim: --fault tests/vm/faults/all.fault
# files: tests/vm/suites/lib/fault.sh
# limit: 60
# shellcheck source=tests/vm/guest.sh
. /suites/guest
# shellcheck source=tests/vm/suites/lib/fault.sh
. /data/fault.sh
device=$(device_folder)
name=$(basename "$device")
driver=/sys/bus/pci/drivers/spmm

# A file that is open keeps its number: the node may get the next one.
is_there()
{
	wait_for 10 test -e "$device/accel" && wait_for 10 test -c "$(node)"
}

node()
{
	echo /dev/accel/"$(ls "$device/accel")"
}

runtime_status_is()
{
	wait_for 10 grep -q "^$1$" "$device/power/runtime_status" ||
		{ cat "$device/power/runtime_status"; return 1; }
}

logged()
{
	dmesg | grep -F "$1"
}

reset_function()
{
	for _ in 1 2 3; do
		echo 1 >"$device/reset" || return 1
	done
	is_there
	logged "was reset, its memory is lost"
}

# Reads of all ones: nothing more is asked of it.
is_gone()
{
	fault_arm gone_now
	echo on >"$device/power/control"
	logged "device is gone"
	device_reset_gone "$device"
	echo "$name" >$driver/unbind
	echo "$name" >$driver/bind
	is_there
}

test_devices()
{
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo devices >/sys/power/pm_test
	echo freeze >/sys/power/state
	echo none >/sys/power/pm_test
	is_there
}

check "loads" module_load
check "falls asleep" runtime_status_is suspended
check "wakes up for a reset" reset_function
check "falls asleep again" runtime_status_is suspended
check "sleeps with the machine" test_devices
check "says that it is gone, and comes back when bound anew" is_gone
check "unloads" modprobe -r spmm
