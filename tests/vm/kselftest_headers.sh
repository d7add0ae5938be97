#!/bin/bash
# SPDX-License-Identifier: MIT
# Copy the harness of the kernel's own tests, out of Debian's sources of Linux, to FOLDER.
# usage: kselftest_headers.sh FOLDER
set -euo pipefail
folder=$(realpath "${1:?which folder}")
cd "$(dirname "$0")"
# shellcheck source=tests/vm/cache.sh
. ./cache.sh
# shellcheck source=tests/vm/apt.sh
. ./apt.sh
# shellcheck source=tests/vm/linux_source.sh
. ./linux_source.sh
selftests=tools/testing/selftests
headers=(kselftest.h kselftest_harness.h)

fetch()
{
	linux_source_extract "$1" "${headers[@]/#/$selftests/}"
}

apt_use
name=kselftest-headers-$(linux_source_version)
cache_entry "$name" fetch
cp "${headers[@]/#/$cache/$name/$selftests/}" "$folder/"
