#!/bin/bash
# SPDX-License-Identifier: MIT
# The server of the simulated device, from its start to its end.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

server=${ACCEL_SPMM_SIM:?is set by meson test}
socket=$folder/socket

expect 0 'usage: spmm-sim --socket PATH' "$server" --help
expect 2 'where to listen' "$server"
expect 2 'mapped or message' "$server" --socket "$socket" --dma both
expect 2 'takes a number' "$server" --socket "$socket" --window much
expect 2 'no argument like more' "$server" --socket "$socket" more
expect 2 'No such file' "$server" --socket "$socket" --config "$folder/none"
expect 2 'No such file' "$server" --socket "$socket" --fault "$folder/none"
printf 'a: hang\nb: melt\n' >"$folder/script"
expect 2 "script:2: 'melt' is none of: hang" "$server" --socket "$socket" --fault "$folder/script"
expect 1 'a power of two' "$server" --socket "$socket" --window 3M
expect 1 'No such file' "$server" --socket "$folder/none/socket"
expect 1 "a socket's path" "$server" --socket "$(printf '%0200d' 0)"

# wait_for FILE: until it is there.
wait_for()
{
	for _ in $(seq 100); do
		[ -S "$1" ] && return 0
		sleep 0.05
	done
	echo "FAILED: no socket"
	failures=$((failures + 1))
}

# A signal ends it, and the socket goes; what a dead one left is no hindrance.
for signal in TERM INT KILL TERM; do
	timeout 60 "$server" --socket "$socket" &
	pid=$!
	sleep 0.1
	wait_for "$socket"
	if [ "$signal" != KILL ]; then
		expect 1 'Address already in use' "$server" --socket "$socket"
	fi
	child=$(pgrep -P "$pid" || echo "$pid")
	kill -s "$signal" "$child"
	wait "$pid"
	status=$?
	if [ "$signal" != KILL ] && { [ "$status" -ne 0 ] || [ -e "$socket" ]; }; then
		echo "FAILED: after SIG$signal status $status, $(ls "$folder")"
		failures=$((failures + 1))
	fi
done

# The library is a client like any other, one after another.
model=$folder/model.safetensors
expect 0 'weights kept' "$accel" compress "$models/fashion_vae_dec_sp90.onnx" \
	-o "$model" --sparsity keep
"$server" --socket "$socket" --trace "$folder/t.json" --vcd "$folder/w.vcd" &
pid=$!
wait_for "$socket"
for _ in 1 2 3; do
	expect 0 'values, 0 differ' "$accel" verify "$model" --device "vfio-user:$socket"
done
expect 0 'vfio-user spmm, 16 clusters' "$accel" info "vfio-user:$socket"
kill "$pid"
wait "$pid"
check 'what all of them did is recorded' \
	sh -c "tail -n 1 '$folder/t.json' | grep -qx '\]' && test -s '$folder/w.vcd'"
if [ -w /dev/full ]; then
	expect 1 '/dev/full: No space left' timeout -s TERM --preserve-status 1 \
		"$server" --socket "$socket" --trace /dev/full
fi
expect 1 'is spmm-sim --socket running' "$accel" info "vfio-user:$socket"

# Who asks for every access by message is refused: the library shares memory alone.
"$server" --socket "$socket" --dma message &
pid=$!
wait_for "$socket"
expect 1 "accel verify: .*" "$accel" verify "$model" --device "vfio-user:$socket"
kill "$pid"
wait "$pid"

# Its faults are the client's to see, and end with it.
echo 'f: fatal on list armed' >"$folder/script"
"$server" --socket "$socket" --fault "$folder/script" &
pid=$!
wait_for "$socket"
for _ in 1 2; do
	expect 1 'the device reports a fatal error' "$accel" run "$model" --device "vfio-user:$socket"
	expect 0 'vfio-user spmm, 16 clusters' "$accel" info "vfio-user:$socket"
done
kill "$pid"
wait "$pid"

# A server that dies under its client: an error, and no hang.
"$server" --socket "$socket" &
pid=$!
wait_for "$socket"
(sleep 1 && kill -KILL "$pid") &
expect 1 'accel run: ' "$accel" run "$model" --device "vfio-user:$socket" --repeat 1000000

finish
