# SPDX-License-Identifier: MIT
accel sweep vae.safetensors --set clusters=8,16 -o sweep.csv
