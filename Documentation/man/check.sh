#!/bin/bash
# SPDX-License-Identifier: MIT
# Each man page: no warning of groff, its synopsis is what the header declares, its example
# compiles without a warning and runs.
# usage: check.sh FOLDER-OF-PAGES (in `meson test`, which sets the rest)
set -uo pipefail
: "${ACCEL_TOOL:?is set by meson test}" "${ACCEL_BUILD_DIR:?}" "${ACCEL_SOURCE_DIR:?}"
pages=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir bin
ln -s "$ACCEL_TOOL" bin/accel
ln -s "$ACCEL_BUILD_DIR/sim/server/spmm-sim" bin/spmm-sim
export PATH=$work/bin:$PATH LD_LIBRARY_PATH=$ACCEL_BUILD_DIR/libaccel
export MODELS=$ACCEL_TEST_MODELS NETWORKS=$ACCEL_SOURCE_DIR/tools/demo/networks
failed=0

fail()
{
	echo "FAIL $1"
	shift
	sed 's/^/    /' "$@"
	failed=$((failed + 1))
}

# The text of a section as its reader sees it.
section()
{
	awk -v wanted=".SH $2" '
	/^\.SH / { inside = $0 == wanted; next }
	!inside || /^\.(nf|fi)$/ { next }
	/^\./ { inside = 0; next }
	{ sub(/^\\&/, ""); gsub(/\\-/, "-"); gsub(/\\e/, "\\"); print }' "$1"
}

# compiles PAGE SOURCE ARGUMENT...
compiles()
{
	local page=$1 source=$2
	shift 2
	"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -I"$ACCEL_SOURCE_DIR/libaccel/include" \
		"$source" "$@" >log 2>&1 && return
	fail "$page: $source does not compile" log "$source"
	return 1
}

# Declared twice, differently, is an error; used, it has to be in the library.
function_check()
{
	local page=$1 name=$2
	{
		section "$page" SYNOPSIS
		echo "void *function = (void *)&$name;"
		echo "int main(void) { return 0; }"
	} >synopsis.c
	section "$page" EXAMPLE >example.c
	compiles "$name" synopsis.c -o synopsis "${libraries[@]}" || return
	compiles "$name" example.c -o example "${libraries[@]}" || return
	timeout 60 ./example vae.safetensors >log 2>&1 || fail "$name: its example" log
}

command_check()
{
	local page=$1 name=$2
	section "$page" EXAMPLE >example.sh
	if ! [ -s example.sh ]; then
		fail "$name has no example" /dev/null
	elif ! timeout 120 bash -e example.sh >log 2>&1; then
		fail "$name: its example" log
	fi
	section "$page" SYNOPSIS | grep -q "^${name/-/.}" ||
		fail "$name: its synopsis" "$page"
}

libraries=(-L"$ACCEL_BUILD_DIR/libaccel" -laccel -luring)
accel compress "$MODELS/fashion_vae_dec_sp90.onnx" -o vae.safetensors --sparsity keep \
	>/dev/null || exit 1
count=0
for page in "$pages"/*.[13]; do
	name=$(basename "${page%.*}")
	groff -k -man -Tutf8 -ww -z "$page" >log 2>&1
	[ ! -s log ] || fail "$name: groff" log
	case $page in
	*.3) function_check "$page" "$name" ;;
	*.1) command_check "$page" "$name" ;;
	esac
	count=$((count + 1))
done
while read -r name; do
	[ -f "$pages/accel-$name.1" ] || fail "accel $name has no page" /dev/null
done < <(accel --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
echo "$count pages, $failed findings"
[ "$count" -gt 40 ] && [ "$failed" -eq 0 ]
