#!/bin/bash
# SPDX-License-Identifier: MIT
# Run a command among the tools with which Debian's kernels are built: the compiler has to
# be the kernel's own, and the headers' programs want that release's C library. A chroot
# with the cache at its own place and FOLDER as /build; needs root, or user namespaces.
# usage: buildroot.sh [--lint] FOLDER COMMAND...
#        buildroot.sh [--lint] --folder          have it, and print where
# With --lint another one, in which the checkers are, too.
set -euo pipefail
# shellcheck source=tests/vm/cache.sh
. "$(dirname "$0")/cache.sh"
# shellcheck source=tests/vm/apt.sh
. "$(dirname "$0")/apt.sh"
packages=(gcc-14 libc6-dev make bash dash coreutils findutils grep sed mawk perl-base
	diffutils tar gzip xz-utils kmod rsync bc flex bison libelf-dev libssl-dev pahole perl
	python3-minimal dpkg)
checkers=(clang-19 sparse coccinelle libpython3.13)
what="the kernel's compiler"

# Nothing was configured, so what alternatives would provide is linked by hand.
fetch()
{
	local folder=$1
	apt_extract "$what" "$release" "$folder" "${packages[@]}" || return 1
	rm -rf "$folder"/usr/share/{doc,man,locale,info}
	ln -sf mawk "$folder/usr/bin/awk" &&
		ln -sf dash "$folder/usr/bin/sh" &&
		ln -sf gcc-14 "$folder/usr/bin/gcc" &&
		ln -sf gcc "$folder/usr/bin/cc" &&
		ln -s x86_64-linux-gnu/libpython3.13.so.1.0 \
			"$folder/usr/lib/libpython3.13.so" &&
		mkdir -p "$folder"/{dev,proc,build,tmp}
}

in_namespace()
{
	if [ "$(id -u)" -eq 0 ] && unshare --mount true 2>/dev/null; then
		unshare --mount -- "$@"
	elif unshare --map-root-user --mount true 2>/dev/null; then
		unshare --map-root-user --mount -- "$@"
	else
		fail "needs root, or user namespaces (kernel.unprivileged_userns_clone=1)"
	fi
}

# shellcheck disable=SC2016
enter='
set -eu
root=$1 cache=$2 folder=$3
shift 3
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount --bind "$folder" "$root/build"
mount --bind "$cache" "$root$cache"
exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/usr/sbin HOME=/build LC_ALL=C \
	sh -c "cd /build && exec \"\$@\"" sh "$@"
'

main()
{
	local version root
	if [ "$1" = --lint ]; then
		what+=" and checkers"
		packages+=("${checkers[@]}")
		shift
	fi
	apt_use
	version=$(apt_versions "$release" gcc-14 libc6-dev | paste -s -d_)
	root=$cache/buildroot-$version-$(cksum <<<"${packages[*]}" | cut -d' ' -f1)
	cache_entry "${root##*/}" fetch
	if [ "$1" = --folder ]; then
		echo "$root"
		return
	fi
	mkdir -p "$root$cache"
	in_namespace sh -c "$enter" sh "$root" "$cache" "$(realpath "$1")" "${@:2}"
}

[ $# -gt 0 ] || fail "usage: buildroot.sh FOLDER COMMAND..."
main "$@"
