#!/bin/bash
# SPDX-License-Identifier: MIT
# The fast path to a device in another process, whose doorbells are messages.
# usage: vfio_user.sh FASTPATH SPMM-SIM
set -euo pipefail

folder=$(mktemp -d)
"$2" --socket "$folder/socket" >"$folder/log" 2>&1 &
server=$!
trap 'kill $server; rm -rf "$folder"' EXIT

for _ in $(seq 100); do
	[ ! -S "$folder/socket" ] || break
	sleep 0.05
done
"$1" --messages "vfio-user:$folder/socket"
