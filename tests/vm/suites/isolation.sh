# SPDX-License-Identifier: MIT
# Processes that try to reach each other, and what random calls come to.
# targets: tests/kselftest/isolation tests/kselftest/random_calls
# limit: 120
# shellcheck source=tests/vm/guest.sh
. /suites/guest

module_load
program "isolation" isolation
check "nothing of them is left" wait_for 10 rmmod spmm
module_load
# Its processes are nobody special.
chmod 666 /dev/accel/accel0
program "random calls" random_calls 15
check "nothing of these either" wait_for 10 rmmod spmm
