# SPDX-License-Identifier: MIT
# The driver leaves its device a hundred times while processes are at work.
# targets: tests/kselftest/unbind
# limit: 240
# shellcheck source=tests/vm/guest.sh
. /suites/guest
module_load
program "unbound with files open and jobs in flight" unbind
check "the module can be unloaded" module_unload
