#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the conformance suite on a device that it makes: for sim: and vfio-user: one with the
# configuration that the lines make up.
# usage: run.sh CONFORMANCE MODEL URI [LINE...]
set -euo pipefail
# shellcheck source=tests/conformance/server.sh
. "$(dirname "$0")/server.sh"
conformance=$1
model=$2
uri=$3
shift 3
cycles=1000
if [ $# -gt 0 ] && [ "$uri" = sim: ]; then
	printf '%s\n' "$@" >"$folder/config"
	uri=sim:$folder/config
	cycles=100
elif [ "$uri" = vfio-user: ]; then
	printf '%s\n' "$@" >"$folder/config"
	server_start --config "$folder/config"
	uri=$server_uri
fi
"$conformance" "$uri" --model "$model" --cycles "$cycles"
