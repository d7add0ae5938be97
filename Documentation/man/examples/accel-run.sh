# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel run vae.safetensors --latents 64 --seed 7 --image clothes.png --output-range 0:1
