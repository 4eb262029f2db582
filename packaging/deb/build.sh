#!/bin/sh
# build.sh VERSION TARBALL FOLDER JOBS: source and binary packages for Debian, made from the tarball.
set -eu
version=$1 tarball=$2 folder=$3 jobs=$4
source=$folder/source

rm -rf "$source"
mkdir -p "$folder"
cp "$tarball" "$folder/acmsensor_$version.orig.tar.gz"
mkdir "$source"
tar -x --strip-components=1 -C "$source" -f "$tarball"
cp -r "$source/packaging/deb" "$source/debian"
rm "$source/debian/build.sh" "$source/debian/changelog.in"
date=$(LC_ALL=C TZ=UTC date -R -r "$source/Makefile")
sed -e "s/@VERSION@/$version/" -e "s/@DATE@/$date/" packaging/deb/changelog.in >"$source/debian/changelog"
# What the caller's make was told is not for the package's.
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES
export DEB_BUILD_OPTIONS="parallel=$jobs ${DEB_BUILD_OPTIONS-}"
(cd "$source" && dpkg-buildpackage -us -uc)
rm -rf "$source"
ls "$folder"/*"$version"*
