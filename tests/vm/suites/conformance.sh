# SPDX-License-Identifier: MIT
# What the library's headers promise, on the device behind the module: by jobs and by queues
# of the process.
# targets: tests/conformance/conformance tests/conformance/conformance.safetensors
# spmm-sim: --config tests/vm/configs/conformance.conf
# limit: 600
# shellcheck source=tests/vm/guest.sh
. /suites/guest

# Fewer cycles and more time: the processors are emulated.
conforms()
{
	program "$1" conformance "$1" --model /data/conformance.safetensors \
		--cycles 30 --slack 3000
}

check "the module loads" module_load
for queues in job user; do
	conforms "dev:/dev/accel/accel0?queues=$queues"
done
