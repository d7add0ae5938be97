# SPDX-License-Identifier: MIT
accel info sim: --json
