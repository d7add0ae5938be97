#!/bin/bash
# SPDX-License-Identifier: MIT
# accel sweep: the same rows each time, configurations that are refused, and wrong
# keys found before anything runs.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

vae=$folder/vae.safetensors
csv=$folder/out.csv
svg=$folder/out.svg

expect 0 'weights kept' "$accel" compress "$models/fashion_vae_dec_sp90.onnx" \
	-o "$vae" --sparsity keep

# ---- a grid ----

check 'a grid runs' "$accel" sweep "$vae" --set clusters=1,2 --set lanes=4,8 \
	--base small --latents 2 -o "$csv" --plot "$svg"
check 'a line of names and four rows' test "$(wc -l <"$csv")" -eq 5
check 'every point once, in order' test \
	"$(cut -d, -f1-3 "$csv" | tail -n 4 | tr '\n' ' ')" = \
	'1,4,ok 1,8,ok 2,4,ok 2,8,ok '
check 'larger arrays take fewer cycles' test \
	"$(sed -n 2p "$csv" | cut -d, -f4)" -gt "$(sed -n 5p "$csv" | cut -d, -f4)"
check 'host time goes last' grep -q ',host_seconds$' "$csv"
check 'a plot' grep -q '</svg>' "$svg"

# Rows, the time of the host aside, depend on nothing else. Progress goes to standard
# error, which must not get between them.
sed 's/,[^,]*$//' "$csv" >"$folder/first"
for jobs in 1 4; do
	"$accel" sweep "$vae" --set clusters=1,2 --set lanes=4,8 --base small \
		--latents 2 --jobs "$jobs" 2>/dev/null |
		sed 's/,[^,]*$//' >"$folder/second"
	check "the same rows, $jobs at a time" cmp "$folder/first" "$folder/second"
done

# ---- a sweep that is killed ----

part=$folder/part.csv
: >"$part"
# A grid that takes much longer than its first row.
"$accel" sweep "$vae" --set clusters=1,2,3,4,5,6,7,8 --set lanes=1,2,4,8 \
	--set dram_width_bits=8,16,32,64 --base small --latents 256 --jobs 2 \
	-o "$part" 2>"$folder/log" &
sweep=$!
for _ in $(seq 600); do
	[ "$(wc -l <"$part")" -ge 4 ] && break
	sleep 0.05
done
kill -KILL "$sweep"
wait "$sweep" 2>/dev/null
check 'rows were written as they came' test "$(wc -l <"$part")" -ge 4
check 'and not all of them' test "$(wc -l <"$part")" -lt 129
check 'each of them is whole' test \
	"$(grep -cE '^[0-9]+,[0-9]+,[0-9]+,ok(,[0-9.]+){9}$' "$part")" -eq \
	"$(($(wc -l <"$part") - 1))"
check 'the first ones, none missing' test \
	"$(cut -d, -f1-3 "$part" | sed -n 2,4p | tr '\n' ' ')" = '1,1,8 1,1,16 1,1,32 '

# The point that is the base costs what `accel run` says.
printf 'preset = small\nlanes = 4\n' >"$folder/device.conf"
expect 0 'total' "$accel" run "$vae" --latents 2 --device "sim:$folder/device.conf"
cycles=$(sed -n 's/.*(\([0-9]*\) cycles at.*/\1/p' "$folder/printed")
expect 0 "^2,ok,$cycles," "$accel" sweep "$vae" --set clusters=2 \
	--base "$folder/device.conf" --latents 2
expect 0 '^hbm2e,ok,' "$accel" sweep "$vae" --set preset=small,default,hbm2e

# ---- configurations that are refused ----

expect 1 'clusters=0 lanes=4: skipped: clusters = 0 is outside' "$accel" sweep \
	"$vae" --set clusters=0,2 --set lanes=4 -o "$csv" --plot "$svg"
check 'their rows say so' grep -q '^0,4,clusters = 0 is outside.*,,,,,,,,,$' "$csv"
check 'the others are there' grep -q '^2,4,ok,[1-9]' "$csv"
check 'the plot, too' grep -q 'clusters=2 lanes=4' "$svg"
# Valid for the configuration file, and too small for the model.
expect 1 'memory_bytes=1048576: skipped: .*' "$accel" sweep "$vae" \
	--set memory_bytes=1M,1G --latents 512
expect 1 '1 of 2 configurations were skipped' "$accel" sweep "$vae" \
	--set sram_bytes=64K,8M
expect 1 'deadline of 0 s' "$accel" sweep "$vae" --set clusters=2 --timeout 0

# ---- before anything runs ----

rm "$csv"
expect 2 'close ones are clusters' "$accel" sweep "$vae" --set cluster=4 -o "$csv"
expect 2 'nothing to sweep' "$accel" sweep "$vae"
expect 2 'set twice' "$accel" sweep "$vae" --set lanes=4 --set lanes=8
expect 2 'not a number' "$accel" sweep "$vae" --set lanes=4,eight
expect 2 'exclude each other' "$accel" sweep "$vae" --set preset=small \
	--base hbm2e
expect 1 'no such file, and no preset' "$accel" sweep "$vae" --set lanes=4 \
	--base tiny
printf 'preset = small\nlanez = 4\n' >"$folder/device.conf"
expect 1 'device.conf:2: .lanez' "$accel" sweep "$vae" --set lanes=4 \
	--base "$folder/device.conf"
expect 1 'accel sweep: .*' "$accel" sweep "$folder/none" --set lanes=4
expect 1 'accel sweep: .*none/out' "$accel" sweep "$vae" --set lanes=4 \
	-o "$folder/none/out.csv"
expect 1 'accel sweep: .*' "$accel" sweep "$vae" --set lanes=4 --plot "$folder"
expect 1 '/dev/full' "$accel" sweep "$vae" --set lanes=4 -o /dev/full
check 'nothing is left behind' test -z "$(find "$folder" -name '*.tmp-*')"
check 'nothing is written' test ! -e "$csv"

finish
