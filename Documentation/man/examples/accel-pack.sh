# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel pack vae.safetensors -o vae.packed.safetensors --batch 16
accel inspect vae.packed.safetensors
