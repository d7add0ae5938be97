#!/bin/bash
# SPDX-License-Identifier: MIT
# rowvae.sh FOLDER: a small recurrent autoencoder, trained a little on a few pictures:
# encoder.onnx and decoder.onnx, and rows.npy, inputs of both. Exit 77 without the data.
set -euo pipefail
data=/usr/share/datasets/fashion-mnist
if ! [ -d "$data" ]; then
	echo "SKIP: dataset-fashion-mnist is not installed" >&2
	exit 77
fi
cd "$1"
mkdir -p few

# few FILE HEADER BYTES: the first 64 of an IDX file; its header says how many there are.
few()
{
	{
		printf '\x00\x00\x08%b\x00\x00\x00\x40' "$2"
		zcat "$data/$1" | tail -c +9 | head -c "$3" || true
	} | gzip >"few/$1"
}

for part in train t10k; do
	few $part-images-idx3-ubyte.gz '\x03' $((8 + 64 * 784))
	few $part-labels-idx1-ubyte.gz '\x01' 64
done 2>/dev/null

# [28, 64, 28] bytes: rows of pictures, dealt out to the sequences in turn.
{
	printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
		"{'descr': '|u1', 'fortran_order': False, 'shape': (28, 64, 28), }"
	zcat few/train-images-idx3-ubyte.gz | tail -c +17
} >rows.npy

sed 's/"hidden": 128/"hidden": 24/; s/"hidden": 256/"hidden": 16/; s/"batch": 64/"batch": 16/' \
	"$ACCEL_SOURCE_DIR/tools/demo/networks/rowvae.json" >rowvae.json
"$ACCEL_TOOL" train rowvae.json --data few -o decoder.onnx --part encoder=encoder.onnx \
	--steps 20 >rowvae.log 2>&1 || {
	cat rowvae.log >&2
	exit 1
}
