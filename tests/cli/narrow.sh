#!/bin/bash
# SPDX-License-Identifier: MIT
# Recurrent networks that get narrower, and those whose states are their user's.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

shared=$ACCEL_SHARED_DIR/models
status=0
"$ACCEL_SOURCE_DIR/tests/rowvae.sh" "$folder" || status=$?
[ "$status" -eq 0 ] || exit "$status"
cd "$folder" || exit 1

narrow=("$accel" compress -o model --sparsity 0.5 --method structured)
rows=(--calibrate rows.npy --input-range 0:1)

# Of 24 units, and of 4512 weights half; the last step is cut out by one for each unit.
expect 0 'gru +1[0-9]x28x1' "${narrow[@]}" encoder.onnx "${rows[@]}" --float narrow.onnx
check 'half of the weights are left' grep -qE '22[67][0-9] of 2[2-4][0-9]+ weights' printed
check 'no layer is said to be whole' test "$(grep -c 'keeps all' printed)" -eq 0
check 'the narrow model runs' "$accel" run model --device cpu: --input rows.npy
cp model first
expect 0 'gru +1[0-9]x28x1' "${narrow[@]}" encoder.onnx "${rows[@]}" --reconstruct ls
expect 0 'gru' "${narrow[@]}" encoder.onnx "${rows[@]}"
check 'the same bytes again' cmp model first
expect 0 'gru +1[0-9]x28x1' "$accel" compress narrow.onnx -o model --sparsity 0 "${rows[@]}"

# The width of a state that goes in and comes out is not ours to change.
whole='keeps all its hidden units: its state is an input of the network'
expect 1 "decoder.0.lstm $whole" "${narrow[@]}" decoder.onnx --calibrate previous=rows.npy
expect 1 'inputs and outputs need them' "${narrow[@]}" decoder.onnx --calibrate previous=rows.npy
expect 0 '"whole_layers"' "$accel" compress decoder.onnx -o model --sparsity keep \
	--method structured --calibrate previous=rows.npy --json
check 'and the file says why' grep -q '"reason": "its state is an input of the network' printed
if [ -e "$shared/sketchrnn_bird.onnx" ]; then
	expect 1 "lstm $whole" "${narrow[@]}" "$shared/sketchrnn_bird.onnx" \
		--calibrate "$shared/golden/sketchrnn_bird__x.npy"
fi

finish
