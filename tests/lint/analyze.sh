#!/bin/sh
# clang-tidy, gcc -fanalyzer and cppcheck over the product's sources: analyze.sh JOBS 'LIBRARIES'
set -eu
jobs=$1
sources=$(git ls-files base store aws orgscope discovery delivery alert sensor cli packaging | grep '\.c$')
# shellcheck disable=SC2086 # a list of names
flags="-std=c11 -I. -D_GNU_SOURCE $(pkg-config --cflags $2)"
export flags

echo "clang-tidy: $(echo "$sources" | wc -l) files"
# What it says beside its findings ("N warnings generated") is noise.
echo "$sources" | xargs -P "$jobs" -n 8 sh -c '
	clang-tidy --quiet --warnings-as-errors="*" "$@" -- $flags "-DACMSENSOR_VERSION=\"lint\"" 2>/dev/null' tidy

echo "gcc -fanalyzer"
echo "$sources" | xargs -P "$jobs" -n 1 sh -c '
	gcc -O1 -fanalyzer -Werror $flags "-DACMSENSOR_VERSION=\"lint\"" -c -o /dev/null "$1"' analyze

echo "cppcheck"
# shellcheck disable=SC2086 # a list of files
cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$jobs" -I. -D_GNU_SOURCE \
	--enable=warning,portability --suppress=missingIncludeSystem \
	--suppressions-list=tests/lint/cppcheck.txt $sources
