# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel bind 0000:c1:00.0 vfio-pci || echo "it keeps the driver that it has"
