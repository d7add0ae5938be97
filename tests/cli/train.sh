#!/bin/bash
# SPDX-License-Identifier: MIT
# Networks from nothing: what is trained can be compressed, and who is interrupted goes on.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

data=/usr/share/datasets/fashion-mnist
networks=$ACCEL_SOURCE_DIR/tools/demo/networks
if ! [ -d "$data" ]; then
	echo "SKIP: dataset-fashion-mnist is not installed"
	exit 77
fi
cd "$folder" || exit 1

train=("$accel" train "$networks/mlp.json" --data "$data" -o)

expect 0 'accuracy 0\.[78]' "${train[@]}" whole.onnx --steps 300
check 'the checkpoint of a training that is done is gone' \
	test ! -e whole.onnx.checkpoint

# Interrupted after a second, or not at all on a fast machine: the end is the same.
"${train[@]}" again.onnx --steps 300 >log 2>&1 &
pid=$!
sleep 1
kill -INT "$pid" 2>/dev/null
wait "$pid"
expect 0 'accuracy' "${train[@]}" again.onnx --steps 300 --resume
check 'a training that went on gives the same bytes' cmp whole.onnx again.onnx
expect 0 'non-zeros' "$accel" compress whole.onnx -o mlp.safetensors --sparsity 0.5 \
	--calibrate "$data/t10k-images-idx3-ubyte.gz" --input-range 0:1

expect 2 'where to' "$accel" train "$networks/mlp.json" --data "$data"
expect 2 'on what' "$accel" train "$networks/mlp.json" -o x.onnx
expect 2 'exclude each other' "${train[@]}" x.onnx --steps 3 --minutes 1
expect 2 'it takes NAME=FILE' "${train[@]}" x.onnx --part encoder
expect 1 'has no such network' "${train[@]}" x.onnx --part encoder=y.onnx
expect 1 'No such file' "$accel" train none.json --data "$data" -o x.onnx
expect 1 'no .png and no IDX' "$accel" train "$networks/mlp.json" --data . -o x.onnx
sed 's/relu/realu/' "$networks/mlp.json" >bad.json
expect 1 'network\[2\], realu: no layer' "$accel" train bad.json --data "$data" -o x.onnx
sed 's/28, 28/28, 27/' "$networks/mlp.json" >bad.json
expect 1 'shape \[28, 28\], but the network takes \[1, 28, 27\]' \
	"$accel" train bad.json --data "$data" -o x.onnx

finish
