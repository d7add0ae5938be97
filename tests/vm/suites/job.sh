# SPDX-License-Identifier: MIT
# Jobs of processes: what is refused, what comes of the others.
# targets: tests/kselftest/job
# limit: 120
. /suites/guest
module_load
program "jobs" job
check "the module can be unloaded" rmmod spmm
