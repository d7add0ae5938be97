# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Sourced by suites, in the virtual machine: . /suites/guest
# Results are KTAP; what a check printed is shown where it failed.
results=0
device_id=0x1de5

result()
{
	results=$((results + 1))
	echo "$1 $results - $2"
}

# check NAME COMMAND...: ok if it succeeds; skipped, if it exits with 77 or 4 (kselftest's
# number), with its last line as the reason.
check()
{
	check_name=$1
	shift
	# Not in a list of || or &&, in which no shell would heed the -e.
	(set -e; "$@") >/tmp/check.out 2>&1
	check_status=$?
	case $check_status in
	0) result ok "$check_name" ;;
	4 | 77) result ok "$check_name # SKIP $(tail -n 1 /tmp/check.out)" ;;
	*)
		sed 's/^/# /' /tmp/check.out
		result "not ok" "$check_name"
		;;
	esac
}

# program NAME COMMAND...: one that prints KTAP itself; a case of this one's that it is
# ok as a whole.
program()
{
	program_name=$1
	shift
	program_status=0
	"$@" >/tmp/program.out 2>&1 || program_status=$?
	sed 's/^/    /' /tmp/program.out
	case $program_status in
	0) result ok "$program_name" ;;
	4 | 77) result ok "$program_name # SKIP $(tail -n 1 /tmp/program.out)" ;;
	*) result "not ok" "$program_name (status $program_status)" ;;
	esac
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for()
{
	wait_left=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$wait_left" -gt 0 ] || return 1
		wait_left=$((wait_left - 1))
		usleep 100000
	done
}

flow_is_on()
{
	[ -e /tmp/flow.0 ] && [ -e /tmp/flow.1 ] && [ -e /tmp/flow.2 ]
}

# flow_start ARGUMENTS: the program `flow`, on whose jobs the device is when this returns; it
# is the process $flow_pid.
flow_start()
{
	rm -f /tmp/flow.*
	flow "$@" &
	# shellcheck disable=SC2034 # for suites
	flow_pid=$!
	wait_for 60 flow_is_on || true
}

# The device's folder in sysfs.
device_folder()
{
	for device in /sys/bus/pci/devices/*; do
		[ "$(cat "$device/vendor")" != "$device_id" ] || echo "$device"
	done
}

module_load()
{
	modprobe spmm "$@" && wait_for 20 test -c /dev/accel/accel0
}

# What a process held is given back soon after it has ended. A dump of a reset is the
# device's and would outlive the module for minutes: the next one is not to find it.
module_unload()
{
	for dump in /sys/class/devcoredump/devcd*/data; do
		[ ! -e "$dump" ] || echo 1 >"$dump"
	done
	wait_for 5 rmmod spmm
}

# monitor COMMAND ARGUMENTS: tells QEMU's monitor, both as JSON; the device is "spmm".
monitor()
{
	echo "# monitor: {\"execute\":\"$1\",\"arguments\":$2}" >/dev/ttyS0
}

# system_sleep SECONDS: suspend to idle, until a line comes in on the serial port. The clock's
# own alarm wakes no such sleep here: the kernel leaves that to ACPI, which QEMU has for
# deeper ones only.
system_sleep()
{
	sleep_began=$(date +%s)
	echo enabled >/sys/class/tty/ttyS0/power/wakeup
	echo "# alarm: $1" >/dev/ttyS0
	echo freeze >/sys/power/state
	[ $(($(date +%s) - sleep_began)) -ge $(($1 - 1)) ]
}

# device_reset_gone DEVICE: one of which every read is all ones. Newer kernels take its link down
# and up for that, which QEMU's root port does not report as up again: they call it a
# failure, though the device has been reset.
device_reset_gone()
{
	echo 1 >"$1/reset" || [ "$(uname -r | cut -d. -f1)" -ge 7 ]
}

driver_of()
{
	basename "$(readlink "/sys/bus/pci/devices/$1/driver")"
}

# driver_take BDF DRIVER: instead of the one it has; "" for any that claims it.
driver_take()
{
	echo "$2" >"/sys/bus/pci/devices/$1/driver_override"
	[ ! -e "/sys/bus/pci/devices/$1/driver" ] ||
		echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers_probe
}

# The group's file of a device that VFIO has.
vfio_group()
{
	vfio_number=$(basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")")
	ls "/dev/vfio/$vfio_number" 2>/dev/null || ls "/dev/vfio/noiommu-$vfio_number"
}

# vfio_bind BDF: for `--device vfio:BDF`; spmm is unloaded. The debug kernel has built in
# what modprobe names here.
vfio_bind()
{
	[ ! -d /sys/module/spmm ] || module_unload || return 1
	for vfio_module in vfio_iommu_type1 vfio-pci; do
		modprobe "$vfio_module" 2>/dev/null || true
	done
	[ -d /sys/bus/pci/drivers/vfio-pci ] || { echo "this kernel has no vfio-pci"; return 77; }
	driver_take "$1" vfio-pci
	[ "$(driver_of "$1")" = vfio-pci ] && wait_for 5 vfio_group "$1"
}

# vfio_unbind BDF: spmm may have it again.
vfio_unbind()
{
	driver_take "$1" ""
	[ "$(driver_of "$1")" != vfio-pci ]
}
