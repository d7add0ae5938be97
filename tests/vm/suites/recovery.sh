# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Recovery goes as far as it has to, and what the device looked like before a reset can be
# read afterwards.
# targets: tests/kselftest/recovery
# spmm-sim: --fault tests/vm/faults/all.fault
# limit: 180
# allow: spmm .*(reset|does not end|no valid answer|no answer|admin command|does not)
# shellcheck source=tests/vm/guest.sh
. /suites/guest

# One for each ring, slot and fault, and no longer than what was reserved for it.
dump_is_whole()
{
	for dump in /sys/class/devcoredump/devcd*/data; do
		cp "$dump" /tmp/dump
	done
	cat /tmp/dump
	[ "$(wc -c </tmp/dump)" -lt 32768 ]
	for line in '^reason: .' '^status: 0x' '^progress\[2\]: 0x' '^ring\[0\]: .* sq_tail' \
		'^queue\[[2-9]\]: context [2-9] .* on_device 1 first 1 trouble 3' \
		'^ring\[[2-9]\]: entries 256 sq_tail 1 sq_head 0 cq_head 0 phase 1' \
		'^context\[[2-9]\]: faults' \
		'^fault: .* status 0x.* address 0x100000000'; do
		grep -q "$line" /tmp/dump || { echo "no $line"; return 1; }
	done
}

check "the module is there" module_load
program "each step" recovery
check "a dump was made" dump_is_whole
# It is the device's, and does not keep the module.
check "the module can be unloaded" module_unload
