#!/bin/bash
# SPDX-License-Identifier: MIT
# Run the RTL of a cluster in lock-step with its C model; Documentation/rtl.rst.
# usage: run.sh [BUILD], a folder in which test_cluster is built; exit 77: skipped
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1

build=${1:-build}
if ! command -v verilator >/dev/null; then
	echo "skipped: verilator is not installed (apt-get install verilator)"
	exit 77
fi

# The package comes first, since the others import it.
sources=(sim/rtl/cluster_package.sv)
for source in sim/rtl/*.sv; do
	[ "$source" = "${sources[0]}" ] || sources+=("$source")
done

# Compiling takes longer than running: -O1. Registers that nobody has reset are
# random. Fields that only some users of a structure read are no mistake.
verilator --cc --exe --build -Wall -Wno-UNUSEDSIGNAL \
	--x-assign unique --x-initial unique \
	--top-module cluster --Mdir "$build/rtl" -j "$(nproc)" \
	-MAKEFLAGS "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1" \
	-CFLAGS "-fPIC -I$PWD/sim/include" -LDFLAGS -shared \
	-o libcluster.so "${sources[@]}" "$PWD/sim/rtl/cluster_driver.cpp"

ACCEL_RTL_CLUSTER=$(realpath "$build/rtl/libcluster.so") \
	ACCEL_TEST_MODELS=$PWD/tools/demo/models \
	"$build/tests/rtl/test_cluster"
