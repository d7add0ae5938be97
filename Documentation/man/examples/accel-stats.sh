# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel stats --prom
