#!/bin/bash
# SPDX-License-Identifier: MIT
# check.sh [float] MODEL BATCH HEIGHT WIDTH [OPTION ...]: compress a model of the demo or of
# ../shared, or one that tests/rowvae.sh trains (rowvae_encoder), by these options or with
# the zeros that it has, or one of random operators (random:SEED), export it and compare its
# layers with ONNX Runtime. With float: as it was imported.
set -euo pipefail
here=$(dirname "$0")
precision=int8
if [ "$1" = float ]; then
	precision=float
	shift
fi
model=$1
sizes=("${@:2:3}")
options=("${@:5}")
[ ${#options[@]} -gt 0 ] || options=(--sparsity keep)

status=0
NODE_PATH=$("$here/install.sh") || status=$?
if [ "$status" -eq 77 ] && [ "${CI:-}" = true ]; then
	echo "CI has to run this" >&2
	exit 1
fi
[ "$status" -eq 0 ] || exit "$status"
export NODE_PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

find_file()
{
	local folder
	if [ "$1" = rowvae_encoder.onnx ]; then
		"$ACCEL_SOURCE_DIR/tests/rowvae.sh" "$work" || exit
		echo "$work/encoder.onnx"
		return
	fi
	for folder in "$ACCEL_TEST_MODELS" "$ACCEL_SHARED_DIR/models"; do
		if [ -e "$folder/$1" ]; then
			echo "$folder/$1"
			return
		fi
	done
	echo "skipped: $1 is neither in the tree nor in $ACCEL_SHARED_DIR" >&2
	exit 77
}

# What the model's inputs are calibrated with: latents, or data of its kind.
calibration()
{
	case $1 in
	esrgan*) echo --input-range 0:255 --calibrate "$ACCEL_SOURCE_DIR/tools/demo/photos/astronaut_lr_x2.png" ;;
	fashion_mlp*) echo --calibrate "$(find_file golden/fashion_mlp__x64.npy)" ;;
	rowvae_encoder) echo --input-range 0:1 --calibrate "$work/rows.npy" ;;
	fashion_vae_enc) echo --calibrate "$(find_file golden/fashion_vae_enc__x32.npy)" ;;
	sketchrnn*) echo --calibrate "$(find_file golden/sketchrnn_bird__x.npy)" ;;
	*) echo --latents 64 ;;
	esac
}

if [ $precision = float ]; then
	[[ $model == random:* ]] || model=$(find_file "$model.onnx")
	"$DUMP_GRAPHS" "$model" "$work" "${sizes[@]}"
	node "$here/floats.mjs" "$work"
	exit
fi

if [[ $model == random:* ]]; then
	"$RANDOM_MODELS" "${model#random:}" "$work"
	folders=()
	for file in "$work"/*.safetensors; do
		"$DUMP_LAYERS" "$file" "${file%.safetensors}" "${sizes[@]}"
		folders+=("${file%.safetensors}")
	done
else
	path=$(find_file "$model.onnx")
	data=$(calibration "$model")
	# shellcheck disable=SC2086 # an option and its value
	"$ACCEL_TOOL" compress "$path" -o "$work/model.safetensors" \
		"${options[@]}" $data >"$work/log"
	"$DUMP_LAYERS" "$work/model.safetensors" "$work/$model" "${sizes[@]}"
	folders=("$work/$model")
fi
node "$here/layers.mjs" "${folders[@]}"
