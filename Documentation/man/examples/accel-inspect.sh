# SPDX-License-Identifier: MIT
accel inspect vae.safetensors
