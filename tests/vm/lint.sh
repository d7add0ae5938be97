#!/bin/bash
# SPDX-License-Identifier: MIT
# The kernel's own checks of the kernel module: its style (checkpatch), its comments
# (kernel-doc), gcc and clang with more warnings, sparse, coccinelle; and its package for
# DKMS. Prints each finding; the last line is "N passed, N failed, N skipped".
# shellcheck disable=SC2317 # the checks are called by name
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
vm=tests/vm
# shellcheck source=tests/vm/cache.sh
. $vm/cache.sh
# shellcheck source=tests/vm/apt.sh
. $vm/apt.sh
# shellcheck source=tests/vm/linux_source.sh
. $vm/linux_source.sh
work=build/vm/lint
scripts=(checkpatch.pl spelling.txt const_structs.checkpatch kernel-doc coccinelle)
passed=0
failed=0

# check NAME COMMAND...: what it prints is findings.
check()
{
	local name=$1 start=$SECONDS
	shift
	if "$@" >"$work/findings" 2>&1 && [ ! -s "$work/findings" ]; then
		echo "ok $name, $((SECONDS - start)) s"
		passed=$((passed + 1))
	else
		echo "FAIL $name"
		cat "$work/findings"
		failed=$((failed + 1))
	fi
}

fetch_scripts()
{
	linux_source_extract "$1" "${scripts[@]/#/scripts/}"
}

# A copy, for the build root, which sees nothing else; and all that has to be downloaded,
# which is no finding.
prepare()
{
	local entry
	mkdir -p "$work"
	apt_use
	entry=linux-scripts-$(linux_source_version)
	cache_entry "$entry" fetch_scripts || return 1
	rm -rf "${work:?}"/{driver,uapi,scripts}
	cp -r driver uapi "$cache/$entry/scripts" "$work/" &&
		cp $vm/clang "$work/" &&
		$vm/kernel.sh 7.3 >/dev/null && $vm/dkms.sh fetch && in_root true
}

in_root()
{
	$vm/buildroot.sh --lint "$work" "$@"
}

sources()
{
	(cd "$work" && find driver uapi/drm -name '*.[ch]' | sort)
}

# What userspace compiles cannot have the kernel's BIT(); descriptions of events are
# macros that look like lists; files shared with userspace have C's own _Bool.
style()
{
	local file ignore
	mkdir -p "$work/include"
	sources | while read -r file; do
		ignore=MACRO_ARG_UNUSED
		case $file in
		uapi/*) ignore+=,BIT_MACRO ;;
		*_trace.h) ignore+=,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT ;;
		esac
		echo "--ignore=$ignore $file"
	done | in_root xargs -P "$(nproc)" -L 1 perl scripts/checkpatch.pl --no-tree --root=. \
		--strict --terse --show-types --no-summary --quiet -f |
		grep -v 'CamelCase: <_Bool>'
	return 0
}

comments()
{
	# shellcheck disable=SC2046
	in_root perl scripts/kernel-doc -none -Wall $(sources)
}

# compile KERNEL ARGUMENT...: only findings in these files: what a kernel's own headers
# bring to light is that kernel's. A module must come of it.
compile()
{
	local kernel=$1 folder status=0
	shift
	folder=$($vm/kernel.sh "$kernel") || return
	find "$work/driver" \( -name '*.o' -o -name '*.ko' -o -name '*.cmd' \) -delete
	in_root make -s -j "$(nproc)" -C "$folder/build" M=/build/driver \
		"$@" modules >"$work/log" 2>&1 || status=$?
	sed 's,/build/driver/,driver/,g' "$work/log" |
		grep -E '(^|[ /])(driver|uapi)/[^ ]*: *(warning|error|fatal)' |
		grep -v objtool
	if [ "$status" -ne 0 ] || [ ! -f "$work/driver/spmm.ko" ]; then
		tail -n 30 "$work/log"
		return 1
	fi
	return 0
}

# shellcheck disable=SC2016
spatch='options=$(sed -n "s,^// *Options: *,,p" {})
	spatch -D report --very-quiet --no-show-diff $options --cocci-file {} \
		-I driver -I uapi --dir driver 2>/tmp/spatch.$$ ||
		{ echo "{}: failed"; cat /tmp/spatch.$$; }
	rm /tmp/spatch.$$'

# Those that can report, and need no OCaml compiler; each says with which options.
coccinelle()
{
	(cd "$work" && grep -rl '^virtual report' scripts/coccinelle |
		xargs grep -L ':ocaml@' | sort) |
		in_root xargs -P "$(nproc)" -I{} sh -c "$spatch"
}

prepare || fail "nothing to check with"
check checkpatch style
check kernel-doc comments
# Debian's headers of 7.3 come without what C=2 needs.
check gcc-sparse compile 6.12 W=1 C=2
check gcc-7.3 compile 7.3 W=1
check clang compile 6.12 W=1 CC=/build/clang
check coccinelle coccinelle
check dkms $vm/dkms.sh
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
