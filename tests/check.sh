#!/bin/bash
# SPDX-License-Identifier: MIT
# Everything that `make check` does: builds with gcc and clang, all tests, the same
# under AddressSanitizer and UBSan, those with several threads under ThreadSanitizer, a
# short run of each fuzz target, a cluster's RTL in lock-step with its C model, ONNX
# Runtime as an oracle, lint, the kernel module in virtual machines with the simulated
# device, and the kernel's own checks of it. The last line is "N passed, N failed,
# N skipped".
# usage: check.sh [PHASE...], of: tests sanitize races fuzz rtl onnxruntime lint vm driver
# shellcheck disable=SC2317 # phases are called by name
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

fuzz_seconds=${FUZZ_SECONDS:-20}
logs=build/check
passed=0
failed=0
skipped=0
failures=()
began=$SECONDS

# run NAME COMMAND...: with the output in a log, which is shown if it fails.
run()
{
	local name=$1 start=$SECONDS
	shift
	printf '   %s ... ' "$name"
	if "$@" >"$logs/$name.log" 2>&1; then
		printf 'ok, %d s\n' $((SECONDS - start))
		passed=$((passed + 1))
		return 0
	fi
	printf 'FAILED after %d s\n' $((SECONDS - start))
	tail -n 100 "$logs/$name.log"
	failed=$((failed + 1))
	failures+=("$name")
	return 1
}

# Count the cases in Meson's JSON log, one program a line: those of a cmocka program and
# of one that prints TAP one by one, any other program as one. Skips are shown with what they printed.
# Prints to file descriptor 3: passed failed skipped.
count_cases()
{
	awk '
	function text_of(line) {
		sub(/.*"stdout": "/, "", line)
		sub(/", "result": .*/, "", line)
		gsub(/\\n/, "\n      ", line)
		gsub(/\\"/, "\"", line)
		return substr(line, 1, 400)
	}
	function tap_skips(name, line,    count) {
		while (match(line, /# SKIP [^\\]*/)) {
			print "   skipped a case of " name ": " substr(line, RSTART + 7, RLENGTH - 7)
			line = substr(line, RSTART + RLENGTH)
			count++
		}
		return count + 0
	}
	{
		errors = $0
		if (!sub(/.*, "stderr": "/, "", errors))
			errors = ""
		sub(/\\n"\}$|"\}$/, "", errors)
		sub(/, "starttime": .*/, "")
		name = $0
		sub(/.*\{"name": "/, "", name)
		sub(/".*/, "", name)
		result = $0
		sub(/.*"result": "/, "", result)
		sub(/".*/, "", result)
		ok = gsub(/\[       OK \]/, "&")
		bad = gsub(/\[  FAILED  \]/, "&")
		none = gsub(/\[  SKIPPED \]/, "&")
		tap_skipped = tap_skips(name, $0)
		ok += gsub(/\\nok [0-9]+ - /, "&") - tap_skipped
		bad += gsub(/\\nnot ok [0-9]+ - /, "&")
		skipped += tap_skipped
		if (result == "SKIP") {
			skipped++
			print "   skipped " name ": " text_of($0) errors
			next
		}
		if (none)
			print "   skipped " none " of " name ": " text_of($0)
		if (result == "OK") {
			passed += ok + none ? ok : 1
		} else {
			passed += ok
			failed += bad ? bad : 1
			print "   FAILED " name " (" result ")"
		}
		skipped += none
	}
	END { print passed + 0, failed + 0, skipped + 0 > "/dev/fd/3" }
	' "$1"
}

# meson_tests NAME BUILD ARGUMENT...: run tests and add up their cases.
meson_tests()
{
	local name=$1 build=$2 start=$SECONDS status counts
	shift 2
	rm -f "$build/meson-logs/testlog.json"
	printf '   %s:\n' "$name"
	meson test -C "$build" --no-rebuild --print-errorlogs "$@" 2>&1 |
		tee "$logs/$name.log" |
		grep -E '^ *[0-9]+/[0-9]+ |^stderr:|^\[  (ERROR|  LINE)|FAILED  |SUMMARY:|ERROR: '
	status=${PIPESTATUS[0]}
	if [ -f "$build/meson-logs/testlog.json" ]; then
		count_cases "$build/meson-logs/testlog.json" 3>"$logs/counts"
		read -r -a counts <"$logs/counts"
		passed=$((passed + counts[0]))
		failed=$((failed + counts[1]))
		skipped=$((skipped + counts[2]))
	fi
	if [ "$status" -ne 0 ]; then
		failures+=("$name")
		[ -n "${counts[*]:-}" ] && [ "${counts[1]}" -gt 0 ] ||
			failed=$((failed + 1))
	fi
	printf '   %s: %d s\n' "$name" $((SECONDS - start))
}

# setup COMPILER BUILD ARGUMENT...: configure a build folder unless that was done.
setup()
{
	local compiler=$1 build=$2
	shift 2
	[ -f "$build/build.ninja" ] ||
		CC=$compiler meson setup -Dwerror=true "$@" "$build"
}

tests()
{
	run configure-gcc setup gcc build &&
		run build-gcc ninja -C build &&
		meson_tests tests build --no-suite onnxruntime -t 2
}

# clang builds this one, so that both compilers see all the code.
sanitize()
{
	run configure-sanitize setup clang build-sanitize -Doptimization=2 \
		-Db_sanitize=address,undefined -Db_lundef=false &&
		run build-sanitize ninja -C build-sanitize &&
		meson_tests sanitize build-sanitize --no-suite onnxruntime -t 5 &&
		run configure-gcc setup gcc build &&
		run build-gcc ninja -C build &&
		run compilers-agree tests/cli/same_bytes.sh \
			build/tools/accel build-sanitize/tools/accel
}

# Where threads meet: a device and its users, servers, workers of the processor, sweeps.
# Only these are built: a whole build takes longer than they run.
threaded=(batch cpu cpu_spmm device driver error fault nil plan plan_load pool queue queue_stats queue_threads run
	server server_injection sim_checkpoint sim_devices sim_hostile sim_inject sim_queue sim_resume sim_spmm
	stats threads uring vfio_user)

races()
{
	run configure-races setup clang build-races -Doptimization=2 \
		-Db_sanitize=thread -Db_lundef=false &&
		run build-races ninja -C build-races tools/accel \
			"${threaded[@]/#/tests/unit/test_}" &&
		meson_tests races build-races -t 5 --suite unit "${threaded[@]}" &&
		meson_tests races-sweep build-races -t 5 --suite cli sweep
}

fuzz()
{
	run configure-fuzz setup clang build-fuzz -Dfuzz=true -Doptimization=2 \
		-Db_sanitize=address,undefined -Db_lundef=false &&
		run build-fuzz ninja -C build-fuzz fuzz || return
	echo "   fuzz, $fuzz_seconds s each:"
	tests/fuzz/run.sh build-fuzz "$fuzz_seconds" 2>&1 |
		tee "$logs/fuzz.log" | sed 's/^/   /'
	passed=$((passed + $(grep -c '^ok ' "$logs/fuzz.log")))
	if ! grep -q '^ok ' "$logs/fuzz.log" ||
		grep -q '^FAIL ' "$logs/fuzz.log"; then
		failures+=(fuzz)
		failed=$((failed + 1))
	fi
}

rtl()
{
	if ! command -v verilator >/dev/null; then
		echo "   skipped rtl: verilator is not installed"
		skipped=$((skipped + 1))
		return
	fi
	run configure-gcc setup gcc build &&
		run build-gcc ninja -C build &&
		run rtl tests/rtl/run.sh build &&
		grep ' tasks, ' "$logs/rtl.log" | sed 's/^/   /'
}

onnxruntime()
{
	run configure-gcc setup gcc build &&
		run build-gcc ninja -C build &&
		meson_tests onnxruntime build --suite onnxruntime
}

lint()
{
	run lint tests/lint.sh
}

# counted NAME COMMAND...: a script that shows its progress, and counts in its last line.
counted()
{
	local name=$1 start=$SECONDS status counts
	shift
	printf '   %s:\n' "$name"
	"$@" 2>&1 | tee "$logs/$name.log" | sed 's/^/   /'
	status=${PIPESTATUS[0]}
	read -r -a counts < <(tail -n 1 "$logs/$name.log" |
		sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
	passed=$((passed + ${counts[0]:-0}))
	failed=$((failed + ${counts[1]:-1}))
	skipped=$((skipped + ${counts[2]:-0}))
	[ "$status" -eq 0 ] || [ "$status" -eq 77 ] || failures+=("$name")
	printf '   %s: %d s\n' "$name" $((SECONDS - start))
}

# The kernels in VM_KERNELS. What CI runs has to be there.
vm()
{
	local kernel before
	for kernel in ${VM_KERNELS:-6.12}; do
		before=$skipped
		counted "vm-$kernel" tests/vm/run.sh "$kernel"
		[ -z "${CI:-}" ] || [ "$skipped" -eq "$before" ] ||
			failures+=("vm-$kernel: skipped")
	done
}

driver()
{
	counted driver tests/vm/lint.sh
}

mkdir -p "$logs"
phases=("$@")
[ ${#phases[@]} -gt 0 ] || phases=(tests sanitize races fuzz rtl onnxruntime lint
	vm driver)
for phase in "${phases[@]}"; do
	start=$SECONDS
	echo "== $phase"
	"$phase"
	printf '== %s took %d s\n' "$phase" $((SECONDS - start))
done
printf 'All of it took %d s.\n' $((SECONDS - began))
[ ${#failures[@]} -eq 0 ] || echo "Failed: ${failures[*]}"
echo "$passed passed, $failed failed, $skipped skipped" | tee "$logs/summary"
[ "$failed" -eq 0 ] && [ ${#failures[@]} -eq 0 ]
