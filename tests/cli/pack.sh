#!/bin/bash
# SPDX-License-Identifier: MIT
# Packed models: smaller, back again to the byte, and as good as portable ones everywhere.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

model=$folder/model.safetensors
packed=$folder/packed.safetensors
compact=$folder/compact.safetensors
back=$folder/back.safetensors

size()
{
	stat -c %s "$1"
}

# comes_back PACK-OPTION...: the portable file of the packed one is the one it was.
comes_back()
{
	expect 0 'packed for' "$accel" pack "$model" -o "$packed" "$@"
	expect 0 'weights kept' "$accel" pack "$packed" -o "$back" --portable
	check "$1: the model comes back" cmp "$model" "$back"
	check "$1: the packed file is smaller" \
		[ $((10 * $(size "$packed"))) -lt $((8 * $(size "$model"))) ]
}

for onnx in "$models"/fashion_*_sp*.onnx; do
	expect 0 'weights kept' "$accel" compress "$onnx" -o "$model" \
		--sparsity keep
	comes_back --config small
	comes_back --config hbm2e --batch 64
	comes_back --config default
	expect 0 'weights kept' "$accel" compress "$onnx" -o "$back" \
		--sparsity keep --compact --config default
	check "$onnx: --compact for a device writes what pack writes" cmp "$packed" "$back"
	expect 0 'weights kept' "$accel" compress "$onnx" -o "$compact" \
		--sparsity keep --compact
	check "$onnx: the compact file is smaller" \
		[ $((100 * $(size "$compact"))) -lt $((95 * $(size "$packed"))) ]
	expect 0 'weights kept' "$accel" pack "$compact" -o "$back" --portable
	check "$onnx: the model comes back" cmp "$model" "$back"
	expect 0 'weights kept' "$accel" pack "$packed" -o "$back" --compact
	check "$onnx: pack --compact writes the same" cmp "$compact" "$back"
	expect 0 'packed for' "$accel" pack "$compact" -o "$back"
	check "$onnx: a compact model packs as any other" cmp "$packed" "$back"
done

expect 0 'packed for 16 clusters of 8 lanes' "$accel" inspect "$packed"
expect 0 '"clusters": 16' "$accel" inspect "$packed" --json
expect 0 '"packing": null' "$accel" inspect "$model" --json
for command in run verify explain; do
	expect 0 'total|0 differ' "$accel" "$command" "$packed"
	expect 0 'total|0 differ' "$accel" "$command" "$packed" --latents 40
done
expect 0 ' 0 differ' "$accel" verify "$packed" --device "sim:" --latents 3
check 'a packed model exports' \
	"$accel" export "$packed" --format onnx -o "$folder/a.onnx"
check 'and so does a portable one' \
	"$accel" export "$model" --format onnx -o "$folder/b.onnx"
check 'they are the same' cmp "$folder/a.onnx" "$folder/b.onnx"

# A device in another process.
socket=$folder/socket
"${ACCEL_SPMM_SIM:?is set by meson test}" --socket "$socket" &
server=$!
for _ in $(seq 100); do
	[ -S "$socket" ] && break
	sleep 0.05
done
for file in "$model" "$packed" "$compact"; do
	for uri in sim: cpu: "vfio-user:$socket"; do
		expect 0 total "$accel" run "$file" --latents 5 --device "$uri" \
			--output "$folder/${file##*/}-${uri%%:*}.npy"
	done
done
kill "$server"
wait "$server"
for result in "$folder"/*safetensors-*.npy; do
	check "$result is like the others" \
		cmp "$result" "$folder/model.safetensors-cpu.npy"
done

# Of another device.
printf 'preset = small\nlanes = 4\n' >"$folder/other.conf"
expect 0 'packed for 2 clusters of 4 lanes' "$accel" pack "$model" -o "$packed" \
	--config "$folder/other.conf"
expect 0 ' 0 differ' "$accel" verify "$packed"

# ---- what is wrong ----

expect 2 'where to' "$accel" pack "$model"
expect 1 'none.conf' "$accel" pack "$model" -o "$back" \
	--config "$folder/none.conf"
expect 2 '--compact' "$accel" compress "$onnx" -o "$back" --sparsity keep \
	--config small
expect 2 'exclude each other' "$accel" pack "$model" -o "$back" --compact --portable
for file in "$packed" "$compact"; do
	for length in 9 1000 $(($(size "$file") / 2)) $(($(size "$file") - 1)); do
		head -c "$length" "$file" >"$back"
		expect 1 'accel inspect: .*' "$accel" inspect "$back"
	done
	for offset in 20 500 $(($(size "$file") / 2)) $(($(size "$file") - 1)); do
		cp "$file" "$back"
		printf '\xa5' | dd of="$back" bs=1 seek="$offset" conv=notrunc status=none
		expect 1 'accel inspect: .*' "$accel" inspect "$back"
		expect 1 'accel run: .*' "$accel" run "$back"
	done
done

exit $((failures > 0))
