# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel compress "$MODELS/fashion_vae_dec_sp90.onnx" -o vae.safetensors --sparsity keep
