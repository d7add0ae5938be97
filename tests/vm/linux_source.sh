# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced, after cache.sh and apt.sh: the sources of Linux 6.12 as Debian has them.
: "${cache:?}" "${release:?}"
source_package=linux-source-6.12

linux_source_version()
{
	apt_versions "$release" "$source_package"
}

linux_source_fetch()
{
	apt_extract_only "the sources of Linux" "$1" "$source_package"
}

# linux_source_extract FOLDER FILE...: all of them, without a FILE; names are relative to
# the top of the sources.
linux_source_extract()
{
	local folder=$1 entry
	shift
	entry=$source_package-$(linux_source_version)
	cache_entry "$entry" linux_source_fetch || return 1
	mkdir -p "$folder"
	tar -C "$folder" --strip-components=1 --warning=no-timestamp \
		-xf "$cache/$entry/usr/src/$source_package.tar.xz" \
		"${@/#/$source_package/}"
}
