#!/bin/bash
# SPDX-License-Identifier: MIT
# The library's binary interface is the one on record: programs that were linked with an
# older one work. What is added on purpose is recorded by `make abi`; anything else that
# abidiff finds breaks somebody.
set -uo pipefail
: "${ACCEL_BUILD_DIR:?is set by meson test}" "${ACCEL_SOURCE_DIR:?}"
if ! command -v abidiff >/dev/null; then
	echo "abidiff is not installed (Debian: abigail-tools)"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
abidiff --suppressions "$ACCEL_SOURCE_DIR/tests/abi/private.suppr" \
	"$ACCEL_SOURCE_DIR/tests/abi/libaccel.abi" \
	"$ACCEL_BUILD_DIR/libaccel/libaccel.so.0" >"$work/found"
status=$?
cat "$work/found"
[ $status -eq 0 ] ||
	echo "If nothing but additions is above, and they are meant: make abi"
exit $status
