# SPDX-License-Identifier: MIT
# A device that fails: hangs, wrong and lost completions, a silent admin queue.
# targets: tests/kselftest/fault
# spmm-sim: --fault tests/vm/faults/all.fault
# limit: 300
# allow: spmm .*(reset|does not end|no valid answer|no answer|admin command|does not)
. /suites/guest
module_load
program "the device fails" fault
check "the module can be unloaded" module_unload
