# SPDX-License-Identifier: MIT
accel evaluate "$MODELS/fashion_vae_dec_sp90.onnx" vae.safetensors --latents 16
