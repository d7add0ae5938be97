#!/bin/bash
# SPDX-License-Identifier: MIT
# Man page of a command, from what it says of itself and an example.
# usage: command.sh VERSION EXAMPLE.sh OUTPUT SUMMARY PROGRAM [SUBCOMMAND]
# The program knows the summaries of its subcommands; then that is empty.
set -euo pipefail
version=$1 example=$2 output=$3 summary=$4 program=$5 subcommand=${6:-}
name=$(basename "$program")${subcommand:+-$subcommand}
help=$("$program" ${subcommand:+"$subcommand"} --help)

roff()
{
	sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^[.']/\\\\\&&/"
}

# What stands between the usage line and the options.
paragraph()
{
	sed -n '2,$p' <<<"$help" | grep -v '^  ' | sed '/./,$!d'
}

# Options, and commands of a program that has some; a text may go on in the next line.
options()
{
	awk '
	/^          / {
		sub(/^ */, "")
		print
		next
	}
	/^  / {
		sub(/^  /, "")
		term = $0
		sub(/   *[^ ].*$/, "", term)
		text = substr($0, length(term) + 1)
		sub(/^ */, "", text)
		print ".TP\n.B " term "\n\\&" text
	}' <<<"$help"
}

[ -n "$summary" ] ||
	summary=$("$program" --help | sed -n "s/^  $subcommand  *//p")
{
	echo ".TH $name 1 \"\" \"accel $version\" \"accel\""
	echo ".SH NAME"
	echo "$name \\- $(roff <<<"$summary")"
	echo ".SH SYNOPSIS"
	echo ".nf"
	sed -n '1s/^usage: //p' <<<"$help" | roff
	echo ".fi"
	echo ".SH DESCRIPTION"
	paragraph | roff | sed 's/^$/.PP/'
	[ -z "$(options)" ] || echo ".SH OPTIONS"
	options | sed 's/-/\\-/g'
	echo '.SH "EXIT STATUS"'
	printf '.TP\n.B 0\nDone.\n.TP\n.B 1\nIt failed; what to do about it is on standard error.\n'
	printf '.TP\n.B 2\nWrong usage.\n'
	echo ".SH EXAMPLE"
	echo ".nf"
	grep -v '^#' "$example" | roff
	echo ".fi"
	echo '.SH "SEE ALSO"'
	[ -z "$subcommand" ] || printf '.BR %s (1),\n' "$(basename "$program")"
	printf '.BR accel_device_open (3)\n'
} >"$output"
