#!/bin/bash
# SPDX-License-Identifier: MIT
# Put onnxruntime-node into the user's cache, unless it is there, and print the folder
# for NODE_PATH. Exit 77, with the reason, where it cannot be had.
set -euo pipefail
version=1.30.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/accel
folder=$cache/onnxruntime-node-$version

if [ -d "$folder/node_modules/onnxruntime-node" ]; then
	echo "$folder/node_modules"
	exit 0
fi
for command in node npm; do
	if ! command -v $command >/dev/null; then
		echo "skipped: $command is not installed" >&2
		exit 77
	fi
done

mkdir -p "$cache"
work=$(mktemp -d "$cache/install-XXXXXX")
trap 'rm -rf "$work"' EXIT
# The package's install script would fetch GPU libraries.
if ! npm install --prefix "$work" --ignore-scripts --no-audit --no-fund \
	"onnxruntime-node@$version" >"$work/log" 2>&1; then
	tail -n 5 "$work/log" >&2
	echo "skipped: npm cannot install onnxruntime-node" >&2
	exit 77
fi
# Whoever comes first wins; the others' copy is as good.
mv -T "$work" "$folder" 2>/dev/null || true
echo "$folder/node_modules"
