#!/bin/sh
# Installs what building and testing acmsensor needs, on Debian/Ubuntu (apt) or RHEL/Fedora (dnf).
# Only what is missing is fetched; run it as root or where sudo works.
set -eu

run_as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "deps.sh: needs root to run: $*" >&2
		exit 1
	fi
}

if command -v apt-get >/dev/null 2>&1; then
	build="gcc make pkg-config libevent-dev libcurl4-openssl-dev libssl-dev libxml2-dev liblmdb-dev libjansson-dev"
	tests="libcmocka-dev python3 python3-pytest python3-pytest-xdist python3-boto3 python3-cryptography python3-aiosmtpd awscli openssl jq e2fsprogs gdb curl zsh fish prometheus python3-prometheus-client"
	tools="clang clang-format clang-tidy libclang-rt-14-dev cppcheck valgrind hyperfine mandoc"
	packages="debhelper lintian rpm rpmlint debugedit elfutils debootstrap systemd systemd-container"
	missing=""
	for package in $build $tests $tools $packages; do
		state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
		case "$state" in
		ii*) ;;
		*) missing="$missing $package" ;;
		esac
	done
	if [ -z "$missing" ]; then
		echo "deps.sh: everything is installed"
		exit 0
	fi
	echo "deps.sh: installing$missing"
	run_as_root apt-get update -q
	# shellcheck disable=SC2086 # a list of names
	run_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
elif command -v dnf >/dev/null 2>&1; then
	echo "deps.sh: installing with dnf (lmdb-devel, jansson-devel and libcmocka-devel: EPEL or CRB on RHEL)"
	run_as_root dnf install -y gcc make pkgconf-pkg-config libevent-devel libcurl-devel openssl-devel \
		libxml2-devel lmdb-devel jansson-devel libcmocka-devel python3 python3-pytest python3-pytest-xdist \
		python3-boto3 python3-cryptography python3-aiosmtpd awscli2 openssl jq gdb clang clang-tools-extra compiler-rt cppcheck valgrind mandoc zsh fish \
		python3-prometheus_client golang-github-prometheus
else
	echo "deps.sh: neither apt-get nor dnf here; see the lists in this file" >&2
	exit 1
fi
