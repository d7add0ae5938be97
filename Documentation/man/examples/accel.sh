# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel compress "$MODELS/fashion_vae_dec_sp90.onnx" -o vae.safetensors --sparsity keep
accel run vae.safetensors --latents 16 --image clothes.png --output-range 0:1
accel verify vae.safetensors
