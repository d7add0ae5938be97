#!/bin/bash
# SPDX-License-Identifier: MIT
# accel bench: its table, its JSON, and what it says of what cannot be measured. How fast
# anything is, it is not held to here: make bench does that.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

quick=(--seconds 0.01)

expect 2 'nop, copy or run' "$accel" bench --operation sleep
expect 2 'needs a MODEL' "$accel" bench --operation run
expect 2 'goes with --operation run' "$accel" bench a.safetensors
for sizes in 0 x '1,' '1,,2' -1 99999 1-2; do
	expect 2 "--batch $sizes: numbers" "$accel" bench --batch "$sizes"
	expect 2 "--depth $sizes: numbers" "$accel" bench --depth "$sizes"
done
expect 2 'nothing is measured' "$accel" bench --seconds 0
expect 1 'nonsense:' "$accel" bench --device nonsense: "${quick[@]}"
expect 1 'No such file' "$accel" bench --device vfio-user:/nowhere "${quick[@]}"
expect 1 'no batch of 8 fits into a depth of 4' \
	"$accel" bench --device cpu: --batch 8 --depth 4 "${quick[@]}"

# A device that stands still, one that fails, one that goes.
# shellcheck disable=SC2317 # called by name
faulty()
{
	echo "it: $1 on nop after 100 armed" >"$folder/fault"
	timeout 20 "$accel" bench --device "sim:?fault=$folder/fault" --timeout 0.2 \
		"${quick[@]}"
}
export -f faulty
export accel folder
for case in 'hang:no completion within 0.2 s, of [0-9]+ operations' 'memory_error:an operation failed: .*memory' \
	'gone:gone'; do
	expect 1 "accel bench: .*(${case#*:})" bash -c \
		"quick=(${quick[*]}); faulty '${case%%:*}'"
done

expect 0 'io_uring NOP.*batch 32' "$accel" bench --device nil: "${quick[@]}"
expect 0 '^ +8 +32 ' "$accel" bench --device nil: "${quick[@]}"
expect 0 'ns +[0-9]+ #+$' "$accel" bench --device nil: "${quick[@]}"
for key in ns_per_op_batch1 ns_per_op_batch32 io_uring_nop_ns io_uring_nop_batch1_ns \
	entry_fence_doorbell_ns bare_stores_ns clock_ns p99.9 buckets; do
	expect 0 "\"$key\": [0-9[]" "$accel" bench --device nil: --json --batch 3 \
		--depth 7 "${quick[@]}"
done
expect 0 '^ +2 +4 .*' "$accel" bench --device sim: --batch 1,2 --depth 4 "${quick[@]}"
expect 0 'copy of 64 bytes' "$accel" bench --operation copy --bytes 64 --batch 1 \
	--depth 2 "${quick[@]}"
check "a model is made" "$accel" compress "$models/fashion_vae_dec_sp90.onnx" \
	-o "$folder/model" --sparsity keep
expect 0 '^run, ' "$accel" bench "$folder/model" --operation run --device cpu: --batch 1 \
	--depth 3 "${quick[@]}"
finish
