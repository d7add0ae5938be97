# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel evaluate "$MODELS/fashion_vae_dec_sp90.onnx" vae.safetensors --latents 16
