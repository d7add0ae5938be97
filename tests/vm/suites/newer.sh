# SPDX-License-Identifier: MIT
# A device of a later minor version, with unknown capabilities and without an optional part:
# the module drives it, and so does the library. Then the library on modules that tell more
# than this one, or speak otherwise.
# spmm-sim: --config tests/vm/configs/newer.conf
# targets: tests/conformance/conformance tests/conformance/conformance.safetensors
# targets: tests/conformance/other_module.preload
# limit: 200
# shellcheck source=tests/vm/guest.sh
. /suites/guest
model=/data/conformance.safetensors

is_exact()
{
	conformance "$1" --model $model --only "every operation"
}

# is_exact_on KIND URI: with the module's answers changed on their way.
is_exact_on()
{
	env OTHER_MODULE="$1" LD_PRELOAD=/bin/other_module.preload \
		conformance "$2" --model $model --only "every operation"
}

refuses()
{
	! is_exact_on another-major "dev:/dev/accel/accel0" >/tmp/refused || return 1
	cat /tmp/refused
	grep -q "the module's interface is version 2" /tmp/refused
}

check "the module takes a newer device" module_load
for queues in job user; do
	check "exact by $queues queues" is_exact "dev:/dev/accel/accel0?queues=$queues"
done
check "exact on a newer module" is_exact_on newer "dev:/dev/accel/accel0?queues=user"
check "a module of another major version is refused" refuses
address=$(basename "$(device_folder)")
check "VFIO takes the device" vfio_bind "$address"
check "exact without the module" is_exact "vfio:$address"
check "VFIO gives the device back" vfio_unbind "$address"
