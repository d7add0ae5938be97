# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Each wait for a register of the device runs out of time: fail_poll, in debugfs. Whatever
# was waited for fails, or a stronger means succeeds; afterwards the device can be had back.
# kernels: debug
# spmm-sim: --fault tests/vm/faults/all.fault
# files: tests/vm/suites/lib/fault.sh
# targets: tests/kselftest/flow
# limit: 400
# shellcheck source=tests/vm/guest.sh
. /suites/guest
# shellcheck source=tests/vm/suites/lib/fault.sh
. /data/fault.sh
device=$(device_folder)
name=$(basename "$device")
driver=/sys/bus/pci/drivers/spmm
# More than any operation waits for.
polls_max=20

# polls_fail SKIP TIMES [PERCENT]: all but the first SKIP; silently, a call trace is a fault.
polls_fail()
{
	polls=$(echo /sys/kernel/debug/accel/*/fail_poll)
	[ -d "$polls" ] || return 1
	echo 0 >"$polls/verbose"
	echo "$1" >"$polls/space"
	echo "$2" >"$polls/times"
	echo "${3:-100}" >"$polls/probability"
}

polls_succeed()
{
	polls_fail 0 0 0
}

# Whether those that were to fail have: an operation with fewer waits has met all of them.
polls_have_failed()
{
	[ "$(cat /sys/kernel/debug/accel/*/fail_poll/times)" -eq 0 ]
}

is_ready()
{
	[ "$(cat "$device/spmm/state")" != gone ] && flow 1
}

bound_anew()
{
	[ ! -e "$device/driver" ] || echo "$name" >$driver/unbind
	echo "$name" >$driver/bind
}

# Of the first, while the driver leaves, no harm comes; the others make the probe fail, and
# the next one succeeds. The attribute is there while a device is.
probes()
{
	polls_skipped=0
	probes_failed=0
	while [ $polls_skipped -lt $polls_max ]; do
		polls_fail $polls_skipped 1 || return 1
		if bound_anew; then
			polls_have_failed || break
		else
			probes_failed=$((probes_failed + 1))
			bound_anew || return 1
		fi
		polls_skipped=$((polls_skipped + 1))
	done
	polls_succeed
	echo "$probes_failed of $polls_skipped waits made a probe fail"
	[ $probes_failed -gt 1 ] && [ $polls_skipped -lt $polls_max ] && is_ready
}

# resets COMMAND...: which does one. What does not come back is bound anew.
resets()
{
	polls_skipped=0
	resets_lost=0
	while [ $polls_skipped -lt $polls_max ]; do
		polls_fail $polls_skipped 1 || return 1
		"$@" || return 1
		polls_have_failed || break
		if ! is_ready; then
			[ "$(cat "$device/spmm/state")" = gone ] || return 1
			resets_lost=$((resets_lost + 1))
			bound_anew || return 1
			is_ready || return 1
		fi
		polls_skipped=$((polls_skipped + 1))
	done
	polls_succeed
	echo "$resets_lost of $polls_skipped waits cost the device"
	[ $polls_skipped -gt 1 ] && [ $polls_skipped -lt $polls_max ] && is_ready
}

# Awake: to wake up is a matter of its own.
reset_function()
{
	echo on >"$device/power/control"
	echo 1 >"$device/reset"
}

# Which the module answers with a reset; each step has a stronger one behind it.
make_silent()
{
	echo on >"$device/power/control"
	fault_arm admin_silent
	flow 3 lost || return 1
	fault_disarm
}

no_device_is_lost()
{
	resets make_silent && [ $resets_lost -eq 0 ]
}

# Its processes may find that it is gone.
wake_up()
{
	echo auto >"$device/power/control"
	wait_for 10 grep -q '^suspended$' "$device/power/runtime_status" || return 1
	flow 1 gone || true
}

# Any of them, during work and resets.
at_random()
{
	polls_fail 0 -1 20
	flow 10 lost gone &
	for _ in 1 2 3 4 5; do
		reset_function
		sleep 1
	done
	wait $! || true
	polls_succeed
	is_ready || { bound_anew && is_ready; }
}

check "the module is there" module_load
check "each wait of a probe" probes
check "each wait of a reset of the function" resets reset_function
check "each wait of a reset by the module" no_device_is_lost
check "each wait of waking up" resets wake_up
check "waits during work" at_random
check "unloads" module_unload
