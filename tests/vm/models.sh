#!/bin/bash
# SPDX-License-Identifier: MIT
# The small public models as the device runs them, in one file for the virtual machine.
# Without ../shared those that come with the demo. usage: models.sh ACCEL OUT.tar SHARED
set -euo pipefail
accel=$1
out=$2
shared=$3/models
demo=$(dirname "$0")/../../tools/demo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compress NAME [OPTION...]
compress()
{
	local model=$shared/$1.onnx
	[ -f "$model" ] || model=$demo/models/$1.onnx
	[ -f "$model" ] || return 0
	"$accel" compress "$model" -o "$work/$1.safetensors" --sparsity keep "${@:2}"
}

photo=(--calibrate "$demo/photos/astronaut_lr_x2.png" --input-range 0:255)
compress esrgan_slim_x2 "${photo[@]}"
compress esrgan_slim_x2_sp80 "${photo[@]}"
compress esrgan_slim_x2_sp90 "${photo[@]}"
compress esrgan_slim_x4 "${photo[@]}"
compress fashion_dcgan
compress fashion_dcgan_sp80
compress fashion_mlp --calibrate "$shared/golden/fashion_mlp__x64.npy"
compress fashion_mlp_sp90 --calibrate "$shared/golden/fashion_mlp__x64.npy"
compress fashion_vae_dec
compress fashion_vae_dec_sp90
compress fashion_vae_enc --calibrate "$shared/golden/fashion_vae_enc__x32.npy"
compress sketchrnn_bird --calibrate "$shared/golden/sketchrnn_bird__x.npy"
tar -cf "$out" -C "$work" .
