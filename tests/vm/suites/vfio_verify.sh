# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Real networks without the module: every activation of every layer is what the golden
# arithmetic says.
# targets: tools/accel tests/vm/models.tar
# limit: 300
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

check "information" accel info "vfio:$address"
for model in /tmp/*.safetensors; do
	check "$(basename "$model" .safetensors)" verifies "$model"
done
check "the module may have it again" vfio_unbind "$address"
