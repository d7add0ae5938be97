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

part_distill()
{
	ACCEL_TOOL=$(realpath "$build/tools/accel") "$(dirname "$0")/recovery_distill.sh"
}

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(oneshot distill)
: "${ACCEL_SHARED_DIR:=$PWD/../shared}"
export ACCEL_SHARED_DIR
for part in "${parts[@]}"; do
	if ! declare -F "part_$part" >/dev/null; then
		echo "recovery.sh: $part: no such part" >&2
		exit 2
	fi
	"part_$part"
done
