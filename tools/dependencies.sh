#!/bin/bash
# SPDX-License-Identifier: MIT
# Install the Debian packages that are missing: dependencies.sh [--check] GROUP...
# Groups: build, check, vm, recovery. With --check, only say what is missing, and fail.
set -euo pipefail

# PACKAGE or PACKAGE:COMMAND; with a command, whoever provides it will do.
build=(
	gcc:cc make:make git:git meson:meson ninja-build:ninja pkg-config:pkg-config
	libc6-dev libjansson-dev libpng-dev zlib1g-dev libopenblas-dev
	protobuf-c-compiler:protoc-c libprotobuf-c-dev libonnx-dev libcmocka-dev
	libdrm-dev libpci-dev liburing-dev
)

# clang's sanitizer and fuzzer libraries carry the version in their name.
clang_runtime()
{
	# shellcheck disable=SC1091
	case $(. /etc/os-release && echo "${VERSION_ID:-}") in
	12) echo libclang-rt-14-dev ;;
	*) echo libclang-rt-19-dev ;;
	esac
}

check=(
	clang:clang clang-format:clang-format clang-tidy:clang-tidy
	shellcheck:shellcheck libasan8 libubsan1 verilator:verilator g++:g++
	nodejs:node npm:npm ca-certificates dataset-fashion-mnist
	dwarves:pahole groff-base:groff abigail-tools:abidiff
)

# What fetches and unpacks a kernel and QEMU; these themselves are not installed.
vm=(
	zstd:zstd xz-utils:xz kmod:/sbin/depmod util-linux:unshare binutils:strip
	debian-archive-keyring
)

# PyTorch, whose gradients and training steps ours are compared with.
recovery=(python3-torch python3-onnx)

is_present()
{
	local package=${1%%:*} command=${1#*:}

	if [[ $1 = *:* ]]; then
		command -v "$command" >/dev/null
	else
		dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
			grep -q 'ok installed'
	fi
}

only_check=
if [ "${1:-}" = --check ]; then
	only_check=1
	shift
fi

wanted=()
for group in "$@"; do
	case $group in
	build) wanted+=("${build[@]}") ;;
	check) wanted+=("${check[@]}" "$(clang_runtime)") ;;
	vm) wanted+=("${vm[@]}") ;;
	recovery) wanted+=("${recovery[@]}") ;;
	*)
		echo "usage: $0 [--check] build|check|vm|recovery ..." >&2
		exit 2
		;;
	esac
done

if ! command -v dpkg-query >/dev/null; then
	echo "Not a Debian system: see to these yourself: ${wanted[*]%%:*}" >&2
	exit 0
fi

missing=()
for entry in "${wanted[@]}"; do
	is_present "$entry" || missing+=("${entry%%:*}")
done
if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi

line="apt-get install --no-install-recommends ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if command -v sudo >/dev/null; then
		as_root=(sudo)
	else
		only_check=1
	fi
fi
if [ -n "$only_check" ]; then
	echo "Debian packages are missing. As root, run:" >&2
	echo "    $line" >&2
	exit 1
fi

echo "Installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
if ! { "${as_root[@]}" apt-get update -q &&
	"${as_root[@]}" apt-get install -q -y --no-install-recommends \
		"${missing[@]}"; }; then
	echo "Could not install them. As root, run:" >&2
	echo "    $line" >&2
	exit 1
fi
