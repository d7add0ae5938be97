# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel verify vae.safetensors --device sim:
