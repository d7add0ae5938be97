# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced: one virtual machine, QEMU with the simulator as a PCI device behind an IOMMU.
# Both are this shell's own children, and the only processes that it ends.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
simulator=${SPMM_SIM:-build/sim/server/spmm-sim}
machine_memory=512M
sim_pid=
qemu_pid=

# sim_start FOLDER OPTION...: its socket is FOLDER/socket.
sim_start()
{
	local folder=$1 tries=100
	shift
	"$simulator" --socket "$folder/socket" "$@" >"$folder/sim.log" 2>&1 &
	sim_pid=$!
	while [ ! -S "$folder/socket" ]; do
		if ! kill -0 "$sim_pid" 2>/dev/null || [ $((tries -= 1)) -eq 0 ]; then
			echo "$simulator does not come up:"
			cat "$folder/sim.log"
			return 1
		fi
		sleep 0.05
	done
}

# It outlives the machine, and ends well when asked to.
sim_stop()
{
	local status=0
	[ -n "$sim_pid" ] || return 0
	kill "$sim_pid" 2>/dev/null || true
	wait "$sim_pid" || status=$?
	sim_pid=
	return $status
}

# The kernel's arguments: quick to boot under emulation, and a panic ends the machine.
kernel_arguments="console=ttyS1 panic=-1 rdinit=/init nokaslr mitigations=off tsc=reliable
	no_timer_check lpj=4000000 random.trust_cpu=on cryptomgr.notests intel_iommu=on"

# Sets `machine`: the command, but for the first serial port and the kernel's arguments.
# machine_command KERNEL-FOLDER INITRAMFS FOLDER QEMU-OPTION...
machine_command()
{
	local kernel_folder=$1 initramfs=$2 folder=$3
	shift 3
	machine=("$here/qemu.sh" -M "q35,memory-backend=ram" -accel "tcg,thread=multi"
		-cpu qemu64 -smp 2 -m "$machine_memory"
		-object "memory-backend-memfd,id=ram,size=$machine_memory,share=on"
		-nodefaults -display none -no-reboot
		-kernel "$kernel_folder/boot" -initrd "$initramfs"
		-device "intel-iommu,intremap=on,caching-mode=on"
		-device "pcie-root-port,id=rp1,chassis=1,slot=1"
		-device "{\"driver\":\"vfio-user-pci\",\"id\":\"spmm\",\"bus\":\"rp1\",\"socket\":{\"type\":\"unix\",\"path\":\"$folder/socket\"}}"
		"$@")
}

# What suites say to QEMU's monitor among their results, and answers that nobody reads.
# Ends with the process PID. monitor_forward FOLDER PID
monitor_forward()
{
	{
		echo '{"execute":"qmp_capabilities"}'
		tail --pid="$2" -n +1 -f "$1/results" |
			sed -un "s/\r$//; s,SOCKET,$1/socket,; s/^# monitor: //p"
	} 1<>"$1/monitor.in"
}

# A line on the first serial port, so many seconds after a suite has asked for it.
# Ends with the process PID. alarm_forward FOLDER PID
alarm_forward()
{
	local seconds
	tail --pid="$2" -n +1 -f "$1/results" | sed -un "s/\r$//; s/^# alarm: //p" |
		while read -r seconds; do
			sleep "$seconds"
			echo
		done 1<>"$1/input"
}

# machine_run FOLDER SECONDS ARGUMENTS: with what the suites print in FOLDER/results, the
# kernel's messages in kernel.log and QEMU's own in qemu.log.
machine_run()
{
	local folder=$1 seconds=$2 status=0
	mkfifo "$folder/monitor.in" "$folder/monitor.out" "$folder/input"
	timeout --kill-after=5 "$seconds" "${machine[@]}" \
		-chardev "file,id=results,path=$folder/results,input-path=$folder/input" \
		-serial chardev:results -serial "file:$folder/kernel.log" \
		-chardev "pipe,id=monitor,path=$folder/monitor" -mon chardev=monitor,mode=control \
		-append "$kernel_arguments $3" </dev/null >"$folder/qemu.log" 2>&1 &
	qemu_pid=$!
	monitor_forward "$folder" "$qemu_pid" &
	alarm_forward "$folder" "$qemu_pid" &
	wait "$qemu_pid" || status=$?
	qemu_pid=
	return $status
}

machine_end()
{
	[ -z "$qemu_pid" ] || kill "$qemu_pid" 2>/dev/null || true
	[ -z "$sim_pid" ] || kill "$sim_pid" 2>/dev/null || true
}
