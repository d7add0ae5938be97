# SPDX-License-Identifier: MIT
# The driver leaves its device a hundred times while processes are at work; on the debug
# kernel, where that takes long, fewer.
# targets: tests/kselftest/unbind
# limit: 240
# shellcheck source=tests/vm/guest.sh
. /suites/guest
module_load
[ ! -e /sys/kernel/debug/kmemleak ] || export ROUNDS=25
program "unbound with files open and jobs in flight" unbind
check "the module can be unloaded" module_unload
