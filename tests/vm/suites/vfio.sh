# SPDX-License-Identifier: MIT
# The device without the module: a process that VFIO gives it to.
# targets: tools/accel tests/vm/models.tar
# limit: 120
# shellcheck source=tests/vm/guest.sh
. /suites/guest
address=$(basename "$(device_folder)")
vfio_bind "$address"
tar -xf /data/models.tar -C /tmp

verifies()
{
	accel verify "$1" --device "vfio:$address" --latents 1 | tee /tmp/verified
	grep -q ', 0 differ' /tmp/verified
}

check "info" accel info "vfio:$address"
for model in /tmp/*.safetensors; do
	check "$(basename "$model" .safetensors)" verifies "$model"
done
