# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The device is taken out of its slot, as by an operator who presses the slot's button,
# and put back while processes use it. The slot has no power control: QEMU 11.1 dies when
# it deletes a vfio-user-pci (its teardown of MSI-X comes twice), which it does when the
# slot is powered off; all before that is as it would be.
# spmm-sim: --fault tests/vm/faults/all.fault
# qemu: -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off
# qemu: -global pcie-root-port.power_controller_present=off
# files: tests/vm/suites/lib/fault.sh
# targets: tests/kselftest/flow
# limit: 120
# shellcheck source=tests/vm/guest.sh
. /suites/guest
# shellcheck source=tests/vm/suites/lib/fault.sh
. /data/fault.sh
device=$(device_folder)
slot=/sys/bus/pci/slots/1

is_out()
{
	[ ! -e "$device" ] && [ ! -e "$device/accel" ]
}

# The slot blinks for five seconds, in which the button may be pressed again.
pull()
{
	monitor device_del '{"id":"spmm"}'
	wait_for 30 is_out
}

power_on()
{
	echo 1 >$slot/power && test -c /dev/accel/accel0
}

# Not before the slot has come to rest.
put_back()
{
	wait_for 30 power_on
}

# Of the debug kernel, pciehp's own: it takes pci_rescan_remove_lock and its reset_lock in
# both orders, of which lockdep would tell, and then look no further.
lockdep_is_off()
{
	[ ! -e $lockdep ] || echo 0 >$lockdep
}
lockdep=/sys/module/lockdep/parameters/prove_locking

# pulled COMMAND...: in the middle of work, after COMMAND.
pulled()
{
	flow_start 15 gone
	"$@"
	pull
	wait "${flow_pid:?}"
}

works()
{
	flow 1
}

check "locks of others are not looked at" lockdep_is_off
check "the slot has a button" test -e $slot/attention
check "the module is there" module_load
check "pulled during work" pulled true
check "put back" put_back
check "work afterwards" works
check "pulled during work when it is dead already" pulled fault_arm gone_briefly
check "put back" put_back
check "work afterwards" works
check "unloads" module_unload
