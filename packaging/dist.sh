#!/bin/sh
# dist.sh VERSION TARBALL: the sources as a tarball whose Makefile has that version. The same
# sources give the same bytes.
set -eu
version=$1 tarball=$2
name=acmsensor-$version
work=$(dirname "$tarball")/tree

rm -rf "$work"
mkdir -p "$work/$name"
if [ -e .git ]; then
	# What is tracked, as it is now; `git add` what is new.
	git ls-files -z
	time=$(git log -1 --format=%ct)
else
	# Unpacked from a tarball.
	find . -path ./build -prune -o -type f -print0
fi >"$work/files"
tar -c --null -T "$work/files" | tar -x -C "$work/$name"
sed -i "s/^VERSION := .*/VERSION := $version/" "$work/$name/Makefile"
tar -c -C "$work" --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mode=u+w,go-w,go+rX \
	--mtime="@${time:-$(stat -c %Y Makefile)}" "$name" | gzip -9n >"$tarball.part"
mv "$tarball.part" "$tarball"
rm -rf "$work"
