# SPDX-License-Identifier: MIT
# Real networks through the module: every activation of every layer is what the golden
# arithmetic says, through jobs and through queues that bypass the module.
# targets: tools/accel tests/vm/models.tar
# limit: 300
# shellcheck source=tests/vm/guest.sh
. /suites/guest
module_load
tar -xf /data/models.tar -C /tmp

# Layers of a network as a job of the kernel, or by a doorbell of the process.
verifies()
{
	accel verify "$1" --device "dev:/dev/accel/accel0?queues=$2" --latents 1 | tee /tmp/verified
	grep -q ', 0 differ' /tmp/verified
}

for queues in job user; do
	for model in /tmp/*.safetensors; do
		name=$(basename "$model" .safetensors)
		check "$name, $queues queue" verifies "$model" "$queues"
	done
done
