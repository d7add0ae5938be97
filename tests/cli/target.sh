#!/bin/bash
# SPDX-License-Identifier: MIT
# Compressing to a target: what it refuses, and that it keeps its word.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

network=$models/fashion_vae_dec.onnx
compress=("$accel" compress "$network" -o "$folder/model" --latents 32 --looks 1)

expect 2 'no such target; it takes psnr>=32' "${compress[@]}" --target 'speed>=3'
expect 2 'psnr is bounded by >=' "${compress[@]}" --target 'psnr<=32'
expect 2 'cycles is bounded by <=' "${compress[@]}" --target 'cycles=32'
expect 2 'no number after >=' "${compress[@]}" --target 'ratio>=much'
expect 2 'no number after >=' "${compress[@]}" --target 'ratio>=20%'
expect 2 'lies between 0 and 1' "${compress[@]}" --target 'sparsity>=120%'
expect 2 'less than 100%' "${compress[@]}" --target 'cycles<=100%'
expect 2 'above 0' "${compress[@]}" --target 'psnr>=-3'
expect 2 'it excludes --sparsity' "${compress[@]}" --target 'psnr>=32' --sparsity 0.5
expect 2 'search simplex: it takes bayesian, grid or random' "${compress[@]}" --target 'psnr>=32' \
	--search simplex
expect 2 'search and --looks are for --target' "$accel" compress "$network" -o "$folder/model" \
	--sparsity 0.5 --search grid
expect 2 'needs --features' "${compress[@]}" --target 'fid<=1'

mkdir "$folder/trials"
export TMPDIR=$folder/trials

# Trials are files of nobody else, and the user's own of whatever name stay.
echo mine >"$folder/model.trial"
TMPDIR=$folder/nowhere expect 1 'nowhere: no place for a temporary file' \
	"${compress[@]}" --target 'psnr>=90'

# Only the dense model is tried; nothing is written.
expect 1 "psnr>=90 is out of reach. The best was psnr>=4[0-9.]+ .* by: accel compress .*--target" \
	"${compress[@]}" --target 'psnr>=90'
expect 1 'why: int8 alone, without a single zero, is no better' \
	"${compress[@]}" --target 'psnr>=90'
check 'no file of a target that was missed' test ! -e "$folder/model"
check 'a file of the user stays' grep -q mine "$folder/model.trial"

# By the eyes of a classifier, where there is one.
classifier=$ACCEL_SHARED_DIR/models/fashion_mlp.onnx
if [ -r "$classifier" ]; then
	expect 1 'fid<=1e-05 is out of reach. The best was fid<=0.0[0-9]+ \(dense' \
		"${compress[@]}" --target 'fid<=1e-05' --features "$classifier"
fi

"${compress[@]}" --target ' ratio >= 6' --json --search grid >"$folder/json" 2>"$folder/said"
check 'a ratio' test "$?" -eq 0
check 'the file is as small as was asked' test "$(stat -c %s "$folder/model")" -le $((3390852 / 6))
check 'it is said what was tried' grep -q 'allocation .*yes' "$folder/said"
check 'and which search proposed it' grep -q '^allocation *grid' "$folder/said"
check 'and why each layer got what' grep -q '/fc2/Gemm .*gn\|/fc2/Gemm .*magnitude' "$folder/said"
check 'in JSON as well' grep -q '"less_sparse"' "$folder/json"
check 'with the search' grep -q '"search": *"grid"' "$folder/json"
check 'no trial is left' rmdir "$TMPDIR"
expect 0 'spmm' "$accel" inspect "$folder/model"
finish
