# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# spmm-sim: --fault tests/vm/faults/all.fault
# The capability that arms faults, by what suites use of it, before any driver:
# Documentation/faults.rst.
# shellcheck source=tests/vm/guest.sh
. /suites/guest
# shellcheck source=tests/vm/suites/lib/fault.sh
. /suites/lib/fault.sh
rmmod spmm 2>/dev/null
device=$(device_folder)
FAULT_CONFIG=$device/config

lists_names()
{
	fault_list >/tmp/names
	cat /tmp/names
	grep -qx hang /tmp/names && grep -qx admin_silent /tmp/names &&
		grep -qx removed /tmp/names
}

# It fires by itself, and once.
fires_and_counts()
{
	fault_arm fatal_now || return 1
	wait_for 5 fired_is fatal_now 1
}

fired_is()
{
	[ "$(fault_fired "$1")" = "$2" ]
}

counts_from_zero()
{
	fault_arm hang && fired_is hang 0 && fired_is fatal_now 1 &&
		fault_disarm && fired_is hang 0
}

unknown_is_refused()
{
	! fault_arm nonsense
}

vendor_is()
{
	[ "$(hexdump -v -n 2 -e '1/2 "%x"' "$FAULT_CONFIG")" = "$1" ]
}

goes_and_comes_back()
{
	fault_arm gone_briefly || return 1
	vendor_is ffff && ! fault_fired gone_briefly && wait_for 5 vendor_is 1de5 &&
		fired_is gone_briefly 1
}

# The kernel looks for it anew, as after a slot without power.
is_found_again()
{
	fault_arm gone_briefly || return 1
	echo 1 >"$device/remove" && [ ! -e "$device" ] || return 1
	usleep 1200000
	echo 1 >/sys/bus/pci/rescan && wait_for 5 test -e "$device" && vendor_is 1de5 &&
		fired_is gone_briefly 1
}

check "the script's faults have names" lists_names
check "one that is unknown cannot be armed" unknown_is_refused
check "a fault is armed, and fires" fires_and_counts
check "each has a count of its own" counts_from_zero
check "a device that is gone reads as ones, and comes back" goes_and_comes_back
check "removed while it is gone, it is found again" is_found_again
check "and can be reset" sh -c "echo 1 >'$device/reset'"
