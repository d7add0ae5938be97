#!/bin/bash
# SPDX-License-Identifier: MIT
# Style and static checks over all tracked files; prints each finding, fails on any.
# shellcheck disable=SC2317 # the checks are called by name
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

# A copy of the sources without git is looked through, too.
list()
{
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -- "$@"
	else
		local pattern
		for pattern in "$@"; do
			find . -path './build*' -prune -o -type f \
				-name "$pattern" -print | sed 's,^\./,,'
		done
	fi
}

mapfile -t sources < <(list '*.c')
mapfile -t headers < <(list '*.h')
mapfile -t scripts < <(list '*.sh' | cat - <(ls .ci/run 2>/dev/null))
includes=(-Ilibaccel/include -Isim/include -Iuapi)
read -ra drm <<<"$(pkg-config --cflags libdrm)"
includes+=("${drm[@]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# check NAME COMMAND...: what it prints is findings.
check()
{
	local name=$1
	shift
	if "$@" >"$work/findings" 2>&1 && [ ! -s "$work/findings" ]; then
		echo "ok $name"
	else
		echo "FAIL $name"
		cat "$work/findings"
		status=1
	fi
}

# The style is defined by what one version does; others differ in details.
format()
{
	# Tables of trace events have a form of their own.
	printf "%s\n" "${sources[@]}" "${headers[@]}" | grep -v "_trace.h$" |
		xargs clang-format --dry-run -Werror
}

licences()
{
	local file
	list '*.c' '*.h' '*.cpp' '*.sv' '*.sh' '*.rst' '*.md' '*.js' '*.map' 'meson.build' \
		'*/meson.build' Makefile meson_options.txt |
		while read -r file; do
			head -n 3 "$file" | grep -q 'SPDX-License-Identifier:' ||
				echo "$file: no SPDX-License-Identifier"
		done
}

# Kernel style: a function's braces stand alone in the first column.
function_lengths()
{
	awk '
	/^\{/ { start = FNR }
	/^\}/ && start {
		if (FNR - start - 1 > 80)
			print FILENAME ":" start ": a function of " \
				FNR - start - 1 " lines; 80 are allowed"
		start = 0
	}' "${sources[@]}" "${headers[@]}"
}

# Each header compiles alone, the public ones in C++, too; the module's with the kernel.
headers_alone()
{
	local header
	for header in "${headers[@]}"; do
		case $header in
		tests/* | */compress/* | driver/*) continue ;;
		esac
		cc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -fsyntax-only \
			"${includes[@]}" -include "$header" -x c /dev/null
		case $header in
		*/include/accel/* | uapi/drm/*)
			clang -std=c++11 -Wall -Wextra -fsyntax-only \
				"${includes[@]}" -include "$header" \
				-x c++ /dev/null
			;;
		esac
	done
}

# Every function and structure of the public headers has its kernel-doc; the kernel's
# own checker looks at its form where it is installed (Debian: linux-kbuild-*).
public_comments()
{
	local header tool
	for header in libaccel/include/accel/*.h uapi/spmm/*.h uapi/drm/*.h; do
		awk -v file="$header" '
		/^\/\*/ { comment = 1; documented = /^\/\*\*$/ }
		comment { if (/\*\/$/) comment = 0; next }
		/^[a-z].*\(/ && !/^(static|typedef|extern)/ && !documented {
			print file ":" FNR ": no kernel-doc: " $0
		}
		/^(struct|enum) [a-z_]+ \{/ && !documented {
			print file ":" FNR ": no kernel-doc: " $0
		}
		/;$/ && !/^\t/ { documented = 0 }
		' "$header"
	done
	for tool in /usr/lib/linux-kbuild-*/scripts/kernel-doc; do
		[ -x "$tool" ] &&
			"$tool" -none -Werror libaccel/include/accel/*.h \
				uapi/spmm/*.h uapi/drm/*.h
	done 2>&1 | grep -E 'warning|error'
	return 0
}

# Documentation/simulator.rst says of each file of the simulator what is in it.
rooms()
{
	local file
	list 'sim/*.c' | while read -r file; do
		grep -Eq "(\`|/|, )${file##*/}" Documentation/simulator.rst ||
			echo "$file: not in Documentation/simulator.rst"
	done
}

# Not the tests: the analyzer does not know that a failed assertion ends them; and the man
# pages' examples end without giving everything back.
tidy()
{
	[ -f build-sanitize/compile_commands.json ] ||
		CC=clang meson setup -Db_sanitize=address,undefined \
			-Db_lundef=false -Doptimization=2 \
			build-sanitize >/dev/null || return
	ninja -C build-sanitize libaccel/compress/onnx.pb-c.h >/dev/null ||
		return
	printf '%s\n' "${sources[@]}" | grep -Ev '^(Documentation|tests|driver)/' |
		xargs -P "$(nproc)" -n 4 clang-tidy --quiet \
			-p build-sanitize 2>/dev/null |
		grep -E 'warning:|error:' | sort -u
	return 0
}

# Suites are run by the virtual machine's shell, which finds what they share elsewhere.
shell()
{
	local suites=() others=() file
	for file in "${scripts[@]}"; do
		case $file in
		tests/vm/suites/*) suites+=("$file") ;;
		*) others+=("$file") ;;
		esac
	done
	shellcheck "${others[@]}"
	shellcheck --shell=sh --exclude=SC1091 "${suites[@]}"
}

# with VERSION COMMAND NAME CHECK: skip where the tool is of another version.
with()
{
	if "$2" --version | grep -q "version $1\."; then
		check "$3" "$4"
	else
		echo "skip $3: needs $2 $1 (Debian 12)"
	fi
}

# Each promise names its proof: KIND:NAME, see Documentation/security.rst.
proofs()
{
	local kind name file
	grep -Eo '(kselftest|suite|kunit|fuzz|unit):[a-z0-9_.]+' Documentation/security.rst |
		sort -u | while IFS=: read -r kind name; do
		file=${name%%.*}
		case $kind in
		kselftest) grep -Eqs "[ (]${name#*.}[,)(]" "tests/kselftest/$file.c" ;;
		suite) [ -f "tests/vm/suites/$name.sh" ] ;;
		kunit) grep -q "KUNIT_CASE($name)" driver/tests/*.c ;;
		fuzz) [ -f "tests/fuzz/fuzz_$name.c" ] ;;
		unit) [ -f "tests/unit/test_$name.c" ] ;;
		esac || echo "Documentation/security.rst: there is no $kind:$name"
	done
}

check licences licences
check function-lengths function_lengths
check headers-alone headers_alone
check public-comments public_comments
check rooms rooms
check proofs proofs
check shell shell
with 14 clang-format format format
with 14 clang-tidy tidy tidy
exit $status
