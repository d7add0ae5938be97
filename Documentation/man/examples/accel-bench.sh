# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel bench --device nil: --batch 1,32 --depth 32 --seconds 0.05
