# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # the sourcing script uses them
# Sourced by the tests: they run the tool as a user does, and look at its exit
# status and at what it says.

accel=${ACCEL_TOOL:?is set by meson test}
models=${ACCEL_TEST_MODELS:?is set by meson test}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

# expect STATUS PATTERN COMMAND...: the command ends so, and what it prints, on
# either stream, matches the extended regular expression. 60 s are a hang.
expect()
{
	local status=$1 pattern=$2 got
	shift 2
	timeout 60 "$@" >"$folder/printed" 2>&1 </dev/null
	got=$?
	if [ "$got" -ne "$status" ]; then
		echo "FAILED: $*: status $got, not $status"
	elif ! grep -qE -- "$pattern" "$folder/printed"; then
		echo "FAILED: $*: does not say \"$pattern\""
	else
		return 0
	fi
	sed 's/^/    /' "$folder/printed" | head -n 20
	failures=$((failures + 1))
}

# check WHAT COMMAND...: the command succeeds, quietly.
check()
{
	local what=$1
	shift
	if ! "$@" >/dev/null 2>&1; then
		echo "FAILED: $what"
		failures=$((failures + 1))
	fi
}

finish()
{
	[ "$failures" -eq 0 ] && exit 0
	echo "$failures failed"
	exit 1
}
