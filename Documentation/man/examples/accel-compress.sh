# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel compress "$MODELS/fashion_vae_dec_sp90.onnx" -o vae.safetensors --sparsity keep
accel compress "$MODELS/fashion_dcgan.onnx" -o dcgan.safetensors --sparsity 0.5 \
	--method gn --reconstruct ls --latents 128
