#!/bin/bash
# SPDX-License-Identifier: MIT
# How much of a network compression gives back: recovery.sh BUILD [PART ...]
set -euo pipefail

build=$1
shift

part_oneshot()
{
	"$build/tests/bench/recovery_oneshot"
}

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(oneshot)
: "${ACCEL_SHARED_DIR:=$PWD/../shared}"
export ACCEL_SHARED_DIR
for part in "${parts[@]}"; do
	if ! declare -F "part_$part" >/dev/null; then
		echo "recovery.sh: $part: no such part" >&2
		exit 2
	fi
	"part_$part"
done
