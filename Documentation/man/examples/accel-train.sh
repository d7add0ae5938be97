# SPDX-License-Identifier: MIT
# shellcheck shell=bash
accel train "$NETWORKS/mlp.json" --data /usr/share/datasets/fashion-mnist -o mlp.onnx --steps 40
