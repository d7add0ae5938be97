#!/bin/bash
# SPDX-License-Identifier: MIT
# The conformance suite's faults, each on a device whose script does it at the first NOP: in
# the process and behind a socket.
# usage: faults.sh CONFORMANCE MODEL
set -euo pipefail
# shellcheck source=tests/conformance/server.sh
. "$(dirname "$0")/server.sh"
conformance=$1
model=$2
results=0
status=0

# name: rule of the script (Documentation/faults.rst)
rules=(
	'hang: hang on nop'
	'hang: hang on nop until device'
	'hang-and-reset: hang engine on nop until device'
	'lost-completion: drop on nop'
	'lost-completion: corrupt phase on nop'
	'all-ones: gone on nop'
	'fatal: fatal on nop'
	'memory-error: memory_error on nop'
	'memory-error-unheard: memory_error on nop'
	'lost-interrupt: lose_interrupt on nop times 4'
	'gone: gone on nop until plug'
)

# case_run NAME OPTION...: one case of this test.
case_run()
{
	local name=$1 verdict=ok
	shift
	results=$((results + 1))
	"$conformance" --model "$model" "$@" >"$folder/output" || verdict="not ok"
	sed 's/^/# /' "$folder/output"
	echo "$verdict $results - $name"
	[ "$verdict" = ok ] || status=1
}

echo "1..$((2 * ${#rules[@]} + 1))"
for rule in "${rules[@]}"; do
	fault=${rule%%:*}
	echo "fault: ${rule#*: } armed" >"$folder/script"
	case_run "sim: $rule" "sim:?fault=$folder/script" --fault "$fault"
	server_start --fault "$folder/script"
	case_run "vfio-user: $rule" "$server_uri" --fault "$fault"
	server_stop
done
# shellcheck disable=SC2119 # it takes options, these here are none
server_start
case_run "vfio-user: vanished" "$server_uri" --fault vanished --server "$server_pid"
exit "$status"
