# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced, after cache.sh: packages of another Debian release than the machine's, by an
# apt with lists of its own. Packages are extracted, never installed. The mirror is the
# one of the machine's own apt configuration, the signatures are Debian's.
: "${cache:?}"
release=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
apt_root=$cache/apt-$release
lists_days=7

# The mirror of the machine's own release has the others, too.
debian_mirror()
{
	local own
	# shellcheck disable=SC1091
	own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016
	apt-get indextargets 'Created-By: Packages' \
		--format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)' |
		awk -F'|' -v own="$own" '$2 == own && $3 == "main" &&
			($4 == "Debian" || $4 == "" || $4 ~ /^\$/) { print $1; exit }'
}

apt_configure()
{
	local mirror
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || fail "apt is not configured with a mirror of Debian"
	[ -r "$keyring" ] || fail "no $keyring; install debian-archive-keyring"
	mkdir -p "$apt_root/lists/partial" "$apt_root/cache"
	: >"$apt_root/status"
	printf "deb [signed-by=$keyring] $mirror %s main\n" \
		"$release" "$release-backports" >"$apt_root/sources.list"
	cat >"$apt_root/apt.conf" <<-END
		Dir::State "$apt_root";
		Dir::State::lists "$apt_root/lists";
		Dir::State::status "$apt_root/status";
		Dir::Cache "$apt_root/cache";
		Dir::Etc::sourcelist "$apt_root/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "";
		Debug::NoLocking "true";
		Acquire::Retries "3";
	END
}

# Lists that cannot be renewed are used on.
apt_refresh()
{
	[ -z "$(find "$apt_root/fresh" -mtime "-$lists_days" 2>/dev/null)" ] || return 0
	apt_configure
	announce "Fetching the package lists of Debian $release and its backports (about 10 MB)"
	if APT_CONFIG=$apt_root/apt.conf apt-get -qq update >&2; then
		touch "$apt_root/fresh"
	else
		[ -e "$apt_root/fresh" ] || fail "cannot fetch the package lists"
		announce "They could not be renewed; going on with the old ones"
	fi
}

# To be called once before the others.
apt_use()
{
	locked apt apt_refresh
	export APT_CONFIG=$apt_root/apt.conf
}

# The newest package whose whole name matches an extended regular expression.
apt_newest()
{
	apt-cache pkgnames | grep -Ex "$1" | sort -V | tail -n 1
}

# apt_versions SUITE PACKAGE...: what would be taken of SUITE, one a line. An epoch's
# colon is no good in a folder's name.
apt_versions()
{
	local suite=$1
	shift
	apt-cache -o "APT::Default-Release=$suite" policy "$@" |
		awk '/^  Candidate:/ { sub(/^[0-9]+:/, "", $2); print $2 }'
}

# Lines of "'URI' FILE SIZE HASH", of packages and all that they depend on.
apt_uris()
{
	local suite=$1
	shift
	apt-get -o "APT::Default-Release=$suite" -y -qq --print-uris install "$@" |
		grep "^'"
}

megabytes()
{
	awk '{ sum += $3 } END { printf "%d MB", sum / 1e6 + 0.5 }'
}

# apt_extract WHAT SUITE FOLDER PACKAGE...: with all dependencies.
apt_extract()
{
	local what=$1 suite=$2 folder=$3 debs=$3.debs uris
	shift 3
	uris=$(apt_uris "$suite" "$@") || return 1
	announce "Downloading $what: $(megabytes <<<"$uris")"
	mkdir -p "$debs/partial" "$folder/usr"/{bin,sbin,lib,lib64}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$folder" || return 1
	apt-get -o "APT::Default-Release=$suite" -o "Dir::Cache::archives=$debs" \
		-y -qq --download-only install "$@" >&2 || return 1
	extract_each "$folder" "$debs"
}

# apt_extract_only WHAT FOLDER PACKAGE...: without dependencies.
apt_extract_only()
{
	local what=$1 folder=$2 debs=$2.debs
	shift 2
	announce "Downloading $what: $(apt-get -qq --print-uris download "$@" | megabytes)"
	mkdir -p "$debs"
	(cd "$debs" && apt-get -qq download "$@" >&2) || return 1
	extract_each "$folder" "$debs"
}

extract_each()
{
	local folder=$1 debs=$2 deb
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$folder" || return 1
	done
	rm -r "$debs"
}
