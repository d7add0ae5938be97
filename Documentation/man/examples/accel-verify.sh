# SPDX-License-Identifier: MIT
accel verify vae.safetensors --device sim:
