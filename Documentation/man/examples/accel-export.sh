# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel export vae.safetensors --format onnx -o vae_int8.onnx
