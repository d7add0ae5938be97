#!/bin/bash
# SPDX-License-Identifier: MIT
# The symbol map, the public headers and the library name the same functions.
cd "${ACCEL_SOURCE_DIR:?is set by meson test}/libaccel" || exit 1
library=${ACCEL_BUILD_DIR:?is set by meson test}/libaccel/libaccel.so

# shellcheck disable=SC2016
in_map=$(sed -n '/^ACCEL_0\.1/,/^}/s/^\t\(accel_[a-z_]*\);/\1/p' libaccel.map | sort)
in_headers=$(grep -ohE '^[a-z].*\baccel_[a-z_]+\(' include/accel/*.h |
	grep -oE 'accel_[a-z_]+\($' | tr -d '(' | sort -u)
in_library=$(nm -D --defined-only "$library" |
	sed -n 's/.* T \(accel_[a-z_]*\)@@ACCEL_0\.1$/\1/p' | sort)

diff <(echo "$in_headers") <(echo "$in_map") ||
	{ echo "FAILED: headers (<) and map (>) differ"; exit 1; }
diff <(echo "$in_map") <(echo "$in_library") ||
	{ echo "FAILED: map (<) and library (>) differ"; exit 1; }
