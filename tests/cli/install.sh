#!/bin/bash
# SPDX-License-Identifier: MIT
# What `make install` puts down is enough to compile and run a program with pkg-config,
# in C and C++, and libaccel needs neither OpenBLAS nor protobuf.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

meson install -C "$ACCEL_BUILD_DIR" --no-rebuild --quiet --destdir "$work/root"
pc=$(find "$work/root" -name libaccel.pc)
library=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$work/root

cat >"$work/example.c" <<'PROGRAM'
#include <accel/accel.h>

int main(void)
{
	return accel_last_error()[0];
}
PROGRAM
cp "$work/example.c" "$work/example.cc"
read -r -a flags <<<"$(pkg-config --cflags --libs libaccel)"
for compiler in "${CC:-cc}" "${CXX:-c++}"; do
	if ! command -v "$compiler" >/dev/null; then
		continue
	fi
	source=$work/example.c
	[[ $compiler = *++ ]] && source=$work/example.cc
	"$compiler" -Wall -Wextra -Werror "$source" -o "$work/example" "${flags[@]}"
	LD_LIBRARY_PATH=$library "$work/example"
done

if readelf -d "$library/libaccel.so" | grep -E 'NEEDED.*(blas|protobuf|png)'; then
	echo "libaccel.so must not need these"
	exit 1
fi

# Public names only, and every function of the public headers.
nm -D --defined-only "$library/libaccel.so" |
	sed -n 's/.* \(.*\)@@ACCEL_0.1$/\1/p' | sort >"$work/exported"
find "$work/root" -path '*/include/accel/*.h' -exec cat {} + |
	grep -oE '^[a-z].*\b(accel_[a-z0-9_]+)\(' |
	grep -oE 'accel_[a-z0-9_]+\($' | tr -d '(' | sort >"$work/declared"
if ! diff "$work/declared" "$work/exported"; then
	echo "< declared in accel/*.h but not exported, > exported but not declared"
	exit 1
fi
