# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel inspect vae.safetensors
