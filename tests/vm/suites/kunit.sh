# SPDX-License-Identifier: MIT
# The module's pure parts, as KUnit tests them.
# kernels: debug
# shellcheck source=tests/vm/guest.sh
. /suites/guest

# Each suite leaves its KTAP where debugfs shows it.
passes()
{
	cat "/sys/kernel/debug/kunit/$1/results"
	grep -q "^ok 1 $1" "/sys/kernel/debug/kunit/$1/results"
}

check "tests are loaded" modprobe spmm_test
for suite in spmm_pte spmm_ring spmm_validate; do
	check "$suite" passes "$suite"
done
