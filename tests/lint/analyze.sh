#!/bin/sh
# clang-tidy, gcc -fanalyzer and cppcheck over the product's sources: analyze.sh JOBS 'CPPFLAGS'
set -eu
jobs=$1
cppflags=$2
sources=$(git ls-files base store aws orgscope discovery sensor cli | grep '\.c$')
export cppflags

echo "clang-tidy: $(echo "$sources" | wc -l) files"
echo "$sources" | xargs -P "$jobs" -n 8 sh -c 'clang-tidy --quiet --warnings-as-errors="*" "$@" -- -std=c11 $cppflags 2>/dev/null' tidy

echo "gcc -fanalyzer"
echo "$sources" | xargs -P "$jobs" -n 1 sh -c 'gcc -std=c11 -O1 -fanalyzer -Werror $cppflags -c -o /dev/null "$1"' analyze

echo "cppcheck"
# shellcheck disable=SC2086 # a list of files and flags
cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$jobs" -I. -D_GNU_SOURCE \
	--enable=warning,portability --suppress=missingIncludeSystem $sources
