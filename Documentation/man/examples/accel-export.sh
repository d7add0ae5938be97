# SPDX-License-Identifier: MIT
accel export vae.safetensors --format onnx -o vae_int8.onnx
