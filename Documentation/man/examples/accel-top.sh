# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel top --interval 0.2 --count 2
