#!/bin/bash
# SPDX-License-Identifier: MIT
# From a network to pictures: what each command writes and prints.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

photo=$models/../photos/coffee_lr_x2.png
vae=$folder/vae.safetensors
sr=$folder/sr.safetensors

# shape_is FILE SHAPE: of a .npy file
# shellcheck disable=SC2317 # check() calls it
shape_is()
{
	head -c 128 "$1" | tr -d '\0' | grep -aqF "'shape': $2"
}

# ---- compress and inspect ----

expect 0 '84429 of 844288 weights kept' \
	"$accel" compress "$models/fashion_vae_dec_sp90.onnx" -o "$vae" \
	--sparsity keep --seed 5
expect 0 '44315 of 221572 weights kept' \
	"$accel" compress "$models/esrgan_slim_x2_sp80.onnx" -o "$sr" \
	--sparsity keep --calibrate "$photo" --input-range 0:255 \
	--output-range 0:255
# An exact number of non-zeros: 20 % of 844288, rounded.
for scope in layer global; do
	expect 0 '"nnz": 16885[78]' "$accel" compress \
		"$models/fashion_vae_dec.onnx" -o "$folder/pruned" \
		--sparsity 0.8 --scope "$scope" --latents 32 --json
done
expect 0 '"quantize": "int4:group:32"' "$accel" compress \
	"$models/fashion_vae_dec.onnx" -o "$folder/pruned" --sparsity 0.5 \
	--quantize int4:group:32 --latents 8 --json
expect 0 '"quantize": "codebook:64:v4"' "$accel" compress \
	"$models/fashion_vae_dec.onnx" -o "$folder/pruned" --sparsity 0.5 \
	--quantize codebook:64:v4 --latents 8 --json
expect 2 'calibration by best' "$accel" compress "$models/fashion_vae_dec.onnx" \
	-o "$folder/pruned" --sparsity 0.5 --calibration best
expect 2 'weights as int9' "$accel" compress "$models/fashion_vae_dec.onnx" \
	-o "$folder/pruned" --sparsity 0.5 --quantize int9
expect 0 '/deconv2/ConvTranspose +spmm +1x28x28' "$accel" inspect "$vae"
# Weights of another file: the dense ones into the graph of the sparse network.
expect 1 'weight' "$accel" compress "$models/fashion_vae_dec.onnx" \
	-o "$folder/none" --sparsity keep --weights "$vae"
dense=$ACCEL_SHARED_DIR/models/esrgan_slim_x2.safetensors
if [ -r "$dense" ]; then
	expect 0 '221[0-9]+ of 221572 weights kept' \
		"$accel" compress "$models/esrgan_slim_x2_sp80.onnx" \
		-o "$folder/dense" --sparsity keep --calibrate "$photo" \
		--input-range 0:255 --weights "$dense"
else
	echo "not tried, there is no $dense: weights of another file"
fi
for key in file name provenance layers total op output m k nnz weights bytes \
	bytes_fp32 sparsity ratio; do
	expect 0 "\"$key\":" "$accel" inspect "$vae" --json
done

# ---- run ----

expect 0 'host time' "$accel" run "$vae" --latents 9 --seed 2 \
	--output "$folder/a.npy" --image "$folder/a.png"
check 'latents are a batch' shape_is "$folder/a.npy" '(9, 1, 28, 28)'
check 'a grid of pictures' test -s "$folder/a.png"
expect 0 'host time' "$accel" run "$vae" --latents 9 --seed 2 --device cpu: \
	--output "$folder/b.npy"
check 'sim: and cpu: agree' cmp "$folder/a.npy" "$folder/b.npy"
expect 0 'host time' "$accel" run "$vae" --latents 9 --seed 3 --device cpu: \
	--output "$folder/b.npy"
check 'another seed gives others' \
	sh -c "! cmp \"$folder/a.npy\" \"$folder/b.npy\""
for key in device total layers host_seconds name op m k n nnz macs macs_dense \
	cycles roof_hard_cycles roof_structural_cycles utilization bytes_dram \
	bytes_pcie; do
	expect 0 "\"$key\":" "$accel" run "$vae" --repeat 3 --json
done
expect 0 '"device": "nil:"' "$accel" run "$vae" --device nil: --json

# ---- names and layouts ----

expect 0 'host time' "$accel" run "$sr" --device cpu: --input "$photo" \
	--output "$folder/nchw.npy" --image "$folder/sr.png"
check 'pictures come out NCHW' shape_is "$folder/nchw.npy" '(1, 3, 256, 256)'
# The result, [1,3,256,256], fits as an input again, and says that it is NCHW.
name=$("$accel" run "$sr" --device cpu: 2>&1 | sed -n 's/.*--input \(.*\)=FILE$/\1/p')
check 'a missing input is named' test -n "$name"
expect 0 'host time' "$accel" run "$sr" --device nil: \
	--input "$name=$folder/nchw.npy" --output "$folder/twice.npy"
check 'the layout stays' shape_is "$folder/twice.npy" '(1, 3, 512, 512)'
{
	printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
		"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 4, 8, 3), }"
	head -c 96 /dev/zero
} >"$folder/nhwc.npy"
expect 0 'host time' "$accel" run "$sr" --device cpu: \
	--input "$folder/nhwc.npy" --output "$folder/out.npy"
check 'NHWC in, NHWC out' shape_is "$folder/out.npy" '(1, 8, 16, 3)'
expect 1 '\[1, 4, 8, 3\].*\[\?, 3, \?, \?\]' "$accel" run "$sr" --device cpu: \
	--input "$folder/nhwc.npy" --layout nchw

# ---- explain ----

expect 0 'worth offloading' "$accel" explain "$vae" --latents 4 \
	--dense "$models/fashion_vae_dec.onnx" --html "$folder/explain.html"
expect 0 'estimate' cat "$folder/explain.html"
expect 0 '/deconv2/ConvTranspose' cat "$folder/explain.html"
check 'the page needs nothing else' \
	sh -c "! grep -qE '<script|<link|src=|href=|url|@import' '$folder/explain.html'"
for key in density start_cycle work_cycle end_cycle schedule issue_cycles optimal_cycles \
	stall_lane_cycles stall_percent energy_estimate_joules energy_estimate_memory \
	energy_estimate_figures source cpu_seconds dense_seconds link_seconds_alone \
	verdict worth reason summary; do
	expect 0 "\"$key\":" "$accel" explain "$vae" --json
done
expect 0 'counts no cycles' "$accel" explain "$vae" --device cpu:
expect 0 'counts no cycles' "$accel" explain "$vae" --device nil: \
	--html "$folder/nil.html"
expect 0 'worth offloading' "$accel" explain "$sr" --input "$photo"

# ---- verify, compare, evaluate, export, info ----

expect 0 '^[1-9][0-9]* values, 0 differ$' "$accel" verify "$vae"
expect 0 '^[1-9][0-9]* values, 0 differ$' "$accel" verify "$sr"
expect 0 '"differing": 0' "$accel" verify "$vae" --latents 3 --json
expect 0 'PSNR inf dB, SSIM 1.00000, largest error 0' \
	"$accel" compare "$folder/nchw.npy" "$folder/nchw.npy" --range 0:255
expect 1 'their shapes differ' "$accel" compare "$folder/a.npy" \
	"$folder/out.npy"
for format in onnx npz; do
	check "exports $format" "$accel" export "$vae" --format "$format" \
		-o "$folder/export.$format"
done
check 'ONNX is there' test -s "$folder/export.onnx"
check 'exports a layer' "$accel" export "$vae" --format onnx --layer /fc1/Gemm \
	-o "$folder/layer.onnx"
check 'which is smaller' test "$(stat -c %s "$folder/layer.onnx")" -lt \
	"$(stat -c %s "$folder/export.onnx")"
expect 1 'has no layer fc9; .accel inspect. lists them' "$accel" export "$vae" \
	--format onnx --layer fc9 -o "$folder/layer.onnx"
check 'a matrix is there' sh -c "ls \"$folder\"/export.*fc1*.npz"
expect 0 'spmm|sim' "$accel" info
expect 0 '"backend": "cpu"' "$accel" info cpu: --json
expect 0 '^nil: ' "$accel" list

# ---- several devices ----

# What comes out is what one device gives, whatever fails on the way.
one=(run "$vae" --latents 12 --seed 3 --output-range 0:1)
several=("${one[@]}" --device sim: --device cpu:)
echo 'it: memory_error on spmm after 3 always armed' >"$folder/broken.fault"
broken="sim:?fault=$folder/broken.fault"
check "one device" "$accel" "${one[@]}" --output "$folder/one.npy" --image "$folder/one.png"
expect 0 '6 items of 2 in' "$accel" "${several[@]}" --item 2 \
	--output "$folder/several.npy" --image "$folder/several.png"
check "several devices, the same values" cmp "$folder/one.npy" "$folder/several.npy"
check "several devices, the same picture" cmp "$folder/one.png" "$folder/several.png"
expect 0 '"failures": 1' "$accel" "${one[@]}" --device "$broken" --device cpu: --json
expect 0 '^12 items of 1' "$accel" "${one[@]}" --device "$broken" --device cpu: \
	--output "$folder/broken.npy"
check "a broken one among them, the same values" cmp "$folder/one.npy" "$folder/broken.npy"
expect 1 'all of its 2 devices have failed' \
	"$accel" "${one[@]}" --device "$broken" --device "$broken"
expect 1 'nonsense:' "$accel" "${several[@]}" --device nonsense:
expect 1 'cannot be split into items of 5' "$accel" "${several[@]}" --item 5
expect 2 'record one --device' "$accel" "${several[@]}" --trace "$folder/trace"

finish
