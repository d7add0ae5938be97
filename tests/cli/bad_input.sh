#!/bin/bash
# SPDX-License-Identifier: MIT
# Damaged files, wrong shapes, full disks and lost deadlines: status 1, a text that
# says what is wrong, and nothing half-written.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

onnx=$models/fashion_vae_dec_sp90.onnx
image_onnx=$models/esrgan_slim_x2_sp80.onnx
model=$folder/model.safetensors
other=$folder/other.safetensors

# npy NAME SHAPE COUNT BYTES: float32 array; BYTES is a printf text repeated COUNT times.
npy()
{
	local header="{'descr': '<f4', 'fortran_order': False, 'shape': $2, }"
	printf -v header '%-117s\n' "$header"
	{
		printf '\x93NUMPY\x01\x00\x76\x00%s' "$header"
		for ((i = 0; i < $3; i++)); do
			# shellcheck disable=SC2059
			printf "$4"
		done
	} >"$folder/$1"
}

expect 0 'weights kept' "$accel" compress "$onnx" -o "$model" --sparsity keep
size=$(stat -c %s "$model")

# ---- models ----

expect 1 'No such file' "$accel" inspect "$folder/none"
expect 1 'accel inspect: .*' "$accel" inspect "$folder"
: >"$folder/empty"
expect 1 'accel inspect: .*' "$accel" inspect "$folder/empty"
for length in 1 7 8 9 100 1000 $((size / 2)) $((size - 1)); do
	head -c "$length" "$model" >"$other"
	expect 1 'accel inspect: .*' "$accel" inspect "$other"
	expect 1 'accel run: .*' "$accel" run "$other" --device cpu:
done
for offset in 0 8 20 500 $((size / 3)) $((size / 2)) $((size - 2)); do
	cp "$model" "$other"
	printf '\xa5\x5a' | dd of="$other" bs=1 seek="$offset" conv=notrunc \
		status=none
	expect 1 'accel inspect: .*' "$accel" inspect "$other"
done
# A device that never ends is refused, instead of filling the memory.
expect 1 'is a device' "$accel" inspect /dev/zero
expect 1 'is a device' "$accel" run "$model" --input /dev/zero
cp "$model" "$other"
printf 'more' >>"$other"
expect 1 'accel inspect: .*' "$accel" inspect "$other"
expect 1 'accel verify: .*' "$accel" verify "$other"

# ---- networks ----

for length in 0 10 1000 $(($(stat -c %s "$onnx") / 2)); do
	head -c "$length" "$onnx" >"$folder/cut.onnx"
	expect 1 'accel compress: .*' "$accel" compress "$folder/cut.onnx" \
		-o "$other" --sparsity keep
done
# Sixteen bytes of ones are NaN, however the numbers lie.
cp "$onnx" "$folder/nan.onnx"
printf '\xff%.0s' {1..16} | dd of="$folder/nan.onnx" bs=1 \
	seek=$(($(stat -c %s "$onnx") / 2)) conv=notrunc status=none
expect 1 'is -?nan' "$accel" compress "$folder/nan.onnx" -o "$other" \
	--sparsity keep
expect 1 'all weights of .* are pruned' "$accel" compress "$onnx" \
	-o "$other" --sparsity 0.9999999

# ---- inputs ----

npy good.npy '(1, 32)' 32 '\x00\x00\x00\x00'
npy features.npy '(1, 31)' 31 '\x00\x00\x00\x00'
npy nan.npy '(1, 32)' 32 '\x00\x00\xc0\x7f'
npy short.npy '(1, 32)' 31 '\x00\x00\x00\x00'
expect 0 'total' "$accel" run "$model" --device cpu: --input "$folder/good.npy"
expect 1 '\[1, 31\].*\[.*32\]' "$accel" run "$model" --device cpu: \
	--input "$folder/features.npy"
expect 1 'not finite' "$accel" run "$model" --device cpu: \
	--input "$folder/nan.npy"
expect 1 'accel run: .*short.npy' "$accel" run "$model" --device cpu: \
	--input "$folder/short.npy"
expect 1 'has 1 input only' "$accel" run "$model" --device cpu: \
	--input "$folder/good.npy" --input "$folder/good.npy"
expect 1 'has 1 output only' "$accel" run "$model" --device cpu: \
	--output "$folder/a.npy" --output "$folder/b.npy"
expect 1 'not finite' "$accel" compress "$onnx" -o "$other" --sparsity keep \
	--calibrate "$folder/nan.npy"
expect 1 '\[1, 32\].*\[' "$accel" compress "$image_onnx" -o "$other" \
	--sparsity keep --calibrate "$folder/good.npy"
expect 1 'give --calibrate' "$accel" compress "$image_onnx" -o "$other" \
	--sparsity keep
expect 1 '--input-range' "$accel" compress "$image_onnx" -o "$other" \
	--sparsity keep --calibrate "$models/../photos/coffee_lr_x2.png"
mkdir "$folder/nothing"
expect 1 'no .npy and no .png' "$accel" compress "$onnx" -o "$other" \
	--sparsity keep --calibrate "$folder/nothing"

expect 1 'accel explain: .*none.onnx' "$accel" explain "$model" \
	--dense "$folder/none.onnx"
expect 1 'accel explain: .*input z takes shape \[\?, 64\]' "$accel" explain "$model" \
	--dense "$models/fashion_dcgan.onnx"

# ---- devices and deadlines ----

for command in run verify explain; do
	expect 1 'unknown device' "$accel" "$command" "$model" --device fpga:
	expect 1 'accel .*none.json' "$accel" "$command" "$model" \
		--device "sim:$folder/none.json"
	expect 1 'deadline of 0 s' "$accel" "$command" "$model" --timeout 0
done
expect 1 'unknown device' "$accel" info fpga:

# ---- what cannot be written ----

cp "$model" "$folder/before"
rm -f "$other"
files=$(find "$folder" | sort)
(
	# a limit on the size of files stands for a full disk
	ulimit -f 8
	expect 1 'accel compress: .*' "$accel" compress "$onnx" -o "$model" \
		--sparsity 0
	exit "$failures"
) || failures=$((failures + 1))
check 'the old model stays whole' cmp "$model" "$folder/before"
check 'nothing is left behind' test "$files" = "$(find "$folder" | sort)"
expect 1 'accel compress: .*' "$accel" compress "$onnx" -o /dev/full \
	--sparsity keep
expect 1 'accel compress: .*' "$accel" compress "$onnx" \
	-o "$folder/none/model" --sparsity keep
expect 1 'accel run: .*' "$accel" run "$model" --device cpu: --output /dev/full
expect 1 'accel run: .*' "$accel" run "$model" --device cpu: --image /dev/full
expect 1 'accel explain: .*' "$accel" explain "$model" --html /dev/full
expect 1 'accel explain: .*' "$accel" explain "$model" \
	--html "$folder/none/page.html"
expect 1 'standard output' sh -c "\"$accel\" inspect \"$model\" >/dev/full"

finish
