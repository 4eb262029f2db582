#!/bin/sh
# build.sh VERSION TARBALL FOLDER: source and binary packages for RHEL 9 and Fedora, made from the
# tarball. On another system, which has no such packages to build with, the libraries that are there
# are taken (--nodeps). RPMBUILD: more for rpmbuild, such as "--without check".
set -eu
version=$1 tarball=$2 folder=$(realpath -m "$3")
top=$folder/top

rm -rf "$top"
mkdir -p "$top/SOURCES" "$top/SPECS"
cp "$tarball" packaging/common/acmsensor.sysusers "$top/SOURCES/"
day=$(tar -tv --full-time -f "$tarball" "acmsensor-$version/Makefile" | awk '{print $4}')
date=$(LC_ALL=C date -u -d "$day" "+%a %b %d %Y")
sed -e "s/@VERSION@/$version/" -e "s/@DATE@/$date/" packaging/rpm/acmsensor.spec.in >"$top/SPECS/acmsensor.spec"
elsewhere=""
if [ "$(rpm --eval '%{?_unitdir}')" = "" ]; then
	elsewhere="--nodeps --load=packaging/rpm/elsewhere.macros"
fi
# What the caller's make was told is not for the package's.
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES
# shellcheck disable=SC2086 # lists of words
rpmbuild -ba $elsewhere ${RPMBUILD-} --define "_topdir $top" "$top/SPECS/acmsensor.spec"
mkdir -p "$folder"
find "$top/RPMS" "$top/SRPMS" -name '*.rpm' -exec mv {} "$folder/" \;
rm -rf "$top/BUILD" "$top/BUILDROOT"
ls "$folder"/*"$version"*
