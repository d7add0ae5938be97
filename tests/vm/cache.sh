# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced: the cache of what was downloaded or takes long to make, outside the tree. An
# entry is made under another name and renamed when whole; while one run makes it, others
# that want it wait. Names carry versions, so an entry is never changed. Entries that
# nothing wants any more are the user's to delete: the whole folder may go at any time.
cache=${SPMM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spmm}

# Not to standard output: that is for the names that scripts print.
announce()
{
	echo "   $*" >&2
}

fail()
{
	echo "$0: $*" >&2
	exit 1
}

# locked NAME COMMAND...: run it while no other run holds that name.
locked()
(
	mkdir -p "$cache/locks"
	exec 9>"$cache/locks/$1"
	flock 9
	shift
	"$@"
)

# Holds the lock. The status of COMMAND is tested, so `set -e` is off within it.
cache_make()
{
	local name=$1 temporary=$cache/$1.new
	shift
	[ ! -e "$cache/$name" ] || return 0
	rm -rf "$temporary"
	mkdir -p "$temporary"
	"$@" "$temporary" 9>&- || return 1
	mv -T "$temporary" "$cache/$name"
}

# cache_entry NAME COMMAND...: have $cache/NAME; COMMAND fills the folder that it is given
# as its last argument.
cache_entry()
{
	[ -e "$cache/$1" ] || locked "$1" cache_make "$@"
}
