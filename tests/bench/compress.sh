#!/bin/bash
# SPDX-License-Identifier: MIT
# Ways to compress, held against each other: compress.sh BUILD [PART ...]
# methods: one shot, W8A8, at equal non-zeros and scope: PSNR against the dense network on what
#     the calibration has not seen, mean and spread over the seeds
# rounds: how many, at 80 %
# generator: the VAE decoder at 50 %, by pairs and as a distribution, with the resampling floor
# formats: weights of few bits
# size: bits of a weight that stays, packed, against H(p)/p + 8
# SEEDS and CASES take a part: SEEDS=1 CASES=vae
# shellcheck disable=SC2317 # parts are called by their names
set -euo pipefail
build=$1
shift
: "${ACCEL_SHARED_DIR:=$PWD/../shared}"
accel=$(realpath "$build/tools/accel")
models=$ACCEL_SHARED_DIR/models
seeds=${SEEDS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

networks="fashion_vae_dec fashion_dcgan esrgan_slim_x2 esrgan_medium_x4 sketchrnn_bird"

# calibration NETWORK: options of accel compress
calibration()
{
	case $1 in
	esrgan*) echo "--calibrate $models/photos/astronaut_lr_x${1: -1}.png" \
		"--input-range 0:255 --output-range 0:255" ;;
	sketchrnn*) echo "--sample strokes:64" ;;
	*) echo "--latents 2048" ;;
	esac
}

# trial NETWORK: options of accel evaluate, on other inputs
trial()
{
	case $1 in
	esrgan*) echo "--input $models/golden/sr_in_coffee_64x64_u8range.npy --layout nhwc" \
		"--output-range 0:255" ;;
	sketchrnn*) echo "--input x=$models/golden/sketchrnn_bird__x.npy" ;;
	*) echo "--latents 512 --seed 1000003" ;;
	esac
}

# value KEY: of JSON that has one on each line
value()
{
	sed -n "s/.*\"$1\": \([-0-9.e+]*\).*/\1/p" | tail -n 1
}

# compress NETWORK SEED OPTION...: into $work/model
compress()
{
	local network=$1 seed=$2
	shift 2
	# shellcheck disable=SC2046 # options
	"$accel" compress "$models/$network.onnx" -o "$work/model" --seed "$seed" "$@" \
		$(calibration "$network") >"$work/summary" 2>"$work/log"
}

evaluate()
{
	# shellcheck disable=SC2046
	"$accel" evaluate "$models/$1.onnx" "$work/model" --device cpu: $(trial "$1") --json
}

# Of numbers, one on each line: mean and half of the spread.
mean()
{
	awk '{ s += $1; if (NR == 1 || $1 < l) l = $1; if (NR == 1 || $1 > h) h = $1 }
		END { printf "%.2f +-%.2f", s / NR, (h - l) / 2 }'
}

# psnr NETWORK OPTION...: mean over the seeds; a dash if it cannot be done
psnr()
{
	local network=$1 seed all=()
	shift
	for ((seed = 0; seed < seeds; seed++)); do
		if ! compress "$network" "$seed" "$@"; then
			echo "-"
			return
		fi
		all+=("$(evaluate "$network" | value psnr)")
	done
	printf '%s\n' "${all[@]}" | mean
}

# line LABEL WORD...: a row of the table
line()
{
	printf '%-28s' "$1"
	shift
	printf ' %14s' "$@"
	printf '\n'
}

part_methods()
{
	local methods=(random magnitude wanda sparsegpt) network sparsity method row
	for network in $networks; do
		[[ $network == *${CASES:-}* ]] || continue
		line "$network" "${methods[@]}" "gn+ls" "sparsegpt+ls"
		for sparsity in 0.5 0.75 0.9; do
			row=()
			for method in "${methods[@]}"; do
				row+=("$(psnr "$network" --sparsity "$sparsity" \
					--method "$method" --scope layer)")
			done
			row+=("$(psnr "$network" --sparsity "$sparsity" --method gn \
				--reconstruct ls)")
			row+=("$(psnr "$network" --sparsity "$sparsity" --method sparsegpt \
				--scope global --reconstruct ls)")
			line "  $sparsity" "${row[@]}"
		done
	done
	echo "dB; the first four layer by layer, the last two under one threshold"
}

# Little by little, each time looking again and repairing.
part_rounds()
{
	local network rounds row all=(1 4 8)
	line "80 %, gn+ls, in rounds" "${all[@]}"
	for network in fashion_vae_dec fashion_dcgan esrgan_slim_x2; do
		[[ $network == *${CASES:-}* ]] || continue
		row=()
		for rounds in "${all[@]}"; do
			row+=("$(psnr "$network" --sparsity 0.8 --method gn --reconstruct ls \
				--rounds "$rounds")")
		done
		line "  $network" "${row[@]}"
	done
}

# above WHAT A B: A ≥ B
above()
{
	if awk -v a="$2" -v b="$3" 'BEGIN { exit !(a >= b) }'; then
		echo "  $1: passed"
	else
		echo "  $1: MISSED"
		failed=1
	fi
}

part_generator()
{
	local method distance floor psnr
	for method in magnitude gn sparsegpt; do
		compress fashion_vae_dec 0 --sparsity 0.5 --method "$method" --scope global
		"$accel" evaluate "$models/fashion_vae_dec.onnx" "$work/model" --device cpu: \
			--latents 2048 --seed 1000003 --features "$models/fashion_mlp.onnx" \
			--json >"$work/json"
		psnr=$(value psnr <"$work/json")
		distance=$(value fid < <(sed '/"floor"/,$d' "$work/json"))
		floor=$(value fid <"$work/json")
		printf 'VAE decoder, 50 %%, %-10s %.2f dB, FID %.3f, floor %.3f\n' "$method" \
			"$psnr" "$distance" "$floor"
	done
	above 'PSNR >= 32 dB' "$psnr" 32
	above 'FID <= floor' "$floor" "$distance"
}

part_formats()
{
	local format network row formats=(int8 int8:tensor int6 int4 int4:mse int4:group:32
		codebook:16 fp8 fixed:8)
	line "at sparsity 0" fashion_vae_dec fashion_dcgan
	for format in "${formats[@]}"; do
		row=()
		for network in fashion_vae_dec fashion_dcgan; do
			row+=("$(psnr "$network" --sparsity 0 --quantize "$format")")
		done
		line "  $format" "${row[@]}"
	done
}

part_size()
{
	local network sparsity
	for network in $networks; do
		[[ $network == *${CASES:-}* ]] || continue
		for sparsity in 0.5 0.75 0.9; do
			compress "$network" 0 --sparsity "$sparsity" --compact --json
			awk -v name="$network" -v bytes="$(stat -c %s "$work/model")" \
				-v kept="$(value nonzeros <"$work/summary")" -v all="$(value weights \
				<"$work/summary")" '
				END { p = kept / all; q = 1 - p
				h = -(p * log(p) + q * log(q)) / log(2) / p + 8
				printf "%-20s %3.0f %% zeros %8d bytes %6.2f bits, entropy %6.2f: +%.1f %%\n",
					name, 100 * q, bytes, 8 * bytes / kept, h,
					100 * (8 * bytes / kept / h - 1) }' </dev/null
		done
	done
}

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(methods rounds generator formats size)
for part in "${parts[@]}"; do
	if ! declare -F "part_$part" >/dev/null; then
		echo "compress.sh: $part: no such part" >&2
		exit 2
	fi
	"part_$part"
done
exit $failed
