# SPDX-License-Identifier: MIT
# The library on a module that tells less of the device than this one: it drives no device that
# lacks anything, as it would not say so.
# spmm-sim: --config tests/vm/configs/conformance.conf
# targets: tests/conformance/conformance tests/conformance/conformance.safetensors
# targets: tests/conformance/other_module.preload
# limit: 120
# shellcheck source=tests/vm/guest.sh
. /suites/guest

is_exact_by()
{
	env OTHER_MODULE=older LD_PRELOAD=/bin/other_module.preload \
		conformance "dev:/dev/accel/accel0?queues=$1" \
		--model /data/conformance.safetensors --only "every operation"
}

check "the module loads" module_load
for queues in job user; do
	check "exact by $queues queues" is_exact_by $queues
done
check "the module unloads" module_unload
