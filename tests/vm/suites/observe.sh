# SPDX-License-Identifier: MIT
# What an operator sees of the device: sensors, attributes, events, a dump after a reset.
# targets: tests/kselftest/flow
. /suites/guest
module_load
device=$(device_folder)
sensors=$(echo "$device"/hwmon/hwmon*)
events=/sys/bus/event_source/devices/spmm_0

is_between()
{
	echo "$1, expected $2 to $3"
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

is()
{
	echo "$1, expected $2"
	[ "$1" = "$2" ]
}

awake()
{
	echo on >"$device/power/control"
}

asleep()
{
	echo auto >"$device/power/control"
	wait_for 10 grep -qw suspended "$device/power/runtime_status"
}

check "held awake" awake
check "temperature in millidegrees" sh -c "[ $(cat "$sensors/temp1_input") -gt 10000 ]"
check "power in microwatts" is_between "$(cat "$sensors/power1_input")" 1000 1000000000
check "clock in hertz" is_between "$(cat "$sensors/freq1_input")" 1000000 10000000000
check "state" is "$(cat "$device/spmm/state")" ready
check "version" is "$(cat "$device/spmm/device_version")" 1.0
check "resets" is "$(cat "$device/spmm/resets")" 0
check "events of perf" grep -q '^event=0x03$' "$events/events/macs"
check "it falls asleep without work" asleep
check "asleep is a state" is "$(cat "$device/spmm/state")" asleep
check "who asks a sensor does not wake it" sh -c "! cat $sensors/temp1_input"
check "still asleep" is "$(cat "$device/power/runtime_status")" suspended

# gputop and others find the file by these.
fdinfo_has()
{
	exec 3<>/dev/accel/accel0
	cat /proc/self/fdinfo/3
	cat /proc/self/fdinfo/3 >/tmp/fdinfo
	exec 3>&-
	for key in drm-driver:.spmm drm-engine-compute:.0.ns drm-cycles-compute:.0 \
		drm-total-host:.0 drm-resident-device:.0; do
		grep -q "$key" /tmp/fdinfo
	done
}
check "fdinfo" fdinfo_has

# What became of each job, in the kernel's trace.
traced()
{
	echo 1 >/sys/kernel/tracing/events/spmm/enable
	flow 1
	echo 0 >/sys/kernel/tracing/events/spmm/enable
	for event in spmm_job_submit spmm_job_run; do
		grep -q "$event: .* queue=.* commands=" /sys/kernel/tracing/trace
	done
	grep -q 'spmm_job_done: .* state=1 error=0' /sys/kernel/tracing/trace
}
check "jobs are traced" traced
