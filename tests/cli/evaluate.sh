#!/bin/bash
# SPDX-License-Identifier: MIT
# What accel evaluate says of generators, by the eyes of a classifier.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

dense=$models/fashion_vae_dec.onnx
classifier=$ACCEL_SHARED_DIR/models/fashion_mlp.onnx
[ -r "$classifier" ] || { echo "skipped: there is no $classifier"; exit 77; }
expect 0 '' "$accel" compress "$dense" -o "$folder/whole" --sparsity 0 --latents 64
expect 0 '' "$accel" compress "$dense" -o "$folder/ruined" --sparsity 0.9 --latents 64
evaluate=("$accel" evaluate "$dense" "$folder/whole" "$folder/ruined" --device cpu:
	--latents 300 --features "$classifier")

# figure FILE N: the N-th FID of a result in JSON
figure()
{
	grep -o '"fid": [-0-9.e+]*' "$1" | sed -n "$2s/.*: //p"
}

# above A B
# shellcheck disable=SC2317 # check() calls it
above()
{
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'
}

expect 0 'dense network, other latents' "${evaluate[@]}"
"${evaluate[@]}" --json >"$folder/json" || check 'JSON' false
check 'int8 is below the floor' above "$(figure "$folder/json" 3)" "$(figure "$folder/json" 1)"
check 'magnitude at 90 % is above it' above "$(figure "$folder/json" 2)" \
	"$(figure "$folder/json" 3)"
"${evaluate[@]}" --json >"$folder/again"
check 'the same again' diff <(grep -v seconds "$folder/json") <(grep -v seconds "$folder/again")
expect 1 'is no classifier|takes pictures of' "$accel" evaluate "$dense" "$folder/whole" \
	--device cpu: --features "$dense"
expect 1 'none.onnx' "$accel" evaluate "$dense" "$folder/whole" --device cpu: \
	--features "$folder/none.onnx"
expect 1 'too few to compare' "$accel" evaluate "$dense" "$folder/whole" --device cpu: \
	--latents 3 --features "$classifier"

# ---- reports ----

# whole PAGE: a page that needs no other, and is well formed
# shellcheck disable=SC2317 # check() calls it
whole()
{
	[ "$(grep -c '</html>' "$1")" = 1 ] && ! grep -qE '(src|href)="[^d]|<script' "$1" &&
		[ "$(grep -o '<table' "$1" | wc -l)" = "$(grep -o '</table>' "$1" | wc -l)" ] &&
		[ "$(grep -o '<svg' "$1" | wc -l)" = "$(grep -o '</svg>' "$1" | wc -l)" ]
}

expect 0 'weights kept' "$accel" compress "$dense" -o "$folder/half" --sparsity 0.5 \
	--latents 64 --report "$folder/half.html"
check 'a page' whole "$folder/half.html"
check 'the command is in it' grep -q -- '--sparsity 0.5 --latents 64 --report' \
	"$folder/half.html"
check 'pictures are in it' grep -q 'class="pictures".*data:image/png;base64' "$folder/half.html"
check 'each layer has its pattern' test \
	"$(grep -o 'class="cells"' "$folder/half.html" | wc -l)" = 4
check 'figures beside it' grep -q '"sparsity": 0.5' "$folder/half.json"
expect 0 'FID' "${evaluate[@]}" --report "$folder/two.html"
check 'a page about two' whole "$folder/two.html"
check 'with the floor' grep -q 'dense, other latents' "$folder/two.html"
expect 1 'none/page.html' "$accel" compress "$dense" -o "$folder/never" --sparsity 0.5 \
	--report "$folder/none/page.html"
check 'nothing was compressed for it' test ! -e "$folder/never"

# What --metrics and --labels add.
expect 0 'MS-SSIM over 2 scales' "${evaluate[@]}" --metrics all
expect 0 'noise_0.1' "${evaluate[@]}" --metrics robustness
"${evaluate[@]}" --metrics all --json >"$folder/all" || check 'JSON of all' false
"${evaluate[@]}" --metrics all --json >"$folder/all2"
check 'all of it again' diff <(grep -v seconds "$folder/all") <(grep -v seconds "$folder/all2")
expect 2 'lpips: no such metric' "$accel" evaluate "$dense" "$folder/whole" --metrics lpips
expect 2 'need --features' "$accel" evaluate "$dense" "$folder/whole" --metrics psnr,fid
expect 1 'is of a Sketch-RNN decoder' "$accel" evaluate "$dense" "$folder/whole" --metrics psnr,nll
expect 1 'no row of scores' "$accel" evaluate "$dense" "$folder/whole" --labels "$folder/json"

shared=$ACCEL_SHARED_DIR/models
pictures=$shared/golden/fashion_mlp__x64.npy
labels=$shared/golden/fashion_test_labels64.npy
expect 0 'non-zeros|kept' "$accel" compress "$classifier" -o "$folder/mlp" --sparsity 0.5 \
	--calibrate "$pictures"
judge=("$accel" evaluate "$classifier" "$folder/mlp" --device cpu: --input "$pictures")
expect 0 'macro F1' "${judge[@]}" --labels "$labels"
expect 1 'this has . axes' "${judge[@]}" --labels "$pictures"

bird=$shared/sketchrnn_bird.onnx
expect 0 'kept' "$accel" compress "$bird" -o "$folder/bird" --sparsity 0 \
	--calibrate "$shared/golden/sketchrnn_bird__x.npy"
expect 0 'its own sketches  *strokes' "$accel" evaluate "$bird" "$folder/bird" --device cpu: \
	--latents 4 --metrics nll

# ---- what reports of compress show ----

expect 0 'kept' "$accel" compress "$bird" -o "$folder/bird" --sparsity 0 --sample strokes:4 \
	--report "$folder/bird.html"
check 'its sketches are in it' grep -q '<h2>Sketches</h2>' "$folder/bird.html"
expect 0 'kept' "$accel" compress "$dense" -o "$folder/half" --sparsity 0.5 --latents 64 \
	--features "$classifier" --report "$folder/half.html"
check 'the floor is in it' grep -q 'dense, other latents' "$folder/half.html"
check 'and MS-SSIM' grep -q '<th>MS-SSIM</th>' "$folder/half.html"
check 'still a page' whole "$folder/half.html"

# ---- super-resolution ----

sr=$shared/esrgan_slim_x2.onnx
photos=$shared/photos
expect 0 'kept' "$accel" compress "$sr" -o "$folder/sr" --sparsity 0 \
	--calibrate "$photos/astronaut_lr_x2.png" --input-range 0:255 --output-range 0:255
enlarge=("$accel" evaluate "$sr" "$folder/sr" --device cpu: --input "$photos/coffee_lr_x2.png"
	--input-range 0:255 --output-range 0:255)
mkdir "$folder/photos"
cp "$photos"/*_lr_x2.png "$folder/photos"
expect 0 'kept' "$accel" compress "$sr" -o "$folder/sr2" --sparsity 0 \
	--calibrate "$folder/photos" --input-range 0:255 --report "$folder/sr.html"
check 'of a folder' grep -q '<h2>Before and after</h2>' "$folder/sr.html"
expect 0 'luminance against the original' "${enlarge[@]}" --original "$photos/coffee_hr256.png"
"${enlarge[@]}" --original "$photos/coffee_hr256.png" --json >"$folder/json"
# original KEY
original()
{
	sed -n "s/^ *\"$1\": \([0-9.]*\).*/\1/p" "$folder/json"
}
check 'int8 loses less than 0.05 dB' above 0.05 "$(awk -v a="$(original \
	dense_original_psnr_luminance)" -v b="$(original original_psnr_luminance)" \
	'BEGIN { print a - b }')"
expect 1 'the result takes' "${enlarge[@]}" --original "$photos/coffee_lr_x4.png"
expect 1 'result is none' "$accel" evaluate "$classifier" "$folder/mlp" --device cpu: \
	--input "$pictures" --original "$photos/coffee_hr256.png"
finish
