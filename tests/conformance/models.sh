#!/bin/bash
# SPDX-License-Identifier: MIT
# Every activation of every layer of the public networks, computed behind a socket, is what
# the golden arithmetic says.
set -euo pipefail
# shellcheck source=tests/conformance/server.sh
. "$(dirname "$0")/server.sh"
accel=${ACCEL_TOOL:?is set by meson test}
results=0
status=0

verifies()
{
	"$accel" verify "$1" --device "$server_uri" --latents 1 >"$folder/output" 2>&1 &&
		grep -q ', 0 differ' "$folder/output"
}

"$(dirname "$0")/../vm/models.sh" "$accel" "$folder/models.tar" "${ACCEL_SHARED_DIR:?}" \
	>"$folder/compressed"
mkdir "$folder/models"
tar -xf "$folder/models.tar" -C "$folder/models"
# shellcheck disable=SC2119 # it takes options, these here are none
server_start
for model in "$folder"/models/*.safetensors; do
	results=$((results + 1))
	name=$(basename "$model" .safetensors)
	if verifies "$model"; then
		echo "ok $results - $name"
	else
		sed 's/^/# /' "$folder/output"
		echo "not ok $results - $name"
		status=1
	fi
done
echo "1..$results"
exit "$status"
