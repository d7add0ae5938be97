#!/bin/sh
# SPDX-License-Identifier: MIT
# The demo: real generators, distilled or repaired at 75 to 90 % zeros, as int8, run on
# the simulated accelerator; beside them what plain magnitude pruning makes of them.
# Pictures and models are left in demo/.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
accel=${ACCEL:-$top/build/tools/accel}
out=${1:-$top/demo}
models=$here/models
photos=$here/photos

mkdir -p "$out"

# tell ARGUMENT...: print the command as a user would type it.
tell() {
	printf '\n$ accel'
	for argument; do
		printf ' %s' "${argument#"$top"/}"
	done
	printf '\n'
}

# show ARGUMENT...: run it, too.
show() {
	tell "$@"
	"$accel" "$@"
}

# quiet ARGUMENT...: the same; only the last two lines of its output.
quiet() {
	tell "$@"
	"$accel" "$@" >"$out/log" || {
		cat "$out/log"
		exit 1
	}
	tail -n 2 "$out/log"
}

headline() {
	printf '\n=== %s\n' "$1"
}

headline "Super-resolution x2: ESRGAN-slim, 80 % of its weights zero"
pixels="--input-range 0:255 --output-range 0:255"
# shellcheck disable=SC2086 # two options in one word
quiet compress "$models/esrgan_slim_x2.onnx" -o "$out/esrgan_sp80.safetensors" \
	--sparsity 0.8 --method gn --reconstruct ls \
	--calibrate "$photos/astronaut_lr_x2.png" $pixels
# shellcheck disable=SC2086
quiet compress "$models/esrgan_slim_x2.onnx" -o "$out/esrgan_magnitude80.safetensors" \
	--sparsity 0.8 --calibrate "$photos/astronaut_lr_x2.png" $pixels
show evaluate "$models/esrgan_slim_x2.onnx" "$out/esrgan_sp80.safetensors" \
	"$out/esrgan_magnitude80.safetensors" --input "$photos/coffee_lr_x2.png" \
	--image "$out/esrgan.png"
show run "$out/esrgan_sp80.safetensors" --input "$photos/coffee_lr_x2.png" \
	--image "$out/coffee_x2.png"

headline "VAE decoder, 90 % zero: new pieces of clothing from 32 random numbers each"
quiet distill "$models/fashion_vae_dec.onnx" -o "$out/vae_sp90.safetensors" --sparsity 0.9 \
	--steps 1500
quiet compress "$models/fashion_vae_dec.onnx" -o "$out/vae_magnitude90.safetensors" --sparsity 0.9
show evaluate "$models/fashion_vae_dec.onnx" "$out/vae_sp90.safetensors" \
	"$out/vae_magnitude90.safetensors" --latents 256 --seed 7 --image "$out/vae.png"

headline "DCGAN generator, 75 % zero"
quiet distill "$models/fashion_dcgan.onnx" -o "$out/dcgan_sp75.safetensors" --sparsity 0.75 \
	--steps 1600
quiet compress "$models/fashion_dcgan.onnx" -o "$out/dcgan_magnitude75.safetensors" --sparsity 0.75
show evaluate "$models/fashion_dcgan.onnx" "$out/dcgan_sp75.safetensors" \
	"$out/dcgan_magnitude75.safetensors" --latents 256 --seed 7 --image "$out/dcgan.png"

headline "Exact? Every activation of the simulated device against the golden arithmetic"
for model in esrgan_sp80 vae_sp90 dcgan_sp75; do
	show verify "$out/$model.safetensors"
done

rm -f "$out/log"
cat <<EOT

The pictures are in ${out#"$top"/}/: in esrgan.png, vae.png and dcgan.png the dense fp32
network comes first, then the compressed one, then plain magnitude pruning of the
dense one to the same sparsity in one shot. That ruins it: what makes high sparsity
usable is a mask that knows what each weight does, and then least squares (--method gn
--reconstruct ls) or distillation from the dense network (accel distill).
EOT
