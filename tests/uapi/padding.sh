#!/bin/bash
# SPDX-License-Identifier: MIT
# No structure that crosses a boundary has padding that it does not name, and each has one
# layout for programs of 32 and of 64 bits: as pahole sees what the compiler makes of them.
# usage: padding.sh [HEADER...], by default all of uapi/
set -euo pipefail
cd "${ACCEL_SOURCE_DIR:-$(dirname "$0")/../..}"

if ! command -v pahole >/dev/null; then
	echo "pahole (Debian: dwarves) is not installed"
	exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
headers=("$@")
[ ${#headers[@]} -gt 0 ] || headers=(uapi/drm/*.h uapi/spmm/*.h)
read -ra drm <<<"$(pkg-config --cflags libdrm)"
names=$(sed -n 's/^struct \([a-z0-9_]*\) {$/\1/p' "${headers[@]}" | paste -s -d,)
[ -n "$names" ] || { echo "No structures in ${headers[*]}"; exit 1; }

# layouts BITS: of all structures. The kernel's headers are the same for both sizes; only
# the folder's name has the machine in it.
layouts()
{
	printf '#include "%s"\n' "${headers[@]}" >"$work/all.c"
	gcc "-m$1" -g -c -fno-eliminate-unused-debug-types -Iuapi -I. "${drm[@]}" \
		-isystem "/usr/include/$(gcc -print-multiarch)" \
		"$work/all.c" -o "$work/$1.o"
	pahole -C "$names" "$work/$1.o"
}

status=0
layouts 64 >"$work/64"
layouts 32 >"$work/32"

# pahole marks a hole within its structure and counts them, and padding, at its end.
if ! awk '
	/^(struct|union) / { name = $2 }
	/XXX|padding:/ { print name ": " $0; found = 1 }
	END { exit found }
	' "$work/64" "$work/32"; then
	echo "Padding has to be named."
	status=1
fi
if ! diff -u "$work/32" "$work/64"; then
	echo "The layouts of 32 and 64 bits differ."
	status=1
fi
[ "$(grep -c '^struct ' "$work/64")" -eq "$(tr , '\n' <<<"$names" | wc -l)" ] ||
	{ echo "pahole did not find all of: $names"; status=1; }
exit "$status"
