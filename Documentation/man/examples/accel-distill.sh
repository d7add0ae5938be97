# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel distill "$MODELS/fashion_vae_dec.onnx" -o vae.safetensors --sparsity 0.9 --steps 20
