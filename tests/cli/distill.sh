#!/bin/bash
# SPDX-License-Identifier: MIT
# Training from the command line: the file that comes out, and what may go wrong on the way.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

teacher=$models/fashion_vae_dec.onnx
cd "$folder" || exit 1
echo '{"rate": {"peak": 0.004}, "validation": 64}' >quick.json
quick=("$accel" distill "$teacher" --sparsity 0.9 --recipe quick.json --seed 3)

# The same model as compress writes, with exactly the zeros that were asked for.
expect 0 '84429 of 844288 weights kept' "${quick[@]}" -o a --steps 30
check 'the report has the curve' grep -q '"curve"' a.report.json
check 'a finished training leaves no checkpoint' test ! -e a.checkpoint
check 'the model runs' "$accel" run a --device cpu: --latents 2

# kill −9 in the middle, then the same bytes as without.
"${quick[@]}" -o b --steps 30 --checkpoint state >/dev/null 2>&1 &
for _ in $(seq 600); do
	[ -e state ] && break
	sleep 0.1
done
kill -9 $! && wait $! 2>/dev/null
expect 0 '84429 of' "${quick[@]}" -o b --steps 30 --checkpoint state --resume
check 'the same bytes after kill -9' cmp a b

# A signal ends it with the best so far, and it can go on.
"${quick[@]}" -o c --steps 100000 >/dev/null 2>&1 &
for _ in $(seq 600); do
	[ -e c.checkpoint ] && break
	sleep 0.1
done
kill -INT $!
check 'a stopped training ends well' wait $!
check 'it has written its model' "$accel" run c --device cpu: --latents 2
check 'it can go on' test -e c.checkpoint

# A limit on files is a full disk: the old checkpoint and the old model stay.
cp c.checkpoint old
cp a full
expect 1 'File too large' sh -c 'ulimit -f 64; exec "$@"' sh \
	"${quick[@]}" -o full --steps 100000 --checkpoint c.checkpoint --resume
check 'the old checkpoint stays' cmp c.checkpoint old
check 'the old model stays' cmp a full

expect 1 'no checkpoint of a training' \
	"${quick[@]}" -o d --steps 30 --resume --checkpoint quick.json
expect 1 'No such file' "${quick[@]}" -o d --steps 30 --resume
expect 1 'of another training' \
	"$accel" distill "$teacher" -o d --sparsity 0.8 --checkpoint old --resume
expect 0 '422[0-9]* of 844[0-9]* weights kept' "$accel" distill "$teacher" -o narrow \
	--student structured:0.9 --sparsity 0.5 --steps 3 --recipe quick.json
check 'a narrower student runs' "$accel" run narrow --device cpu: --latents 2
expect 2 'structured: and a number' "$accel" distill "$teacher" -o d --sparsity 0.5 \
	--student structured:2
check 'a folder' mkdir taken
expect 1 'taken: cannot' "${quick[@]}" -o taken --steps 3
mkdir blocked.report.json
expect 1 'blocked.report.json: cannot' timeout 20 "${quick[@]}" -o blocked --steps 100000
expect 1 'the teacher: .*takes shape' "$accel" distill "$teacher" -o d --sparsity 0.9 \
	--steps 3 --student "$models/fashion_dcgan.onnx"
expect 1 'would be pruned' "$accel" distill "$teacher" -o d --sparsity 0.999999 --steps 3
expect 1 'has no key "color"' sh -c 'echo "{\"color\": 1}" >bad.json; exec "$@"' sh \
	"$accel" distill "$teacher" -o d --sparsity 0.9 --recipe bad.json
# A place for checkpoints is looked for before anything else, be it as wrong as this recipe.
expect 1 'nowhere/state: cannot create' "$accel" distill "$teacher" -o d --sparsity 0.9 \
	--recipe bad.json --checkpoint nowhere/state
expect 1 'give --data' "$accel" distill "$models/esrgan_slim_x2.onnx" -o d --sparsity 0.8 \
	--steps 3
check 'nothing was written' test ! -e d

expect 2 'where to\?' "$accel" distill a.onnx --sparsity 0.5
expect 2 'how sparse\?' "$accel" distill a.onnx -o b
expect 2 'exclude each other' \
	"$accel" distill a.onnx -o b --sparsity 0.5 --steps 3 --minutes 1
expect 2 'above 0' "$accel" distill a.onnx -o b --sparsity 0.5 --minutes 0

finish
