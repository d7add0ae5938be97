#!/bin/bash
# SPDX-License-Identifier: MIT
# Compressing until a classifier sees a difference, in as few cycles as that takes.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

classifier=$ACCEL_SHARED_DIR/models/fashion_mlp.onnx
[ -r "$classifier" ] || { echo "skipped: there is no $classifier"; exit 77; }

"$accel" compress "$models/fashion_vae_dec.onnx" -o "$folder/model" \
	--latents 32 --looks 1 --target 'fid<=20' --fast --features "$classifier" \
	>"$folder/printed" 2>"$folder/said"
check 'it is met, and the search came to its end' test "$?" -eq 0

# The last line: fid<=20: STRATEGY, F FID, B bytes, C cycles
said=$(tr '\r' '\n' <"$folder/said" | grep '^fid<=20: ')
check 'it says so' test -n "$said"
fid=${said%% FID*}
check 'at most 20' awk -v fid="${fid##* }" 'BEGIN { exit !(fid > 0 && fid <= 20) }'
cycles=${said% cycles*}
check 'fewer than half of the dense 11500 cycles' test "${cycles##* }" -lt 5750
# --fast: every network that was tried was simulated.
check 'cycles were counted' grep -qE '^allocation .* [0-9]+ yes$' "$folder/said"
expect 0 'spmm' "$accel" inspect "$folder/model"
finish
