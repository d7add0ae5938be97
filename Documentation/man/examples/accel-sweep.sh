# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel sweep vae.safetensors --set clusters=8,16 -o sweep.csv
