# SPDX-License-Identifier: MIT
accel list
