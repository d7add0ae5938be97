# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Events of perf, while the device comes and goes.
# targets: tests/kselftest/pmu
# limit: 120
# shellcheck source=tests/vm/guest.sh
. /suites/guest
check "the module is there" module_load
program "events of perf" pmu
check "the module can be unloaded" module_unload
