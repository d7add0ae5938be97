#!/bin/bash
# SPDX-License-Identifier: MIT
# Write down the binary interface that the public headers declare: no private type is in it,
# as there would be in a record of the library itself.
# usage: record.sh BUILD OUTPUT.abi
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1 output=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each function of the man pages, with a body.
{
	echo '#include <accel/accel.h>'
	awk '
	/^\.SH / { inside = $2 == "SYNOPSIS" }
	!inside || /^[.#]/ { next }
	{ gsub(/\\-/, "-") }
	{ sub(/;$/, "\n{\n\t__builtin_trap();\n}") }
	1' "$build"/Documentation/man/accel_*.3
} >"$work/interface.c"
cc -g -shared -fPIC -Ilibaccel/include "$work/interface.c" -o "$work/libaccel.so" \
	-Wl,--version-script=libaccel/libaccel.map -Wl,-soname,libaccel.so.0
abidw --no-corpus-path --no-comp-dir-path --no-show-locs "$work/libaccel.so" >"$output"
