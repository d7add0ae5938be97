# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel doctor sim:
