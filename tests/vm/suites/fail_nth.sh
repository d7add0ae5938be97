# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Every call of the module with each of its allocations and copies of user memory failing.
# kernels: debug
# targets: tests/kselftest/fail_nth
# limit: 300
. /suites/guest
faults=/sys/kernel/debug

# The calls choose the failures themselves; here only what may fail, and that it happens
# silently: each would be reported with a call trace.
faults_configure()
{
	for kind in failslab fail_page_alloc fail_usercopy; do
		echo 0 >"$faults/$kind/verbose"
	done
	for kind in failslab fail_page_alloc; do
		echo N >"$faults/$kind/ignore-gfp-wait"
	done
	echo N >"$faults/fail_page_alloc/ignore-gfp-highmem"
	echo 0 >"$faults/fail_page_alloc/min-order"
}

check "failures can be injected" faults_configure
check "the module is loaded" module_load
program "every call survives every failure" fail_nth
check "the module can be unloaded" modprobe -r spmm
