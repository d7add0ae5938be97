#!/bin/bash
# SPDX-License-Identifier: MIT
# The program of Documentation/queue.rst compiles without a warning and waits for several
# devices, another process's among them, and for its input.
set -euo pipefail
: "${ACCEL_BUILD_DIR:?is set by meson test}" "${ACCEL_SOURCE_DIR:?}"
work=$(mktemp -d)
server=
finish()
{
	[ -z "$server" ] || kill "$server"
	rm -rf "$work"
}
trap finish EXIT

awk '/^    #include <accel/ { inside = 1 } /^[^ ]/ { inside = 0 }
	inside { print substr($0, 5) }' \
	"$ACCEL_SOURCE_DIR/Documentation/queue.rst" >"$work/example.c"
"${CC:-cc}" -Wall -Wextra -Werror -I"$ACCEL_SOURCE_DIR/libaccel/include" \
	"$work/example.c" -o "$work/example" \
	-L"$ACCEL_BUILD_DIR/libaccel" -laccel -luring
export LD_LIBRARY_PATH=$ACCEL_BUILD_DIR/libaccel

"$ACCEL_BUILD_DIR/sim/server/spmm-sim" --socket "$work/socket" >"$work/log" 2>&1 &
server=$!
for ((i = 0; i < 100; i++)); do
	[ ! -S "$work/socket" ] || break
	sleep 0.1
done

# Pieces that come one by one: the loop waits for the pipe and for the devices.
for ((i = 0; i < 20; i++)); do
	echo "piece $i"
	sleep 0.02
done | timeout 60 "$work/example" nil: cpu: sim: "vfio-user:$work/socket" >"$work/said"
read -r bytes _ operations _ <"$work/said"
if [ "$bytes" -ne 170 ] || [ $((operations % 4)) -ne 0 ] || [ "$operations" -lt 4 ]; then
	echo "FAILED: it said: $(cat "$work/said")"
	exit 1
fi
if "$work/example" bad: </dev/null 2>/dev/null; then
	echo "FAILED: a bad device is not an error"
	exit 1
fi
