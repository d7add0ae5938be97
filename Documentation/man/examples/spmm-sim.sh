# SPDX-License-Identifier: MIT
# shellcheck shell=bash
spmm-sim --socket ./spmm &
while [ ! -S ./spmm ]; do sleep 0.1; done
accel info vfio-user:./spmm
kill %1
wait
