#!/bin/bash
# SPDX-License-Identifier: MIT
# check.sh MODEL BATCH HEIGHT WIDTH: compare the gradients of a model of ../shared with
# PyTorch's.
set -euo pipefail
here=$(dirname "$0")
model=$1
shift

# The distribution's own may not be the first one in PATH.
find_python()
{
	local python
	for python in python3 /usr/bin/python3; do
		if "$python" -c 'import numpy, onnx, torch' 2>/dev/null; then
			echo "$python"
			return
		fi
	done
	return 1
}

if ! python=$(find_python); then
	echo "skipped: PyTorch or ONNX is not there" \
		"(apt-get install python3-torch python3-onnx)" >&2
	[ "${CI:-}" = true ] && exit 1
	exit 77
fi
file=$ACCEL_SHARED_DIR/models/$model.onnx
if [ ! -e "$file" ]; then
	echo "skipped: there is no $file" >&2
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/$model"
"$DUMP_GRADIENTS" "$file" "$work/$model" "$@"
"$python" "$here/gradients.py" "$work/$model"
