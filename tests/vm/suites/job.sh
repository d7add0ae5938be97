# SPDX-License-Identifier: MIT
# Jobs of processes: what is refused, what comes of the others.
# targets: tests/kselftest/job tests/kselftest/sync
# limit: 120
. /suites/guest
module_load
program "jobs" job
program "sync objects" sync
check "the module can be unloaded" module_unload
