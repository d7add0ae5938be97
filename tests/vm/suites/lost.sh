# SPDX-License-Identifier: MIT
# What is lost by resets, and what processes are told of them.
# spmm-sim: --fault tests/vm/faults/all.fault
# targets: tests/kselftest/memory_lost tests/kselftest/wedged
# limit: 180
# shellcheck source=tests/vm/guest.sh
. /suites/guest
modprobe vgem
module_load
program "device memory" memory_lost
program "events" wedged
check "the module can be unloaded" module_unload
