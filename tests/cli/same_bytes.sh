#!/bin/bash
# SPDX-License-Identifier: MIT
# Compressing gives the same bytes every time, however many threads OpenBLAS would like
# to have, with another of its kernels, and with every compiler.
# usage: same_bytes.sh [TOOL...]; by default the one that meson test names
set -euo pipefail
: "${ACCEL_TEST_MODELS:=$(dirname "$0")/../../tools/demo/models}"
[ $# -gt 0 ] || set -- "${ACCEL_TOOL:?is set by meson test}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
photo=$ACCEL_TEST_MODELS/../photos/astronaut_lr_x2.png

# compress MODEL ARGUMENT...: with every tool, number of threads and a second kernel.
compress()
{
	local model=$1 count=0 threads kernel tool
	shift
	for tool in "${tools[@]}"; do
		for threads in 1 2 7; do
			# any x86 processor has these instructions
			kernel=$([ "$threads" -eq 7 ] && echo Nehalem) || true
			OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads \
				OPENBLAS_CORETYPE=$kernel \
				"$tool" compress "$ACCEL_TEST_MODELS/$model.onnx" \
				-o "$work/$count" "$@" >/dev/null
			if ! cmp "$work/0" "$work/$count"; then
				echo "$model: $tool, $threads threads: other bytes"
				exit 1
			fi
			count=$((count + 1))
		done
	done
	echo "$model: $count files, $(sha256sum <"$work/0" | cut -c 1-16)"
}

tools=("$@")
compress fashion_vae_dec_sp90 --sparsity keep --seed 3
compress fashion_dcgan --sparsity 0.8 --scope global --latents 64
compress esrgan_slim_x2 --sparsity 0.5 --calibrate "$photo" --input-range 0:255
