# SPDX-License-Identifier: MIT
# Count the results of one machine: KTAP, in which cases may have cases of their own; a
# case counts if it has none. Prints failures and skips, with the diagnostic lines before
# a failure; "passed failed skipped" goes to the file `counts`, the names of suites with
# failures to `bad`.
# usage: awk -v counts=FILE -v bad=FILE -v suites="NAME NAME..." -f count.awk RESULTS

function failure(text) {
	failed++
	wrong[suite] = 1
	print "   FAILED " suite ": " text
	printf "%s", notes
}

# A level of indentation ends: the number of its cases must be as planned.
function close_level(level) {
	if ((level in planned) && planned[level] != seen[level])
		failure("planned " planned[level] " cases, ran " seen[level])
	delete planned[level]
	delete seen[level]
	delete inner_failed[level]
}

function close_deeper(level,    other) {
	for (other in seen)
		if (other + 0 > level)
			close_level(other + 0)
	for (other in planned)
		if (other + 0 > level)
			close_level(other + 0)
}

# Whether a case just ended had cases of its own.
function has_inner(level,    other) {
	for (other in seen)
		if (other + 0 > level)
			return 1
	return 0
}

function case_ended(level, ok, text,    before, parent) {
	before = failed
	parent = has_inner(level)
	inner = level in inner_failed ? inner_failed[level] : 0
	close_deeper(level)
	seen[level]++
	ran[suite]++
	if (parent) {
		if (!ok && !inner && failed == before)
			failure(text)
	} else if (!ok) {
		failure(text)
	} else if (text ~ /# *[Ss][Kk][Ii][Pp]/) {
		skipped++
		print "   skipped " suite ": " text
	} else {
		passed++
	}
	if (failed > before)
		for (before = 0; before < level; before++)
			inner_failed[before] = 1
	delete inner_failed[level]
	notes = ""
}

function suite_ended(status) {
	close_deeper(-1)
	if (!ran[suite])
		failure("no results")
	else if (status != 0 && !(suite in wrong))
		failure(status == 137 ? "out of time" : "ended with status " status)
	else if (suite in wrong && status != 0)
		print "   " suite ": ended with status " status
	suite = ""
	notes = ""
}

{ sub(/\r$/, "") }

/^# suite: / {
	suite = $3
	started[suite] = 1
	next
}
/^# status: / { suite_ended($3); next }
/^# tainted: / {
	# Bits 7 and 9: the kernel died or warned.
	if (int($3 / 128) % 2 || int($3 / 512) % 2)
		failure("the kernel is tainted: " $3)
	next
}
/^# end$/ { ended = 1; next }

/^ *(not )?ok [0-9]+/ {
	match($0, /^ */)
	case_ended(RLENGTH, $0 ~ /^ *ok/, substr($0, RLENGTH + 1))
	next
}
/^ *1\.\.[0-9]+/ {
	match($0, /^ */)
	close_level(RLENGTH)
	planned[RLENGTH] = substr($0, RLENGTH + 4) + 0
	if (planned[RLENGTH] == 0)
		delete planned[RLENGTH]
	next
}
{
	notes = notes "      " $0 "\n"
	if (length(notes) > 6000)
		notes = substr(notes, length(notes) - 5000)
}

END {
	if (suite != "")
		failure("the machine ended in the middle of it")
	else if (!ended)
		failure("the machine ended early")
	count = split(suites, names, " ")
	for (i = 1; i <= count; i++)
		if (!(names[i] in started)) {
			suite = names[i]
			failure("has not been run")
		}
	for (suite in wrong)
		print suite > bad
	print passed + 0, failed + 0, skipped + 0 > counts
}
