#!/bin/bash
# SPDX-License-Identifier: MIT
# The debug kernel: Debian's sources of Linux, tinyconfig and debug-kernel.config. The
# first run builds it, about 14 minutes of one processor.
# usage: kernel_debug.sh
# Prints a folder, with what kernel.sh says, and config.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tests/vm/cache.sh
. ./cache.sh
# shellcheck source=tests/vm/apt.sh
. ./apt.sh
# shellcheck source=tests/vm/linux_source.sh
. ./linux_source.sh
fragment=debug-kernel.config
# Lines that a whole build prints, for the progress.
build_lines=2100

configure()
{
	cp "$fragment" "$1/$fragment"
	./buildroot.sh "$1" sh -c "make -s tinyconfig &&
		scripts/kconfig/merge_config.sh -m .config $fragment &&
		make -s olddefconfig" >"$1.log" 2>&1 ||
		show_end "$1.log"
}

show_end()
{
	tail -n 40 "$1" >&2
	return 1
}

# An option that is misspelt, or whose dependencies are not met, is dropped without a word.
check_config()
{
	local config=$1 line name lost=0
	while read -r line; do
		case $line in
		CONFIG_*=*)
			! grep -qFx "$line" "$config" || continue
			;;
		'# CONFIG_'*' is not set')
			name=${line#'# '}
			grep -q "^${name%% *}=" "$config" || continue
			;;
		*) continue ;;
		esac
		echo "$fragment: lost in the kernel's configuration: $line" >&2
		lost=1
	done <"$fragment"
	return "$lost"
}

show_progress()
{
	local lines=0 line
	while read -r line; do
		lines=$((lines + 1))
		if [ $((lines % 300)) -eq 0 ]; then
			announce "$((SECONDS / 60)) min: $lines of about $build_lines steps"
		fi
	done
}

compile()
{
	announce "Building the debug kernel: 14 minutes of a processor, $(nproc) are at work"
	nice -n 10 ./buildroot.sh "$1" make -j"$(nproc)" bzImage modules 2>&1 |
		tee "$1.log" | show_progress ||
		show_end "$1.log"
}

# What building modules takes of the sources, by the kernel's own rule for its packages.
install_results()
{
	local folder=$1 source=$1/source
	./buildroot.sh "$source" make -s kernelrelease >"$folder/release" &&
		./buildroot.sh "$source" make -s INSTALL_MOD_PATH=modules modules_install &&
		./buildroot.sh "$source" make -s run-command \
			KBUILD_RUN_COMMAND="scripts/package/install-extmod-build tree" &&
		mv "$source/tree" "$folder/build" &&
		mv "$source/modules" "$source/.config" "$source/System.map" "$folder" &&
		rm -f "$folder"/modules/lib/modules/*/{build,source} &&
		mv "$folder/.config" "$folder/config" &&
		cp "$source/arch/x86/boot/bzImage" "$folder/boot"
}

build()
{
	local folder=$1 source=$1/source
	announce "Extracting the sources of Linux: 1.6 GB until it is built"
	linux_source_extract "$source" &&
		configure "$source" && check_config "$source/.config" &&
		compile "$source" && install_results "$folder" >&2 &&
		rm -rf "$source" "$source.log"
}

main()
{
	local name
	apt_use
	name=linux-debug-$(linux_source_version)-$(sha256sum "$fragment" | head -c 12)
	cache_entry "$name" build
	echo "$cache/$name"
}

main
