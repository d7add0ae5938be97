#!/bin/bash
# SPDX-License-Identifier: MIT
# Which weights go: methods, patterns, rounds and recipes from the command line, and what is
# said of them that make no sense.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

network=$models/fashion_vae_dec.onnx
cd "$folder" || exit 1
compress=("$accel" compress "$network" -o model --latents 32)

# All there are, by what the help says; obs takes minutes on a busy machine.
methods=$("$accel" compress --help | sed -n 's/^  --method NAME *//p' | sed 's/,\| or/ /g')
check 'there are methods' test -n "$methods"
for method in $methods; do
	[ "$method" = obs ] || [ "$method" = structured ] ||
		expect 0 '422144 of 844288 weights kept' \
			"${compress[@]}" --sparsity 0.5 --method "$method"
done
check 'the model runs' "$accel" run model --device cpu: --latents 2

expect 0 '"rounding": "gptq"' "${compress[@]}" --sparsity 0.5 --method sparsegpt \
	--quantize int4 --rounding gptq --json
check 'the rounded model runs' "$accel" run model --device cpu: --latents 2
expect 0 '"rounding": "adaround"' "${compress[@]}" --sparsity 0.9 --quantize int4 \
	--rounding adaround --json
check 'the model that learned to round runs' "$accel" run model --device cpu: --latents 2
expect 2 'adaround excludes --recover' \
	"${compress[@]}" --sparsity 0.9 --rounding adaround --recover
expect 2 'rounding is nearest, gptq or adaround' "${compress[@]}" --sparsity 0.5 --rounding up

"$accel" export model --format onnx -o integers.onnx >printed 2>&1
expect 1 'its weights are integers already: leave out --rounding gptq' \
	"$accel" compress integers.onnx -o again --sparsity keep --rounding gptq
expect 1 'its weights are integers already: leave out --quantize int4, or compress the network' \
	"$accel" compress integers.onnx -o again --sparsity keep --quantize int4
expect 0 'weights kept' "$accel" compress integers.onnx -o again --sparsity keep --quantize int8

expect 0 '"order": "joint"' "${compress[@]}" --sparsity 0.5 --method sparsegpt \
	--quantize int4 --order joint --json
check 'the model of one sweep runs' "$accel" run model --device cpu: --latents 2
expect 0 '"order": "qp"' "${compress[@]}" --sparsity 0.5 --method wanda --quantize int4 \
	--rounding gptq --order qp --json
expect 2 'order joint is for sparsegpt' "${compress[@]}" --sparsity 0.5 --order joint
expect 2 'order qp is for methods that only choose' \
	"${compress[@]}" --sparsity 0.5 --method l0 --order qp
expect 2 'order joint is for integers' \
	"${compress[@]}" --sparsity 0.5 --method sparsegpt --quantize fp8 --order joint
expect 2 'excludes --recover and --target' "${compress[@]}" --target 'ratio>=6' --order qp

expect 0 '422144 of 42[0-9]* weights kept' \
	"${compress[@]}" --sparsity 0.5 --method structured --reconstruct ls --report page.html
check 'a narrower network runs' "$accel" run model --device cpu: --latents 2
expect 1 'whole network' "${compress[@]}" --sparsity 0.5 --method structured --scope layer

expect 0 '211072 of 844288 weights kept' "${compress[@]}" --pattern 1:4 --method obd
expect 0 '420656 of 420656 weights kept' "${compress[@]}" --sparsity 0 --low-rank 0.5
check 'two layers in place of one run' "$accel" run model --device cpu: --latents 2
expect 1 'give a lower one' "${compress[@]}" --sparsity 0 --low-rank 5000
expect 2 'a rank is a whole number' "${compress[@]}" --sparsity 0 --low-rank 2.5
expect 0 '421376 of 421376 weights kept' \
	"${compress[@]}" --sparsity 0 --low-rank 0.5:whitened:global
expect 0 '420608 of 1054592 weights kept' \
	"${compress[@]}" --sparsity keep --low-rank 0.5:sparse
check 'three parts run' "$accel" run model --device cpu: --latents 2
expect 0 'layers split: 4' "${compress[@]}" --sparsity 0.5 --low-rank 0.5:sparse:0.2
expect 0 '243200 of 258560 weights kept' "${compress[@]}" --sparsity 0 --dictionary 64:4
expect 2 'exclude each other' "${compress[@]}" --sparsity 0 --dictionary 9:4 --low-rank 3
expect 2 'a dictionary is' "${compress[@]}" --sparsity 0 --dictionary 4:9
expect 2 'goes by layers' "${compress[@]}" --sparsity 0.5 --low-rank 0.5:sparse --scope global
expect 0 '84429 of 844288 weights kept' \
	"${compress[@]}" --sparsity 0.9 --rounds 3 --reconstruct ls
cp model first
expect 0 '84429 of' "${compress[@]}" --sparsity 0.9 --rounds 3 --reconstruct ls
check 'the same bytes again' cmp model first

echo '{"sparsity": 0.5, "layers": [{"match": "*", "method": "random"}]}' >recipe.json
expect 0 '422144 of 844288 weights kept' "${compress[@]}" --recipe recipe.json
echo '{"sparsity": 0, "layers": [{"match": "/fc*", "low_rank": "0.25:whitened"}]}' >recipe.json
expect 0 'layers split: 2' "${compress[@]}" --recipe recipe.json
echo '{"layers": [{"match": "*", "low_rank": "half"}]}' >recipe.json
expect 1 'recipe.json: layer 1: half: a rank is' "${compress[@]}" --recipe recipe.json
echo '{"layers": [{"match": "*", "low_rank": "0.5", "dictionary": "64:4"}]}' >recipe.json
expect 1 'layer 1: "low_rank" and "dictionary" exclude each other' \
	"${compress[@]}" --recipe recipe.json
echo '{"layers": [{"match": "nobody"}]}' >recipe.json
expect 1 'recipe.json: layer 1: no layer of .* is named "nobody"' \
	"${compress[@]}" --recipe recipe.json
echo '{"layers": [{"match": "*", "sparsity": 0}, {"match": "*", "sparsity": 0.1}]}' >recipe.json
expect 1 'layers 1 and 2 .* contradict' "${compress[@]}" --recipe recipe.json
echo '{"layers": [}' >recipe.json
expect 1 'recipe.json: line 1' "${compress[@]}" --recipe recipe.json
expect 1 'No such file' "${compress[@]}" --recipe none.json

expect 2 'it takes magnitude' "${compress[@]}" --sparsity 0.5 --method guess
expect 2 'N of M weights stay' "${compress[@]}" --pattern 4:4
expect 2 'exclude each other' "${compress[@]}" --pattern 2:4 --sparsity 0.5
expect 0 'weights kept' "${compress[@]}" --threshold 0.02
expect 0 'weights kept' "${compress[@]}" --threshold 0.5:std --reconstruct ls
expect 1 'its largest is .*: ask for less' "${compress[@]}" --threshold 90
expect 2 'a magnitude above 0' "${compress[@]}" --threshold none
expect 2 'exclude each other' "${compress[@]}" --threshold 1 --sparsity 0.5
expect 2 'is of --method magnitude' "${compress[@]}" --threshold 1 --method gn
expect 2 'threshold excludes' "${compress[@]}" --threshold 1 --scope global
expect 0 'sparsegpt *global *in one sweep' "$accel" compress --help
expect 0 'dB with static ranges, .* of 256 runs' \
	"${compress[@]}" --sparsity 0 --activations dynamic --json
# binary32 is nearest, and ranges of each run are nearer than fixed ones
# shellcheck disable=SC2317 # called by its name
in_order()
{
	sed -n 's/^activations: \([0-9.]*\) dB .*, \([0-9.]*\) dB .*, \([0-9.]*\) dB .*/\1 \3 \2/p' \
		printed | awk '{ exit !($1 > $2 && $2 > $3 && $3 > 35) }'
}
check 'what ranges cost' in_order
expect 2 'it takes static or dynamic' "${compress[@]}" --sparsity 0 --activations moving
expect 2 'excludes --target' "${compress[@]}" --target 'ratio>=6' --activations dynamic
expect 2 'l1 has its own way to choose' "${compress[@]}" --pattern 2:4 --method l1
expect 2 'it solves' "${compress[@]}" --sparsity 0.5 --method l0 --rounds 2
expect 2 'rounds excludes' "${compress[@]}" --sparsity keep --rounds 2
expect 2 'no --scope global' "${compress[@]}" --recipe recipe.json --scope global

# Options that would change nothing are refused.
expect 2 'chooses methods itself' "${compress[@]}" --target 'psnr>=32' --method obd
expect 2 'are for --target' "${compress[@]}" --sparsity 0.5 --fast
expect 2 'are for --target' "${compress[@]}" --sparsity 0.5 --looks 3
expect 2 'excludes .* --quantize' "${compress[@]}" --sparsity 0.5 --recover --quantize int4
expect 2 'mask of --method gn' "${compress[@]}" --sparsity 0.5 --recover --method wanda

# A place for the results is looked for before the work: only then does the line tell of it.
for option in -o --float --report; do
	expect 1 'nowhere/out: cannot create' "${compress[@]}" --sparsity 0.5 \
		--method gn "$option" nowhere/out
	check "$option fails before any work" test "$(grep -c 'pruned in' "$folder/printed")" -eq 0
done
expect 1 'nobody.onnx: No such file' "${compress[@]}" --sparsity 0.5 --method gn \
	--report page.html --features nobody.onnx
check 'so does a classifier' test "$(grep -c 'pruned in' "$folder/printed")" -eq 0

# A report that would leave out what was asked for.
for data in '--calibrate latents.npy' '--sample strokes:8'; do
	# shellcheck disable=SC2086 # two words
	expect 2 'features in a report is for pictures made of latents' "$accel" compress "$network" \
		-o model --sparsity 0.5 $data --features "$network" --report page.html
done

finish
