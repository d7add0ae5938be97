#!/bin/bash
# SPDX-License-Identifier: MIT
# accel stats and accel top: what a running program counts, in every form, and that the
# pages of dead programs go.
# shellcheck source=tests/cli/expect.sh
. "$(dirname "$0")/expect.sh"

export ACCEL_STATS=$folder/stats
mkdir "$ACCEL_STATS"

# A program that is at work for a minute.
"$accel" bench --device nil: --batch 8 --depth 8 --seconds 60 >/dev/null 2>&1 &
running=$!
trap 'kill "$running" 2>/dev/null; rm -rf "$folder"' EXIT
for ((i = 0; i < 100; i++)); do
	! "$accel" stats | grep -q ' nil:$' || break
	sleep 0.1
done

# The text format: comments in pairs, then samples of that name, each set of labels once.
# shellcheck disable=SC2317 # called by name
prom_check()
{
	"$accel" stats --prom >"$folder/prom" && awk '
	function bad(why) { print "line " NR ": " why ": " $0; failed = 1 }
	/^# HELP / { help = $3; if (NF < 4) bad("no help"); next }
	/^# TYPE / { if ($3 != help || $3 in types) bad("type")
		types[$3] = $4; if ($4 !~ /^(counter|gauge)$/) bad("kind"); next }
	{
		if ($0 !~ /^[a-z_]+\{([a-z_]+="([^"\\]|\\.)*",?)+\} [0-9.e+-]+$/) bad("form")
		name = labels = $0
		sub(/\{.*/, "", name); sub(/ [^ ]*$/, "", labels)
		if (name != help) bad("of another name")
		if (types[name] == "counter" && name !~ /_total$/) bad("counters end in _total")
		if (seen[labels]++) bad("twice")
		samples++
	}
	END { exit failed || samples < 15 }' "$folder/prom"
}
check "Prometheus reads it" prom_check
# shellcheck disable=SC2016
expect 0 'accel_queue_completed_total\{pid="'$running'",program="accel",device="nil:",queue="[0-9]+"\} [1-9]' \
	"$accel" stats --prom
expect 0 '"completed": [1-9]' "$accel" stats --json
expect 0 "^ *$running accel .*nil:" "$accel" stats --device nil:
check "no other device's" sh -c "! '$accel' stats --device cpu: | grep -q nil:"
check "JSON parses" sh -c "'$accel' stats --json | python3 -m json.tool"
expect 2 'exclude each other' "$accel" stats --json --prom

# No terminal: a table each interval, one below the other, without control sequences.
expect 0 "^ *$running accel +[0-9]+ +[1-9][0-9]* " "$accel" top --interval 0.1 --count 3
check "three tables" sh -c "[ \$(grep -c 'ops/s' '$folder/printed') -eq 3 ]"
check "no control sequence" sh -c "! grep -q $'\033' '$folder/printed'"
expect 2 'at least' "$accel" top --interval 0
expect 1 'standard output' sh -c "'$accel' top --interval 0.1 >/dev/full"
check "it ends when told" timeout 10 sh -c "
	'$accel' top --interval 1 >'$folder/told' &
	until [ -s '$folder/told' ]; do sleep 0.1; done; kill -TERM \$!; wait \$!"

if command -v script >/dev/null; then
	# shellcheck disable=SC2317
	key_quits()
	{
		(sleep 1; printf q; sleep 2) |
			timeout 15 script -qec "$accel top --interval 0.2" /dev/null |
			grep -q "$(printf '\033')\\[?1049l"
	}
	check "q quits, and gives the terminal back" key_quits
fi

# Nonsense in the folder is neither read nor removed, whatever it is called.
head -c 3000 /dev/urandom >"$ACCEL_STATS/notes"
head -c 3000 /dev/urandom >"$ACCEL_STATS/1.1"
head -c 3000 /dev/urandom >"$ACCEL_STATS/3.11"
: >"$ACCEL_STATS/3.12"
mkfifo "$ACCEL_STATS/1.2"
expect 0 "^ *$running accel" "$accel" stats
for name in notes 1.1 3.11 3.12; do
	check "files of others stay: $name" test -f "$ACCEL_STATS/$name"
done

kill -KILL "$running"
wait "$running" 2>/dev/null
check "its page outlives it" test -n "$(echo "$ACCEL_STATS/$running".*)"

# Where it is not this user's to remove: behind a link, and in another's folder.
mkdir "$folder/elsewhere"
cp "$ACCEL_STATS/$running".* "$folder/elsewhere/3.13"
ln -s elsewhere "$folder/link"
check "a link is looked at" env ACCEL_STATS="$folder/link" "$accel" stats
check "and not followed" test -f "$folder/elsewhere/3.13"
if [ "$(id -u)" -eq 0 ]; then
	cp "$folder/elsewhere/3.13" "$ACCEL_STATS/3.14"
	chown -R 65534 "$folder/elsewhere" "$ACCEL_STATS/3.14"
	check "another's folder" env ACCEL_STATS="$folder/elsewhere" "$accel" stats
	check "keeps its pages" test -f "$folder/elsewhere/3.13"
	check "another's file" "$accel" stats
	check "stays" test -f "$ACCEL_STATS/3.14"
fi

check "but is not shown" sh -c "! '$accel' stats | grep -q nil:"
check "and then is gone" sh -c "! ls '$ACCEL_STATS/$running'.*"

# A device of the kernel module, as /sys and /proc show it.
root=$folder/root
sys=$root/sys/class/accel/accel0
mkdir -p "$root/sys/devices/0000:01:00.0/spmm" "$root/sys/devices/0000:01:00.0/hwmon/hwmon3" "$sys"
ln -s "$root/sys/devices/0000:01:00.0" "$sys/device"
echo ready >"$sys/device/spmm/state"
echo 2 >"$sys/device/spmm/resets"
echo 41500 >"$sys/device/hwmon/hwmon3/temp1_input"
echo 12250000 >"$sys/device/hwmon/hwmon3/power1_input"
export ACCEL_TEST_ROOT=$root
expect 0 '^accel0 0000:01:00.0: ready  2 resets  41\.5 .+C  12\.2 W' "$accel" stats
expect 0 '"temperature_celsius": 41.5' "$accel" stats --json
expect 0 'accel_device_power_watts\{node="accel0",address="0000:01:00.0"\} 12.25$' \
	"$accel" stats --prom
finish
