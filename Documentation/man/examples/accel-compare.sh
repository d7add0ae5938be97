# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel run vae.safetensors --seed 1 --output one.npy
accel run vae.safetensors --seed 1 --output two.npy --device cpu:
accel compare one.npy two.npy
