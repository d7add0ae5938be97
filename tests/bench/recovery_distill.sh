#!/bin/bash
# SPDX-License-Identifier: MIT
# Distilled generators, W8A8, with all defaults: PSNR against the dense network on 512 latents
# that no training saw, mean and spread over the seeds, exact zeros, one core. BARS=stretch
# trains for half an hour; SEEDS and CASES take a part: SEEDS=1 CASES=vae
set -euo pipefail
accel=${ACCEL_TOOL:?names the tool}
models=${ACCEL_SHARED_DIR:?holds the models}/models
seeds=${SEEDS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# network, range, sparsity, minutes and bar; minutes and bar of the stretch
cases="fashion_vae_dec 0:1 0.75 2 40 30 43
fashion_vae_dec 0:1 0.9 2 35 30 37
fashion_vae_dec 0:1 0.95 2 31.5 30 33.5
fashion_dcgan -1:1 0.5 5 26.5 30 29
fashion_dcgan -1:1 0.8 5 24 30 26
fashion_dcgan -1:1 0.9 5 21.5 30 23.5"

# The value of a key in JSON that has one on each line.
value()
{
	sed -n "s/.*\"$1\": \([-0-9.e]*\).*/\1/p" | tail -n 1
}

# train NETWORK RANGE SPARSITY MINUTES SEED: prints the PSNR of what came out
train()
{
	local out=$work/model
	"$accel" distill "$models/$1.onnx" -o "$out" --sparsity "$3" --minutes "$4" \
		--seed "$5" --workers 1 >"$work/summary" 2>"$work/log" ||
		{ cat "$work/log" >&2; return 1; }
	"$accel" evaluate "$models/$1.onnx" "$out" --device cpu: --latents 512 \
		--seed 1000003 --output-range="$2" --json | value psnr
}

run_case()
{
	local psnr=() start=$SECONDS seed result
	for ((seed = 0; seed < seeds; seed++)); do
		psnr+=("$(train "$1" "$2" "$3" "$4" "$seed")")
		echo "$1, $3 zeros, seed $seed: ${psnr[seed]} dB after $((SECONDS - start)) s" >&2
	done
	result=$(printf '%s\n' "${psnr[@]}" | awk -v bar="$5" '
		{ sum += $1; if (NR == 1 || $1 < low) low = $1; if (NR == 1 || $1 > high) high = $1 }
		END { printf "%.2f dB (%.2f to %.2f), bar %s: %s", sum / NR, low, high, bar,
			(sum / NR >= bar ? "passed" : "MISSED") }')
	printf '%-16s %2.0f %% zeros  %s  %s, %d s each\n' "$1" "$(awk "BEGIN { print 100 * $3 }")" \
		"$result" "$(grep -o '[0-9]* of [0-9]* weights kept' "$work/summary")" \
		$(((SECONDS - start) / seeds))
	[[ $result == *passed ]] || failed=1
}

while read -r network range sparsity minutes bar long_minutes long_bar; do
	[[ $network == *${CASES:-}* ]] || continue
	[ "${BARS:-}" != stretch ] || { minutes=$long_minutes; bar=$long_bar; }
	run_case "$network" "$range" "$sparsity" "$minutes" "$bar"
done <<<"$cases"
exit $failed
