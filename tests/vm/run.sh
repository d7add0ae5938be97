#!/bin/bash
# SPDX-License-Identifier: MIT
# Run suites in virtual machines with the simulated device: all that are for that kernel,
# or those named. The last line is "N passed, N failed, N skipped".
# usage: run.sh 6.12|7.3|debug [SUITE...]
# The status is 77 if this machine lacks something, and cannot fetch it: that is said.
#
# A suite is suites/NAME.sh, run by the machine's shell as root. Its header may say:
#   # spmm-sim: OPTION...          of the simulator
#   # qemu: OPTION...              of QEMU
#   # kernel-arguments: ARGUMENT...
#   # kernels: KERNEL...           the only ones it is for
#   # targets: TARGET...           of Ninja: programs for /bin, anything else for /data
#   # files: FILE...               of the tree, the same
#   # limit: SECONDS               it may take; 60 if it says nothing
#   # allow: REGEX                 messages of the kernel that it provokes
# Suites that want the same machine share it.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/machine.sh
. tests/vm/machine.sh
suites=tests/vm/suites
splat='WARNING:|BUG:|KASAN|UBSAN:|Oops|Call Trace:|general protection|Kernel panic'
splat+='|possible (recursive|circular)|suspicious RCU|DMA-API: .*: |unreferenced object'
splat+='|suspected memory leaks|blocked for more than|soft lockup|stall|refcount_t:|corruption'
totals=(0 0 0)

# header SUITE KEY: all the values of that key, on one line.
header()
{
	sed -n "s/^# $2: *//p" "$suites/$1.sh" | paste -s -d' '
}

# What makes suites need different machines.
machine_of()
{
	printf '%s|%s|%s\n' "$(header "$1" spmm-sim)" "$(header "$1" qemu)" \
		"$(header "$1" kernel-arguments)"
}

is_for_kernel()
{
	local kernels
	kernels=$(header "$1" kernels)
	[ -z "$kernels" ] || [[ " $kernels " = *" $kernel "* ]]
}

limit_of()
{
	local limit
	limit=$(header "$1" limit)
	echo $((${limit:-60} * slowness))
}

count()
{
	local i
	for i in 0 1 2; do
		totals[i]=$((totals[i] + $1))
		shift
	done
}

fault()
{
	echo "   FAILED $*"
	count 0 1 0
}

# The kernel's messages since a suite's beginning, or all of them.
kernel_messages()
{
	tr -d '\r' <"$1/kernel.log" | awk -v suite="${2:-}" '
		/\] suite / { on = $NF == suite }
		suite == "" || on' | tail -n 60 | sed 's/^/      | /'
}

# look_for_splats FOLDER ALLOWED
look_for_splats()
{
	local allowed=${2:-^$}
	tr -d '\r' <"$1/kernel.log" | grep -vE "$allowed" |
		grep -nE -m 1 -A 40 "$splat" >"$1/splat" || return 0
	fault "the kernel complains:"
	sed 's/^/      | /' "$1/splat"
}

# judge FOLDER QEMU-STATUS ALLOWED SUITE...
judge()
{
	local folder=$1 status=$2 allowed=$3 counts suite
	shift 3
	awk -v counts="$folder/counts" -v bad="$folder/bad" -v suites="$*" \
		-f tests/vm/count.awk "$folder/results"
	read -r -a counts <"$folder/counts"
	count "${counts[@]}"
	while read -r suite; do
		echo "   The kernel's messages during $suite:"
		kernel_messages "$folder" "$suite"
	done < <(cat "$folder/bad" 2>/dev/null)
	look_for_splats "$folder" "$allowed"
	if [ "$status" -ne 0 ]; then
		fault "QEMU: status $status$([ "$status" -ne 124 ] || echo ", out of time")"
		tail -n 20 "$folder/qemu.log" | sed 's/^/      | /'
		kernel_messages "$folder"
	fi
	! grep -n 'timed out waiting for reply' "$folder/qemu.log" ||
		fault "the simulator did not answer in time"
}

# machine_session FOLDER SUITE...: boot, run, power off.
machine_session()
{
	local folder=$1 suite options allowed="" seconds=$((60 * slowness)) status=0
	local longest=0 sim_options qemu_options
	shift
	mkdir -p "$folder"
	IFS='|' read -r -a options < <(machine_of "$1")
	read -r -a sim_options <<<"${options[0]:-}"
	read -r -a qemu_options <<<"${options[1]:-}"
	for suite in "$@"; do
		limit=$(limit_of "$suite")
		seconds=$((seconds + limit))
		[ "$limit" -le "$longest" ] || longest=$limit
		[ -z "$(header "$suite" allow)" ] ||
			allowed+=${allowed:+|}$(header "$suite" allow)
	done
	echo "== $kernel: $*$(machine_of "$1" | sed 's/|\+/ /g; s/^ *$//; s/ *$//; s/^ *\(.\)/, \1/')"
	if ! sim_start "$folder" "${sim_options[@]}"; then
		fault "no simulator"
		return
	fi
	machine_command "$kernel_folder" "$work/initramfs" "$folder" "${qemu_options[@]}"
	touch "$folder/results" "$folder/kernel.log"
	machine_run "$folder" "$seconds" \
		"${options[2]:-} limit=$longest suites=$(tr ' ' , <<<"$*")" || status=$?
	judge "$folder" "$status" "$allowed" "$@"
	sim_stop || { fault "spmm-sim: status $?"; cat "$folder/sim.log"; }
}

# All suites of one kind of machine after another.
all_sessions()
{
	local -A groups=()
	local suite machine number=0 start
	for suite in "$@"; do
		groups[$(machine_of "$suite")]+=" $suite"
	done
	while read -r machine; do
		start=$SECONDS
		# shellcheck disable=SC2086 # a list of names
		machine_session "$work/$((number += 1))" ${groups[$machine]}
		echo "   took $((SECONDS - start)) s"
	done < <(printf '%s\n' "${!groups[@]}" | sort)
}

# What does not depend on the tree.
fetch()
{
	kernel_folder=$(tests/vm/kernel.sh "$kernel") &&
		tests/vm/qemu.sh --folder >/dev/null &&
		tests/vm/buildroot.sh "$work" true
}

# What the chosen suites want of the tree: built, and listed in `files`.
prepare()
{
	local suite targets=() file
	files=()
	for suite in "$@"; do
		read -r -a wanted <<<"$(header "$suite" targets)"
		targets+=("${wanted[@]}")
		read -r -a wanted <<<"$(header "$suite" files)"
		files+=("${wanted[@]}")
	done
	mapfile -t targets < <(printf '%s\n' "${targets[@]}" | sort -u | grep .)
	for file in "${targets[@]}"; do
		files+=("build/$file")
	done
	mapfile -t files < <(printf '%s\n' "${files[@]}" | sort -u | grep .)
	[ -f build/build.ninja ] || meson setup build >/dev/null || return
	ninja -C build sim/server/spmm-sim "${targets[@]}" >"$work/ninja.log" ||
		{ cat "$work/ninja.log"; return 1; }
	tests/vm/module.sh "$kernel" "build/vm/$kernel" || return
	files+=("build/vm/$kernel"/*.ko)
	tests/vm/initramfs.sh "$kernel" "$work/initramfs" "${files[@]}"
}

choose()
{
	local suite file
	chosen=()
	for suite in "$@"; do
		[ -f "$suites/$suite.sh" ] || { echo "no suite $suite" >&2; exit 2; }
		chosen+=("$suite")
	done
	[ $# -eq 0 ] || return 0
	for file in "$suites"/*.sh; do
		suite=$(basename "$file" .sh)
		! is_for_kernel "$suite" || chosen+=("$suite")
	done
}

kernel=${1:?which kernel}
shift
slowness=1
if [ "$kernel" = debug ]; then
	slowness=8
	# shellcheck disable=SC2034 # for machine.sh
	machine_memory=1G
fi
work=$(mktemp -d)
trap 'machine_end; rm -rf "$work"' EXIT
choose "$@"
began=$SECONDS
if ! fetch; then
	echo "No virtual machine here: see above"
	echo "0 passed, 0 failed, 1 skipped"
	exit 77
fi
if prepare "${chosen[@]}"; then
	echo "   Prepared in $((SECONDS - began)) s"
	all_sessions "${chosen[@]}"
else
	fault "nothing could be run on $kernel"
fi
echo "${totals[0]} passed, ${totals[1]} failed, ${totals[2]} skipped"
[ "${totals[1]}" -eq 0 ]
