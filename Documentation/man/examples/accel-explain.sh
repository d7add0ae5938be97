# SPDX-License-Identifier: MIT
accel explain vae.safetensors --html vae.html
