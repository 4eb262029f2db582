#!/bin/sh
# The man pages as they are installed: manuals.sh PAGE... Which other manuals are installed here is
# left aside.
set -eu
findings=$(mandoc -Tlint "$@" 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' || true)
if [ -n "$findings" ]; then
	echo "$findings"
	exit 1
fi
echo "manuals: $# pages"
