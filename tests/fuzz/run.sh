#!/bin/bash
# SPDX-License-Identifier: MIT
# Run each fuzz target of a -Dfuzz=true build for some seconds: run.sh BUILD SECONDS.
# Prints "ok NAME" or "FAIL NAME", the latter with what the target said.
set -euo pipefail
if [ $# -ne 2 ]; then
	echo "usage: $0 BUILD SECONDS" >&2
	exit 2
fi
folder=$(cd "$1/tests/fuzz" && pwd)
seconds=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$folder/seeds" "$work/seeds"
status=0
for target in "$folder"/fuzz_*; do
	if [ ! -f "$target" ]; then
		continue
	fi
	name=${target##*/fuzz_}
	mkdir -p "$work/corpus/$name" "$work/seeds/$name"
	if (cd "$work" && "$target" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=2048 -max_len=65536 -seed=1 \
		"$work/corpus/$name" "$work/seeds/$name") >"$work/log" 2>&1; then
		runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$work/log")
		echo "ok $name: $runs runs in $seconds s"
	else
		echo "FAIL $name"
		tail -n 60 "$work/log"
		status=1
	fi
done
exit $status
