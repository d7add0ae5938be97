#!/bin/bash
# SPDX-License-Identifier: MIT
# Let PROGRAM FOLDER write cases (see compare.js), and ONNX Runtime judge them:
#     run.sh PROGRAM
# Where ONNX Runtime cannot be had it is a skip, in CI a failure.
set -euo pipefail
here=$(dirname "$0")

status=0
modules=$("$here/install.sh") || status=$?
if [ "$status" -eq 77 ] && [ "${CI:-}" = true ]; then
	echo "CI has to run this" >&2
	exit 1
fi
[ "$status" -eq 0 ] || exit "$status"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" "$work"
NODE_PATH=$modules node "$here/compare.js" "$work"
