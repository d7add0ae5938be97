#!/bin/bash
# SPDX-License-Identifier: MIT
# Ways to compress, held against each other: compress.sh BUILD [PART ...]
# methods: one shot, W8A8, at equal non-zeros and scope: PSNR (sketches: KL) against the dense
#     network on what the calibration has not seen, mean and spread over the seeds; whether
#     sparsegpt beats wanda beats magnitude
# rounds: how many, at 80 %
# generator: the VAE decoder at 50 %, by pairs and as a distribution, with the resampling floor
# formats: weights of few bits
# activations: ranges of each run against the fixed ones of the device
# psnr-y: super-resolution against the original picture, what int8 and pruning lose of luminance
# low_rank: plain, whitened, with a sparse part, held against sparsegpt at equal bytes packed
# rounding: to the nearest code, by gptq or by adaround
# automatic: its choice, held against each single method that meets the same target
# order: pruned and then rounded, or in one sweep
# size: bits of a weight that stays in the compact file, all of it, against H(p)/p and those of
#     its value
# SEEDS, CASES, TARGETS and LATENTS (to calibrate with) take a part: SEEDS=1 CASES=vae
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
	*) echo "--latents ${LATENTS:-2048}" ;;
	esac
}

# trial NETWORK: options of accel evaluate, on other inputs
trial()
{
	case $1 in
	esrgan*) echo "--input $models/golden/sr_in_coffee_64x64_u8range.npy --layout nhwc" \
		"--output-range 0:255" ;;
	sketchrnn*) echo "--metrics nll --latents 64 --seed 1000003" ;;
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

# mean [DIGITS]: of numbers, one on each line, and half of the spread
mean()
{
	awk -v d="${1:-2}" '{ s += $1; if (NR == 1 || $1 < l) l = $1; if (NR == 1 || $1 > h) h = $1 }
		END { printf "%.*f +-%.*f", d, s / NR, d, (h - l) / 2 }'
}

# quality NETWORK OPTION...: mean over the seeds, in dB, of strokes the divergence in nats; a
# dash if it cannot be done
quality()
{
	local network=$1 key=psnr seed figure all=()
	shift
	[[ $network != sketchrnn* ]] || key=kl
	for ((seed = 0; seed < seeds; seed++)); do
		figure=
		! compress "$network" "$seed" "$@" || figure=$(evaluate "$network" | value "$key")
		if [ -z "$figure" ]; then
			echo "-"
			return
		fi
		all+=("$figure")
	done
	printf '%s\n' "${all[@]}" | mean
}

# order MAGNITUDE WANDA SPARSEGPT: which of them is not in this order
order()
{
	awk -v m="${1%% *}" -v w="${2%% *}" -v s="${3%% *}" -v less="$([[ $network != sketchrnn* ]] ||
		echo 1)" 'BEGIN { if (less) { m = -m; w = -w; s = -s }
		if (w <= m) t = t " wanda<=magnitude"; if (s <= w) t = t " sparsegpt<=wanda"
		print t ? substr(t, 2) : "in order" }'
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
				row+=("$(quality "$network" --sparsity "$sparsity" \
					--method "$method" --scope layer)")
			done
			row+=("$(quality "$network" --sparsity "$sparsity" --method gn \
				--reconstruct ls)")
			row+=("$(quality "$network" --sparsity "$sparsity" --method sparsegpt \
				--scope global --reconstruct ls)")
			line "  $sparsity" "${row[@]}" "$(order "${row[@]:1:3}")"
		done
	done
	echo "dB (sketches: nats, less is better)"
	echo "the first four layer by layer, the last two under one threshold"
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
			row+=("$(quality "$network" --sparsity 0.8 --method gn --reconstruct ls \
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

# distances FILE: of one evaluation, a line: dB, FID, the floor of FID
distances()
{
	echo "$(value psnr <"$1") $(value fid < <(sed '/"floor"/,$d' "$1")) $(value fid <"$1")"
}

part_generator()
{
	local method seed worst
	for method in magnitude gn sparsegpt; do
		: >"$work/figures"
		for ((seed = 0; seed < seeds; seed++)); do
			compress fashion_vae_dec "$seed" --sparsity 0.5 --method "$method" --scope global
			"$accel" evaluate "$models/fashion_vae_dec.onnx" "$work/model" --device cpu: \
				--latents 2048 --seed "$((1000003 + seed))" \
				--features "$models/fashion_mlp.onnx" --json >"$work/json"
			distances "$work/json" >>"$work/figures"
		done
		printf 'VAE decoder, 50 %%, %-10s %s dB, FID %s, floor %s\n' "$method" \
			"$(cut -d ' ' -f 1 "$work/figures" | mean)" \
			"$(cut -d ' ' -f 2 "$work/figures" | mean 3)" \
			"$(cut -d ' ' -f 3 "$work/figures" | mean 3)"
	done
	worst=$(sort -g "$work/figures" | head -n 1 | cut -d ' ' -f 1)
	above 'PSNR >= 32 dB, each seed' "$worst" 32
	worst=$(awk '{ print $3 - $2 }' "$work/figures" | sort -g | head -n 1)
	above 'FID <= floor, each seed' "$worst" 0
}

part_formats()
{
	local format network row formats=(int8 int8:tensor int6 int4 int4:mse int4:group:32
		codebook:16 codebook:256:v2 codebook:256:v4 fp8 fixed:8)
	line "at sparsity 0" fashion_vae_dec fashion_dcgan
	for format in "${formats[@]}"; do
		row=()
		for network in fashion_vae_dec fashion_dcgan; do
			row+=("$(quality "$network" --sparsity 0 --quantize "$format")")
		done
		line "  $format" "${row[@]}"
	done
}

# ranges NETWORK OPTION...: means in dB with activations in binary32, static and dynamic
ranges()
{
	local network=$1 way seed
	shift
	for ((seed = 0; seed < seeds; seed++)); do
		compress "$network" "$seed" --activations dynamic --json "$@"
		for way in binary32 static dynamic; do
			value "$way" <"$work/summary" >>"$work/$way"
		done
	done
	for way in binary32 static dynamic; do
		mean <"$work/$way"
		echo
		rm "$work/$way"
	done
}

# In simulated arithmetic, so that nothing but the ranges differs.
part_activations()
{
	local network zeros row
	line "int8 weights" binary32 static dynamic
	for network in $networks; do
		[[ $network == *${CASES:-}* ]] || continue
		for zeros in 0 0.5; do
			mapfile -t row < <(ranges "$network" --sparsity "$zeros" \
				--method sparsegpt)
			line "  $network, $zeros" "${row[@]}"
		done
	done
}

# lost NETWORK PHOTO: decibels against the original, dense less compressed
lost()
{
	local network=$1 photo=$2
	"$accel" evaluate "$models/$network.onnx" "$work/model" --device cpu: \
		--input "$models/photos/${photo}_lr_x${network: -1}.png" \
		--input-range 0:255 --output-range 0:255 \
		--original "$models/photos/${photo}_hr256.png" --json >"$work/json"
	awk -v dense="$(value dense_original_psnr_luminance <"$work/json")" \
		-v found="$(value '[ ]*original_psnr_luminance' <"$work/json")" '
		BEGIN { printf "%.4f\n", dense - found }'
}

# losses BAR NETWORK OPTION...: of both photos, one of which the calibration has not seen
losses()
{
	local bar=$1 network=$2 photo seed all
	shift 2
	for photo in astronaut coffee; do
		all=()
		for ((seed = 0; seed < seeds; seed++)); do
			compress "$network" "$seed" "$@"
			all+=("$(lost "$network" "$photo")")
		done
		printf '%-18s %-28s %-10s lost %s dB\n' "$network" "$*" "$photo" \
			"$(printf '%s\n' "${all[@]}" | mean 4)"
		above "lost <= $bar dB" "$bar" \
			"$(printf '%s\n' "${all[@]}" | sort -g | tail -n 1)"
	done
}

part_psnr-y()
{
	local network
	for network in esrgan_slim_x2 esrgan_slim_x4 esrgan_medium_x4; do
		[[ $network == *${CASES:-}* ]] || continue
		losses 0.05 "$network" --sparsity 0
	done
	[[ esrgan_medium_x4 != *${CASES:-}* ]] ||
		losses 0.3 esrgan_medium_x4 --sparsity 0.5 --method gn --reconstruct ls
}

# packed NETWORK OPTION...: bytes of the file packed for the default device
packed()
{
	local network=$1
	shift
	compress "$network" 0 --compact --config default "$@" && stat -c %s "$work/model"
}

# sparsity NETWORK BYTES SCOPE: of sparsegpt, for a packed file of so many bytes
sparsity()
{
	local low=0 high=0.98 middle bytes i
	for ((i = 0; i < 8; i++)); do
		middle=$(awk -v l="$low" -v h="$high" 'BEGIN { print (l + h) / 2 }')
		bytes=$(packed "$1" --sparsity "$middle" --method sparsegpt --scope "$3")
		if [ "$bytes" -gt "$2" ]; then
			low=$middle
		else
			high=$middle
		fi
	done
	echo "$high"
}

part_low_rank()
{
	local network ratio kind bytes how level scope row kinds=('' :whitened :global :whitened:global
		:whitened:sparse :whitened:global:sparse)
	for network in fashion_vae_dec fashion_dcgan esrgan_slim_x2; do
		[[ $network == *${CASES:-}* ]] || continue
		line "$network" "bytes" "dB" "sparsegpt dB" "at sparsity"
		for ratio in 0.3 0.5; do
			for kind in "${kinds[@]}"; do
				how=(--sparsity keep --low-rank "$ratio$kind")
				if ! bytes=$(packed "$network" "${how[@]}"); then
					line "  $ratio$kind" "-"
					continue
				fi
				row=("$bytes" "$(quality "$network" "${how[@]}")")
				scope=layer
				[[ $kind != *global* ]] || scope=global
				level=$(sparsity "$network" "$bytes" "$scope")
				row+=("$(quality "$network" --sparsity "$level" --method sparsegpt \
					--scope "$scope")" "$level")
				line "  $ratio$kind" "${row[@]}"
			done
		done
	done
}

# To the nearest code, or so that the layer's result loses least.
part_rounding()
{
	local format network rounding zeros row
	for network in fashion_vae_dec fashion_dcgan esrgan_slim_x2 sketchrnn_bird; do
		[[ $network == *${CASES:-}* ]] || continue
		line "$network" nearest gptq adaround "nearest, 50 %" "gptq, 50 %" "adaround, 50 %"
		for format in int8 int4 int3; do
			row=()
			for zeros in "0 --method magnitude" "0.5 --method sparsegpt"; do
				for rounding in nearest gptq adaround; do
					# shellcheck disable=SC2086 # two options
					row+=("$(quality "$network" --sparsity $zeros \
						--quantize "$format" --rounding "$rounding")")
				done
			done
			line "  $format" "${row[@]}"
		done
	done
}

# singles JSON: method, scope and part of the weights that goes, a line for each of the four best of
# what the automatic mode tried of single methods in the network as it came that meets the target
singles()
{
	awk -F '"' '
	/"trials"/ { trials = 1 }
	!trials { next }
	$2 == "strategy" { strategy = $4 }
	$2 == "scope" { scope = $4 }
	$2 == "width" { split($3, word, /[:, ]+/); whole = word[2] == 1 }
	$2 == "kept" { split($3, word, /[:, ]+/); kept = word[2] }
	$2 == "quality" { split($3, word, /[:, ]+/); quality = word[2] }
	$2 == "meets" && whole && $3 ~ /true/ && strategy !~ /^(dense|allocation)$/ &&
		scope ~ /^(layer|global)$/ {
		print quality, strategy, scope, 1 - kept
	}' "$1" | sort -g -r | awk '!seen[$2, $3]++ { print $2, $3, $4 }' | head -n 4
}

# rivals NETWORK TARGET: for each seed a line in $work/rivals: dB of the automatic mode and of the
# best single method that meets the target, by itself, and its name; on inputs of their own
rivals()
{
	local network=$1 target=$2 seed found single scope sparsity
	: >"$work/rivals"
	for ((seed = 0; seed < seeds; seed++)); do
		compress "$network" "$seed" --target "$target" --json
		found=$(evaluate "$network" | value psnr)
		singles "$work/summary" >"$work/singles"
		while read -r single scope sparsity; do
			compress "$network" "$seed" --method "$single" --scope "$scope" \
				--sparsity "$sparsity" --reconstruct ls
			echo "$found $(evaluate "$network" | value psnr) $single:$scope"
		done <"$work/singles" | sort -g -r -k 2 | head -n 1 >>"$work/rivals"
	done
	[ "$(wc -l <"$work/rivals")" -eq "$seeds" ] || {
		echo "$network $target: no single method meets it" >&2
		return 1
	}
}

# cycles NETWORK: a target for which there are pictures worth looking at. Of the DCGAN's, 45 %
# are what the link takes to bring a latent and the first commands, and to fetch the picture.
cycles()
{
	case $1 in
	fashion_dcgan) echo "cycles<=60%" ;;
	*) echo "cycles<=50%" ;;
	esac
}

# Sparsities are those of the same non-zeros; of cycles, each method's own that meets the target.
part_automatic()
{
	local network target bar
	line "network and target" automatic "best single" gain "and what it was"
	for network in fashion_vae_dec fashion_dcgan esrgan_slim_x2; do
		[[ $network == *${CASES:-}* ]] || continue
		for target in ${TARGETS:-sparsity>=0.75 sparsity>=0.9 $(cycles "$network")}; do
			rivals "$network" "$target"
			line "$network $target" "$(cut -d ' ' -f 1 "$work/rivals" | mean)" \
				"$(cut -d ' ' -f 2 "$work/rivals" | mean)" \
				"$(awk '{ print $1 - $2 }' "$work/rivals" | mean)" \
				"$(cut -d ' ' -f 3 "$work/rivals" | sort -u | paste -s -d ,)"
			bar=-0.5
			[[ $target != cycles* ]] || bar=0
			above "each seed gains >= $bar dB" \
				"$(awk '{ print $1 - $2 }' "$work/rivals" | sort -g | head -n 1)" \
				"$bar"
		done
	done
}

# Both by sparsegpt; in one sweep what is pruned and what is rounded are made up for at once.
part_order()
{
	local network format zeros how row
	for network in fashion_vae_dec fashion_dcgan esrgan_slim_x2; do
		[[ $network == *${CASES:-}* ]] || continue
		line "$network" "pq, nearest" "pq, gptq" joint
		for format in int8 int4 int3; do
			for zeros in 0.5 0.75; do
				row=()
				for how in "--order pq" "--order pq --rounding gptq" \
					"--order joint"; do
					# shellcheck disable=SC2086 # options
					row+=("$(quality "$network" --sparsity "$zeros" \
						--method sparsegpt --quantize "$format" $how)")
				done
				line "  $format, $zeros" "${row[@]}"
			done
		done
	done
}

# weight NETWORK FORMAT BITS SPARSITY: what one costs on disk; within a tenth of its entropy?
weight()
{
	local over
	compress "$1" 0 --sparsity "$4" --quantize "$2" --compact --json
	over=$(awk -v name="$1" -v format="$2" -v bits="$3" -v bytes="$(stat -c %s "$work/model")" \
		-v kept="$(value nonzeros <"$work/summary")" \
		-v all="$(value weights <"$work/summary")" '
		BEGIN { p = kept / all; q = 1 - p
		h = bits - (q > 0 ? (p * log(p) + q * log(q)) / log(2) / p : 0)
		printf "%-20s %-5s %3.0f %% zeros %8d bytes %6.2f bits, entropy %6.2f: %+.1f %%\n",
			name, format, 100 * q, bytes, 8 * bytes / kept, h,
			100 * (8 * bytes / kept / h - 1) >"/dev/stderr"
		print 8 * bytes / kept / h }' </dev/null)
	above "size <= 1.1 of the entropy" 1.1 "$over"
}

part_size()
{
	local network sparsity
	for network in $networks; do
		[[ $network == *${CASES:-}* ]] || continue
		for sparsity in 0.5 0.75 0.9; do
			weight "$network" int8 8 "$sparsity"
		done
		weight "$network" int4 4 0
		weight "$network" int4 4 0.5
	done
}

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(methods rounds generator formats rounding psnr-y low_rank automatic order
	size)
for part in "${parts[@]}"; do
	if ! declare -F "part_$part" >/dev/null; then
		echo "compress.sh: $part: no such part" >&2
		exit 2
	fi
	"part_$part"
done
exit $failed
