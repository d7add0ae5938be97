#!/bin/bash
# SPDX-License-Identifier: MIT
# A run that is recorded: where the files go, and what stops it.
# shellcheck source=tests/cli/expect.sh disable=SC2016 # patterns hold a $
. "$(dirname "$0")/expect.sh"

vae=$folder/vae.safetensors
odd="$folder/a b?&%=c.json"

expect 0 'weights kept' "$accel" compress "$models/fashion_vae_dec_sp90.onnx" \
	-o "$vae" --sparsity keep --seed 5

# ---- both files, beside the result, which is the same with and without them ----

expect 0 'host time' "$accel" run "$vae" --latents 3 --trace "$folder/t.json" \
	--vcd "$folder/w.vcd" --output "$folder/a.npy"
expect 0 'host time' "$accel" run "$vae" --latents 3 --output "$folder/b.npy"
check 'who looks on changes nothing' cmp "$folder/a.npy" "$folder/b.npy"
check 'the time line is complete' \
	sh -c "head -n 1 '$folder/t.json' | grep -qx '\[' && tail -n 1 '$folder/t.json' | grep -qx '\]'"
expect 0 '^\$enddefinitions \$end$' cat "$folder/w.vcd"
expect 0 '^\$scope module cluster\[15\] \$end$' cat "$folder/w.vcd"

# The same bytes again: device time depends on nothing but the commands.
expect 0 'host time' "$accel" run "$vae" --latents 3 --trace "$folder/t2.json" \
	--vcd "$folder/w2.vcd"
check 'a time line can be repeated' cmp "$folder/t.json" "$folder/t2.json"
check 'waves can be repeated' cmp "$folder/w.vcd" "$folder/w2.vcd"

# Cycle by cycle or from event to event: the same, up to each span and each change.
expect 0 'host time' "$accel" run "$vae" --latents 3 \
	--device 'sim:?engine=reference' --trace "$folder/t2.json" \
	--vcd "$folder/w2.vcd"
check 'both engines show the same time line' \
	cmp "$folder/t.json" "$folder/t2.json"
check 'both engines show the same waves' cmp "$folder/w.vcd" "$folder/w2.vcd"

for row in host interrupts doorbells fetch commands 'to the device' \
	'to the host' 'DMA 0' 'cluster 0 load' 'cluster 0 lanes' \
	'cluster 15 store' 'cluster 0 waits' 'channel 0'; do
	expect 0 "\"args\":\{\"name\":\"$row\"\}" cat "$folder/t.json"
done
for name in '/fc1/Gemm' '/deconv2/ConvTranspose' 'input z' 'tags in use'; do
	expect 0 "\"name\":\"$name\"" cat "$folder/t.json"
done

expect 0 'worth' "$accel" explain "$vae" --trace "$folder/e.json"
check 'explain records, too' test -s "$folder/e.json"

# ---- names ----

expect 0 'host time' "$accel" run "$vae" --trace "$odd"
check 'any name can be given' test -s "$odd"
echo 'clusters = 4' >"$folder/four.conf"
expect 0 '4 clusters' "$accel" run "$vae" \
	--device "sim:$folder/four.conf?limit=2K" --trace "$folder/t.json"
expect 1 'same file' "$accel" run "$vae" --trace "$folder/x" --vcd "$folder/x"

# ---- devices and files that cannot be recorded ----

for device in cpu: nil:; do
	expect 1 'only a simulated device can be recorded' "$accel" run "$vae" \
		--device "$device" --trace "$folder/none.json"
done
check 'nothing was written' test ! -e "$folder/none.json"
expect 1 'no/t.json: No such file' "$accel" run "$vae" \
	--trace "$folder/no/t.json"
if [ -w /dev/full ]; then
	expect 1 '/dev/full: No space left' "$accel" run "$vae" --vcd /dev/full
	expect 1 '/dev/full: No space left' "$accel" explain "$vae" \
		--trace /dev/full
fi

finish
