#!/bin/bash
# SPDX-License-Identifier: MIT
# A shell in the virtual machine, with the device, the module and the tools.
# usage: shell.sh 6.12|7.3|debug
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/machine.sh
. tests/vm/machine.sh
networks=(tools/demo/models/fashion_vae_dec_sp90.onnx)

# compress FOLDER: prints the files that it makes.
compress()
{
	local network out
	for network in "${networks[@]}"; do
		out=$1/$(basename "$network" .onnx).safetensors
		build/tools/accel compress "$network" -o "$out" --sparsity keep \
			>"$1/compress.log" || { cat "$1/compress.log" >&2; return 1; }
		echo "$out"
	done
}

prepare()
{
	local files=(build/tools/accel) models
	[ -f build/build.ninja ] || meson setup build >/dev/null || return
	ninja -C build sim/server/spmm-sim tools/accel >"$work/ninja.log" ||
		{ cat "$work/ninja.log"; return 1; }
	models=$(compress "$work") || return
	mapfile -t -O 1 files <<<"$models"
	tests/vm/module.sh "$kernel" "build/vm/$kernel" || return
	files+=("build/vm/$kernel"/*.ko)
	kernel_folder=$(tests/vm/kernel.sh "$kernel") || return
	tests/vm/initramfs.sh "$kernel" "$work/initramfs" "${files[@]}"
}

kernel=${1:?which kernel}
# shellcheck disable=SC2034 # for machine.sh
[ "$kernel" != debug ] || machine_memory=1G
work=$(mktemp -d)
trap 'machine_end; rm -rf "$work"' EXIT
prepare && sim_start "$work" --verbose || exit 1
machine_command "$kernel_folder" "$work/initramfs" "$work"
cat <<'END'
   Booting. In the machine's shell, try
       dmesg | tail
       accel info dev:/dev/accel/accel0
       accel verify --device dev:/dev/accel/accel0 /data/fashion_vae_dec_sp90.safetensors
       accel run --device dev:/dev/accel/accel0 /data/fashion_vae_dec_sp90.safetensors --latents 4
   `poweroff -f` or Ctrl-A X end it.
END
"${machine[@]}" -serial mon:stdio -serial "file:$work/kernel.log" \
	-append "$kernel_arguments quiet"
sim_stop
