#!/bin/bash
# SPDX-License-Identifier: MIT
# The README's C example is at most 15 lines, compiles without a warning and runs the
# demo's model.
set -euo pipefail
: "${ACCEL_TOOL:?is set by meson test}" "${ACCEL_BUILD_DIR:?}" "${ACCEL_SOURCE_DIR:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' \
	"$ACCEL_SOURCE_DIR/README.md" >"$work/example.c"
lines=$(wc -l <"$work/example.c")
if [ "$lines" -lt 1 ] || [ "$lines" -gt 15 ]; then
	echo "README.md: the C example has $lines lines, not 1 to 15"
	exit 1
fi

"${CC:-cc}" -Wall -Wextra -Werror -I"$ACCEL_SOURCE_DIR/libaccel/include" \
	"$work/example.c" -o "$work/example" \
	-L"$ACCEL_BUILD_DIR/libaccel" -laccel
"$ACCEL_TOOL" compress "$ACCEL_TEST_MODELS/fashion_vae_dec_sp90.onnx" \
	-o "$work/model.safetensors" --sparsity keep >/dev/null
export LD_LIBRARY_PATH=$ACCEL_BUILD_DIR/libaccel
"$work/example" "$work/model.safetensors"

# It has to tell of an error, too.
if "$work/example" "$work/absent" 2>"$work/said" || [ ! -s "$work/said" ]; then
	echo "README.md: the C example does not report a missing model"
	exit 1
fi
