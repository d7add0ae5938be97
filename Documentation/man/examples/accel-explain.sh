# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel explain vae.safetensors --html vae.html
