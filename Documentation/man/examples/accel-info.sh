# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel info sim: --json
