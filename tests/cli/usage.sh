#!/bin/bash
# SPDX-License-Identifier: MIT
# Wrong use ends with status 2 and says what would be right; help with 0.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

expect 2 'usage: accel COMMAND' "$accel"
expect 2 'no command bake' "$accel" bake
expect 0 'usage: accel COMMAND' "$accel" --help
for command in compress distill inspect run explain verify export evaluate sweep compare train bench info list bind stats top doctor; do
	expect 0 "usage: accel $command" "$accel" "$command" --help
	expect 2 'no option --nonsense' "$accel" "$command" --nonsense
	expect 2 'no option -z' "$accel" "$command" -z
	check "no line of $command's help ends in a blank" sh -c \
		"! '$accel' $command --help | grep -q ' $'"
done

expect 2 'an argument is missing' "$accel" run
expect 2 'one argument too many: b' "$accel" run a b
expect 2 '--device needs URI' "$accel" run a --device
expect 2 '--json takes no value' "$accel" run a --json=yes
expect 2 'a whole number from 1 on' "$accel" run a --repeat 0
expect 2 'a whole number from 1 on' "$accel" run a --repeat=2x
expect 2 'a whole number from 0 on' "$accel" run a --seed -1
expect 2 'a number of seconds' "$accel" run a --timeout -1
expect 2 'a number of seconds' "$accel" run a --timeout nan
expect 2 'nchw or nhwc' "$accel" run a --layout hwc
expect 2 'LOW:HIGH' "$accel" run a --output-range 1:0
expect 2 'LOW:HIGH' "$accel" run a --output-range 0:inf

expect 2 'an argument is missing' "$accel" explain
expect 2 '--html needs FILE' "$accel" explain a --html

expect 2 'where to\?' "$accel" compress a.onnx --sparsity keep
expect 2 'how sparse\?' "$accel" compress a.onnx -o b
for sparsity in 1 -0.1 1.5 nan most ''; do
	expect 2 'sparsity' "$accel" compress a.onnx -o b --sparsity "$sparsity"
done
expect 2 'exclude each other' \
	"$accel" compress a.onnx -o b --sparsity 0 --calibrate c --latents 4
expect 2 'layer or global' \
	"$accel" compress a.onnx -o b --sparsity 0 --scope network
expect 2 'as what\?' "$accel" export a
expect 2 'goes with --format onnx' "$accel" export a --format npz --layer b
expect 2 'onnx or npz' "$accel" export a --format pickle

finish
