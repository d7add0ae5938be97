# SPDX-License-Identifier: MIT
accel run vae.safetensors --latents 64 --seed 7 --image clothes.png --output-range 0:1
